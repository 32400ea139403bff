// SPDX-License-Identifier: Apache-2.0

// Command bare-go makes the calls of bare.c from Go: what a Go program needs at the
// least to list tokens and to sign. Its arguments are the same.
//
// The module must export its functions by name, as SoftHSM does.
package main

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

enum { OS_LOCKING = 2, SERIAL = 4, USER = 1, PRIVATE_KEY = 3, CLASS = 0, RSA_PKCS = 1, MOST_SLOTS = 64, SIZE = 256 };
typedef unsigned long ulong_t;
typedef struct { void *create, *destroy, *lock, *unlock; unsigned long flags; void *reserved; } initargs;
typedef struct { ulong_t kind; void *value; ulong_t length; } attribute;
typedef struct { ulong_t kind; void *value; ulong_t length; } mechanism;

// digestInfo is that of a SHA-256 digest of zeros.
static unsigned char digestInfo[51] = {
	0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};

static ulong_t (*sign_init)(ulong_t, mechanism *, ulong_t);
static ulong_t (*sign_final)(ulong_t, unsigned char *, ulong_t, unsigned char *, ulong_t *);

// tokens returns the first error, or zero.
static unsigned long tokens(void *library) {
	unsigned long (*initialize)(initargs *) = dlsym(library, "C_Initialize");
	unsigned long (*list)(unsigned char, unsigned long *, unsigned long *) = dlsym(library, "C_GetSlotList");
	unsigned long (*info)(unsigned long, unsigned char *) = dlsym(library, "C_GetTokenInfo");
	unsigned long (*finalize)(void *) = dlsym(library, "C_Finalize");
	initargs locking = {.flags = OS_LOCKING};
	unsigned long slots[MOST_SLOTS], n = MOST_SLOTS, rv = initialize(&locking);
	if (rv == 0)
		rv = list(1, slots, &n);
	for (unsigned long i = 0; rv == 0 && i < n; i++) {
		unsigned char text[1024];
		rv = info(slots[i], text);
	}
	return rv != 0 ? rv : finalize(NULL);
}

// login opens sessions with the first token and finds its first private key.
static ulong_t login(void *library, char *pin, ulong_t *sessions, int n, ulong_t *key) {
	ulong_t (*initialize)(initargs *) = dlsym(library, "C_Initialize");
	ulong_t (*list)(unsigned char, ulong_t *, ulong_t *) = dlsym(library, "C_GetSlotList");
	ulong_t (*open)(ulong_t, ulong_t, void *, void *, ulong_t *) = dlsym(library, "C_OpenSession");
	ulong_t (*login)(ulong_t, ulong_t, char *, ulong_t) = dlsym(library, "C_Login");
	ulong_t (*find_init)(ulong_t, attribute *, ulong_t) = dlsym(library, "C_FindObjectsInit");
	ulong_t (*find)(ulong_t, ulong_t *, ulong_t, ulong_t *) = dlsym(library, "C_FindObjects");
	ulong_t (*find_final)(ulong_t) = dlsym(library, "C_FindObjectsFinal");
	sign_init = dlsym(library, "C_SignInit");
	sign_final = dlsym(library, "C_Sign");
	initargs locking = {.flags = OS_LOCKING};
	ulong_t slots[MOST_SLOTS], slot_count = MOST_SLOTS, class = PRIVATE_KEY, found = 0, rv = initialize(&locking);
	attribute template = {CLASS, &class, sizeof class};
	if (rv == 0)
		rv = list(1, slots, &slot_count);
	for (int i = 0; rv == 0 && i < n; i++)
		rv = open(slots[0], SERIAL, NULL, NULL, &sessions[i]);
	if (rv == 0)
		rv = login(sessions[0], USER, pin, strlen(pin));
	if (rv == 0)
		rv = find_init(sessions[0], &template, 1);
	if (rv == 0)
		rv = find(sessions[0], key, 1, &found);
	return rv != 0 ? rv : find_final(sessions[0]);
}

static ulong_t prepare(ulong_t session, ulong_t key) {
	mechanism pkcs1 = {RSA_PKCS, NULL, 0};
	return sign_init(session, &pkcs1, key);
}

static ulong_t sign(ulong_t session) {
	unsigned char signature[SIZE];
	ulong_t length = sizeof signature;
	return sign_final(session, digestInfo, sizeof digestInfo, signature, &length);
}
*/
import "C"

import (
	"fmt"
	"os"
	"strconv"
	"sync"
	"time"
	"unsafe"
)

func main() {
	path := C.CString(os.Args[1])
	defer C.free(unsafe.Pointer(path))
	library := C.dlopen(path, C.RTLD_NOW)
	if library == nil {
		fmt.Fprintln(os.Stderr, C.GoString(C.dlerror()))
		os.Exit(1)
	}
	if len(os.Args) == 6 {
		sign(library, os.Args[3], number(os.Args[4]), number(os.Args[5]))
		return
	}
	must(C.tokens(library))
}

func must(rv C.ulong) {
	if rv != 0 {
		fmt.Fprintf(os.Stderr, "0x%x\n", uint64(rv))
		os.Exit(1)
	}
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	return n
}

// sign makes count signatures in goroutines with a session each, and prints the seconds.
func sign(library unsafe.Pointer, pin string, count, goroutines int) {
	secret := C.CString(pin)
	defer C.free(unsafe.Pointer(secret))
	sessions := make([]C.ulong, goroutines)
	var key C.ulong
	must(C.login(library, secret, &sessions[0], C.int(goroutines), &key))
	start := time.Now()
	var all sync.WaitGroup
	for i, session := range sessions {
		all.Go(func() {
			for ; i < count; i += goroutines {
				must(C.prepare(session, key))
				must(C.sign(session))
			}
		})
	}
	all.Wait()
	fmt.Printf("%.6f\n", time.Since(start).Seconds())
}
