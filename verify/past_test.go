// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
)

// raised is a file that was extended to a level some time after the moment.
func (w *world) raised(file []byte, level sign.Level, after time.Duration) []byte {
	w.t.Helper()
	o := w.after(after)
	var out bytes.Buffer
	err := sign.Extend(w.t.Context(), &out, sign.Existing{File: section(file)}, sign.Options{
		Level:          level,
		Stamper:        &timestamp.Client{Now: func() time.Time { return o.Now }, Transport: &http.Transport{}, Authorities: []timestamp.Authority{{URL: w.URL(authority.TSA)}}},
		ValidationData: &verify.Collector{Trust: o.Trust, Revocation: o.Revocation, Now: func() time.Time { return o.Now }},
	})
	if err != nil && !errors.Is(err, sign.ErrReached) {
		w.t.Fatal(err)
	}
	return out.Bytes()
}

// stampBy has a new time-stamp authority below a CA from now on, with a certificate that
// ends some time after the moment.
func (w *world) stampBy(ca pki.Name, ends time.Duration) *pki.Identity {
	w.t.Helper()
	old := w.Must(w.t, pki.TSAP256)
	usage := slices.IndexFunc(old.Certificate.Extensions, func(e pkix.Extension) bool { return e.Id.Equal([]int{2, 5, 29, 37}) })
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.t.Fatal(err)
	}
	id, err := w.IssueCustom(ca, key, func(c *x509.Certificate) {
		c.Subject, c.SerialNumber, c.NotAfter = pkix.Name{CommonName: fmt.Sprint("Esempio TSA ", ends)}, big.NewInt(int64(ends)), moment.Add(ends)
		c.ExtraExtensions = []pkix.Extension{old.Certificate.Extensions[usage]}
		if ca == pki.Root { // where the root says what it revoked
			above := w.Must(w.t, pki.QualifiedCA).Certificate
			c.OCSPServer, c.CRLDistributionPoints, c.IssuingCertificateURL = above.OCSPServer, above.CRLDistributionPoints, above.IssuingCertificateURL
		}
	})
	if err != nil {
		w.t.Fatal(err)
	}
	w.Configure(func(c *authority.Config) { c.TSA.Signer = id })
	return id
}

// signedBy are a .p7m and a PDF by a signer of the PKI.
func (w *world) signedBy(name pki.Name) map[string][]byte {
	return map[string][]byte{"CAdES": w.signed(name), "PAdES": signedPDFBy(w.t, documents.Plain(), w.signer(name))}
}

// TestLevelsOutlive judges each level after each certificate that it rests on has ended: it
// lasts as long as the standard promises, and not longer. The responder's ends after one
// year, the signer's after two, the first authority's after five, the CA's after twelve.
func TestLevelsOutlive(t *testing.T) {
	const day = 24 * time.Hour
	ends := map[string]time.Duration{"responder": year + day, "signer": 2*year + day, "authority": 5*year + day, "CA": 12*year + day}
	for name, c := range map[string]struct {
		level   sign.Level
		renewed int
		lists   bool     // nobody responds: by lists, which the CA itself signs
		valid   []string // after whose end
		open    report.SubIndication
	}{
		// The CA's lists no longer name what ended.
		"T": {sign.LevelT, 0, false, []string{"responder"}, report.TryLater},
		// The responder's answer is not proven to be older than the responder's end.
		"LT":                 {sign.LevelLT, 0, false, []string{"responder"}, report.NoPOE},
		"LT by lists":        {sign.LevelLT, 0, true, []string{"responder", "signer"}, ""},
		"LTA":                {sign.LevelLTA, 0, false, []string{"responder", "signer"}, ""},
		"LTA by lists":       {sign.LevelLTA, 0, true, []string{"responder", "signer"}, ""},
		"LTA, renewed":       {sign.LevelLTA, 1, false, []string{"responder", "signer", "authority"}, ""},
		"LTA, renewed twice": {sign.LevelLTA, 2, false, []string{"responder", "signer", "authority", "CA"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if c.lists {
				if err := w.Fail(authority.OCSP, authority.HTTP404); err != nil {
					t.Fatal(err)
				}
			}
			for format, file := range w.signedBy(pki.SignerP256) {
				t.Run(format, func(t *testing.T) {
					w.Configure(func(c *authority.Config) { c.TSA.Signer = w.Must(t, pki.TSA) })
					file := w.raised(file, c.level, 0)
					if c.renewed > 0 {
						w.stampBy(pki.QualifiedCA, 11*year)
						file = w.raised(file, c.level, 4*year)
					}
					if c.renewed > 1 {
						w.stampBy(pki.Root, 19*year)
						file = w.raised(file, c.level, 10*year)
					}
					for end, after := range ends {
						if after < time.Duration(4*c.renewed)*year {
							continue // not made yet
						}
						s := check(t, file, w.after(after)).Signatures[0]
						if end == "signer" && s.SubIndication != c.open {
							t.Errorf("after the end of the signer: %s, want %s: %s", s.SubIndication, c.open, s.Reason)
						}
						if want := slices.Contains(c.valid, end); (s.Verdict == report.Valid) != want || s.Verdict == report.Invalid || s.Level != c.level.String() {
							t.Errorf("after the end of the %s: %s, %v, %s: %s", end, s.Level, s.Verdict, s.SubIndication, s.Reason)
						}
					}
				})
			}
		})
	}
}

