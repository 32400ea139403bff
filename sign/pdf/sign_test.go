// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

func TestSignRoundTrip(t *testing.T) {
	for _, doc := range documents.All() {
		t.Run(doc.Name, func(t *testing.T) {
			before := mustOpen(t, doc.PDF)
			signed := mustSign(t, doc.PDF, options(t, pki.Signer))
			s := onlySignature(t, signed)
			wantCoverage(t, s, CoversWholeFile)
			mustBeIntact(t, s)
			after := mustOpen(t, signed)
			if got, want := len(after.Revisions()), len(before.Revisions())+1; got != want {
				t.Errorf("%d revisions, want %d", got, want)
			}
			if before.newest().stream != after.newest().stream {
				t.Error("the kind of cross-reference section changed")
			}
			if want := before.newest().root; after.newest().root != want {
				t.Errorf("catalog is %v, want %v", after.newest().root, want)
			}
		})
	}
}

func TestSignTwice(t *testing.T) {
	for _, doc := range documents.All() {
		t.Run(doc.Name, func(t *testing.T) {
			once := mustSign(t, doc.PDF, options(t, pki.Signer))
			twice := mustSign(t, once, options(t, pki.SecondSigner))
			list := signatures(t, twice)
			if len(list) != 2 {
				t.Fatalf("%d signatures, want 2", len(list))
			}
			first, second := list[0], list[1]
			wantCoverage(t, first, CoversRevision)
			wantCoverage(t, second, CoversWholeFile)
			if got, want := first.AppendedBytes, int64(len(twice)-len(once)); got != want {
				t.Errorf("%d bytes appended after the first signature, want %d", got, want)
			}
			if first.Field != "Signature1" || second.Field != "Signature2" {
				t.Errorf("fields %q and %q", first.Field, second.Field)
			}
			mustBeIntact(t, first)
			mustBeIntact(t, second)
		})
	}
}

// A document that ends without a line end gets one, which belongs to its %%EOF.
func TestSignWithoutFinalLineEnd(t *testing.T) {
	for _, end := range []string{"", "\r", "\n", "\r\n"} {
		file := append(bytes.TrimRight(documents.Plain(), "\r\n"), end...)
		once := mustSign(t, file, options(t, pki.Signer))
		once = once[:len(once)-1]
		twice := mustSign(t, once, options(t, pki.Signer))
		wantCoverage(t, onlySignature(t, append(once, '\n')), CoversWholeFile)
		wantCoverage(t, signatures(t, twice)[0], CoversRevision)
		mustBeIntact(t, signatures(t, twice)[0])
	}
}

func TestSignKeys(t *testing.T) {
	for _, tt := range []struct {
		name string
		key  pki.Name
		hash crypto.Hash
		pss  bool
	}{
		{"RSA", pki.Signer, 0, false},
		{"RSA with SHA-512", pki.Signer, crypto.SHA512, false},
		{"RSA-PSS with SHA-384", pki.Signer, crypto.SHA384, true},
		{"P-256", pki.SignerP256, 0, false},
		{"P-384 with SHA-384", pki.SignerP384, crypto.SHA384, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := options(t, tt.key)
			o.Signer.Hash, o.Signer.PSS = tt.hash, tt.pss
			s := onlySignature(t, mustSign(t, documents.Plain(), o))
			wantCoverage(t, s, CoversWholeFile)
			mustBeIntact(t, s)
		})
	}
}

func TestSignatureDictionary(t *testing.T) {
	o := options(t, pki.Signer)
	o.Signer.SigningTime = now // must not reach the CMS
	o.FieldName = "Firma è (qui)"
	o.Name, o.Reason = "MARIO ROSSI", `perché "sì" \ (forse)`
	o.Location, o.ContactInfo = "Forlì – 日本 🖋", "line one\r\nline (two"
	s := onlySignature(t, mustSign(t, documents.Form(), o))
	for _, tt := range []struct{ what, got, want string }{
		{"field", s.Field, o.FieldName},
		{"name", s.Name, o.Name},
		{"reason", s.Reason, o.Reason},
		{"location", s.Location, o.Location},
		{"contact", s.ContactInfo, o.ContactInfo},
		{"type", s.Type, "Sig"},
		{"filter", s.Filter, "Adobe.PPKLite"},
		{"subfilter", s.SubFilter, "ETSI.CAdES.detached"},
		{"time", s.Time.Format(time.RFC3339), now.Format(time.RFC3339)},
	} {
		if tt.got != tt.want {
			t.Errorf("%s %q, want %q", tt.what, tt.got, tt.want)
		}
	}
	signingTime := []byte{0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x05}
	if bytes.Contains(s.Contents, signingTime) {
		t.Error("the CMS has a signing-time attribute")
	}
}

