// SPDX-License-Identifier: Apache-2.0

package authority

import (
	"fmt"
	"slices"
	"strings"
)

// Fault is something a service does wrong. The empty one is none.
type Fault string

// What any service can do wrong.
const (
	Slow            Fault = "slow"             // sends an octet every tenth of a second
	Hang            Fault = "hang"             // never answers
	HTTP401         Fault = "http-401"         // asks for a password whatever it is given
	HTTP404         Fault = "http-404"         // is not there
	HTTP500         Fault = "http-500"         // is broken
	WrongMediaType  Fault = "wrong-media-type" // calls its answer text/html
	HalfAnswer      Fault = "half-answer"      // closes the connection in the middle
	CutAnswer       Fault = "cut-answer"       // sends the first half as if it were the whole
	EmptyAnswer     Fault = "empty-answer"     // sends nothing, with status 200
	Garbage         Fault = "garbage"          // sends something else
	TrailingData    Fault = "trailing-data"    // sends more after the answer
	Endless         Fault = "endless"          // sends a DER header of 4 GiB, and then zeros without end
	RedirectLoop    Fault = "redirect-loop"    // redirects to itself, each time by another address
	RedirectFile    Fault = "redirect-file"    // redirects to a file
	RedirectPrivate Fault = "redirect-private" // redirects to an address of the local network
	FlippedBit      Fault = "flipped-bit"      // changes a bit of the signature value
)

// What several services can do wrong, each in its way.
const (
	// OtherCA is an answer by somebody who may not give it: for a time stamp
	// the impostor of the TSA, for OCSP a responder of another authority, for
	// a list and a certificate the impostor of the authority, or another.
	OtherCA      Fault = "other-ca"
	WrongNonce   Fault = "wrong-nonce"   // of TSA and OCSP: another than was sent
	MissingNonce Fault = "missing-nonce" // of TSA and OCSP
	NoEKU        Fault = "no-eku"        // the certificate of TSA or responder has no extended key usage
	Expired      Fault = "expired"       // it has expired
	Revoked      Fault = "revoked"       // it was revoked
	Stale        Fault = "stale"         // of OCSP and CRL: nextUpdate is past
	Future       Fault = "future"        // the times in the answer are a day ahead
)

// What a timestamping authority can do wrong.
const (
	WrongImprint   Fault = "wrong-imprint"    // of other data
	WrongHash      Fault = "wrong-hash"       // of another hash algorithm
	WrongPolicy    Fault = "wrong-policy"     // another than was asked for, or than it has
	WrongContent   Fault = "wrong-content"    // the eContentType is id-data
	ExtraEKU       Fault = "extra-eku"        // the certificate serves for code signing too
	NotCriticalEKU Fault = "not-critical-eku" // the extended key usage is not critical
	WrongCertID    Fault = "wrong-cert-id"    // the ESSCertID is that of another certificate
	MissingCertID  Fault = "missing-cert-id"  // no signing-certificate attribute
	Rejected       Fault = "rejected"         // status rejection, for systemFailure
)

// What an OCSP responder can do wrong.
const (
	WrongSerial   Fault = "wrong-serial" // about another certificate of the issuer
	OtherIssuer   Fault = "other-issuer" // about a certificate of another issuer with that serial number
	TryLater      Fault = "try-later"    // status tryLater, and so on: RFC 6960, section 4.2.1
	Unauthorized  Fault = "unauthorized"
	Malformed     Fault = "malformed"
	InternalError Fault = "internal-error"
	SigRequired   Fault = "sig-required"
)

// anyService lists the faults of any service, faultsOf those of each.
// They are never written to.
var (
	anyService = []Fault{
		Slow, Hang, HTTP401, HTTP404, HTTP500, WrongMediaType, HalfAnswer, CutAnswer, EmptyAnswer, Garbage,
		TrailingData, Endless, RedirectLoop, RedirectFile, RedirectPrivate, FlippedBit, OtherCA,
	}
	faultsOf = map[Service][]Fault{
		TSA: {
			WrongNonce, MissingNonce, NoEKU, Expired, Revoked, Future, WrongImprint, WrongHash, WrongPolicy,
			WrongContent, ExtraEKU, NotCriticalEKU, WrongCertID, MissingCertID, Rejected,
		},
		OCSP: {
			WrongNonce, MissingNonce, NoEKU, Expired, Revoked, Stale, Future, WrongSerial, OtherIssuer,
			TryLater, Unauthorized, Malformed, InternalError, SigRequired,
		},
		CRL: {Stale, Future},
		CA:  {},
	}
)

// Faults returns what a service can do wrong, sorted by name; nothing when
// there is no such service.
func Faults(service Service) []Fault {
	own, ok := faultsOf[service]
	if !ok {
		return nil
	}
	faults := slices.Concat(anyService, own)
	slices.Sort(faults)
	return faults
}

// Fail has a service do something wrong from now on, or nothing when fault is
// empty. A fault that the service does not have is an error.
func (s *Server) Fail(service Service, fault Fault) error {
	if fault != "" && !slices.Contains(Faults(service), fault) {
		return fmt.Errorf("setting fault: service %q has none called %q, only %s", service, fault, list(Faults(service)))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[service] = fault
	return nil
}

func list(faults []Fault) string {
	names := make([]string, len(faults))
	for i, f := range faults {
		names[i] = string(f)
	}
	return strings.Join(names, ", ")
}
