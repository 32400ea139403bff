// SPDX-License-Identifier: Apache-2.0

//go:build cgo && unix

package token

/*
#include <signal.h>

static void default_signals(void) {
	signal(SIGSEGV, SIG_DFL);
	signal(SIGBUS, SIG_DFL);
	signal(SIGFPE, SIG_DFL);
	signal(SIGILL, SIG_DFL);
	signal(SIGABRT, SIG_DFL);
}
*/
import "C"

// defaultSignals lets a crash in C end the process by its signal. Go's own handlers
// would write pages of goroutines and end it with status 2.
func defaultSignals() { C.default_signals() }
