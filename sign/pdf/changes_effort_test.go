// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"fmt"
	"testing"
)

// filledOften is a signed form that was filled in n times.
func filledOften(t testing.TB, n int) []byte {
	form := signedForm(t)
	last := mustOpen(t, form).newest().start
	text := textOf(t, form, 6)
	out := bytes.NewBuffer(form)
	for i := range n {
		at := out.Len()
		out.WriteString(text[:bytes.Index([]byte(text), []byte("(Roma)"))])
		fmt.Fprintf(out, "(%d)%s\n", i, text[bytes.Index([]byte(text), []byte("(Roma)"))+len("(Roma)"):])
		start := out.Len()
		fmt.Fprintf(out, "xref\n6 1\n%010d 00000 n \ntrailer\n<< /Size 100 /Root 1 0 R /Prev %d >>\nstartxref\n%d\n%%%%EOF\n", at, last, start)
		last = int64(start)
	}
	return out.Bytes()
}

// TestManyRevisions counts the steps, not the time: twice the revisions cost twice
// the work.
func TestManyRevisions(t *testing.T) {
	effort := func(n int) int64 {
		d := mustOpen(t, filledOften(t, n))
		list, err := d.Signatures()
		if err != nil {
			t.Fatal(err)
		}
		before := d.effort
		found, err := d.Changes(list[0])
		if err != nil {
			t.Fatal(err)
		}
		if len(found) != n || !found[n-1].Allowed || found[n-1].Revision != n+1 {
			t.Fatalf("%d changes in %d revisions", len(found), n)
		}
		return d.effort - before
	}
	once, twice := effort(1000), effort(2000)
	if twice > once*5/2 {
		t.Errorf("%d steps for 1,000 revisions, %d for 2,000", once, twice)
	}
}

// TestManySignatures: a signature is not read again for each of those after it.
func TestManySignatures(t *testing.T) {
	effort := func(n int) int64 {
		file := signedForm(t)
		for range n {
			file = signed(t, file)
		}
		d := mustOpen(t, file)
		list, err := d.Signatures()
		if err != nil {
			t.Fatal(err)
		}
		before := d.effort
		found, err := d.Changes(list[0])
		if err != nil || len(found) != n {
			t.Fatalf("%d changes by %d signatures, %v", len(found), n, err)
		}
		return d.effort - before
	}
	once, twice := effort(16), effort(32)
	if twice > once*5/2 {
		t.Errorf("%d steps for 16 signatures, %d for 32", once, twice)
	}
}

// The changes are found once for all signatures.
func TestOneComparisonForAll(t *testing.T) {
	file := signedForm(t)
	for range 5 {
		file = signed(t, file)
	}
	d := mustOpen(t, file)
	list, err := d.Signatures()
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range list {
		found, err := d.Changes(s)
		if err != nil || len(found) != len(list)-1-i {
			t.Errorf("%s: %d changes, error %v", s.Field, len(found), err)
		}
		if i > 0 && d.compared.from != list[0].Revision {
			t.Errorf("%s: compared anew from revision %d", s.Field, d.compared.from)
		}
	}
}

func TestChangesCannotBeTold(t *testing.T) {
	d := mustOpen(t, signedForm(t))
	if _, err := d.Changes(&Signature{Revision: -1, Covers: CoversPart}); err == nil {
		t.Error("no error for a signature that covers no revision")
	}
	if found, err := d.Changes(onlySignature(t, signedForm(t))); err != nil || found != nil {
		t.Errorf("whole file: %v, %v", found, err)
	}
}
