// SPDX-License-Identifier: Apache-2.0

// Package virtualcard plays an Italian CNS in a reader, for tests that go the
// way a user's card goes: PKCS#11 module, PC/SC service, reader, card. The
// service (pcscd) and the reader's driver (vpcd of vsmartcard) are those of the
// distribution; the card is this package.
//
//	func TestMain(m *testing.M) {
//		virtualcard.Hook()
//		os.Exit(m.Run())
//	}
//
//	func TestSign(t *testing.T) {
//		card := virtualcard.Make(t, pki.New(time.Now()))
//		pcsc := virtualcard.Start(t, card)
//		module := virtualcard.OpenSC(t)
//		…
//		pcsc.First.Remove()
//		if card.Report().Verifies() != 0 { … }
//	}
//
// [Hook] has to be called first thing: [Start] runs the test program a second
// time, and Hook is what that second process does instead of the tests. With
// testscript, Hook goes before testscript.Main, and what the scripts run needs
// [PCSC.Env] in its environment. [Card.Transmit] needs none of this: it asks a
// card in memory.
//
// # No card and no service of the machine is touched
//
// pcscd runs in namespaces of its own (mounts, network, processes), with an
// empty folder of USB drivers, and the driver's port is seen by nobody else. It
// needs no root where users may make namespaces. The namespaces go away, and
// everything in them, as soon as the test program does.
//
// Where pcscd, vpcd or the permission to make namespaces is missing the test is
// skipped by that name; with PECTOKEN_NO_SKIP=1 in the environment, a missing
// program fails it instead.
//
// # One at a time
//
// The PC/SC library reads once in a process where the service is. So Start uses
// one path as long as the process lives, and two tests that call it cannot run
// in parallel.
//
// # What kind of card it is
//
// A card with the file system of the CNS specification as OpenSC's driver
// itacns reads it: the number of the card, the personal data, an authentication
// certificate (CNS0) and a signature certificate (CNS1), each with a key and a
// PIN of its own. It does raw RSA, counts wrong PINs and PUKs, and blocks. It has
// no secure messaging and no files that can be written. What it answers comes
// from the specification and from what OpenSC asks; no real card was compared.
package virtualcard
