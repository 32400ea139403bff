// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/cns"
	"github.com/pectoken/pectoken/token"
)

// cardFlags say which module and which token to use.
type cardFlags struct {
	module string
	token  string

	uriText string
	uri     *token.URI // of uriText; nil: none was given
}

func (f *cardFlags) register(c *cobra.Command) {
	c.Flags().StringVar(&f.module, "module", "", "use the PKCS#11 module (driver) at `PATH`, and no other")
	c.Flags().StringVar(&f.token, "token", "", "use the token with this `LABEL|SERIAL`")
	c.Flags().StringVar(&f.uriText, "uri", "", "use what this PKCS#11 `URI` (RFC 7512) means, in place of --token and --cert")
}

// check reads the URI. It is never repeated: it may hold a PIN. others are the flags
// that it takes the place of.
func (f *cardFlags) check(c *cobra.Command, others ...string) error {
	if err := notEmpty(c, "module", "token", "cert", "uri"); err != nil || f.uriText == "" {
		return err
	}
	uri, err := token.ParseURI(f.uriText)
	if err != nil {
		return usageError(helpHint(c), "--uri: %w", err)
	}
	_, source := uri.Get("pin-source")
	path, named := uri.Get("module-path")
	switch pin := uri.PIN(); {
	case pin != nil:
		clear(pin)
		return usageError("pectoken help pin", "--uri has a PIN in it, which every program here can see: leave pin-value out")
	case source:
		return usageError("pectoken help pin", "--uri has a pin-source: name the file with --pin-file")
	case f.token+strings.Join(others, "") != "":
		return usageError(helpHint(c), "--uri takes the place of --token and --cert: give one or the other")
	case named && f.module != "":
		return usageError(helpHint(c), "--uri names a module, and so does --module")
	case named:
		f.module = path
	}
	f.uri = &uri
	return nil
}

// fits says whether a token is one that was asked for.
func (f *cardFlags) fits(i token.Info) bool {
	return f.fitsName(i.Label, i.Serial) && (f.uri == nil || f.uri.MatchToken(i))
}

// fitsLibrary says whether a module is one that was asked for, by what it says of itself.
func (f *cardFlags) fitsLibrary(l token.Library) bool { return f.uri == nil || f.uri.MatchLibrary(l) }

// fitsName is fits for what little is known of a token.
func (f *cardFlags) fitsName(label, serial string) bool {
	return f.token == "" || f.token == label || strings.EqualFold(f.token, serial)
}

// noneFits says that what was asked for is not there.
func (f *cardFlags) noneFits() error {
	if f.uri != nil {
		return fmt.Errorf("no token is meant by %s", f.uri)
	}
	return fmt.Errorf("no token has the label or serial number %q", f.token)
}

// card is a token that is present, and what is on it. A card with two PINs is
// two of them.
type card struct {
	token.Info
	module       string // path
	certificates []*certificate
	also         []string // other modules that show the token, or the same certificates

	wrong   wrongCount     // of PINs and PUKs sent from here
	better  []*certificate // those that another module shows better
	problem error          // why the certificates can't be read
	live    *token.Token   // nil: found by another process; see wallet.use
	through *token.Module  // of live
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
	return c.module == other.module && c.Info.SameCard(other.Info)
}

// isCIE says whether this is an electronic identity card, by its certificates or its
// driver.
func (c *card) isCIE() bool {
	return c.holds(cns.CIE) || strings.HasPrefix(strings.ToLower(filepath.Base(c.module)), "libcie-pkcs11") ||
		strings.EqualFold(filepath.Base(c.module), "CIEPKI.dll")
}

// isItalian says whether a card is of a kind whose PIN and PUK are made of digits. A
// token in software takes anything, which its longest PIN gives away.
func (c *card) isItalian() bool {
	const longest = 16
	return c.PIN.Max > 0 && c.PIN.Max <= longest && c.holds(cns.CNS, cns.CNSLike, cns.CIE, cns.QualifiedSignature)
}

// holds says whether a certificate of one of these kinds is on the card.
func (c *card) holds(kinds ...cns.Kind) bool {
	return slices.ContainsFunc(c.certificates, func(held *certificate) bool {
		if held.X509 == nil {
			return false
		}
		kind, _ := cns.Classify(held.X509)
		return slices.Contains(kinds, kind)
	})
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
