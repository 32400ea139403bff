// SPDX-License-Identifier: Apache-2.0

package authority_test

import (
	"crypto"
	"encoding/hex"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// openssl is the program in a folder with root.pem and chain.pem.
type openssl struct {
	t    *testing.T
	dir  string
	path string
}

// needOpenSSL returns openssl in a folder with the root and the CA of p.
func needOpenSSL(t *testing.T, p *pki.PKI) openssl {
	t.Helper()
	o := openssl{t: t, path: judges.Need(t, "openssl"), dir: t.TempDir()}
	o.write("root.pem", p.RootPEM())
	o.write("ca.pem", p.Must(t, pki.QualifiedCA).CertificatePEM())
	o.write("all.pem", append(p.RootPEM(), p.Must(t, pki.QualifiedCA).CertificatePEM()...))
	return o
}

func (o openssl) write(name string, content []byte) {
	o.t.Helper()
	if err := os.WriteFile(filepath.Join(o.dir, name), content, 0o600); err != nil {
		o.t.Fatal(err)
	}
}

func (o openssl) read(name string) []byte {
	o.t.Helper()
	content, err := os.ReadFile(filepath.Join(o.dir, name))
	if err != nil {
		o.t.Fatal(err)
	}
	return content
}

// run returns what the program said, and whether it ended well.
func (o openssl) run(args ...string) (said string, ok bool) {
	o.t.Helper()
	cmd := exec.CommandContext(o.t.Context(), o.path, args...)
	cmd.Dir = o.dir
	out, err := cmd.CombinedOutput()
	return string(out), err == nil
}

// must is run for what has to end well.
func (o openssl) must(args ...string) string {
	o.t.Helper()
	said, ok := o.run(args...)
	if !ok {
		o.t.Fatalf("openssl %s: %s", strings.Join(args, " "), said)
	}
	return said
}

func TestOpenSSLVerifiesTimestamps(t *testing.T) {
	p := pki.New(time.Now())
	s := authority.Start(t, p, authority.Options{})
	s.SetTime(p.Now().Add(250 * time.Millisecond))
	o := needOpenSSL(t, p)
	o.write("data", []byte("to be stamped"))
	for _, c := range []struct {
		name   string
		config authority.TSAConfig
		query  []string
		says   string // by openssl ts -reply -text
	}{
		{"plain", authority.TSAConfig{}, []string{"-sha256", "-cert"}, "Status: Granted."},
		{"SHA-384", authority.TSAConfig{}, []string{"-sha384", "-cert"}, "Hash Algorithm: sha384"},
		{"SHA-512", authority.TSAConfig{Digest: crypto.SHA512}, []string{"-sha512", "-cert"}, "Hash Algorithm: sha512"},
		{"ECDSA", authority.TSAConfig{Signer: p.Must(t, pki.TSAP256), Digest: crypto.SHA384}, []string{"-sha256", "-cert"}, "Status: Granted."},
		{"ESSCertID v1", authority.TSAConfig{ESSCertIDv1: true}, []string{"-sha256", "-cert"}, "Status: Granted."},
		{"without nonce", authority.TSAConfig{}, []string{"-sha256", "-cert", "-no_nonce"}, "Nonce: unspecified"},
		{"with a policy", authority.TSAConfig{Policies: oids("1.3.159.8.2.1")}, []string{"-sha256", "-cert", "-tspolicy", "1.3.159.8.2.1"}, "Policy OID: 1.3.159.8.2.1"},
		{"with mods", authority.TSAConfig{GrantedWithMods: true}, []string{"-sha256", "-cert"}, "Status: Granted with modifications."},
		{"accuracy and ordering", authority.TSAConfig{Accuracy: 1002003 * time.Microsecond, Ordering: true}, []string{"-sha256", "-cert"}, "Accuracy: 0x01 seconds, 0x02 millis, 0x03 micros"},
		{"named", authority.TSAConfig{Named: true}, []string{"-sha256", "-cert"}, "/CN=Esempio Firma TSA 1"},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := o
			o.t = t
			s.Configure(func(all *authority.Config) { all.TSA = c.config })
			o.must(append([]string{"ts", "-query", "-data", "data", "-out", "q.tsq"}, c.query...)...)
			o.write("r.tsr", send(t, s, authority.TSA, o.read("q.tsq")))
			o.must("ts", "-verify", "-queryfile", "q.tsq", "-in", "r.tsr", "-CAfile", "root.pem", "-untrusted", "ca.pem")
			if said := o.must("ts", "-reply", "-in", "r.tsr", "-text"); !strings.Contains(said, c.says) {
				t.Errorf("no %q in\n%s", c.says, said)
			}
		})
	}
}

