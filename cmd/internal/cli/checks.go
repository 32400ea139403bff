// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	cnscard "github.com/pectoken/pectoken/cns/card"
	"github.com/pectoken/pectoken/token"
)

// status is how a check came out.
type status string

// Outcomes of a check.
const (
	statusOK      status = "ok"
	statusWarning status = "warning"
	statusFault   status = "fault"
	statusUnknown status = "unknown"
)

// check is a line of doctor, and of its --json.
type check struct {
	Check  string `json:"check"`
	Status status `json:"status"`
	What   string `json:"what"`
	Todo   string `json:"todo,omitempty"`

	exit exitCode // of a fault; 0: 1
}

func ok(name, format string, args ...any) check {
	return check{Check: name, Status: statusOK, What: fmt.Sprintf(format, args...)}
}

func unknown(name, format string, args ...any) check {
	return check{Check: name, Status: statusUnknown, What: fmt.Sprintf(format, args...)}
}

func warning(name, todo, format string, args ...any) check {
	return check{Check: name, Status: statusWarning, What: fmt.Sprintf(format, args...), Todo: todo}
}

func fault(name, todo, format string, args ...any) check {
	return check{Check: name, Status: statusFault, What: fmt.Sprintf(format, args...), Todo: todo}
}

// missing is a fault that leaves nothing to look at: no reader, card or driver.
func missing(name, todo, format string, args ...any) check {
	c := fault(name, todo, format, args...)
	c.exit = exitNoToken
	return c
}

// What to do, by operating system.
var (
	startPCSC = advice{
		"linux":  "install and start it (Debian, Ubuntu: apt install pcscd; Fedora: dnf install pcsc-lite; then: systemctl enable --now pcscd.socket)",
		"darwin": "it belongs to the system: restart the Mac, or plug the reader in again",
		"":       "start the service named Smart Card (SCardSvr) in the list of services",
	}
	installPCSC = advice{
		"linux": "install it (Debian, Ubuntu: apt install pcscd libpcsclite1; Fedora: dnf install pcsc-lite)",
		"":      "it belongs to the system: repair the system's smart card service",
	}
	plugIn = advice{
		"linux":  "plug it in; if lsusb shows it, install its driver (Debian, Ubuntu: apt install libccid)",
		"darwin": "plug it in; System Information shows it under USB if the cable is right",
		"":       "plug it in; the Device Manager shows it under smart card readers if its driver is there",
	}
)

// checkService says whether PC/SC, the system's way to readers, can be reached.
// Tokens in software need none.
func checkService(p *patient) []check {
	const name = "service"
	err := p.noReaders
	if err == nil {
		return []check{ok(name, "the PC/SC service answers")}
	}
	todo := ""
	switch {
	case errors.Is(err, cnscard.ErrUnsupported):
		return []check{unknown(name, "%v", err)}
	case errors.Is(err, cnscard.ErrNoLibrary):
		todo = onThisSystem(installPCSC)
	case errors.Is(err, cnscard.ErrNoService):
		todo = onThisSystem(startPCSC)
	case errors.Is(err, cnscard.ErrDenied):
		todo = "work at the machine itself, or ask its administrator for the right to use PC/SC (polkit)"
	}
	if len(p.wallet.cards) > 0 {
		return []check{warning(name, todo, "%v; the token found does without it", err)}
	}
	return []check{missing(name, todo, "%v", err)}
}

func checkReaders(p *patient) []check {
	const name = "reader"
	if p.noReaders != nil {
		return nil
	}
	if len(p.readers) == 0 {
		if len(p.wallet.cards) > 0 {
			return []check{ok(name, "none is plugged in, and the token found needs none")}
		}
		return []check{missing(name, onThisSystem(plugIn), "no card reader or USB token is plugged in")}
	}
	var checks []check
	for _, r := range p.readers {
		checks = append(checks, checkReader(r))
	}
	return checks
}

func checkReader(r cnscard.Reader) check {
	const name = "reader"
	switch {
	case r.State == cnscard.ReaderWithMute:
		return fault(name, "take the card out, turn it round, clean the contacts, and put it in again", "%s: the card in it does not answer", r.Name)
	case r.State == cnscard.ReaderUnavailable:
		return fault(name, "unplug it, and plug it in again", "%s: PC/SC can't use it", r.Name)
	case r.Exclusive:
		return warning(name, "close the other program that uses the card", "%s: another program keeps the card to itself", r.Name)
	case r.State == cnscard.ReaderEmpty:
		return ok(name, "%s: no card in it", r.Name)
	}
	return ok(name, "%s: a card is in it", r.Name)
}

// checkCards says what each card is, by its ATR.
func checkCards(p *patient) []check {
	const name = "card"
	if p.noReaders != nil {
		return nil
	}
	var checks []check
	for _, c := range p.cardsInReaders() {
		switch {
		case c.atr == nil:
			checks = append(checks, warning(name, "", "%s: what the card answers is no ATR: %X", c.reader.Name, c.reader.ATR))
		case !c.known:
			checks = append(checks, unknown(name, "%s: the card is of no kind known here, ATR %X", c.reader.Name, c.reader.ATR))
		default:
			checks = append(checks, ok(name, "%s: %s, ATR %X", c.reader.Name, c.chip.Name, c.reader.ATR))
		}
	}
	taken := func(r cnscard.Reader) bool { return r.State != cnscard.ReaderEmpty }
	if len(p.wallet.cards) == 0 && len(p.readers) > 0 && !slices.ContainsFunc(p.readers, taken) {
		return []check{missing(name, "put the card in, chip first, chip up", "no card is in any reader")}
	}
	return checks
}

