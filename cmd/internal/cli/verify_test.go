// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"crypto"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// judged is a folder with a signed file, the root and the revocation lists, and a
// program whose requests are counted.
type judged struct {
	t      *testing.T
	pki    *pki.PKI
	server *authority.Server
	dir    string
	now    time.Time
	asked  atomic.Int64
	app    *app
}

func newJudged(t *testing.T) *judged {
	j := &judged{t: t, pki: pki.New(fixedNow()), dir: t.TempDir(), now: fixedNow()}
	j.server = authority.Start(t, j.pki, authority.Options{})
	j.app, _ = fakeApp(nil, "", "")
	j.app.now = func() time.Time { return j.now }
	j.app.cacheDir = func() (string, error) { return filepath.Join(j.dir, "cache"), nil }
	j.app.transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		j.asked.Add(1)
		return http.DefaultTransport.RoundTrip(r)
	})
	j.write("root.pem", j.pki.RootPEM())
	return j
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func (j *judged) path(name string) string { return filepath.Join(j.dir, name) }

func (j *judged) write(name string, content []byte) {
	j.t.Helper()
	if err := os.WriteFile(j.path(name), content, 0o600); err != nil {
		j.t.Fatal(err)
	}
}

// sign writes a.p7m, and returns it.
func (j *judged) sign() []byte {
	j.t.Helper()
	id := j.pki.Must(j.t, pki.SignerP256)
	var out bytes.Buffer
	signer := cms.Signer{Key: id.Key, Certificate: id.Certificate, Chain: id.Chain, SigningTime: j.now}
	if err := cms.Sign(&out, strings.NewReader("un contratto"), cms.Options{Signers: []cms.Signer{signer}}); err != nil {
		j.t.Fatal(err)
	}
	j.write("a.p7m", out.Bytes())
	return out.Bytes()
}

// writeLists writes ISSUER.crl of both authorities, as they are now.
func (j *judged) writeLists() {
	j.t.Helper()
	for _, issuer := range []pki.Name{pki.Root, pki.QualifiedCA} {
		list, err := j.pki.CRL(issuer)
		if err != nil {
			j.t.Fatal(err)
		}
		j.write(string(issuer)+".crl", list)
	}
}

// verify runs the command on a file, and returns its exit code and what it printed.
func (j *judged) verify(name string, flags ...string) (exitCode, string, int64) {
	j.t.Helper()
	var out bytes.Buffer
	j.app.out = &out
	j.asked.Store(0)
	args := append([]string{"verify", "--trust", j.path("root.pem"), j.path(name)}, flags...)
	exit := j.app.run(j.t.Context(), args)
	return exit, out.String(), j.asked.Load()
}

func (j *judged) want(exit exitCode, asks bool, text, name string, flags ...string) {
	j.t.Helper()
	got, out, asked := j.verify(name, flags...)
	if got != exit || asked > 0 != asks || !strings.Contains(out, text) {
		j.t.Errorf("verify %s %q: exit %d after %d requests, want %d and %q in\n%s", name, flags, got, asked, exit, text, out)
	}
}

// TestVerifyAsks: by default the network is asked, once, and never with --offline.
func TestVerifyAsks(t *testing.T) {
	j := newJudged(t)
	j.sign()
	j.want(exitIndeterminate, false, "TRY_LATER", "a.p7m", "--offline")
	j.want(exitOK, true, "revocation   not revoked as of ", "a.p7m", "--no-cache")
	j.want(exitOK, true, "(OCSP, http://", "a.p7m")
	j.want(exitOK, false, "(OCSP, http://", "a.p7m") // kept
	j.want(exitIndeterminate, false, "TRY_LATER", "a.p7m", "--offline")
	j.want(exitOK, true, "valid", "a.p7m", "--no-cache")
	if err := j.server.Close(); err != nil {
		t.Fatal(err)
	}
	j.want(exitIndeterminate, true, "TRY_LATER", "a.p7m", "--no-cache")
	j.want(exitIndeterminate, true, `"revocation":{"status":"unknown"}`, "a.p7m", "--no-cache", "--json")

	j.writeLists()
	lists := []string{"--offline", "--crl", j.path("root.crl"), "--crl", j.path("qualified-ca.crl")}
	j.want(exitOK, false, "(CRL, given)", "a.p7m", lists...)
	j.want(exitOK, false, `"revocation":{"status":"good","kind":"crl","source":"given","thisUpdate":"`, "a.p7m", append(lists, "--json")...)
	j.want(exitIndeterminate, false, "TRY_LATER", "a.p7m", lists[:3]...)
	j.now = j.now.Add(30 * 24 * time.Hour)
	j.want(exitIndeterminate, false, "is too old for", "a.p7m", lists...)
	j.want(exitOK, false, "as you asked", "a.p7m", append(lists, "--at", fixedNow().Format(time.RFC3339))...)
}

