// SPDX-License-Identifier: Apache-2.0

package trust_test

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"log"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify/trust"
)

var (
	moment = time.Date(2026, 11, 22, 10, 30, 0, 0, time.UTC)
	people = pki.New(moment)
)

func certificate(t testing.TB, name pki.Name) *x509.Certificate {
	return people.Must(t, name).Certificate
}

func TestChain(t *testing.T) {
	root := certificate(t, pki.Root)
	signer := people.Must(t, pki.Signer)
	custom := func(edit func(*x509.Certificate)) *x509.Certificate {
		id, err := people.IssueCustom(pki.QualifiedCA, signer.Key, edit)
		if err != nil {
			t.Fatal(err)
		}
		return id.Certificate
	}
	// A signer's certificate is no authority: what its key issues is worthless.
	leaf, err := people.IssueCustom(pki.SecondSigner, signer.Key, func(*x509.Certificate) {})
	if err != nil {
		t.Fatal(err)
	}
	own := []*x509.Certificate{signer.Chain[0]}
	for name, c := range map[string]struct {
		anchors []*x509.Certificate
		cert    *x509.Certificate
		others  []*x509.Certificate
		at      time.Time
		want    trust.Status
		path    int
	}{
		"root":                     {[]*x509.Certificate{root}, signer.Certificate, own, moment, trust.Trusted, 3},
		"issuer is the anchor":     {own, signer.Certificate, nil, moment, trust.Trusted, 2},
		"the certificate itself":   {[]*x509.Certificate{signer.Certificate}, signer.Certificate, nil, moment, trust.Trusted, 1},
		"no anchors":               {nil, signer.Certificate, own, moment, trust.NoChain, 0},
		"issuer missing":           {[]*x509.Certificate{root}, signer.Certificate, nil, moment, trust.NoChain, 0},
		"impostor's root":          {[]*x509.Certificate{certificate(t, pki.AltRoot)}, signer.Certificate, own, moment, trust.NoChain, 0},
		"root among the others":    {[]*x509.Certificate{certificate(t, pki.AltRoot)}, signer.Certificate, append(own, root), moment, trust.NoChain, 0},
		"expired":                  {[]*x509.Certificate{root}, certificate(t, pki.Expired), own, moment, trust.OutOfBounds, 3},
		"not yet valid":            {[]*x509.Certificate{root}, certificate(t, pki.NotYetValid), own, moment, trust.OutOfBounds, 3},
		"long after":               {[]*x509.Certificate{root}, signer.Certificate, own, moment.AddDate(100, 0, 0), trust.OutOfBounds, 3},
		"expired, then":            {[]*x509.Certificate{root}, certificate(t, pki.Expired), own, certificate(t, pki.Expired).NotAfter, trust.Trusted, 3},
		"issued by no authority":   {[]*x509.Certificate{root}, leaf.Certificate, []*x509.Certificate{certificate(t, pki.SecondSigner), signer.Chain[0]}, moment, trust.NoChain, 0},
		"unknown critical rule":    {[]*x509.Certificate{root}, custom(addCritical), own, moment, trust.Violation, 0},
		"expired and of no issuer": {[]*x509.Certificate{certificate(t, pki.AltRoot)}, certificate(t, pki.Expired), own, moment, trust.NoChain, 0},
	} {
		t.Run(name, func(t *testing.T) {
			got := trust.NewAnchors(c.anchors...).Chain(c.cert, pool(c.others...), c.at)
			if got.Status != c.want || len(got.Path) != c.path {
				t.Errorf("status %d with a path of %d, want %d with %d (%s)", got.Status, len(got.Path), c.want, c.path, got.Reason)
			}
			if (got.Status == trust.Trusted) != (got.Reason == "") {
				t.Errorf("status %d with reason %q", got.Status, got.Reason)
			}
		})
	}
	var none *trust.Anchors
	if got := none.Chain(signer.Certificate, pool(own...), moment); got.Status != trust.NoChain || none.Len() != 0 {
		t.Errorf("nil anchors: %+v", got)
	}
}

// pool is nil for no certificates.
func pool(certificates ...*x509.Certificate) *x509.CertPool {
	if len(certificates) == 0 {
		return nil
	}
	p := x509.NewCertPool()
	for _, c := range certificates {
		p.AddCert(c)
	}
	return p
}

