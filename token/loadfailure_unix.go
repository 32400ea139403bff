// SPDX-License-Identifier: Apache-2.0

//go:build cgo && !windows

package token

/*
#cgo linux LDFLAGS: -ldl
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

// load_failure returns what dlopen has against a library, to be freed, or NULL
// if it has nothing. Both calls stand in one function because the message of
// dlerror belongs to the thread.
static char *load_failure(const char *path) {
	void *library = dlopen(path, RTLD_LAZY);
	if (library == NULL) {
		const char *reason = dlerror();
		return strdup(reason ? reason : "no reason given");
	}
	dlclose(library);
	return NULL;
}
*/
import "C"

import "unsafe"

// loadFailure finds out why the binding, which gives no reason, did not load a
// library.
func loadFailure(path string) string {
	p := C.CString(path)
	defer C.free(unsafe.Pointer(p))
	reason := C.load_failure(p)
	if reason == nil {
		return "not a PKCS#11 module: it has no function C_GetFunctionList"
	}
	defer C.free(unsafe.Pointer(reason))
	return "the system does not load it: " + C.GoString(reason)
}
