// SPDX-License-Identifier: Apache-2.0

package revocation

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	mathrand "math/rand/v2"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// entryDER makes an entry of a number, with whatever follows it.
func entryDER(number int64, rest ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1BigInt(big.NewInt(number))
		b.AddBytes(bytes.Join(rest, nil))
	})
	return b.BytesOrPanic()
}

// sequence wraps values in a SEQUENCE.
func sequence(values ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(bytes.Join(values, nil)) })
	return b.BytesOrPanic()
}

// withEntries signs a list with these entries, which no maker of lists would write.
func withEntries(t testing.TB, issuer *party, entries []byte) []byte {
	t.Helper()
	parts, ok := divide(lists(t, issuer, nil).Raw())
	if !ok {
		t.Fatal("a good list can't be read")
	}
	tbs := sequence(parts.before, sequence(entries), parts.after)
	digest := sha256.Sum256(tbs)
	signature, err := issuer.key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	algorithm := parts.signature
	var field cryptobyte.String
	if !algorithm.ReadASN1Element(&field, cbasn1.SEQUENCE) {
		t.Fatal("a good list has no algorithm")
	}
	var b cryptobyte.Builder
	b.AddASN1BitString(signature)
	return sequence(tbs, field, b.BytesOrPanic())
}

// theSame says how a list read here differs from what package x509 makes of it.
func theSame(t *testing.T, c *CRL, want *x509.RevocationList) {
	t.Helper()
	if !bytes.Equal(c.Raw(), want.Raw) || !bytes.Equal(c.list.RawTBSRevocationList, want.RawTBSRevocationList) ||
		!bytes.Equal(c.list.Signature, want.Signature) || c.list.SignatureAlgorithm != want.SignatureAlgorithm ||
		!bytes.Equal(c.list.RawIssuer, want.RawIssuer) || !bytes.Equal(c.list.AuthorityKeyId, want.AuthorityKeyId) ||
		!c.list.ThisUpdate.Equal(want.ThisUpdate) || !c.list.NextUpdate.Equal(want.NextUpdate) {
		t.Fatalf("%+v, want %+v", c.list, want)
	}
	if c.entries.count != len(want.RevokedCertificateEntries) {
		t.Fatalf("%d entries, want %d", c.entries.count, len(want.RevokedCertificateEntries))
	}
	in := c.entries.der
	for _, w := range want.RevokedCertificateEntries {
		e, _ := nextEntry(&in)
		at, dated := e.revokedAt()
		reason, _, ok := e.readExtensions()
		if !ok || !dated || !at.Equal(w.RevocationTime) || reason != Reason(w.ReasonCode) {
			t.Fatalf("entry %v: %v, reason %v, want %v, %v", w.SerialNumber, at, reason, w.RevocationTime, w.ReasonCode)
		}
	}
	for _, w := range want.RevokedCertificateEntries[:min(100, len(want.RevokedCertificateEntries))] {
		a := &Answer{Status: Good}
		c.look(a, &x509.Certificate{SerialNumber: w.SerialNumber})
		if a.Status == Good || a.RevokedAt.After(w.RevocationTime) {
			t.Fatalf("entry %v: %+v, want %+v", w.SerialNumber, a, w)
		}
	}
}

// TestCRLAsX509 reads lists of all sizes, and asks for what is and is not in them.
func TestCRLAsX509(t *testing.T) {
	ca := authority(t, "CA")
	random := mathrand.New(mathrand.NewPCG(1, 2))
	for _, count := range []int{0, 1, 2, 3, 4, 100, 3000} {
		var revoked []x509.RevocationListEntry
		for i := range count {
			e := x509.RevocationListEntry{
				SerialNumber: new(big.Int).Lsh(big.NewInt(int64(2*i+1)), uint(random.IntN(140))), ReasonCode: []int{0, 0, 1, 4, 6}[random.IntN(5)],
				RevocationTime: before.AddDate(0, 0, -random.IntN(9000)).Add(time.Duration(random.IntN(86400)) * time.Second),
			}
			if i%7 == 0 {
				e.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 24}, Value: []byte("\x18\x0f20260101000000Z")}}
			}
			revoked = append(revoked, e)
		}
		c := lists(t, ca, nil, revoked...)
		want, err := x509.ParseRevocationList(c.Raw())
		if err != nil {
			t.Fatal(err)
		}
		theSame(t, c, want)
		for range 1000 {
			number := big.NewInt(2 * random.Int64N(1<<40)) // even and short ones are of nobody, or of a shifted odd one
			a := &Answer{Status: Good}
			c.look(a, &x509.Certificate{SerialNumber: number})
			listed := false
			for _, e := range revoked {
				listed = listed || e.SerialNumber.Cmp(number) == 0
			}
			if listed != (a.Status != Good) {
				t.Fatalf("of %d, %v: %+v", count, number, a)
			}
		}
	}
}

