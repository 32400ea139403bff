// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package token

/*
#cgo linux LDFLAGS: -ldl
#include <stdlib.h>
#include <string.h>

// CK_FUNCTION_LIST of pkcs11f.h, without the types: a version and 68 pointers in
// the order of the standard. On Windows PKCS#11 packs its structures.
#ifdef _WIN32
#include <stdio.h>
#include <windows.h>
#pragma pack(push, 1)
#else
#include <dlfcn.h>
#endif
typedef unsigned long ulong_t;
typedef unsigned char byte_t;
typedef void (*function_t)(void);
struct functions {
	byte_t version[2];
	function_t at[68];
};
#ifdef _WIN32
#pragma pack(pop)
#endif
enum { INIT_PIN = 10, SET_PIN = 11, LOGIN = 18, DECRYPT = 34, SIGN = 43 };

// open_functions returns the function list of a library, or NULL and a reason,
// which is to be freed: the system's, or NULL if the library is loaded and not
// what it should be.
static struct functions *open_functions(const char *path, char **reason, ulong_t *rv) {
	struct functions *list = NULL;
	ulong_t (*get)(struct functions **);
	*reason = NULL;
#ifdef _WIN32
	char text[64];
	HMODULE library = LoadLibraryA(path);
	if (library == NULL) {
		_snprintf(text, sizeof text, "Windows error %lu", GetLastError());
		*reason = _strdup(text);
		return NULL;
	}
	get = (ulong_t (*)(struct functions **)) GetProcAddress(library, "C_GetFunctionList");
#else
	void *library = dlopen(path, RTLD_LAZY);
	if (library == NULL) {
		const char *said = dlerror();
		*reason = strdup(said ? said : "no reason given");
		return NULL;
	}
	get = (ulong_t (*)(struct functions **)) dlsym(library, "C_GetFunctionList");
#endif
	if (get == NULL)
		return NULL;
	*rv = get(&list);
	return list;
}

static ulong_t call_login(struct functions *f, ulong_t session, ulong_t user, byte_t *pin, ulong_t length) {
	ulong_t (*login)(ulong_t, ulong_t, byte_t *, ulong_t) = (void *) f->at[LOGIN];
	return login == NULL ? 0x54 : login(session, user, pin, length);
}

static ulong_t call_init_pin(struct functions *f, ulong_t session, byte_t *pin, ulong_t length) {
	ulong_t (*init)(ulong_t, byte_t *, ulong_t) = (void *) f->at[INIT_PIN];
	return init == NULL ? 0x54 : init(session, pin, length);
}

static ulong_t call_set_pin(struct functions *f, ulong_t session, byte_t *old, ulong_t old_length, byte_t *fresh, ulong_t fresh_length) {
	ulong_t (*set)(ulong_t, byte_t *, ulong_t, byte_t *, ulong_t) = (void *) f->at[SET_PIN];
	return set == NULL ? 0x54 : set(session, old, old_length, fresh, fresh_length);
}

// call_crypt calls C_Sign or C_Decrypt, which have the same parameters.
static ulong_t call_crypt(struct functions *f, int which, ulong_t session, byte_t *in, ulong_t length, byte_t *out, ulong_t *room) {
	ulong_t (*crypt)(ulong_t, byte_t *, ulong_t, byte_t *, ulong_t *) = (void *) f->at[which];
	return crypt == NULL ? 0x54 : crypt(session, in, length, out, room);
}
*/
import "C"

import (
	"fmt"
	"unsafe"

	"github.com/pectoken/pectoken/token/internal/cryptoki"
)

// functions is the function list of a module. The calls that carry a PIN are made
// through it, because the binding would leave a copy of the PIN in freed memory, and
// so are C_Sign and C_Decrypt, because the binding calls each twice: once to ask
// for the length, which makes some modules forget the login just done for the key.
type functions struct{ list *C.struct_functions }

// openFunctions loads a library, or says in words why that fails.
func openFunctions(path string) (functions, error) {
	p := C.CString(path)
	defer C.free(unsafe.Pointer(p))
	var reason *C.char
	var rv C.ulong_t
	list := C.open_functions(p, &reason, &rv)
	defer C.free(unsafe.Pointer(reason))
	switch {
	case reason != nil:
		return functions{}, &ModuleError{Path: path, Reason: "the system does not load it: " + C.GoString(reason)}
	case rv != 0:
		return functions{}, &ModuleError{Path: path, Reason: fmt.Sprintf("C_GetFunctionList fails: %v", Code(rv)), Err: Code(rv)}
	case list == nil:
		return functions{}, &ModuleError{Path: path, Reason: "not a PKCS#11 module: it has no function C_GetFunctionList"}
	}
	return functions{list}, nil
}

// lend gives C the bytes themselves, for the time of one call.
func lend(b []byte) (*C.byte_t, C.ulong_t) {
	if len(b) == 0 {
		return nil, 0
	}
	return (*C.byte_t)(unsafe.SliceData(b)), C.ulong_t(len(b))
}

func returned(rv C.ulong_t) error {
	if rv == 0 {
		return nil
	}
	return cryptoki.RV(rv)
}

// Login is C_Login.
func (f functions) Login(session, user uint, pin []byte) error {
	p, n := lend(pin)
	return returned(C.call_login(f.list, C.ulong_t(session), C.ulong_t(user), p, n))
}

// InitPIN is C_InitPIN.
func (f functions) InitPIN(session uint, pin []byte) error {
	p, n := lend(pin)
	return returned(C.call_init_pin(f.list, C.ulong_t(session), p, n))
}

// SetPIN is C_SetPIN.
func (f functions) SetPIN(session uint, old, fresh []byte) error {
	o, oldLength := lend(old)
	p, n := lend(fresh)
	return returned(C.call_set_pin(f.list, C.ulong_t(session), o, oldLength, p, n))
}

// Sign is C_Sign.
func (f functions) Sign(session uint, data []byte, size int) ([]byte, error) {
	return f.crypt(C.SIGN, session, data, size)
}

// Decrypt is C_Decrypt.
func (f functions) Decrypt(session uint, data []byte, size int) ([]byte, error) {
	return f.crypt(C.DECRYPT, session, data, size)
}

// maxOutput bounds what a module may ask room for.
const maxOutput = 1 << 16

func (f functions) crypt(which C.int, session uint, data []byte, size int) ([]byte, error) {
	in, n := lend(data)
	for {
		out := make([]byte, size)
		p, room := lend(out)
		rv := C.call_crypt(f.list, which, C.ulong_t(session), in, n, p, &room)
		if rv == cryptoki.CKR_BUFFER_TOO_SMALL && room > C.ulong_t(size) && room <= maxOutput {
			size = int(room)
			continue
		}
		if rv != 0 {
			return nil, cryptoki.RV(rv)
		}
		if room > C.ulong_t(size) {
			return nil, cryptoki.RV(cryptoki.CKR_BUFFER_TOO_SMALL)
		}
		return out[:room], nil
	}
}
