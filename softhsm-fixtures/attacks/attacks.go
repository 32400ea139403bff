// SPDX-License-Identifier: Apache-2.0

package attacks

import (
	"bytes"
	"errors"
	"fmt"
)

// Attack is a forged file.
type Attack struct {
	Class string // one of [Classes]
	Name  string // of the file, without the ending
	PDF   []byte
}

// Signers are who signs: the victim, whom the verifier trusts, and the attacker.
type Signers struct {
	// Sign returns the document with a signature of the victim, appended as an
	// update with a table, keys in the order of ISO 32000-2, table 255.
	Sign func(document []byte, how Signing) ([]byte, error)
	// VictimCMS and AttackerCMS return detached signatures.
	VictimCMS, AttackerCMS func(content []byte) ([]byte, error)
}

// Signing says how the victim signs.
type Signing struct {
	Certify int  // 1 to 3, the level of a certification; 0 for none
	Visible bool // with a stamp on the first page
}

// The classes, in the order of [All].
const (
	USF            = "universal forgery (USF)"
	ISA            = "incremental saving (ISA)"
	SWA            = "signature wrapping (SWA)"
	ShadowHide     = "shadow: hide"
	ShadowReplace  = "shadow: replace"
	ShadowBoth     = "shadow: hide and replace"
	EAA            = "evil annotation (EAA)"
	SSA            = "sneaky signature (SSA)"
	SignedField    = "signed field moved or redrawn (DSS-3946)"
	Dictionary     = "signature dictionary rewritten"
	Certification  = "certification undone"
	ParserMismatch = "parser differences"
)

// class makes the attacks of a class.
type class struct {
	name string
	make func(*forger) []Attack
}

var classes = []class{
	{USF, universal},
	{ISA, incremental},
	{SWA, wrapping},
	{ShadowHide, shadowHide},
	{ShadowReplace, shadowReplace},
	{ShadowBoth, shadowBoth},
	{EAA, evilAnnotations},
	{SSA, sneakySignatures},
	{SignedField, signedFields},
	{Dictionary, dictionaries},
	{Certification, certifications},
	{ParserMismatch, parserDifferences},
}

// Classes lists the classes.
func Classes() []string {
	var names []string
	for _, c := range classes {
		names = append(names, c.name)
	}
	return names
}

// All makes the attacks of all classes.
func All(s Signers) ([]Attack, error) {
	f := &forger{signers: s, signed: map[Signing][]byte{}}
	for _, how := range []Signing{{}, {Visible: true}, {Certify: 1}, {Certify: 2}, {Certify: 3}} {
		if err := f.sign(how); err != nil {
			return nil, fmt.Errorf("signing what to forge: %w", err)
		}
	}
	var all []Attack
	for _, c := range classes {
		for _, a := range c.make(f) {
			a.Class = c.name
			all = append(all, a)
		}
		if f.err != nil {
			return nil, fmt.Errorf("forging, %s: %w", c.name, f.err)
		}
	}
	return all, nil
}

// forger keeps the signed documents that the attacks begin with.
type forger struct {
	signers Signers
	signed  map[Signing][]byte
	err     error
}

// sign has the victim sign the contract.
func (f *forger) sign(how Signing) error {
	signed, err := f.signers.Sign(Contract(), how)
	if err == nil && !bytes.Contains(signed, []byte("/ByteRange")) {
		err = errors.New("no /ByteRange in the signed file")
	}
	f.signed[how] = signed
	return err
}

// start returns the contract as the victim signed it, for forging.
func (f *forger) start(how Signing) *draft { return &draft{bytes: f.signed[how]} }

// attack names a draft.
func (f *forger) attack(name string, d *draft) Attack {
	if d.err != nil && f.err == nil {
		f.err = fmt.Errorf("%s: %w", name, d.err)
	}
	return Attack{Name: name, PDF: d.bytes}
}
