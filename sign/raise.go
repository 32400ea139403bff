// SPDX-License-Identifier: Apache-2.0

package sign

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/timestamp"
)

// raising is a CAdES file on its way to a higher level. What is added is collected
// first, and written at the end: the content is never in memory.
type raising struct {
	Options
	sd    *cms.SignedData // as it is with what was collected
	added cms.Additions
}

// raise collects what the level needs, one level after the other.
func (r *raising) raise(ctx context.Context) error {
	steps := []func(context.Context) error{LevelT: r.stampSignatures, LevelLT: r.addValidationData, LevelLTA: r.stampArchives}
	for level := LevelT; level <= r.Level; level++ {
		if err := steps[level](ctx); err != nil {
			return r.fallShort(ctx, level-1, err)
		}
	}
	return nil
}

// nothing says whether nothing was added.
func (r *raising) nothing() bool {
	return len(r.added.Unsigned)+len(r.added.Certificates)+len(r.added.CRLs)+len(r.added.OCSP) == 0
}

// add adds to the file.
func (r *raising) add(a cms.Additions) error {
	sd, err := r.sd.With(a)
	if err != nil {
		return err
	}
	if r.added.Unsigned == nil {
		r.added.Unsigned = map[int][]cms.Attribute{}
	}
	for i, list := range a.Unsigned {
		r.added.Unsigned[i] = append(r.added.Unsigned[i], list...)
	}
	if len(sd.Certificates) > len(r.sd.Certificates) {
		r.added.Certificates = append(r.added.Certificates, a.Certificates...)
	}
	if len(sd.CRLs) > len(r.sd.CRLs) {
		r.added.CRLs, r.added.OCSP = append(r.added.CRLs, a.CRLs...), append(r.added.OCSP, a.OCSP...)
	}
	r.sd = sd
	return nil
}

// addStamp adds a timestamp to a signer.
func (r *raising) addStamp(signer int, kind cms.TimestampKind, token []byte) error {
	attribute, err := cms.TimestampAttribute(kind, token)
	if err != nil {
		return err
	}
	return r.add(cms.Additions{Unsigned: map[int][]cms.Attribute{signer: {attribute}}})
}

// stampSignatures gives each signature that has none a timestamp (signature-time-stamp,
// ETSI EN 319 122-1, clause 5.3). Equal values, as of a signature that stands in a file
// many times, share one: each costs money. When one can't be had those before it are kept.
func (r *raising) stampSignatures(ctx context.Context) error {
	stamps, had := map[int][]cms.Attribute{}, map[string]cms.Attribute{}
	var failed error
	for i, s := range r.sd.Signers {
		if len(signatureStamps(s)) > 0 {
			continue
		}
		stamp, ok := had[string(s.Signature)]
		if !ok {
			if stamp, failed = r.stampValue(ctx, s.Signature); failed != nil {
				break
			}
			had[string(s.Signature)] = stamp
		}
		stamps[i] = []cms.Attribute{stamp}
	}
	if len(stamps) == 0 {
		return failed
	}
	if err := r.add(cms.Additions{Unsigned: stamps}); err != nil {
		return err
	}
	return failed
}

// stampValue asks for a timestamp of a signature value.
func (o Options) stampValue(ctx context.Context, value []byte) (cms.Attribute, error) {
	digests := timestamp.Digests{}
	for _, h := range o.Stamper.Hashes() {
		digests[h] = digestOf(h, value)
	}
	token, err := o.stamp(ctx, digests)
	if err != nil {
		return cms.Attribute{}, err
	}
	return cms.TimestampAttribute(cms.SignatureTimestamp, token.Raw)
}

// stamp asks for a timestamp and makes sure that it is of what was asked for.
func (o Options) stamp(ctx context.Context, digests timestamp.Digests) (*timestamp.Token, error) {
	token, err := o.Stamper.Stamp(ctx, digests)
	if err != nil {
		return nil, err
	}
	if !token.CoversDigest(digests[token.Info.Hash]) {
		return nil, errors.New("the time stamp is of something else")
	}
	return token, nil
}

// signatureStamps returns the good timestamps of a signature value.
func signatureStamps(s *cms.SignerInfo) []*timestamp.Token {
	return stampsOf(s, cms.SignatureTimestamp, func(t *timestamp.Token) bool {
		return t.Info.Hash != 0 && t.CoversDigest(digestOf(t.Info.Hash, s.Signature))
	})
}

// stampsOf returns the timestamps of a kind that are intact and fit, the oldest first.
func stampsOf(s *cms.SignerInfo, kind cms.TimestampKind, fits func(*timestamp.Token) bool) (list []*timestamp.Token) {
	for _, found := range s.Timestamps() {
		if found.Kind != kind {
			continue
		}
		t, err := timestamp.Parse(found.Token)
		if err == nil && fits(t) && t.Check().Err() == nil {
			list = append(list, t)
		}
	}
	slices.SortStableFunc(list, func(a, b *timestamp.Token) int { return a.Info.Time.Compare(b.Info.Time) })
	return list
}