// forgedList is what a thief of a CA's key makes: nothing is revoked, dated at will.
func (w *world) forgedList(ca pki.Name, after time.Duration) []byte {
	w.t.Helper()
	id := w.Must(w.t, ca)
	der, err := x509.CreateRevocationList(rand.Reader, &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: moment.Add(after), NextUpdate: moment.Add(after + 7*24*time.Hour),
	}, id.Certificate, id.Key)
	if err != nil {
		w.t.Fatal(err)
	}
	return der
}

// forgedAnswer is what a thief of a responder's key makes.
func (w *world) forgedAnswer(responder pki.Name, about *x509.Certificate, after time.Duration) []byte {
	w.t.Helper()
	o := w.after(after)
	w.Configure(func(c *authority.Config) { c.OCSP.Responder = w.Must(w.t, responder) })
	url := w.Must(w.t, pki.Signer).Certificate.OCSPServer[0]
	answer, err := o.Revocation.Fetcher.OCSP(w.t.Context(), url, about, w.Must(w.t, pki.QualifiedCA).Certificate)
	if err != nil {
		w.t.Fatal(err)
	}
	return answer.Raw
}

// lonely is a signer whose certificate names no place to ask, so that only what stands in
// the file speaks of it.
func (w *world) lonely() cms.Signer {
	w.t.Helper()
	s := w.signer(pki.SignerP256)
	id, err := w.IssueCustom(pki.QualifiedCA, s.Key, func(c *x509.Certificate) {
		c.SerialNumber, c.OCSPServer, c.CRLDistributionPoints = big.NewInt(77), nil, nil
	})
	if err != nil {
		w.t.Fatal(err)
	}
	s.Certificate = id.Certificate
	return s
}

// TestForgedEvidence: once a key has ended, or was revoked, it may be in the hands of a
// thief, and what it signs proves nothing, whatever its date. It counts when a time stamp
// proves that it is older.
func TestForgedEvidence(t *testing.T) {
	const hour, day = time.Hour, 24 * time.Hour
	list := func(w *world, _ *x509.Certificate) cms.Additions {
		return cms.Additions{CRLs: [][]byte{w.forgedList(pki.QualifiedCA, 3*hour)}}
	}
	answer := func(by pki.Name) func(w *world, about *x509.Certificate) cms.Additions {
		return func(w *world, about *x509.Certificate) cms.Additions {
			return cms.Additions{OCSP: [][]byte{w.forgedAnswer(by, about, 3*hour)}}
		}
	}
	for name, c := range map[string]struct {
		forge  func(w *world, about *x509.Certificate) cms.Additions
		end    func(w *world) // of the key
		judged time.Duration
	}{
		"the CA ended":          {list, func(*world) {}, 12*year + day},
		"the CA was revoked":    {list, func(w *world) { w.revoke(pki.QualifiedCA, 30*day) }, 31 * day},
		"the responder ended":   {answer(pki.OCSPResponder), func(*world) {}, year + day},
		"the responder revoked": {answer(pki.OCSPChecked), func(w *world) { w.revoke(pki.OCSPChecked, 30*day) }, 31 * day},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.stampBy(pki.Root, 19*year)
			signer := w.lonely()
			forged := w.extended(w.stamped(p7m(t, "il contratto", false, signer), 2*hour), c.forge(w, signer.Certificate))
			// The list of the CA is there in time, and that of the root.
			before := w.archived(w.kept(forged, 3*hour), 4*hour)
			after := w.archived(forged, c.judged-hour)
			valid.compare(t, check(t, forged, w.after(5*hour)))
			c.end(w)
			o := w.after(c.judged)
			openFor(report.NoPOE).compare(t, check(t, forged, o))
			openFor(report.NoPOE).compare(t, check(t, after, o))
			valid.compare(t, check(t, before, o))
		})
	}
}

// archived adds an archive time stamp of all that is there.
func (w *world) archived(file []byte, after time.Duration) []byte {
	w.t.Helper()
	sd, err := cms.Read(bytes.NewReader(file), cms.ReadOptions{Hashes: []crypto.Hash{crypto.SHA256}})
	if err != nil {
		w.t.Fatal(err)
	}
	index, err := sd.HashIndex(sd.Signers[0], crypto.SHA256)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.withArchive(file, 0, index, after)
}

// withArchive adds an archive time stamp to a signer, of what the index names.
func (w *world) withArchive(file []byte, signer int, index cms.Attribute, after time.Duration) []byte {
	w.t.Helper()
	sd, err := cms.Read(bytes.NewReader(file), cms.ReadOptions{Hashes: []crypto.Hash{crypto.SHA256}})
	if err != nil {
		w.t.Fatal(err)
	}
	digest, err := sd.ArchiveDigest(sd.Signers[signer], index, crypto.SHA256)
	if err != nil {
		w.t.Fatal(err)
	}
	token := w.extended(w.tokenOf(digest, after), cms.Additions{Unsigned: map[int][]cms.Attribute{0: {index}}})
	attribute, err := cms.TimestampAttribute(cms.ArchiveTimestamp, token)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.extended(file, cms.Additions{Unsigned: map[int][]cms.Attribute{signer: {attribute}}})
}
