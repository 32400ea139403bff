// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// withStore is a file with a security store, and objects from number 4 on.
func withStore(store string, values ...string) []byte {
	return makePDF(append([]string{"<< /Type /Catalog /Pages 2 0 R /DSS " + store + " >>", pagesObject, pageObject}, values...)...)
}

// TestHostileStores: whatever stands in the place of values is counted and left out.
func TestHostileStores(t *testing.T) {
	key := "/" + strings.Repeat("AB", 20)
	for _, tt := range []struct {
		name       string
		file       []byte
		values     int
		unreadable int
	}{
		{"other types", withStore("<< /Certs 5 /CRLs (x) /OCSPs /None /VRI [] >>"), 0, 4},
		{"no references", withStore("<< /Certs [1 (x) null << >> [4 0 R]] >>", data("", "x")), 0, 5},
		{"no streams", withStore("<< /Certs [1 0 R 2 0 R 4 0 R 77 0 R] >>", "(x)"), 0, 4},
		{"an array of itself", withStore("<< /Certs 4 0 R >>", "[4 0 R 4 0 R]"), 0, 1},
		{"references in a circle", withStore("<< /Certs [4 0 R] /CRLs 4 0 R /VRI 4 0 R >>", "5 0 R", "4 0 R"), 0, 3},
		{"a store in itself", withStore("4 0 R", "<< /VRI 4 0 R /Certs [4 0 R] >>"), 0, 2},
		{"a loop of VRI", withStore("<< /VRI 4 0 R >>", "<< "+key+" 4 0 R >>"), 0, 0},
		{"entries that are none", withStore("<< /VRI << /Type /VRI /A 1 /B [] /C null /D 4 0 R >> >>", data("", "x")), 0, 3},
		{"a length that lies", withStore("<< /Certs [4 0 R 5 0 R] >>", "<< /Length 99999 >>\nstream\nx\nendstream", data("", "ok")), 1, 1},
		{"a length of itself", withStore("<< /Certs [4 0 R] >>", "<< /Length 4 0 R >>\nstream\nx\nendstream"), 0, 1},
		{"another filter", withStore("<< /Certs [4 0 R 5 0 R] >>", data("/Filter /LZWDecode", "x"), data("", "ok")), 1, 1},
		{"broken data", withStore("<< /Certs [4 0 R 4 0 R] /CRLs [4 0 R] >>", data("/Filter /FlateDecode", "x")), 0, 2},
		{"no checksum", withStore("<< /Certs [4 0 R 5 0 R] >>", data("/Filter /FlateDecode", cutShort(2)), data("/Filter /FlateDecode", cutShort(20))), 1, 1},
		{"a bomb", withStore("<< /Certs [4 0 R 5 0 R] >>", data("/Filter /FlateDecode", deflate(make([]byte, maxInflated+1))), data("", "ok")), 1, 1},
		{"values that repeat", withStore("<< /Certs [4 0 R 4 0 R 4 0 R] >>", data("", "x")), 1, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := storeOf(t, mustOpen(t, tt.file))
			if n := len(s.Certificates) + len(s.CRLs) + len(s.OCSP); n != tt.values || s.Unreadable != tt.unreadable {
				t.Errorf("%d values, %d unreadable, want %d and %d", n, s.Unreadable, tt.values, tt.unreadable)
			}
		})
	}
}

// cutShort is a DER value deflated, without the last bytes.
func cutShort(last int) string {
	value := slices.Concat(seq(300)[:4], []byte(strings.Repeat("abcdefgh", 37)))
	packed := deflate(value)
	return packed[:len(packed)-last]
}

func TestNoStore(t *testing.T) {
	for _, file := range [][]byte{documents.Form(), withStore("null"), withStore("[4 0 R]", data("", "x")), withStore("99 0 R")} {
		d := mustOpen(t, file)
		if s, err := d.SecurityStore(); s != nil || err != nil {
			t.Errorf("%+v, %v", s, err)
		}
		for _, revision := range []int{-1, len(d.Revisions())} {
			if _, err := d.SecurityStoreOf(revision); err == nil {
				t.Errorf("a store of revision %d", revision)
			}
		}
	}
}

// TestStoreLimits: what asks for too much is an error, and not half a store.
func TestStoreLimits(t *testing.T) {
	big := data("/Filter /FlateDecode", deflate(make([]byte, maxInflated)))
	failing := data("/Filter [/FlateDecode /FlateDecode]", deflate(make([]byte, maxInflated)))
	var entries strings.Builder
	for i := range maxStoreValues + 1 {
		fmt.Fprintf(&entries, "/K%d << >> ", i)
	}
	many := "<< /Cert 4 0 R /CRL 4 0 R /OCSP 4 0 R >> "
	var lists strings.Builder
	for i := range maxStoreValues {
		fmt.Fprintf(&lists, "/K%d %s", i, many)
	}
	for name, file := range map[string][]byte{
		"a long list":         withStore("<< /Certs [" + strings.Repeat("4 0 R ", maxStoreValues+1) + "] >>"),
		"many signatures":     withStore("<< /VRI << " + entries.String() + " >> >>"),
		"many bytes":          withStore("<< /Certs [4 0 R 5 0 R 6 0 R] >>", big, big, big),
		"many bytes for none": withStore("<< /Certs [4 0 R 5 0 R 6 0 R 7 0 R 8 0 R 9 0 R 10 0 R 11 0 R 12 0 R] >>", slices.Repeat([]string{failing}, 9)...),
		"lists of lists":      withStore("<< /VRI << "+lists.String()+" >> >>", "["+strings.Repeat("1 0 R ", maxStoreValues)+"]"),
	} {
		t.Run(name, func(t *testing.T) {
			s, err := mustOpen(t, file).SecurityStore()
			var damage *DamagedError
			if !errors.As(err, &damage) || s != nil {
				t.Errorf("store %v, error %v", s != nil, err)
			}
		})
	}
}

