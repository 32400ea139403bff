// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/cmd/internal/cli/outfile"
	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/token"
)

func TestProblemOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		exit exitCode
		code string
		hint string
	}{
		{errors.New("anything"), exitFailed, "failed", ""},
		{usageError("pectoken sign --help", "no"), exitUsage, "usage", "pectoken sign --help"},
		{&outfile.Error{Doing: "creating", Path: "a", Err: outfile.ErrExists}, exitUsage, "outputExists", "--overwrite"},
		{&outfile.Error{Doing: "creating", Path: "a", Err: fs.ErrNotExist}, exitFailed, "unwritable", ""},
		{&outfile.Error{Doing: "creating", Path: "a", Err: outfile.ErrFolder}, exitUsage, "outputExists", "--output-dir"},
		{context.Canceled, exitFailed, "interrupted", ""},
		{fs.ErrNotExist, exitFailed, "unreadable", ""},
		{&token.PINError{Reason: token.PINWrong, Left: token.TriesOne, Sent: true}, exitPIN, "wrongPIN", "locks"},
		{&token.PINError{Reason: token.PINLocked, Left: token.TriesNone}, exitPIN, "pinLocked", "PUK"},
		{&token.PINError{Reason: token.PINLastTry}, exitPIN, "lastTry", "--last-try"},
		{&token.PINError{Reason: token.PINLength, Min: 5, Max: 8}, exitPIN, "pinLength", ""},
		{&token.PINError{Reason: token.PINInvalid}, exitPIN, "pinInvalid", ""},
		{&token.PINError{Reason: token.PINExpired}, exitPIN, "pinExpired", "change"},
		{&token.PINError{Reason: token.PINNotSet}, exitPIN, "pinNotSet", "set it"},
		{&token.PINError{}, exitPIN, "pin", ""},
		{token.ErrNoCgo, exitNoToken, "noModule", ""},
		{&token.ModuleError{Path: "x.so", Reason: "not a library"}, exitNoToken, "noModule", ""},
		{token.ErrRemoved, exitNoToken, "noToken", "put the card in again"},
		{&pdf.EncryptedError{Doing: "signing"}, exitFailed, "encrypted", "qpdf"},
		{&pdf.DamagedError{What: "no trailer"}, exitFailed, "damaged", "qpdf"},
		{&pdf.PermissionError{Why: "certified"}, exitFailed, "notPermitted", ""},
	} {
		t.Run(c.code, func(t *testing.T) {
			wrapped := fmt.Errorf("doing something: %w", c.err)
			p := problemOf(wrapped)
			if p.exit != c.exit || p.code != c.code || !strings.Contains(strings.Join(p.hint, "\n"), c.hint) {
				t.Errorf("got exit code %d, %s, hint %q", p.exit, p.code, p.hint)
			}
			if c.code != "interrupted" && p.Error() != wrapped.Error() {
				t.Errorf("the text is %q, want %q", p, wrapped)
			}
		})
	}
}

// A module's word for a card that is gone is explained.
func TestProblemOfRemovedCard(t *testing.T) {
	const deviceRemoved = token.Code(0x32)
	p := problemOf(fmt.Errorf("logging in: %w", deviceRemoved))
	if p.exit != exitNoToken || p.Error() != "logging in: CKR_DEVICE_REMOVED (0x32): the card was removed" {
		t.Errorf("exit code %d, %q", p.exit, p)
	}
}

func TestWorst(t *testing.T) {
	order := []exitCode{exitOK, exitIndeterminate, exitNoToken, exitPIN, exitFailed}
	for i, a := range order {
		for j, b := range order {
			if got, want := worst(a, b), order[max(i, j)]; got != want {
				t.Errorf("worst(%d, %d) = %d, want %d", a, b, got, want)
			}
		}
	}
}

// TestComplain makes sure that an error is one line, whatever is in it.
func TestComplain(t *testing.T) {
	var stderr bytes.Buffer
	a := &app{err: &stderr}
	if got := a.finish(usageError("do\nthis", "reading %s: no", "a\nb\x1b[2J")); got != exitUsage {
		t.Errorf("the exit code is %d", got)
	}
	if got, want := stderr.String(), "pectoken: reading a\\nb\\x1b[2J: no\nhint: do\\nthis\n"; got != want {
		t.Errorf("standard error has %q, want %q", got, want)
	}
}

// TestExplainCIE makes sure that who types eight digits for a CIE learns of the rule,
// and nobody else.
func TestExplainCIE(t *testing.T) {
	cie := &card{module: "/usr/local/lib/libcie-pkcs11.so"}
	wrong := &token.PINError{Reason: token.PINWrong, Sent: true}
	if p := problemOf(explainCIE(cie, wrong)); p.exit != exitPIN || p.code != "wrongPIN" || !strings.Contains(strings.Join(p.hint, "\n"), "last four") {
		t.Errorf("a CIE gives %+v", p)
	}
	if p := problemOf(explainCIE(&card{module: "opensc-pkcs11.so"}, wrong)); strings.Contains(strings.Join(p.hint, "\n"), "last four") {
		t.Errorf("another card gives %+v", p)
	}
	a, notes := fakeApp(nil, "", "")
	ask := a.pinSource(pinFlags{secretFlags: secretFlags{fd: noFD}})
	_, _ = a.tellCIE(&card{module: "opensc-pkcs11.so"}, pinFlags{secretFlags: secretFlags{fd: noFD}}, ask)(t.Context(), token.PINRequest{})
	if notes.Len() > 0 {
		t.Errorf("another card: %s", notes)
	}
	_, _ = a.tellCIE(cie, pinFlags{secretFlags: secretFlags{fd: noFD}}, ask)(t.Context(), token.PINRequest{})
	if !strings.Contains(notes.String(), "last four") {
		t.Errorf("before the PIN of a CIE is typed: %q", notes)
	}
	if err := explainCIE(cie, nil); err != nil {
		t.Errorf("a right PIN gives %v", err)
	}
}
