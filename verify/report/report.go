// SPDX-License-Identifier: Apache-2.0

package report

import "time"

// Report is the answer about one file.
//
// Either Error is set and the file could not be judged at all, or Verdict,
// Signatures and Timestamps say what was found.
type Report struct {
	File   string `json:"file"`
	Format string `json:"format,omitempty"` // "pades", "cades", or "pdf" when a PDF holds no signature
	// Verdict is the worst of the signatures' verdicts; see [Worst].
	Verdict    Verdict      `json:"verdict"`
	Signatures []*Signature `json:"signatures"`
	Timestamps []*Timestamp `json:"timestamps"`
	BestTime   *BestTime    `json:"bestTime,omitempty"` // when what the timestamps of the file are of is proven to have been there
	Content    *Content     `json:"content,omitempty"`
	Nested     []*Report    `json:"nested"`
	Warnings   []Warning    `json:"warnings,omitempty"`
	Error      *Error       `json:"error,omitempty"`
}

// Error says why a file could not be judged.
type Error struct {
	Code    ErrorCode `json:"code"`
	Message string    `json:"message"`
}

// ErrorCode is the stable word for an [Error].
type ErrorCode string

// The reasons a file gets an error instead of a verdict.
const (
	UnsupportedFormat ErrorCode = "unsupportedFormat" // neither a PDF nor CMS SignedData
	NoSignature       ErrorCode = "noSignature"       // a known format that holds no signature
	Unreadable        ErrorCode = "unreadable"        // the file could not be opened or read, or is a damaged PDF
	Encrypted         ErrorCode = "encrypted"         // a PDF whose signatures can't be found without its password
)

// Signature is the answer about one signature.
type Signature struct {
	ID     string `json:"id"`              // "S1", "S2", … in the order of the file
	Field  string `json:"field,omitempty"` // PDF: the name of the signature field
	Format string `json:"format"`          // "PAdES", "CAdES"; "PDF" and "CMS" for signatures that are no AdES
	Level  string `json:"level,omitempty"` // "B-B"; empty when the baseline profile isn't met

	Verdict       Verdict       `json:"verdict"`
	Indication    Indication    `json:"indication"`
	SubIndication SubIndication `json:"subIndication,omitempty"`
	Reason        string        `json:"reason,omitempty"` // one sentence: why the verdict isn't valid

	Integrity Integrity `json:"integrity"`
	Trusted   bool      `json:"trusted"` // the signer's certificate chains to a given anchor at the time of the verdict

	Signer      *Signer      `json:"signer,omitempty"`
	Certificate *Certificate `json:"certificate,omitempty"`
	Algorithm   string       `json:"algorithm,omitempty"` // "RSA-2048 with SHA-256", for a person

	ClaimedTime *time.Time `json:"claimedTime,omitempty"` // the signer's own word, proven by nobody
	BestTime    *BestTime  `json:"bestTime,omitempty"`    // the moment the verdict is about

	Revocation *Revocation `json:"revocation,omitempty"` // of the signer's certificate; nil when nobody was asked

	Covers Coverage `json:"covers,omitempty"`
	// ModifiedAfterSigning says that something was changed after this signature
	// that the document did not permit, or that this could not be found out. What
	// is permitted is only listed.
	ModifiedAfterSigning bool     `json:"modifiedAfterSigning"`
	Changes              []Change `json:"changes"` // after this signature, the forbidden ones first

	Qualification     Qualification `json:"qualification"`
	CounterSignatures []*Signature  `json:"counterSignatures"`
	Timestamps        []*Timestamp  `json:"timestamps"`
	Warnings          []Warning     `json:"warnings"`
}

// Signer is who the certificate says signed.
type Signer struct {
	Name          string `json:"name,omitempty"`
	CodiceFiscale string `json:"codiceFiscale,omitempty"` // Italian tax code, when the certificate holds one
	Organization  string `json:"organization,omitempty"`
	Country       string `json:"country,omitempty"`
}

// Certificate identifies the signer's certificate.
type Certificate struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	Serial    string    `json:"serial"` // hexadecimal, as openssl prints it
	SHA256    string    `json:"sha256"` // hexadecimal digest of the DER
	NotBefore time.Time `json:"notBefore"`
	NotAfter  time.Time `json:"notAfter"`
}

// Revocation is what is known of whether the signer's certificate was revoked. What it
// means for the signature depends on the moment that the verdict is about.
type Revocation struct {
	Status     RevocationStatus `json:"status"`
	Kind       string           `json:"kind,omitempty"`      // "ocsp" or "crl"; this and the rest are absent when nothing is known
	Source     string           `json:"source,omitempty"`    // where it came from: an address, "given", "in the file"
	ThisUpdate time.Time        `json:"thisUpdate,omitzero"` // when it was known to be so
	NextUpdate time.Time        `json:"nextUpdate,omitzero"` // when there is something newer; absent if not said
	RevokedAt  time.Time        `json:"revokedAt,omitzero"`  // when it was revoked or suspended
	Reason     string           `json:"reason,omitempty"`    // of the revocation, in the words of RFC 5280, section 5.3.1
}

