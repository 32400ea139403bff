// SPDX-License-Identifier: Apache-2.0

package cms_test

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

var (
	moment = time.Date(2026, 11, 22, 10, 30, 0, 0, time.UTC)
	people = pki.New(moment)
)

// signer returns a Signer for a person of the test PKI.
func signer(t testing.TB, name pki.Name) cms.Signer {
	id := people.Must(t, name)
	return cms.Signer{Key: id.Key, Certificate: id.Certificate, Chain: id.Chain, SigningTime: moment}
}

// pipe hides everything but Read, as a pipe does.
type pipe struct{ io.Reader }

// sign returns a signature over content.
func sign(t testing.TB, content []byte, detached bool, signers ...cms.Signer) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := cms.Sign(&out, bytes.NewReader(content), cms.Options{Signers: signers, Detached: detached}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// signBER returns an attached signature over content of unknown length.
func signBER(t testing.TB, content []byte, signers ...cms.Signer) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := cms.Sign(&out, pipe{bytes.NewReader(content)}, cms.Options{Signers: signers}); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// read parses a signature and returns it with its content.
func read(t testing.TB, p7m []byte) (*cms.SignedData, []byte) {
	t.Helper()
	var content bytes.Buffer
	sd, err := cms.Read(bytes.NewReader(p7m), cms.ReadOptions{Content: &content})
	if err != nil {
		t.Fatal(err)
	}
	return sd, content.Bytes()
}

// problems lists what a check found.
func problems(c *cms.Check) []cms.Problem {
	var list []cms.Problem
	for _, f := range c.Findings {
		list = append(list, f.Problem)
	}
	return list
}

// wantClean fails unless every signer is intact and CAdES.
func wantClean(t *testing.T, sd *cms.SignedData, signers int) {
	t.Helper()
	if len(sd.Signers) != signers {
		t.Fatalf("%d signers, want %d", len(sd.Signers), signers)
	}
	for i, s := range sd.Signers {
		c := sd.Check(s)
		if !c.ValueMatches || !c.Referenced || len(c.Findings) > 0 || c.Order != cms.OrderDER {
			t.Errorf("signer %d: value %v, referenced %v, order %v, findings %v", i, c.ValueMatches, c.Referenced, c.Order, c.Findings)
		}
		if !c.SigningTime.Equal(moment) {
			t.Errorf("signer %d: signing time %v, want %v", i, c.SigningTime, moment)
		}
	}
}

func variants(t testing.TB) map[string]cms.Signer {
	with := func(s cms.Signer, h crypto.Hash, pss bool) cms.Signer {
		s.Hash, s.PSS = h, pss
		return s
	}
	rsa := signer(t, pki.Signer)
	return map[string]cms.Signer{
		"rsa-sha256":     rsa,
		"rsa-sha384":     with(rsa, crypto.SHA384, false),
		"rsa-sha512":     with(rsa, crypto.SHA512, false),
		"rsa3072-sha256": signer(t, pki.SignerRSA3072),
		"pss-sha256":     with(rsa, crypto.SHA256, true),
		"pss-sha512":     with(rsa, crypto.SHA512, true),
		"p256-sha256":    signer(t, pki.SignerP256),
		"p384-sha384":    with(signer(t, pki.SignerP384), crypto.SHA384, false),
		"p521-sha512":    with(signer(t, pki.SignerP521), crypto.SHA512, false),
		"ed25519":        signer(t, pki.SignerEd25519),
	}
}

func TestRoundTrip(t *testing.T) {
	contents := map[string][]byte{
		"empty": {}, "short": []byte("ciao\n"), "127": bytes.Repeat([]byte{7}, 127), "128": bytes.Repeat([]byte{8}, 128),
		"piece": bytes.Repeat([]byte("0123456789abcdef"), 256<<10/16), "pieces": bytes.Repeat([]byte("fedcba987654321"), 70_000),
	}
	for name, s := range variants(t) {
		for size, content := range contents {
			t.Run(name+"/"+size, func(t *testing.T) {
				for kind, p7m := range map[string][]byte{"DER": sign(t, content, false, s), "BER": signBER(t, content, s)} {
					sd, got := read(t, p7m)
					if !bytes.Equal(got, content) || sd.ContentSize != int64(len(content)) || !sd.Attached {
						t.Errorf("%s: content came back as %d bytes, want %d", kind, len(got), len(content))
					}
					if sd.BER != (kind == "BER") {
						t.Errorf("%s was read as BER: %v", kind, sd.BER)
					}
					wantClean(t, sd, 1)
				}
				sd, _ := read(t, sign(t, content, true, s))
				if sd.Attached {
					t.Error("detached signature has a content")
				}
				if err := sd.DigestContent(bytes.NewReader(content)); err != nil {
					t.Fatal(err)
				}
				wantClean(t, sd, 1)
			})
		}
	}
}

func TestParallelSigners(t *testing.T) {
	second := signer(t, pki.SecondSigner)
	second.Hash = crypto.SHA512
	p7m := sign(t, []byte("due firme"), false, signer(t, pki.Signer), second, signer(t, pki.SignerP256))
	sd, _ := read(t, p7m)
	wantClean(t, sd, 3)
	if n := len(sd.Certificates); n != 4 { // three signers of one CA
		t.Errorf("%d certificates, want 4: each once", n)
	}
}

func TestSignDigest(t *testing.T) {
	content := []byte("the bytes around /Contents")
	for name, s := range variants(t) {
		t.Run(name, func(t *testing.T) {
			s.SigningTime = time.Time{}
			h := s.Hash
			if h == 0 {
				h = crypto.SHA256
			}
			if name == "ed25519" {
				h = crypto.SHA512
			}
			d := h.New()
			d.Write(content)
			der, err := s.SignDigest(d.Sum(nil))
			if err != nil {
				t.Fatal(err)
			}
			if most, err := s.MaxDetachedSize(); err != nil || len(der) > most || most > len(der)+8 {
				t.Errorf("MaxDetachedSize = %d, %v for a signature of %d bytes", most, err, len(der))
			}
			sd, _ := read(t, der)
			if err := sd.DigestContent(bytes.NewReader(content)); err != nil {
				t.Fatal(err)
			}
			c := sd.Check(sd.Signers[0])
			if !c.ValueMatches || !c.Referenced || len(c.Findings) > 0 || !c.SigningTime.IsZero() {
				t.Errorf("value %v, referenced %v, time %v, findings %v", c.ValueMatches, c.Referenced, c.SigningTime, c.Findings)
			}
			if _, err := s.SignDigest([]byte("short")); err == nil {
				t.Error("a digest of the wrong length was signed")
			}
		})
	}
}

func TestArmor(t *testing.T) {
	content := bytes.Repeat([]byte("fattura "), 4000)
	p7m := signBER(t, content, signer(t, pki.Signer))
	text := base64.StdEncoding.EncodeToString(p7m)
	lines := func(end string) string {
		var b strings.Builder
		for rest := text; rest != ""; {
			n := min(64, len(rest))
			b.WriteString(rest[:n] + end)
			rest = rest[n:]
		}
		return b.String()
	}
	for _, c := range []struct {
		name, in string
		want     cms.Armor
	}{
		{"binary", string(p7m), cms.Binary},
		{"one line", text, cms.Base64},
		{"lines", lines("\n"), cms.Base64},
		{"CRLF", lines("\r\n"), cms.Base64},
		{"stray CR", lines("\r\r\n"), cms.Base64},
		{"byte-order mark", "\xef\xbb\xbf" + lines("\n"), cms.Base64},
		{"blank lines first", "\r\n\r\n" + lines("\n"), cms.Base64},
		{"PEM", string(pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: p7m})), cms.PEM},
		{"PEM with CRLF", strings.ReplaceAll(string(pem.EncodeToMemory(&pem.Block{Type: "CMS", Bytes: p7m})), "\n", "\r\n"), cms.PEM},
	} {
		t.Run(c.name, func(t *testing.T) {
			sd, got := read(t, []byte(c.in))
			if sd.Armor != c.want || !bytes.Equal(got, content) {
				t.Errorf("read as %v with %d bytes of content, want %v with %d", sd.Armor, len(got), c.want, len(content))
			}
			wantClean(t, sd, 1)
			if !cms.Recognize(strings.NewReader(c.in)) {
				t.Error("not recognised as CMS")
			}
		})
	}
}

