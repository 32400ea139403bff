// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
)

// dataKeys are the entries that hold [cms.ValidationData].
type dataKeys [3]name

// valueLists returns the three lists, in the order of [dataKeys].
func valueLists(v *cms.ValidationData) [3]*[][]byte {
	return [3]*[][]byte{&v.Certificates, &v.CRLs, &v.OCSP}
}

// In the store as a whole and in what it holds of one signature the entries have
// different names: ISO 32000-2, tables 261 and 262.
var (
	storeKeys = dataKeys{"Certs", "CRLs", "OCSPs"}
	vriKeys   = dataKeys{"Cert", "CRL", "OCSP"}
)

// SecurityStore is the document security store (/DSS) of one state of a document,
// ISO 32000-2, 12.8.4.3 and ETSI EN 319 142-1, 5.4.2. Whoever updated the file last
// put it there: the values are as found, whatever they are, and prove nothing but
// what their own signatures do.
type SecurityStore struct {
	cms.ValidationData
	// VRI is what the store says is for one signature, by keys as found. The values
	// should be among those of the whole store. See [SecurityStore.Of].
	VRI map[string]VRI
	// Unreadable counts what is listed and is no stream that can be decoded.
	Unreadable int
}

// VRI is validation related information: the values that someone used to validate
// one signature (ISO 32000-2, table 262).
type VRI struct {
	cms.ValidationData
	Time      time.Time // /TU: when it was put together, as the writer's clock said; zero when absent
	Timestamp []byte    // /TS: a TimeStampToken that says so; unproven
}

// Of returns what the store says is for s. The standards leave open what octets of
// /Contents the key is a digest of; all readings that writers have are tried.
func (s *SecurityStore) Of(sig *Signature) (VRI, bool) {
	for _, octets := range [][]byte{sig.octets, sig.Contents, hex.AppendEncode(nil, sig.octets)} {
		if v, ok := s.VRI[vriKey(octets)]; ok {
			return v, true
		}
	}
	return VRI{}, false
}

// VRIKey names the signature in a [SecurityStore]: the SHA-1 digest, in upper-case
// hexadecimal digits, of all octets of /Contents, the padding included, as Acrobat
// and DSS have it (EN 319 142-1, 5.4.2.3). It only tells signatures apart.
func (sig *Signature) VRIKey() string { return vriKey(sig.octets) }

func vriKey(octets []byte) string {
	return fmt.Sprintf("%X", sha1.Sum(octets))
}

// Limits of the security stores of one document.
const (
	maxStored      = 64 << 20 // bytes of all values
	maxStoreValues = 10_000   // in one list
)

// SecurityStore returns the store of the newest revision, nil when there is none.
// The error is a *DamagedError when it cannot be reached or is past the limits, or an
// *EncryptedError.
func (d *Document) SecurityStore() (*SecurityStore, error) { return d.readStore(nil) }

// SecurityStoreOf returns the store as it was at the end of a revision, by its index
// in [Document.Revisions]; nil when there was none. For a document timestamp with a
// Revision, all of what SecurityStoreOf(Revision) returns is in the bytes that it
// covers, and nothing else of the stores is.
func (d *Document) SecurityStoreOf(revision int) (*SecurityStore, error) {
	if revision < 0 || revision >= len(d.revisions) {
		return nil, fmt.Errorf("reading security store: no revision %d, the document has %d", revision, len(d.revisions))
	}
	return d.at(d.revisions[revision]).readStore(nil)
}

// CoversSignature reports whether all of other, its value included, is in the bytes
// that sig covers. Both must cover a revision. It is for a timestamp to tell what it
// proves the existence of.
func (sig *Signature) CoversSignature(other *Signature) bool {
	return other.Revision >= 0 && other.Revision < sig.Revision
}

// stored is the data of a stream that a store lists.
type stored struct {
	data []byte // nil when it cannot be decoded
	end  int64  // of the stream in the file
	bad  bool   // others may not be able to decode it
}

// storeReader reads one store.
type storeReader struct {
	*Document
	*SecurityStore
	found func(at ref, value []byte) // told of every value; nil for nobody
}

// readStore reads the store of this view.
func (d *Document) readStore(found func(ref, []byte)) (*SecurityStore, error) {
	if err := d.locked(); err != nil {
		return nil, fmt.Errorf("reading security store: %w", err)
	}
	root, _, err := d.catalog()
	if err != nil {
		return nil, err
	}
	held, err := as[*dict](d, root.get("DSS"))
	if err != nil || held == nil {
		return nil, err
	}
	r := &storeReader{d, &SecurityStore{VRI: map[string]VRI{}}, found}
	if r.ValidationData, err = r.values(held, storeKeys); err != nil {
		return nil, err
	}
	if err := r.readVRI(held.get("VRI")); err != nil {
		return nil, err
	}
	return r.SecurityStore, nil
}

// skip counts what cannot be read, and returns what must end the reading: errors of
// the file itself, and too much of everything.
func (r *storeReader) skip(err error) error {
	if hard(err) != nil || r.exhausted != nil {
		return err
	}
	r.Unreadable++
	return nil
}

