// SPDX-License-Identifier: Apache-2.0

package sign_test

import (
	"bytes"
	"encoding/asn1"
	"encoding/base64"
	"math/rand/v2"
	"os"
	"regexp"
	"slices"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
	"github.com/pectoken/pectoken/verify/revocation"
)

// zone is a stretch of a file, from its first octet to the one after its last.
type zone struct{ from, to int }

func (z zone) has(i int) bool { return z.from <= i && i < z.to }

func anyHas(list []zone, i int) bool {
	return slices.ContainsFunc(list, func(z zone) bool { return z.has(i) })
}

// sweep is a file in which every bit counts but those of the zones that nobody covers.
type sweep struct {
	file, content []byte
	signed        []zone // content, signed attributes and signature: no bit of these in a valid file
	free          []zone // what nothing covers, and no verdict can tell
	tail          zone   // the PDF's last value in hexadecimal, in which a digit may change its case
	valid         func(r *report.Report) (at time.Time, level string, ok bool)
}

// flips are how many bits of a file are changed, without PECTOKEN_SWEEP=complete in the
// environment, which changes one in every octet.
const flips = 150

// TestFlippedBits: no bit of what is covered can be changed and the file stay as good as
// it was.
func TestFlippedBits(t *testing.T) {
	w := newWorld(t)
	w.server.Configure(func(c *authority.Config) { c.TSA.Signer = w.people.Must(t, pki.TSAP256) })
	for name, s := range map[string]*sweep{
		"CAdES": w.sweepCAdES(t, false), "CAdES, detached": w.sweepCAdES(t, true), "PAdES": w.sweepPAdES(t),
		"tsd": w.sweepStamped(t, timestamp.TSD), "m7m": w.sweepStamped(t, timestamp.M7M),
	} {
		t.Run(name, func(t *testing.T) {
			o := verify.Options{Now: w.now.Add(time.Hour), Trust: w.trust(t), Revocation: &revocation.Checker{Given: w.given(t)}}
			if s.content != nil {
				o.Content = section(s.content)
			}
			s.run(t, o)
		})
	}
}

func (s *sweep) run(t *testing.T, o verify.Options) {
	judge := func(file []byte) (time.Time, string, bool) {
		r, err := verify.File(t.Context(), section(file), o)
		if err != nil {
			t.Fatal(err)
		}
		return s.valid(r)
	}
	at, level, ok := judge(s.file)
	if !ok {
		t.Fatal("the file is not valid as it is")
	}
	random := rand.New(rand.NewPCG(1, 2))
	tried, stayed, lower, missed := 0, 0, 0, 0
	step := max(1, len(s.file)/flips)
	if os.Getenv("PECTOKEN_SWEEP") == "complete" {
		step = 1
	}
	for start := 0; start < len(s.file); start += step {
		i, bit := min(start+random.IntN(step), len(s.file)-1), byte(1)<<random.IntN(8)
		flipped := bytes.Clone(s.file)
		flipped[i] ^= bit
		gotAt, gotLevel, ok := judge(flipped)
		tried++
		switch {
		case !ok:
		case anyHas(s.signed, i):
			t.Errorf("octet %d, bit %#x, is signed, and the file is valid", i, bit)
		case gotLevel == level && gotAt.Equal(at) && !s.harmless(flipped, i):
			t.Errorf("octet %d, bit %#x, is covered, and the file is as good as before", i, bit)
			if missed++; missed == 20 {
				t.Fatal("and so on")
			}
		case gotLevel == level && gotAt.Equal(at):
			stayed++
		default:
			lower++
		}
	}
	t.Logf("%d octets: of %d flips %d are found, %d more leave the signature valid at a lower level or later, %d are of what nothing covers",
		len(s.file), tried, tried-stayed-lower, lower, stayed)
}

