// SPDX-License-Identifier: Apache-2.0

package cns

import (
	"bytes"
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"strings"
)

// CommonName is the common name of a CNS certificate taken apart. By AgID's
// profile it is
//
//	RSSMRA80A01H501U/6090000000000001.b6sR+ohoFtM3/f3NaH5B7i8sv3E=
//
// the codice fiscale, the number of the card, and in base64 the SHA-1 hash of
// the card's EF_DatiPersonali.
type CommonName struct {
	CodiceFiscale string // checked, in capitals
	CardID        string // what stands between the first slash and the first dot behind it
	Hash          string // all that follows; it may hold slashes
}

// ParseCommonName takes the common name of a CNS certificate apart. Only the
// codice fiscale and the slash behind it must be there: certificates that merely
// look like a CNS certificate leave out the rest. [CommonName.Conforms] says
// whether the name is whole.
func ParseCommonName(cn string) (CommonName, error) {
	before, after, ok := strings.Cut(cn, "/")
	if !ok {
		return CommonName{}, fmt.Errorf("parsing common name %.80q: no slash behind a codice fiscale", cn)
	}
	code, err := ParseCodiceFiscale(before)
	switch {
	case err != nil:
		return CommonName{}, fmt.Errorf("parsing common name %.80q: %w", cn, err)
	case code.Provisional:
		return CommonName{}, fmt.Errorf("parsing common name %.80q: the codice fiscale of no person", cn)
	}
	n := CommonName{CodiceFiscale: code.Code}
	n.CardID, n.Hash, _ = strings.Cut(after, ".")
	return n, nil
}

// Conforms says whether the name is what the profile prescribes: a card number
// of sixteen digits or capital letters, and a hash of twenty bytes.
func (n CommonName) Conforms() bool {
	return n.CodiceFiscale != "" && isCardID(n.CardID) && n.digest() != nil
}

// digest returns the hash, nil if it is not the base64 of a SHA-1 hash.
func (n CommonName) digest() []byte {
	digest, err := base64.StdEncoding.Strict().DecodeString(n.Hash)
	if err != nil || len(digest) != sha1.Size || strings.ContainsAny(n.Hash, "\r\n") {
		return nil
	}
	return digest
}

// HashInput is the part of EF_DatiPersonali that the hash in a common name was
// taken of. No public text says which it is, so all are tried.
type HashInput uint8

// Parts of EF_DatiPersonali.
const (
	HashInputNone HashInput = iota // none of them, or there was nothing to compare
	HashOfFile                     // the file of 400 bytes, padding included
	HashOfContent                  // the length and the fields
	HashOfFields                   // the fields alone
)

// String returns the word of the JSON form: none, file, content or fields.
func (h HashInput) String() string {
	words := [...]string{"none", "file", "content", "fields"}
	if int(h) >= len(words) {
		return words[HashInputNone]
	}
	return words[h]
}

// MarshalText returns what String does.
func (h HashInput) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// MatchHash says of which part of EF_DatiPersonali the hash in the common name
// is. The file may be given without its padding. That none matches does not
// show that the data was changed: issuers may have hashed something else.
func (n CommonName) MatchHash(personalData []byte) HashInput {
	want := n.digest()
	if want == nil || len(personalData) == 0 {
		return HashInputNone
	}
	for i, part := range hashInputs(personalData) {
		// SHA-1 is what the profile of the CNS prescribes.
		if got := sha1.Sum(part); bytes.Equal(got[:], want) {
			return HashOfFile + HashInput(i)
		}
	}
	return HashInputNone
}

// hashInputs returns the parts in the order of their names. All but the first
// need the file's length to be right.
func hashInputs(file []byte) [][]byte {
	parts := [][]byte{file}
	if missing := personalDataSize - len(file); missing > 0 {
		parts[0] = append(bytes.Clone(file), make([]byte, missing)...)
	}
	if length, ok := hexNumber(file, lengthSize); ok && length <= len(file)-lengthSize {
		end := lengthSize + length
		parts = append(parts, file[:end], file[lengthSize:end])
	}
	return parts
}