// TestFormSurvives compares the source text of everything the form had.
func TestFormSurvives(t *testing.T) {
	for _, doc := range documents.All() {
		t.Run(doc.Name, func(t *testing.T) {
			before, after := mustOpen(t, doc.PDF), mustOpen(t, mustSign(t, doc.PDF, options(t, pki.Signer)))
			old, err := before.form()
			if err != nil {
				t.Fatal(err)
			}
			form, err := after.form()
			if err != nil {
				t.Fatal(err)
			}
			sameText(t, "form", old, form, "Fields", "SigFlags")
			if n, _ := form.integer("SigFlags"); n&sigFlags != sigFlags {
				t.Errorf("/SigFlags %d", n)
			}
			oldPage, _, err := before.firstPage()
			if err != nil {
				t.Fatal(err)
			}
			page, _, err := after.firstPage()
			if err != nil {
				t.Fatal(err)
			}
			sameText(t, "page", oldPage, page, "Annots")
			oneMore(t, "Fields", before, after, old.get("Fields"), form.get("Fields"))
			oneMore(t, "Annots", before, after, oldPage.get("Annots"), page.get("Annots"))
		})
	}
}

// sameText checks that all entries of old are in d with the same text, but for
// the keys named.
func sameText(t *testing.T, what string, old, d *dict, except ...name) {
	t.Helper()
	if old == nil {
		return
	}
	for _, e := range old.entries {
		skip := false
		for _, key := range except {
			skip = skip || key == e.key
		}
		if skip {
			continue
		}
		if got, want := rawText(t, d, e.key), rawText(t, old, e.key); got != want {
			t.Errorf("%s: /%s is %q, want %q", what, e.key, got, want)
		}
	}
}

func rawText(t *testing.T, d *dict, key name) string {
	t.Helper()
	e := d.find(key)
	if e == nil {
		return ""
	}
	raw, err := readSpan(d.src, e.at)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// oneMore checks that the new array is the old one with one reference added.
func oneMore(t *testing.T, what string, before, after *Document, old, now object) {
	t.Helper()
	was, err := as[*array](before, old)
	if err != nil {
		t.Fatal(err)
	}
	is, err := as[*array](after, now)
	if err != nil || is == nil {
		t.Fatalf("/%s: %v, %v", what, is, err)
	}
	var items []object
	if was != nil {
		items = was.items
	}
	if len(is.items) != len(items)+1 {
		t.Fatalf("/%s has %d items, want %d", what, len(is.items), len(items)+1)
	}
	for i, o := range items {
		if is.items[i] != o {
			t.Errorf("/%s: item %d is %v, want %v", what, i, is.items[i], o)
		}
	}
}

// A page and a form can have one array in common: it gets the field once.
func TestSharedArray(t *testing.T) {
	file := makePDF("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields 4 0 R >> >>", pagesObject,
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 9 9] /Annots 4 0 R >>", "[]")
	signed := mustSign(t, file, options(t, pki.Signer))
	wantCoverage(t, onlySignature(t, signed), CoversWholeFile)
	if n := bytes.Count(signed, []byte("4 0 obj")); n != 2 {
		t.Errorf("the array was written %d times, want 2", n)
	}
}

func TestJunkAroundTheFile(t *testing.T) {
	for _, tt := range []struct {
		name, before, after string
	}{
		{"before the header", "HTTP/1.1 200 OK\r\n\r\n", ""},
		{"after the end", "", strings.Repeat("\x00", 3000)},
		{"both", "\x0c\n", "<!-- served by -->"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, doc := range documents.All() {
				file := []byte(tt.before + string(doc.PDF) + tt.after)
				s := onlySignature(t, mustSign(t, file, options(t, pki.Signer)))
				wantCoverage(t, s, CoversWholeFile)
				mustBeIntact(t, s)
			}
		})
	}
}

// untouchable fails the test when it is used.
type untouchable struct {
	crypto.Signer
	t *testing.T
}

func (u untouchable) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	u.t.Error("the key was used")
	return nil, errors.New("not here")
}

func (u untouchable) Write(b []byte) (int, error) {
	u.t.Errorf("%d bytes were written", len(b))
	return len(b), nil
}

