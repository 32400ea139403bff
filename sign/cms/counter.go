// SPDX-License-Identifier: Apache-2.0

package cms

import (
	"errors"
	"fmt"
	"slices"
)

// CounterSignatures returns the counter-signatures of s (RFC 5652, section
// 11.4): signatures over its signature value, in the order of the file. Each
// can have counter-signatures of its own. One that can't be parsed, or with more
// than 64 levels of them, is returned with its Err set.
func (s *SignerInfo) CounterSignatures() []*SignerInfo { return s.counters }

func (s *SignerInfo) parseCounters(b *budget, depth int) {
	for _, a := range s.UnsignedAttributes {
		if !a.Type.Equal(oidCounterSignature) {
			continue
		}
		for _, v := range a.Values {
			if b.exhausted() != nil {
				return
			}
			s.counters = append(s.counters, parseSignerInfo(v, b, depth))
		}
	}
}

func (s *SignerInfo) countersigned() bool {
	return slices.ContainsFunc(s.UnsignedAttributes, func(a Attribute) bool { return a.Type.Equal(oidCounterSignature) })
}

// counterSign returns the SignerInfo s with one more counter-signature in its
// unsigned attributes. All its other octets stay as they are.
func (p *plan) counterSign(s *SignerInfo) ([]byte, error) {
	if s.Err != nil {
		return nil, fmt.Errorf("counter-signing: %w", s.Err)
	}
	info, err := p.signerInfo(nil, digestOf(p.Hash, s.Signature))
	if err != nil {
		return nil, err
	}
	return addUnsigned(s.Raw, attribute(oidCounterSignature, info))
}

// addUnsigned appends an attribute to the unsigned attributes of a SignerInfo.
func addUnsigned(signerInfo, attribute []byte) ([]byte, error) {
	seq, err := single(signerInfo, tagSequence)
	if err != nil {
		return nil, err
	}
	fields, err := seq.children(8)
	if err != nil {
		return nil, err
	}
	if len(fields) == 0 {
		return nil, errors.New("empty SignerInfo")
	}
	var parts [][]byte
	unsigned := attribute
	for _, f := range fields {
		if f.id == tagContext1 {
			unsigned = append(append([]byte{}, f.body...), attribute...)
			continue
		}
		parts = append(parts, f.raw)
	}
	return sequence(append(parts, appendElement(nil, tagContext1, unsigned))...), nil
}
