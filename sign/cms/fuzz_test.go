// SPDX-License-Identifier: Apache-2.0

package cms_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// FuzzRead: whatever comes in, Read ends with a SignedData or one of its own
// errors, Check never panics, and an intact signature is never found over a
// content that wasn't signed.
func FuzzRead(f *testing.F) {
	content := []byte("il contenuto firmato")
	for _, name := range []pki.Name{pki.Signer, pki.SignerP256, pki.SignerEd25519} {
		f.Add(sign(f, content, false, signer(f, name)))
		f.Add(sign(f, content, true, signer(f, name)))
		f.Add(signBER(f, content, signer(f, name)))
	}
	f.Add(sign(f, content, false, signer(f, pki.Signer), signer(f, pki.SecondSigner)))
	pss := signer(f, pki.Signer)
	pss.PSS = true
	f.Add(counter(f, sign(f, content, false, pss), signer(f, pki.SignerP256)))
	f.Add([]byte(base64.StdEncoding.EncodeToString(signBER(f, content, signer(f, pki.SignerP256)))))
	f.Fuzz(func(t *testing.T, in []byte) {
		var got bytes.Buffer
		sd, err := cms.Read(bytes.NewReader(in), cms.ReadOptions{Content: &got})
		if err != nil {
			var format *cms.FormatError
			if !errors.As(err, &format) && !errors.Is(err, cms.ErrNotSignedData) {
				t.Fatalf("an error of neither kind: %v", err)
			}
			return
		}
		if sd.Attached && sd.ContentSize != int64(got.Len()) {
			t.Fatalf("ContentSize %d, %d bytes came out", sd.ContentSize, got.Len())
		}
		for _, s := range sd.Signers {
			c := sd.Check(s)
			for _, other := range s.CounterSignatures() {
				sd.CheckCounter(s, other)
			}
			if sd.Attached && len(c.Findings) == 0 && !bytes.Equal(got.Bytes(), content) {
				t.Fatalf("intact over %q, which nobody signed", got.Bytes())
			}
		}
	})
}
