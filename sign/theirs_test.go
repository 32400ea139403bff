// SPDX-License-Identifier: Apache-2.0

package sign_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify/report"
)

// newRunningWorld is one of today whose clock runs, for programs that have their own.
func newRunningWorld(t *testing.T) *world {
	began := time.Now().Add(-time.Hour)
	w := &world{people: pki.New(began), now: began}
	w.server = authority.Start(t, w.people, authority.Options{Clock: time.Now})
	return w
}

// theirSigner is another program that signs a file.
type theirSigner func(ctx context.Context, l judges.Lasting, who *pki.Identity, in, out string) error

// TestInteropTheirLevels: what DSS and pyHanko sign has with us the level that they claim,
// is valid without asking anybody from B-LT on, and can be extended.
func TestInteropTheirLevels(t *testing.T) {
	for name, c := range map[string]struct {
		document []byte
		levels   []string
		signer   func(t *testing.T) theirSigner
	}{
		"DSS CAdES": {[]byte("un atto"), []string{"T", "LT", "LTA"}, func(t *testing.T) theirSigner {
			dss := judges.NeedDSS(t)
			return func(ctx context.Context, l judges.Lasting, who *pki.Identity, in, out string) error {
				return dss.SignCMS(ctx, judges.DSSCMSSign{Lasting: l, Signer: who, File: in, Output: out})
			}
		}},
		"DSS PAdES": {documents.Plain(), []string{"T", "LT", "LTA"}, func(t *testing.T) theirSigner {
			dss := judges.NeedDSS(t)
			return func(ctx context.Context, l judges.Lasting, who *pki.Identity, in, out string) error {
				return dss.SignPDF(ctx, judges.DSSPDFSign{Lasting: l, Signer: who, File: in, Output: out})
			}
		}},
		"pyHanko PAdES": {documents.Plain(), []string{"T", "LT", "LTA"}, func(t *testing.T) theirSigner {
			pyHanko := judges.NeedPyHanko(t)
			return func(ctx context.Context, l judges.Lasting, who *pki.Identity, in, out string) error {
				return pyHanko.SignPDF(ctx, judges.PyHankoPDFSign{Lasting: l, Signer: who, File: in, Output: out, Field: judges.PDFField{Name: "Firma"}})
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			sign := c.signer(t)
			w := newRunningWorld(t)
			in, signer := save(t, "atto", c.document), w.people.Must(t, pki.Signer)
			for _, level := range c.levels {
				out := filepath.Join(t.TempDir(), "signed")
				l := judges.Lasting{Level: level, TSA: w.server.URL(authority.TSA), Trust: save(t, "root.pem", w.people.RootPEM()), CRLs: w.lists(t)}
				if err := sign(t.Context(), l, signer, in, out); err != nil {
					t.Fatalf("%s: %v", level, err)
				}
				w.judgeTheirs(t, level, out)
			}
		})
	}
}

// judgeTheirs judges a file of another program, and extends it.
func (w *world) judgeTheirs(t *testing.T, level, path string) {
	t.Helper()
	file, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	w.now = time.Now()
	s := w.judged(t, file, nil, level == "T")
	if s.Level != "B-"+level || s.Verdict != report.Valid || s.BestTime.Source != report.FromTimestamp {
		t.Errorf("%s: %s %s (%s: %s), as of %+v", level, s.Level, s.Verdict, s.SubIndication, s.Reason, s.BestTime)
	}
	better := extended(t, file, nil, w.options(t, sign.LevelLTA))
	if s := w.judged(t, better, nil, false); s.Level != "B-LTA" || s.Verdict != report.Valid {
		t.Errorf("%s, extended: %s %s (%s: %s)", level, s.Level, s.Verdict, s.SubIndication, s.Reason)
	}
}

// TestInteropOpenSSLLevels: with openssl ts for its authority a signature has the level of
// its time stamp.
func TestInteropOpenSSLLevels(t *testing.T) {
	judges.Need(t, "openssl")
	w := newRunningWorld(t)
	openssl, err := judges.OpenSSLAuthority(t.TempDir(), w.people.Must(t, pki.TSA), "sha256")
	if err != nil {
		t.Fatal(err)
	}
	tsa := httptest.NewServer(openssl)
	t.Cleanup(tsa.Close)
	for _, format := range []sign.Format{sign.CAdES, sign.PAdES} {
		for _, level := range levels[1:] {
			w.now = time.Now()
			o := w.options(t, level)
			o.Format = format
			o.Stamper = &timestamp.Client{Transport: &http.Transport{}, Authorities: []timestamp.Authority{{URL: tsa.URL}}}
			document := documents.Plain()
			file := signed(t, document, o)
			w.now = time.Now().Add(time.Second) // openssl has no fraction
			expect(t, w.judged(t, file, nil, level == sign.LevelT), level, report.Valid)
		}
	}
}
