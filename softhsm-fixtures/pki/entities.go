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
	SignerHour    Name = "signer-hour"   // MARIO ROSSI, P-256; its certificate ends in an hour
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
	TSAP256       Name = "tsa-p256"       // a second TSA, P-256
	OCSPResponder Name = "ocsp-responder" // RFC 6960, section 4.2.2.2, with id-pkix-ocsp-nocheck
	OCSPChecked   Name = "ocsp-checked"   // a responder without id-pkix-ocsp-nocheck
	CRLIssuer     Name = "crl-issuer"     // issues indirect revocation lists, and nothing else
	WebServer     Name = "web-server"     // TLS on 127.0.0.1, ::1 and localhost; issued by Root
)

// The services whose answers must not be believed.
const (
	TSANoEKU          Name = "tsa-no-eku"           // no extended key usage
	TSANotCriticalEKU Name = "tsa-not-critical-eku" // timeStamping, not critical
	TSAExtraEKU       Name = "tsa-extra-eku"        // timeStamping and codeSigning
	TSAExpired        Name = "tsa-expired"          // since a year
	TSARevoked        Name = "tsa-revoked"          // listed by [PKI.CRL] of QualifiedCA
	OCSPNoEKU         Name = "ocsp-no-eku"          // no extended key usage
	OCSPExpired       Name = "ocsp-expired"         // since a year
	OCSPRevoked       Name = "ocsp-revoked"         // listed by [PKI.CRL] of QualifiedCA; without nocheck
	OCSPOtherCA       Name = "ocsp-other-ca"        // issued by CNSCA
)

// The impostors: a second root, and below it a CA, a signer and a TSA whose
// names, serial numbers and profiles are those of Root, QualifiedCA, Signer and
// TSA. Only the keys tell them apart.
const (
	AltRoot        Name = "alt-root"
	AltQualifiedCA Name = "alt-qualified-ca"
	AltSigner      Name = "alt-signer"
	AltTSA         Name = "alt-tsa" // the impostor of TSA
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
	crlName    = organisation("Esempio Firma S.p.A.", "Qualified Trust Service Provider", "Esempio Firma CRL 1")
	webName    = organisation("Esempio Firma S.p.A.", "Web", "localhost")
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
	SignerHour:    {issuer: QualifiedCA, key: p256, subject: marioRossi, from: -3*year + time.Hour, until: time.Hour, profile: qualifiedProfile},
	CNS:           {issuer: CNSCA, key: rsa2048, subject: cnsHolder(), from: -year, until: 5 * year, profile: cnsProfile},

	Revoked:     {issuer: QualifiedCA, key: p256, subject: marioRossi, from: -year, until: 2 * year, profile: qualifiedProfile, revoked: true},
	Expired:     {issuer: QualifiedCA, key: p256, subject: marioRossi, from: -4 * year, until: -year, profile: qualifiedProfile},
	NotYetValid: {issuer: QualifiedCA, key: p256, subject: marioRossi, from: year, until: 4 * year, profile: qualifiedProfile},

	TSA:           {issuer: QualifiedCA, key: rsa2048, subject: tsaName, from: -year, until: 5 * year, profile: timestamping},
	TSAP256:       timestamper(timestamping),
	OCSPResponder: {issuer: QualifiedCA, key: rsa2048, subject: ocspName, from: -year, until: year, profile: ocspSigning},
	OCSPChecked:   responder(ocspSigningChecked),
	CRLIssuer:     {issuer: QualifiedCA, key: p256, subject: crlName, from: -year, until: 5 * year, profile: crlSigning},
	WebServer:     {issuer: Root, key: p256, subject: webName, from: -year, until: 5 * year, profile: webServer},

	TSANoEKU:          timestamper(signing),
	TSANotCriticalEKU: timestamper(timestampingNotCritical),
	TSAExtraEKU:       timestamper(timestampingAndMore),
	TSAExpired:        {issuer: QualifiedCA, key: p256, subject: tsaName, from: -6 * year, until: -year, profile: timestamping},
	TSARevoked:        {issuer: QualifiedCA, key: p256, subject: tsaName, from: -year, until: 5 * year, profile: timestamping, revoked: true},
	OCSPNoEKU:         responder(signing),
	OCSPExpired:       {issuer: QualifiedCA, key: p256, subject: ocspName, from: -3 * year, until: -year, profile: ocspSigning},
	OCSPRevoked:       {issuer: QualifiedCA, key: p256, subject: ocspName, from: -year, until: year, profile: ocspSigningChecked, revoked: true},
	OCSPOtherCA:       {issuer: CNSCA, key: p256, subject: ocspName, from: -year, until: year, profile: ocspSigning},

	AltRoot:        {issuer: AltRoot, key: p384, subject: rootName, from: -10 * year, until: 20 * year, profile: authority(-1), twin: Root},
	AltQualifiedCA: {issuer: AltRoot, key: rsa2048, subject: caName, from: -8 * year, until: 12 * year, profile: authority(0), twin: QualifiedCA},
	AltSigner:      {issuer: AltQualifiedCA, key: rsa2048, subject: marioRossi, from: -year, until: 2 * year, profile: qualifiedProfile, twin: Signer},
	AltTSA:         {issuer: AltQualifiedCA, key: p256, subject: tsaName, from: -year, until: 5 * year, profile: timestamping, twin: TSA},
}

// qualified describes a three-year signature certificate, as usual in Italy.
func qualified(holder []attribute, key keyKind) entity {
	return entity{
		issuer: QualifiedCA, key: key, subject: holder,
		from: -year, until: 2 * year, profile: qualifiedProfile,
	}
}

// timestamper and responder describe a TSA and an OCSP responder with a small
// key.
func timestamper(profile func(*x509.Certificate) error) entity {
	return entity{issuer: QualifiedCA, key: p256, subject: tsaName, from: -year, until: 5 * year, profile: profile}
}

func responder(profile func(*x509.Certificate) error) entity {
	return entity{issuer: QualifiedCA, key: p256, subject: ocspName, from: -year, until: year, profile: profile}
}

// Authorities returns the names of those that issue certificates.
func Authorities() []Name { return []Name{Root, QualifiedCA, CNSCA, AltRoot, AltQualifiedCA} }

// Names returns the names of all entities, sorted.
func Names() []Name {
	names := make([]Name, 0, len(entities))
	for name := range entities {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
