// SPDX-License-Identifier: Apache-2.0

package timestamp

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"

	"github.com/pectoken/pectoken/sign/cms"
)

// oidTSTInfo is id-ct-TSTInfo (RFC 3161, section 2.4.2).
var oidTSTInfo = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 4}

// ErrNotToken is returned for octets that are no time-stamp token at all, as
// opposed to a damaged one.
var ErrNotToken = errors.New("not a time-stamp token (RFC 3161)")

// Token is a TimeStampToken (RFC 3161, section 2.4.2): CMS SignedData whose
// content is a TSTInfo. What it says is unproven until [Token.Check] was asked.
type Token struct {
	Raw        []byte // the ContentInfo, as found
	Info       *Info
	SignedData *cms.SignedData
}

// maxInfo is the most octets of a TSTInfo; a few hundred are usual.
const maxInfo = 64 << 10

// Parse reads a TimeStampToken in DER or BER, with nothing after it. Octets that
// are something else give [ErrNotToken], a malformed token a [*FormatError] or a
// [*cms.FormatError].
//
// Parse checks no signature: ask [Token.Check].
func Parse(raw []byte) (*Token, error) {
	if len(raw) == 0 || raw[0] != 0x30 { // cms.Read takes text as well
		return nil, ErrNotToken
	}
	sd, info, err := read(raw, nil)
	if err != nil {
		return nil, err
	}
	t := &Token{Raw: raw, SignedData: sd}
	if t.Info, err = parseInfo(info); err != nil {
		return nil, malformed("TSTInfo", err)
	}
	return t, nil
}

// read reads the SignedData of a token and its content.
func read(raw []byte, certificates []*x509.Certificate) (*cms.SignedData, []byte, error) {
	content := &bounded{most: maxInfo}
	sd, err := cms.Read(bytes.NewReader(raw), cms.ReadOptions{Content: content, Certificates: certificates})
	switch {
	case errors.Is(err, cms.ErrNotSignedData):
		return nil, nil, ErrNotToken
	case errors.Is(err, errTooLong):
		return nil, nil, &FormatError{"TSTInfo", errTooLong}
	case err != nil:
		return nil, nil, fmt.Errorf("reading time-stamp token: %w", err)
	case !sd.ContentType.Equal(oidTSTInfo):
		return nil, nil, fmt.Errorf("%w: its content has type %v", ErrNotToken, sd.ContentType)
	case sd.Trailing > 0:
		return nil, nil, &FormatError{"time-stamp token", fmt.Errorf("%d octets after it", sd.Trailing)}
	case !sd.Attached:
		return nil, nil, &FormatError{"time-stamp token", errors.New("it has no content")}
	}
	if missing := sd.MissingHashes(); len(missing) > 0 {
		sd, err = cms.Read(bytes.NewReader(raw), cms.ReadOptions{Hashes: missing, Certificates: certificates})
	}
	return sd, content.octets, err
}

// bounded keeps what is written to it, up to a limit.
type bounded struct {
	octets []byte
	most   int
}

var errTooLong = errors.New("it is too long")

// Write implements [io.Writer].
func (b *bounded) Write(p []byte) (int, error) {
	if len(b.octets)+len(p) > b.most {
		return 0, errTooLong
	}
	b.octets = append(b.octets, p...)
	return len(p), nil
}

// CoversDigest tells whether the token stamps what has this digest, computed with
// the hash that [Info.Hash] names. It says nothing on whether the token is genuine.
func (t *Token) CoversDigest(digest []byte) bool {
	return t.Info.Hash != 0 && len(digest) == t.Info.Hash.Size() && bytes.Equal(t.Info.Imprint, digest)
}

// Covers reads content to its end and tells whether the token stamps it. It says
// nothing on whether the token is genuine. A digest that isn't known here is an
// error that wraps [ErrHash].
func (t *Token) Covers(content io.Reader) (bool, error) {
	if t.Info.Hash == 0 {
		return false, fmt.Errorf("%w: %v", ErrHash, t.Info.HashAlgorithm)
	}
	digest := t.Info.Hash.New()
	if _, err := io.Copy(digest, content); err != nil {
		return false, fmt.Errorf("reading content: %w", err)
	}
	return t.CoversDigest(digest.Sum(nil)), nil
}

// ErrHash is wrapped by errors about a digest algorithm that this package doesn't
// know, or doesn't ask authorities for.
var ErrHash = errors.New("digest algorithm not supported")

func digestOf(h crypto.Hash, parts ...[]byte) []byte {
	d := h.New()
	for _, part := range parts {
		d.Write(part)
	}
	return d.Sum(nil)
}
