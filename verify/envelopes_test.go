// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
)

// message is an e-mail with an attachment, and no timestamp in it.
const message = "Message-ID: <1@example.it>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n" +
	"--b\r\nContent-Type: text/plain\r\n\r\nciao\r\n--b\r\nContent-Type: text/xml; name=a.xml\r\n\r\n<a/>\r\n--b--\r\n"

// m7m is a .p7m in a .m7m.
func (w *world) m7m(content []byte) []byte {
	var file bytes.Buffer
	if err := timestamp.WriteM7M(&file, bytes.NewReader(content), "a.p7m", parsedToken(w.t, w.token(content, time.Hour))); err != nil {
		w.t.Fatal(err)
	}
	return file.Bytes()
}

// TestEnvelopesOfBothKinds opens signatures in stamps and stamps in signatures. What the
// report says of each layer is what Extract writes of it.
func TestEnvelopesOfBothKinds(t *testing.T) {
	w := newWorld(t)
	one := w.signer(pki.SignerP256)
	signed := w.signed(pki.SignerP256)
	protected := &timestamp.MetaData{HashProtected: true, FileName: "a.p7m"}
	broken := bytes.Replace(w.tsd([]byte("il contratto"), nil), []byte("contratto"), []byte("CONTRATTO"), 1)
	for name, c := range map[string]struct {
		file    []byte
		layers  int
		verdict report.Verdict
	}{
		"tsd in p7m":             {p7m(t, string(w.tsd(signed, nil)), false, one), 3, report.Valid},
		"p7m in tsd with name":   {w.tsd(signed, protected), 2, report.Valid},
		"m7m in p7m":             {p7m(t, string(w.m7m(signed)), false, one), 3, report.Valid},
		"m7m in tsd":             {w.tsd(w.m7m(signed), nil), 3, report.Valid},
		"broken tsd in p7m":      {p7m(t, string(broken), false, one), 2, report.Invalid},
		"message in p7m":         {p7m(t, message, false, one), 1, report.Valid},
		"text about PDF in p7m":  {p7m(t, "la versione sta dopo %PDF-", false, one), 1, report.Valid},
		"text about PDF in tsd":  {w.tsd([]byte("la versione sta dopo %PDF-"), nil), 1, report.Valid},
		"message in tsd":         {w.tsd([]byte(message), nil), 1, report.Valid},
		"message cut off in tsd": {w.tsd([]byte(message[:len(message)-9]), nil), 1, report.Valid},
	} {
		t.Run(name, func(t *testing.T) {
			r := check(t, c.file, w.after(2*time.Hour))
			all := layers(r)
			if len(all) != c.layers || r.Verdict != c.verdict {
				t.Fatalf("%d layers, %v", len(all), r.Verdict)
			}
			for depth, layer := range all {
				var document bytes.Buffer
				if err := verify.Extract(context.Background(), section(c.file), depth, &document); err != nil {
					t.Fatal(err)
				}
				sum := sha256.Sum256(document.Bytes())
				if layer.Content == nil || layer.Content.SHA256 != hex.EncodeToString(sum[:]) {
					t.Errorf("layer %d: %+v, and %x comes out", depth, layer.Content, sum)
				}
			}
			if err := verify.Extract(context.Background(), section(c.file), len(all), &bytes.Buffer{}); err == nil {
				t.Error("something comes out of the document")
			}
		})
	}
}

// TestBrokenInside: a .m7m with a time stamp that can't be read for certain is no message
// like any other, whatever is wrong with it.
func TestBrokenInside(t *testing.T) {
	w := newWorld(t)
	good := w.m7m(w.signed(pki.SignerP256))
	first := bytes.Index(good, []byte("--=_"))
	boundary, _, _ := bytes.Cut(good[first:], []byte("\r\n"))
	text := slices.Concat(boundary, []byte("\r\nContent-Type: text/plain\r\n\r\nun altro\r\n"))
	for name, file := range map[string][]byte{
		"two documents":          slices.Insert(slices.Clone(good), first, text...),
		"an encoding said twice": bytes.Replace(good, []byte("Content-Transfer"), []byte("Content-Transfer-Encoding: 7bit\r\nContent-Transfer"), 1),
		"cut":                    good[:len(good)-9],
	} {
		for kind, outer := range map[string][]byte{"p7m": p7m(t, string(file), false, w.signer(pki.Signer)), "tsd": w.tsd(file, nil)} {
			if all := layers(check(t, outer, w.after(2*time.Hour))); all[0].Verdict != report.Invalid || len(all) != 2 {
				t.Errorf("%s in %s: %d layers, %v", name, kind, len(all), all[0].Verdict)
			}
		}
	}
}

// TestIntegrityOfStamps: it says nothing of who made them, as that of signatures.
func TestIntegrityOfStamps(t *testing.T) {
	w := newWorld(t)
	file := w.tsd([]byte("il contratto"), nil)
	token := w.token([]byte("il contratto"), time.Hour)
	for name, c := range map[string]struct {
		file []byte
		want report.Integrity
	}{
		"good":          {file, report.Intact},
		"another":       {bytes.Replace(file, []byte("contratto"), []byte("CONTRATTO"), 1), report.Broken},
		"cut":           {file[:len(file)-9], report.Broken},
		"without a doc": {token, report.IntegrityUnknown},
	} {
		if r := check(t, c.file, verify.Options{Now: w.after(2 * time.Hour).Now}); r.Verdict == report.Valid || r.Timestamps[0].Integrity != c.want {
			t.Errorf("%s: %v, %+v", name, r.Verdict, r.Timestamps[0])
		}
	}
}