// TestStoreReadError: an error of the file is no damage.
func TestStoreReadError(t *testing.T) {
	file := withStore("<< /Certs [4 0 R] >>", data("", "x"))
	d := mustOpen(t, file)
	broken := errors.New("broken disk")
	d.src.ReaderAt = failing{broken}
	if _, err := d.SecurityStore(); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

type failing struct{ err error }

func (f failing) ReadAt(b []byte, _ int64) (int, error) { return iotest.ErrReader(f.err).Read(b) }

// TestStoreOfRevision: bytes that came later are not in an earlier store, though they
// stand under the same numbers.
func TestStoreOfRevision(t *testing.T) {
	file := signed(t, withStore("<< /Certs [4 0 R] >>", data("", "one")))
	file = appendUpdate(t, file, obj(4, data("", "two")))
	d := mustOpen(t, file)
	for revision, want := range []string{"one", "one", "two"} {
		s, err := d.SecurityStoreOf(revision)
		if err != nil || len(s.Certificates) != 1 || string(s.Certificates[0]) != want {
			t.Errorf("revision %d: %+v, %v; want %q", revision, s, err, want)
		}
	}
	if s := storeOf(t, d); string(s.Certificates[0]) != "two" {
		t.Errorf("newest: %s", s.Certificates)
	}
	// An older section that points into bytes of a later revision.
	later := appendUpdate(t, withStore("<< /Certs [4 0 R] >>", "null"), obj(4, data("", "two")))
	at := bytes.LastIndex(later, []byte("4 0 obj"))
	old := bytes.Index(later, []byte("4 0 obj"))
	later = bytes.Replace(later, fmt.Appendf(nil, "%010d 00000 n \n", old), fmt.Appendf(nil, "%010d 00000 n \n", at), 1)
	if s, err := mustOpen(t, later).SecurityStoreOf(0); err != nil || len(s.Certificates) != 0 || s.Unreadable != 1 {
		t.Errorf("the first revision has bytes of the second: %+v, %v", s, err)
	}
}

// TestStoreLengthOfRevision: a stream that another object gives the length of is as
// long in each revision as that says there.
func TestStoreLengthOfRevision(t *testing.T) {
	file := withStore("<< /Certs [4 0 R] >>", "<< /Length 5 0 R >>\nstream\none endstream endobj\nendstream", "3")
	file = appendUpdate(t, file, obj(5, fmt.Sprint(len("one endstream endobj"))))
	for _, order := range [][]int{{0, 1, 0}, {1, 0, 1}} {
		d := mustOpen(t, file)
		for _, revision := range order {
			s, err := d.SecurityStoreOf(revision)
			if want := []string{"one", "one endstream endobj"}[revision]; err != nil || fmt.Sprintf("%s", s.Certificates) != "["+want+"]" {
				t.Errorf("revision %d: %s, %v", revision, s.Certificates, err)
			}
		}
	}
}

// TestCoversSignature: only what covers a revision covers others.
func TestCoversSignature(t *testing.T) {
	at := func(revision int) *Signature { return &Signature{Revision: revision} }
	for _, tt := range []struct {
		later, earlier int
		want           bool
	}{{2, 1, true}, {1, 2, false}, {1, 1, false}, {-1, 0, false}, {1, -1, false}, {-1, -1, false}} {
		if got := at(tt.later).CoversSignature(at(tt.earlier)); got != tt.want {
			t.Errorf("revision %d covers %d: %v", tt.later, tt.earlier, got)
		}
	}
}

// TestCorpusStores reads the stores of real signing programs, and adds to them.
func TestCorpusStores(t *testing.T) {
	found, named := 0, 0
	for _, row := range corpus(t) {
		t.Run(filepath.Base(row.path), func(t *testing.T) {
			file, err := os.ReadFile(row.path)
			if err != nil {
				t.Fatal(err)
			}
			d, err := Open(bytes.NewReader(file), int64(len(file)))
			if err != nil || d.locked() != nil {
				return // TestCorpusFacts knows why
			}
			s, err := d.SecurityStore()
			if err != nil {
				t.Fatal(err)
			}
			if s == nil {
				return
			}
			found++
			if s.Unreadable > 0 {
				t.Errorf("%d values of %s cannot be read", s.Unreadable, counted(s.ValidationData))
			}
			for _, sig := range signatures(t, file) {
				if _, ok := s.Of(sig); ok {
					named++
				}
			}
			o := ExtendOptions{ValidationData: cms.ValidationData{CRLs: [][]byte{{0x30, 0}}}}
			after, err := extendBytes(file, o)
			if err != nil {
				t.Skipf("refused: %v", err)
			}
			more := storeOf(t, mustOpen(t, after))
			if len(more.CRLs) != len(s.CRLs)+1 || len(more.Certificates) != len(s.Certificates) || len(more.VRI) != len(s.VRI) {
				t.Errorf("%s became %s", counted(s.ValidationData), counted(more.ValidationData))
			}
		})
	}
	if found == 0 || named == 0 {
		t.Errorf("%d stores, which name %d signatures", found, named)
	}
}

// storeSeeds are files with stores of every shape.
func storeSeeds(f *testing.F) {
	f.Helper()
	key := strings.Repeat("AB", 20)
	one := data("", "one")
	f.Add(withStore("<< /Certs [4 0 R] /VRI << /"+key+" << /Cert [4 0 R] /TU (D:20260101000000Z) /TS 4 0 R >> >> >>", one))
	f.Add(withStore("4 0 R", "<< /Certs 5 0 R /CRLs 5 0 R /VRI 6 0 R >>", "[7 0 R 7 0 R]", "<< /"+key+" 4 0 R >>", one))
	f.Add(withStore("<< /OCSPs [4 0 R] >>", data("/Filter /FlateDecode", deflate([]byte("two")))))
	once := signed(f, documents.Plain())
	o := ExtendOptions{VRI: map[string]cms.ValidationData{onlySignature(f, once).VRIKey(): {Certificates: [][]byte{{0x30, 0}}}}}
	for _, doc := range documents.All() {
		f.Add(mustExtend(f, doc.PDF, o))
	}
	f.Add(mustExtend(f, once, o))
}

// FuzzSecurityStore: whatever stands in the file, reading ends with a store or an
// error of ours, and what can be extended has afterwards what it had and the new
// values, in a revision of its own. The earlier revisions keep their stores.
func FuzzSecurityStore(f *testing.F) {
	storeSeeds(f)
	value, key := []byte{0x30, 3, 2, 1, 42}, strings.Repeat("CD", 20)
	f.Fuzz(func(t *testing.T, file []byte) {
		d, err := Open(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			return
		}
		before, err := d.SecurityStore()
		if err != nil && !unreadable(err) {
			t.Fatalf("reading: %v", err)
		}
		after, extendErr := extendBytes(file, ExtendOptions{VRI: map[string]cms.ValidationData{key: {OCSP: [][]byte{value}}}, VRITime: now})
		if extendErr != nil {
			return
		}
		if err != nil {
			t.Fatalf("extended, though it could not be read: %v", err)
		}
		if before == nil {
			before = &SecurityStore{}
		}
		d = mustOpen(t, after)
		got := storeOf(t, d)
		if !contains(got.OCSP, value) || !contains(got.VRI[key].OCSP, value) {
			t.Fatalf("the new value is not there: %+v", got)
		}
		for _, list := range [][2][][]byte{{before.Certificates, got.Certificates}, {before.CRLs, got.CRLs}, {before.OCSP, got.OCSP}} {
			for _, v := range list[0] {
				if !contains(list[1], v) {
					t.Fatalf("a value is lost: %x", v)
				}
			}
		}
		if n := len(d.Revisions()); n < 2 {
			t.Fatalf("%d revisions", n)
		}
		earlier, err := d.SecurityStoreOf(len(d.Revisions()) - 2)
		if err == nil && earlier != nil && len(after) > len(file) && contains(earlier.VRI[key].OCSP, value) && !contains(before.VRI[key].OCSP, value) {
			t.Fatal("the new value is in the old revision")
		}
	})
}

func contains(list [][]byte, value []byte) bool {
	return slices.ContainsFunc(list, func(v []byte) bool { return bytes.Equal(v, value) })
}

// FuzzTimestamp: what is not refused gets a document timestamp of the whole file, and
// everything that was added since is allowed.
func FuzzTimestamp(f *testing.F) {
	seeds(f)
	o := options(f, pki.SignerP256)
	f.Fuzz(func(t *testing.T, file []byte) {
		after, err := extendBytes(file, ExtendOptions{Stamp: o.Signer.SignDigest, Room: 8 << 10})
		if err != nil {
			return
		}
		before, err := mustOpen(t, file).Signatures()
		if err != nil {
			t.Fatalf("extended, but its signatures could not be read before: %v", err)
		}
		list := signatures(t, after)
		if len(list) != len(before)+1 {
			t.Fatalf("%d signatures after %d", len(list), len(before))
		}
		if !slices.ContainsFunc(list, func(s *Signature) bool {
			return s.Type == "DocTimeStamp" && s.Covers == CoversWholeFile && checkCMS(s) == nil
		}) {
			t.Fatal("no timestamp of the whole file")
		}
	})
}
