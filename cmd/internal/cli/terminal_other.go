// SPDX-License-Identifier: Apache-2.0

//go:build !windows

package cli

import "os"

// openTerminal opens the controlling terminal for reading and for writing.
func openTerminal() (in, out *os.File, err error) {
	if in, err = os.Open("/dev/tty"); err != nil {
		return nil, nil, err
	}
	if out, err = os.OpenFile("/dev/tty", os.O_WRONLY, 0); err != nil {
		_ = in.Close()
		return nil, nil, err
	}
	return in, out, nil
}
