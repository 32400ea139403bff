// SPDX-License-Identifier: Apache-2.0

package pki_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

var now = time.Date(2026, 11, 20, 9, 30, 0, 0, time.UTC)

// pool returns a pool of one certificate.
func pool(c *x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(c)
	return p
}

// check builds the chain of i to root as crypto/x509 does.
func check(i, root *pki.Identity, at time.Time) error {
	intermediates := x509.NewCertPool()
	for _, c := range i.Chain {
		intermediates.AddCert(c)
	}
	_, err := i.Certificate.Verify(x509.VerifyOptions{
		Roots:         pool(root.Certificate),
		Intermediates: intermediates,
		CurrentTime:   at,
		KeyUsages:     []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	})
	return err
}

func TestEveryEntityChainsToItsRoot(t *testing.T) {
	p := pki.New(now)
	at := map[pki.Name]time.Time{
		pki.Expired:     now.AddDate(-2, 0, 0),
		pki.TSAExpired:  now.AddDate(-2, 0, 0),
		pki.OCSPExpired: now.AddDate(-2, 0, 0),
		pki.NotYetValid: now.AddDate(2, 0, 0),
	}
	for _, name := range pki.Names() {
		t.Run(string(name), func(t *testing.T) {
			root := p.Must(t, pki.Root)
			if strings.HasPrefix(string(name), "alt-") {
				root = p.Must(t, pki.AltRoot)
			}
			when, ok := at[name]
			if !ok {
				when = now
			}
			if err := check(p.Must(t, name), root, when); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestNotValidNow(t *testing.T) {
	p := pki.New(now)
	for _, name := range []pki.Name{pki.Expired, pki.NotYetValid, pki.TSAExpired, pki.OCSPExpired} {
		if err := check(p.Must(t, name), p.Must(t, pki.Root), now); err == nil {
			t.Errorf("%s is valid now", name)
		}
	}
}

func TestKeys(t *testing.T) {
	p := pki.New(now)
	bits := map[pki.Name]int{pki.Signer: 2048, pki.SignerRSA3072: 3072, pki.SignerRSA4096: 4096}
	for name, want := range bits {
		key := p.Must(t, name).Key.(*rsa.PrivateKey)
		if got := key.N.BitLen(); got != want {
			t.Errorf("%s has %d bits, want %d", name, got, want)
		}
	}
	curves := map[pki.Name]elliptic.Curve{
		pki.SignerP256: elliptic.P256(), pki.SignerP384: elliptic.P384(), pki.SignerP521: elliptic.P521(),
	}
	for name, want := range curves {
		if key := p.Must(t, name).Key.(*ecdsa.PrivateKey); key.Curve != want {
			t.Errorf("%s is on %s", name, key.Params().Name)
		}
	}
	if _, ok := p.Must(t, pki.SignerEd25519).Key.(ed25519.PrivateKey); !ok {
		t.Errorf("the key of %s is no Ed25519 key", pki.SignerEd25519)
	}
}

func TestKeyOutlivesPKI(t *testing.T) {
	one, two := pki.New(now).Must(t, pki.SignerP256), pki.New(now.AddDate(1, 0, 0)).Must(t, pki.SignerP256)
	if one.Key != two.Key {
		t.Error("two PKIs of one process have different keys for one name")
	}
	if bytes.Equal(one.Certificate.Raw, two.Certificate.Raw) {
		t.Error("PKIs a year apart have the same certificate")
	}
}

// text returns the values of an attribute type in a name, joined.
func text(name pkix.Name, oid ...int) string {
	var values []string
	for _, a := range name.Names {
		if a.Type.Equal(oid) {
			values = append(values, a.Value.(string))
		}
	}
	return strings.Join(values, "|")
}

func TestQualifiedProfile(t *testing.T) {
	c := pki.New(now).Must(t, pki.Signer).Certificate
	subject := map[string][]int{
		"IT": {2, 5, 4, 6}, "ROSSI": {2, 5, 4, 4}, "MARIO": {2, 5, 4, 42}, "MARIO ROSSI": {2, 5, 4, 3},
		"TINIT-RSSMRA80A01H501U": {2, 5, 4, 5}, "WSREF-00000000000001": {2, 5, 4, 46},
	}
	for want, oid := range subject {
		if got := text(c.Subject, oid...); got != want {
			t.Errorf("attribute %v is %q, want %q", oid, got, want)
		}
	}
	if got := text(c.Issuer, 2, 5, 4, 97); got != "VATIT-00000000000" {
		t.Errorf("organizationIdentifier of the issuer is %q", got)
	}
	if c.KeyUsage != x509.KeyUsageContentCommitment || !extensionOf(t, c, 2, 5, 29, 15).Critical {
		t.Errorf("key usage is %b, want nonRepudiation alone and critical", c.KeyUsage)
	}
	if got := c.Policies; len(got) != 2 || got[0].String() != "0.4.0.194112.1.2" || got[1].String() != "1.3.76.16.6" {
		t.Errorf("policies are %v", got)
	}
	if len(c.OCSPServer) != 1 || len(c.IssuingCertificateURL) != 1 || len(c.CRLDistributionPoints) != 1 {
		t.Error("the issuer's services are not all named")
	}
}

func extensionOf(t *testing.T, c *x509.Certificate, oid ...int) pkix.Extension {
	t.Helper()
	for _, e := range c.Extensions {
		if e.Id.Equal(oid) {
			return e
		}
	}
	t.Fatalf("no extension %v", oid)
	return pkix.Extension{}
}

func TestQcStatements(t *testing.T) {
	c := pki.New(now).Must(t, pki.Signer).Certificate
	var statements []struct {
		OID  asn1.ObjectIdentifier
		Info asn1.RawValue `asn1:"optional"`
	}
	rest, err := asn1.Unmarshal(extensionOf(t, c, 1, 3, 6, 1, 5, 5, 7, 1, 3).Value, &statements)
	if err != nil || len(rest) > 0 {
		t.Fatalf("%d bytes left, %v", len(rest), err)
	}
	info := map[string]asn1.RawValue{}
	for _, s := range statements {
		info[s.OID.String()] = s.Info
	}
	for _, oid := range []string{"0.4.0.1862.1.1", "0.4.0.1862.1.4"} {
		if i, ok := info[oid]; !ok || len(i.FullBytes) > 0 {
			t.Errorf("%s: there %t, with %d bytes of information", oid, ok, len(i.FullBytes))
		}
	}
	var types []asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(info["0.4.0.1862.1.6"].FullBytes, &types); err != nil || len(types) != 1 || types[0].String() != "0.4.0.1862.1.6.1" {
		t.Errorf("types are %v, %v", types, err)
	}
	var years int
	if _, err := asn1.Unmarshal(info["0.4.0.1862.1.3"].FullBytes, &years); err != nil || years != 20 {
		t.Errorf("retention is %d, %v", years, err)
	}
	var pds []struct {
		URL, Language string
	}
	if _, err := asn1.Unmarshal(info["0.4.0.1862.1.5"].FullBytes, &pds); err != nil || len(pds) != 1 || pds[0].Language != "en" {
		t.Errorf("disclosure statement is %v, %v", pds, err)
	}
}

func TestCNSProfile(t *testing.T) {
	c := pki.New(now).Must(t, pki.CNS).Certificate
	// The hash was computed with sha1sum over the file written by hand.
	if want := "RSSMRA80A01H501U/6090000000000001.b6sR+ohoFtM3/f3NaH5B7i8sv3E="; c.Subject.CommonName != want {
		t.Errorf("common name is %q, want %q", c.Subject.CommonName, want)
	}
	if c.KeyUsage&x509.KeyUsageDigitalSignature == 0 || c.KeyUsage&x509.KeyUsageContentCommitment != 0 {
		t.Errorf("key usage is %b", c.KeyUsage)
	}
	if len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageClientAuth {
		t.Errorf("extended key usage is %v", c.ExtKeyUsage)
	}
	if len(c.Policies) != 1 || c.Policies[0].String() != "1.3.76.16.2.1" {
		t.Errorf("policies are %v", c.Policies)
	}
	if e := extensionOf(t, c, 2, 5, 29, 32); !bytes.Contains(e.Value, []byte("italian National Service Card (CNS)")) {
		t.Error("the policy has no notice")
	}
}

func TestPersonalData(t *testing.T) {
	const want = "00005F0460900801012024083112202905ROSSI05MARIO080101198001M0010RSSMRA80A01H501U0004H501000004H5010000"
	data := pki.PersonalData()
	if len(data) != 400 || string(bytes.TrimRight(data, "\x00")) != want {
		t.Errorf("got %d bytes, %q", len(data), bytes.TrimRight(data, "\x00"))
	}
}

func TestServices(t *testing.T) {
	p := pki.New(now)
	tsa := p.Must(t, pki.TSA).Certificate
	if len(tsa.ExtKeyUsage) != 1 || tsa.ExtKeyUsage[0] != x509.ExtKeyUsageTimeStamping || !extensionOf(t, tsa, 2, 5, 29, 37).Critical {
		t.Errorf("extended key usage of the TSA is %v, or not critical", tsa.ExtKeyUsage)
	}
	ocsp := p.Must(t, pki.OCSPResponder).Certificate
	if len(ocsp.ExtKeyUsage) != 1 || ocsp.ExtKeyUsage[0] != x509.ExtKeyUsageOCSPSigning {
		t.Errorf("extended key usage of the responder is %v", ocsp.ExtKeyUsage)
	}
	extensionOf(t, ocsp, 1, 3, 6, 1, 5, 5, 7, 48, 1, 5)
}

// What each bad service has wrong, and that nothing else is.
func TestBadServices(t *testing.T) {
	p := pki.New(now)
	for _, c := range []struct {
		name     pki.Name
		critical bool
		usages   []x509.ExtKeyUsage
	}{
		{pki.TSAP256, true, []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}},
		{pki.TSANotCriticalEKU, false, []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping}},
		{pki.TSAExtraEKU, true, []x509.ExtKeyUsage{x509.ExtKeyUsageTimeStamping, x509.ExtKeyUsageCodeSigning}},
		{pki.TSANoEKU, false, nil},
		{pki.OCSPNoEKU, false, nil},
		{pki.OCSPChecked, false, []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}},
		{pki.OCSPOtherCA, false, []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}},
	} {
		certificate := p.Must(t, c.name).Certificate
		if !slices.Equal(certificate.ExtKeyUsage, c.usages) {
			t.Errorf("%s: extended key usage is %v", c.name, certificate.ExtKeyUsage)
		}
		if c.usages != nil && extensionOf(t, certificate, 2, 5, 29, 37).Critical != c.critical {
			t.Errorf("%s: critical is not %t", c.name, c.critical)
		}
		if c.name == pki.OCSPChecked && hasExtension(certificate, 1, 3, 6, 1, 5, 5, 7, 48, 1, 5) {
			t.Errorf("%s is not to be checked", c.name)
		}
	}
}

