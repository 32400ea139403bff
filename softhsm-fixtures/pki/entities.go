// SPDX-License-Identifier: Apache-2.0

package pki

import (
	"crypto/x509"
	"slices"
	"time"
)

// Name says which entity of the description is meant.
type Name string

// The authorities.
const (
	Root        Name = "root"         // the trust anchor; not part of any chain
	QualifiedCA Name = "qualified-ca" // issues the signers, TSA and OCSPResponder
	CNSCA       Name = "cns-ca"       // issues CNS
)

// The holders whose signatures are good. Those after Signer differ from it in
// the key alone.
const (
	Signer        Name = "signer" // MARIO ROSSI, RSA-2048
	SignerRSA3072 Name = "signer-rsa3072"
	SignerRSA4096 Name = "signer-rsa4096" // making its key takes seconds
	SignerP256    Name = "signer-p256"
	SignerP384    Name = "signer-p384"
	SignerP521    Name = "signer-p521"
	SignerEd25519 Name = "signer-ed25519"
	SecondSigner  Name = "second-signer" // LUCIA VERDI, RSA-2048
	CNS           Name = "cns"           // MARIO ROSSI's authentication certificate, RSA-2048
)

// The holders whose signatures must not be found valid.
const (
	Revoked     Name = "revoked"       // listed by [PKI.CRL] of QualifiedCA
	Expired     Name = "expired"       // since a year
	NotYetValid Name = "not-yet-valid" // for another year
)

// The services.
const (
	TSA           Name = "tsa"            // RFC 3161, section 2.3
	OCSPResponder Name = "ocsp-responder" // RFC 6960, section 4.2.2.2
)

// The impostors: a second root, and below it a CA and a signer whose names,
// serial numbers and profiles are those of Root, QualifiedCA and Signer. Only
// the keys tell them apart.
const (
	AltRoot        Name = "alt-root"
	AltQualifiedCA Name = "alt-qualified-ca"
	AltSigner      Name = "alt-signer"
)

const year = 365 * 24 * time.Hour

// entity describes one certificate.
type entity struct {
	issuer  Name
	key     keyKind
	subject []attribute
	// from and until say when it is valid, counted from the time of the PKI.
	from, until time.Duration
	// profile adds the extensions.
	profile func(*x509.Certificate) error
	// twin is the entity whose serial number it has; its own when empty.
	twin    Name
	revoked bool
}

// The people and organisations.
var (
	marioRossi = person("MARIO", "ROSSI", "RSSMRA80A01H501U", "WSREF-00000000000001")
	luciaVerdi = person("LUCIA", "VERDI", "VRDLGU75C41F205E", "WSREF-00000000000002")
	rootName   = organisation("Esempio Root S.p.A.", "Root Certification Authority", "Esempio Root CA")
	caName     = organisation("Esempio Firma S.p.A.", "Qualified Trust Service Provider", "Esempio Firma EU Qualified Certificates CA G1")
	cnsCAName  = organisation("Regione Esempio", "Servizi di certificazione", "Regione Esempio - CA Cittadini")
	tsaName    = organisation("Esempio Firma S.p.A.", "Qualified Trust Service Provider", "Esempio Firma TSA 1")
	ocspName   = organisation("Esempio Firma S.p.A.", "Qualified Trust Service Provider", "Esempio Firma OCSP 1")
)

// entities is the description everything comes from. It is never written to.
var entities = map[Name]entity{
	Root:        {issuer: Root, key: p384, subject: rootName, from: -10 * year, until: 20 * year, profile: authority(-1)},
	QualifiedCA: {issuer: Root, key: rsa2048, subject: caName, from: -8 * year, until: 12 * year, profile: authority(0)},
	CNSCA:       {issuer: Root, key: p256, subject: cnsCAName, from: -8 * year, until: 12 * year, profile: authority(0)},

	Signer:        qualified(marioRossi, rsa2048),
	SignerRSA3072: qualified(marioRossi, rsa3072),
	SignerRSA4096: qualified(marioRossi, rsa4096),
	SignerP256:    qualified(marioRossi, p256),
	SignerP384:    qualified(marioRossi, p384),
	SignerP521:    qualified(marioRossi, p521),
	SignerEd25519: qualified(marioRossi, edwards25519),
	SecondSigner:  qualified(luciaVerdi, rsa2048),
	CNS:           {issuer: CNSCA, key: rsa2048, subject: cnsHolder(), from: -year, until: 5 * year, profile: cnsProfile},

	Revoked:     {issuer: QualifiedCA, key: p256, subject: marioRossi, from: -year, until: 2 * year, profile: qualifiedProfile, revoked: true},
	Expired:     {issuer: QualifiedCA, key: p256, subject: marioRossi, from: -4 * year, until: -year, profile: qualifiedProfile},
	NotYetValid: {issuer: QualifiedCA, key: p256, subject: marioRossi, from: year, until: 4 * year, profile: qualifiedProfile},

	TSA:           {issuer: QualifiedCA, key: rsa2048, subject: tsaName, from: -year, until: 5 * year, profile: timestamping},
	OCSPResponder: {issuer: QualifiedCA, key: rsa2048, subject: ocspName, from: -year, until: year, profile: ocspSigning},

	AltRoot:        {issuer: AltRoot, key: p384, subject: rootName, from: -10 * year, until: 20 * year, profile: authority(-1), twin: Root},
	AltQualifiedCA: {issuer: AltRoot, key: rsa2048, subject: caName, from: -8 * year, until: 12 * year, profile: authority(0), twin: QualifiedCA},
	AltSigner:      {issuer: AltQualifiedCA, key: rsa2048, subject: marioRossi, from: -year, until: 2 * year, profile: qualifiedProfile, twin: Signer},
}

// qualified describes a three-year signature certificate, as usual in Italy.
func qualified(holder []attribute, key keyKind) entity {
	return entity{
		issuer: QualifiedCA, key: key, subject: holder,
		from: -year, until: 2 * year, profile: qualifiedProfile,
	}
}

// Names returns the names of all entities, sorted.
func Names() []Name {
	names := make([]Name, 0, len(entities))
	for name := range entities {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