// checkDrivers says for each card whether the driver it needs is there.
func checkDrivers(p *patient) []check {
	const name = "driver"
	if p.noModule != nil {
		known := problemOf(p.noModule)
		return []check{missing(name, strings.Join(known.hint, "; "), "%v", known.err)}
	}
	var checks []check
	for _, c := range p.cardsInReaders() {
		checks = append(checks, p.checkDriver(c))
	}
	if len(p.wallet.cards) == 0 && len(checks) == 0 {
		return []check{missing(name, "put the card in, or the token; if it is in, install the software that came with the kit", "no driver shows a token")}
	}
	return checks
}

func (p *patient) checkDriver(c inserted) check {
	const name = "driver"
	shown := p.shownBy(c.reader.Name)
	drives := func(m *token.FoundModule) bool { return c.chip.Drives(m.Path) }
	own := slices.IndexFunc(shown, drives)
	switch {
	case own >= 0:
		return ok(name, "%s: %s, the driver made for this card", c.reader.Name, shown[own].Path)
	case len(shown) == 0:
		return missing(name, "install "+c.needs(), "%s: no driver that is installed shows this card", c.reader.Name)
	case !slices.ContainsFunc(shown, byOpenSC):
		return ok(name, "%s: %s", c.reader.Name, shown[0].Path)
	case c.atr != nil && c.atr.LimitsOpenSC() && len(shown) == 1:
		return fault(name, "install "+c.needs(),
			"%s: OpenSC takes this card for a CNS 1.0 with keys of 1024 bits: logging in works, signing with a longer key does not", c.reader.Name)
	}
	if other := slices.IndexFunc(shown, func(m *token.FoundModule) bool { return !byOpenSC(m) }); other >= 0 {
		return ok(name, "%s: %s", c.reader.Name, shown[other].Path)
	}
	return warning(name, "if the certificate for signing is missing below, install "+c.needs(),
		"%s: OpenSC, which shows only part of some Italian cards", c.reader.Name)
}

func byOpenSC(m *token.FoundModule) bool { return isOpenSC(m.Path) }

func isOpenSC(module string) bool {
	return strings.HasPrefix(strings.ToLower(filepath.Base(module)), "opensc-pkcs11")
}

// needs names the driver for a card.
func (c inserted) needs() string {
	if len(c.chip.Modules) == 0 {
		return "the software that came with the kit, which brings the driver for this card (such as Bit4id's: libbit4xpki, bit4xpki.dll)"
	}
	return "the software that came with the kit: the driver for this card is " + strings.Join(c.chip.Modules, " or ")
}

// checkModules says what is wrong with the modules that were tried.
func checkModules(p *patient) []check {
	const name = "module"
	var checks []check
	for _, m := range p.found.Modules {
		checks = append(checks, ok(name, "%s (%s): works, shows %s", m.Path, m.Source, count(len(m.Tokens), "token")))
	}
	for _, problem := range p.found.Problems {
		line := fault(name, moduleTodo(problem), "%s: %s", problem.Path, problem.Reason)
		if len(p.wallet.cards) > 0 { // and so it is not needed
			line.Status = statusWarning
		}
		line.exit = exitNoToken
		checks = append(checks, line)
	}
	return checks
}

// moduleTodo is what to do about a module that can't be used.
func moduleTodo(p *token.ModuleError) string {
	switch {
	case strings.HasPrefix(p.Reason, "built for"):
		return "install the driver for the processor this program is for, or use pectoken for the other"
	case strings.Contains(p.Reason, "crashed"), strings.Contains(p.Reason, "did not answer"):
		return "install a newer version of the driver; unplug and plug in the reader; close other programs that use the card"
	}
	if strings.Contains(p.Reason, "cannot open shared object file") {
		return "install the library that it names, or a newer version of the driver, which may do without"
	}
	return "install the driver again, or take it out of the list (p11-kit, PECTOKEN_MODULE, the configuration file)"
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// checkSlots names slots that can't be read.
func checkSlots(p *patient) []check {
	const name = "slot"
	var checks []check
	for _, m := range p.found.Modules {
		for _, s := range m.Skipped {
			checks = append(checks, warning(name, "if it is the card that matters: another driver may read it", "%s: %v", m.Path, s))
		}
	}
	for _, c := range p.wallet.cards {
		if c.problem != nil {
			checks = append(checks, fault(name, "take the card out and put it in again", "%s: %v", c.module, c.problem))
		}
	}
	return checks
}

// checkPINs says how the PINs stand, as far as the drivers tell the truth.
func checkPINs(p *patient) []check {
	const name = "pin"
	var checks []check
	for _, c := range p.wallet.cards {
		what := fmt.Sprintf("%q%s: %s", c.Label, p.wallet.on(c), pinText(c.PIN, c.wrong))
		switch c.PIN.State {
		case token.PINStateOK:
			checks = append(checks, ok(name, "%s", what))
		case token.PINStateLow:
			checks = append(checks, warning(name, "be sure of the PIN before you type it again", "%s", what))
		case token.PINStateFinal:
			checks = append(checks, warning(name, "when you are sure of the PIN: pectoken pin verify --last-try; else: pectoken pin unblock", "%s", what))
		case token.PINStateLocked:
			checks = append(checks, fault(name, "pectoken pin unblock --token "+shellWord(c.word(p.wallet.cards)), "%s", what))
		case token.PINStateNotSet:
			checks = append(checks, fault(name, "set it with the program that came with the kit", "%s", what))
		default:
			checks = append(checks, unknown(name, "%s", what))
		}
	}
	return checks
}