// TestEveryFlippedBit is the law: no bit of the content, of the signed
// attributes or of the signature value can change unnoticed.
func TestEveryFlippedBit(t *testing.T) {
	content := []byte("vendo per 10 euro")
	for _, name := range []pki.Name{pki.Signer, pki.SignerP256} {
		p7m := sign(t, content, false, signer(t, name))
		sd, _ := read(t, p7m)
		signed := map[string][]byte{"content": content, "signature value": sd.Signers[0].Signature}
		for _, a := range sd.Signers[0].SignedAttributes {
			signed[fmt.Sprint("attribute ", a.Type)] = a.Raw
		}
		for what, part := range signed {
			at := bytes.Index(p7m, part)
			if at < 0 {
				t.Fatalf("%s is not in the file", what)
			}
			for bit := range 8 * len(part) {
				forged := bytes.Clone(p7m)
				forged[at+bit/8] ^= 1 << (bit % 8)
				if clean(forged) {
					t.Errorf("%s, %s: bit %d can be flipped", name, what, bit)
				}
			}
		}
	}
}

// clean tells whether a file reads as one intact CAdES signature.
func clean(p7m []byte) bool {
	sd, err := cms.Read(bytes.NewReader(p7m), cms.ReadOptions{})
	if err != nil || len(sd.Signers) != 1 {
		return false
	}
	c := sd.Check(sd.Signers[0])
	return c.ValueMatches && c.Referenced && len(c.Findings) == 0 && sd.Trailing == 0
}

