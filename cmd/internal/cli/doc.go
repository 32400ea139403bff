// SPDX-License-Identifier: Apache-2.0

// Package cli is the command line of pectoken.
//
// # How a command works
//
//  1. main calls [Main], which makes an app from the process: streams, clock,
//     environment, installed modules. Tests make their own.
//  2. newRootCmd builds the tree. Each command has a file of its own: a struct
//     of options, newXCmd, which fills it from the flags and hands it to runF,
//     and runX, which does the work.
//  3. runX calls the library and hands what it learnt to a renderer, of which
//     there is one for people and one for --json (render_*.go). It formats
//     nothing itself.
//  4. An error goes up to errors.go, the only place that turns errors into
//     text, a hint and an exit code.
//
// # How it speaks
//
// Standard output carries the result and nothing else. The PIN is asked on the
// terminal itself. Everything else goes to standard error, in lines that begin
// with "pectoken: ", lower case and without a full stop; a line that says what
// to type next begins with "hint: ". Text from files, certificates and cards is
// made harmless before a terminal sees it.
//
// # Adding a command
//
// Write its file, add it to newRootCmd, and show it at work in a script under
// testdata/script, a wrong use included.
package cli
