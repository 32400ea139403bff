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
struct attribute {
	ulong_t kind;
	void *value;
	ulong_t length;
};
#ifdef _WIN32
#pragma pack(pop)
#endif
enum { INIT_PIN = 10, SET_PIN = 11, LOGIN = 18, GET_ATTRIBUTE_VALUE = 24, DECRYPT = 34, SIGN = 43, MOST_ATTRIBUTES = 8 };

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

// call_attributes calls C_GetAttributeValue for n attributes at once. Each has each bytes
// of room; lengths comes back as the module left it.
static ulong_t call_attributes(struct functions *f, ulong_t session, ulong_t object, ulong_t n, ulong_t *kinds, ulong_t *lengths, byte_t *room, ulong_t each) {
	ulong_t (*get)(ulong_t, ulong_t, struct attribute *, ulong_t) = (void *) f->at[GET_ATTRIBUTE_VALUE];
	struct attribute template[MOST_ATTRIBUTES];
	if (get == NULL)
		return 0x54;
	if (n > MOST_ATTRIBUTES)
		return 0x7;
	for (ulong_t i = 0; i < n; i++) {
		template[i].kind = kinds[i];
		template[i].value = each == 0 ? NULL : room + i * each;
		template[i].length = each;
	}
	ulong_t rv = get(session, object, template, n);
	for (ulong_t i = 0; i < n; i++)
		lengths[i] = template[i].length;
	return rv;
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
	"slices"
	"unsafe"

	"github.com/pectoken/pectoken/token/internal/cryptoki"
)

// functions is the function list of a module. The calls that carry a PIN are made
// through it, because the binding would leave a copy of the PIN in freed memory, and
// so are C_Sign and C_Decrypt, because the binding calls each twice: once to ask
// for the length, which makes some modules forget the login just done for the key;
// and C_GetAttributeValue, because the binding asks twice, too, trusts the length that
// the module tells, and returns nothing when one attribute of several is missing.
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

// maxOutput bounds what a module may ask room for, in bytes.
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

// attributeRoom is what an attribute has at first, in bytes, enough for a certificate;
// maxAttribute bounds what a module may ask for.
const (
	attributeRoom = 4 << 10
	maxAttribute  = 1 << 20
)

// Attributes is C_GetAttributeValue.
func (f functions) Attributes(session, object uint, kinds ...uint) ([][]byte, error) {
	values, err := f.attributes(session, object, kinds, attributeRoom)
	if len(kinds) > 1 || err != cryptoki.RV(cryptoki.CKR_BUFFER_TOO_SMALL) {
		return values, err
	}
	size, err := f.attributeSize(session, object, kinds[0])
	if err != nil {
		return nil, err
	}
	return f.attributes(session, object, kinds, size)
}

func (f functions) attributes(session, object uint, kinds []uint, each int) ([][]byte, error) {
	room := make([]byte, len(kinds)*each)
	p, _ := lend(room)
	lengths, err := f.getAttributeValue(session, object, kinds, p, each)
	if err != nil {
		return nil, err
	}
	values := make([][]byte, len(kinds))
	for i, length := range lengths {
		switch {
		case length == ^C.ulong_t(0): // CK_UNAVAILABLE_INFORMATION
			return nil, cryptoki.RV(cryptoki.CKR_ATTRIBUTE_TYPE_INVALID)
		case length > C.ulong_t(each):
			return nil, cryptoki.RV(cryptoki.CKR_BUFFER_TOO_SMALL)
		}
		values[i] = slices.Clone(room[i*each:][:length])
	}
	return values, nil
}

// attributeSize asks how long an attribute is.
func (f functions) attributeSize(session, object, kind uint) (int, error) {
	lengths, err := f.getAttributeValue(session, object, []uint{kind}, nil, 0)
	if err == nil && lengths[0] > maxAttribute {
		err = cryptoki.RV(cryptoki.CKR_BUFFER_TOO_SMALL)
	}
	if err != nil {
		return 0, err
	}
	return int(lengths[0]), nil
}

func (f functions) getAttributeValue(session, object uint, kinds []uint, room *C.byte_t, each int) ([]C.ulong_t, error) {
	asked, lengths := make([]C.ulong_t, len(kinds)), make([]C.ulong_t, len(kinds))
	for i, kind := range kinds {
		asked[i] = C.ulong_t(kind)
	}
	rv := C.call_attributes(f.list, C.ulong_t(session), C.ulong_t(object), C.ulong_t(len(kinds)), unsafe.SliceData(asked), unsafe.SliceData(lengths), room, C.ulong_t(each))
	return lengths, returned(rv)
}
