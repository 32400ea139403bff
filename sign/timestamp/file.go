// SPDX-License-Identifier: Apache-2.0

package timestamp

import (
	"bufio"
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"

	"github.com/pectoken/pectoken/sign/cms"
)

// recognizeSize is how much of a file is looked at to tell what it is.
const recognizeSize = 4096

// Recognize tells which kind of file with time stamps r begins like. It reads a few
// kilobytes at the most. CMS SignedData that is no token is [Unknown].
func Recognize(r io.Reader) Format {
	head, err := io.ReadAll(io.LimitReader(r, recognizeSize))
	if err != nil {
		return Unknown
	}
	return recognize(head)
}

func recognize(head []byte) Format {
	plain, _, err := cms.Unarmor(bytes.NewReader(head))
	if err != nil {
		return Unknown
	}
	octets, _ := io.ReadAll(plain) // base64 is cut, and gives what could be decoded
	switch {
	case len(octets) > 0 && octets[0] == tagSequence:
		return recognizeDER(octets)
	case looksMIME(head):
		return M7M
	}
	return Unknown
}

// recognizeDER looks at the first fields of a SEQUENCE that is cut.
func recognizeDER(octets []byte) Format {
	d := cms.NewDecoder(bytes.NewReader(octets))
	if d.Enter(tagSequence) != nil {
		return Unknown
	}
	id, _, err := d.Next()
	switch {
	case err != nil:
		return Unknown
	case id == tagSequence: // PKIStatusInfo
		status, err := d.Element()
		r := &Response{}
		if err == nil && r.readStatus(status) == nil {
			return TSR
		}
		return Unknown
	}
	raw, err := d.Element()
	if err != nil {
		return Unknown
	}
	var kind asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(raw, &kind); err != nil {
		return Unknown
	}
	switch {
	case kind.Equal(oidTimestampedData):
		return TSD
	case isToken(d):
		return TST
	}
	return Unknown
}

// isToken looks for the content type of a SignedData: SignedData ::= SEQUENCE {
// version, digestAlgorithms, encapContentInfo SEQUENCE { eContentType, … }, … }.
func isToken(d *cms.Decoder) bool {
	if d.Enter(tagContext0) != nil || d.Enter(tagSequence) != nil {
		return false
	}
	for range 2 {
		if _, err := d.Element(); err != nil {
			return false
		}
	}
	if d.Enter(tagSequence) != nil {
		return false
	}
	raw, err := d.Element()
	if err != nil {
		return false
	}
	var kind asn1.ObjectIdentifier
	_, err = asn1.Unmarshal(raw, &kind)
	return err == nil && kind.Equal(oidTSTInfo)
}

// maxTokenFile is the most octets of a .tsr or .tst.
const maxTokenFile = 32 << 20

// ReadToken reads a .tsr or a .tst, in DER, PEM or base64, and says which it is. A
// response without a token gives a [*StatusError], other input the errors of
// [ParseResponse] and [Parse].
func ReadToken(r io.Reader) (*Token, Format, error) {
	plain, _, err := cms.Unarmor(bufio.NewReader(r))
	if err != nil {
		return nil, Unknown, err
	}
	octets, err := io.ReadAll(io.LimitReader(plain, maxTokenFile+1))
	switch {
	case err != nil:
		return nil, Unknown, fmt.Errorf("reading time-stamp token: %w", err)
	case len(octets) > maxTokenFile:
		return nil, Unknown, &FormatError{"time-stamp token", errTooLong}
	case len(octets) == 0 || octets[0] != tagSequence:
		return nil, Unknown, ErrNotToken
	}
	t, err := Parse(octets)
	if !errors.Is(err, ErrNotToken) {
		return t, TST, err
	}
	response, err := ParseResponse(octets)
	if err != nil {
		return nil, Unknown, notToken(octets, err)
	}
	return response.Token, TSR, response.Err()
}

// notToken tells a damaged response from something else.
func notToken(octets []byte, err error) error {
	if recognizeDER(octets[:min(len(octets), recognizeSize)]) == TSR {
		return err
	}
	return ErrNotToken
}