func hasExtension(c *x509.Certificate, oid ...int) bool {
	return slices.ContainsFunc(c.Extensions, func(e pkix.Extension) bool { return e.Id.Equal(oid) })
}

func TestPublish(t *testing.T) {
	p := pki.New(now)
	root := p.Must(t, pki.Root).Certificate
	if root.OCSPServer != nil {
		t.Errorf("the root's responder is at %v", root.OCSPServer)
	}
	if err := p.Publish("http://127.0.0.1:9"); err != nil {
		t.Fatal(err)
	}
	c := p.Must(t, pki.SignerP256).Certificate
	got := []string{c.IssuingCertificateURL[0], c.CRLDistributionPoints[0], c.OCSPServer[0]}
	want := []string{"http://127.0.0.1:9/ca/qualified-ca.cer", "http://127.0.0.1:9/crl/qualified-ca.crl", "http://127.0.0.1:9/ocsp/qualified-ca"}
	if !slices.Equal(got, want) {
		t.Errorf("services are at %v, want %v", got, want)
	}
	if err := p.Publish("http://127.0.0.1:10"); err == nil || !strings.Contains(err.Error(), "before issuing") {
		t.Errorf("publishing again: %v", err)
	}
}

func TestAuthorities(t *testing.T) {
	p := pki.New(now)
	for _, name := range pki.Names() {
		isCA := p.Must(t, name).Certificate.IsCA
		if isCA != slices.Contains(pki.Authorities(), name) {
			t.Errorf("%s: a CA %t, which the list contradicts", name, isCA)
		}
	}
}

