// SPDX-License-Identifier: Apache-2.0

package judges

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// DSS is the European Commission's Digital Signature Service library, with its
// own validation policy but for two constraints: revocation data need not be
// there, as a signature of level B has none, unless [Ask] demands it, and nothing
// is fetched.
type DSS struct{ service *service }

// NeedDSS returns DSS, which runs until the test ends. Where it is not
// installed, which `make judges` does, the test is skipped by its name; with
// PECTOKEN_JUDGES_REQUIRED=1 in the environment it fails instead. For signing
// it also needs openssl.
func NeedDSS(t testing.TB) *DSS {
	t.Helper()
	folder, err := installation("dss")
	if err != nil {
		absentService(t, dssName, err)
		return nil
	}
	s := &service{name: dssName, command: javaCommand(folder)}
	t.Cleanup(s.close)
	return &DSS{s}
}

// javaCommand runs the judge that is in a folder in bounded memory, with what
// makes a short run of Java shorter, and keeps its list of fonts there.
func javaCommand(folder string) []string {
	java := "java"
	if home := os.Getenv("JAVA_HOME"); home != "" {
		java = filepath.Join(home, "bin", "java")
	}
	target := filepath.Join(folder, "target")
	classes := filepath.Join(target, "classes") + string(os.PathListSeparator) + filepath.Join(target, "lib", "*")
	return []string{java, "-Xmx1g", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Djava.awt.headless=true", "-Dpdfbox.fontcache=" + folder, "-cp", classes, "pectoken.Judge"}
}

// DSSSignature is what DSS says of one signature.
type DSSSignature struct {
	ID            string // in this file: in another, the same signature may have another
	CounterSigns  string // the ID of the signature that this one signs; empty for one of the content
	Level         string // such as CAdES-BASELINE-B, PAdES-BASELINE-B
	Indication    string // TOTAL_PASSED, INDETERMINATE or TOTAL_FAILED: EN 319 102-1, 5.1.3
	SubIndication string // such as NO_CERTIFICATE_CHAIN_FOUND
	Found         bool   // all that was signed is there
	Intact        bool   // and its digests are right
	Valid         bool   // the signature value is right
	Trusted       bool   // the certificate leads to an anchor
	Signer        string // the common name
	Subject       string // the distinguished name (RFC 2253)
	Algorithm     string // such as RSA_SHA256
	Errors        []string
	Warnings      []string
	PDF           *DSSPDF // nil when it is not in a PDF
}

// DSSPDF is what DSS says of a signature in a PDF. The changes are those since
// it was made, each an action and the object; pages are counted from 1.
type DSSPDF struct {
	Field                string
	SubFilter            string
	ByteRangeValid       bool
	DictionaryConsistent bool     // the signed revision has the same signature dictionary
	ExtensionChanges     []string // validation data and document timestamps
	FormChanges          []string // signatures, and fields filled in
	AnnotationChanges    []string
	UndefinedChanges     []string // what no signer expects
	OverlapPages         []int    // where an annotation covers another
	DifferentPages       []int    // added or missing since
	DifferentLooks       []int    // that look different since
}

// dssQuestion is any of the questions that Judge.java answers.
type dssQuestion struct {
	Do             string `json:"do"`
	File           path   `json:"file,omitempty"`
	Content        path   `json:"content,omitempty"`
	Trust          path   `json:"trust,omitempty"`
	Password       string `json:"password,omitempty"`
	Output         path   `json:"output,omitempty"`
	PKCS12         path   `json:"pkcs12,omitempty"`
	PKCS12Password string `json:"pkcs12Password,omitempty"`
	Digest         string `json:"digest,omitempty"`
	PSS            bool   `json:"pss,omitempty"`
	Detached       bool   `json:"detached,omitempty"`
	Parallel       bool   `json:"parallel,omitempty"`
	CounterSigns   string `json:"counterSigns,omitempty"`
	Field          string `json:"field,omitempty"`
	Certify        int    `json:"certify,omitempty"`
	Revocation     bool   `json:"revocation,omitempty"`
	CRLs           []path `json:"crls,omitempty"`
	Level          string `json:"level,omitempty"`
	TSA            string `json:"tsa,omitempty"`
}

// Version returns the version of DSS.
func (d *DSS) Version(ctx context.Context) (string, error) {
	var answer struct{ Version string }
	err := d.service.ask(ctx, dssQuestion{Do: "version"}, &answer)
	return answer.Version, err
}

// Validate returns what DSS says of each signature of a file, CAdES or PAdES,
// counter-signatures after what they sign. A file that it can't read is a
// [RefusedError]; one without signatures is none.
func (d *DSS) Validate(ctx context.Context, ask Ask) ([]DSSSignature, error) {
	var answer struct{ Signatures []DSSSignature }
	err := d.service.ask(ctx, dssQuestion{
		Do: "validate", File: path(ask.File), Content: path(ask.Content), Trust: path(ask.Trust), Password: ask.Password,
		Revocation: ask.Revocation, CRLs: paths(ask.CRLs),
	}, &answer)
	return answer.Signatures, err
}

// DSSCMSSign is a CAdES signature to make. The zero values ask for an attached one
// of level B-B with SHA-256 and PKCS#1 v1.5.
type DSSCMSSign struct {
	Lasting                // not of a counter-signature
	Signer   *pki.Identity // REQUIRED; its chain is included
	File     string        // REQUIRED: path of what is signed, or of the message to add to
	Output   string        // REQUIRED: path of the message
	Digest   string        // sha256, sha384, sha512
	PSS      bool
	Detached bool
	// Parallel adds a signer to the message File, CounterSigns a signature of
	// the one with this ID in it. Content is then what File is over, when it is
	// detached.
	Parallel     bool
	CounterSigns string
	Content      string
}

// SignCMS makes a CMS message, or adds to one.
func (d *DSS) SignCMS(ctx context.Context, s DSSCMSSign) error {
	question := dssQuestion{
		Do: "sign-cms", File: path(s.File), Content: path(s.Content), Output: path(s.Output),
		Digest: digestOrDefault(s.Digest), PSS: s.PSS, Detached: s.Detached, Parallel: s.Parallel, CounterSigns: s.CounterSigns,
	}
	question.last(s.Lasting)
	if s.CounterSigns != "" {
		question.Do = "counter-sign-cms"
	}
	return d.sign(ctx, s.Signer, question)
}

// DSSPDFSign is a PAdES signature to make, not to be seen. The zero values ask for an
// approval signature of level B-B with SHA-256 and PKCS#1 v1.5.
type DSSPDFSign struct {
	Lasting
	Signer  *pki.Identity // REQUIRED; its chain is included
	File    string        // REQUIRED: path of the PDF
	Output  string        // REQUIRED: path of the signed one
	Field   string        // one that exists; empty for a new one
	Digest  string        // sha256, sha384, sha512
	PSS     bool
	Certify int // 1 to 3, for a certification signature with this permission
}

// SignPDF signs a PDF.
func (d *DSS) SignPDF(ctx context.Context, s DSSPDFSign) error {
	question := dssQuestion{
		Do: "sign-pdf", File: path(s.File), Output: path(s.Output), Digest: digestOrDefault(s.Digest), PSS: s.PSS,
		Field: s.Field, Certify: s.Certify,
	}
	question.last(s.Lasting)
	return d.sign(ctx, s.Signer, question)
}

// last asks for a level.
func (q *dssQuestion) last(l Lasting) {
	q.Level, q.TSA, q.Trust, q.CRLs = l.Level, l.TSA, path(l.Trust), paths(l.CRLs)
}

func (d *DSS) sign(ctx context.Context, signer *pki.Identity, question dssQuestion) error {
	return inTemp(func(dir string) error {
		files, err := writeIdentity(dir, signer)
		if err != nil {
			return err
		}
		p12, err := files.pkcs12(ctx, dir)
		if err != nil {
			return err
		}
		question.PKCS12, question.PKCS12Password = path(p12), transferPassword
		return complete(question.Output, d.service.ask(ctx, question, &struct{}{}))
	})
}
