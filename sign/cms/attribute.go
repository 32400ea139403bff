// SPDX-License-Identifier: Apache-2.0

package cms

import (
	"encoding/asn1"
	"errors"
	"fmt"
	"mime"
	"unicode/utf8"
)

// Optional signed attributes, for [Signer.Attributes].

// Commitment is what a signer commits to (ETSI EN 319 122-1, clause 5.2.3).
type Commitment int

// The commitments that the standard names; values are the last arc of their
// identifiers.
const (
	_ Commitment = iota
	ProofOfOrigin
	ProofOfReceipt
	ProofOfDelivery
	ProofOfSender
	ProofOfApproval
	ProofOfCreation
)

// CommitmentType returns the commitment-type-indication attribute.
func CommitmentType(c Commitment) (Attribute, error) {
	if c < ProofOfOrigin || c > ProofOfCreation {
		return Attribute{}, fmt.Errorf("building commitment-type-indication: no commitment %d", c)
	}
	id := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 6, int(c)}
	return newAttribute(oidCommitmentType, sequence(oid(id))), nil
}

// MimeType returns the mime-type attribute, which says what the content is
// (ETSI EN 319 122-1, clause 5.2.4.2): "application/pdf".
func MimeType(mediaType string) (Attribute, error) {
	if _, _, err := mime.ParseMediaType(mediaType); err != nil {
		return Attribute{}, fmt.Errorf("building mime-type: %q: %w", mediaType, err)
	}
	return newAttribute(oidMimeType, utf8String(mediaType)), nil
}

// ContentHints returns the content-hints attribute (RFC 2634, section 2.9):
// a description of the content for a person, and that it is id-data.
func ContentHints(description string) (Attribute, error) {
	if !utf8.ValidString(description) {
		return Attribute{}, errors.New("building content-hints: the description is not UTF-8")
	}
	return newAttribute(oidContentHints, sequence(utf8String(description), oid(oidData))), nil
}

// SignerLocation returns the signer-location attribute (ETSI EN 319 122-1,
// clause 5.2.5): where the signer says to be. Country is its two letters;
// either may be empty, not both.
func SignerLocation(country, locality string) (Attribute, error) {
	if country == "" && locality == "" || !utf8.ValidString(country+locality) {
		return Attribute{}, errors.New("building signer-location: a country or a locality is needed, in UTF-8")
	}
	var parts [][]byte
	if country != "" {
		parts = append(parts, appendElement(nil, 0xa0, utf8String(country)))
	}
	if locality != "" {
		parts = append(parts, appendElement(nil, 0xa1, utf8String(locality)))
	}
	return newAttribute(oidSignerLocation, sequence(parts...)), nil
}

// ClaimedRole returns the signer-attributes-v2 attribute with one claimed role
// (ETSI EN 319 122-1, clause 5.2.6.1): a role or power that nobody proves, such
// as "legale rappresentante". The role is the value of an attribute of type
// title (X.520).
func ClaimedRole(role string) (Attribute, error) {
	if role == "" || !utf8.ValidString(role) {
		return Attribute{}, errors.New("building signer-attributes-v2: a role is needed, in UTF-8")
	}
	claimed := appendElement(nil, 0xa0, sequence(attribute(oidTitle, utf8String(role))))
	return newAttribute(oidSignerAttributesV2, sequence(claimed)), nil
}

func newAttribute(kind asn1.ObjectIdentifier, value []byte) Attribute {
	return Attribute{Type: kind, Values: [][]byte{value}, Raw: attribute(kind, value)}
}

func utf8String(s string) []byte { return appendElement(nil, 0x0c, []byte(s)) }
