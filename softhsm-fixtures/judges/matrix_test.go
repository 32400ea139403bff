// SPDX-License-Identifier: Apache-2.0

package judges_test

import (
	"bytes"
	"context"
	"image"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
	"github.com/pectoken/pectoken/verify/trust"
)

// source is a row of the matrix: a document that a program other than ours made.
type source struct {
	name string
	make func(*testing.T) []byte
	// sign has another program sign the document, not as PAdES; nil for no such
	// signature.
	sign      func(*testing.T, []byte) []byte
	encrypted bool // by make
	adobe     bool // encrypted in a way that never became a standard, and that pyHanko does not open
}

// sources returns the rows of the matrix.
func sources(p *pki.PKI) []source {
	var rows []source
	for _, producer := range judges.Producers() {
		rows = append(rows, source{name: producer.Name, make: func(t *testing.T) []byte { return produced(t, producer) }})
	}
	rows = append(rows,
		source{name: "poppler, signed",
			make: func(*testing.T) []byte { return documents.Streams() },
			sign: func(t *testing.T, document []byte) []byte { return popplerSigned(t, p, document) }},
		source{name: "mupdf, filled form", make: func(t *testing.T) []byte { return filled(t, documents.FormStreams(), "Roma") }})
	for _, way := range []struct {
		name             string
		as               judges.Rewrite
		encrypted, adobe bool
	}{
		{"table", judges.NoObjectStreams, false, false},
		{"uncompressed", judges.Uncompressed, false, false},
		{"linearized", judges.Linearized, false, false},
		{"RC4-40", judges.RC4With40Bits, true, false},
		{"RC4-128", judges.RC4With128Bits, true, false},
		{"RC4, revision 4", judges.RC4WithFilters, true, false},
		{"AES-128", judges.AES128, true, false},
		{"AES-128, object streams", judges.AES128Streams, true, false},
		{"AES-256, revision 5", judges.AES256Early, true, true},
		{"AES-256, object streams", judges.EncryptedStreams, true, false},
	} {
		rows = append(rows, source{name: "qpdf " + way.name, encrypted: way.encrypted, adobe: way.adobe,
			make: func(t *testing.T) []byte { return rewritten(t, documents.Form(), way.as) }})
	}
	return rows
}

