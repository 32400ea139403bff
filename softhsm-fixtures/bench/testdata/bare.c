// SPDX-License-Identifier: Apache-2.0
//
// The least that a program can do with a PKCS#11 module, to compare with:
//
//	bare MODULE tokens              C_Initialize and C_GetTokenInfo of every slot
//	bare MODULE sign PIN COUNT N    COUNT signatures in N threads, each with a session; prints the seconds
//
// The module must export its functions by name, as SoftHSM does.
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef unsigned long ulong_t;
typedef struct { ulong_t kind; void *value; ulong_t length; } attribute;
typedef struct { ulong_t kind; void *value; ulong_t length; } mechanism;
typedef struct { void *create, *destroy, *lock, *unlock; ulong_t flags; void *reserved; } initargs;

enum { OS_LOCKING = 2, SERIAL = 4, USER = 1, PRIVATE_KEY = 3, CLASS = 0, RSA_PKCS = 1, MOST_SLOTS = 64, SIZE = 256 };

static void *library;
static ulong_t sessions[64], key;

static void must(const char *name, ulong_t rv) {
	if (rv != 0) {
		fprintf(stderr, "%s: 0x%lx\n", name, rv);
		exit(1);
	}
}

#define CALL(name, types, ...) must(#name, ((ulong_t(*) types)dlsym(library, #name))(__VA_ARGS__))

// digestInfo is that of a SHA-256 digest of zeros.
static unsigned char digestInfo[51] = {
	0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};

static int count, threads;

static void *work(void *number) {
	ulong_t (*init)(ulong_t, mechanism *, ulong_t) = dlsym(library, "C_SignInit");
	ulong_t (*sign)(ulong_t, unsigned char *, ulong_t, unsigned char *, ulong_t *) = dlsym(library, "C_Sign");
	for (int i = (int)(size_t)number; i < count; i += threads) {
		mechanism pkcs1 = {RSA_PKCS, NULL, 0};
		unsigned char signature[SIZE];
		ulong_t length = sizeof signature, session = sessions[(size_t)number];
		must("C_SignInit", init(session, &pkcs1, key));
		must("C_Sign", sign(session, digestInfo, sizeof digestInfo, signature, &length));
	}
	return NULL;
}

static void sign(ulong_t slot, char *pin) {
	for (int i = 0; i < threads; i++)
		CALL(C_OpenSession, (ulong_t, ulong_t, void *, void *, ulong_t *), slot, (ulong_t)SERIAL, NULL, NULL, &sessions[i]);
	CALL(C_Login, (ulong_t, ulong_t, char *, ulong_t), sessions[0], (ulong_t)USER, pin, strlen(pin));
	ulong_t class = PRIVATE_KEY, found = 0;
	attribute template = {CLASS, &class, sizeof class};
	CALL(C_FindObjectsInit, (ulong_t, attribute *, ulong_t), sessions[0], &template, 1UL);
	CALL(C_FindObjects, (ulong_t, ulong_t *, ulong_t, ulong_t *), sessions[0], &key, 1UL, &found);
	CALL(C_FindObjectsFinal, (ulong_t), sessions[0]);
	if (found == 0)
		must("no key", 1);
	struct timespec from, to;
	pthread_t running[64];
	clock_gettime(CLOCK_MONOTONIC, &from);
	for (size_t i = 0; i < (size_t)threads; i++)
		pthread_create(&running[i], NULL, work, (void *)i);
	for (int i = 0; i < threads; i++)
		pthread_join(running[i], NULL);
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%.6f\n", (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9);
}

int main(int argc, char **argv) {
	library = dlopen(argv[1], RTLD_NOW);
	if (library == NULL)
		must(dlerror(), 1);
	initargs locking = {.flags = OS_LOCKING};
	CALL(C_Initialize, (initargs *), &locking);
	ulong_t slots[MOST_SLOTS], n = MOST_SLOTS;
	CALL(C_GetSlotList, (unsigned char, ulong_t *, ulong_t *), 1, slots, &n);
	for (ulong_t i = 0; i < n; i++) {
		unsigned char info[1024];
		CALL(C_GetTokenInfo, (ulong_t, unsigned char *), slots[i], info);
	}
	if (argc == 6) {
		count = atoi(argv[4]);
		threads = atoi(argv[5]);
		sign(slots[0], argv[3]);
	}
	CALL(C_Finalize, (void *), NULL);
	return 0;
}
