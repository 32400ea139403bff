// SPDX-License-Identifier: Apache-2.0

package cns

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

var issuer = sync.OnceValue(func() *pki.PKI { return pki.New(time.Now()) })

func TestClassifyIssued(t *testing.T) {
	cases := map[pki.Name]Kind{
		pki.Signer: QualifiedSignature, pki.SignerP256: QualifiedSignature, pki.SecondSigner: QualifiedSignature,
		pki.CNS: CNS, pki.QualifiedCA: Other, pki.Root: Other, pki.TSA: Other, pki.OCSPResponder: Other,
	}
	for name, want := range cases {
		kind, reasons := Classify(issuer().Must(t, name).Certificate)
		if kind != want || len(reasons) == 0 {
			t.Errorf("%s: %v, %q", name, kind, reasons)
		}
	}
	if kind, reasons := Classify(nil); kind != KindUnknown || reasons != nil {
		t.Errorf("no certificate: %v, %q", kind, reasons)
	}
}

// draft describes a certificate of a case.
type draft struct {
	usage      x509.KeyUsage
	client     bool
	policies   []string
	name       string
	statements []byte
	unit       string // of the subject
	issuer     string // organization
}

func (d draft) certificate(t *testing.T) *x509.Certificate {
	t.Helper()
	c := &x509.Certificate{KeyUsage: d.usage, Subject: pkix.Name{CommonName: d.name}}
	if d.unit != "" {
		c.Subject.OrganizationalUnit = []string{d.unit}
	}
	c.Issuer.Organization = []string{d.issuer}
	if d.client {
		c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	}
	for _, p := range d.policies {
		oid, err := x509.ParseOID(p)
		if err != nil {
			t.Fatal(err)
		}
		c.Policies = append(c.Policies, oid)
	}
	if d.statements != nil {
		c.Extensions = []pkix.Extension{{Id: oidQCStatements, Value: d.statements}}
	}
	return c
}