// certified is a document with a DocMDP signature of the given level.
func certified(perms, level string) []byte {
	return makePDF("<< /Type /Catalog /Pages 2 0 R "+perms+" /AcroForm << /Fields [5 0 R] >> >>", pagesObject, pageObject,
		"<< /Type /Sig /Reference [<< /TransformMethod /DocMDP /TransformParams << /P "+level+" /V /1.2 >> >>] >>",
		"<< /FT /Sig /T (Cert) /V 4 0 R >>")
}

func TestRefusals(t *testing.T) {
	encrypted := bytes.Replace(documents.Plain(), []byte("trailer\n<<"), []byte("trailer\n<< /Encrypt 99 0 R"), 1)
	noPages := makePDF("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [] /Count 0 >>")
	loop := makePDF("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [2 0 R] /Count 1 >>")
	directPage := makePDF("<< /Type /Catalog /Pages 2 0 R >>", "<< /Type /Pages /Kids [<< /Type /Page >>] /Count 1 >>")
	locked := makePDF("<< /Type /Catalog /Pages 2 0 R /AcroForm << /Fields [5 0 R] >> >>", pagesObject, pageObject,
		"<< /Type /Sig >>", "<< /FT /Sig /T (A) /V 4 0 R /Lock << /Action /All /P 1 >> >>")
	plain := documents.Plain()
	for _, tt := range []struct {
		name string
		file []byte
		edit func(*SignOptions)
		want any // a pointer to the type wanted, or the error itself
		text string
	}{
		{"not a PDF", []byte("hello"), nil, ErrNotPDF, ""},
		{"empty", nil, nil, ErrNotPDF, ""},
		{"cut short", plain[:len(plain)-40], nil, new(*DamagedError), ""},
		{"no %%EOF", bytes.Replace(plain, []byte("%%EOF"), []byte("%%FOE"), 1), nil, new(*DamagedError), "no startxref with %%EOF"},
		{"wrong startxref", bytes.Replace(plain, []byte("startxref\n"), []byte("startxref\n1"), 1), nil, new(*DamagedError), ""},
		{"startxref in a longer word", bytes.Replace(plain, []byte("\nstartxref"), []byte("\astartxref"), 1), nil, new(*DamagedError), "another word"},
		{"encrypted", encrypted, nil, new(*EncryptedError), "encrypted"},
		{"no page", noPages, nil, new(*DamagedError), "no page"},
		{"page tree with a loop", loop, nil, new(*DamagedError), "page tree"},
		{"direct page", directPage, nil, new(*DamagedError), "page tree"},
		{"certified by field", certified("", "1"), nil, new(*PermissionError), "certification forbids"},
		{"certified by /Perms", certified("/Perms << /DocMDP 4 0 R >>", "1"), nil, new(*PermissionError), "certification forbids"},
		{"locked", locked, nil, new(*PermissionError), `"A" forbids`},
		{"field taken", documents.Form(), func(o *SignOptions) { o.FieldName = "city" }, new(*FieldError), `"city"`},
		{"field with a full stop", plain, func(o *SignOptions) { o.FieldName = "a.b" }, new(*FieldError), `"a.b"`},
		{"no time", plain, func(o *SignOptions) { o.SigningTime = time.Time{} }, nil, "no signing time"},
		{"no certificate", plain, func(o *SignOptions) { o.Signer.Certificate = nil }, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			o := options(t, pki.Signer)
			nothing := untouchable{o.Signer.Key, t}
			o.Signer.Key = nothing
			if tt.edit != nil {
				tt.edit(&o)
			}
			err := Sign(context.Background(), nothing, bytes.NewReader(tt.file), int64(len(tt.file)), o)
			if err == nil || !strings.Contains(err.Error(), tt.text) {
				t.Fatalf("error %v, want one with %q", err, tt.text)
			}
			switch want := tt.want.(type) {
			case nil:
			case error:
				if !errors.Is(err, want) {
					t.Errorf("error %v, want %v", err, want)
				}
			default:
				if !errors.As(err, want) {
					t.Errorf("error %v of type %T, want %T", err, err, want)
				}
			}
		})
	}
}

// Certification that permits forms permits signatures, ISO 32000-2, table 257.
func TestCertifiedForForms(t *testing.T) {
	for _, level := range []string{"2", "3", "null"} {
		file := certified("/Perms << /DocMDP 4 0 R >>", level)
		if _, err := signBytes(file, options(t, pki.Signer)); err != nil {
			t.Errorf("level %s: %v", level, err)
		}
	}
}