// TestEveryFlippedByte goes over the whole file, where a change may be
// harmless (a version number, an unused certificate) but never crashes.
func TestEveryFlippedByte(t *testing.T) {
	p7m := signBER(t, []byte("ciao"), signer(t, pki.SignerP256))
	for i := range p7m {
		for _, mask := range []byte{0x01, 0x20, 0x80, 0xff} {
			forged := bytes.Clone(p7m)
			forged[i] ^= mask
			sd, err := cms.Read(bytes.NewReader(forged), cms.ReadOptions{})
			if err != nil {
				continue
			}
			for _, s := range sd.Signers {
				sd.Check(s)
			}
		}
	}
}

func TestTruncated(t *testing.T) {
	for kind, p7m := range map[string][]byte{
		"DER": sign(t, []byte("contenuto"), false, signer(t, pki.SignerP256)),
		"BER": signBER(t, []byte("contenuto"), signer(t, pki.SignerP256)),
	} {
		for n := range p7m {
			_, err := cms.Read(bytes.NewReader(p7m[:n]), cms.ReadOptions{})
			var format *cms.FormatError
			if !errors.As(err, &format) && !errors.Is(err, cms.ErrNotSignedData) {
				t.Fatalf("%s cut after %d of %d bytes: %v", kind, n, len(p7m), err)
			}
		}
	}
}

func TestTrailingBytesAreSaid(t *testing.T) {
	p7m := sign(t, []byte("x"), false, signer(t, pki.Signer))
	sd, _ := read(t, append(bytes.Clone(p7m), "more"...))
	if sd.Trailing != 4 {
		t.Errorf("Trailing = %d, want 4", sd.Trailing)
	}
}