// RevocationStatus is the status in a [Revocation].
type RevocationStatus string

// The statuses.
const (
	RevocationUnknown   RevocationStatus = "unknown"
	RevocationGood      RevocationStatus = "good"
	RevocationRevoked   RevocationStatus = "revoked"
	RevocationSuspended RevocationStatus = "suspended"
)

// BestTime is a moment and how it is known.
type BestTime struct {
	Time   time.Time  `json:"time"`
	Source TimeSource `json:"source"`
}

// TimeSource says where a [BestTime] comes from.
type TimeSource string

// The sources of a time, weakest first.
const (
	FromNow       TimeSource = "now"       // the clock of whoever verifies
	FromGiven     TimeSource = "given"     // asked for by whoever verifies
	FromTimestamp TimeSource = "timestamp" // proven by a timestamp
)

// Timestamp is the answer about one timestamp token.
type Timestamp struct {
	ID      string        `json:"id"`
	Kind    TimestampKind `json:"kind,omitempty"`
	Verdict Verdict       `json:"verdict"`
	// Integrity says whether the token is of what it stands with and its own signature is
	// good, whoever made it.
	Integrity Integrity `json:"integrity"`
	Time      time.Time `json:"time"`
	// Accuracy is by how many seconds Time may be off, either way, as the authority says.
	// What is proven is proven by Time and Accuracy together.
	Accuracy float64 `json:"accuracy,omitempty"`

	SubIndication SubIndication `json:"subIndication,omitempty"`
	Reason        string        `json:"reason,omitempty"` // one sentence: why the verdict isn't valid
	Authority     string        `json:"authority,omitempty"`
	Serial        string        `json:"serial,omitempty"`
	Policy        string        `json:"policy,omitempty"` // object identifier of the authority's rules
	Warnings      []Warning     `json:"warnings,omitempty"`
}

// TimestampKind says what a timestamp is of.
type TimestampKind string

// The kinds.
const (
	ContentTimestamp   TimestampKind = "content"   // the content, before it was signed
	SignatureTimestamp TimestampKind = "signature" // the signature
	ArchiveTimestamp   TimestampKind = "archive"   // the signature with all that proves it
	DocumentTimestamp  TimestampKind = "document"  // a PDF as it was
	FileTimestamp      TimestampKind = "file"      // a whole file (.tsr, .tst, .tsd, .m7m)
)

// Content describes the document inside a signature file.
type Content struct {
	Name      string `json:"name,omitempty"`
	MediaType string `json:"mediaType,omitempty"`
	SHA256    string `json:"sha256,omitempty"` // hexadecimal digest of the content
	Size      int64  `json:"size"`             // bytes
}

// Change is something that differs between what was signed and the file.
type Change struct {
	Kind    string `json:"kind"`    // a stable word, such as formFill or page: the ChangeKind of package pdf
	Allowed bool   `json:"allowed"` // the document permits it (ISO 32000-2, 12.8.2)
	What    string `json:"what"`    // for a person: "field Total: value 10 → 1000"
}

// Warning is something a reader of the verdict should know. It never makes a
// verdict better. The codes, and what is warned of:
//
//   - attributeOrder: signed attributes that verify only in the order stored
//   - certificateNotBound: no signed attribute names the certificate
//   - claimedTimeWrong: the signer claims a time that can't be true
//   - nestedNotChecked: the content is signed itself, and was not looked into
//   - repaired: the PDF is damaged, and was read around it
//   - revocationNotChecked, revocationUnknown: nobody was asked whether a certificate was
//     revoked, or it names no place to ask
//   - revokedLater: a certificate was revoked after the signature was made
//   - structure: a signature dictionary departs from the standard
//   - timestampProvesNothing: a timestamp is not good, and was passed over
//   - trailingBytes: bytes after the end are signed or stamped by nobody
//   - risksNotChecked: what can change the look of the PDF could not be looked for; a risk
//     that was found has the word of its RiskKind of package sign/pdf, such as javaScript
type Warning struct {
	Code    string `json:"code"` // a stable word
	Message string `json:"message"`
}

// Coverage is how much of the file a signature's bytes are.
type Coverage string

// The coverages; the empty value is unknown.
const (
	WholeFile Coverage = "wholeFile" // every byte but the signature value itself
	Revision  Coverage = "revision"  // a whole earlier state of the file; bytes were added since
	Part      Coverage = "part"      // anything else: some bytes are signed by nobody
)

// Qualification is the legal quality of a signature by EU Regulation 910/2014
// and ETSI TS 119 615. Without trusted lists it is [QualificationUnknown].
type Qualification string

// The qualifications known to this version.
const (
	QualificationUnknown Qualification = "unknown"
	QualificationNone    Qualification = "none"
	QESig                Qualification = "QESig"
)
