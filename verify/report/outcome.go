// SPDX-License-Identifier: Apache-2.0

package report

import "fmt"

// Verdict is the bottom line.
type Verdict int

// The verdicts. The zero value is Indeterminate: what was not decided is not
// valid.
const (
	Indeterminate Verdict = iota // could not find out
	Valid                        // intact, trusted, and nothing missing
	Invalid                      // did find out, and the answer is bad
)

var verdictWords = words[Verdict]{"indeterminate", "valid", "invalid"}

// String returns "valid", "invalid" or "indeterminate".
func (v Verdict) String() string { return verdictWords.word(v) }

// MarshalText implements [encoding.TextMarshaler].
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (v *Verdict) UnmarshalText(text []byte) error { return verdictWords.parse(v, text) }

// Worst returns the worse of two verdicts: invalid, then indeterminate, then
// valid.
func Worst(a, b Verdict) Verdict {
	switch {
	case a == Invalid || b == Invalid:
		return Invalid
	case a == Valid && b == Valid:
		return Valid
	}
	return Indeterminate
}

// Integrity is the outcome of the arithmetic alone: digests and signature
// value. It says nothing of who signed or whether to trust them.
type Integrity int

// The integrity outcomes.
const (
	IntegrityUnknown Integrity = iota // could not be computed: content, certificate or algorithm is missing
	Intact                            // the signed bytes have the signed digest and the value matches the key
	Broken                            // they don't
)

var integrityWords = words[Integrity]{"unknown", "intact", "broken"}

// String returns "intact", "broken" or "unknown".
func (i Integrity) String() string { return integrityWords.word(i) }

// MarshalText implements [encoding.TextMarshaler].
func (i Integrity) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (i *Integrity) UnmarshalText(text []byte) error { return integrityWords.parse(i, text) }

// Indication is the main status of ETSI EN 319 102-1, clause 5.1.3.
type Indication int

// The indications.
const (
	IndicationIndeterminate Indication = iota
	TotalPassed
	TotalFailed
)

var indicationWords = words[Indication]{"INDETERMINATE", "TOTAL-PASSED", "TOTAL-FAILED"}

// String returns the word of the standard.
func (i Indication) String() string { return indicationWords.word(i) }

// MarshalText implements [encoding.TextMarshaler].
func (i Indication) MarshalText() ([]byte, error) { return []byte(i.String()), nil }

// UnmarshalText implements [encoding.TextUnmarshaler].
func (i *Indication) UnmarshalText(text []byte) error { return indicationWords.parse(i, text) }

// SubIndication is the reason beside an [Indication], in the words of ETSI
// EN 319 102-1, clause 5.1.3, tables 5 and 6.
type SubIndication string

// The sub-indications this version can reach.
const (
	// With TOTAL-FAILED.
	FormatFailure    SubIndication = "FORMAT_FAILURE"     // not a conforming signature: cut short, contradicting itself
	HashFailure      SubIndication = "HASH_FAILURE"       // signed bytes and signed digest differ
	SigCryptoFailure SubIndication = "SIG_CRYPTO_FAILURE" // the value doesn't match the signer's public key

	Revoked     SubIndication = "REVOKED"       // proven to be made after the certificate was revoked
	Expired     SubIndication = "EXPIRED"       // proven to be made after the certificate expired
	NotYetValid SubIndication = "NOT_YET_VALID" // proven to be made before the certificate was valid

	// With INDETERMINATE.
	SigConstraintsFailure     SubIndication = "SIG_CONSTRAINTS_FAILURE"           // an attribute says something that isn't so
	ChainConstraintsFailure   SubIndication = "CHAIN_CONSTRAINTS_FAILURE"         // the chain breaks a rule a certificate sets
	CryptoConstraintsFailure  SubIndication = "CRYPTO_CONSTRAINTS_FAILURE"        // an algorithm that can't be relied on or isn't known
	NoSigningCertificateFound SubIndication = "NO_SIGNING_CERTIFICATE_FOUND"      // the signer's certificate isn't here
	NoCertificateChainFound   SubIndication = "NO_CERTIFICATE_CHAIN_FOUND"        // no chain to a given anchor
	OutOfBoundsNoPOE          SubIndication = "OUT_OF_BOUNDS_NO_POE"              // outside the certificate's validity, and no proof of an earlier time
	RevokedNoPOE              SubIndication = "REVOKED_NO_POE"                    // the signer's certificate is revoked, and no proof of an earlier time
	RevokedCANoPOE            SubIndication = "REVOKED_CA_NO_POE"                 // so is one of its chain
	CryptoConstraintsNoPOE    SubIndication = "CRYPTO_CONSTRAINTS_FAILURE_NO_POE" // an algorithm that can no longer be relied on, and no proof of an earlier time
	NoPOE                     SubIndication = "NO_POE"                            // no proof that revocation data or a certificate is from when its issuer could be relied on
	TimestampOrderFailure     SubIndication = "TIMESTAMP_ORDER_FAILURE"           // a timestamp that is older than what it covers
	TryLater                  SubIndication = "TRY_LATER"                         // revocation: suspended, or nothing known for this moment
	SignedDataNotFound        SubIndication = "SIGNED_DATA_NOT_FOUND"             // the content of a detached signature wasn't given
)

// words maps the values of an outcome, counted from zero, to their spelling.
type words[T ~int] []string

func (w words[T]) word(v T) string {
	if int(v) < 0 || int(v) >= len(w) {
		return w[0]
	}
	return w[v]
}

func (w words[T]) parse(v *T, text []byte) error {
	for i, s := range w {
		if s == string(text) {
			*v = T(i)
			return nil
		}
	}
	return fmt.Errorf("reading outcome: %q is none of %q", text, []string(w))
}