func TestImpostorDiffersInKeysOnly(t *testing.T) {
	p := pki.New(now)
	signer, alt := p.Must(t, pki.Signer), p.Must(t, pki.AltSigner)
	if !bytes.Equal(signer.Certificate.RawIssuer, alt.Certificate.RawIssuer) ||
		!bytes.Equal(signer.Certificate.RawSubject, alt.Certificate.RawSubject) ||
		signer.Certificate.SerialNumber.Cmp(alt.Certificate.SerialNumber) != 0 {
		t.Error("the impostor's names or serial number differ")
	}
	if signer.Key == alt.Key {
		t.Error("the impostor has the signer's key")
	}
	if err := check(alt, p.Must(t, pki.Root), now); err == nil {
		t.Error("the impostor chains to the real root")
	}
}

func TestRevocationList(t *testing.T) {
	p := pki.New(now)
	der, err := p.CRL(pki.QualifiedCA)
	if err != nil {
		t.Fatal(err)
	}
	list, err := x509.ParseRevocationList(der)
	if err != nil {
		t.Fatal(err)
	}
	if err := list.CheckSignatureFrom(p.Must(t, pki.QualifiedCA).Certificate); err != nil {
		t.Error(err)
	}
	var listed []string
	for _, entry := range list.RevokedCertificateEntries {
		listed = append(listed, entry.SerialNumber.String())
	}
	var want []string
	for _, name := range []pki.Name{pki.OCSPRevoked, pki.Revoked, pki.TSARevoked} {
		want = append(want, p.Must(t, name).Certificate.SerialNumber.String())
	}
	if !slices.Equal(listed, want) {
		t.Errorf("revoked are %v, want %v", listed, want)
	}
}

