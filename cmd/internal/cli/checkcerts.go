// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"cmp"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pectoken/pectoken/cns"
	"github.com/pectoken/pectoken/token"
)

// soon is how many days before its end a certificate gets a warning: a renewal
// takes weeks.
const soon = 60

// checkCertificates judges each certificate of a holder by what it says itself, and
// names the kinds that are missing.
func checkCertificates(p *patient) []check {
	const name = "certificate"
	var checks []check
	kinds := map[cns.Kind]bool{}
	all := p.holders()
	for _, c := range all {
		kinds[c.kind] = true
		checks = append(checks, p.checkCertificate(c, all))
	}
	if len(p.wallet.cards) == 0 {
		return nil
	}
	const otherDriver = "the driver that came with the kit may show it: pectoken tokens lists what each driver sees"
	if !kinds[cns.QualifiedSignature] {
		checks = append(checks, warning(name, otherDriver, "no certificate for qualified signatures is shown"))
	}
	if !kinds[cns.CNS] && !kinds[cns.CNSLike] && !kinds[cns.CIE] {
		checks = append(checks, warning(name, otherDriver, "no certificate for logging in (CNS) is shown"))
	}
	return checks
}

func (p *patient) checkCertificate(c candidate, all []candidate) check {
	const name = "certificate"
	days := int(c.X509.NotAfter.Sub(p.now).Hours() / 24)
	what := fmt.Sprintf("%s, %s, %s of %s: ", p.wallet.id(c), kindText(c.kind), keyText(c.X509), nameOf(c.X509))
	renewed := slices.ContainsFunc(all, func(o candidate) bool { return p.now.Before(o.X509.NotAfter) && succeeds(o, c) })
	switch {
	case p.now.Before(c.X509.NotBefore):
		return warning(name, "wait, or set the clock of this computer right", "%snot valid before %s", what, day(c.X509.NotBefore))
	case p.now.After(c.X509.NotAfter) && renewed:
		return ok(name, "%sexpired on %s, and has a successor", what, day(c.X509.NotAfter))
	case p.now.After(c.X509.NotAfter):
		return fault(name, "it can't be renewed any more: ask the provider for a new kit", "%sEXPIRED on %s", what, day(c.X509.NotAfter))
	case weak(c.X509):
		return warning(name, "ask the provider for a new kit", "%sthe key is too short for today", what)
	case days < soon:
		return warning(name, "renew it in time; see the lines on renewal", "%sonly %d days left, until %s", what, days, day(c.X509.NotAfter))
	}
	return ok(name, "%s%d days left, until %s", what, days, day(c.X509.NotAfter))
}

// succeeds says whether a certificate may stand in for another one: that of somebody
// else, whose card is here too, does not.
func succeeds(newer, older candidate) bool {
	match := cns.CompareHolders(newer.X509, older.X509)
	return newer.kind == older.kind && (match == cns.SameHolder || match == cns.HolderUnknown && newer.card.Serial == older.card.Serial)
}

func keyText(c *x509.Certificate) string {
	switch key := c.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA-%d", key.N.BitLen())
	case *ecdsa.PublicKey:
		return key.Curve.Params().Name
	}
	return "a key of another kind"
}

func weak(c *x509.Certificate) bool {
	const shortest = 2048
	key, isRSA := c.PublicKey.(*rsa.PublicKey)
	return isRSA && key.N.BitLen() < shortest
}

// checkIssuers says whether the issuers' certificates are on the card, which signatures
// then carry.
func checkIssuers(p *patient) []check {
	const name = "chain"
	var checks []check
	for _, c := range p.holders() {
		if chain := c.chain(); len(chain) > 0 {
			checks = append(checks, ok(name, "%s: the certificate of its issuer is on the card, %s", p.wallet.id(c), nameOf(chain[0])))
		} else {
			checks = append(checks, unknown(name, "%s: issued by %s, whose certificate is not on the card; it can't be checked here",
				p.wallet.id(c), clip(cns.DistinguishedName(c.X509.Issuer), 120)))
		}
	}
	return checks
}

// checkHolders compares the holder of the certificate for logging in with those of the
// certificates for signatures.
func checkHolders(p *patient) []check {
	const name = "holder"
	var checks []check
	for _, c := range p.holders() {
		authentication := p.authenticationBeside(c)
		if authentication == nil || c.kind != cns.QualifiedSignature {
			continue
		}
		found := holderCheck(name, cns.CompareHolders(authentication, c.X509), fmt.Sprintf("the CNS certificate and %s", p.wallet.id(c)))
		status := map[cns.Answer]status{cns.Yes: statusOK, cns.No: statusWarning, cns.AnswerUnknown: statusUnknown}[found.Answer]
		checks = append(checks, check{Check: name, Status: status, What: found.What})
	}
	return checks
}

// checkWebmail says whether a PEC webmail would let the holder in.
func checkWebmail(p *patient) []check {
	const name = "webmail"
	authentication := p.authentication()
	if authentication == nil {
		return nil
	}
	ready, findings := cns.WebmailReady(authentication, p.now, p.codiceFiscale)
	reasons := findingsText(findings, "")
	switch {
	case ready == cns.Yes:
		return []check{ok(name, "a PEC webmail would accept this CNS: %s", reasons)}
	case ready == cns.No && p.codiceFiscale != "":
		return []check{fault(name, "register the kit for the mailbox in the provider's account pages, or use the holder's own", "a PEC webmail would not accept this CNS: %s", reasons)}
	case ready == cns.No:
		return []check{warning(name, "", "a PEC webmail would not accept this CNS: %s", reasons)}
	}
	return []check{unknown(name, "whether a PEC webmail would accept it: %s", reasons)}
}

