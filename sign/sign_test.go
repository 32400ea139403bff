// SPDX-License-Identifier: Apache-2.0

package sign_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

var (
	moment = time.Date(2026, 11, 22, 10, 30, 0, 0, time.UTC)
	people = pki.New(moment)
)

func section(data []byte) *io.SectionReader {
	return io.NewSectionReader(bytes.NewReader(data), 0, int64(len(data)))
}

func options(t testing.TB) sign.Options {
	id := people.Must(t, pki.Signer)
	return sign.Options{Time: moment, Signer: cms.Signer{Key: id.Key, Certificate: id.Certificate, Chain: id.Chain}}
}

func signed(t *testing.T, document []byte, o sign.Options) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := sign.Document(context.Background(), &out, section(document), o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestFormatFollowsTheContent(t *testing.T) {
	p7m := signed(t, documents.Plain(), func() sign.Options { o := options(t); o.Format = sign.CAdES; return o }())
	for name, c := range map[string]struct {
		document []byte
		want     sign.Format
	}{
		"PDF":                  {documents.Plain(), sign.PAdES},
		"PDF after some bytes": {append([]byte("\xef\xbb\xbf\n"), documents.Plain()...), sign.PAdES},
		"text":                 {[]byte("hello"), sign.CAdES},
		"nothing":              {nil, sign.CAdES},
		"a signed PDF":         {p7m, sign.CAdES},
		"a stamped PDF":        {stampedPDF(t), sign.CAdES},
	} {
		got, err := sign.Detect(bytes.NewReader(c.document), int64(len(c.document)))
		if err != nil || got != c.want {
			t.Errorf("%s: %v, %v; want %v", name, got, err, c.want)
		}
	}
}

// stampedPDF is a .tsd around a PDF.
func stampedPDF(t *testing.T) []byte {
	t.Helper()
	w := newWorld(t)
	client := w.options(t, sign.LevelT).Stamper.(*timestamp.Client)
	digests, err := timestamp.StampingDigests(client.Hashes(), bytes.NewReader(documents.Plain()), nil)
	if err != nil {
		t.Fatal(err)
	}
	token, err := client.Stamp(t.Context(), digests)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	document := section(documents.Plain())
	if err := timestamp.WriteTSD(&file, document, document.Size(), nil, timestamp.Evidence{Token: token}); err != nil {
		t.Fatal(err)
	}
	return file.Bytes()
}

func TestCAdES(t *testing.T) {
	for name, o := range map[string]sign.Options{"attached": options(t), "detached": options(t)} {
		o.Detached = name == "detached"
		var content bytes.Buffer
		sd, err := cms.Read(bytes.NewReader(signed(t, []byte("ciao"), o)), cms.ReadOptions{Content: &content})
		if err != nil {
			t.Fatal(err)
		}
		if o.Detached {
			err = sd.DigestContent(strings.NewReader("ciao"))
		} else if content.String() != "ciao" {
			t.Errorf("content %q", content.String())
		}
		c := sd.Check(sd.Signers[0])
		if err != nil || !c.ValueMatches || len(c.Findings) > 0 || !c.SigningTime.Equal(moment) {
			t.Errorf("%s: %v, %v, signed at %v", name, err, c.Findings, c.SigningTime)
		}
	}
}

func TestPAdES(t *testing.T) {
	o := options(t)
	o.Field, o.Name, o.Reason, o.Location, o.Contact = "Firma", "Mario", "approvo", "Roma", "mario@example.it"
	out := signed(t, documents.Plain(), o)
	if !bytes.HasPrefix(out, documents.Plain()) {
		t.Error("the document was changed and not only added to")
	}
	doc, err := pdf.Open(bytes.NewReader(out), int64(len(out)))
	if err != nil {
		t.Fatal(err)
	}
	list, err := doc.Signatures()
	if err != nil || len(list) != 1 {
		t.Fatalf("%d signatures, %v", len(list), err)
	}
	s := list[0]
	if s.Field != "Firma" || s.Name != "Mario" || s.Reason != "approvo" || s.Location != "Roma" || s.ContactInfo != "mario@example.it" || !s.Time.Equal(moment) {
		t.Errorf("%+v", s)
	}
}

func TestPAdESOptions(t *testing.T) {
	o := options(t)
	o.Field, o.Certify, o.Appearance = "approval.manager", pdf.FormFilling, &pdf.Appearance{}
	out := signed(t, documents.EmptyField(), o)
	added := string(out[len(documents.EmptyField()):])
	for _, want := range []string{"/DocMDP", "/FieldMDP", "/AP"} {
		if !strings.Contains(added, want) {
			t.Errorf("no %s in what was added", want)
		}
	}
	o = options(t)
	o.Lock = &pdf.FieldLock{Action: pdf.LockInclude, Fields: []string{"nothing"}}
	var field *pdf.FieldError
	if err := sign.Preflight(section(documents.Form()), o); !errors.As(err, &field) {
		t.Errorf("a lock of nothing: %v", err)
	}
}

func TestDetachedPDFIsCAdES(t *testing.T) {
	o := options(t)
	o.Detached = true
	sd, err := cms.Read(bytes.NewReader(signed(t, documents.Plain(), o)), cms.ReadOptions{})
	if err != nil || sd.Attached {
		t.Errorf("attached %v, %v", sd.Attached, err)
	}
	o.Format = sign.PAdES
	if err := sign.Document(context.Background(), io.Discard, section(documents.Plain()), o); !errors.Is(err, sign.ErrDetachedPDF) {
		t.Errorf("detached PAdES: %v", err)
	}
}

func TestPreflightRefusesWhatDocumentRefuses(t *testing.T) {
	damaged := documents.Plain()
	damaged = damaged[:len(damaged)-30]
	taken := signed(t, documents.Plain(), options(t))
	for name, c := range map[string]struct {
		document []byte
		field    string
		bad      bool
	}{
		"good":             {documents.Plain(), "", false},
		"signed before":    {taken, "", false},
		"no PDF":           {[]byte("text"), "", false},
		"damaged":          {damaged, "", true},
		"field name taken": {taken, "Signature1", true},
	} {
		t.Run(name, func(t *testing.T) {
			o := options(t)
			o.Field = c.field
			before := sign.Preflight(section(c.document), sign.Options{Field: c.field})
			after := sign.Document(context.Background(), io.Discard, section(c.document), o)
			if (before != nil) != c.bad || (after != nil) != c.bad {
				t.Errorf("Preflight: %v; Document: %v", before, after)
			}
		})
	}
}

func TestStopped(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for _, document := range [][]byte{documents.Plain(), []byte("text")} {
		if err := sign.Document(ctx, io.Discard, section(document), options(t)); !errors.Is(err, context.Canceled) {
			t.Errorf("cancelled: %v", err)
		}
	}
	if err := sign.Document(context.Background(), io.Discard, section(nil), sign.Options{}); err == nil {
		t.Error("signed without a time")
	}
}

// TestNoFile: what has to be set is named.
func TestNoFile(t *testing.T) {
	o := sign.Options{Level: sign.LevelT}
	for name, err := range map[string]error{
		"AddSigner":   sign.AddSigner(t.Context(), io.Discard, sign.Existing{}, o),
		"CounterSign": sign.CounterSign(t.Context(), io.Discard, sign.Existing{}, 0, o),
		"Extend":      sign.Extend(t.Context(), io.Discard, sign.Existing{}, o),
	} {
		if err == nil || !strings.Contains(err.Error(), "Existing.File is not set") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNoSuchFormat(t *testing.T) {
	o := options(t)
	o.Format = sign.CAdES + 1
	if err := sign.Document(t.Context(), io.Discard, section([]byte("text")), o); err == nil {
		t.Error("signed in a format that there isn't")
	}
}

func ExampleDocument() {
	rossi, err := people.Issue(pki.Signer)
	if err != nil {
		log.Fatal(err)
	}
	document := bytes.NewReader(documents.Plain())
	var out bytes.Buffer
	err = sign.Document(context.Background(), &out, io.NewSectionReader(document, 0, document.Size()), sign.Options{
		Signer: cms.Signer{Key: rossi.Key, Certificate: rossi.Certificate, Chain: rossi.Chain},
		Time:   moment,
	})
	fmt.Println(bytes.HasPrefix(out.Bytes(), documents.Plain()), err)
	// Output: true <nil>
}
