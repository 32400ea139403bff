// SPDX-License-Identifier: Apache-2.0

// Command bare-go makes the calls of "bare MODULE tokens" (see bare.c) from Go: what
// a Go program needs at the least to list tokens.
//
// The module must export its functions by name, as SoftHSM does.
package main

/*
#cgo LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>

enum { OS_LOCKING = 2, MOST_SLOTS = 64 };
typedef struct { void *create, *destroy, *lock, *unlock; unsigned long flags; void *reserved; } initargs;

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
*/
import "C"

import (
	"fmt"
	"os"
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
	if rv := C.tokens(library); rv != 0 {
		fmt.Fprintf(os.Stderr, "0x%x\n", uint64(rv))
		os.Exit(1)
	}
}
