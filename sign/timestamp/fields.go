// SPDX-License-Identifier: Apache-2.0

package timestamp

import (
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"unicode/utf8"
)

// FormatError says that octets are not what they should be: not DER, cut short,
// with something missing or left over.
type FormatError struct {
	What string // the structure being read, by its name in the standard
	Err  error
}

// Error implements error.
func (e *FormatError) Error() string { return fmt.Sprintf("reading %s: %v", e.What, e.Err) }

// Unwrap returns the cause.
func (e *FormatError) Unwrap() error { return e.Err }

func malformed(what string, err error) error {
	var known *FormatError
	if err == nil || errors.As(err, &known) {
		return err
	}
	return &FormatError{what, err}
}

// fields hands out the elements of a SEQUENCE in their order, in strict DER.
type fields struct{ rest []byte }

// sequence returns the fields of an element that must be a SEQUENCE and all
// there is.
func sequence(der []byte) (*fields, error) {
	return constructed(der, asn1.ClassUniversal, asn1.TagSequence)
}

func constructed(der []byte, class, tag int) (*fields, error) {
	var v asn1.RawValue
	rest, err := asn1.Unmarshal(der, &v)
	switch {
	case err != nil:
		return nil, err
	case len(rest) > 0:
		return nil, fmt.Errorf("%d octets after the element", len(rest))
	case v.Class != class || v.Tag != tag || !v.IsCompound:
		return nil, fmt.Errorf("found class %d, tag %d, where class %d, tag %d was expected", v.Class, v.Tag, class, tag)
	}
	return &fields{v.Bytes}, nil
}

// element returns the next element, whatever it is.
func (f *fields) element() (asn1.RawValue, error) {
	var v asn1.RawValue
	if len(f.rest) == 0 {
		return v, errors.New("a field is missing")
	}
	rest, err := asn1.Unmarshal(f.rest, &v)
	if err == nil {
		f.rest = rest
	}
	return v, err
}

// take decodes the next element, which must be there.
func (f *fields) take(into any) error {
	v, err := f.element()
	if err != nil {
		return err
	}
	_, err = asn1.Unmarshal(v.FullBytes, into)
	return err
}

// next tells whether an element with this class and tag stands next.
func (f *fields) next(class, tag int) bool {
	var v asn1.RawValue
	_, err := asn1.Unmarshal(f.rest, &v)
	return err == nil && v.Class == class && v.Tag == tag
}

// optional decodes the next element if it has this universal tag.
func (f *fields) optional(tag int, into any) error {
	if !f.next(asn1.ClassUniversal, tag) {
		return nil
	}
	return f.take(into)
}

// text decodes the next element if it is a string of this tag in UTF-8 or ASCII.
func (f *fields) text(tag int, into *string) error {
	if !f.next(asn1.ClassUniversal, tag) {
		return nil
	}
	v, err := f.element()
	if err != nil {
		return err
	}
	if v.IsCompound || !utf8.Valid(v.Bytes) {
		return errors.New("a string that is none")
	}
	*into = string(v.Bytes)
	return nil
}

// end makes sure that nothing is left.
func (f *fields) end() error {
	if len(f.rest) > 0 {
		return errors.New("an unexpected field at the end")
	}
	return nil
}

// integer decodes the next element as an INTEGER of at most so many bits, and
// not negative.
func (f *fields) integer(bits int) (*big.Int, error) {
	var n *big.Int
	if err := f.take(&n); err != nil {
		return nil, err
	}
	if n.Sign() < 0 || n.BitLen() > bits {
		return nil, fmt.Errorf("a number of %d bits, or negative, where at most %d bits were expected", n.BitLen(), bits)
	}
	return n, nil
}