// statements encodes QcCompliance and, if any are given, a QcType.
func statements(t *testing.T, types ...asn1.ObjectIdentifier) []byte {
	t.Helper()
	type statement struct {
		ID    asn1.ObjectIdentifier
		Types []asn1.ObjectIdentifier `asn1:"optional,omitempty"`
	}
	der, err := asn1.Marshal([]statement{{ID: oidQcCompliance}, {ID: oidQcSSCD}, {oidQcType, types}}[:2+min(1, len(types))])
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func TestClassify(t *testing.T) {
	const (
		sign  = x509.KeyUsageContentCommitment
		login = x509.KeyUsageDigitalSignature
		name  = "RSSMRA80A01H501U/6090000000000001.b6sR+ohoFtM3/f3NaH5B7i8sv3E="
	)
	eSeal := asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 6, 2}
	cases := []struct {
		name   string
		draft  draft
		want   Kind
		reason string
	}{
		{"qualified by its statements", draft{usage: sign, statements: statements(t, oidQcTypeESign)}, QualifiedSignature, "QcCompliance"},
		{"qualified, without a type", draft{usage: sign, statements: statements(t)}, QualifiedSignature, "QcSSCD"},
		{"qualified by its policy", draft{usage: sign, policies: []string{policyQCPnQ}}, QualifiedSignature, policyQCPnQ},
		{"qualified before eIDAS", draft{usage: sign, policies: []string{policyQCPSS}}, QualifiedSignature, policyQCPSS},
		{"qualified, with one usage too many", draft{usage: sign | login, statements: statements(t)}, QualifiedSignature, "also digitalSignature"},
		{"a seal", draft{usage: sign, statements: statements(t, eSeal)}, Other, "seals"},
		{"a seal by its type, a signature by its policy", draft{usage: sign, statements: statements(t, eSeal), policies: []string{policyQCPn}}, Other, "seals"},
		{"a signature and a seal", draft{usage: sign, statements: statements(t, eSeal, oidQcTypeESign)}, QualifiedSignature, ""},
		{"a signature, not qualified", draft{usage: sign}, Other, "nothing says"},
		{"qualified, with another usage too many", draft{usage: sign | x509.KeyUsageKeyEncipherment, statements: statements(t)}, QualifiedSignature, "key usages that"},
		{"a seal by its policy alone", draft{usage: sign, statements: statements(t), policies: []string{policyQCPlQ}}, Other, policyQCPlQ},
		{"policies for both kinds of persons", draft{usage: sign, policies: []string{policyQCPn, policyQCPl}}, QualifiedSignature, policyQCPn},
		{"malformed statements", draft{usage: sign, statements: []byte{0x30, 0x7f}}, Other, "cannot be read"},
		{"qualified, but not for signatures", draft{usage: login, statements: statements(t, oidQcTypeESign)}, Other, "neither"},
		{"agIDcert alone proves nothing", draft{usage: sign, policies: []string{"1.3.76.16.6"}}, Other, "nothing says"},

		{"CNS", draft{usage: login, client: true, policies: []string{policyCNS}, name: name}, CNS, policyCNS},
		{"CNS with another usage", draft{usage: login | x509.KeyUsageKeyEncipherment, client: true, policies: []string{policyCNS}, name: name}, CNS, ""},
		{"CNS of Lombardy", draft{usage: login, client: true, policies: []string{regionalPolicies[1]}, name: name}, CNS, regionalPolicies[1]},
		{"no policy", draft{usage: login, client: true, name: name}, CNSLike, "no policy"},
		{"no clientAuth", draft{usage: login, policies: []string{policyCNS}, name: name}, CNSLike, "no extended"},
		{"policy with another name", draft{usage: login, client: true, policies: []string{policyCNS}, name: "MARIO ROSSI"}, CNS, "another form"},
		{"name without a hash", draft{usage: login, client: true, name: "RSSMRA80A01H501U/7430000000000001"}, CNSLike, "no policy"},
		{"given out by a chamber", draft{usage: login, client: true, policies: []string{policyCNS}, name: name, unit: "Camera di Commercio"}, CNS, "given out by Camera di Commercio"},
		{"given out by a region that certifies", draft{usage: login, client: true, policies: []string{policyCNS}, name: name, unit: "Regione X", issuer: "Regione X"}, CNS, "given out by Regione X"},
		{"given out by the certifier", draft{usage: login, client: true, name: name, unit: "Certificatore S.p.A.", issuer: "CERTIFICATORE S.p.A."}, CNSLike, "the certifier itself (Certificatore"},
		{"given out by nobody", draft{usage: login, client: true, name: name, unit: "non presente"}, CNSLike, "no administration"},
		{"a code that is none", draft{usage: login, client: true, name: "RSSMRA80A01H501X/6090000000000001.x"}, Other, "neither"},
		{"CNS policy and nonRepudiation", draft{usage: login | sign, client: true, policies: []string{policyCNS}, name: name}, Other, "nothing says"},
		{"CNS policy without digitalSignature", draft{client: true, policies: []string{policyCNS}, name: name}, Other, "neither"},
		{"CIE", draft{usage: login, client: true, policies: []string{policyCIE}}, CIE, policyCIE},
		{"some login", draft{usage: login, client: true, name: "MARIO ROSSI"}, Other, "neither"},
		{"nothing", draft{}, Other, "neither"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			kind, reasons := Classify(c.draft.certificate(t))
			if kind != c.want || !strings.Contains(strings.Join(reasons, "; "), c.reason) {
				t.Errorf("%v, %q", kind, reasons)
			}
		})
	}
}

func TestKindWords(t *testing.T) {
	want := []string{"unknown", "qualifiedSignature", "cns", "cnsLike", "cie", "other", "unknown"}
	for i, word := range want {
		text, err := Kind(i).MarshalText()
		if err != nil || string(text) != word {
			t.Errorf("kind %d is %q, %v", i, text, err)
		}
	}
}

