// SPDX-License-Identifier: Apache-2.0

package timestamp

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"

	"github.com/pectoken/pectoken/sign/cms"
)

// Request is a TimeStampReq (RFC 3161, section 2.4.1).
type Request struct {
	Hash   crypto.Hash           // SHA-256, SHA-384 or SHA-512
	Digest []byte                // of what is to be stamped
	Policy asn1.ObjectIdentifier // under which to stamp; nil leaves it to the authority
	Nonce  *big.Int              // that the token must repeat; nil for none
}

// newNonce returns 64 random bits, the first of them set: some authorities drop
// zeros at the front.
func newNonce(random io.Reader) (*big.Int, error) {
	octets := make([]byte, 8)
	if _, err := io.ReadFull(random, octets); err != nil {
		return nil, fmt.Errorf("choosing nonce: %w", err)
	}
	octets[0] |= 0x80
	return new(big.Int).SetBytes(octets), nil
}

// canAsk tells whether authorities are asked for stamps over a digest of this kind
// (ETSI EN 319 422, clause 4.1.2).
func canAsk(h crypto.Hash) bool {
	return h == crypto.SHA256 || h == crypto.SHA384 || h == crypto.SHA512
}

// Encode returns the request in DER, with certReq set, so that the token carries
// the authority's certificate.
func (r *Request) Encode() ([]byte, error) {
	if !canAsk(r.Hash) {
		return nil, fmt.Errorf("encoding time-stamp request: %w: %v", ErrHash, r.Hash)
	}
	if len(r.Digest) != r.Hash.Size() {
		return nil, fmt.Errorf("encoding time-stamp request: a digest of %d octets, and %v has %d", len(r.Digest), r.Hash, r.Hash.Size())
	}
	algorithm, err := asn1.Marshal(cms.DigestIdentifier(r.Hash))
	if err != nil {
		return nil, fmt.Errorf("encoding time-stamp request: %w", err)
	}
	null := []byte{0x05, 0x00} // as openssl and most clients write it
	parts := [][]byte{
		{0x02, 0x01, 0x01}, // version 1
		element(0x30, element(0x30, algorithm, null), element(0x04, r.Digest)),
	}
	if r.Policy != nil {
		policy, err := asn1.Marshal(r.Policy)
		if err != nil {
			return nil, fmt.Errorf("encoding time-stamp request: policy %v: %w", r.Policy, err)
		}
		parts = append(parts, policy)
	}
	if r.Nonce != nil {
		nonce, err := asn1.Marshal(r.Nonce)
		if err != nil {
			return nil, fmt.Errorf("encoding time-stamp request: %w", err)
		}
		parts = append(parts, nonce)
	}
	parts = append(parts, []byte{0x01, 0x01, 0xff}) // certReq TRUE
	return element(0x30, parts...), nil
}

// AnswerError says that a token is not the answer to the request: somebody
// else's, an old one, or one that was forged.
type AnswerError struct {
	Field     string // of the TSTInfo: "nonce", "messageImprint" or "policy"
	Got, Want string
}

// Error implements error.
func (e *AnswerError) Error() string {
	return fmt.Sprintf("the token does not answer the request: its %s is %s, and %s was asked for", e.Field, e.Got, e.Want)
}

// Answers compares a token with the request (RFC 3161, section 2.4.2). It gives
// an [*AnswerError] for one that answers another; it doesn't check the signature.
func (r *Request) Answers(t *Token) error {
	i := t.Info
	switch {
	case i.Hash != r.Hash || !bytes.Equal(i.Imprint, r.Digest):
		return &AnswerError{"messageImprint", fmt.Sprintf("%v %x", i.HashAlgorithm, i.Imprint), fmt.Sprintf("%v %x", cms.DigestIdentifier(r.Hash), r.Digest)}
	case r.Nonce != nil && i.Nonce == nil:
		return &AnswerError{"nonce", "missing", r.Nonce.String()}
	case r.Nonce != nil && i.Nonce.Cmp(r.Nonce) != 0:
		return &AnswerError{"nonce", i.Nonce.String(), r.Nonce.String()}
	case r.Policy != nil && !i.Policy.Equal(r.Policy):
		return &AnswerError{"policy", i.Policy.String(), r.Policy.String()}
	}
	return nil
}
