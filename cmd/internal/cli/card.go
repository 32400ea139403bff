// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/token"
)

// cardFlags say which module and which token to use.
type cardFlags struct {
	module string
	token  string
}

func (f *cardFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.module, "module", "", "use the PKCS#11 module (driver) at `PATH`, and no other")
	c.Flags().StringVar(&f.token, "token", "", "use the token with this `LABEL|SERIAL`")
}

// fits says whether a token is one that was asked for.
func (f *cardFlags) fits(label, serial string) bool {
	return f.token == "" || f.token == label || strings.EqualFold(f.token, serial)
}

// card is a token that is present, and what is on it. A card with two PINs is
// two of them.
type card struct {
	token.Info
	module       string // path
	certificates []*certificate
	also         []string // other modules that show the token, or the same certificates

	better  []*certificate // those that another module shows better
	problem error          // why the certificates can't be read
	live    *token.Token   // nil: found by another process; see wallet.use
}

// certificate is a certificate on a card, and the other modules that show it.
type certificate struct {
	*token.Certificate
	also []string
}

// sameToken says whether another module shows the same token.
func (c *card) sameToken(other *card) bool {
	return c.module != other.module && c.Serial != "" && c.Serial == other.Serial
}

// sameCard says whether two tokens are two PINs of one card.
func (c *card) sameCard(other *card) bool {
	return c.module == other.module && c.Serial != "" && c.Serial == other.Serial &&
		c.Manufacturer == other.Manufacturer && c.Model == other.Model
}

// byCard groups tokens that are on one card.
func byCard(tokens []*card) [][]*card {
	var groups [][]*card
	for _, c := range tokens {
		at := slices.IndexFunc(groups, func(group []*card) bool { return group[0].sameCard(c) })
		if at < 0 {
			groups = append(groups, nil)
			at = len(groups) - 1
		}
		groups[at] = append(groups[at], c)
	}
	return groups
}

// word is what --token means this token by: its serial number, unless another
// one has it too, as the second PIN of a card does.
func (c *card) word(among []*card) string {
	shared := func(other *card) bool { return other != c && other.Serial == c.Serial }
	if c.Serial == "" || slices.ContainsFunc(among, shared) {
		return c.Label
	}
	return c.Serial
}

// listCards is a list for hints.
func listCards(cards []*card) []string {
	var lines []string
	for _, c := range cards {
		line := fmt.Sprintf("--token %s is %q", shellWord(c.word(cards)), c.Label)
		if len(c.certificates) > 0 {
			line += ", with " + strings.Join(c.names(), ", ")
		}
		lines = append(lines, line)
	}
	return lines
}

// names are the certificates of holders on a card, in few words.
func (c *card) names() []string {
	var names []string
	for _, certificate := range c.certificates {
		if certificate.X509 != nil && !certificate.X509.IsCA {
			names = append(names, clip(textID(certificate.ID), 20))
		}
	}
	return names
}

// shellWord quotes a text for the command line of a hint if need be.
func shellWord(text string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:@%+,", r)
	}
	if text != "" && strings.IndexFunc(text, func(r rune) bool { return !plain(r) }) < 0 {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