// TestTrailingTextIsSaid: what stands behind base64 is counted without white space.
func TestTrailingTextIsSaid(t *testing.T) {
	by := signer(t, pki.Signer)
	dense := func(text string) int64 { return int64(len(strings.Join(strings.Fields(text), ""))) }
	for padding := range 3 {
		p7m := sign(t, bytes.Repeat([]byte("x"), padding+1), false, by)
		bare := base64.StdEncoding.EncodeToString(p7m)
		armored := string(pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: p7m}))
		body, _, _ := strings.Cut(armored, "-----END")
		const some = -1
		for name, c := range map[string]struct {
			text string
			want int64
		}{
			"PEM":                               {armored, 0},
			"PEM, white space":                  {armored + " \r\n\t\n", 0},
			"PEM, stray CR":                     {strings.ReplaceAll(armored, "\n", "\r"), 0},
			"PEM without an END line":           {body, 0},
			"PEM, text":                         {armored + "pay 5 euro\n", 8},
			"PEM, text in the END line":         {strings.TrimSpace(armored) + "abc", 3},
			"PEM, text in place of an END line": {body + "-pay", 4},
			"PEM, text before the END line":     {strings.Replace(armored, "-----END", "*-----END", 1), dense("*-----END PKCS7-----")},
			"PEM twice":                         {armored + armored, dense(armored)},
			"PEM, base64":                       {armored + "QUJD", 4},
			"PEM, much text":                    {armored + strings.Repeat("ab c", 100_000), 300_000},
			"base64":                            {bare + "\r\n", 0},
			"base64, text":                      {bare + "\n!pay", 4},
			"base64, letters":                   {bare + "\npayme", some},
			"base64, a letter":                  {bare + "\np", 1},
			"base64, an END line":               {bare + "\n-----END CMS-----", dense("-----END CMS-----")},
		} {
			sd, err := cms.Read(strings.NewReader(c.text), cms.ReadOptions{})
			switch {
			case err != nil:
				t.Errorf("%s, %d octets: %v", name, len(p7m), err)
			case sd.Trailing != c.want && (c.want != some || sd.Trailing == 0):
				t.Errorf("%s, %d octets: %d trail, want %d", name, len(p7m), sd.Trailing, c.want)
			}
		}
	}
}

// TestMIMEEntity: S/MIME gives base64 a header, which says nothing but what it is.
func TestMIMEEntity(t *testing.T) {
	text := base64.StdEncoding.EncodeToString(sign(t, []byte("il contratto"), false, signer(t, pki.Signer)))
	const kind, encoding = "Content-Type: application/x-pkcs7-mime; smime-type=signed-data; name=\"smime.p7m\"\n", "Content-Transfer-Encoding: Base64\n"
	for name, c := range map[string]struct {
		file string
		want bool
	}{
		"as OpenSSL writes it":  {"MIME-Version: 1.0\nContent-Disposition: attachment; filename=\"smime.p7m\"\n" + kind + encoding + "\n" + text + "\n\n", true},
		"CR LF":                 {strings.ReplaceAll(kind+encoding+"\n", "\n", "\r\n") + text, true},
		"an e-mail":             {"Subject: pago\n" + kind + encoding + "\n" + text, false},
		"an e-mail, said last":  {kind + encoding + "Subject: pago\n\n" + text, false},
		"a type said twice":     {kind + kind + encoding + "\n" + text, false},
		"of another type":       {"Content-Type: text/plain\n" + encoding + "\n" + text, false},
		"of another encoding":   {kind + "Content-Transfer-Encoding: quoted-printable\n\n" + text, false},
		"without an encoding":   {kind + "\n" + text, false},
		"PEM inside":            {kind + encoding + "\n-----BEGIN CMS-----\n" + text + "\n-----END CMS-----\n", false},
		"header without an end": {kind + encoding, false},
	} {
		sd, err := cms.Read(strings.NewReader(c.file), cms.ReadOptions{})
		if cms.Recognize(strings.NewReader(c.file)) != c.want || (err == nil) != c.want || !c.want && !errors.Is(err, cms.ErrNotSignedData) {
			t.Errorf("%s: %v", name, err)
		}
		if c.want && (sd.Armor != cms.Base64 || sd.Trailing != 0 || len(sd.Check(sd.Signers[0]).Findings) > 0) {
			t.Errorf("%s: %v, %d octets trail", name, sd.Armor, sd.Trailing)
		}
	}
}

