// SPDX-License-Identifier: Apache-2.0

package virtualcard

import (
	"bytes"
	"fmt"
	"strings"
)

// References of the PINs and PUKs in commands. Bit 8, which some masks want,
// is not looked at.
const (
	refPIN          = 0x10
	refPUK          = 0x11
	refSignaturePIN = 0x1A
	refSignaturePUK = 0x1B
)

const (
	minSecret  = 5
	maxSecret  = 8 // and the length it is stored and sent with
	secretFill = 0xFF
)

// secret is a PIN or a PUK.
type secret struct {
	value    []byte // filled up to maxSecret
	tries    int
	maxTries int
	proven   bool // since the card was powered on

	verified, refused, changes int // what the report says
}

// newSecret returns a secret that allows maxTries wrong attempts in a row.
func newSecret(value string, maxTries int) (*secret, error) {
	stored := fill(value)
	if !acceptable(stored) {
		return nil, fmt.Errorf("%d characters are no PIN: it takes %d to %d digits", len(value), minSecret, maxSecret)
	}
	return &secret{value: stored, tries: maxTries, maxTries: maxTries}, nil
}

func fill(value string) []byte {
	missing := max(0, maxSecret-len(value))
	return append([]byte(value), bytes.Repeat([]byte{secretFill}, missing)...)
}

// acceptable says whether stored is digits and then nothing but filling.
func acceptable(stored []byte) bool {
	digits := bytes.TrimRight(stored, string([]byte{secretFill}))
	return len(stored) == maxSecret && len(digits) >= minSecret &&
		strings.Trim(string(digits), "0123456789") == ""
}

func (s *secret) text() string { return string(bytes.TrimRight(s.value, string([]byte{secretFill}))) }

// present compares what somebody sends with the secret, at the price of a try
// when it is wrong. A blocked secret compares nothing.
func (s *secret) present(sent []byte) status {
	switch {
	case len(sent) != maxSecret:
		return statusWrongLength
	case s.tries == 0:
		return statusBlocked
	case !bytes.Equal(sent, s.value):
		s.tries--
		s.proven = false
		return s.left()
	}
	s.tries = s.maxTries
	s.proven = true
	return statusOK
}

// left says how many tries there are.
func (s *secret) left() status {
	if s.tries == 0 {
		return statusBlocked
	}
	return statusTriesLeft | status(min(s.tries, 0xF))
}

// verify is VERIFY (ISO 7816-4, section 11.5.6). Without data it asks how many
// tries are left, which costs none.
func (s *secret) verify(sent []byte) status {
	switch {
	case len(sent) > 0:
		result := s.present(sent)
		s.count(result)
		return result
	case s.proven:
		return statusOK
	}
	return s.left()
}

func (s *secret) count(result status) {
	if result == statusOK {
		s.verified++
	} else {
		s.refused++
	}
}

// replace sets a new value, and allows as many tries as at first.
func (s *secret) replace(value []byte) {
	s.value, s.tries = bytes.Clone(value), s.maxTries
}

// exchange is the data of the two commands that set a new value: a secret that
// allows it and the new value. The old one is looked at first, so that a wrong
// one costs a try whatever the new one is.
func (s *secret) exchange(by *secret, data []byte) status {
	by.changes++
	if len(data) != 2*maxSecret {
		return statusWrongLength
	}
	if result := by.present(data[:maxSecret]); result != statusOK {
		return result
	}
	if !acceptable(data[maxSecret:]) {
		return statusWrongData
	}
	s.replace(data[maxSecret:])
	return statusOK
}
