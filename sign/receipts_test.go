// SPDX-License-Identifier: Apache-2.0

package sign_test

import (
	"bytes"
	"crypto"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/verify/report"
)

// full is a disk on which nothing has room.
type full struct{}

var errFull = errors.New("no space left")

// Write implements [io.Writer].
func (full) Write([]byte) (int, error) { return 0, errFull }

// A time stamp that was received for a file that can't be written is named.
func TestLostStamps(t *testing.T) {
	for format, document := range map[sign.Format][]byte{sign.CAdES: []byte("atto"), sign.PAdES: documents.Plain()} {
		w := newWorld(t)
		o := w.options(t, sign.LevelLTA)
		o.Format = format
		file := signed(t, document, o)
		issued := w.server.Issued()
		for what, do := range map[string]func(io.Writer) error{
			"signing":   func(dst io.Writer) error { return sign.Document(t.Context(), dst, section(document), o) },
			"extending": func(dst io.Writer) error { return sign.Extend(t.Context(), dst, sign.Existing{File: section(file)}, o) },
		} {
			err := do(full{})
			var lost *sign.LostStampsError
			if !errors.As(err, &lost) || !errors.Is(err, errFull) {
				t.Fatalf("%v, %s: %v", format, what, err)
			}
			if got := w.server.Issued() - issued; len(lost.Tokens) != got || got == 0 {
				t.Errorf("%v, %s: %d of %d time stamps are named", format, what, len(lost.Tokens), got)
			}
			if serial := lost.Tokens[0].Info.SerialNumber; !strings.Contains(err.Error(), strings.ToUpper(serial.Text(16))) {
				t.Errorf("%v, %s: %v does not name %X", format, what, err, serial)
			}
			if err := do(io.Discard); err != nil {
				t.Errorf("%v, %s: %v", format, what, err)
			}
			issued = w.server.Issued()
		}
	}
}

// What fails after the file was written names its time stamps once, and what had none
// says nothing of any.
func TestReceiptsLost(t *testing.T) {
	w := newWorld(t)
	o := w.options(t, sign.LevelT)
	receipts := &sign.Receipts{Stamper: o.Stamper}
	if err := receipts.Lost(errFull); err != errFull {
		t.Errorf("without a time stamp: %v", err)
	}
	o.Stamper = receipts
	signed(t, []byte("atto"), o)
	err := receipts.Lost(errFull)
	var lost *sign.LostStampsError
	if !errors.As(err, &lost) || len(lost.Tokens) != 1 || !errors.Is(err, errFull) || !slices.Equal(lost.Tokens, receipts.Tokens()) {
		t.Fatalf("%v", err)
	}
	if again := receipts.Lost(err); again != err {
		t.Errorf("named twice: %v", again)
	}
	if err := receipts.Lost(nil); err != nil {
		t.Errorf("of no failure: %v", err)
	}
	if err := (*sign.Receipts)(nil).Lost(errFull); err != errFull {
		t.Errorf("of none at all: %v", err)
	}
}

// Authorities that are asked one after the other may want different digests, of a PDF too.
func TestStampsOfOtherDigests(t *testing.T) {
	for format, document := range map[sign.Format][]byte{sign.CAdES: []byte("atto"), sign.PAdES: documents.Plain()} {
		w := newWorld(t)
		o := w.options(t, sign.LevelB)
		o.Format = format
		file := signed(t, document, o)
		w.server.Configure(func(c *authority.Config) { c.TSA.Imprints = []crypto.Hash{crypto.SHA512} }) // refuses SHA-256
		o = w.options(t, sign.LevelLTA)
		client := o.Stamper.(*timestamp.Client)
		first, second := client.Authorities[0], client.Authorities[0]
		second.Hash = crypto.SHA512
		client.Authorities = []timestamp.Authority{first, second}
		s := w.judged(t, extended(t, file, nil, o), nil, false)
		expect(t, s, sign.LevelLTA, report.Valid)
		var out bytes.Buffer
		if err := sign.Document(t.Context(), &out, section(document), o); err != nil {
			t.Errorf("%v: signing: %v", format, err)
		}
	}
}