// openssl ts knows nothing of RSASSA-PSS, but openssl cms does.
func TestOpenSSLVerifiesPSSTimestamp(t *testing.T) {
	p := pki.New(time.Now())
	s := authority.Start(t, p, authority.Options{})
	s.Configure(func(c *authority.Config) { c.TSA.PSS, c.TSA.Digest = true, crypto.SHA384 })
	o := needOpenSSL(t, p)
	o.write("r.tsr", send(t, s, authority.TSA, query(t, nil)))
	o.must("ts", "-reply", "-in", "r.tsr", "-token_out", "-out", "r.tst")
	o.must("cms", "-verify", "-inform", "DER", "-in", "r.tst", "-CAfile", "root.pem", "-purpose", "timestampsign", "-out", "info.der")
	if said := o.must("cms", "-cmsout", "-print", "-inform", "DER", "-in", "r.tst"); !strings.Contains(said, "rsassaPss") {
		t.Error("the signature is none of RSASSA-PSS")
	}
}

// Certificates are left out unless asked for; openssl then needs them given.
func TestOpenSSLTimestampWithoutCertificates(t *testing.T) {
	p := pki.New(time.Now())
	s := authority.Start(t, p, authority.Options{})
	o := needOpenSSL(t, p)
	o.write("data", []byte("to be stamped"))
	o.write("tsa.pem", append(p.Must(t, pki.TSA).CertificatePEM(), p.Must(t, pki.QualifiedCA).CertificatePEM()...))
	verify := func(untrusted string) (string, bool) {
		return o.run("ts", "-verify", "-queryfile", "q.tsq", "-in", "r.tsr", "-CAfile", "root.pem", "-untrusted", untrusted)
	}
	for name, ask := range map[string][]string{"not asked for": {}, "asked for, not given": {"-cert"}} {
		t.Run(name, func(t *testing.T) {
			s.Configure(func(c *authority.Config) { c.TSA.NoCertificates = len(ask) > 0 })
			o.must(append([]string{"ts", "-query", "-data", "data", "-sha256", "-out", "q.tsq"}, ask...)...)
			o.write("r.tsr", send(t, s, authority.TSA, o.read("q.tsq")))
			if said, ok := verify("tsa.pem"); !ok {
				t.Error(said)
			}
			if _, ok := verify("ca.pem"); ok {
				t.Error("openssl needs no certificate")
			}
		})
	}
}

// openssl refuses what a fault makes wrong. It does not look at whether a
// certificate was revoked, or whether times and policies make sense.
func TestOpenSSLRefusesBadTimestamps(t *testing.T) {
	p := pki.New(time.Now())
	s := authority.Start(t, p, authority.Options{})
	o := needOpenSSL(t, p)
	o.write("data", []byte("to be stamped"))
	o.must("ts", "-query", "-data", "data", "-sha256", "-cert", "-out", "q.tsq")
	for fault, says := range map[authority.Fault]string{
		authority.WrongNonce:     "nonce mismatch",
		authority.MissingNonce:   "nonce not returned",
		authority.WrongImprint:   "message imprint mismatch",
		authority.WrongHash:      "message imprint mismatch",
		authority.WrongContent:   "bad pkcs7 type",
		authority.NoEKU:          "unsuitable certificate purpose",
		authority.ExtraEKU:       "unsuitable certificate purpose",
		authority.NotCriticalEKU: "unsuitable certificate purpose",
		authority.Expired:        "certificate has expired",
		authority.OtherCA:        "certificate verify error",
		authority.WrongCertID:    "ess",
		authority.MissingCertID:  "ess",
		authority.FlippedBit:     "signature",
		authority.Rejected:       "being repaired",
	} {
		t.Run(string(fault), func(t *testing.T) {
			fail(t, s, authority.TSA, fault)
			o.write("r.tsr", send(t, s, authority.TSA, o.read("q.tsq")))
			said, ok := o.run("ts", "-verify", "-queryfile", "q.tsq", "-in", "r.tsr", "-CAfile", "root.pem", "-untrusted", "ca.pem")
			if ok || !strings.Contains(strings.ToLower(said), says) {
				t.Errorf("accepted %t, no %q in\n%s", ok, says, said)
			}
		})
	}
}

