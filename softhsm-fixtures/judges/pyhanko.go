// SPDX-License-Identifier: Apache-2.0

package judges

import (
	"context"
	_ "embed" // for the script
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

//go:embed pyhanko/judge.py
var pyHankoScript string

// PyHanko is pyHanko, without the network: it fetches nothing, and looks at
// revocation only where a file brings something of it.
type PyHanko struct{ service *service }

// NeedPyHanko returns pyHanko, which runs until the test ends. Where it is not
// installed, which `make judges` does, the test is skipped by its name; with
// PECTOKEN_JUDGES_REQUIRED=1 in the environment it fails instead.
func NeedPyHanko(t testing.TB) *PyHanko {
	t.Helper()
	folder, err := installation("pyhanko")
	if err != nil {
		absentService(t, pyHankoName, err)
		return nil
	}
	python := filepath.Join(folder, "venv", "bin", "python")
	s := &service{name: pyHankoName, command: []string{python, "-I", "-c", pyHankoScript}}
	t.Cleanup(s.close)
	return &PyHanko{s}
}

// Ask is a signed file to judge. Files are named by path.
type Ask struct {
	File     string // REQUIRED
	Content  string // what a detached signature is over
	Trust    string // the trust anchors, in PEM; without them nobody is trusted
	Password string // opens an encrypted PDF
	Lenient  bool   // have pyHanko read a PDF that breaks rules of the format; DSS always does

	Revocation bool     // have DSS demand for each certificate that it was not revoked
	CRLs       []string // revocation lists of today, besides those in the file: for DSS, and the long term with pyHanko
}

func paths(names []string) (list []path) {
	for _, name := range names {
		list = append(list, path(name))
	}
	return list
}

// PyHankoSignature is what pyHanko says of one signature. The fields after Says
// are those of a PDF; only pyHanko's words are there for a signature that it
// breaks off on.
type PyHankoSignature struct {
	Signer    string // the common name
	Subject   string // the distinguished name, as pyHanko writes it
	Intact    bool   // the digest is that of what was signed
	Valid     bool   // the signature value is right
	Trusted   bool   // both, and the certificate leads to an anchor
	Accepted  bool   // its bottom line; for a PDF, changes since are looked at, too
	Digest    string // such as sha256
	Mechanism string // such as sha256_rsa, rsassa_pss
	Says      string

	Field        string
	SubFilter    string
	Timestamp    bool   // a document timestamp, that is, and no signature
	Coverage     string // ENTIRE_FILE, ENTIRE_REVISION, CONTIGUOUS_BLOCK_FROM_START or UNCLEAR
	Modification string // NONE, LTA_UPDATES, FORM_FILLING, ANNOTATIONS or OTHER
	DocMDPOK     bool   // changes since are allowed
	Suspicious   string // which change is not
}

// pyHankoQuestion is any of the questions that judge.py answers.
type pyHankoQuestion struct {
	Do          string `json:"do"`
	File        path   `json:"file,omitempty"`
	Content     path   `json:"content,omitempty"`
	Trust       path   `json:"trust,omitempty"`
	Password    string `json:"password,omitempty"`
	Output      path   `json:"output,omitempty"`
	Key         path   `json:"key,omitempty"`
	Certificate path   `json:"certificate,omitempty"`
	Chain       path   `json:"chain,omitempty"`
	Digest      string `json:"digest,omitempty"`
	PSS         bool   `json:"pss,omitempty"`
	Detached    bool   `json:"detached,omitempty"`
	Reason      string `json:"reason,omitempty"`
	Certify     int    `json:"certify,omitempty"`
	Adobe       bool   `json:"adobe,omitempty"`
	Existing    bool   `json:"existing,omitempty"`
	Lenient     bool   `json:"lenient,omitempty"`
	Level       string `json:"level,omitempty"`
	TSA         string `json:"tsa,omitempty"`
	CRLs        []path `json:"crls,omitempty"`
	PDFField
}

// Version returns the version of pyHanko.
func (p *PyHanko) Version(ctx context.Context) (string, error) {
	var answer struct{ Version string }
	err := p.service.ask(ctx, pyHankoQuestion{Do: "version"}, &answer)
	return answer.Version, err
}

// Validate returns what pyHanko says of each signature of a file, PDF or CMS,
// in their order; counter-signatures are not looked at. A file that it can't
// read, or a detached signature without content, is a [RefusedError].
func (p *PyHanko) Validate(ctx context.Context, ask Ask) ([]PyHankoSignature, error) {
	var answer struct{ Signatures []PyHankoSignature }
	err := p.service.ask(ctx, pyHankoQuestion{
		Do: "validate", File: path(ask.File), Content: path(ask.Content), Trust: path(ask.Trust),
		Password: ask.Password, Lenient: ask.Lenient,
	}, &answer)
	return answer.Signatures, err
}

// PyHankoLongTerm is what pyHanko says of one signature of a PDF by what is in it.
type PyHankoLongTerm struct {
	Field      string
	Accepted   bool      // its bottom line, as of when the signature is proven to have been there
	ProvenAt   time.Time // zero: nothing proves it, and it was judged now
	ArchivedAt time.Time // of the first document timestamp after it; zero: there is none that is good
	Says       string
}

// ValidateLongTerm returns what pyHanko says of the signatures of a PDF that has a document
// security store. Unlike in Validate, each certificate needs proof in the file that it was
// not revoked; what is judged as of today, the last timestamp that is, needs ask.CRLs.
func (p *PyHanko) ValidateLongTerm(ctx context.Context, ask Ask) ([]PyHankoLongTerm, error) {
	var answer struct{ Signatures []PyHankoLongTerm }
	err := p.service.ask(ctx, pyHankoQuestion{
		Do: "validate-long-term", File: path(ask.File), Trust: path(ask.Trust), Password: ask.Password, CRLs: paths(ask.CRLs),
	}, &answer)
	return answer.Signatures, err
}

// PyHankoCMSSign is a CAdES signature of level B-B to make. The zero values
// ask for an attached one with SHA-256 and PKCS#1 v1.5.
type PyHankoCMSSign struct {
	Signer   *pki.Identity // REQUIRED; its chain is included
	Content  string        // REQUIRED: path of what is signed
	Output   string        // REQUIRED: path of the message
	Digest   string        // sha256, sha384, sha512
	Detached bool
	PSS      bool
}

// SignCMS makes a CMS message in DER.
func (p *PyHanko) SignCMS(ctx context.Context, s PyHankoCMSSign) error {
	return p.sign(ctx, s.Signer, pyHankoQuestion{
		Do: "sign-cms", File: path(s.Content), Output: path(s.Output), Digest: digestOrDefault(s.Digest), PSS: s.PSS, Detached: s.Detached,
	})
}

// PDFField describes a signature field. The zero value of all but the name asks
// for one on the first page that is not seen.
type PDFField struct {
	Name string   `json:"field,omitempty"` // REQUIRED
	Page int      `json:"page,omitempty"`  // counted from 0; -1 is the last
	Box  []int    `json:"box,omitempty"`   // left, bottom, right, top, in points; empty for an invisible one
	Lock *PDFLock `json:"lock,omitempty"`
}

// PDFLock says which fields signing locks (ISO 32000-2, 12.7.5.5, FieldMDP).
type PDFLock struct {
	Action string   `json:"action"` // All, Include or Exclude
	Fields []string `json:"fields,omitempty"`
}

// PyHankoPDFSign is a PAdES signature to make. The zero values ask for an approval
// signature of level B-B with SHA-256 and PKCS#1 v1.5.
type PyHankoPDFSign struct {
	Lasting
	Signer   *pki.Identity // REQUIRED; its chain is included
	File     string        // REQUIRED: path of the PDF
	Output   string        // REQUIRED: path of the signed one
	Field    PDFField      // REQUIRED; of one that exists only the name counts
	Existing bool          // the field exists
	Digest   string        // sha256, sha384, sha512
	PSS      bool
	Certify  int // 1 to 3, for a certification signature with this permission
	Reason   string
	Password string // opens File, when it is encrypted
	Adobe    bool   // adbe.pkcs7.detached in place of ETSI.CAdES.detached
}

// SignPDF signs a PDF. One of a visible field shows a line of text.
func (p *PyHanko) SignPDF(ctx context.Context, s PyHankoPDFSign) error {
	return p.sign(ctx, s.Signer, pyHankoQuestion{
		Do: "sign-pdf", File: path(s.File), Output: path(s.Output), Digest: digestOrDefault(s.Digest), PSS: s.PSS,
		PDFField: s.Field, Existing: s.Existing, Certify: s.Certify, Reason: s.Reason, Adobe: s.Adobe,
		Password: s.Password, Level: s.Level, TSA: s.TSA, Trust: path(s.Trust), CRLs: paths(s.CRLs),
	})
}

// Lasting says how long a signature is to last. The zero value is level B.
type Lasting struct {
	Level string   // B, T, LT or LTA
	TSA   string   // from T on: the address of the time-stamp authority
	Trust string   // from LT on: the anchors, in PEM
	CRLs  []string // from LT on: revocation lists, in DER
}

// AddField writes the PDF in to out, with an empty signature field. It reads as
// leniently as [Ask] can have it.
func (p *PyHanko) AddField(ctx context.Context, in, out string, field PDFField) error {
	question := pyHankoQuestion{Do: "add-field", File: path(in), Output: path(out), PDFField: field, Lenient: true}
	return p.service.ask(ctx, question, &struct{}{})
}

// AddTextField writes the PDF in to out, with an empty text field, in which Lock
// does not count. It reads as leniently as [Ask] can have it.
func (p *PyHanko) AddTextField(ctx context.Context, in, out string, field PDFField) error {
	question := pyHankoQuestion{Do: "add-text-field", File: path(in), Output: path(out), PDFField: field, Lenient: true}
	return p.service.ask(ctx, question, &struct{}{})
}

func (p *PyHanko) sign(ctx context.Context, signer *pki.Identity, question pyHankoQuestion) error {
	return inTemp(func(dir string) error {
		files, err := writeIdentity(dir, signer)
		if err != nil {
			return err
		}
		question.Key, question.Certificate, question.Chain = path(files.key), path(files.certificate), path(files.chain)
		return complete(question.Output, p.service.ask(ctx, question, &struct{}{}))
	})
}

// complete removes an output that was begun when err says it was not finished.
func complete(output path, err error) error {
	if err != nil {
		os.Remove(string(output))
	}
	return err
}
