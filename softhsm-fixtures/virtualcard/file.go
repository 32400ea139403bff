// SPDX-License-Identifier: Apache-2.0

package virtualcard

import (
	"encoding/binary"
	"strings"
)

// A path is the identifiers of the folders (DF) from below the root on, and of
// the file (EF) at the end, two bytes each. The root is empty.
type path string

const rootIdentifier = "\x3F\x00"

// The files of a CNS.
const (
	pathCardNumber    path = "\x10\x00\x10\x03" // EF_IDCarta
	pathCertificate   path = "\x11\x00\x11\x01" // C_Carta
	pathPersonalData  path = "\x11\x00\x11\x02" // EF_DatiPersonali
	pathSignatureCert path = "\x14\x00\x90\x10"
	pathSignatureKey  path = "\x14\x00\x81\x10" // the folder of the signature key and its PIN
)

// file is a file or, without content, a folder.
type file struct {
	folder  bool
	content []byte
}

// tree is a file system. Every folder is in it.
type tree map[path]*file

// add adds a file and the folders above it.
func (t tree) add(name path, f *file) {
	t[name] = f
	for ; name != ""; name = name.parent() {
		if above := name.parent(); t[above] == nil {
			t[above] = &file{folder: true}
		}
	}
}

func (p path) parent() path { return p[:max(0, len(p)-2)] }

// find looks a path up that starts at the root or below it.
func (t tree) find(bytes []byte) (path, bool) {
	name := path(strings.TrimPrefix(string(bytes), rootIdentifier))
	return name, t[name] != nil
}

// findIdentifier looks for one identifier in the folder of the file current, as
// SELECT by file identifier does: the root, a file in that folder, the folder
// itself.
func (t tree) findIdentifier(current path, identifier []byte) (path, bool) {
	if len(identifier) == 0 || string(identifier) == rootIdentifier {
		return "", len(t) > 0
	}
	folder := current
	if f := t[current]; f != nil && !f.folder {
		folder = current.parent()
	}
	for _, name := range []path{folder + path(identifier), folder.parent() + path(identifier)} {
		if t[name] != nil {
			return name, true
		}
	}
	return "", false
}

// control is the control information of a file (ISO 7816-4, section 5.3.3),
// with the nine access bytes of the CNS specification: whoever asks may read,
// and nobody may do anything else.
func (t tree) control(name path) []byte {
	f := t[name]
	kind := byte(0x01)
	if f.folder {
		kind = 0x38
	}
	identifier := rootIdentifier
	if name != "" {
		identifier = string(name[len(name)-2:])
	}
	fields := binary.BigEndian.AppendUint16([]byte{0x80, 2}, uint16(len(f.content)))
	fields = append(fields, 0x82, 1, kind, 0x83, 2, identifier[0], identifier[1])
	fields = append(fields, 0x86, 9, 0x00, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF)
	return append([]byte{0x6F, byte(len(fields))}, fields...)
}

// read is READ BINARY from offset.
func (f *file) read(offset, le int) ([]byte, status) {
	if offset > len(f.content) || offset == len(f.content) && le > 0 && offset > 0 {
		return nil, statusWrongOffset
	}
	rest := f.content[offset:]
	if le > len(rest) {
		return rest, statusEndOfFile
	}
	return rest[:le], statusOK
}
