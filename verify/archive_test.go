// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify/report"
	"github.com/pectoken/pectoken/verify/revocation"
)

// hashIndex is an ats-hash-index-v3 taken apart (ETSI EN 319 122-1, clause 5.5.2).
type hashIndex struct {
	Algorithm                    asn1.RawValue
	Certificates, CRLs, Unsigned [][]byte
}

// indexOf is the index of all that is there, as edit changes it.
func indexOf(t *testing.T, file []byte, signer int, edit func(*hashIndex)) cms.Attribute {
	t.Helper()
	sd := parsed(t, file)
	attribute, err := sd.HashIndex(sd.Signers[signer], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	var index hashIndex
	if _, err := asn1.Unmarshal(attribute.Values[0], &index); err != nil {
		t.Fatal(err)
	}
	edit(&index)
	value, err := asn1.Marshal(index)
	if err != nil {
		t.Fatal(err)
	}
	edited, err := asn1.Marshal(struct {
		Type   asn1.ObjectIdentifier
		Values []asn1.RawValue `asn1:"set"`
	}{asn1.ObjectIdentifier(attribute.Type), []asn1.RawValue{{FullBytes: value}}})
	if err != nil {
		t.Fatal(err)
	}
	return cms.Attribute{Type: attribute.Type, Raw: edited, Values: [][]byte{value}}
}

// TestHashIndex: an archive time stamp proves what its index names, in whatever order and
// however often, and nothing else. The CA's certificate has ended when it is judged, so
// that all hangs on what is proven.
func TestHashIndex(t *testing.T) {
	const hour, day = time.Hour, 24 * time.Hour
	none := func(h *hashIndex) { h.Certificates, h.CRLs, h.Unsigned = nil, nil, nil }
	for name, c := range map[string]struct {
		edit  func(*hashIndex)
		level string
		want  want
	}{
		"as it should be": {func(*hashIndex) {}, "B-LTA", valid},
		"another order": {func(h *hashIndex) {
			slices.Reverse(h.Certificates)
			slices.Reverse(h.CRLs)
		}, "B-LTA", valid},
		"all twice": {func(h *hashIndex) {
			h.Certificates, h.CRLs, h.Unsigned = append(h.Certificates, h.Certificates...), append(h.CRLs, h.CRLs...), append(h.Unsigned, h.Unsigned...)
		}, "B-LTA", valid},
		"no revocation values":  {func(h *hashIndex) { h.CRLs = nil }, "B-LT", openFor(report.NoPOE)},
		"no unsigned attribute": {func(h *hashIndex) { h.Unsigned = nil }, "B-LTA", valid}, // the archive time stamp proves the signature itself
		"nothing":               {none, "B-LT", openFor(report.NoPOE)},
		"something not there":   {func(h *hashIndex) { h.CRLs = append(h.CRLs, make([]byte, 32)) }, "B-LT", openFor(report.NoPOE)},
		"SHA-1": {func(h *hashIndex) {
			none(h)
			h.Algorithm.FullBytes = []byte{0x30, 9, 6, 5, 0x2b, 0x0e, 3, 2, 0x1a, 5, 0}
		}, "B-LT", openFor(report.NoPOE)},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.stampBy(pki.Root, 19*year)
			file := w.kept(w.stamped(w.signed(pki.SignerP256), hour), 2*hour)
			file = w.withArchive(file, 0, indexOf(t, file, 0, c.edit), 3*hour)
			s := c.want.compare(t, check(t, file, w.after(12*year+day)))
			if s.Level != c.level {
				t.Errorf("level %s, want %s", s.Level, c.level)
			}
		})
	}
}

// TestAddedAfterwards: what is added after the last archive or document time stamp is
// covered by none, beside what is.
func TestAddedAfterwards(t *testing.T) {
	const hour, day = time.Hour, 24 * time.Hour
	w := newWorld(t)
	w.stampBy(pki.Root, 19*year)
	signer := w.lonely()
	other := w.lists(hour)[1:] // of the root
	forged := [][]byte{w.forgedList(pki.QualifiedCA, 3*hour)}
	document := signedPDFBy(t, documents.Plain(), signer)

	cades := w.stamped(p7m(t, "il contratto", false, signer), hour)
	early := w.extended(cades, cms.Additions{CRLs: append(slices.Clone(other), forged...)})
	late := w.extended(cades, cms.Additions{CRLs: other})
	pades := w.keptPDF(w.stampedPDF(document, hour), append(slices.Clone(other), forged...))
	replaced := w.stampedPDF(w.keptPDF(w.stampedPDF(document, hour), other), 4*hour)
	for name, c := range map[string]struct {
		file  []byte
		want  want
		level string
	}{
		"CAdES, before":        {w.archived(early, 4*hour), valid, "B-LTA"},
		"CAdES, after":         {w.extended(w.archived(late, 4*hour), cms.Additions{CRLs: forged}), openFor(report.NoPOE), "B-LT"},
		"CAdES, before it ran": {w.extended(w.archived(cades, 2*hour), cms.Additions{CRLs: append(slices.Clone(other), forged...)}), openFor(report.NoPOE), "B-LT"},
		"PAdES, before":        {w.stampedPDF(pades, 4*hour), valid, "B-LTA"},
		"PAdES, after":         {w.keptPDF(replaced, forged), openFor(report.NoPOE), "B-LT"},
	} {
		t.Run(name, func(t *testing.T) {
			s := c.want.compare(t, check(t, c.file, w.after(12*year+day)))
			if s.Level != c.level {
				t.Errorf("level %s, want %s", s.Level, c.level)
			}
		})
	}
}

