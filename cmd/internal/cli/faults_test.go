// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"crypto/rand"
	"errors"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/revocation"
)

// proofFaults are the faults of an OCSP responder for which there is no proof, and what is
// said of them. With the others the answer is good.
var proofFaults = map[authority.Fault]string{
	authority.Slow:            "no whole answer came within 1s",
	authority.Hang:            "no whole answer came within 1s",
	authority.HTTP401:         "HTTP 401",
	authority.HTTP404:         "HTTP 404",
	authority.HTTP500:         "HTTP 500",
	authority.HalfAnswer:      "the connection ended in the middle of its answer",
	authority.CutAnswer:       "not an OCSP response",
	authority.EmptyAnswer:     "not an OCSP response",
	authority.Garbage:         "not an OCSP response",
	authority.TrailingData:    "not an OCSP response",
	authority.Endless:         "its answer is longer than",
	authority.RedirectLoop:    "it redirects again and again",
	authority.RedirectFile:    `a URL of scheme "file" is not followed`,
	authority.RedirectPrivate: "an address of the local network, which is not followed",
	authority.FlippedBit:      "the signature value does not match",
	authority.OtherCA:         "not from the issuer of the certificate it speaks of",
	authority.WrongNonce:      "another nonce than the request",
	authority.NoEKU:           "not for signing OCSP responses",
	authority.Expired:         "was not valid on .*, when it answered",
	authority.Revoked:         "the certificate of its responder may be revoked",
	authority.Future:          "which is not yet",
	authority.Stale:           "is too old for",
	authority.WrongSerial:     "does not speak of this certificate",
	authority.OtherIssuer:     "does not speak of this certificate",
	authority.Malformed:       "it found the request malformed",
	authority.InternalError:   "it has an internal error",
	authority.TryLater:        "it says to try later",
	authority.SigRequired:     "it wants the request signed",
	authority.Unauthorized:    "it does not answer us",
}

// Whatever a responder does wrong is said by sign --level lt before a time stamp is paid
// for, and leaves nothing behind; what is no harm is none.
func TestProofFaults(t *testing.T) {
	for _, fault := range authority.Faults(authority.OCSP) {
		t.Run(string(fault), func(t *testing.T) {
			t.Parallel()
			people := pki.New(fixedNow())
			server := authority.Start(t, people, authority.Options{})
			for service, fault := range map[authority.Service]authority.Fault{authority.OCSP: fault, authority.CRL: authority.HTTP404} {
				if err := server.Fail(service, fault); err != nil {
					t.Fatal(err)
				}
			}
			b, _, stderr := batchOf(t, 1, 0)
			signer := people.Must(t, pki.Signer)
			fetcher := &revocation.Fetcher{Client: &http.Client{Transport: &http.Transport{}}, Now: fixedNow, Timeout: time.Second}
			b.signing.Signer = cms.Signer{Key: signer.Key, Certificate: signer.Certificate, Chain: signer.Chain, Rand: rand.Reader}
			b.signing.Level = sign.LevelLT
			b.signing.Stamper = &timestamp.Client{Now: fixedNow, Authorities: []timestamp.Authority{{URL: server.URL(authority.TSA)}}}
			b.signing.ValidationData = &verify.Collector{Revocation: &revocation.Checker{Fetcher: fetcher}, Now: fixedNow}
			b.run(t.Context(), 1)
			_, missing := os.Stat(b.jobs[0].output)
			want, bad := proofFaults[fault]
			switch {
			case !bad && (b.exit != exitOK || missing != nil):
				t.Errorf("exit code %d, %v\n%s", b.exit, missing, stderr)
			case bad && (b.exit != exitFailed || missing == nil || server.Count(authority.TSA) > 0):
				t.Errorf("exit code %d, %v, %d requests for a time stamp", b.exit, missing, server.Count(authority.TSA))
			case bad && !regexp.MustCompile(`reaching level B-LT \(B-B is reached\): the certificate to sign with: .*`+want).MatchString(stderr.String()):
				t.Errorf("%q is not in\n%s", want, stderr)
			}
		})
	}
}

// fails has each command that asks for a time stamp ask an authority with a fault, and
// checks what is said, that nothing is left in the folder of the results, and that the
// request was sent once: fails hang 'no answer within 1s'
func (k *kit) fails(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: fails FAULT MESSAGE")
	}
	s, err := authority.Open(k.pki, authority.Options{Clock: time.Now, Unpublished: true})
	ts.Check(err)
	ts.Defer(func() { _ = s.Close() })
	ts.Check(s.Fail(authority.TSA, authority.Fault(args[0])))
	said := regexp.MustCompile("(?m)" + args[1])
	for i, command := range [][]string{
		{"sign", "--pin-file", "pin", "--level", "t", "--output-dir", "out", "notes.txt"},
		{"sign", "--pin-file", "pin", "--level", "t", "--output-dir", "out", "contract.pdf"},
		{"extend", "--level", "t", "--output-dir", "out", "notes.txt.p7m"},
		{"extend", "--level", "t", "--output-dir", "out", "contract-signed.pdf"},
		{"timestamp", "--output-dir", "out", "notes.txt"},
	} {
		err := ts.Exec("pectoken", append(command, "--timeout", "1s", "--tsa", s.URL(authority.TSA))...)
		exit := new(exec.ExitError)
		if !errors.As(err, &exit) || exit.ExitCode() != int(exitFailed) {
			ts.Fatalf("%s: %v, want exit code %d", command, err, exitFailed)
		}
		if text := ts.ReadFile("stderr"); !said.MatchString(text) {
			ts.Fatalf("%s: %q is not in\n%s", command, args[1], text)
		}
		if s.Count(authority.TSA) != i+1 {
			ts.Fatalf("%s: %d requests in all", command, s.Count(authority.TSA))
		}
		left, err := os.ReadDir(ts.MkAbs("out"))
		ts.Check(err)
		if len(left) > 0 {
			ts.Fatalf("%s: it leaves %s behind", command, left[0].Name())
		}
	}
}
