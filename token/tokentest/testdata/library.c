// SPDX-License-Identifier: Apache-2.0

// A PKCS#11 module that goes wrong as the macro says: see ../library.go.

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long ulong_t;

static ulong_t initialize(void *arguments) {
#if defined CRASH_STARTING
	*(volatile int *) 8 = 1;
#elif defined ABORT_STARTING
	abort();
#elif defined EXIT_STARTING
	exit(0);
#elif defined HANG_STARTING
	for (;;)
		pause();
#elif defined HANG_FORKED
	fork();
	for (;;)
		pause();
#elif defined REFUSE_STARTING
	return 0x30;
#elif defined CHATTER
	for (;;)
		puts("loading plug-ins, please wait");
#endif
	return 0;
}

static ulong_t finalize(void *reserved) { return 0; }

static ulong_t get_slot_list(unsigned char present, ulong_t *slots, ulong_t *count) {
#ifdef CRASH_LISTING
	*(volatile int *) 8 = 1;
#elif defined STALE_SLOTS
	static int asked = 0;
	if (slots != NULL && !asked)
		return 0x5;
	asked = slots == NULL;
#endif
	*count = 0;
	return 0;
}

static ulong_t not_supported(void) { return 0x54; }

static struct {
	unsigned char version[2];
	void *at[68];
} list = {{2, 40}};

#ifdef FORWARDING
static ulong_t (*true_finalize)(void *);
static ulong_t (*true_slot_list)(unsigned char, ulong_t *, ulong_t *);
static ulong_t (*true_sign)(ulong_t, void *, ulong_t, void *, ulong_t *);

static int wrong(const char *what) {
	const char *asked = getenv("GO_WRONG");
	return asked != NULL && strcmp(asked, what) == 0;
}

static ulong_t forward_finalize(void *reserved) {
	while (wrong("ending"))
		pause();
	if (wrong("crashing"))
		abort();
	return true_finalize(reserved);
}

static ulong_t forward_sign(ulong_t session, void *data, ulong_t length, void *signature, ulong_t *size) {
	while (wrong("signing"))
		pause();
	return true_sign(session, data, length, signature, size);
}

static ulong_t forward_slot_list(unsigned char present, ulong_t *slots, ulong_t *count) {
	if (wrong("listing"))
		*(volatile int *) 8 = 1;
	return true_slot_list(present, slots, count);
}

ulong_t C_GetFunctionList(void *result) {
	void *module = dlopen(getenv("FORWARD_TO"), RTLD_NOW | RTLD_LOCAL);
	ulong_t (*ask)(void *) = module == NULL ? NULL : dlsym(module, "C_GetFunctionList");
	void *forwarded;
	if (ask == NULL || ask(&forwarded) != 0)
		return 0x6;
	memcpy(&list, forwarded, sizeof list);
	true_finalize = list.at[1];
	true_slot_list = list.at[4];
	true_sign = list.at[43];
	list.at[1] = forward_finalize;
	list.at[4] = forward_slot_list;
	list.at[43] = forward_sign;
	*(void **) result = &list;
	return 0;
}
#elif !defined NO_FUNCTION_LIST
ulong_t C_GetFunctionList(void *result) {
#ifdef BAD_FUNCTION_LIST
	return 0x6;
#endif
	for (int i = 0; i < 68; i++)
		list.at[i] = not_supported;
	list.at[0] = initialize;
	list.at[1] = finalize;
	list.at[4] = get_slot_list;
	*(void **) result = &list;
	return 0;
}
#endif