// keptPDF adds revocation lists to the security store.
func (w *world) keptPDF(file []byte, lists [][]byte) []byte {
	w.t.Helper()
	return w.extendedPDF(file, pdf.ExtendOptions{ValidationData: cms.ValidationData{
		CRLs: lists, Certificates: [][]byte{w.Must(w.t, pki.QualifiedCA).Certificate.Raw},
	}})
}

// stampedPDF adds a document time stamp.
func (w *world) stampedPDF(file []byte, after time.Duration) []byte {
	w.t.Helper()
	return w.extendedPDF(file, pdf.ExtendOptions{Stamp: func(digest []byte) ([]byte, error) { return w.tokenOf(digest, after), nil }})
}

func (w *world) extendedPDF(file []byte, o pdf.ExtendOptions) []byte {
	w.t.Helper()
	var out bytes.Buffer
	if err := pdf.Extend(context.Background(), &out, bytes.NewReader(file), int64(len(file)), o); err != nil {
		w.t.Fatal(err)
	}
	return out.Bytes()
}

// TestLevelsClaimed: a level is claimed when the last time stamp covers what it must, not
// when there is one of each kind.
func TestLevelsClaimed(t *testing.T) {
	const hour = time.Hour
	w := newWorld(t)
	file := w.signed(pki.SignerP256)
	stamped := w.stamped(file, hour)
	kept := w.kept(stamped, 2*hour)
	unrelated := w.extended(stamped, cms.Additions{CRLs: w.lists(2 * hour)[1:]})
	document := signedPDFBy(t, documents.Plain(), w.signer(pki.SignerP256))
	lists := w.lists(2 * hour)
	first := w.stampedPDF(document, hour)
	for name, c := range map[string]struct {
		file  []byte
		level string
	}{
		"values without a time stamp":        {w.kept(file, hour), "B-B"},
		"no values":                          {stamped, "B-T"},
		"values about others":                {unrelated, "B-T"},
		"values":                             {kept, "B-LT"},
		"archived before the values":         {w.kept(w.archived(stamped, hour), 2*hour), "B-LT"},
		"archived after the values":          {w.archived(kept, 3*hour), "B-LTA"},
		"archived both before and after":     {w.archived(w.kept(w.archived(stamped, hour), 2*hour), 3*hour), "B-LTA"},
		"PDF, stamped":                       {first, "B-T"},
		"PDF, stamped before the values":     {w.keptPDF(first, lists), "B-LT"},
		"PDF, stamped after the values":      {w.stampedPDF(w.keptPDF(first, lists), 3*hour), "B-LTA"},
		"PDF, stamped only after the values": {w.stampedPDF(w.keptPDF(document, lists), 3*hour), "B-LTA"},
	} {
		if s := valid.compare(t, check(t, c.file, w.after(4*hour))); s.Level != c.level {
			t.Errorf("%s: level %s, want %s", name, s.Level, c.level)
		}
	}
}

