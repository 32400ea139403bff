// SPDX-License-Identifier: Apache-2.0

package timestamp

import (
	"encoding/asn1"
	"errors"
	"fmt"
	"strings"

	"github.com/pectoken/pectoken/sign/cms"
)

// Status is a PKIStatus (RFC 3161, section 2.4.2).
type Status int

// The statuses. GrantedWithMods is a success like Granted: the token differs from
// what was asked for in a way that its reader checks.
const (
	Granted Status = iota
	GrantedWithMods
	Rejection
	Waiting
	RevocationWarning
	RevocationNotification
)

// String returns the name that RFC 3161 gives the status.
func (s Status) String() string {
	names := [...]string{"granted", "grantedWithMods", "rejection", "waiting", "revocationWarning", "revocationNotification"}
	if s < 0 || int(s) >= len(names) {
		return fmt.Sprintf("status %d", int(s))
	}
	return names[s]
}

// Response is a TimeStampResp (RFC 3161, section 2.4.2), the content of a .tsr.
// Nothing but the token in it is signed.
type Response struct {
	Status  Status
	Text    []string       // statusString: the authority's words
	Failure asn1.BitString // failInfo; empty when there is none
	Token   *Token         // present exactly when the status is a success
}

// StatusError is the answer of an authority that gave no token.
type StatusError struct {
	Status  Status
	Text    []string
	Failure []string // the names of RFC 3161 for what failed
}

// Error implements error.
func (e *StatusError) Error() string {
	text := "the authority answers " + e.Status.String()
	if len(e.Failure) > 0 {
		text += " (" + strings.Join(e.Failure, ", ") + ")"
	}
	if len(e.Text) > 0 {
		text += fmt.Sprintf(": %q", strings.Join(e.Text, "; "))
	}
	return text
}

// Err returns nil for a success, else a [*StatusError].
func (r *Response) Err() error {
	if r.Token != nil {
		return nil
	}
	return &StatusError{r.Status, r.Text, failures(r.Failure)}
}

// failureNames are the bits of PKIFailureInfo.
var failureNames = []struct {
	bit  int
	name string
}{
	{0, "badAlg"}, {2, "badRequest"}, {5, "badDataFormat"}, {14, "timeNotAvailable"}, {15, "unacceptedPolicy"},
	{16, "unacceptedExtension"}, {17, "addInfoNotAvailable"}, {25, "systemFailure"},
}

func failures(bits asn1.BitString) []string {
	var names []string
	for _, f := range failureNames {
		if bits.At(f.bit) != 0 {
			names = append(names, f.name)
		}
	}
	return names
}

// ParseResponse reads a TimeStampResp in DER, with nothing after it. It gives a
// [*FormatError] for what is none, and the errors of [Parse] for its token.
func ParseResponse(der []byte) (*Response, error) {
	f, err := sequence(der)
	if err != nil {
		return nil, malformed("TimeStampResp", err)
	}
	r := &Response{}
	info, err := f.element()
	if err == nil {
		err = r.readStatus(info.FullBytes)
	}
	if err != nil {
		return nil, malformed("PKIStatusInfo", err)
	}
	if len(f.rest) > 0 {
		if r.Token, err = Parse(f.rest); err != nil {
			return nil, err
		}
	}
	if success := r.Status == Granted || r.Status == GrantedWithMods; success != (r.Token != nil) {
		return nil, malformed("TimeStampResp", fmt.Errorf("the status is %v, and a token is there: %v", r.Status, r.Token != nil))
	}
	return r, nil
}

// maxTexts is how many lines an authority may say.
const maxTexts = 20

// readStatus reads PKIStatusInfo ::= SEQUENCE { status INTEGER, statusString
// SEQUENCE OF UTF8String OPTIONAL, failInfo BIT STRING OPTIONAL }.
func (r *Response) readStatus(der []byte) error {
	f, err := sequence(der)
	if err != nil {
		return err
	}
	if err := f.take((*int)(&r.Status)); err != nil {
		return err
	}
	if f.next(asn1.ClassUniversal, asn1.TagSequence) {
		if err := r.readText(f); err != nil {
			return err
		}
	}
	if err := f.optional(asn1.TagBitString, &r.Failure); err != nil {
		return err
	}
	return f.end()
}

func (r *Response) readText(f *fields) error {
	v, err := f.element()
	if err != nil {
		return err
	}
	lines, err := sequence(v.FullBytes)
	if err != nil {
		return err
	}
	for len(lines.rest) > 0 {
		line, err := lines.element()
		if err != nil {
			return err
		}
		if len(r.Text) == maxTexts {
			return errors.New("too many lines of text")
		}
		r.Text = append(r.Text, strings.ToValidUTF8(string(line.Bytes[:min(len(line.Bytes), 1000)]), "?"))
	}
	return nil
}

// EncodeResponse returns the token in a TimeStampResp with status granted, as a
// .tsr holds it.
func EncodeResponse(t *Token) []byte {
	granted := []byte{0x30, 0x03, 0x02, 0x01, 0x00} // PKIStatusInfo { status granted }
	return element(0x30, granted, t.Raw)
}

// element encodes an element with these contents.
func element(id byte, parts ...[]byte) []byte {
	size := 0
	for _, part := range parts {
		size += len(part)
	}
	der := cms.AppendHeader(nil, id, int64(size))
	for _, part := range parts {
		der = append(der, part...)
	}
	return der
}
