// SPDX-License-Identifier: Apache-2.0

// Package token speaks to signature tokens through PKCS#11: it finds and opens
// vendors' modules, lists the tokens and certificates they see, checks, changes and
// unblocks PINs, and hands out a token's private key as a [crypto.Signer] or a
// [crypto.Decrypter].
//
// # The usual way
//
//	module, err := token.Open("/usr/lib/bit4id/libbit4xpki.so")
//	defer module.Close()
//	tokens, skipped, err := module.Tokens(ctx)
//	certificates, err := tokens[0].Certificates(ctx)
//	signer, err := tokens[0].Signer(ctx, certificates[0], askPIN, token.LoginOptions{})
//	defer signer.Close()
//
// Nothing up to [Token.Certificates] needs a PIN or spends a try. A card with two PINs
// is two tokens: [Cards] says which belong together. A token is told by what is written
// on it, never by the number of its slot, which changes.
//
// # Finding modules
//
// The modules of Italian cards are registered nowhere, and some crash or hang. So
// [Places].Candidates collects the files that may be modules, and [Discover] loads each
// in a process of its own, if the program calls [ProbeMain], and says what they show and
// what is wrong with them. A certificate that several modules show comes out once, with
// the ways to reach it. A [Memory] keeps what was found, for the next run to open one
// module at once. [ParseURI] reads the URIs by which other programs name a key.
//
//	candidates := token.Places{Getenv: os.Getenv}.Candidates()
//	found, err := token.Discover(ctx, candidates, token.DiscoverOptions{Command: []string{self}})
//	way := found.Certificates[0].Ways[0]
//	module, err := token.Open(way.Token.Module.Path)
//	card, err := module.Find(ctx, way.Token.Info)
//	signer, err := card.Signer(ctx, way.Certificate, askPIN, token.LoginOptions{})
//
// # PIN
//
// A card counts wrong PINs and locks after a few, so the rules are strict. The
// PIN comes from a [PINPrompt], which is called at most once for a login. A PIN
// is sent to the token at most once by itself, never in a loop. A length that the
// token rules out is refused here, before the card is asked. A token on its last
// try is refused unless [LoginOptions].AllowLastTry is set; a locked one is always
// refused. The same holds for the PUK. The bytes a prompt returned are overwritten
// after use, or at [Signer.Close] when the key wants the PIN again for every signature.
// No other copy is made on the way to the module. [DisableCoreDumps] keeps it out of
// core files.
//
// # Sessions, logins and goroutines
//
// PKCS#11 logs in the whole process, not a session: once one [Signer] has
// logged in to a token, every other session of this process on that token is
// logged in too, and the login ends with the last session. Hence a second Signer
// on the same token asks for no PIN, and [Token.VerifyPIN] refuses to run beside
// an open Signer, where the token would accept any PIN as already checked.
//
// All types are safe for use by several goroutines. A Signer owns a read-only
// session, opens up to three more when it makes several signatures at a time, and
// keeps them until it is closed. A context is looked at between calls of the module: a
// call inside the module cannot be interrupted.
//
// # Keys and certificates
//
// A key belongs to a certificate when their CKA_ID is the same and nothing in
// the public part contradicts it, or else when the public parts are the same.
// Labels are never used for that. A Signer checks every signature against the
// certificate before it returns it.
//
// # What it does not do
//
// It does not judge certificates (validity, chain, revocation, qualification), it
// writes nothing to a token but a PIN, and once a module is opened it does not protect
// the process from a crash in it. It implements the parts of PKCS #11 v2.40 named at each
// function. Built without cgo it compiles, and [Open] returns [ErrNoCgo].
package token