func TestOpenSSLAsksOCSP(t *testing.T) {
	p := pki.New(time.Now())
	s := authority.Start(t, p, authority.Options{})
	o := needOpenSSL(t, p)
	suspended := p.Must(t, pki.SignerP384).Certificate
	if err := s.Suspend(suspended, p.Now()); err != nil {
		t.Fatal(err)
	}
	if err := s.Disown(p.Must(t, pki.SignerP521).Certificate); err != nil {
		t.Fatal(err)
	}
	ask := func(t *testing.T, name pki.Name, issuer string, more ...string) (string, bool) {
		o.write("c.pem", p.Must(t, name).CertificatePEM())
		url := p.Must(t, name).Certificate.OCSPServer[0]
		return o.run(append([]string{"ocsp", "-issuer", issuer, "-cert", "c.pem", "-url", url, "-CAfile", "all.pem"}, more...)...)
	}
	for _, c := range []struct {
		name   string
		config authority.OCSPConfig
		of     pki.Name
		issuer string
		says   []string
	}{
		{"good", authority.OCSPConfig{}, pki.Signer, "ca.pem", []string{"c.pem: good", "Next Update"}},
		{"revoked", authority.OCSPConfig{}, pki.Revoked, "ca.pem", []string{"c.pem: revoked", "Reason: keyCompromise"}},
		{"suspended", authority.OCSPConfig{}, pki.SignerP384, "ca.pem", []string{"c.pem: revoked", "Reason: certificateHold"}},
		{"unknown", authority.OCSPConfig{}, pki.SignerP521, "ca.pem", []string{"c.pem: unknown"}},
		{"by the authority itself", authority.OCSPConfig{}, pki.QualifiedCA, "root.pem", []string{"c.pem: good"}},
		{"by a responder to check", authority.OCSPConfig{Responder: p.Must(t, pki.OCSPChecked)}, pki.Signer, "ca.pem", []string{"c.pem: good"}},
		{"PSS, by name", authority.OCSPConfig{PSS: true, Digest: crypto.SHA512, ByName: true}, pki.Signer, "ca.pem", []string{"c.pem: good"}},
		{"archive cutoff", authority.OCSPConfig{ArchiveCutoff: p.Now().AddDate(-20, 0, 0)}, pki.Signer, "ca.pem", []string{"c.pem: good", "Archive Cutoff"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.Configure(func(all *authority.Config) { all.OCSP = c.config })
			said, ok := ask(t, c.of, c.issuer, "-resp_text")
			for _, want := range append(c.says, "Response verify OK") {
				if !ok || !strings.Contains(said, want) {
					t.Errorf("no %q in\n%s", want, said)
				}
			}
		})
	}
	t.Run("no nextUpdate", func(t *testing.T) {
		s.Configure(func(all *authority.Config) { all.OCSP = authority.OCSPConfig{NoNextUpdate: true} })
		if said, ok := ask(t, pki.Signer, "ca.pem"); !ok || !strings.Contains(said, "c.pem: good") || strings.Contains(said, "Next Update") {
			t.Error(said)
		}
	})
	s.Configure(func(all *authority.Config) { all.OCSP = authority.OCSPConfig{} })
	t.Run("by a revoked responder", func(t *testing.T) {
		fail(t, s, authority.OCSP, authority.Revoked)
		revoked := p.Must(t, pki.OCSPRevoked).Certificate
		said, ok := ask(t, pki.Signer, "ca.pem", "-resp_text") // openssl does not ask about the responder
		if serial := hex.EncodeToString(revoked.SerialNumber.Bytes()); !ok || !strings.Contains(strings.ReplaceAll(said, ":", ""), serial) {
			t.Errorf("no %s in\n%s", serial, said)
		}
		if said, _ := ask(t, pki.OCSPRevoked, "ca.pem"); !strings.Contains(said, "c.pem: revoked") {
			t.Error(said)
		}
	})
	for fault, says := range map[authority.Fault]string{
		authority.WrongNonce:    "nonce verify error",
		authority.MissingNonce:  "warning: no nonce in response",
		authority.NoEKU:         "missing ocspsigning usage",
		authority.Expired:       "certificate has expired",
		authority.OtherCA:       "certificate verify error",
		authority.FlippedBit:    "signature",
		authority.WrongSerial:   "no status found",
		authority.OtherIssuer:   "no status found",
		authority.Stale:         "status expired",
		authority.Future:        "status not yet valid",
		authority.TryLater:      "trylater",
		authority.Unauthorized:  "unauthorized",
		authority.Malformed:     "malformedrequest",
		authority.InternalError: "internalerror",
		authority.SigRequired:   "sigrequired",
	} {
		t.Run(string(fault), func(t *testing.T) {
			fail(t, s, authority.OCSP, fault)
			said, ok := ask(t, pki.Signer, "ca.pem")
			good := ok && strings.Contains(said, "Response verify OK\nc.pem: good\n\tThis")
			if !strings.Contains(strings.ToLower(said), says) || good != (fault == authority.MissingNonce) {
				t.Errorf("good %t, no %q in\n%s", good, says, said)
			}
		})
	}
}