// TestCRLEntries has one bad entry at the end of a list, and asks for another certificate.
func TestCRLEntries(t *testing.T) {
	ca := authority(t, "CA")
	user := issue(t, ca, "User", nil)
	day := []byte("\x17\x0d260101000000Z")
	reason := func(value ...byte) []byte { return sequence(sequence([]byte{6, 3, 0x55, 0x1d, 0x15}, value)) }
	critical := func(id ...byte) []byte {
		return sequence(sequence(append([]byte{6, byte(len(id))}, id...), []byte{1, 1, 0xff, 4, 2, 5, 0}))
	}
	const unread, unfit, good = "malformed", "unfit", ""
	for _, c := range []struct {
		name, want string
		last       []byte
	}{
		{"good", good, entryDER(1<<40, day)},
		{"negative", good, entryDER(-5, day)},
		{"generalized time", good, entryDER(1<<40, []byte("\x18\x0f20260101000000Z"))},
		{"without seconds", good, entryDER(1<<40, []byte("\x17\x0b2601010000Z"))},
		{"end of a month", good, entryDER(1<<40, []byte("\x17\x0d260131235959Z"))},
		{"reason", good, entryDER(1<<40, day, reason(4, 3, 10, 1, 1))},
		{"critical reason", good, entryDER(1<<40, day, reason(1, 1, 0xff, 4, 3, 10, 1, 1))},
		{"unknown extension", good, entryDER(1<<40, day, sequence(sequence([]byte{6, 1, 42, 4, 0})))},
		{"unknown critical extension", unfit, entryDER(1<<40, day, critical(42, 3))},
		{"of another issuer", unfit, entryDER(1<<40, day, critical(0x55, 0x1d, 0x1d))},
		{"no number", unread, sequence(day)},
		{"long number", unread, sequence([]byte{2, 2, 0, 1}, day)},
		{"empty number", unread, sequence([]byte{2, 0}, day)},
		{"no time", unread, entryDER(1 << 40)},
		{"no such day", unread, entryDER(1<<40, []byte("\x17\x0d260231000000Z"))},
		{"no such month", unread, entryDER(1<<40, []byte("\x17\x0d261301000000Z"))},
		{"no such hour", unread, entryDER(1<<40, []byte("\x17\x0d260101240000Z"))},
		{"no digit", unread, entryDER(1<<40, []byte("\x17\x0d2601010000x0Z"))},
		{"time of another kind", unread, entryDER(1<<40, []byte("\x13\x0d260101000000Z"))},
		{"something after the time", unread, entryDER(1<<40, day, []byte{5, 0})},
		{"something after the extensions", unread, entryDER(1<<40, day, reason(4, 3, 10, 1, 1), []byte{5, 0})},
		{"reason of another kind", unread, entryDER(1<<40, day, reason(4, 3, 2, 1, 1))},
		{"two reasons in one", unread, entryDER(1<<40, day, reason(4, 6, 10, 1, 6, 10, 1, 1))},
		{"extension without value", unread, entryDER(1<<40, day, reason())},
		{"no extension", unread, entryDER(1<<40, day, sequence([]byte{5, 0}))},
		{"broken extension name", unread, entryDER(1<<40, day, sequence(sequence([]byte{6, 1, 0x80, 4, 0})))},
		{"no entry", unread, []byte{5, 0}},
		{"cut short", unread, []byte{0x30, 0x20, 2, 1, 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			der := withEntries(t, ca, append(entryDER(1<<41, day), c.last...))
			l, err := ParseCRL(der)
			if (err != nil) != (c.want == unread) || err != nil && !strings.Contains(err.Error(), unread) {
				t.Fatalf("%v; want %q", err, c.want)
			}
			if err != nil {
				return
			}
			a, err := l.Answer(user.Certificate, ca.Certificate)
			if (err != nil) != (c.want == unfit) || err == nil && a.Status != Good {
				t.Errorf("%+v, %v; want %q", a, err, c.want)
			}
		})
	}
}

