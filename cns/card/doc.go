// SPDX-License-Identifier: Apache-2.0

// Package card reads what a CNS (Carta Nazionale dei Servizi, the Italian
// national service card) says of itself and its holder: the number of the card,
// the personal data on it, and the certificate for authentication. What it finds
// is understood by package cns; nothing is judged here.
//
//	facts, err := card.Read(ctx, objects, "")
//
// [Read] asks the PKCS#11 module first, for modules such as OpenSC's show the
// files as data objects, and then the reader itself through PC/SC, the system's
// service for smart cards. That needs no driver for the card: on Linux the daemon
// pcscd and its library libpcsclite, on macOS and Windows nothing. [ReadReader],
// [ReadObjects] and [ReadFiles] are the single ways. [Readers] says which readers
// there are and what is in them.
//
// # What it sends to a card
//
// SELECT, READ BINARY and GET RESPONSE (ISO/IEC 7816-4), at most [MaxCommands] of
// them: nothing that writes, and no PIN. The card is shared with other programs,
// kept to itself only while it is read, and left as it is afterwards, without a
// reset. What other programs have selected on it may be selected no more; those
// that share a card reckon with that.
//
// # Time and goroutines
//
// A call into PC/SC cannot be interrupted: a function whose context ends returns
// at once, and a goroutine behind it waits for the call, then disconnects. All
// functions may be called from several goroutines.
//
// # What it does not check
//
// Anybody can make a card that says anything. That a card is genuine only its
// key can show; that the certificate read here was issued, only its chain.
package card
