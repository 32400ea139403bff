// SPDX-License-Identifier: Apache-2.0

//go:build cgo

package softhsm

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"

	"github.com/miekg/pkcs11"
)

const haveCgo = true

// soPIN is the security officer's PIN of every token.
const soPIN = "12345678"

// library serialises what is one per process: the library's state and the
// environment variable it is configured by.
var library sync.Mutex

// AddToken makes a token called label with the user PIN pin and stores objects
// on it. It returns the token's serial number. Several tokens may share a
// label, and a token may have no objects.
//
// It initialises the library and finalises it again. When the module is
// already open in this process, AddToken changes nothing and returns an error.
func (h *HSM) AddToken(label, pin string, objects ...Object) (serial string, err error) {
	library.Lock()
	defer library.Unlock()
	err = h.configured(func() error {
		return h.opened(func(ctx *pkcs11.Ctx) error {
			serial, err = addToken(ctx, label, pin, objects)
			return err
		})
	})
	if err != nil {
		return "", fmt.Errorf("adding token %q: %w", label, err)
	}
	return serial, nil
}

// configured runs do with the environment variable naming the configuration,
// which is the only way to tell the library.
func (h *HSM) configured(do func() error) error {
	before, had := os.LookupEnv(confVariable)
	if err := os.Setenv(confVariable, h.Conf()); err != nil {
		return err
	}
	if had {
		defer os.Setenv(confVariable, before)
	} else {
		defer os.Unsetenv(confVariable)
	}
	return do()
}

// opened runs do while the library is initialised.
func (h *HSM) opened(do func(*pkcs11.Ctx) error) error {
	ctx := pkcs11.New(h.module)
	if ctx == nil {
		return fmt.Errorf("loading %s: not a PKCS#11 module", h.module)
	}
	defer ctx.Destroy()
	err := ctx.Initialize()
	if errors.Is(err, pkcs11.Error(pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED)) {
		return errors.New("the module is open in this process: make tokens before opening it")
	}
	if err != nil {
		return fmt.Errorf("initialising the module: %w", err)
	}
	return errors.Join(do(ctx), ctx.Finalize())
}

func addToken(ctx *pkcs11.Ctx, label, pin string, objects []Object) (serial string, err error) {
	slot, err := freeSlot(ctx)
	if err != nil {
		return "", err
	}
	if err := ctx.InitToken(slot, soPIN, label); err != nil {
		return "", fmt.Errorf("initialising the token: %w", err)
	}
	session, err := ctx.OpenSession(slot, pkcs11.CKF_SERIAL_SESSION|pkcs11.CKF_RW_SESSION)
	if err != nil {
		return "", fmt.Errorf("opening session: %w", err)
	}
	defer ctx.CloseSession(session)
	if err := setPIN(ctx, session, pin); err != nil {
		return "", err
	}
	for _, o := range objects {
		if err := store(ctx, session, o); err != nil {
			return "", fmt.Errorf("storing %q: %w", o.Label, err)
		}
	}
	info, err := ctx.GetTokenInfo(slot)
	return strings.TrimRight(info.SerialNumber, " \x00"), err
}

// freeSlot finds the slot of the token that is not initialised yet.
func freeSlot(ctx *pkcs11.Ctx) (uint, error) {
	slots, err := ctx.GetSlotList(true)
	if err != nil {
		return 0, fmt.Errorf("listing slots: %w", err)
	}
	for _, slot := range slots {
		info, err := ctx.GetTokenInfo(slot)
		if err != nil {
			return 0, fmt.Errorf("reading token information: %w", err)
		}
		if info.Flags&pkcs11.CKF_TOKEN_INITIALIZED == 0 {
			return slot, nil
		}
	}
	return 0, errors.New("no slot is free")
}

// setPIN gives the token its user PIN and logs the user in.
func setPIN(ctx *pkcs11.Ctx, session pkcs11.SessionHandle, pin string) error {
	steps := []struct {
		name string
		do   func() error
	}{
		{"logging in as security officer", func() error { return ctx.Login(session, pkcs11.CKU_SO, soPIN) }},
		{"setting the PIN", func() error { return ctx.InitPIN(session, pin) }},
		{"logging out", func() error { return ctx.Logout(session) }},
		{"logging in", func() error { return ctx.Login(session, pkcs11.CKU_USER, pin) }},
	}
	for _, step := range steps {
		if err := step.do(); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	return nil
}
