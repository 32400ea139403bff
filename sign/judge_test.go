// SPDX-License-Identifier: Apache-2.0

package sign_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify/report"
)

func save(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// lasting are the signatures of one format that the judges are shown: by signing at a
// level, and by signing at level B and extending.
type lasting struct {
	*world
	clock
	byList bool // certificates are told to be good by lists, and not by OCSP
	root   string
	format sign.Format
	began  time.Time
	files  map[string][]byte // "T", "T by extend", …, "LTA twice renewed"
}

// clock is one that the judges look at: their clock is ours, so it is the signatures that
// are made as long ago. What each level promises then:
//
// T: as long as its time stamp can be relied on, and whoever knows of revocation is there
// to be asked. LT: as long as the certificates of the stamp, and of those who said that
// nothing was revoked, have not ended: when their answers were given is proven by nothing
// but themselves. LTA: until the certificate of its last time stamp ends, whatever became
// of the others (EN 319 102-1, clauses 5.5 and 5.6).
type clock struct {
	name     string
	years    int   // since the signatures were made
	renewals []int // of the one that is renewed, years after it was made
	good     bool  // whoever is not renewed
}

var clocks = []clock{
	{"in time", 0, []int{0, 0}, true},
	{"after the signer's end", 3, []int{1, 2}, true},
	{"after the authority's end", 6, []int{4, 5}, false},
	{"after the CA's end", 13, []int{4, 10}, false},
}

// promises says whether a file is good, which has the revocation of certificates from
// lists, or from a responder with a certificate of a year.
func (c clock) promises(file string, lists bool) bool {
	level, _, _ := strings.Cut(file, " ")
	switch {
	case strings.HasSuffix(file, "renewed"):
		return true
	case level == "LT" && c.years > 0 && !lists:
		return false // the responder's certificate has ended too, and nothing proves its answer older
	}
	return c.good
}

// makeLasting makes the files.
func makeLasting(t *testing.T, format sign.Format, c clock, lists bool) *lasting {
	began := time.Now().AddDate(-c.years, 0, 0).Add(-time.Minute).Truncate(time.Second)
	l := &lasting{world: newWorldAt(t, began), clock: c, byList: lists, format: format, began: began, files: map[string][]byte{}}
	l.root = save(t, "root.pem", l.people.RootPEM())
	if lists {
		if err := l.server.Fail(authority.OCSP, authority.HTTP404); err != nil {
			t.Fatal(err)
		}
	}
	document := []byte("un atto")
	if format == sign.PAdES {
		document = documents.Plain()
	}
	basic := signed(t, document, l.at(t, sign.LevelB))
	for _, level := range levels[1:] {
		l.files[level.String()[2:]] = signed(t, document, l.at(t, level))
		l.files[level.String()[2:]+" by extend"] = extended(t, basic, nil, l.at(t, level))
	}
	file := l.files["LTA"]
	for _, years := range c.renewals {
		l.sleep(began.AddDate(years, 0, 1).Sub(l.now))
		if c.years == 0 {
			l.sleep(time.Until(l.now))
		}
		l.server.Configure(func(c *authority.Config) { c.TSA.Signer = l.authorityAfter(t, years) })
		file = extended(t, file, nil, l.at(t, sign.LevelLTA))
	}
	l.files["LTA twice renewed"] = file
	return l
}

func (l *lasting) at(t *testing.T, level sign.Level) sign.Options {
	o := l.options(t, level)
	o.Format = l.format
	return o
}

// authorityAfter is that of the time stamps so many years after the beginning.
func (l *lasting) authorityAfter(t *testing.T, years int) *pki.Identity {
	switch {
	case years < 4:
		return nil
	case years < 10:
		return l.authority(t, pki.QualifiedCA, l.began.AddDate(11, 0, 0))
	}
	return l.authority(t, pki.Root, l.began.AddDate(18, 0, 0))
}

// authority is a time-stamp authority by an issuer, which its certificate points to.
func (w *world) authority(t *testing.T, issuer pki.Name, ends time.Time) *pki.Identity {
	t.Helper()
	like := w.people.Must(t, pki.TSAP256)
	usage := slices.IndexFunc(like.Certificate.Extensions, func(e pkix.Extension) bool { return e.Id.Equal([]int{2, 5, 29, 37}) })
	id, err := w.people.IssueCustom(issuer, like.Key, func(c *x509.Certificate) {
		c.Subject = pkix.Name{Country: []string{"IT"}, CommonName: "Esempio TSA di " + string(issuer)}
		c.SerialNumber, c.NotAfter = big.NewInt(3333), ends
		c.KeyUsage, c.ExtraExtensions = x509.KeyUsageDigitalSignature, []pkix.Extension{like.Certificate.Extensions[usage]}
		for _, list := range [][]string{c.OCSPServer, c.IssuingCertificateURL, c.CRLDistributionPoints} {
			for i := range list {
				list[i] = strings.Replace(list[i], string(pki.QualifiedCA), string(issuer), 1)
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// published saves what the authorities publish today: lists that keep certificates which
// have ended.
func (l *lasting) published(t *testing.T) []string {
	t.Helper()
	l.server.SetTime(time.Now())
	l.server.Configure(func(c *authority.Config) { c.CRL.ExpiredCertsOn = l.began.AddDate(-20, 0, 0) })
	return l.world.lists(t)
}

// lists saves the revocation lists of the authorities.
func (w *world) lists(t *testing.T) (files []string) {
	t.Helper()
	for _, name := range []pki.Name{pki.QualifiedCA, pki.Root} {
		answer, err := http.Get(w.server.URL(authority.CRL) + "/" + string(name) + ".crl")
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		list, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatalf("list of %s: %s, %v", name, answer.Status, err)
		}
		files = append(files, save(t, string(name)+".crl", list))
	}
	return files
}

// eachLasting has a test look at every file at every clock.
func eachLasting(t *testing.T, format sign.Format, look func(t *testing.T, l *lasting, name string)) {
	for _, c := range clocks {
		for _, lists := range []bool{false, true} {
			l := makeLasting(t, format, c, lists)
			kind := "OCSP"
			if lists {
				kind = "CRL"
			}
			for name := range l.files {
				t.Run(fmt.Sprintf("%v %s, %s, %s", format, name, kind, c.name), func(t *testing.T) {
					look(t, l, name)
				})
			}
		}
	}
}

// TestInteropLevels: DSS names each level, and finds it good as long as it promises. It
// demands proof for every certificate that it was not revoked. Level LT has all of it in the
// file; level T has none, and level LTA none of its last time stamp.
func TestInteropLevels(t *testing.T) {
	dss := judges.NeedDSS(t)
	for _, format := range []sign.Format{sign.CAdES, sign.PAdES} {
		eachLasting(t, format, func(t *testing.T, l *lasting, name string) {
			ask := judges.Ask{File: save(t, "atto", l.files[name]), Trust: l.root, Revocation: true}
			level, _, _ := strings.Cut(name, " ")
			if level != "LT" {
				ask.CRLs = l.published(t)
			}
			found, err := dss.Validate(t.Context(), ask)
			if err != nil || len(found) != 1 {
				t.Fatalf("%d signatures, %v", len(found), err)
			}
			want := "INDETERMINATE"
			if l.promises(name, l.byList) {
				want = "TOTAL_PASSED"
			}
			if s := found[0]; s.Level != format.String()+"-BASELINE-"+level || s.Indication != want || !s.Intact || !s.Valid {
				t.Errorf("want %s: %s %s %s, %q", want, s.Level, s.Indication, s.SubIndication, s.Errors)
			}
		})
	}
}

// TestInteropLongTerm: pyHanko validates the PDFs of level LT and LTA for the long term, by
// what is in them and, for the last time stamp, the lists of today.
func TestInteropLongTerm(t *testing.T) {
	pyHanko := judges.NeedPyHanko(t)
	eachLasting(t, sign.PAdES, func(t *testing.T, l *lasting, name string) {
		if strings.HasPrefix(name, "T") {
			t.SkipNow()
		}
		found, err := pyHanko.ValidateLongTerm(t.Context(), judges.Ask{File: save(t, "atto.pdf", l.files[name]), Trust: l.root, CRLs: l.published(t)})
		if err != nil || len(found) != 1 {
			t.Fatalf("%d signatures, %v", len(found), err)
		}
		good := l.promises(name, true) // it believes the answer of a responder that has ended as of the time stamp
		s := found[0]
		if s.Accepted != good || good && s.ProvenAt.Sub(l.began).Abs() > time.Hour {
			t.Errorf("good %v: %+v", good, s)
		}
		if archived := strings.HasPrefix(name, "LTA") || strings.HasSuffix(name, "extend"); good && archived == s.ArchivedAt.IsZero() {
			t.Errorf("archived at %v", s.ArchivedAt)
		}
	})
}

// TestLastingLevels: verify finds the same as DSS. It asks the authorities of today, so
// that it needs nobody's word from a responder that has ended.
func TestLastingLevels(t *testing.T) {
	for _, format := range []sign.Format{sign.CAdES, sign.PAdES} {
		eachLasting(t, format, func(t *testing.T, l *lasting, name string) {
			level, _, _ := strings.Cut(name, " ")
			l.published(t)
			l.now = time.Now()
			s := l.judged(t, l.files[name], nil, true)
			if good := l.promises(name, true); s.Level != "B-"+level || (s.Verdict == report.Valid) != good {
				t.Errorf("good %v: %s %s %s %s", good, s.Level, s.Verdict, s.SubIndication, s.Reason)
			}
		})
	}
}

// TestInteropTokens: openssl accepts the token of each timestamp, taken out of the files.
func TestInteropTokens(t *testing.T) {
	judges.Need(t, "openssl")
	for _, format := range []sign.Format{sign.CAdES, sign.PAdES} {
		l := makeLasting(t, format, clocks[len(clocks)-1], false)
		chain := save(t, "chain.pem", l.people.Must(t, pki.TSA).ChainPEM())
		for name, file := range l.files {
			tokens := tokensOf(t, file)
			want := map[string]int{"T": 1, "LT": 1, "LTA": 2, "LTA twice renewed": 4}[strings.TrimSuffix(name, " by extend")]
			if len(tokens) != want {
				t.Errorf("%v %s: %d timestamps, want %d", format, name, len(tokens), want)
			}
			for i, raw := range tokens {
				token, err := timestamp.Parse(raw)
				if err != nil {
					t.Fatal(err)
				}
				args := []string{
					"ts", "-verify", "-digest", fmt.Sprintf("%x", token.Info.Imprint), "-token_in", "-in", save(t, "token", raw),
					"-CAfile", l.root, "-untrusted", chain, "-attime", strconv.FormatInt(token.Info.Time.Unix()+1, 10),
				}
				if out, err := exec.CommandContext(t.Context(), "openssl", args...).CombinedOutput(); err != nil {
					t.Errorf("%v %s, timestamp %d: %v\n%s", format, name, i+1, err, out)
				}
			}
		}
	}
}

// tokensOf takes the tokens out of a file with one signature.
func tokensOf(t *testing.T, file []byte) (tokens [][]byte) {
	t.Helper()
	fromCMS := func(der []byte) {
		sd, err := cms.Read(bytes.NewReader(der), cms.ReadOptions{})
		if err != nil || len(sd.Signers) != 1 {
			t.Fatalf("%v", err)
		}
		for _, stamp := range sd.Signers[0].Timestamps() {
			tokens = append(tokens, stamp.Token)
		}
	}
	if !bytes.HasPrefix(file, []byte("%PDF-")) {
		fromCMS(file)
		return tokens
	}
	doc, err := pdf.Open(bytes.NewReader(file), int64(len(file)))
	if err != nil {
		t.Fatal(err)
	}
	list, err := doc.Signatures()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range list {
		if s.Type == "DocTimeStamp" {
			tokens = append(tokens, s.Contents)
			continue
		}
		fromCMS(s.Contents)
	}
	return tokens
}