func TestKeyErrorIsReachable(t *testing.T) {
	o := options(t, pki.Signer)
	broken := errors.New("card pulled out")
	o.Signer.Key = failingKey{o.Signer.Key, broken}
	if _, err := signBytes(documents.Plain(), o); !errors.Is(err, broken) {
		t.Errorf("error %v, want %v", err, broken)
	}
}

type failingKey struct {
	crypto.Signer
	err error
}

func (k failingKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, k.err }

func TestSignCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	o := options(t, pki.Signer)
	nothing := untouchable{o.Signer.Key, t}
	o.Signer.Key = nothing
	plain := documents.Plain()
	if err := Sign(ctx, nothing, bytes.NewReader(plain), int64(len(plain)), o); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want %v", err, context.Canceled)
	}
}

// fullDisk takes so many bytes and no more.
type fullDisk struct{ room int }

var errFull = errors.New("no space left")

func (d *fullDisk) Write(b []byte) (int, error) {
	if len(b) > d.room {
		return d.room, errFull
	}
	d.room -= len(b)
	return len(b), nil
}

func TestSignWriteError(t *testing.T) {
	plain := documents.Plain()
	for _, room := range []int{0, len(plain), len(plain) + 100} {
		err := Sign(context.Background(), &fullDisk{room}, bytes.NewReader(plain), int64(len(plain)), options(t, pki.Signer))
		if !errors.Is(err, errFull) {
			t.Errorf("with room for %d bytes: error %v", room, err)
		}
	}
}

// hole is a file with a long run of zeros in the middle that nobody stores.
type hole struct {
	head, tail []byte
	zeros      int64
}

func (h hole) size() int64 { return int64(len(h.head)) + h.zeros + int64(len(h.tail)) }

func (h hole) ReadAt(b []byte, at int64) (int, error) {
	for i := range b {
		switch at := at + int64(i); {
		case at >= h.size():
			return i, io.EOF
		case at < int64(len(h.head)):
			b[i] = h.head[at]
		case at < int64(len(h.head))+h.zeros:
			b[i] = 0
		default:
			b[i] = h.tail[at-int64(len(h.head))-h.zeros]
		}
	}
	return len(b), nil
}

// huge makes an update of a document stand after so many bytes.
func huge(t *testing.T, file []byte, zeros int64) hole {
	t.Helper()
	newest := mustOpen(t, file).newest()
	if newest.stream {
		t.Fatal("a document with a table is needed")
	}
	h := hole{head: file, zeros: zeros}
	start := int64(len(file)) + zeros
	h.tail = []byte("7 0 obj\n<< /Type /XRef /Size 8 /W [1 8 1] /Index [7 1] /Root 1 0 R /Length 10 /Prev ")
	h.tail = appendInt(h.tail, newest.start, " >>\nstream\n\x01")
	for shift := 56; shift >= 0; shift -= 8 {
		h.tail = append(h.tail, byte(start>>shift))
	}
	h.tail = append(h.tail, "\x00\nendstream\nendobj\nstartxref\n"...)
	h.tail = appendInt(h.tail, start, "\n%%EOF\n")
	return h
}

// Offsets past ten digits fit into /ByteRange and a cross-reference stream, and
// are refused where there is only a table.
func TestSignHugeFile(t *testing.T) {
	big := huge(t, documents.Plain(), 20_000_000_000)
	d, err := Open(big, big.size())
	if err != nil {
		t.Fatal(err)
	}
	p, err := prepare(d, options(t, pki.Signer))
	if err != nil {
		t.Fatal(err)
	}
	signed := hole{head: big.head, zeros: big.zeros, tail: append(big.tail, p.update...)}
	d, err = Open(signed, signed.size())
	if err != nil {
		t.Fatal(err)
	}
	list, err := d.Signatures()
	if err != nil || len(list) != 1 {
		t.Fatalf("%d signatures, %v", len(list), err)
	}
	wantCoverage(t, list[0], CoversPart, ProblemContentsEmpty) // nothing was signed
	if got := list[0].rangeEnd(); got != signed.size() {
		t.Errorf("the byte range ends at %d, want %d", got, signed.size())
	}

	u := &update{doc: mustOpen(t, documents.Plain()), at: maxTableOffset + 1}
	if _, err := u.finish(nil); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("error %v for a table past ten digits", err)
	}
}

func appendInt(b []byte, n int64, after string) []byte {
	return append(strconv.AppendInt(b, n, 10), after...)
}