// TestArchivesOfOthers: archive time stamps belong to the signer that they were made for,
// and their order in the file says nothing.
func TestArchivesOfOthers(t *testing.T) {
	const hour, day = time.Hour, 24 * time.Hour
	w := newWorld(t)
	w.stampBy(pki.Root, 19*year)
	file := p7m(t, "il contratto", false, w.signer(pki.SignerP256), w.signer(pki.SignerP384))
	file = w.kept(file, hour)
	first := w.withArchive(file, 0, indexOf(t, file, 0, func(*hashIndex) {}), 2*hour)
	good := w.withArchive(first, 0, indexOf(t, first, 0, func(*hashIndex) {}), 3*hour)
	stamps := parsed(t, good).Signers[0].UnsignedAttributes
	for name, c := range map[string]struct {
		on    map[int][]cms.Attribute
		saved []report.Verdict
		bad   int // of the second signer's
	}{
		"in order":          {map[int][]cms.Attribute{0: stamps}, []report.Verdict{report.Valid, report.Indeterminate}, 0},
		"swapped":           {map[int][]cms.Attribute{0: {stamps[1], stamps[0]}}, []report.Verdict{report.Valid, report.Indeterminate}, 0},
		"at another signer": {map[int][]cms.Attribute{1: stamps}, []report.Verdict{report.Indeterminate, report.Indeterminate}, 2},
	} {
		t.Run(name, func(t *testing.T) {
			r := check(t, w.extended(file, cms.Additions{Unsigned: c.on}), w.after(12*year+day))
			bad := 0
			for i, s := range r.Signatures {
				if s.Verdict != c.saved[i] {
					t.Errorf("signature %d is %v (%s: %s)", i+1, s.Verdict, s.SubIndication, s.Reason)
				}
				for _, stamp := range s.Timestamps {
					if stamp.Verdict == report.Invalid {
						bad++
					}
				}
			}
			if bad != c.bad {
				t.Errorf("%d time stamps are invalid, want %d", bad, c.bad)
			}
			if s := r.Signatures[0]; c.saved[0] == report.Valid && !s.BestTime.Time.Equal(moment.Add(2*hour)) {
				t.Errorf("proven by %v", s.BestTime.Time)
			}
		})
	}
}

// TestCounterSignatureOutlives: an archive time stamp of a signer proves its
// counter-signature too, if its index names it, and one that came later not.
func TestCounterSignatureOutlives(t *testing.T) {
	const hour, day = time.Hour, 24 * time.Hour
	for name, c := range map[string]struct {
		edit func(*hashIndex)
		want report.Verdict
	}{
		"named":     {func(*hashIndex) {}, report.Valid},
		"not named": {func(h *hashIndex) { h.Unsigned = nil }, report.Indeterminate},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.stampBy(pki.Root, 19*year)
			var out bytes.Buffer
			file := w.signed(pki.SignerP256)
			if err := cms.CounterSign(&out, cms.Amended{Source: bytes.NewReader(file), Size: int64(len(file))}, 0, w.signer(pki.SignerP384)); err != nil {
				t.Fatal(err)
			}
			file = w.kept(out.Bytes(), hour)
			file = w.withArchive(file, 0, indexOf(t, file, 0, c.edit), 2*hour)
			s := check(t, file, w.after(12*year+day)).Signatures[0]
			if s.Verdict != report.Valid {
				t.Errorf("the signature is %v: %s", s.Verdict, s.Reason)
			}
			if counter := s.CounterSignatures[0]; counter.Verdict != c.want || len(counter.Timestamps) != 0 {
				t.Errorf("the counter-signature is %v, by %d time stamps of its own: %s", counter.Verdict, len(counter.Timestamps), counter.Reason)
			}
		})
	}
}

// TestIndexReplaced: the index of an archive time stamp stands where no signature covers it,
// and is covered by its own time stamp.
func TestIndexReplaced(t *testing.T) {
	const hour = time.Hour
	w, file := lateRevocation(t)
	token := w.tokenOf(archiveDigest(t, file, indexOf(t, file, 0, func(h *hashIndex) { h.CRLs = nil })), hour)
	file = w.kept(file, hour)
	full := indexOf(t, file, 0, func(*hashIndex) {})
	token = w.extended(token, cms.Additions{Unsigned: map[int][]cms.Attribute{0: {full}}})
	attribute, err := cms.TimestampAttribute(cms.ArchiveTimestamp, token)
	if err != nil {
		t.Fatal(err)
	}
	file = w.extended(file, cms.Additions{Unsigned: map[int][]cms.Attribute{0: {attribute}}})
	s := openFor(report.RevokedNoPOE).compare(t, check(t, file, w.after(3*hour)))
	if s.Timestamps[0].SubIndication != report.HashFailure {
		t.Errorf("%+v", s.Timestamps[0])
	}
}

