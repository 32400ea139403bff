// SPDX-License-Identifier: Apache-2.0

package timestamp_test

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

var sha256Only = []crypto.Hash{crypto.SHA256}

// tsd makes a .tsd of the document with so many tokens, each by the package itself.
func tsd(t testing.TB, m *timestamp.MetaData, tokens int) []byte {
	t.Helper()
	digests, err := timestamp.StampingDigests(sha256Only, bytes.NewReader(document), m)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	first := timestamp.Evidence{Token: parse(t, newStamper(t).token(crypto.SHA256, digests[crypto.SHA256], nil))}
	if err := timestamp.WriteTSD(&out, bytes.NewReader(document), int64(len(document)), m, first); err != nil {
		t.Fatal(err)
	}
	for range tokens - 1 {
		out = *bytes.NewBuffer(extend(t, out.Bytes()))
	}
	return out.Bytes()
}

// extend adds a token to the chain of a .tsd, with a CRL beside it.
func extend(t testing.TB, file []byte) []byte {
	t.Helper()
	c := readContainer(t, file, nil)
	digests, err := c.ChainDigests(sha256Only)
	if err != nil {
		t.Fatal(err)
	}
	crl, err := testPKI.CRL(pki.QualifiedCA)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	next := timestamp.Evidence{Token: parse(t, newStamper(t).token(crypto.SHA256, digests[crypto.SHA256], nil)), CRL: crl}
	if err := timestamp.AppendTSD(&out, bytes.NewReader(file), int64(len(file)), c, next); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func readContainer(t testing.TB, file []byte, content io.Writer) *timestamp.Container {
	t.Helper()
	c, err := timestamp.Read(bytes.NewReader(file), timestamp.ReadOptions{Content: content})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// good tells whether every token of a container is good and where it belongs.
func good(c *timestamp.Container) bool {
	for n, e := range c.Evidence {
		if e.Err != nil || e.Token.Check().Err() != nil || c.Link(n) != timestamp.Linked {
			return false
		}
	}
	return len(c.Evidence) > 0
}

// TestTSD writes and reads chains of three tokens, with every kind of metadata.
func TestTSD(t *testing.T) {
	for name, m := range map[string]*timestamp.MetaData{
		"no metadata": nil, "none in it": {},
		"named":     {FileName: "però.pdf", MediaType: "application/pdf"},
		"protected": {HashProtected: true, FileName: "a.p7m", MediaType: "application/pkcs7-mime", Other: []byte{0x31, 0}},
	} {
		file := tsd(t, m, 3)
		var content bytes.Buffer
		c := readContainer(t, file, &content)
		if !good(c) || len(c.Evidence) != 3 || !bytes.Equal(content.Bytes(), document) || !c.Attached || c.BER || c.Trailing != 0 {
			t.Errorf("%s: %+v, content %q", name, c, content.Bytes())
		}
		if (m == nil) != (c.MetaData == nil) || m != nil && (c.MetaData.FileName != m.FileName || c.MetaData.MediaType != m.MediaType || c.MetaData.HashProtected != m.HashProtected) {
			t.Errorf("%s: metadata %+v", name, c.MetaData)
		}
		if c.Evidence[0].CRL != nil || c.Evidence[2].CRL == nil {
			t.Errorf("%s: the CRLs are lost", name)
		}
		if covers, _ := c.Evidence[0].Token.Covers(bytes.NewReader(document)); covers == (m != nil && m.HashProtected) {
			t.Errorf("%s: the first token is over the document alone: %v", name, covers)
		}
		if view := c.ContentAt(bytes.NewReader(file)); view == nil {
			t.Errorf("%s: no view of the content", name)
		} else if seen, err := io.ReadAll(view); err != nil || !bytes.Equal(seen, document) {
			t.Errorf("%s: seen in place: %q, %v", name, seen, err)
		}
	}
}

// TestChainRule has a token of each kind that must not count as one of the chain.
func TestChainRule(t *testing.T) {
	protected := &timestamp.MetaData{HashProtected: true, FileName: "a.txt"}
	for name, c := range map[string]struct {
		old, new string
		m        *timestamp.MetaData
	}{
		"the document changed":          {old: "documento", new: "dokumento"},
		"the protected name changed":    {m: protected, old: "a.txt", new: "b.txt"},
		"the protection was taken away": {m: protected, old: "\x01\x01\xff\x0c", new: "\x01\x01\x00\x0c"},
	} {
		file := bytes.Replace(tsd(t, c.m, 3), []byte(c.old), []byte(c.new), 1)
		found := readContainer(t, file, nil)
		if found.Link(0) != timestamp.Unlinked || found.Link(1) != timestamp.Linked || found.Link(2) != timestamp.Linked {
			t.Errorf("%s: links %v %v %v", name, found.Link(0), found.Link(1), found.Link(2))
		}
	}
	other := parse(t, newStamper(t).over([]byte("altro")))
	file := tsd(t, nil, 1)
	c := readContainer(t, file, nil)
	var out bytes.Buffer
	if err := timestamp.AppendTSD(&out, bytes.NewReader(file), int64(len(file)), c, timestamp.Evidence{Token: other}); !errors.Is(err, timestamp.ErrNotStamped) || out.Len() > 0 {
		t.Errorf("a token of something else is added: %v", err)
	}
	if err := timestamp.WriteTSD(io.Discard, bytes.NewReader(document), int64(len(document)), nil, timestamp.Evidence{Token: other}); !errors.Is(err, timestamp.ErrNotStamped) {
		t.Errorf("a token of something else is put to a document: %v", err)
	}
	for _, size := range []int64{int64(len(document)) - 1, int64(len(document)) + 1} {
		if err := timestamp.WriteTSD(io.Discard, bytes.NewReader(document), size, nil, c.Evidence[0]); !errors.Is(err, timestamp.ErrNotStamped) {
			t.Errorf("a document of another size is written: %v", err)
		}
	}
}

// TestAppendKeepsOctets adds tokens to files in every encoding: what was in them
// stays as it was.
func TestAppendKeepsOctets(t *testing.T) {
	plain := tsd(t, &timestamp.MetaData{FileName: "a.txt"}, 1)
	ber := inBER(t, plain)
	for name, file := range map[string][]byte{
		"DER": plain, "BER": ber,
		"base64": []byte(base64.StdEncoding.EncodeToString(plain)),
		"PEM":    pem.EncodeToMemory(&pem.Block{Type: "TIMESTAMPED DATA", Bytes: ber}),
	} {
		var content bytes.Buffer
		before := readContainer(t, file, &content)
		if !good(before) || !bytes.Equal(content.Bytes(), document) || before.BER != (name == "BER" || name == "PEM") {
			t.Errorf("%s: %+v", name, before)
		}
		longer := extend(t, extend(t, file))
		after := readContainer(t, longer, nil)
		if !good(after) || len(after.Evidence) != 3 || after.MetaData.FileName != "a.txt" {
			t.Errorf("%s: %+v", name, after)
		}
		if !bytes.Contains(longer, before.Evidence[0].Token.Raw) {
			t.Errorf("%s: the octets of the first token changed", name)
		}
	}
}

// inBER writes a .tsd of one token in indefinite lengths and segments.
func inBER(t testing.TB, file []byte) []byte {
	c := readContainer(t, file, nil)
	open := []byte{0x30, 0x80}
	parts := [][]byte{
		open, der(t, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 31}), {0xa0, 0x80}, open, {2, 1, 1},
		open, {1, 1, 0}, der(t, asn1.RawValue{Tag: asn1.TagUTF8String, Bytes: []byte("a.txt")}), {0, 0},
		{0x24, 0x80}, der(t, document[:5]), der(t, document[5:]), {0, 0},
		{0xa0, 0x80}, open, c.Evidence[0].Token.Raw, {0, 0}, {0, 0}, {0, 0}, {0, 0}, {0, 0},
	}
	return bytes.Join(parts, nil)
}

// TestDetachedTSD reads one that leaves the document outside.
func TestDetachedTSD(t *testing.T) {
	token := newStamper(t).over(document)
	entry := der(t, asn1.RawValue{Tag: 16, IsCompound: true, Bytes: token})
	body := bytes.Join([][]byte{{2, 1, 1}, der(t, asn1.RawValue{Tag: asn1.TagIA5String, Bytes: []byte("file:a.txt")}),
		der(t, asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: entry})}, nil)
	file := timestamped(t, body)
	c := readContainer(t, file, nil)
	if c.Attached || c.DataURI != "file:a.txt" || c.Link(0) != timestamp.LinkUnknown {
		t.Errorf("read %+v, link %v", c, c.Link(0))
	}
	if err := c.DigestContent(bytes.NewReader(document)); err != nil || c.Link(0) != timestamp.Linked {
		t.Errorf("link %v, %v", c.Link(0), err)
	}
	if err := c.DigestContent(strings.NewReader("altro")); err != nil || c.Link(0) != timestamp.Unlinked {
		t.Errorf("another document: link %v, %v", c.Link(0), err)
	}
}