// TestDirectoryNames: an authority gives only the names that those above it let it give,
// however they are written.
func TestDirectoryNames(t *testing.T) {
	subtree := func(n pkix.Name) asn1.RawValue {
		dn := must(t)(asn1.Marshal(n.ToRDNSequence()))
		general := must(t)(asn1.Marshal(asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: dn}))
		return asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: general}
	}
	italy, germany := subtree(pkix.Name{Country: []string{"it"}}), subtree(pkix.Name{Country: []string{"DE"}})
	rossi := subtree(pkix.Name{CommonName: "ROSSI  mario"})
	type constraints struct {
		Permitted []asn1.RawValue `asn1:"optional,omitempty,tag:0"`
		Excluded  []asn1.RawValue `asn1:"optional,omitempty,tag:1"`
	}
	key, root := people.Must(t, pki.Signer).Key, certificate(t, pki.Root)
	for name, c := range map[string]struct {
		limits  constraints
		subject pkix.Name
		other   *pkix.Name // among the alternative names
		want    trust.Status
	}{
		"permitted":             {constraints{Permitted: []asn1.RawValue{germany, italy}}, pkix.Name{Country: []string{"IT"}, CommonName: "x"}, nil, trust.Trusted},
		"not permitted":         {constraints{Permitted: []asn1.RawValue{germany}}, pkix.Name{Country: []string{"IT"}, CommonName: "x"}, nil, trust.Violation},
		"excluded":              {constraints{Excluded: []asn1.RawValue{rossi}}, pkix.Name{CommonName: "Rossi Mario"}, nil, trust.Violation},
		"not excluded":          {constraints{Excluded: []asn1.RawValue{rossi}}, pkix.Name{CommonName: "Rossi Maria"}, nil, trust.Trusted},
		"another name excluded": {constraints{Excluded: []asn1.RawValue{italy}}, pkix.Name{CommonName: "x"}, &pkix.Name{Country: []string{"IT"}}, trust.Violation},
		"no names":              {constraints{Permitted: []asn1.RawValue{italy}}, pkix.Name{}, nil, trust.Trusted},
	} {
		t.Run(name, func(t *testing.T) {
			value := must(t)(asn1.Marshal(c.limits))
			ca, err := people.IssueCustom(pki.Root, key, func(x *x509.Certificate) {
				x.IsCA, x.BasicConstraintsValid, x.KeyUsage = true, true, x509.KeyUsageCertSign
				x.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 30}, Value: value}}
			})
			if err != nil {
				t.Fatal(err)
			}
			user := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: c.subject, NotBefore: moment, NotAfter: moment.AddDate(1, 0, 0)}
			if c.other != nil {
				dn := must(t)(asn1.Marshal(c.other.ToRDNSequence()))
				names := must(t)(asn1.Marshal([]asn1.RawValue{{Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: dn}}))
				user.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: names}}
			}
			certificate, err := x509.ParseCertificate(must(t)(x509.CreateCertificate(rand.Reader, user, ca.Certificate, key.Public(), key)))
			if err != nil {
				t.Fatal(err)
			}
			got := trust.NewAnchors(root).Chain(certificate, pool(ca.Certificate), moment)
			if got.Status != c.want {
				t.Errorf("status %d, want %d (%s)", got.Status, c.want, got.Reason)
			}
		})
	}
}

func must(t *testing.T) func([]byte, error) []byte {
	return func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

// addCritical adds an extension that nobody knows and everybody must.
func addCritical(c *x509.Certificate) {
	extension := c.ExtraExtensions[0]
	extension.Id = []int{1, 2, 3, 4, 5}
	extension.Critical = true
	c.ExtraExtensions = append(c.ExtraExtensions, extension)
}

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	root, alt := certificate(t, pki.Root), certificate(t, pki.AltRoot)
	both := append(pemOf("CERTIFICATE", root.Raw), pemOf("CERTIFICATE", alt.Raw)...)
	files := map[string][]byte{
		"root.pem":   pemOf("CERTIFICATE", root.Raw),
		"root.cer":   root.Raw,
		"both.pem":   append(pemOf("PRIVATE KEY", []byte{1}), both...),
		"notes.txt":  []byte("nothing here"),
		"broken.pem": pemOf("CERTIFICATE", root.Raw[:100]),
		"empty.pem":  {},
	}
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]int{"root.pem": 1, "root.cer": 1, "both.pem": 2, ".": 4} {
		a, err := trust.Load(filepath.Join(dir, name))
		if err != nil || a.Len() != want {
			t.Errorf("%s: %d anchors, %v; want %d", name, a.Len(), err, want)
		}
	}
	for _, name := range []string{"notes.txt", "broken.pem", "empty.pem", "folder", "absent"} {
		_, err := trust.Load(filepath.Join(dir, "root.pem"), filepath.Join(dir, name))
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := trust.Load(filepath.Join(dir, "notes.txt")); !errors.Is(err, trust.ErrNoCertificate) {
		t.Errorf("notes.txt: %v, want ErrNoCertificate", err)
	}
}

func pemOf(kind string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

func ExampleAnchors_Chain() {
	rossi, err := people.Issue(pki.Signer)
	if err != nil {
		log.Fatal(err)
	}
	root, err := people.Issue(pki.Root)
	if err != nil {
		log.Fatal(err)
	}
	chain := trust.NewAnchors(root.Certificate).Chain(rossi.Certificate, pool(rossi.Chain...), moment)
	fmt.Println(chain.Status == trust.Trusted, len(chain.Path))
	// Output: true 3
}