func archiveDigest(t *testing.T, file []byte, index cms.Attribute) []byte {
	t.Helper()
	sd, err := cms.Read(bytes.NewReader(file), cms.ReadOptions{Hashes: []crypto.Hash{crypto.SHA256}})
	if err != nil {
		t.Fatal(err)
	}
	digest, err := sd.ArchiveDigest(sd.Signers[0], index, crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return digest
}

// TestAccuracy: a time stamp proves no more than its authority vouches for. What lies
// between the earliest and the latest that it may have been made is not proven.
func TestAccuracy(t *testing.T) {
	const minute, hour = time.Minute, time.Hour
	for name, c := range map[string]struct {
		accuracy time.Duration
		want     want
		best     time.Duration
	}{
		"none stated":            {0, valid, 119 * minute},
		"a second":               {time.Second, valid, 119*minute + time.Second},
		"beyond the revocation":  {2 * minute, openFor(report.RevokedNoPOE), 121 * minute},
		"longer than we look on": {48 * hour, openFor(report.RevokedNoPOE), 3 * hour},
	} {
		t.Run(name, func(t *testing.T) {
			w, file := lateRevocation(t) // after two hours
			w.Configure(func(config *authority.Config) { config.TSA.Accuracy = c.accuracy })
			s := c.want.compare(t, check(t, w.stamped(file, 119*minute), w.after(3*hour)))
			if !s.BestTime.Time.Equal(moment.Add(c.best)) || s.Timestamps[0].Accuracy != c.accuracy.Seconds() {
				t.Errorf("judged at %v, accuracy %v", s.BestTime.Time, s.Timestamps[0].Accuracy)
			}
		})
	}
	// Signed after a time stamp of the content that may be older than the revocation.
	for accuracy, sub := range map[time.Duration]report.SubIndication{0: report.Revoked, 2 * minute: report.RevokedNoPOE} {
		w := newWorld(t)
		w.Configure(func(config *authority.Config) { config.TSA.Accuracy = accuracy })
		w.revoke(pki.SignerP256, 119*minute)
		if s := check(t, w.signedAfter(w.signer(pki.SignerP256), 2*hour), w.after(3*hour)).Signatures[0]; s.SubIndication != sub {
			t.Errorf("accuracy %v: %s, want %s", accuracy, s.SubIndication, sub)
		}
	}
	// Two clocks that may be off by two minutes each tell no order three minutes apart.
	for accuracy, want := range map[time.Duration]want{0: openFor(report.TimestampOrderFailure), 2 * minute: valid} {
		w := newWorld(t)
		w.Configure(func(config *authority.Config) { config.TSA.Accuracy = accuracy })
		file := w.signedAfter(w.signer(pki.SignerP256), 63*minute)
		want.compare(t, check(t, w.stamped(file, hour), w.after(3*hour)))
	}
}

// A CA whose key was too short vouches for nobody.
func TestWeakAuthority(t *testing.T) {
	w := newWorld(t)
	short := w.weak()
	ca, err := w.IssueCustom(pki.Root, short.Key, func(c *x509.Certificate) {
		c.IsCA, c.BasicConstraintsValid, c.KeyUsage = true, true, x509.KeyUsageCertSign|x509.KeyUsageCRLSign
	})
	if err != nil {
		t.Fatal(err)
	}
	signer := w.signer(pki.SignerP256)
	template := *signer.Certificate
	der, err := x509.CreateCertificate(rand.Reader, &template, ca.Certificate, signer.Certificate.PublicKey, ca.Key)
	if err != nil {
		t.Fatal(err)
	}
	if signer.Certificate, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	signer.Chain = []*x509.Certificate{ca.Certificate}
	o := w.after(time.Hour)
	o.Revocation = nil
	openFor(report.CryptoConstraintsFailure).compare(t, check(t, p7m(t, "il contratto", false, signer), o))
}

// A responder whose key is too short proves nothing good.
func TestWeakResponder(t *testing.T) {
	w := newWorld(t)
	short := w.weak()
	responder, err := w.IssueCustom(pki.QualifiedCA, short.Key, func(c *x509.Certificate) {
		c.KeyUsage, c.ExtKeyUsage = x509.KeyUsageDigitalSignature, []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}
		c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}, Value: []byte{5, 0}}}
	})
	if err != nil {
		t.Fatal(err)
	}
	answer := func() []byte {
		c := w.Must(t, pki.SignerP256)
		f := &revocation.Fetcher{Now: func() time.Time { return moment.Add(time.Hour) }}
		o, err := f.OCSP(t.Context(), c.Certificate.OCSPServer[0], c.Certificate, c.Chain[0])
		if err != nil {
			t.Fatal(err)
		}
		return o.Raw
	}
	w.SetTime(moment.Add(time.Hour))
	file := w.extended(w.signed(pki.SignerP256), cms.Additions{CRLs: w.lists(time.Hour)[1:]})
	judged := func() *report.Report {
		ocsp, err := revocation.ParseOCSP(answer())
		if err != nil {
			t.Fatal(err)
		}
		o := offline(w.after(time.Hour))
		o.Revocation.Given.OCSP = []*revocation.OCSP{ocsp}
		return check(t, file, o)
	}
	valid.compare(t, judged())
	w.Configure(func(c *authority.Config) { c.OCSP.Responder = responder })
	openFor(report.NoPOE).compare(t, judged())
}
