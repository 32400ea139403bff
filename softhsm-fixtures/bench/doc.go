// SPDX-License-Identifier: Apache-2.0

// Package bench measures pectoken beside openssl, on one big file and in one
// run: signing it with an RSA-2048 key into an attached .p7m, and verifying
// that. pectoken signs with the key on a SoftHSM2 token, openssl with the same
// key in a file. The time to hash the file alone tells what is left to gain.
//
// Times are medians, each program taking its turn in each round, so that a
// slow minute of the machine hits all of them. Files are read from the page
// cache: of all but what is hashed or signed for the first time that is made sure. Peak memory is the resident set the system
// reports of a finished process; it can't be told below that of the
// measuring process, some 30 MiB.
//
// A file of several times the size, and files with more and more signers and
// segments, tell how pectoken grows: see [Growth].
//
// Of PDFs it measures a long one and one of many pages beside the bare hash, a
// small one beside pdfsig, and one that was changed often after it was signed.
//
// Of time stamps it measures many small files that are signed in one call, without and
// with a stamp each from an authority that takes its time, and the one big file that is
// stamped, twice, and signed to last. The authorities are its own, on this machine, and
// count that no stamp is asked for twice.
//
// It measures the token alone as well: signatures in one process, and pectoken
// tokens with a module that is remembered, each beside a small C program that makes
// the bare PKCS#11 calls for the same, and so a call that signs many small PDFs.
//
// Nothing fails for being slow. [Result.Err] says when pectoken took more
// memory than [MemoryLimit] or [ComparisonLimit].
package bench
