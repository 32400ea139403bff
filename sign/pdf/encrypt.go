// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/md5"
	"crypto/rand"
	"fmt"
	"io"
)

// security is the encryption of a document, ISO 32000-2, 7.6. What stands in an
// object stream, a cross-reference stream or a trailer and the /Contents of
// signatures is not encrypted by itself.
type security struct {
	key         []byte
	owner       bool  // opened with the owner password
	permissions int32 // what others may do, ISO 32000-2, table 22
	strings     method
	streams     method
	filters     map[name]method // of /CF
	// closed says why nothing can be decrypted, nil when it can.
	closed error
}

// method is a way to encrypt, ISO 32000-2, table 25.
type method int

const (
	methodNone method = iota // not encrypted
	methodRC4
	methodAES128
	methodAES256
)

// objectKey makes the key of one object, algorithm 1; AES-256 has one key for
// all, algorithm 1.A.
func (s *security) objectKey(m method, r ref) []byte {
	if m == methodAES256 {
		return s.key
	}
	h := md5.New()
	h.Write(s.key)
	h.Write([]byte{byte(r.num), byte(r.num >> 8), byte(r.num >> 16), byte(r.gen), byte(r.gen >> 8)})
	if m == methodAES128 {
		h.Write([]byte("sAlT"))
	}
	return h.Sum(nil)[:min(len(s.key)+5, md5.Size)]
}

// decrypt decrypts a string or the data of a stream of object r.
func (s *security) decrypt(m method, r ref, data []byte) ([]byte, error) {
	switch m {
	case methodNone:
		return data, nil
	case methodRC4:
		return rc4ed(s.objectKey(m, r), data), nil
	}
	if len(data) == 0 {
		return nil, nil
	}
	if len(data)%aes.BlockSize != 0 {
		return nil, damaged(0, "object %d: %d bytes encrypted with AES, which come in sixteens", r.num, len(data))
	}
	block, err := aes.NewCipher(s.objectKey(m, r))
	if err != nil {
		return nil, err
	}
	iv, data := data[:aes.BlockSize], data[aes.BlockSize:]
	out := make([]byte, len(data))
	cipher.NewCBCDecrypter(block, iv).CryptBlocks(out, data)
	return unpadded(out), nil
}

// unpadded cuts the padding off. Where it is wrong the data stay whole, as with
// other readers.
func unpadded(data []byte) []byte {
	if len(data) == 0 {
		return data
	}
	n := int(data[len(data)-1])
	if n < 1 || n > aes.BlockSize {
		return data
	}
	return data[:len(data)-n]
}

// encrypt encrypts a string or the data of a stream of object r.
func (s *security) encrypt(random io.Reader, m method, r ref, data []byte) ([]byte, error) {
	switch m {
	case methodNone:
		return data, nil
	case methodRC4:
		return rc4ed(s.objectKey(m, r), data), nil
	}
	block, err := aes.NewCipher(s.objectKey(m, r))
	if err != nil {
		return nil, err
	}
	pad := aes.BlockSize - len(data)%aes.BlockSize
	out := make([]byte, aes.BlockSize+len(data)+pad)
	if _, err := io.ReadFull(random, out[:aes.BlockSize]); err != nil {
		return nil, fmt.Errorf("encrypting: %w", err)
	}
	body := out[aes.BlockSize:]
	copy(body, data)
	for i := len(data); i < len(body); i++ {
		body[i] = byte(pad)
	}
	cipher.NewCBCEncrypter(block, out[:aes.BlockSize]).CryptBlocks(body, body)
	return out, nil
}

// The permissions that matter to signing, ISO 32000-2, table 22.
const (
	permitModify   = 1 << 3 // bit 4
	permitAnnotate = 1 << 5 // bit 6: annotations and forms; with bit 4 new fields
	permitFill     = 1 << 8 // bit 9: existing fields, the signature's included
)

// permitsSigning asks the permissions that go with the user password.
func (s *security) permitsSigning(newField bool) error {
	p := s.permissions
	switch {
	case s.owner:
	case newField && p&(permitModify|permitAnnotate) != permitModify|permitAnnotate:
		return &PermissionError{"the encryption of the document forbids new form fields; the owner password permits them"}
	case !newField && p&(permitAnnotate|permitFill) == 0:
		return &PermissionError{"the encryption of the document forbids to fill in and to sign; the owner password permits it"}
	}
	return nil
}

