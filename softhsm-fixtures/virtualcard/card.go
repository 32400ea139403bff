// SPDX-License-Identifier: Apache-2.0

package virtualcard

import (
	"bytes"
	"cmp"
	"crypto/rsa"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// The secrets of a card whose Profile names none.
const (
	StandardPIN          = "12345678"
	StandardPUK          = "87654321"
	StandardSignaturePIN = "11223344"
	StandardSignaturePUK = "44332211"
)

// StandardTries is how many wrong attempts in a row block a PIN or a PUK.
const StandardTries = 3

// Profile says what a card is made of. A field left out has the value of the
// usual card.
type Profile struct {
	ATR          []byte // nil: that of CNS11
	Number       string // EF_IDCarta, the serial number; 16 digits on real cards
	PersonalData []byte // EF_DatiPersonali; nil: that of MARIO ROSSI

	// Authentication (CNS0) and Signature (CNS1) are the certificates and their
	// RSA keys. Nil: the card has none.
	Authentication *pki.Identity
	Signature      *pki.Identity

	PIN, PUK                   string // of the authentication key
	SignaturePIN, SignaturePUK string // of the signature key
	Tries                      int    // at most 15

	Delay    time.Duration // before each answer
	KeyDelay time.Duration // more before each signature or decipherment; a real card takes a good part of a second
	Faults   []Fault
}

// Standard is the card of MARIO ROSSI: the CNS certificate of p to authenticate
// with, the one of pki.Signer to sign with.
func Standard(p *pki.PKI) (Profile, error) {
	authentication, err := p.Issue(pki.CNS)
	if err != nil {
		return Profile{}, err
	}
	signature, err := p.Issue(pki.Signer)
	return Profile{Authentication: authentication, Signature: signature}, err
}

// completed fills in what was left out.
func (p Profile) completed() Profile {
	if p.ATR == nil {
		p.ATR = CNS11.Bytes()
	}
	if p.PersonalData == nil {
		p.PersonalData = pki.PersonalData()
	}
	p.Number = cmp.Or(p.Number, pki.CardID)
	p.PIN, p.PUK = cmp.Or(p.PIN, StandardPIN), cmp.Or(p.PUK, StandardPUK)
	p.SignaturePIN, p.SignaturePUK = cmp.Or(p.SignaturePIN, StandardSignaturePIN), cmp.Or(p.SignaturePUK, StandardSignaturePUK)
	p.Tries = cmp.Or(p.Tries, StandardTries)
	return p
}

// Card is a card, in a reader or not. Its PINs, tries and counters outlive a
// removal. It is safe for concurrent use.
type Card struct {
	atr  []byte
	tree tree // empty: no CNS

	mu       sync.Mutex // guards what follows
	keys     map[byte]*key
	secrets  map[byte]*secret
	volatile // what a card forgets without power
	delay    time.Duration
	keyDelay time.Duration
	faults   []*fault

	commands, signatures, decipherments int
}

// volatile is the state between a card's being powered on and off, besides the
// proofs of its secrets.
type volatile struct {
	current     path
	selected    bool
	environment environment
	chain       []byte // the data of the chained commands so far
	chainOf     command
}

// New makes the card of a profile. A key that is not RSA, or a PIN that no card
// takes, is an error.
func New(p Profile) (*Card, error) {
	p = p.completed()
	c := &Card{
		atr: bytes.Clone(p.ATR), tree: tree{}, keys: map[byte]*key{}, secrets: map[byte]*secret{},
		delay: p.Delay, keyDelay: p.KeyDelay, faults: newFaults(p.Faults),
	}
	c.tree.add(pathCardNumber, &file{content: []byte(p.Number)})
	c.tree.add(pathPersonalData, &file{content: bytes.Clone(p.PersonalData)})
	err := errors.Join(
		c.addSecrets(refPIN, p.PIN, p.PUK, p.Tries),
		c.addKey(refKey, refPIN, pathCertificate, p.Authentication),
	)
	if p.Signature != nil {
		c.tree.add(pathSignatureKey, &file{folder: true})
		err = errors.Join(err,
			c.addSecrets(refSignaturePIN, p.SignaturePIN, p.SignaturePUK, p.Tries),
			c.addKey(refSignatureKey, refSignaturePIN, pathSignatureCert, p.Signature))
	}
	if err != nil {
		return nil, fmt.Errorf("making card: %w", err)
	}
	return c, nil
}

// Make makes the card of [Standard] for a test, with what edits change.
func Make(t testing.TB, p *pki.PKI, edits ...func(*Profile)) *Card {
	t.Helper()
	profile, err := Standard(p)
	if err != nil {
		t.Fatal(err)
	}
	for _, edit := range edits {
		edit(&profile)
	}
	c, err := New(profile)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Foreign makes a card that is no CNS, nor any other card that was ever made:
// it refuses every command.
func Foreign() *Card { return &Card{atr: foreignATR()} }

// addSecrets adds a PIN and, at the next reference, its PUK.
func (c *Card) addSecrets(reference byte, pin, puk string, tries int) error {
	if tries < 1 || tries > 15 {
		return fmt.Errorf("%d tries: a card counts from 1 to 15", tries)
	}
	for i, value := range []string{pin, puk} {
		s, err := newSecret(value, tries)
		if err != nil {
			return err
		}
		c.secrets[reference+byte(i)] = s
	}
	return nil
}

// addKey adds a certificate and its key; nothing without identity.
func (c *Card) addKey(reference, pin byte, certificate path, identity *pki.Identity) error {
	if identity == nil {
		return nil
	}
	private, ok := identity.Key.(*rsa.PrivateKey)
	if !ok || len(private.Primes) != 2 {
		return fmt.Errorf("the key of %q is %T, and the card has room for RSA only", identity.Name, identity.Key)
	}
	private.Precompute()
	c.keys[reference] = &key{private: private, pin: c.secrets[pin]}
	c.tree.add(certificate, &file{content: bytes.Clone(identity.Certificate.Raw)})
	return nil
}

// ATR returns what the card says when it is powered on.
func (c *Card) ATR() []byte { return bytes.Clone(c.atr) }

// SetDelay changes Delay and KeyDelay of the profile.
func (c *Card) SetDelay(delay, keyDelay time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.delay, c.keyDelay = delay, keyDelay
}

// SetFaults replaces the faults; they count from now on.
func (c *Card) SetFaults(faults ...Fault) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.faults = newFaults(faults)
}

// Reset does what powering off does: nothing is selected and no PIN is proven
// any more.
func (c *Card) Reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.volatile = volatile{}
	for _, s := range c.secrets {
		s.proven = false
	}
}
