// SPDX-License-Identifier: Apache-2.0

// Package authority runs the services of the test authorities on the loopback:
// a timestamping authority (RFC 3161), an OCSP responder (RFC 6960), and what
// certificates point to for revocation lists and issuers (RFC 5280). Their
// certificates are those of package pki, which say where the server is:
//
//	p := pki.New(now)
//	s := authority.Start(t, p, authority.Options{}) // before p issues anything
//	signer := p.Must(t, pki.Signer)                 // names s for OCSP, CRL and issuer
//	token := post(s.URL(authority.TSA), query)
//
// Everything can be changed while the server runs: the clock by
// [Server.SetTime], how the services are set up by [Server.Configure], who is
// revoked by [Server.Revoke], [Server.Suspend] and [Server.Lift]. What a server
// does wrong is a [Fault]:
//
//	err := s.Fail(authority.TSA, authority.WrongNonce)
//
// Every request is counted ([Server.Count]), and so are the time stamps that
// were handed out ([Server.Issued]), because those cost money elsewhere.
//
// A [Server] is safe for concurrent use. It shares no code with what it tests:
// structures are written with encoding/asn1 from the standards.
package authority
