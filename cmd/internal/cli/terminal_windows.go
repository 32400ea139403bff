// SPDX-License-Identifier: Apache-2.0

package cli

import "os"

// openTerminal opens the console for reading and for writing. ReadPassword
// changes the console's mode, for which it has to be open for writing too.
func openTerminal() (in, out *os.File, err error) {
	if in, err = os.OpenFile("CONIN$", os.O_RDWR, 0); err != nil {
		return nil, nil, err
	}
	if out, err = os.OpenFile("CONOUT$", os.O_RDWR, 0); err != nil {
		_ = in.Close()
		return nil, nil, err
	}
	return in, out, nil
}
