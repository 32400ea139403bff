// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"fmt"
	"maps"
)

// readSecurity reads the encryption dictionary and tries the password. What
// cannot be opened stays closed: the facts that need no decryption can be read.
func (d *Document) readSecurity(password string) error {
	if !d.Encrypted() {
		return nil
	}
	d.security = &security{closed: &EncryptedError{Doing: "opening PDF"}}
	e, err := as[*dict](d, d.newest().encryption)
	if err != nil {
		return hard(err)
	}
	if e == nil {
		return nil
	}
	filters, err := as[*dict](d, e.get("CF"))
	if err != nil {
		return hard(err)
	}
	if why := d.security.readMethods(e, filters); why != "" {
		d.security.closed = &EncryptedError{Doing: "opening PDF", Why: why}
		return nil
	}
	s, why := d.readStandard(e)
	if why != "" {
		d.security.closed = &EncryptedError{Doing: "opening PDF", Why: why}
		return nil
	}
	return d.security.unlock(s, password)
}

// unlock tries the password, and none when that fails: files that only restrict
// what may be done with them open without. A password that was given and is
// wrong is an error all the same.
func (s *security) unlock(handler *standard, password string) error {
	s.key, s.owner = handler.open(password)
	if s.key == nil {
		s.closed = &PasswordError{Given: password != ""}
		if password != "" {
			return s.closed
		}
		return nil
	}
	s.closed, s.permissions = nil, handler.allowed(s.key)
	return nil
}

// readMethods reads how strings and streams are encrypted, ISO 32000-2, table
// 20; the answer says what is not supported.
func (s *security) readMethods(e, filters *dict) (why string) {
	if filter, _ := e.get("Filter").(name); filter != "Standard" {
		return fmt.Sprintf("with the security handler %q, and only passwords are supported", clip([]byte(filter)))
	}
	version, _ := e.integer("V")
	switch version {
	case 1, 2:
		s.strings, s.streams = methodRC4, methodRC4
		return ""
	case 4, 5:
		return s.readFilters(e, filters, version)
	}
	return fmt.Sprintf("with algorithm %d, which is not supported", version)
}

// cryptMethods names the methods of crypt filters, ISO 32000-2, table 25.
var cryptMethods = map[name]method{"": methodNone, "None": methodNone, "V2": methodRC4, "AESV2": methodAES128, "AESV3": methodAES256}

// readFilters reads the crypt filters, ISO 32000-2, 7.6.6.
func (s *security) readFilters(e, filters *dict, version int64) (why string) {
	s.filters = map[name]method{}
	for _, entry := range filters.all() {
		filter, _ := entry.value.(*dict)
		kind, _ := filter.get("CFM").(name)
		m, ok := cryptMethods[kind]
		if !ok || m != methodNone && (m == methodAES256) != (version == 5) {
			return fmt.Sprintf("with the method %q, which is not supported", clip([]byte(kind)))
		}
		s.filters[entry.key] = m
	}
	s.filters["Identity"] = methodNone
	for key, into := range map[name]*method{"StmF": &s.streams, "StrF": &s.strings} {
		n, _ := e.get(key).(name)
		m, ok := s.filters[n]
		if n != "" && !ok {
			return fmt.Sprintf("with the crypt filter %q, which it does not define", clip([]byte(n)))
		}
		*into = m
	}
	return ""
}

// readStandard reads what the standard security handler needs, ISO 32000-2,
// table 21. Values may be references, but never into an object stream.
func (d *Document) readStandard(e *dict) (s *standard, why string) {
	const broken = "and its encryption dictionary is damaged"
	s = &standard{encryptMetadata: true, keyLen: keyLen(e), id: d.fileID()}
	var numbers [2]int64
	for i, key := range []name{"R", "P"} {
		n, err := as[int64](d, e.get(key))
		if err != nil {
			return nil, broken
		}
		numbers[i] = n
	}
	s.revision, s.permissions = numbers[0], int32(numbers[1])
	if b, ok := e.get("EncryptMetadata").(bool); ok {
		s.encryptMetadata = b
	}
	if version, _ := e.integer("V"); s.revision < 2 || s.revision > 6 || (s.revision >= 5) != (version == 5) {
		return nil, fmt.Sprintf("with revision %d of the standard security handler, which is not supported", s.revision)
	}
	for key, want := range s.values() {
		t, err := as[*text](d, e.get(key))
		if err != nil || t == nil || len(t.bytes) < want.length {
			return nil, broken
		}
		*want.into = t.bytes[:want.length]
	}
	return s, ""
}

// wanted is a string of the encryption dictionary.
type wanted struct {
	into   *[]byte
	length int
}

// values are the strings that a revision needs. Some writers pad them.
func (s *standard) values() map[name]wanted {
	if s.revision < 5 {
		return map[name]wanted{"O": {&s.o, shortHash}, "U": {&s.u, shortHash}}
	}
	all := map[name]wanted{"O": {&s.o, longHash}, "U": {&s.u, longHash}}
	maps.Copy(all, map[name]wanted{"OE": {&s.oe, 32}, "UE": {&s.ue, 32}, "Perms": {&s.perms, permsLen}})
	return all
}

// keyLen is the length of the file encryption key in bytes.
func keyLen(e *dict) int {
	version, _ := e.integer("V")
	bits, ok := e.integer("Length")
	switch {
	case version == 5:
		return 32
	case version == 4:
		return 16
	case version == 2 && ok && bits%8 == 0 && bits >= 40 && bits <= 128:
		return int(bits / 8)
	}
	return 5
}

// fileID returns the first part of /ID of the newest trailer, as it stands.
func (d *Document) fileID() []byte {
	ids, err := as[*array](d, d.newest().id)
	if err != nil || ids == nil || len(ids.items) == 0 {
		return nil
	}
	t, _ := ids.items[0].(*text)
	if t == nil {
		return nil
	}
	return bytes.Clone(t.bytes)
}