// given are the revocation lists of the authorities.
func (w *world) given(t *testing.T) (given revocation.Evidence) {
	t.Helper()
	for _, name := range w.lists(t) {
		der, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		list, err := revocation.ParseCRL(der)
		if err != nil {
			t.Fatal(err)
		}
		given.CRLs = append(given.CRLs, list)
	}
	return given
}

// harmless says whether nothing covers a change.
func (s *sweep) harmless(flipped []byte, i int) bool {
	digits := s.tail.has(i) && bytes.EqualFold(flipped[i:i+1], s.file[i:i+1])
	return digits || anyHas(s.free, i) || sameBase64(line(s.file, i), line(flipped, i))
}

// line is the one around an octet.
func line(file []byte, i int) []byte {
	from, to := bytes.LastIndexByte(file[:i], '\n')+1, bytes.IndexByte(file[i:], '\n')
	if to < 0 {
		return file[from:]
	}
	return file[from : i+to]
}

// sameBase64 says whether two lines of base64 are of the same octets: the last digit
// before the padding has bits that are of none.
func sameBase64(a, b []byte) bool {
	a, b = bytes.TrimRight(a, "\r\n"), bytes.TrimRight(b, "\r\n")
	before, err := base64.StdEncoding.DecodeString(string(a))
	after, failed := base64.StdEncoding.DecodeString(string(b))
	return base64Line.Match(a) && err == nil && failed == nil && bytes.Equal(before, after)
}

// firstSignature is the verdict of a file of one signature.
func firstSignature(r *report.Report) (time.Time, string, bool) {
	if len(r.Signatures) != 1 || r.Signatures[0].Verdict != report.Valid {
		return time.Time{}, "", false
	}
	return r.Signatures[0].BestTime.Time, r.Signatures[0].Level, true
}

// lasting signs and archives an hour later, so that the time stamps have times of their own.
func (w *world) archived(t *testing.T, document []byte, o sign.Options) []byte {
	t.Helper()
	id := w.people.Must(t, pki.SignerP256)
	o.Signer = cms.Signer{Key: id.Key, Certificate: id.Certificate, Chain: id.Chain}
	file := signed(t, document, o)
	w.sleep(time.Hour)
	later := w.options(t, sign.LevelLTA)
	var content []byte
	if o.Detached {
		content = document
	}
	return extended(t, file, content, later)
}

