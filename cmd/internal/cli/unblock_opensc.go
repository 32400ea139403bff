// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"os"
)

// openSCUnblocks is the setting without which OpenSC's module refuses to set a PIN with
// the PUK.
const openSCUnblocks = `app opensc-pkcs11 {
	pkcs11 {
		user_pin_unblock_style = init_pin_in_so_session;
	}
}
`

// openSCVariable names OpenSC's configuration file.
const openSCVariable = "OPENSC_CONF"

// allowUnblock has OpenSC's module, if it is loaded after this, set PINs with the PUK.
// A configuration that the user named himself is left alone; the system's is not read
// meanwhile. restore undoes it.
func (a *app) allowUnblock() (restore func(), err error) {
	if a.getenv(openSCVariable) != "" {
		return func() {}, nil
	}
	file, err := os.CreateTemp("", "pectoken-opensc-*.conf")
	if err != nil {
		return nil, fmt.Errorf("configuring OpenSC: %w", err)
	}
	_, err = file.WriteString(openSCUnblocks)
	err = errors.Join(err, file.Close(), os.Setenv(openSCVariable, file.Name()))
	if err != nil {
		return nil, errors.Join(fmt.Errorf("configuring OpenSC: %w", err), os.Remove(file.Name()))
	}
	return func() {
		_ = os.Unsetenv(openSCVariable)
		_ = os.Remove(file.Name())
	}, nil
}