// checkChips says how long chips are certified for qualified signatures.
func checkChips(p *patient) []check {
	const name = "chip"
	var checks []check
	for _, c := range p.cardsInReaders() {
		certified, known := cns.CertificationOf(c.atr)
		switch doubt := inDoubt(certified.Doubt); {
		case !known:
			checks = append(checks, unknown(name, "%s: until when the chip is certified for qualified signatures is not known here", c.reader.Name))
		case p.now.After(certified.Until.AddDate(0, 0, 1)):
			checks = append(checks, warning(name, "ask the provider for a new card: this one is not renewed, and its signature certificate may have been revoked",
				"%s: the chip's certification ended on %s%s", c.reader.Name, dateOf(certified.Until), doubt))
		default:
			checks = append(checks, ok(name, "%s: the chip is certified until %s%s", c.reader.Name, dateOf(certified.Until), doubt))
		}
	}
	return checks
}

func inDoubt(doubt string) string {
	if doubt == "" {
		return ""
	}
	return " (not confirmed: " + doubt + ")"
}

// checkRenewal says when certificates can be renewed, by the rules of who issued them.
func checkRenewal(p *patient) []check {
	const name = "renewal"
	var checks []check
	for _, c := range p.holders() {
		id := p.wallet.id(c)
		window, known := cns.RenewalOf(c.X509)
		switch {
		case p.now.After(c.X509.NotAfter):
		case !known:
			checks = append(checks, unknown(name, "%s: when its issuer renews certificates is not known here", id))
		default:
			checks = append(checks, p.checkWindow(id, window))
		}
	}
	return checks
}

func (p *patient) checkWindow(id string, w cns.RenewalWindow) check {
	const name = "renewal"
	what := fmt.Sprintf("%s: %s renews from %s%s%s", id, w.Provider, day(w.Opens), until(w.Closes), inDoubt(w.Doubt))
	switch {
	case p.now.Before(w.Opens):
		return ok(name, "%s", what)
	case !w.Closes.IsZero() && p.now.After(w.Closes):
		return fault(name, "ask the provider for a new kit", "%s, which is over", what)
	}
	return warning(name, "renew now, with the provider's program or pages; decrypt first what only this card can decrypt", "%s", what)
}

func until(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return " until " + day(t)
}

// keyTest makes a signature with each key, of which nothing is kept.
type keyTest struct {
	app    *app
	wallet *wallet
	ask    token.PINPrompt
	flags  pinFlags
	pins   map[*card][]byte // got so far
	open   []*token.Signer  // kept to the end, for a card to stay logged in
}

// errDoubtful is a card's answer that does not say whether the PIN was right.
var errDoubtful = errors.New("the card did not say whether the PIN is right")

// run tests the keys of all certificates. A PIN that is refused ends it, and so does one
// that may have been.
func (t *keyTest) run(ctx context.Context, all []candidate) ([]check, error) {
	const name = "key"
	var checks []check
	defer t.close()
	for i, c := range all {
		id := t.wallet.id(c)
		switch err := untilInterrupted(ctx, graceLimit, func() error { return t.sign(ctx, c) }); {
		case err == nil:
			checks = append(checks, ok(name, "%s: the key belongs to the certificate, and signs", id))
		case ctx.Err() != nil, problemOf(err).exit == exitPIN:
			return checks, cmp.Or(ctx.Err(), explainCIE(c.card, err))
		case errors.Is(err, token.ErrNoKey):
			checks = append(checks, warning(name, "another driver may show it", "%s: %v", id, err))
		default:
			checks = append(checks, fault(name, "another driver may do better; see the line on the driver", "%s: %v", id, err))
			if left := len(all) - i - 1; left > 0 && errors.Is(err, errDoubtful) {
				return append(checks, unknown(name, "%s not checked, so as not to send a PIN twice that may be wrong", count(left, "more key"))), nil
			}
		}
	}
	return checks, nil
}

// sign makes one signature. The Signer checks it with the certificate.
func (t *keyTest) sign(ctx context.Context, c candidate) error {
	onCard, _, err := t.wallet.use(ctx, c.card)
	if err != nil {
		return err
	}
	key, err := onCard.Signer(ctx, c.Certificate, t.pin(c.card), t.app.loginOptions(c.card, t.flags))
	if err != nil {
		return t.doubt(c.card, err)
	}
	t.open = append(t.open, key)
	digest := sha256.Sum256([]byte("pectoken doctor: a signature that is thrown away"))
	_, err = key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if key.AlwaysAuthenticate() {
		err = t.doubt(c.card, err)
	}
	return err
}

// pin gets the PIN of a card once, and hands out copies: every key that wants it
// overwrites its own.
func (t *keyTest) pin(c *card) token.PINPrompt {
	return func(ctx context.Context, r token.PINRequest) ([]byte, error) {
		if t.pins[c] == nil {
			pin, err := t.app.tellCIE(c, t.flags, t.ask)(ctx, r)
			if err != nil {
				return nil, err
			}
			t.pins[c] = pin
		}
		return bytes.Clone(t.pins[c]), nil
	}
}

// doubt marks an error after which nobody knows whether the PIN is right.
func (t *keyTest) doubt(c *card, err error) error {
	if err == nil || t.pins[c] == nil || errors.Is(err, token.ErrNoKey) {
		return err
	}
	return fmt.Errorf("%w: %w", errDoubtful, err)
}

func (t *keyTest) close() {
	for _, pin := range t.pins {
		clear(pin)
	}
	closeAll(t.open)
}