// values reads the three lists of a dictionary.
func (r *storeReader) values(held *dict, keys dataKeys) (v cms.ValidationData, err error) {
	for i, into := range valueLists(&v) {
		if *into, err = r.list(held.get(keys[i])); err != nil {
			return v, err
		}
	}
	return v, nil
}

// list reads the streams of an array, each once.
func (r *storeReader) list(o object) ([][]byte, error) {
	items, err := as[*array](r.Document, o)
	switch {
	case err != nil:
		return nil, r.skip(err)
	case items == nil && o != nil:
		r.Unreadable++
		return nil, nil
	case items == nil:
		return nil, nil
	case len(items.items) > maxStoreValues:
		return nil, damaged(items.start, "a security store with a list of more than %d values", maxStoreValues)
	}
	var list [][]byte
	if err := r.spend(int64(len(items.items))); err != nil {
		return nil, err
	}
	seen := map[ref]bool{}
	for _, item := range items.items {
		at, ok := item.(ref)
		if ok && seen[at] {
			continue
		}
		seen[at] = true
		value, err := r.value(item)
		if err != nil {
			return nil, err
		}
		if value != nil {
			list = append(list, value)
		}
	}
	return list, nil
}

// value returns the data of the stream that o refers to; nil when there is none.
func (r *storeReader) value(o object) ([]byte, error) {
	if err := r.spend(fieldEffort); err != nil {
		return nil, err
	}
	at, ok := o.(ref)
	if !ok {
		r.Unreadable++
		return nil, nil
	}
	held, err := r.object(at)
	if err != nil {
		return nil, r.skip(err)
	}
	stream := dictOf(held)
	if stream == nil || stream.data == 0 {
		r.Unreadable++
		return nil, nil
	}
	s, err := r.load(at, held, stream)
	switch {
	case err != nil:
		return nil, err
	case s.data == nil || s.end > r.limit:
		r.Unreadable++
		return nil, nil
	}
	if r.found != nil && !s.bad {
		r.found(at, s.data)
	}
	return s.data, nil
}

// storedAt is where the data of a stream come from. What says how to decode them can
// be another object, and other in every view.
type storedAt struct {
	home int64 // absolute offset
	view int   // its first section; -1 when the stream says all of itself
}

// storedKey tells where the data of a stream come from.
func (d *Document) storedKey(held *indirect, stream *dict) storedAt {
	for _, key := range []name{"Length", "Filter", "DecodeParms"} {
		if refers(stream.get(key)) {
			return storedAt{held.home, d.first}
		}
	}
	return storedAt{held.home, -1}
}

// refers reports whether there is a reference in o. The parser has bounded the depth.
func refers(o object) bool {
	switch o := o.(type) {
	case ref:
		return true
	case *array:
		return slices.ContainsFunc(o.items, refers)
	case *dict:
		return slices.ContainsFunc(o.entries, func(e entry) bool { return refers(e.value) })
	}
	return false
}

// load returns the data of a stream, which several revisions and lists can have in
// common. Compressed data without their checksum, as real programs write them, are
// taken when they are one value: what they hold is signed in itself.
func (r *storeReader) load(at ref, held *indirect, stream *dict) (stored, error) {
	key := r.storedKey(held, stream)
	if s, ok := r.stored[key]; ok {
		return s, nil
	}
	data, end, err := r.contentOf(at, stream)
	if err != nil && (hard(err) != nil || r.exhausted != nil || r.inflated > maxInflatedTotal) {
		return stored{}, err
	}
	s := stored{data, end, err != nil}
	if n, ok := berLen(data); s.bad && (!ok || n != len(data)) {
		s.data = nil
	}
	if r.storedBytes += int64(len(s.data)); r.storedBytes > maxStored {
		return stored{}, damaged(stream.start, "more than %d bytes of validation data", maxStored)
	}
	r.stored[key] = s
	return s, nil
}

// readVRI reads what the store has of single signatures.
func (r *storeReader) readVRI(o object) error {
	entries, err := as[*dict](r.Document, o)
	switch {
	case err != nil:
		return r.skip(err)
	case entries == nil && o != nil:
		r.Unreadable++
	case len(entries.all()) > maxStoreValues:
		return damaged(entries.start, "a security store with more than %d signatures", maxStoreValues)
	}
	for _, e := range entries.all() {
		if e.key == "Type" {
			continue
		}
		if err := r.readEntry(e); err != nil {
			return err
		}
	}
	return nil
}

// readEntry reads what the store has of one signature.
func (r *storeReader) readEntry(e entry) error {
	if err := r.spend(fieldEffort); err != nil {
		return err
	}
	held, err := as[*dict](r.Document, e.value)
	switch {
	case err != nil:
		return r.skip(err)
	case held == nil:
		r.Unreadable++
		return nil
	}
	r.VRI[string(e.key)], err = r.entry(held)
	return err
}

func (r *storeReader) entry(held *dict) (v VRI, err error) {
	if v.ValidationData, err = r.values(held, vriKeys); err != nil {
		return v, err
	}
	date, err := r.plainString(held.get("TU"))
	if err != nil {
		if err := r.skip(err); err != nil {
			return v, err
		}
	}
	v.Time = decodeDate(date)
	if ts := held.get("TS"); ts != nil {
		v.Timestamp, err = r.value(ts)
		return v, err
	}
	return v, nil
}