func TestIssueCustom(t *testing.T) {
	p := pki.New(now)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("twin", func(t *testing.T) {
		twin, err := p.IssueCustom(pki.QualifiedCA, key, func(*x509.Certificate) {})
		if err != nil {
			t.Fatal(err)
		}
		signer := p.Must(t, pki.Signer).Certificate
		if twin.Certificate.SerialNumber.Cmp(signer.SerialNumber) != 0 || !bytes.Equal(twin.Certificate.RawIssuer, signer.RawIssuer) {
			t.Error("issuer and serial number differ from those of the signer")
		}
		if err := check(twin, p.Must(t, pki.Root), now); err != nil {
			t.Error(err)
		}
	})
	t.Run("other subject, same key", func(t *testing.T) {
		other, err := p.IssueCustom(pki.QualifiedCA, p.Must(t, pki.SignerP256).Key, func(c *x509.Certificate) {
			c.Subject = pkix.Name{CommonName: "LUCIA VERDI"}
		})
		if err != nil {
			t.Fatal(err)
		}
		if got := other.Certificate.Subject.String(); got != "CN=LUCIA VERDI" {
			t.Errorf("subject is %s", got)
		}
	})
	t.Run("below the root", func(t *testing.T) {
		leaf, err := p.IssueCustom(pki.Root, key, func(*x509.Certificate) {})
		if err != nil || len(leaf.Chain) != 0 {
			t.Errorf("chain of %d, %v", len(leaf.Chain), err)
		}
	})
}

// For the race detector, and for two goroutines that make one entity.
func TestConcurrentUse(t *testing.T) {
	p := pki.New(now)
	names := []pki.Name{pki.SignerP256, pki.Revoked, pki.QualifiedCA, pki.SignerP256, pki.Expired}
	issued := make([]*pki.Identity, len(names))
	var group sync.WaitGroup
	for i, name := range names {
		group.Go(func() { issued[i], _ = p.Issue(name) })
	}
	group.Wait()
	if issued[0] == nil || issued[0] != issued[3] {
		t.Errorf("one name gave %p and %p", issued[0], issued[3])
	}
}

func TestUnknownName(t *testing.T) {
	if _, err := pki.New(now).Issue("nobody"); err == nil || !strings.Contains(err.Error(), `"nobody"`) {
		t.Errorf("error is %v", err)
	}
}

func TestWrite(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	p := pki.New(now)
	if err := p.Write(dir, pki.Root, pki.SignerP256); err != nil {
		t.Fatal(err)
	}
	root, err := os.ReadFile(filepath.Join(dir, "root.pem"))
	if err != nil || !bytes.Equal(root, p.RootPEM()) {
		t.Errorf("root.pem is not the root: %v", err)
	}
	chain, err := os.ReadFile(filepath.Join(dir, "signer-p256.chain.pem"))
	if err != nil || !bytes.Equal(chain, p.Must(t, pki.QualifiedCA).CertificatePEM()) {
		t.Errorf("signer-p256.chain.pem is not the CA: %v", err)
	}
	key, err := os.Stat(filepath.Join(dir, "signer-p256.key"))
	if err != nil || key.Mode().Perm() != 0o600 {
		t.Errorf("key file: %v, %v", key, err)
	}
	if _, err := os.Stat(filepath.Join(dir, "root.chain.pem")); err == nil {
		t.Error("the root has a chain file")
	}
}