// TestVerifyStamped: what is proven, by whom, and what is not.
func TestVerifyStamped(t *testing.T) {
	j := newJudged(t)
	file := j.sign()
	client := &timestamp.Client{Now: func() time.Time { return j.now }, Transport: http.DefaultTransport, Authorities: []timestamp.Authority{{URL: j.server.URL(authority.TSA)}}}
	stamp := func(content []byte) *timestamp.Token {
		digests, err := client.Digest(bytes.NewReader(content))
		if err != nil {
			t.Fatal(err)
		}
		token, err := client.Stamp(t.Context(), digests)
		if err != nil {
			t.Fatal(err)
		}
		return token
	}
	ofFile := stamp(file)
	var tsd bytes.Buffer
	if err := timestamp.WriteTSD(&tsd, bytes.NewReader(file), int64(len(file)), nil, timestamp.Evidence{Token: ofFile}); err != nil {
		t.Fatal(err)
	}
	j.write("a.p7m.tsd", tsd.Bytes())
	j.write("a.p7m.tsr", timestamp.EncodeResponse(ofFile))
	j.write("alone.tsr", timestamp.EncodeResponse(ofFile))
	j.write("b.p7m", stampSigned(t, file, stamp))
	signer := j.pki.Must(t, pki.SignerP256).Certificate
	j.now = fixedNow().Add(2 * time.Hour)
	j.server.SetTime(j.now)
	if err := j.server.Revoke(signer, fixedNow().Add(time.Hour), authority.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	proven := "signed       before " + clock(fixedNow()) + ", proven by a time stamp of "
	j.want(exitIndeterminate, true, "revocation   revoked on "+clock(fixedNow().Add(time.Hour))+", key compromise (OCSP", "a.p7m")
	j.want(exitOK, true, proven, "b.p7m")
	j.want(exitOK, false, "time stamp   T1 of the signature, "+clock(fixedNow())+" by ", "b.p7m")
	j.want(exitOK, false, "T1 (of the file): valid", "a.p7m.tsd")
	j.want(exitOK, false, proven, "a.p7m.tsd")
	j.want(exitOK, false, proven, "a.p7m.tsr") // with the document beside it
	j.want(exitIndeterminate, false, "SIGNED_DATA_NOT_FOUND", "alone.tsr")
	j.want(exitOK, false, proven, "alone.tsr", "--content", j.path("a.p7m"))
	j.write("other", []byte("else"))
	j.want(exitFailed, false, "HASH_FAILURE", "alone.tsr", "--content", j.path("other"))
}

// stampSigned adds a time stamp of the first signature of a file.
func stampSigned(t *testing.T, file []byte, stamp func([]byte) *timestamp.Token) []byte {
	t.Helper()
	sd, err := cms.Read(bytes.NewReader(file), cms.ReadOptions{Hashes: []crypto.Hash{crypto.SHA256}})
	if err != nil {
		t.Fatal(err)
	}
	attribute, err := cms.TimestampAttribute(cms.SignatureTimestamp, stamp(sd.Signers[0].Signature).Raw)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	err = cms.Extend(&out, cms.Amended{Source: bytes.NewReader(file), Size: int64(len(file))},
		cms.Additions{Unsigned: map[int][]cms.Attribute{0: {attribute}}})
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// Evidence that can't be used is a wrong use, and said before anything is done.
func TestVerifyEvidenceFlags(t *testing.T) {
	j := newJudged(t)
	j.sign()
	j.writeLists()
	for _, flags := range [][]string{
		{"--crl", j.path("missing")}, {"--crl", j.path("a.p7m")}, {"--ocsp", j.path("root.crl")}, {"--ocsp", j.dir},
		{"--timeout", "0s"}, {"--timeout", "-1s"},
	} {
		j.want(exitUsage, false, "", "a.p7m", flags...)
	}
}

// TestRevocationFaults: whatever goes wrong with the places that tell whether a
// certificate is revoked, in the time that they are given verify says that it isn't known,
// and extend that the level isn't reached, and writes nothing.
func TestRevocationFaults(t *testing.T) {
	for _, c := range []struct{ ocsp, crl authority.Fault }{
		{authority.Slow, authority.Slow},
		{authority.Hang, authority.Hang},
		{authority.HTTP500, authority.HTTP500},
		{authority.HalfAnswer, authority.HalfAnswer},
		{authority.CutAnswer, authority.CutAnswer},
		{authority.Endless, authority.Endless},
		{authority.RedirectLoop, authority.RedirectLoop},
		{authority.RedirectFile, authority.RedirectFile},
		{authority.FlippedBit, authority.FlippedBit},
		{authority.OtherCA, authority.OtherCA},
		{authority.Stale, authority.Stale},
		{authority.Expired, authority.HTTP404},
		{authority.WrongSerial, authority.HTTP404},
	} {
		t.Run(string(c.ocsp), func(t *testing.T) {
			t.Parallel()
			j := newJudged(t)
			j.sign()
			if err := errors.Join(j.server.Fail(authority.OCSP, c.ocsp), j.server.Fail(authority.CRL, c.crl)); err != nil {
				t.Fatal(err)
			}
			j.want(exitIndeterminate, true, "TRY_LATER", "a.p7m", "--no-cache", "--timeout", "500ms")
			var out, said bytes.Buffer
			j.app.out, j.app.err = &out, &said
			args := []string{"extend", j.path("a.p7m"), "--level", "lt", "--no-cache", "--timeout", "500ms", "--trust", j.path("root.pem"), "--tsa", j.server.URL(authority.TSA)}
			if exit := j.app.run(t.Context(), args); exit != exitFailed || out.Len() > 0 || !strings.Contains(said.String(), "B-LT") {
				t.Errorf("extend: exit %d, %q\n%s", exit, out.String(), said.String())
			}
			left, err := os.ReadDir(j.dir)
			if err != nil || len(left) != 2 {
				t.Errorf("%d files, want the signature and the root: %v", len(left), err)
			}
		})
	}
}

func TestReadEvidence(t *testing.T) {
	path := filepath.Join(t.TempDir(), "list.crl")
	content := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	length := int64(len(content))
	data, err := readEvidence(path, length)
	if err != nil || !bytes.Equal(data, content) {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if int64(cap(data)) > length+length/8 {
		t.Errorf("%d bytes of memory for %d", cap(data), length)
	}
	if data, err := readEvidence(path, length-1); data != nil || err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	if data, err := readEvidence("/dev/zero", length); data != nil || err == nil {
		t.Errorf("%d bytes of a file without end, %v", len(data), err)
	}
}