// locked says why the strings and streams of an encrypted document cannot be
// read; nil when they can.
func (d *Document) locked() error {
	switch {
	case !d.Encrypted():
		return nil
	case d.security == nil: // only an earlier revision is encrypted
		return &EncryptedError{Doing: "reading PDF", Why: "in a revision before the last"}
	}
	return d.security.closed
}

// plaintext returns the bytes of a string, decrypted.
func (d *Document) plaintext(t *text) ([]byte, error) {
	if t.in == nil || !d.Encrypted() {
		return t.bytes, nil
	}
	if err := d.locked(); err != nil {
		return nil, err
	}
	return d.security.decrypt(d.security.strings, *t.in, t.bytes)
}

// seal notes how to open the strings of an object for comparing them: with AES
// who writes an object again stores its strings as other bytes than before. The
// encryption dictionary is what its bytes are.
func (f *file) seal(o *indirect) {
	s := f.security
	if s == nil || s.closed != nil || s.strings != methodAES128 && s.strings != methodAES256 || f.sections[0].encryption == o.ref {
		return
	}
	s.seal(o.value)
}

// seal leaves out signature dictionaries, whose /Contents is not encrypted.
func (s *security) seal(o object) {
	switch o := o.(type) {
	case *text:
		o.seal = s
	case *array:
		for _, item := range o.items {
			s.seal(item)
		}
	case *dict:
		if o.find("ByteRange") != nil {
			return
		}
		for _, e := range o.entries {
			s.seal(e.value)
		}
	}
}

// opened returns the words of a string that is encrypted with AES. Its padding
// must be right to the last byte, so that all readers see the same.
func (t *text) opened() (words []byte, ok bool) {
	switch {
	case t.seal == nil || t.in == nil || len(t.bytes)%aes.BlockSize != 0 || len(t.bytes) == aes.BlockSize:
		return nil, false
	case len(t.bytes) == 0:
		return nil, true
	}
	words, err := t.seal.decrypt(t.seal.strings, *t.in, t.bytes)
	if err != nil {
		return nil, false
	}
	padding := words[len(words):cap(words)]
	return words, len(padding) > 0 && len(bytes.Trim(padding, string(rune(len(padding))))) == 0
}

// plainString returns the text string that o is or refers to; "" for anything
// else.
func (d *Document) plainString(o object) (string, error) {
	t, err := as[*text](d, o)
	if err != nil || t == nil {
		return "", err
	}
	b, err := d.plaintext(t)
	return decodeText(b), err
}

// openStream returns what decrypts the data of stream r.
func (d *Document) openStream(r ref, head *dict) (func([]byte) ([]byte, error), error) {
	if !d.Encrypted() {
		return nil, nil
	}
	if err := d.locked(); err != nil {
		return nil, err
	}
	m, err := d.streamMethod(head)
	return func(data []byte) ([]byte, error) { return d.security.decrypt(m, r, data) }, err
}

// streamMethod is that of the document unless the stream names another with a
// filter Crypt, ISO 32000-2, 7.4.10.
func (d *Document) streamMethod(head *dict) (method, error) {
	filters, err := oneOrMany(head.get("Filter"), d.resolve)
	if err != nil || len(filters) == 0 || filters[0] != name("Crypt") {
		return d.security.streams, err
	}
	parms, err := oneOrMany(head.get("DecodeParms"), d.resolve)
	if err != nil || len(parms) == 0 {
		return methodNone, err
	}
	p, _ := parms[0].(*dict)
	n, _ := p.get("Name").(name)
	return d.security.filters[n], nil // Identity, like any name unknown, is none
}

// cipherText is what an update needs to encrypt.
type cipherText struct {
	*security
	random io.Reader
}

// cipherText returns how an update of d encrypts, nil for not at all.
func (d *Document) cipherText(random io.Reader) *cipherText {
	if !d.Encrypted() {
		return nil
	}
	if random == nil {
		random = rand.Reader
	}
	return &cipherText{d.security, random}
}

// stringIn writes a string of object r.
func (c *cipherText) stringIn(r ref, s []byte) ([]byte, error) {
	if c == nil || c.strings == methodNone {
		return literal(string(s)), nil
	}
	sealed, err := c.encrypt(c.random, c.strings, r, s)
	return fmt.Appendf(nil, "<%X>", sealed), err
}

// stream encrypts the data of stream r.
func (c *cipherText) stream(r ref, data []byte) ([]byte, error) {
	if c == nil {
		return data, nil
	}
	return c.encrypt(c.random, c.streams, r, data)
}