func produced(t *testing.T, producer judges.Producer) []byte {
	judges.Need(t, producer.Tool)
	made, err := producer.Make(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// popplerSigned has pdfsig sign a document.
func popplerSigned(t *testing.T, p *pki.PKI, document []byte) []byte {
	for _, tool := range []string{"pdfsig", "certutil", "pk12util", "openssl"} {
		judges.Need(t, tool)
	}
	out := filepath.Join(t.TempDir(), "out.pdf")
	if err := judges.PDFSigAdd(t.Context(), p.Must(t, pki.SecondSigner), file(t, "in.pdf", document), out); err != nil {
		t.Fatal(err)
	}
	return read(t, out)
}

// filled has MuPDF enter another value in the text fields that have this one.
func filled(t *testing.T, form []byte, before string) []byte {
	judges.Need(t, "mutool")
	out := filepath.Join(t.TempDir(), "out.pdf")
	if err := judges.MuPDFFill(t.Context(), file(t, "in.pdf", form), out, before, "Milano"); err != nil {
		t.Fatal(err)
	}
	if made := read(t, out); !bytes.Equal(made, form) {
		return made
	}
	t.Fatal("nothing was filled in")
	return nil
}

func rewritten(t *testing.T, document []byte, as judges.Rewrite) []byte {
	judges.Need(t, "qpdf")
	out := filepath.Join(t.TempDir(), "out.pdf")
	if err := judges.QPDFRewrite(t.Context(), file(t, "in.pdf", document), out, as); err != nil {
		t.Fatal(err)
	}
	return read(t, out)
}

// Where the fields are that pyHanko adds, in points.
var (
	textBox      = []int{72, 400, 300, 420}
	signatureBox = []int{72, 300, 272, 360}
)

// stage is a state of a source that signing begins with.
type stage int

const (
	asMade      stage = iota
	withForm          // with an empty text field
	withField         // with an empty signature field
	asEncrypted       // by qpdf
)

// feature is a column of the matrix: a way to sign.
type feature struct {
	name  string
	from  stage
	steps []step
	// differs is what of the page the last step makes look different; nil for
	// nothing.
	differs func(page image.Rectangle) image.Rectangle
}

// step does something to a document.
type step struct {
	signs bool
	do    func(*testing.T, *pki.PKI, []byte) []byte
}

// features are the columns of the matrix.
var features = []feature{
	{"plain", asMade, []step{signing(pki.Signer, nil)}, nil},
	{"twice", asMade, []step{signing(pki.Signer, nil), signing(pki.SignerP256, nil)}, nil},
	{"certified", withForm, []step{signing(pki.Signer, certify)}, nil},
	{"certified, then filled", withForm, []step{signing(pki.Signer, certify), filling}, onPage(textBox)},
	{"visible", asMade, []step{signing(pki.SignerP256, func(o *pdf.SignOptions) {
		o.Appearance = &pdf.Appearance{Border: true}
	})}, bottomRight},
	{"existing field", withField, []step{signing(pki.Signer, func(o *pdf.SignOptions) {
		o.FieldName, o.Appearance = "Here", &pdf.Appearance{Border: true}
	})}, onPage(signatureBox)},
	{"encrypted", asEncrypted, []step{signing(pki.Signer, nil)}, nil},
}

// signing is the step of signing as the options say once edit has changed them.
func signing(name pki.Name, edit func(*pdf.SignOptions)) step {
	return step{signs: true, do: func(t *testing.T, p *pki.PKI, document []byte) []byte {
		o := pdf.SignOptions{Signer: ours(p.Must(t, name)), SigningTime: time.Now()}
		if edit != nil {
			edit(&o)
		}
		var out bytes.Buffer
		if err := pdf.Sign(t.Context(), &out, bytes.NewReader(document), int64(len(document)), o); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}}
}

func certify(o *pdf.SignOptions) { o.Certify = pdf.FormFilling }

var filling = step{do: func(t *testing.T, _ *pki.PKI, document []byte) []byte { return filled(t, document, "") }}

// onPage is a place given from the bottom left.
func onPage(box []int) func(image.Rectangle) image.Rectangle {
	return func(page image.Rectangle) image.Rectangle {
		return image.Rect(box[0], page.Dy()-box[3], box[2], page.Dy()-box[1])
	}
}

// bottomRight is where a visible signature stands when nothing else is said.
func bottomRight(page image.Rectangle) image.Rectangle {
	corner := page.Max.Sub(image.Pt(36, 36))
	return image.Rectangle{corner.Sub(image.Pt(200, 60)), corner}
}

// cell is a document of the matrix.
type cell struct {
	row           source
	name          string
	before, after string // the paths of what the last step began with, and of what came out
	theirs, ours  int    // how many signatures are the producer's, and ours
	changed       bool   // it was changed after the last signature
	differs       func(page image.Rectangle) image.Rectangle
}

// TestInteropMatrix signs documents of many programs in many ways, and asks every
// judge about each.
func TestInteropMatrix(t *testing.T) {
	p := pki.New(time.Now())
	all := cells(t, p)
	root, anchors := file(t, "root.pem", p.RootPEM()), trust.NewAnchors(p.Must(t, pki.Root).Certificate)
	for _, judge := range []struct {
		name string
		need func(*testing.T) func(*testing.T, cell)
	}{
		{"pectoken", func(t *testing.T) func(*testing.T, cell) {
			return func(t *testing.T, c cell) { wantValid(t, c, anchors) }
		}},
		{"qpdf", func(t *testing.T) func(*testing.T, cell) { judges.Need(t, "qpdf"); return wantWellFormed }},
		{"pdfsig", func(t *testing.T) func(*testing.T, cell) { judges.Need(t, "pdfsig"); return wantPDFSig }},
		{"pdftoppm", func(t *testing.T) func(*testing.T, cell) { judges.Need(t, "pdftoppm"); return wantLook }},
		{"pyHanko", func(t *testing.T) func(*testing.T, cell) {
			pyHanko := judges.NeedPyHanko(t)
			return func(t *testing.T, c cell) { wantPyHanko(t, pyHanko, c, root) }
		}},
		{"DSS", func(t *testing.T) func(*testing.T, cell) {
			dss := judges.NeedDSS(t)
			return func(t *testing.T, c cell) { wantDSS(t, dss, c, root) }
		}},
	} {
		t.Run(judge.name, func(t *testing.T) {
			t.Parallel()
			ask := judge.need(t)
			for _, c := range all {
				t.Run(c.name, func(t *testing.T) { ask(t, c) })
			}
		})
	}
}

// cells makes the documents of the matrix. What can't be made, for want of a
// program, is skipped by its name.
func cells(t *testing.T, p *pki.PKI) (all []cell) {
	dir := t.TempDir()
	rows := sources(p)
	made := map[string]map[stage][]byte{}
	t.Run("made", func(t *testing.T) {
		for _, row := range rows {
			t.Run(row.name, func(t *testing.T) { made[row.name] = row.stages(t) })
		}
	})
	t.Run("fields added", func(t *testing.T) {
		pyHanko := judges.NeedPyHanko(t)
		for _, row := range rows {
			if from := made[row.name]; from != nil && !row.adobe {
				t.Run(row.name, func(t *testing.T) { row.addFields(t, pyHanko, from) })
			}
		}
	})
	t.Run("signed", func(t *testing.T) {
		for _, row := range rows {
			for _, f := range features {
				if document := made[row.name][f.from]; document != nil {
					t.Run(row.name+"/"+f.name, func(t *testing.T) { all = append(all, f.cell(t, p, dir, row, document)) })
				}
			}
		}
	})
	return all
}

// stages returns the states of a source without new fields.
func (row source) stages(t *testing.T) map[stage][]byte {
	from := map[stage][]byte{asMade: row.make(t)}
	if !row.encrypted {
		from[asEncrypted] = rewritten(t, from[asMade], judges.Encrypted)
	}
	if row.sign != nil {
		for s, document := range from {
			from[s] = row.sign(t, document)
		}
	}
	return from
}

// addFields adds the states for which pyHanko adds fields. Who signed a document
// did not permit to make a form of it.
func (row source) addFields(t *testing.T, pyHanko *judges.PyHanko, from map[stage][]byte) {
	document := from[asMade]
	add := func(by func(context.Context, string, string, judges.PDFField) error, field judges.PDFField) []byte {
		out := filepath.Join(t.TempDir(), "out.pdf")
		if err := by(t.Context(), file(t, "in.pdf", document), out, field); err != nil {
			t.Fatal(err)
		}
		return read(t, out)
	}
	from[withField] = add(pyHanko.AddField, judges.PDFField{Name: "Here", Box: signatureBox})
	if row.sign == nil {
		from[withForm] = add(pyHanko.AddTextField, judges.PDFField{Name: "place", Box: textBox})
	}
}

// cell makes one document of the matrix, in dir.
func (f feature) cell(t *testing.T, p *pki.PKI, dir string, row source, document []byte) cell {
	c := cell{row: row, name: row.name + "/" + f.name, differs: f.differs}
	if row.sign != nil {
		c.theirs = 1
	}
	before := document
	for _, s := range f.steps {
		before, document = document, s.do(t, p, document)
		c.changed = !s.signs
		if s.signs {
			c.ours++
		}
	}
	c.before, c.after = keep(t, dir, c.name+" before", before), keep(t, dir, c.name, document)
	return c
}

// keep writes a document to a file in dir.
func keep(t *testing.T, dir, name string, document []byte) string {
	t.Helper()
	path := filepath.Join(dir, strings.ReplaceAll(name, "/", " ")+".pdf")
	if err := os.WriteFile(path, document, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func wantValid(t *testing.T, c cell, anchors *trust.Anchors) {
	said, err := verify.File(t.Context(), section(t, c.after), verify.Options{Trust: anchors, Now: time.Now()})
	if err != nil || len(said.Signatures) != c.theirs+c.ours || said.Verdict != report.Valid {
		t.Fatalf("%+v, %v", said, err)
	}
	for i, s := range said.Signatures {
		last := i == len(said.Signatures)-1 && !c.changed
		if (s.Format == "PAdES") != (i >= c.theirs) || s.ModifiedAfterSigning || last != (s.Covers == report.WholeFile) {
			t.Errorf("%+v", s)
		}
	}
}

func wantWellFormed(t *testing.T, c cell) {
	if err := judges.QPDFCheck(t.Context(), c.after); err != nil {
		t.Error(err)
	}
}

func wantPDFSig(t *testing.T, c cell) {
	said, err := judges.PDFSig(t.Context(), c.after)
	if err != nil {
		t.Fatal(err)
	}
	said = slices.DeleteFunc(said, func(s judges.PDFSignature) bool { return !s.Signed })
	if len(said) != c.theirs+c.ours {
		t.Fatalf("%d signatures, want %d of theirs and %d of ours", len(said), c.theirs, c.ours)
	}
	whole := 0
	for _, s := range said {
		if !s.Valid {
			t.Errorf("%+v", s)
		}
		if s.TotalDocument {
			whole++
		}
	}
	if want := map[bool]int{true: 0, false: 1}[c.changed]; whole != want {
		t.Errorf("%d signatures of the total document, want %d", whole, want)
	}
}

func wantPyHanko(t *testing.T, pyHanko *judges.PyHanko, c cell, root string) {
	if c.row.adobe {
		t.Skip("pyHanko opens no file of this encryption, signed or not")
	}
	// pdfsig 22 uses a generation that none was freed for.
	found, err := pyHanko.Validate(t.Context(), judges.Ask{File: c.after, Trust: root, Lenient: c.theirs > 0})
	if err != nil || len(found) != c.theirs+c.ours {
		t.Fatalf("%d signatures, %v", len(found), err)
	}
	for i, s := range found {
		last := i == len(found)-1 && !c.changed
		if !s.Accepted || !s.DocMDPOK || s.Suspicious != "" || last != (s.Coverage == "ENTIRE_FILE") {
			t.Errorf("%+v", s)
		}
	}
}

func wantDSS(t *testing.T, dss *judges.DSS, c cell, root string) {
	found, err := dss.Validate(t.Context(), judges.Ask{File: c.after, Trust: root})
	if err != nil || len(found) != c.theirs+c.ours {
		t.Fatalf("%d signatures, %v", len(found), err)
	}
	for i, s := range found {
		level := "PAdES-BASELINE-B"
		if i < c.theirs {
			level = "PKCS7-B"
		}
		wantPassed(t, s, level)
		if len(s.PDF.UndefinedChanges)+len(s.PDF.AnnotationChanges) > 0 {
			t.Errorf("%+v", s.PDF)
		}
	}
}

// wantLook checks that the page looks as before but where it must not.
func wantLook(t *testing.T, c cell) {
	before, after := drawn(t, c.before), drawn(t, c.after)
	if before.Bounds() != after.Bounds() {
		t.Fatalf("the page is %v, was %v", after.Bounds(), before.Bounds())
	}
	var may image.Rectangle
	if c.differs != nil {
		may = c.differs(before.Bounds())
	}
	changed := difference(before, after)
	if changed.Empty() != may.Empty() || !changed.In(may.Inset(-1)) && !changed.Empty() {
		t.Errorf("the page differs in %v, and may in %v", changed, may)
	}
}

func drawn(t *testing.T, path string) image.Image {
	t.Helper()
	page, err := judges.DrawPage(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// difference is the smallest rectangle around all that differs.
func difference(a, b image.Image) (all image.Rectangle) {
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			if a.At(x, y) != b.At(x, y) {
				all = all.Union(image.Rect(x, y, x+1, y+1))
			}
		}
	}
	return all
}
