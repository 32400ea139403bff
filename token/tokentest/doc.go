// SPDX-License-Identifier: Apache-2.0

// Package tokentest plays PKCS#11 modules for tests: what neither SoftHSM nor a
// virtual card shows.
//
// A [Module] is a scripted module in memory, with PINs that lock, keypads, cards that
// fail or are pulled out at a given call, slots that move, mechanisms that are
// refused. Open it with token.OpenScripted:
//
//	card := tokentest.NewToken("Firma", "123456", tokentest.Identity{
//		ID: []byte("DS0"), Label: "DS0", Key: key, Certificate: certificate,
//	}.Objects()...)
//	scripted := tokentest.New(card)
//	module, err := token.OpenScripted("scripted.so", scripted)
//
// It records every call, so that a test can count logins. What it was built with
// may be changed while no call is running; from inside [Module.Script], always.
//
// [Library] makes modules in files, which crash, hang, or are no modules: for what
// only a child process survives.
package tokentest
