// SPDX-License-Identifier: Apache-2.0

package virtualcard

import (
	"slices"
)

// Fault is something a card does instead of obeying. The commands it hits are
// not carried out.
type Fault struct {
	Instruction byte   // the commands it is about, such as 0x20, VERIFY; 0: all
	After       int    // how many of them are obeyed first
	Times       int    // how many of them it hits after that; 0: all the others
	Answer      []byte // what the card says: data and status, or garbage; nil: 6F 00, an error without a reason
	Pull        bool   // the card is pulled out instead of answering
}

// PulledAfterSignatures is a card that is pulled out when the signature after
// the first n ones is asked for.
func PulledAfterSignatures(n int) Fault {
	return Fault{Instruction: insOperation, After: n, Times: 1, Pull: true}
}

// fault is a Fault with the number of commands that it saw.
type fault struct {
	Fault
	seen int
}

// newFaults copies faults.
func newFaults(given []Fault) []*fault {
	faults := make([]*fault, len(given))
	for i, f := range given {
		f.Answer = slices.Clone(f.Answer)
		faults[i] = &fault{Fault: f}
	}
	return faults
}

// hits counts a command, and says whether it is one to go wrong. A command that
// is sent in several parts counts with the last of them.
func (f *fault) hits(c command) bool {
	if f.Instruction != 0 && (c.instruction != f.Instruction || c.chained()) {
		return false
	}
	f.seen++
	nth := f.seen - f.After
	return nth > 0 && (f.Times == 0 || nth <= f.Times)
}

// strike returns the answer of the first fault that hits the command; nil with
// ok is a card that was pulled out.
func strike(faults []*fault, c command) (answer []byte, ok bool) {
	for _, f := range faults {
		if !f.hits(c) {
			continue
		}
		if f.Pull {
			return nil, true
		}
		if len(f.Answer) == 0 {
			return statusNoReason.answer(nil), true
		}
		return slices.Clone(f.Answer), true
	}
	return nil, false
}
