// SPDX-License-Identifier: Apache-2.0

// Package token speaks to signature tokens through PKCS#11: it opens a
// vendor's module, lists the tokens and certificates it sees, checks a PIN, and
// hands out a token's private key as a [crypto.Signer].
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
// [FindModules] says which known modules are installed. Nothing up to
// [Token.Certificates] needs a PIN or spends a try.
//
// # PIN
//
// A card counts wrong PINs and locks after a few, so the rules are strict. The
// PIN comes from a [PINPrompt], which is called at most once for a login. A PIN
// is sent to the token at most once by itself, never in a loop. A length that the
// token rules out is refused here, before the card is asked. A token on its last
// try is refused unless [LoginOptions].AllowLastTry is set; a locked one is always
// refused. The bytes a prompt returned are overwritten after use, or at
// [Signer.Close] when the key wants the PIN again for every signature. One copy
// is out of reach: the C string that the PKCS#11 binding makes for C_Login is
// freed, not overwritten.
//
// # Sessions, logins and goroutines
//
// PKCS#11 logs in the whole process, not a session: once one [Signer] has
// logged in to a token, every other session of this process on that token is
// logged in too, and the login ends with the last session. Hence a second Signer
// on the same token asks for no PIN, and [Token.VerifyPIN] refuses to run beside
// an open Signer, where the token would accept any PIN as already checked.
//
// All types are safe for use by several goroutines. A Signer owns one read-only
// session and uses it for one signature at a time. A context is looked at between
// calls of the module: a call inside the module cannot be interrupted.
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
// writes nothing to a token, and it does not protect the process from a module
// that crashes or hangs. It implements the parts of PKCS #11 v2.40 named at each
// function. Built without cgo it compiles, and [Open] returns [ErrNoCgo].
package token
