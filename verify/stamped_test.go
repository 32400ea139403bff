// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"encoding/base64"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify/report"
)

func parsedToken(t testing.TB, raw []byte) *timestamp.Token {
	t.Helper()
	token, err := timestamp.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// tsd puts a document into a .tsd with a time stamp of the first hour.
func (w *world) tsd(content []byte, m *timestamp.MetaData) []byte {
	w.t.Helper()
	digests, err := timestamp.StampingDigests([]crypto.Hash{crypto.SHA256}, bytes.NewReader(content), m)
	if err != nil {
		w.t.Fatal(err)
	}
	token := parsedToken(w.t, w.tokenOf(digests[crypto.SHA256], time.Hour))
	var out bytes.Buffer
	if err := timestamp.WriteTSD(&out, bytes.NewReader(content), int64(len(content)), m, timestamp.Evidence{Token: token}); err != nil {
		w.t.Fatal(err)
	}
	return out.Bytes()
}

// renewed adds one more time stamp to a .tsd.
func (w *world) renewed(file []byte, after time.Duration) []byte {
	w.t.Helper()
	c, err := timestamp.Read(bytes.NewReader(file), timestamp.ReadOptions{})
	if err != nil {
		w.t.Fatal(err)
	}
	digests, err := c.ChainDigests([]crypto.Hash{crypto.SHA256})
	if err != nil {
		w.t.Fatal(err)
	}
	token := parsedToken(w.t, w.tokenOf(digests[crypto.SHA256], after))
	var out bytes.Buffer
	if err := timestamp.AppendTSD(&out, bytes.NewReader(file), int64(len(file)), c, timestamp.Evidence{Token: token}); err != nil {
		w.t.Fatal(err)
	}
	return out.Bytes()
}

// envelopes is a .p7m around a signed PDF, both by a certificate that is revoked two
// hours later.
func (w *world) envelopes() []byte {
	document := documents.Plain()
	signer := w.signer(pki.SignerP256)
	w.revoke(pki.SignerP256, 2*time.Hour)
	return p7m(w.t, string(signedPDFBy(w.t, document, signer)), false, signer)
}

// layers are the reports inside each other, the outermost first.
func layers(r *report.Report) (all []*report.Report) {
	for ; r != nil; r = r.Nested[0] {
		all = append(all, r)
		if len(r.Nested) == 0 {
			break
		}
	}
	return all
}

// TestStampedContainers: a chain of three time stamps around a .p7m around a PDF. What
// is in it is judged at the time that the first one proves.
func TestStampedContainers(t *testing.T) {
	const name = "contratto.pdf.p7m"
	for which, m := range map[string]*timestamp.MetaData{
		"no metadata": nil, "metadata": {FileName: name}, "protected metadata": {FileName: name, HashProtected: true},
	} {
		t.Run(which, func(t *testing.T) {
			w := newWorld(t)
			content := w.envelopes()
			chain := w.renewed(w.renewed(w.tsd(content, m), 90*time.Minute), 150*time.Minute)
			other := func() []byte { return w.tsd([]byte("else"), nil) }
			o := w.after(3 * time.Hour)
			good := layers(check(t, chain, o))
			if len(good) != 3 || good[0].Verdict != report.Valid || len(good[0].Timestamps) != 3 {
				t.Fatalf("%d layers, %v, %d stamps", len(good), good[0].Verdict, len(good[0].Timestamps))
			}
			if best := good[0].BestTime; best == nil || !best.Time.Equal(moment.Add(time.Hour)) {
				t.Errorf("the file is proven at %v", best)
			}
			for _, inner := range good[1:] {
				s := valid.compare(t, inner)
				if s.BestTime.Source != report.FromTimestamp || !s.BestTime.Time.Equal(moment.Add(time.Hour)) {
					t.Errorf("%s: judged at %v", inner.Format, s.BestTime)
				}
			}

			protected := m != nil && m.HashProtected
			for what, forged := range map[string][]byte{
				"the document":          bytes.Replace(chain, []byte("/MediaBox"), []byte("/mediaBox"), 1),
				"the metadata":          bytes.Replace(chain, []byte(name), []byte("contratta.pdf.p7m"), 1),
				"the first stamp":       swapped(t, chain, other, 0),
				"the second stamp":      swapped(t, chain, other, 1),
				"the third, of another": swapped(t, chain, other, 2),
			} {
				all := layers(check(t, forged, o))
				saved := what == "the second stamp" || what == "the third, of another" || what == "the metadata" && !protected
				for _, inner := range all[1:] {
					if (inner.Verdict == report.Valid) != saved {
						t.Errorf("%s changed: %s inside is %v", what, inner.Format, inner.Verdict)
					}
				}
				if unharmed := what == "the metadata" && !protected; (all[0].Verdict == report.Valid) != unharmed {
					t.Errorf("%s changed: the file is %v", what, all[0].Verdict)
				}
			}
		})
	}
}

// TestOrderOfAChain: a timestamp can't be older than the one that it covers.
func TestOrderOfAChain(t *testing.T) {
	w := newWorld(t)
	file := w.tsd([]byte("il contratto"), nil) // of the first hour
	for after, want := range map[time.Duration]report.Verdict{
		2 * time.Hour: report.Valid, time.Hour - time.Second: report.Valid, 30 * time.Minute: report.Indeterminate,
	} {
		r := check(t, w.renewed(file, after), w.after(3*time.Hour))
		second := r.Timestamps[1]
		if r.Verdict != want || second.Verdict != want || (second.SubIndication == report.TimestampOrderFailure) != (want != report.Valid) {
			t.Errorf("after %v: the file is %v, the second timestamp %+v", after, r.Verdict, second)
		}
	}
}

// TestNamesOfContainers: the name of the document is no path, and a document in base64 is
// looked into as well.
func TestNamesOfContainers(t *testing.T) {
	w := newWorld(t)
	content := w.signed(pki.SignerP256)
	var m7m bytes.Buffer
	if err := timestamp.WriteM7M(&m7m, bytes.NewReader(content), "a.p7m", parsedToken(t, w.token(content, time.Hour))); err != nil {
		t.Fatal(err)
	}
	evil := &timestamp.MetaData{HashProtected: true, FileName: `..\../../etc/passwd`}
	tsd := w.tsd(content, evil)
	for name, file := range map[string][]byte{"m7m": m7m.Bytes(), "tsd": tsd, "tsd in base64": []byte(base64.StdEncoding.EncodeToString(tsd))} {
		r := check(t, file, w.after(2*time.Hour))
		if all := layers(r); len(all) != 2 || r.Verdict != report.Valid || all[1].Verdict != report.Valid {
			t.Errorf("%s: %d layers, %v", name, len(all), r.Verdict)
		}
		if name != "m7m" && r.Content.Name != "passwd" {
			t.Errorf("%s: the document is named %q", name, r.Content.Name)
		}
		o := w.after(2 * time.Hour)
		o.Content = section([]byte("another"))
		if r := check(t, file, o); r.Verdict != report.Invalid || r.Timestamps[0].SubIndication != report.HashFailure || r.BestTime != nil {
			t.Errorf("%s: %v beside another document", name, r.Verdict)
		}
	}
}

// TestEvidenceRecord: proof of another kind than timestamps proves nothing here, which is
// said, and what is in the file is judged all the same.
func TestEvidenceRecord(t *testing.T) {
	w := newWorld(t)
	content := w.signed(pki.SignerP256)
	file, err := asn1.Marshal(struct {
		Type asn1.ObjectIdentifier
		Data struct {
			Version  int
			Content  []byte
			Evidence asn1.RawValue
		} `asn1:"explicit,tag:0"`
	}{
		Type: asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 31},
		Data: struct {
			Version  int
			Content  []byte
			Evidence asn1.RawValue
		}{1, content, asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 1, IsCompound: true, Bytes: []byte{2, 1, 1}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	all := layers(check(t, file, w.after(2*time.Hour)))
	if stamp := all[0].Timestamps[0]; all[0].Verdict != report.Indeterminate || all[0].Error != nil || stamp.Verdict != report.Indeterminate || stamp.Reason == "" {
		t.Errorf("%v, %v, %+v", all[0].Verdict, all[0].Error, stamp)
	}
	if len(all) != 2 || all[1].Verdict != report.Valid || all[1].Signatures[0].BestTime.Source != report.FromNow {
		t.Errorf("%d layers", len(all))
	}
}

// swapped has the first token of another container in place of one of a chain's.
//
// Both must have the same length, and the serial number, which is random, is now and then
// an octet shorter.
func swapped(t *testing.T, chain []byte, other func() []byte, index int) []byte {
	t.Helper()
	a, err := timestamp.Read(bytes.NewReader(chain), timestamp.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	mine := a.Evidence[index].Token.Raw
	for range 100 {
		b, err := timestamp.Read(bytes.NewReader(other()), timestamp.ReadOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if theirs := b.Evidence[0].Token.Raw; len(mine) == len(theirs) {
			return bytes.Replace(chain, mine, theirs, 1)
		}
	}
	t.Fatalf("no other token has %d octets", len(mine))
	return nil
}

// TestStampAlone: a .tsr or .tst needs the document that it is of, and lends its time
// to signatures in that one only.
func TestStampAlone(t *testing.T) {
	w := newWorld(t)
	content := w.envelopes()
	raw := w.token(content, time.Hour)
	o := w.after(3 * time.Hour)
	for format, file := range map[string][]byte{"tst": raw, "tsr": timestamp.EncodeResponse(parsedToken(t, raw))} {
		t.Run(format, func(t *testing.T) {
			r := check(t, file, o)
			if r.Format != format || r.Verdict != report.Indeterminate || r.Timestamps[0].SubIndication != report.SignedDataNotFound {
				t.Errorf("without document: %s, %v, %+v", r.Format, r.Verdict, r.Timestamps[0])
			}
			beside := o
			beside.Content = section(content)
			all := layers(check(t, file, beside))
			if len(all) != 3 || all[0].Verdict != report.Valid || all[0].Timestamps[0].Verdict != report.Valid {
				t.Fatalf("%d layers, %v", len(all), all[0].Verdict)
			}
			for _, inner := range all[1:] {
				valid.compare(t, inner)
			}
			beside.Content = section(append(bytes.Clone(content), 0))
			all = layers(check(t, file, beside))
			if all[0].BestTime != nil || all[0].Verdict != report.Invalid || all[0].Timestamps[0].SubIndication != report.HashFailure {
				t.Errorf("with another document: %v, %+v", all[0].Verdict, all[0].Timestamps[0])
			}
			for _, inner := range all[1:] {
				if inner.Verdict == report.Valid {
					t.Errorf("with another document %s in it is valid", inner.Format)
				}
			}
		})
	}
}

// The time of a container is lent to what is in it, and not to what stands beside it in
// an envelope around both.
func TestTimeStaysInside(t *testing.T) {
	w := newWorld(t)
	w.revoke(pki.SignerP256, 2*time.Hour)
	inner := w.tsd(w.signed(pki.SignerP256), nil)
	file := p7m(t, string(inner), false, w.signer(pki.SignerP256))
	r := check(t, file, w.after(3*time.Hour))
	all := layers(r)
	if len(all) == 3 {
		valid.compare(t, all[2])
	}
	if s := r.Signatures[0]; s.Verdict == report.Valid || s.SubIndication != report.RevokedNoPOE {
		t.Errorf("the outer signature is %v, %s", s.Verdict, s.SubIndication)
	}
	if r.Verdict == report.Valid {
		t.Error("the file is valid")
	}
}