func TestNotSignedData(t *testing.T) {
	for name, in := range map[string]string{
		"empty": "", "text": "hello, world, this is no signature at all", "zip": "PK\x03\x04",
		"other SEQUENCE": "\x30\x03\x02\x01\x05", "id-data": "\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01",
	} {
		if _, err := cms.Read(strings.NewReader(in), cms.ReadOptions{}); !errors.Is(err, cms.ErrNotSignedData) {
			t.Errorf("%s: %v, want ErrNotSignedData", name, err)
		}
		if cms.Recognize(strings.NewReader(in)) {
			t.Errorf("%s was recognised as CMS", name)
		}
	}
}

func TestFailingReaderAndWriter(t *testing.T) {
	broken := errors.New("the disk is gone")
	p7m := sign(t, bytes.Repeat([]byte{1}, 1000), false, signer(t, pki.Signer))
	_, err := cms.Read(io.MultiReader(bytes.NewReader(p7m[:500]), failing{broken}), cms.ReadOptions{})
	if !errors.Is(err, broken) {
		t.Errorf("reading: %v, want the reader's own error", err)
	}
	_, err = cms.Read(bytes.NewReader(p7m), cms.ReadOptions{Content: failing{broken}})
	var write *cms.WriteError
	if !errors.As(err, &write) || !errors.Is(err, broken) {
		t.Errorf("content writer: %v, want a WriteError", err)
	}
	err = cms.Sign(failing{broken}, strings.NewReader("x"), cms.Options{Signers: []cms.Signer{signer(t, pki.Signer)}})
	if !errors.Is(err, broken) {
		t.Errorf("signing: %v, want the writer's own error", err)
	}
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error)  { return 0, f.err }
func (f failing) Write([]byte) (int, error) { return 0, f.err }

// liar is a key that returns another signature than was asked for.
type liar struct{ crypto.Signer }

func (l liar) Sign(r io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	return l.Signer.Sign(r, bytes.Repeat([]byte{9}, len(digest)), o)
}

func TestRefusedSigners(t *testing.T) {
	good := signer(t, pki.Signer)
	for name, edit := range map[string]func(*cms.Signer){
		"no key":                func(s *cms.Signer) { s.Key = nil },
		"no certificate":        func(s *cms.Signer) { s.Certificate = nil },
		"another's certificate": func(s *cms.Signer) { s.Certificate = people.Must(t, pki.SecondSigner).Certificate },
		"SHA-1":                 func(s *cms.Signer) { s.Hash = crypto.SHA1 },
		"unknown digest":        func(s *cms.Signer) { s.Hash = crypto.BLAKE2b_256 },
		"PSS with an EC key": func(s *cms.Signer) {
			*s = signer(t, pki.SignerP256)
			s.PSS = true
		},
		"a key that lies": func(s *cms.Signer) { s.Key = liar{s.Key} },
	} {
		t.Run(name, func(t *testing.T) {
			s := good
			edit(&s)
			if err := cms.Sign(io.Discard, strings.NewReader("x"), cms.Options{Signers: []cms.Signer{s}}); err == nil {
				t.Error("signed")
			}
		})
	}
	if err := cms.Sign(io.Discard, strings.NewReader("x"), cms.Options{}); err == nil {
		t.Error("signed by nobody")
	}
}

// growing changes between the two passes that an ECDSA signature takes.
type growing struct {
	*bytes.Reader
	passes int
}

func (g *growing) Seek(off int64, whence int) (int64, error) {
	if whence == io.SeekStart && off == 0 {
		if g.passes++; g.passes == 2 {
			g.Reader = bytes.NewReader([]byte("vendo per 99 euro"))
		}
	}
	return g.Reader.Seek(off, whence)
}

