// SPDX-License-Identifier: Apache-2.0

//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package cli

import (
	"os"

	"golang.org/x/sys/unix"
)

// hideInput turns the echo of a terminal off and has it hand over whole lines.
func hideInput(fd int) error {
	settings, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return err
	}
	settings.Lflag &^= unix.ECHO
	settings.Lflag |= unix.ICANON | unix.ISIG
	settings.Iflag |= unix.ICRNL
	return unix.IoctlSetTermios(fd, setTermios, settings)
}

// readHidden reads a line after hideInput. It isn't term.ReadPassword, which
// turns the echo off a second time: in a program that is being interrupted, that
// could come after the terminal was restored.
func readHidden(in *os.File) ([]byte, error) { return firstLine(in) }