// timestamped puts fields into a TimeStampedData.
func timestamped(t testing.TB, body []byte) []byte {
	data := der(t, asn1.RawValue{Tag: 16, IsCompound: true, Bytes: body})
	kind := der(t, asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 1, 31})
	return der(t, asn1.RawValue{Tag: 16, IsCompound: true, Bytes: slices.Concat(kind, der(t, asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: data}))})
}

// TestHostileTSD ends with an error, quickly and without taking memory.
func TestHostileTSD(t *testing.T) {
	file := tsd(t, &timestamp.MetaData{FileName: "a"}, 2)
	for n := range file {
		if c, err := timestamp.Read(bytes.NewReader(file[:n]), timestamp.ReadOptions{}); err == nil {
			t.Fatalf("cut after %d octets: %+v", n, c)
		}
	}
	evidence := func(contents []byte) []byte {
		return der(t, asn1.RawValue{Class: 2, Tag: 0, IsCompound: true, Bytes: contents})
	}
	long := bytes.Repeat([]byte("a"), 64<<10)
	huge := []byte{0x04, 0x88, 0x3f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	for name, body := range map[string][]byte{
		"version 2":          slices.Concat([]byte{2, 1, 2}, evidence([]byte{0x30, 0})),
		"no evidence":        {2, 1, 1},
		"an empty chain":     slices.Concat([]byte{2, 1, 1}, evidence(nil)),
		"too many tokens":    slices.Concat([]byte{2, 1, 1}, evidence(bytes.Repeat([]byte{0x30, 0}, 1001))),
		"a huge document":    slices.Concat([]byte{2, 1, 1}, huge),
		"fields in disorder": slices.Concat([]byte{2, 1, 1, 4, 0, 0x30, 3, 1, 1, 0}, evidence([]byte{0x30, 0})),
		"metadata of none":   slices.Concat([]byte{2, 1, 1, 0x30, 0}, evidence([]byte{0x30, 0})),
		"a name of no text":  slices.Concat([]byte{2, 1, 1, 0x30, 6, 1, 1, 0, 0x0c, 1, 0xff}, evidence([]byte{0x30, 0})),
		"a name too long":    slices.Concat([]byte{2, 1, 1}, der(t, asn1.RawValue{Tag: 16, IsCompound: true, Bytes: slices.Concat([]byte{1, 1, 0}, der(t, asn1.RawValue{Tag: 12, Bytes: long}))}), evidence([]byte{0x30, 0})),
		"a URI too long":     slices.Concat([]byte{2, 1, 1}, der(t, asn1.RawValue{Tag: 22, Bytes: long}), evidence([]byte{0x30, 0})),
		"nested segments":    slices.Concat([]byte{2, 1, 1}, bytes.Repeat([]byte{0x24, 0x80}, 100_000)),
	} {
		c, err := timestamp.Read(bytes.NewReader(timestamped(t, body)), timestamp.ReadOptions{})
		if err == nil || !known(err) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	broken := readContainer(t, timestamped(t, slices.Concat([]byte{2, 1, 1, 4, 0}, evidence([]byte{0x30, 2, 5, 0}))), nil)
	if broken.Evidence[0].Err == nil || broken.Link(0) != timestamp.LinkUnknown {
		t.Errorf("a token that is none: %+v", broken)
	}
	for name, in := range map[string][]byte{"nothing": nil, "text": []byte("hello"), "a token": newStamper(t).over(document)} {
		if _, err := timestamp.Read(bytes.NewReader(in), timestamp.ReadOptions{}); !errors.Is(err, timestamp.ErrNotContainer) {
			t.Errorf("%s: %v, want ErrNotContainer", name, err)
		}
	}
}

// TestMissingHashes reads once more with the digest that the token needs.
func TestMissingHashes(t *testing.T) {
	digests, err := timestamp.StampingDigests([]crypto.Hash{crypto.SHA512}, bytes.NewReader(document), nil)
	if err != nil {
		t.Fatal(err)
	}
	var file bytes.Buffer
	token := timestamp.Evidence{Token: parse(t, newStamper(t).token(crypto.SHA512, digests[crypto.SHA512], nil))}
	if err := timestamp.WriteTSD(&file, bytes.NewReader(document), int64(len(document)), nil, token); err != nil {
		t.Fatal(err)
	}
	c := readContainer(t, file.Bytes(), nil)
	missing := c.MissingHashes()
	if !slices.Equal(missing, []crypto.Hash{crypto.SHA512}) || c.Link(0) != timestamp.LinkUnknown {
		t.Fatalf("missing %v, link %v", missing, c.Link(0))
	}
	c, err = timestamp.Read(bytes.NewReader(file.Bytes()), timestamp.ReadOptions{Hashes: missing})
	if err != nil || len(c.MissingHashes()) > 0 || c.Link(0) != timestamp.Linked {
		t.Errorf("missing %v, link %v, %v", c.MissingHashes(), c.Link(0), err)
	}
}

func TestM7M(t *testing.T) {
	token := parse(t, newStamper(t).over(document))
	var file bytes.Buffer
	if err := timestamp.WriteM7M(&file, bytes.NewReader(document), "città \"1\".pdf.p7m", token); err != nil {
		t.Fatal(err)
	}
	var content bytes.Buffer
	c := readContainer(t, file.Bytes(), &content)
	if !good(c) || c.Format != timestamp.M7M || c.MetaData.FileName != "città \"1\".pdf.p7m" || c.MetaData.MediaType != "application/pkcs7-mime" || !bytes.Equal(content.Bytes(), document) {
		t.Errorf("read %+v %+v, content %q", c, c.MetaData, content.Bytes())
	}
	for _, line := range strings.Split(file.String(), "\r\n") {
		if len(line) > 998 || strings.ContainsAny(line, "\r\n") {
			t.Errorf("a line that is none: %.100q", line)
		}
	}
	other := parse(t, newStamper(t).over([]byte("altro")))
	if err := timestamp.WriteM7M(io.Discard, bytes.NewReader(document), "a.p7m", other); !errors.Is(err, timestamp.ErrNotStamped) {
		t.Errorf("a token of something else is put to a document: %v", err)
	}
	changed := bytes.Replace(file.Bytes(), []byte(base64.StdEncoding.EncodeToString(document)[:20]), []byte(base64.StdEncoding.EncodeToString([]byte("IL DOCUMENTO DA"))), 1)
	if c := readContainer(t, changed, nil); c.Link(0) != timestamp.Unlinked {
		t.Errorf("a changed document: link %v", c.Link(0))
	}
}

func TestNoToken(t *testing.T) {
	c := readContainer(t, tsd(t, nil, 1), nil)
	for name, err := range map[string]error{
		"WriteTSD":  timestamp.WriteTSD(io.Discard, bytes.NewReader(nil), 0, nil, timestamp.Evidence{}),
		"AppendTSD": timestamp.AppendTSD(io.Discard, bytes.NewReader(nil), 0, c, timestamp.Evidence{}),
	} {
		if err == nil || !strings.Contains(err.Error(), "Evidence.Token is not set") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestLenientM7M reads what other programs may write.
func TestLenientM7M(t *testing.T) {
	token := newStamper(t).over(document)
	reply := base64.StdEncoding.EncodeToString(response(t, 0, token))
	doc := base64.StdEncoding.EncodeToString(document)
	message := func(parts ...string) string {
		return "Content-Type: multipart/mixed;\n boundary=xx\n\n--xx\n" + strings.Join(parts, "\n--xx\n") + "\n--xx--\n"
	}
	const base64Part = "Content-Transfer-Encoding: BASE64\n"
	p7m, tsr := "Content-Type: application/x-pkcs7-mime\n"+base64Part+"\n"+doc, "Content-Type: application/timestamp-reply\n"+base64Part+"\n"+reply
	tst := "Content-Disposition: attachment; filename=a.TST\n" + base64Part + "\n" + base64.StdEncoding.EncodeToString(token)
	for name, in := range map[string]string{
		"as usual": message(p7m, tsr), "the stamp first": message(tsr, p7m), "a bare token, by its name": message(p7m, tst),
		"no encoding": message("Content-Type: application/octet-stream\n\n"+string(document), tsr),
		"CR LF":       strings.ReplaceAll(message(p7m, tsr), "\n", "\r\n"),
	} {
		if c, err := timestamp.Read(strings.NewReader(in), timestamp.ReadOptions{}); err != nil || !good(c) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	for name, in := range map[string]string{
		"two documents": message(p7m, p7m, tsr), "two stamps": message(p7m, tsr, tst), "no document": message(tsr), "not closed": strings.TrimSuffix(message(p7m, tsr), "\n--xx--\n"),
		"an unknown encoding": message("Content-Transfer-Encoding: uuencode\n\nx", tsr), "no boundary": "Content-Type: multipart/mixed\n\nx",
		"an encoding said twice": message("Content-Transfer-Encoding: 7bit\n"+p7m, tsr), "a type said twice": "Content-Type: text/plain\n" + message(p7m, tsr),
		"an endless header": "Content-Type: multipart/mixed; boundary=xx\n" + strings.Repeat("X: "+strings.Repeat("y", 1000)+"\n", 1000) + "\n",
	} {
		if c, err := timestamp.Read(strings.NewReader(in), timestamp.ReadOptions{}); err == nil || !known(err) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
	text := "Content-Type: text/plain\n\nciao"
	for name, in := range map[string]string{
		"an e-mail": message(text, p7m, "Content-Type: text/xml\n\n<a/>"), "a document": message(p7m), "cut before the stamp": strings.TrimSuffix(message(p7m), "--xx--\n"),
		"a part without a header": message("ciao", p7m),
	} {
		if c, err := timestamp.Read(strings.NewReader(in), timestamp.ReadOptions{}); !errors.Is(err, timestamp.ErrNotContainer) {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
	}
}

// TestBehindM7M: what stands behind the last boundary is not stamped.
func TestBehindM7M(t *testing.T) {
	token := parse(t, newStamper(t).over(document))
	var file bytes.Buffer
	if err := timestamp.WriteM7M(&file, bytes.NewReader(document), "a.p7m", token); err != nil {
		t.Fatal(err)
	}
	for behind, want := range map[string]int64{"": 0, "\r\n \t\n": 0, "\r\nabc d": 4, strings.Repeat("x", 1<<20): 1 << 20, "--a--\n": 5} {
		c := readContainer(t, []byte(file.String()+behind), nil)
		if !good(c) || c.Trailing != want {
			t.Errorf("%.20q behind it: %d octets", behind, c.Trailing)
		}
	}
}

func TestRecognize(t *testing.T) {
	token := newStamper(t).over(document)
	var m7m bytes.Buffer
	if err := timestamp.WriteM7M(&m7m, bytes.NewReader(document), "a.p7m", parse(t, token)); err != nil {
		t.Fatal(err)
	}
	text := func(b []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(b)) }
	for name, c := range map[string]struct {
		in   []byte
		want timestamp.Format
	}{
		"token": {token, timestamp.TST}, "response": {response(t, 0, token), timestamp.TSR}, "refusal": {response(t, 2, nil), timestamp.TSR},
		"tsd": {tsd(t, nil, 1), timestamp.TSD}, "tsd in BER": {inBER(t, tsd(t, nil, 1)), timestamp.TSD}, "tsd in base64": {text(tsd(t, nil, 2)), timestamp.TSD},
		"token in base64": {text(token), timestamp.TST}, "m7m": {m7m.Bytes(), timestamp.M7M},
		"text": {[]byte("Subject: multipart/mixed"), timestamp.Unknown}, "nothing": {nil, timestamp.Unknown},
		"a certificate": {testPKI.Must(t, pki.TSA).Certificate.Raw, timestamp.Unknown},
	} {
		if got := timestamp.Recognize(bytes.NewReader(c.in)); got != c.want {
			t.Errorf("%s is %v, want %v", name, got, c.want)
		}
	}
}

func TestReadToken(t *testing.T) {
	token := newStamper(t).over(document)
	for name, c := range map[string]struct {
		in   []byte
		want timestamp.Format
	}{
		"tst": {token, timestamp.TST}, "tsr": {response(t, 1, token), timestamp.TSR},
		"tsr in PEM": {pem.EncodeToMemory(&pem.Block{Type: "TIMESTAMP REPLY", Bytes: response(t, 0, token)}), timestamp.TSR},
	} {
		got, format, err := timestamp.ReadToken(bytes.NewReader(c.in))
		if err != nil || format != c.want || !bytes.Equal(got.Raw, token) {
			t.Errorf("%s: %v, %v", name, format, err)
		}
	}
	var status *timestamp.StatusError
	if _, _, err := timestamp.ReadToken(bytes.NewReader(response(t, 2, nil))); !errors.As(err, &status) {
		t.Errorf("a refusal: %v", err)
	}
	if _, _, err := timestamp.ReadToken(strings.NewReader("hello")); !errors.Is(err, timestamp.ErrNotToken) {
		t.Errorf("text: %v", err)
	}
}

// TestStreaming reads and writes a document that is larger than what is ever held.
func TestStreaming(t *testing.T) {
	const size = 64 << 20
	document := func() io.Reader { return io.LimitReader(neverending{}, size) }
	digests, err := timestamp.StampingDigests(sha256Only, document(), nil)
	if err != nil {
		t.Fatal(err)
	}
	first := timestamp.Evidence{Token: parse(t, newStamper(t).token(crypto.SHA256, digests[crypto.SHA256], nil))}
	r, w := io.Pipe()
	go func() { w.CloseWithError(timestamp.WriteTSD(w, document(), size, nil, first)) }()
	var c *timestamp.Container
	before := allocated()
	if c, err = timestamp.Read(r, timestamp.ReadOptions{}); err != nil {
		t.Fatal(err)
	}
	if grown := allocated() - before; grown > 8<<20 {
		t.Errorf("%d octets were allocated for a document of %d", grown, size)
	}
	if c.ContentSize != size || !good(c) {
		t.Errorf("read %+v", c)
	}
}

// allocated is how many octets were allocated so far.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