func TestContentThatChangesWhileSigned(t *testing.T) {
	content := &growing{Reader: bytes.NewReader([]byte("vendo per 10 euro"))}
	err := cms.Sign(io.Discard, content, cms.Options{Signers: []cms.Signer{signer(t, pki.SignerP256)}})
	if err == nil || content.passes < 2 {
		t.Errorf("a content that changed was signed (%d passes)", content.passes)
	}
}

func TestMissingHashes(t *testing.T) {
	p7m := sign(t, []byte("ciao"), false, signer(t, pki.Signer))
	announced := []byte{0x31, 0x0d, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01}
	at := bytes.Index(p7m, announced)
	if at < 0 {
		t.Fatal("digestAlgorithms not found")
	}
	p7m[at+len(announced)-1] = 0x03 // announces SHA-512
	sd, _ := read(t, p7m)
	missing := sd.MissingHashes()
	if len(missing) != 1 || missing[0] != crypto.SHA256 {
		t.Fatalf("MissingHashes = %v, want SHA-256", missing)
	}
	if c := sd.Check(sd.Signers[0]); !c.Has(cms.ContentMissing) {
		t.Errorf("a content that was not digested: %v", problems(c))
	}
	sd, err := cms.Read(bytes.NewReader(p7m), cms.ReadOptions{Hashes: missing})
	if err != nil {
		t.Fatal(err)
	}
	wantClean(t, sd, 1)
}

// stranger returns a certificate that its holder never used: for the key of
// one person, with the serial number of another's.
func stranger(t *testing.T, key, certificate pki.Name) *x509.Certificate {
	t.Helper()
	twin, err := people.IssueCustom(pki.QualifiedCA, people.Must(t, key).Key, func(c *x509.Certificate) {
		c.SerialNumber = people.Must(t, certificate).Certificate.SerialNumber
		c.NotAfter = c.NotAfter.Add(time.Hour)
	})
	if err != nil {
		t.Fatal(err)
	}
	return twin.Certificate
}

// fullSoon fails after some writes.
type fullSoon struct{ left int }

func (f *fullSoon) Write(p []byte) (int, error) {
	if f.left--; f.left < 0 {
		return 0, errFull
	}
	return len(p), nil
}

var errFull = errors.New("no space left")

// TestCopy copies around the sizes of its pieces, from readers that give what they
// like, to writers that fail at any moment.
func TestCopy(t *testing.T) {
	const piece = 256 << 10
	for _, size := range []int{0, 1, piece/8 - 1, piece / 8, piece/8 + 1, piece, 3*piece + piece/8, 12*piece + 7, 30 * piece} {
		content := make([]byte, size)
		for i := range content {
			content[i] = byte(i / 1000)
		}
		for name, src := range map[string]io.Reader{"whole": bytes.NewReader(content), "halves": iotest.HalfReader(bytes.NewReader(content)), "early end": iotest.DataErrReader(bytes.NewReader(content))} {
			var dst bytes.Buffer
			sum := sha256.New()
			n, err := cms.Copy(&dst, sum, src)
			if want := sha256.Sum256(content); err != nil || n != int64(size) || !bytes.Equal(dst.Bytes(), content) || !bytes.Equal(sum.Sum(nil), want[:]) {
				t.Errorf("%d octets, %s: %d, %v", size, name, n, err)
			}
		}
		for left := range 12 {
			if _, err := cms.Copy(&fullSoon{left}, io.Discard, bytes.NewReader(content)); err != nil && !errors.Is(err, errFull) || err == nil && size > (left+1)*piece {
				t.Errorf("%d octets, %d writes: %v", size, left, err)
			}
		}
		broken := io.MultiReader(bytes.NewReader(content), iotest.ErrReader(errFull))
		if _, err := cms.Copy(io.Discard, io.Discard, broken); !errors.Is(err, errFull) {
			t.Errorf("%d octets and an error: %v", size, err)
		}
		if _, err := cms.Copy(&bytes.Buffer{}, io.Discard, io.MultiReader(bytes.NewReader(content), iotest.ErrReader(errFull))); !errors.Is(err, errFull) {
			t.Errorf("%d octets and an error: %v", size, err)
		}
	}
}
