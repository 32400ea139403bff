// SPDX-License-Identifier: Apache-2.0

//go:build !linux && !darwin && !freebsd && !netbsd && !openbsd && !dragonfly

package cli

import (
	"os"

	"golang.org/x/term"
)

// hideInput leaves it to readHidden to turn the echo off.
func hideInput(int) error { return nil }

func readHidden(in *os.File) ([]byte, error) { return term.ReadPassword(int(in.Fd())) }