// TestCRLRepeats has one certificate in a list several times.
func TestCRLRepeats(t *testing.T) {
	ca := authority(t, "CA")
	user := issue(t, ca, "User", nil)
	entry := func(reason int, days int) x509.RevocationListEntry {
		return x509.RevocationListEntry{SerialNumber: user.SerialNumber, RevocationTime: before.AddDate(0, 0, days), ReasonCode: reason}
	}
	other := x509.RevocationListEntry{SerialNumber: big.NewInt(1 << 40), RevocationTime: before}
	for _, c := range []struct {
		name string
		list []x509.RevocationListEntry
		want Answer
	}{
		{"held, revoked", []x509.RevocationListEntry{entry(6, -3), other, entry(1, -2)}, Answer{Status: Revoked, Reason: 1, RevokedAt: before.AddDate(0, 0, -3)}},
		{"revoked, held", []x509.RevocationListEntry{entry(1, -2), entry(6, -1)}, Answer{Status: Revoked, Reason: 1, RevokedAt: before.AddDate(0, 0, -2)}},
		{"held twice", []x509.RevocationListEntry{other, entry(6, -1), entry(6, -2), other}, Answer{Status: Suspended, Reason: 6, RevokedAt: before.AddDate(0, 0, -2)}},
	} {
		a, err := lists(t, ca, nil, c.list...).Answer(user.Certificate, ca.Certificate)
		if err != nil || a.Status != c.want.Status || a.Reason != c.want.Reason || !a.RevokedAt.Equal(c.want.RevokedAt) {
			t.Errorf("%s: %+v, %v; want %+v", c.name, a, err, c.want)
		}
	}
}

// TestCRLMemory reads a list of 100,000 entries, and keeps next to nothing beside it.
func TestCRLMemory(t *testing.T) {
	ca := authority(t, "CA")
	user := issue(t, ca, "User", nil)
	var entries []byte
	for i := range 100_000 {
		entries = append(entries, entryDER(1<<50+int64(i), []byte("\x17\x0d260101000000Z"), sequence(sequence([]byte{6, 3, 0x55, 0x1d, 0x15, 4, 3, 10, 1, 4})))...)
	}
	der := withEntries(t, ca, entries)
	var start, end runtime.MemStats
	runtime.ReadMemStats(&start)
	l, err := ParseCRL(der)
	if err != nil {
		t.Fatal(err)
	}
	a, err := l.Answer(user.Certificate, ca.Certificate)
	if err != nil || a.Status != Good {
		t.Fatalf("%+v, %v", a, err)
	}
	runtime.ReadMemStats(&end)
	if took := end.TotalAlloc - start.TotalAlloc; took > uint64(len(der))/2 {
		t.Errorf("%d bytes were allocated for a list of %d", took, len(der))
	}
}

func TestCRLHead(t *testing.T) {
	ca := authority(t, "CA")
	template := &x509.RevocationList{
		Number: big.NewInt(1), ThisUpdate: before, NextUpdate: after,
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 2, 3}, Value: make([]byte, maxCRLHead)}},
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, ca.Certificate, ca.key)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ParseCRL(der); err == nil || !strings.Contains(err.Error(), "beside its entries") {
		t.Errorf("%v", err)
	}
}

// FuzzCRL: what is read here is read by package x509 as well, and is the same; what only
// package x509 reads has something where there may be nothing, or is too large.
func FuzzCRL(f *testing.F) {
	ca := authority(f, "CA")
	held := x509.RevocationListEntry{SerialNumber: big.NewInt(300), RevocationTime: before, ReasonCode: 6}
	f.Add(lists(f, ca, nil).Raw())
	f.Add(lists(f, ca, nil, held, x509.RevocationListEntry{SerialNumber: big.NewInt(-7), RevocationTime: after.AddDate(40, 0, 0)}).Raw())
	f.Add(lists(f, ca, extension(oidDistributionPoint, true, point("http://example.it/crl")...), held, held).Raw())
	f.Fuzz(func(t *testing.T, in []byte) {
		if bytes.Contains(in, []byte("-----BEGIN")) {
			return // PEM is read here only
		}
		c, err := ParseCRL(in)
		want, stranger := x509.ParseRevocationList(in)
		if err == nil && stranger != nil {
			t.Fatalf("read, but not by x509: %v", stranger)
		}
		if err == nil {
			theSame(t, c, want)
		}
	})
}