func (w *world) sweepCAdES(t *testing.T, detached bool) *sweep {
	document := []byte("un atto di due righe\n")
	o := w.options(t, sign.LevelT)
	o.Detached = detached
	s := &sweep{file: w.archived(t, document, o), valid: firstSignature}
	if detached {
		s.content = document
	} else {
		s.signed = append(s.signed, find(t, s.file, document))
	}
	sd, err := cms.Read(bytes.NewReader(s.file), cms.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	info := sd.Signers[0]
	s.signed = append(s.signed, find(t, s.file, info.Signature))
	for _, a := range info.SignedAttributes {
		s.signed = append(s.signed, find(t, s.file, a.Raw))
	}
	stamps := info.Timestamps()
	last := find(t, s.file, stamps[len(stamps)-1].Token)
	s.free = append(unsignedFields(t, s.file)[:2], shifted(unsignedFields(t, s.file[last.from:last.to]), last.from)...)
	return s
}

func find(t *testing.T, file, part []byte) zone {
	t.Helper()
	if bytes.Count(file, part) != 1 {
		t.Fatalf("%d octets stand in the file %d times", len(part), bytes.Count(file, part))
	}
	at := bytes.Index(file, part)
	return zone{at, at + len(part)}
}

func shifted(list []zone, by int) (moved []zone) {
	for _, z := range list {
		moved = append(moved, zone{z.from + by, z.to + by})
	}
	return moved
}

// unsignedFields are those of a SignedData that no signature covers: version,
// digestAlgorithms and certificates. Who signed is known by the digest of the certificate
// that is signed, wherever it is found, and whether by an archive timestamp the last of
// them is covered.
func unsignedFields(t *testing.T, file []byte) []zone {
	t.Helper()
	explicit := parts(t, file, zone{0, len(file)})[1]
	fields := parts(t, file, parts(t, file, explicit)[0])
	return []zone{fields[0], fields[1], fields[3]}
}

// parts are the values of a constructed one in DER.
func parts(t *testing.T, file []byte, whole zone) (list []zone) {
	t.Helper()
	var outer asn1.RawValue
	if _, err := asn1.Unmarshal(file[whole.from:whole.to], &outer); err != nil {
		t.Fatal(err)
	}
	from := whole.from + len(outer.FullBytes) - len(outer.Bytes)
	for rest := outer.Bytes; len(rest) > 0; {
		var part asn1.RawValue
		var err error
		if rest, err = asn1.Unmarshal(rest, &part); err != nil {
			t.Fatal(err)
		}
		list = append(list, zone{from, from + len(part.FullBytes)})
		from += len(part.FullBytes)
	}
	return list
}

func (w *world) sweepPAdES(t *testing.T) *sweep {
	o := w.options(t, sign.LevelT)
	o.Format = sign.PAdES
	s := &sweep{file: w.archived(t, documents.Plain(), o), valid: firstSignature}
	doc, err := pdf.Open(bytes.NewReader(s.file), int64(len(s.file)))
	if err != nil {
		t.Fatal(err)
	}
	list, err := doc.Signatures()
	if err != nil {
		t.Fatal(err)
	}
	s.signed = []zone{{0, int(list[0].ByteRange[1])}}
	last := list[len(list)-1]
	s.tail = zone{int(last.ByteRange[1]), int(last.ByteRange[2])}
	digits := s.tail.from + len("<")
	s.free = []zone{{digits + 2*len(last.Contents), s.tail.to}} // the padding
	for _, z := range unsignedFields(t, last.Contents) {
		s.free = append(s.free, zone{digits + 2*z.from, digits + 2*z.to})
	}
	return s
}

// sweepStamped puts a document into a .tsd, or a signature into a .m7m.
func (w *world) sweepStamped(t *testing.T, as timestamp.Format) *sweep {
	client := w.options(t, sign.LevelT).Stamper.(*timestamp.Client)
	document := []byte("un atto di due righe\n")
	if as == timestamp.M7M {
		o := w.options(t, sign.LevelB)
		document = signed(t, document, o)
	}
	token, err := client.Stamp(t.Context(), digestsOf(t, client, document))
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if as == timestamp.M7M {
		err = timestamp.WriteM7M(&out, section(document), "atto.p7m", token)
	} else {
		err = timestamp.WriteTSD(&out, bytes.NewReader(document), int64(len(document)), nil, timestamp.Evidence{Token: token})
	}
	if err != nil {
		t.Fatal(err)
	}
	s := &sweep{file: out.Bytes(), valid: provenTime}
	if as == timestamp.M7M {
		s.free = around(s.file)
	}
	return s
}

// provenTime is what the time stamp of a container proves; what is inside a .m7m is not
// looked at where it is.
func provenTime(r *report.Report) (time.Time, string, bool) {
	if r.BestTime == nil {
		return time.Time{}, "", false
	}
	return r.BestTime.Time, "", true
}

// around are the parts of a MIME message that are neither the document nor the time stamp:
// lines with anything but base64 in them, and the ends of the others.
func around(file []byte) (list []zone) {
	at := 0
	for line := range bytes.Lines(file) {
		end := at + len(line)
		if text := bytes.TrimRight(line, "\r\n"); base64Line.Match(text) {
			list = append(list, zone{at + len(text), end})
		} else {
			list = append(list, zone{at, end})
		}
		at = end
	}
	return list
}

var base64Line = regexp.MustCompile(`^[A-Za-z0-9+/]{8,}={0,2}$`)

func digestsOf(t *testing.T, client *timestamp.Client, document []byte) timestamp.Digests {
	t.Helper()
	digests, err := client.Digest(bytes.NewReader(document))
	if err != nil {
		t.Fatal(err)
	}
	return digests
}
