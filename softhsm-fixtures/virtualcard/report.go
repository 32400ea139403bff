// SPDX-License-Identifier: Apache-2.0

package virtualcard

// Report is what a card can tell about itself: what was asked of it since it was
// made, and the state of its secrets.
type Report struct {
	Commands      int `json:"commands"`      // command APDUs, those that went wrong included
	Signatures    int `json:"signatures"`    // COMPUTE DIGITAL SIGNATURE carried out
	Decipherments int `json:"decipherments"` // DECIPHER carried out; OpenSC signs by it with most certificates

	PIN          SecretReport `json:"pin"`
	PUK          SecretReport `json:"puk"`
	SignaturePIN SecretReport `json:"signaturePIN"` // of zeros on a card without signature key
	SignaturePUK SecretReport `json:"signaturePUK"`
}

// SecretReport is the state of a PIN or a PUK.
type SecretReport struct {
	Value     string `json:"value"`
	TriesLeft int    `json:"triesLeft"`
	Verified  int    `json:"verified"` // VERIFY commands that were right
	Refused   int    `json:"refused"`  // other VERIFY commands: wrong, malformed, or too late because it was blocked
	Changes   int    `json:"changes"`  // CHANGE REFERENCE DATA and RESET RETRY COUNTER with it in them, right or wrong
}

// Verifies is how many VERIFY commands with a PIN or PUK in them the card got.
func (r Report) Verifies() int {
	n := 0
	for _, s := range []SecretReport{r.PIN, r.PUK, r.SignaturePIN, r.SignaturePUK} {
		n += s.Verified + s.Refused
	}
	return n
}

// KeyUses is how often one of the private keys was used.
func (r Report) KeyUses() int { return r.Signatures + r.Decipherments }

// Report returns the card's report of now.
func (c *Card) Report() Report {
	c.mu.Lock()
	defer c.mu.Unlock()
	return Report{
		Commands: c.commands, Signatures: c.signatures, Decipherments: c.decipherments,
		PIN: c.secrets[refPIN].report(), PUK: c.secrets[refPUK].report(),
		SignaturePIN: c.secrets[refSignaturePIN].report(), SignaturePUK: c.secrets[refSignaturePUK].report(),
	}
}

func (s *secret) report() SecretReport {
	if s == nil {
		return SecretReport{}
	}
	return SecretReport{Value: s.text(), TriesLeft: s.tries, Verified: s.verified, Refused: s.refused, Changes: s.changes}
}