func subject(values ...any) *x509.Certificate {
	c := &x509.Certificate{}
	for pair := range slices.Chunk(values, 2) {
		c.Subject.Names = append(c.Subject.Names, pkix.AttributeTypeAndValue{Type: pair[0].(asn1.ObjectIdentifier), Value: pair[1]})
	}
	return c
}

func TestSubjectOf(t *testing.T) {
	cases := []struct {
		name string
		c    *x509.Certificate
		want Subject
	}{
		{"signer", issuer().Must(t, pki.Signer).Certificate, Subject{Name: "MARIO ROSSI", CodiceFiscale: "RSSMRA80A01H501U", Country: "IT"}},
		{"second signer", issuer().Must(t, pki.SecondSigner).Certificate, Subject{Name: "LUCIA VERDI", CodiceFiscale: "VRDLGU75C41F205E", Country: "IT"}},
		{"only a common name", subject(oidCommonName, "Mario Rossi"), Subject{Name: "Mario Rossi"}},
		{"only a CNS name", subject(oidCommonName, "RSSMRA80A01H501U/x.y"), Subject{Name: "RSSMRA80A01H501U", CodiceFiscale: "RSSMRA80A01H501U"}},
		{"a pseudonym", subject(oidPseudonym, "Zorro", oidCommonName, "x"), Subject{Name: "Zorro"}},
		{"an organization", subject(oidOrganization, "Ditta S.r.l."), Subject{Name: "Ditta S.r.l.", Organization: "Ditta S.r.l."}},
		{"no organization", subject(oidOrganization, "non presente", oidCommonName, "x"), Subject{Name: "x"}},
		{"old form", subject(oidSerialNumber, "IT:rssmra80a01h501u", oidSurname, "ROSSI"), Subject{Name: "ROSSI", CodiceFiscale: "RSSMRA80A01H501U"}},
		{"wrong codice fiscale", subject(oidSerialNumber, "TINIT-RSSMRA80A01H501X", oidCommonName, "x"), Subject{Name: "x"}},
		{"another country", subject(oidSerialNumber, "TINDE-RSSMRA80A01H501U", oidCommonName, "x"), Subject{Name: "x"}},
		{"tricks", subject(oidCommonName, "ROSSI\x1b[2J\u202eMARIO\n"), Subject{Name: "ROSSI[2JMARIO"}},
		{"not a text", subject(oidCommonName, 7, oidCommonName, "x"), Subject{Name: "x"}},
		{"nothing", subject(), Subject{}},
		{"no certificate", nil, Subject{}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			if got := SubjectOf(c.c); got != c.want {
				t.Errorf("%+v", got)
			}
		})
	}
}

func TestSubjectOfCNS(t *testing.T) {
	got := SubjectOf(issuer().Must(t, pki.CNS).Certificate)
	if got.CodiceFiscale != "RSSMRA80A01H501U" || got.Country != "IT" || strings.Contains(got.Name, "/") {
		t.Errorf("%+v", got)
	}
}

// FuzzQCStatements wants any bytes to be read or refused, and never to pass for
// more than they say.
func FuzzQCStatements(f *testing.F) {
	oids := []asn1.ObjectIdentifier{oidQcTypeESign}
	whole, err := asn1.Marshal([]struct {
		ID    asn1.ObjectIdentifier
		Types []asn1.ObjectIdentifier
	}{{oidQcType, oids}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	f.Add([]byte{0x30, 0})
	f.Add([]byte{0x30, 0x80, 0, 0})
	f.Fuzz(func(t *testing.T, der []byte) {
		q, ok := parseQCStatements(der)
		claims := q.compliance || q.device || len(q.types) > 0
		if _, again := parseQCStatements(append(slices.Clone(der), 0)); ok && again {
			t.Error("a byte behind the extension is overlooked")
		}
		if ok && claims && len(der) < 10 {
			t.Errorf("%x claims %+v", der, q)
		}
	})
}