func TestOpenSSLVerifiesRevocationLists(t *testing.T) {
	p := pki.New(time.Now())
	s := authority.Start(t, p, authority.Options{})
	o := needOpenSSL(t, p)
	for _, c := range []struct {
		name   string
		config authority.CRLConfig
		says   []string
	}{
		{"plain", authority.CRLConfig{}, []string{"Key Compromise", "Signature Algorithm: sha256WithRSAEncryption"}},
		{"PSS", authority.CRLConfig{PSS: true}, []string{"Signature Algorithm: rsassaPss"}},
		{"number", authority.CRLConfig{Number: 4711}, []string{"4711"}},
		{"scope", authority.CRLConfig{Scope: &authority.Scope{URL: "http://127.0.0.1/x.crl", UserCerts: true}}, []string{"URI:http://127.0.0.1/x.crl", "Only User Certificates"}},
		{"CA certificates", authority.CRLConfig{Scope: &authority.Scope{CACerts: true}}, []string{"Only CA Certificates"}},
		{"attribute certificates", authority.CRLConfig{Scope: &authority.Scope{AttributeCerts: true}}, []string{"Only Attribute Certificates"}},
		{"reasons", authority.CRLConfig{Scope: &authority.Scope{Reasons: []authority.Reason{authority.KeyCompromise, authority.PrivilegeWithdrawn}}}, []string{"Only Some Reasons", "Key Compromise, Privilege Withdrawn"}},
		{"delta", authority.CRLConfig{Delta: true}, []string{"X509v3 Freshest CRL", "qualified-ca-delta.crl"}},
		{"expired certificates", authority.CRLConfig{ExpiredCertsOn: p.Now()}, []string{"2.5.29.60"}},
		{"unknown extension", authority.CRLConfig{UnknownExtension: true}, []string{"1.3.6.1.4.1.99999.2: critical"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s.Configure(func(all *authority.Config) { all.CRL = c.config })
			o.write("ca.crl", get(t, s.URL(authority.CRL)+"/qualified-ca.crl"))
			said, _ := o.run("crl", "-inform", "DER", "-in", "ca.crl", "-CAfile", "ca.pem", "-noout", "-text")
			for _, want := range append(c.says, "verify OK") {
				if !strings.Contains(said, want) {
					t.Errorf("no %q in\n%s", want, said)
				}
			}
		})
	}
	t.Run("indirect", func(t *testing.T) {
		s.Configure(func(all *authority.Config) { all.CRL = authority.CRLConfig{Indirect: true} })
		o.write("crl-issuer.pem", p.Must(t, pki.CRLIssuer).CertificatePEM())
		o.write("ca.crl", get(t, s.URL(authority.CRL)+"/qualified-ca.crl"))
		said, _ := o.run("crl", "-inform", "DER", "-in", "ca.crl", "-CAfile", "crl-issuer.pem", "-noout", "-text")
		for _, want := range []string{"verify OK", "Indirect CRL", "X509v3 Certificate Issuer: critical", "Esempio Firma CRL 1"} {
			if !strings.Contains(said, want) {
				t.Errorf("no %q in\n%s", want, said)
			}
		}
	})
	s.Configure(func(all *authority.Config) { all.CRL = authority.CRLConfig{} })
	for _, fault := range []authority.Fault{authority.FlippedBit, authority.OtherCA} {
		t.Run(string(fault), func(t *testing.T) {
			fail(t, s, authority.CRL, fault)
			o.write("ca.crl", get(t, s.URL(authority.CRL)+"/qualified-ca.crl"))
			if said, _ := o.run("crl", "-inform", "DER", "-in", "ca.crl", "-CAfile", "ca.pem", "-noout"); strings.Contains(said, "verify OK") {
				t.Error(said)
			}
		})
	}
	for fault, says := range map[authority.Fault]string{"": "c.pem: OK", authority.Stale: "CRL has expired", authority.Future: "CRL is not yet valid"} {
		t.Run("check with "+string(fault), func(t *testing.T) {
			fail(t, s, authority.CRL, fault)
			o.write("c.pem", p.Must(t, pki.Signer).CertificatePEM())
			block := &pem.Block{Type: "X509 CRL", Bytes: get(t, s.URL(authority.CRL)+"/qualified-ca.crl")}
			o.write("crl.pem", pem.EncodeToMemory(block))
			said, _ := o.run("verify", "-crl_check", "-CRLfile", "crl.pem", "-CAfile", "root.pem", "-untrusted", "ca.pem", "c.pem")
			if !strings.Contains(said, says) {
				t.Errorf("no %q in\n%s", says, said)
			}
		})
	}
}
