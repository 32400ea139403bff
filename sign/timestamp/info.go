// SPDX-License-Identifier: Apache-2.0

package timestamp

import (
	"crypto"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"regexp"
	"sync"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
)

// Info is a TSTInfo: what a time-stamp authority states (RFC 3161, section
// 2.4.2).
type Info struct {
	Policy        asn1.ObjectIdentifier // the authority's rules
	Hash          crypto.Hash           // of the imprint; zero for one that isn't known here
	HashAlgorithm asn1.ObjectIdentifier
	Imprint       []byte // the digest of what is stamped
	SerialNumber  *big.Int
	Time          time.Time      // genTime, in UTC, with the fraction that was stated
	Accuracy      *time.Duration // how far Time may be off, either way; nil when nothing is stated
	Ordering      bool           // tokens of the authority can be ordered by Time alone
	Nonce         *big.Int       // nil when there is none
	TSA           []byte         // the GeneralName of the authority, raw; nil when there is none
	Extensions    []pkix.Extension
}

// Bounds of numbers in a TSTInfo: far above any that is met.
const (
	serialBits = 320 // RFC 3161 asks for 160
	nonceBits  = 1024
)

// parseInfo reads a TSTInfo in DER.
func parseInfo(der []byte) (*Info, error) {
	f, err := sequence(der)
	if err != nil {
		return nil, err
	}
	i := &Info{}
	for _, step := range []struct {
		name string
		read func(*fields) error
	}{
		{"version", readVersion}, {"policy", i.readPolicy}, {"messageImprint", i.readImprint},
		{"serialNumber", i.readSerial}, {"genTime", i.readTime}, {"accuracy", i.readAccuracy},
		{"ordering", i.readOrdering}, {"nonce", i.readNonce}, {"tsa", i.readTSA},
		{"extensions", i.readExtensions}, {"end", (*fields).end},
	} {
		if err := step.read(f); err != nil {
			return nil, fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return i, nil
}

// readVersion reads a version, of which there is only one.
func readVersion(f *fields) error {
	var version int
	if err := f.take(&version); err != nil {
		return err
	}
	if version != 1 {
		return fmt.Errorf("version %d, and only 1 is known", version)
	}
	return nil
}

func (i *Info) readPolicy(f *fields) error { return f.take(&i.Policy) }

func (i *Info) readImprint(f *fields) error {
	v, err := f.element()
	if err != nil {
		return err
	}
	imprint, err := sequence(v.FullBytes)
	if err != nil {
		return err
	}
	var algorithm pkix.AlgorithmIdentifier
	if err := imprint.take(&algorithm); err != nil {
		return err
	}
	if err := imprint.take(&i.Imprint); err != nil {
		return err
	}
	i.HashAlgorithm, i.Hash = algorithm.Algorithm, cms.DigestAlgorithm(algorithm.Algorithm)
	if i.Hash != 0 && len(i.Imprint) != i.Hash.Size() {
		return fmt.Errorf("%d octets, and %v has %d", len(i.Imprint), i.Hash, i.Hash.Size())
	}
	return imprint.end()
}

func (i *Info) readSerial(f *fields) (err error) {
	i.SerialNumber, err = f.integer(serialBits)
	return err
}

// genTime is the form that RFC 3161 gives it: UTC, with seconds. Zeros at the
// end of the fraction, which it forbids, are met and let pass.
var genTime = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[0-9]{14}(\.[0-9]{1,20})?Z$`) })

func (i *Info) readTime(f *fields) error {
	v, err := f.element()
	if err != nil {
		return err
	}
	text := string(v.Bytes)
	if v.Class != asn1.ClassUniversal || v.Tag != asn1.TagGeneralizedTime || v.IsCompound || !genTime().MatchString(text) {
		return errors.New("it is no GeneralizedTime in UTC with seconds")
	}
	i.Time, err = time.Parse("20060102150405Z", text) // Parse takes a fraction that the layout hasn't
	return err
}

// readAccuracy reads Accuracy ::= SEQUENCE { seconds INTEGER OPTIONAL, millis
// [0] INTEGER (1..999) OPTIONAL, micros [1] INTEGER (1..999) OPTIONAL }.
func (i *Info) readAccuracy(f *fields) error {
	if !f.next(asn1.ClassUniversal, asn1.TagSequence) {
		return nil
	}
	v, err := f.element()
	if err != nil {
		return err
	}
	parts, err := sequence(v.FullBytes)
	if err != nil {
		return err
	}
	var seconds, millis, micros int64
	if err := parts.optional(asn1.TagInteger, &seconds); err != nil {
		return err
	}
	for tag, into := range []*int64{&millis, &micros} {
		if err := parts.fraction(tag, into); err != nil {
			return err
		}
	}
	if seconds < 0 || seconds > 1<<31 {
		return fmt.Errorf("%d seconds", seconds)
	}
	accuracy := time.Duration(seconds)*time.Second + time.Duration(millis)*time.Millisecond + time.Duration(micros)*time.Microsecond
	i.Accuracy = &accuracy
	return parts.end()
}

// fraction reads a [tag] INTEGER between 0 and 999. RFC 3161 has it begin at 1;
// zeros are met.
func (f *fields) fraction(tag int, into *int64) error {
	if !f.next(asn1.ClassContextSpecific, tag) {
		return nil
	}
	v, err := f.element()
	if err != nil {
		return err
	}
	if _, err := asn1.UnmarshalWithParams(v.FullBytes, into, fmt.Sprintf("tag:%d", tag)); err != nil {
		return err
	}
	if *into < 0 || *into > 999 {
		return fmt.Errorf("%d thousandths", *into)
	}
	return nil
}

func (i *Info) readOrdering(f *fields) error { return f.optional(asn1.TagBoolean, &i.Ordering) }

func (i *Info) readNonce(f *fields) (err error) {
	if f.next(asn1.ClassUniversal, asn1.TagInteger) {
		i.Nonce, err = f.signed(nonceBits)
	}
	return err
}

// signed reads an INTEGER of at most so many bits: some clients send nonces that
// read as negative.
func (f *fields) signed(bits int) (*big.Int, error) {
	var n *big.Int
	if err := f.take(&n); err != nil {
		return nil, err
	}
	if n.BitLen() > bits {
		return nil, fmt.Errorf("a number of %d bits", n.BitLen())
	}
	return n, nil
}

// readTSA reads tsa [0] EXPLICIT GeneralName: the tag is explicit, because
// GeneralName is a CHOICE.
func (i *Info) readTSA(f *fields) error {
	if !f.next(asn1.ClassContextSpecific, 0) {
		return nil
	}
	v, err := f.element()
	if err != nil {
		return err
	}
	if !v.IsCompound {
		return errors.New("it holds no name")
	}
	inside := &fields{v.Bytes}
	name, err := inside.element()
	if err != nil {
		return err
	}
	i.TSA = name.FullBytes
	return inside.end()
}

func (i *Info) readExtensions(f *fields) error {
	if !f.next(asn1.ClassContextSpecific, 1) {
		return nil
	}
	v, err := f.element()
	if err != nil {
		return err
	}
	list, err := constructed(v.FullBytes, asn1.ClassContextSpecific, 1)
	if err != nil {
		return err
	}
	for len(list.rest) > 0 {
		if len(i.Extensions) == maxExtensions {
			return fmt.Errorf("more than %d", maxExtensions)
		}
		var e pkix.Extension
		if err := list.take(&e); err != nil {
			return err
		}
		i.Extensions = append(i.Extensions, e)
	}
	return nil
}

const maxExtensions = 100