// archiveStamps returns the intact archive timestamps of a signer.
func (r *raising) archiveStamps(s *cms.SignerInfo) []*timestamp.Token {
	return stampsOf(s, cms.ArchiveTimestamp, func(t *timestamp.Token) bool {
		archive, err := r.sd.Archive(s, t.Raw)
		if err != nil {
			return false
		}
		digest, err := r.sd.ArchiveDigest(s, archive.Index, t.Info.Hash)
		return err == nil && t.CoversDigest(digest)
	})
}

// subject is a certificate that validation data is needed of.
type subject struct {
	certificate *x509.Certificate
	at          time.Time // zero: now
	whose       string
}

// addValidationData adds what proves that certificates were good (ETSI EN 319 122-1,
// clause 5.4): those of signers and of the timestamps of their signatures. What an
// archive timestamp covers is there to stay; what is needed then is about itself.
func (r *raising) addValidationData(ctx context.Context) error {
	others := certificatesOf(r.sd)
	for i, s := range r.sd.Signers {
		subjects, err := r.subjects(i, s)
		if err != nil {
			return err
		}
		for _, q := range subjects {
			data, err := r.ValidationData.ValidationData(ctx, q.certificate, others, q.at)
			if err != nil {
				return fmt.Errorf("%s: %w", q.whose, err)
			}
			if err := r.add(cms.Additions{Certificates: data.Certificates, CRLs: data.CRLs, OCSP: data.OCSP}); err != nil {
				return err
			}
		}
	}
	return nil
}

// unstamped returns the certificates of the signatures without a timestamp.
func (r *raising) unstamped() (list []subject) {
	for i, s := range r.sd.Signers {
		if c := r.sd.Check(s).Certificate; c != nil && len(signatureStamps(s)) == 0 {
			list = append(list, subject{certificate: c, whose: fmt.Sprintf("the certificate of signature %d", i+1)})
		}
	}
	return list
}

// subjects returns the certificates to prove good for a signer.
func (r *raising) subjects(i int, s *cms.SignerInfo) ([]subject, error) {
	var list []subject
	stamps := r.archiveStamps(s)
	if len(stamps) == 0 {
		c := r.sd.Check(s).Certificate
		if c == nil {
			return nil, fmt.Errorf("the certificate of signature %d is not there", i+1)
		}
		stamps = signatureStamps(s)
		if len(stamps) == 0 {
			return nil, fmt.Errorf("signature %d has no time stamp", i+1)
		}
		list = append(list, subject{c, stamps[0].Info.Time, fmt.Sprintf("the certificate of signature %d", i+1)})
	} else {
		stamps = stamps[len(stamps)-1:] // it covers those before it
	}
	for _, t := range stamps {
		if check := t.Check(certificatesOf(r.sd)...); check.Signature != nil && check.Signature.Certificate != nil {
			list = append(list, subject{certificate: check.Signature.Certificate, whose: fmt.Sprintf("the certificate of a time stamp of signature %d", i+1)})
		}
	}
	return list, nil
}

// certificatesOf returns the certificates in a SignedData and in its timestamps, as far
// as they can be read.
func certificatesOf(sd *cms.SignedData) (list []*x509.Certificate) {
	bag := slices.Clone(sd.Certificates)
	for _, s := range sd.Signers {
		bag = append(bag, s.CertificateValues()...)
		for _, found := range s.Timestamps() {
			if t, err := timestamp.Parse(found.Token); err == nil {
				bag = append(bag, t.SignedData.Certificates...)
			}
		}
	}
	for _, c := range bag {
		if x, err := c.X509(); err == nil {
			list = append(list, x)
		}
	}
	return list
}

// stampArchives puts a timestamp of everything to each signer (archive-time-stamp-v3,
// ETSI EN 319 122-1, clause 5.5.3). The index of what it covers is made with the digest
// that it is of.
func (r *raising) stampArchives(ctx context.Context) error {
	for i := range r.sd.Signers {
		s := r.sd.Signers[i]
		digests, indexes := timestamp.Digests{}, map[crypto.Hash]cms.Attribute{}
		for _, h := range r.Stamper.Hashes() {
			var err error
			if indexes[h], err = r.sd.HashIndex(s, h); err != nil {
				return err
			}
			if digests[h], err = r.sd.ArchiveDigest(s, indexes[h], h); err != nil {
				return err
			}
		}
		token, err := r.stamp(ctx, digests)
		if err != nil {
			return err
		}
		var indexed bytes.Buffer
		file := cms.Amended{Source: bytes.NewReader(token.Raw), Size: int64(len(token.Raw))}
		index := cms.Additions{Unsigned: map[int][]cms.Attribute{0: {indexes[token.Info.Hash]}}}
		if err := cms.Extend(&indexed, file, index); err != nil {
			return err
		}
		if err := r.addStamp(i, cms.ArchiveTimestamp, indexed.Bytes()); err != nil {
			return err
		}
	}
	return nil
}

func digestOf(h crypto.Hash, b []byte) []byte {
	w := h.New()
	w.Write(b)
	return w.Sum(nil)
}

// archiveHashes returns the digests of the content that archive timestamps are of.
func archiveHashes(sd *cms.SignedData) (list []crypto.Hash) {
	for _, s := range sd.Signers {
		for _, found := range s.Timestamps() {
			if t, err := timestamp.Parse(found.Token); err == nil && found.Kind == cms.ArchiveTimestamp && t.Info.Hash != 0 {
				list = append(list, t.Info.Hash)
			}
		}
	}
	return list
}
