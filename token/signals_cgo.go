// SPDX-License-Identifier: Apache-2.0

//go:build cgo && unix

package token

/*
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const int crashes[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
static volatile sig_atomic_t ending;

static void end_now(int number) { _exit(ending); }

// Go's threads have a stack of their own for handlers, which the flag asks for.
static void on_crash(void (*handler)(int)) {
	struct sigaction action;
	memset(&action, 0, sizeof action);
	action.sa_handler = handler;
	action.sa_flags = SA_ONSTACK;
	for (size_t i = 0; i < sizeof crashes / sizeof *crashes; i++)
		sigaction(crashes[i], &action, NULL);
}

static void default_signals(void) { on_crash(SIG_DFL); }

static void crash_to(int code) {
	ending = code;
	on_crash(end_now);
}
*/
import "C"

// defaultSignals lets a crash in C end the process by its signal. Go's own handlers
// would write pages of goroutines and end it with status 2.
func defaultSignals() { C.default_signals() }

// CrashTo has a crash in C, or in Go, end the process with this exit code from now on,
// without a word. It is for a program that has done its work, and has but to close its
// modules: some crash in C_Finalize, and would have success look like failure. It cannot
// be taken back. Where no C is called, and on Windows, it does nothing.
func CrashTo(exitCode int) { C.crash_to(C.int(exitCode)) }
