// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/forge"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/revocation"
	"github.com/pectoken/pectoken/verify/trust"
)

const year = 365 * 24 * time.Hour

// world is a PKI whose services run, at a time that a test sets.
type world struct {
	t testing.TB
	*pki.PKI
	*authority.Server
}

func newWorld(t testing.TB) *world {
	p := pki.New(moment)
	return &world{t, p, authority.Start(t, p, authority.Options{})}
}

// after moves the clock of all services, and returns options for that time.
func (w *world) after(d time.Duration) verify.Options {
	now := moment.Add(d)
	w.SetTime(now)
	return verify.Options{
		Now: now, Trust: trust.NewAnchors(w.Must(w.t, pki.Root).Certificate),
		Revocation: &revocation.Checker{Fetcher: &revocation.Fetcher{Now: func() time.Time { return now }}},
	}
}

// offline is what can be told without asking anybody.
func offline(o verify.Options) verify.Options {
	o.Revocation = &revocation.Checker{}
	return o
}

func (w *world) signer(name pki.Name) cms.Signer {
	id := w.Must(w.t, name)
	return cms.Signer{Key: id.Key, Certificate: id.Certificate, Chain: id.Chain, SigningTime: moment}
}

func (w *world) signed(name pki.Name) []byte {
	return p7m(w.t, "il contratto", false, w.signer(name))
}

// signedAfter signs with a time stamp of the content among the signed attributes, that
// was made some time after the moment.
func (w *world) signedAfter(s cms.Signer, after time.Duration) []byte {
	w.t.Helper()
	f, err := forge.Parse(p7m(w.t, "il contratto", false, s))
	if err != nil {
		w.t.Fatal(err)
	}
	attributes, err := f.Attributes()
	if err != nil {
		w.t.Fatal(err)
	}
	stamp, err := forge.Attribute(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 20},
		asn1.RawValue{FullBytes: w.token([]byte("il contratto"), after)})
	if err != nil {
		w.t.Fatal(err)
	}
	f.SetSigned(append(attributes, stamp)...)
	if err := f.Resign(s.Key); err != nil {
		w.t.Fatal(err)
	}
	der, err := f.DER()
	if err != nil {
		w.t.Fatal(err)
	}
	return der
}

// token gets a time stamp of data some time after the moment, as good or bad as the
// authority is set up to make it.
func (w *world) token(data []byte, after time.Duration) []byte {
	w.t.Helper()
	sum := sha256.Sum256(data)
	return w.tokenOf(sum[:], after)
}

// tokenOf gets a time stamp of a SHA-256 digest.
func (w *world) tokenOf(digest []byte, after time.Duration) []byte {
	w.t.Helper()
	w.SetTime(moment.Add(after))
	query, err := (&timestamp.Request{Hash: crypto.SHA256, Digest: digest}).Encode()
	if err != nil {
		w.t.Fatal(err)
	}
	answer, err := http.Post(w.URL(authority.TSA), "application/timestamp-query", bytes.NewReader(query))
	if err != nil {
		w.t.Fatal(err)
	}
	defer answer.Body.Close()
	der, err := io.ReadAll(answer.Body)
	if err != nil {
		w.t.Fatal(err)
	}
	var response struct {
		Status asn1.RawValue
		Token  asn1.RawValue `asn1:"optional"`
	}
	if _, err := asn1.Unmarshal(der, &response); err != nil || len(response.Token.FullBytes) == 0 {
		w.t.Fatalf("no token in %x (%v)", der, err)
	}
	return response.Token.FullBytes
}

// stamped adds a time stamp of the first signature.
func (w *world) stamped(file []byte, after time.Duration) []byte {
	w.t.Helper()
	return w.with(file, w.token(parsed(w.t, file).Signers[0].Signature, after))
}

// with adds a token as a time stamp of the first signature, whatever it is of.
func (w *world) with(file, token []byte) []byte {
	w.t.Helper()
	attribute, err := cms.TimestampAttribute(cms.SignatureTimestamp, token)
	if err != nil {
		w.t.Fatal(err)
	}
	return w.extended(file, cms.Additions{Unsigned: map[int][]cms.Attribute{0: {attribute}}})
}

func (w *world) extended(file []byte, a cms.Additions) []byte {
	w.t.Helper()
	var out bytes.Buffer
	if err := cms.Extend(&out, cms.Amended{Source: bytes.NewReader(file), Size: int64(len(file))}, a); err != nil {
		w.t.Fatal(err)
	}
	return out.Bytes()
}

// lists returns the revocation lists of the authorities some time after the moment.
func (w *world) lists(after time.Duration) (lists [][]byte) {
	w.t.Helper()
	w.SetTime(moment.Add(after))
	f := &revocation.Fetcher{Now: func() time.Time { return moment.Add(after) }}
	for _, c := range []*x509.Certificate{w.Must(w.t, pki.Signer).Certificate, w.Must(w.t, pki.QualifiedCA).Certificate} {
		l, err := f.CRL(context.Background(), c.CRLDistributionPoints[0])
		if err != nil {
			w.t.Fatal(err)
		}
		lists = append(lists, l.Raw())
	}
	return lists
}

// kept adds to a file the revocation lists of some time after the moment.
func (w *world) kept(file []byte, after time.Duration) []byte {
	return w.extended(file, cms.Additions{CRLs: w.lists(after)})
}

func (w *world) revoke(name pki.Name, after time.Duration) {
	w.t.Helper()
	if err := w.Revoke(w.Must(w.t, name).Certificate, moment.Add(after), authority.KeyCompromise); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) suspend(name pki.Name, after time.Duration) {
	w.t.Helper()
	if err := w.Suspend(w.Must(w.t, name).Certificate, moment.Add(after)); err != nil {
		w.t.Fatal(err)
	}
}

func parsed(t testing.TB, file []byte) *cms.SignedData {
	t.Helper()
	sd, err := cms.Read(bytes.NewReader(file), cms.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return sd
}

// replaced has one text in place of another, which must be there once.
func replaced(t testing.TB, file []byte, old, text string) []byte {
	t.Helper()
	if len(old) != len(text) || bytes.Count(file, []byte(old)) != 1 {
		t.Fatalf("%q stands in the file %d times", old, bytes.Count(file, []byte(old)))
	}
	return bytes.Replace(file, []byte(old), []byte(text), 1)
}
