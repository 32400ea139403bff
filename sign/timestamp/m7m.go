// SPDX-License-Identifier: Apache-2.0

package timestamp

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/textproto"
	"path"
	"regexp"
	"strings"
	"sync"
)

// mimeHeader is how a MIME message begins: with a header field.
var mimeHeader = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*:`) })

// mixed is the field that makes it one of several parts.
var mixed = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`(?im)^content-type:\s*multipart/`) })

func looksMIME(head []byte) bool { return mimeHeader().Match(head) && mixed().Match(head) }

// Limits on a MIME message, beside those of package mime/multipart.
const (
	maxMIMEHeader = 64 << 10
	maxParts      = 20
	maxPadding    = 256 // white space behind a boundary
)

// readM7M reads a MIME message with one document and one token. No specification
// of the format is public, so it is taken leniently: any multipart with a part that
// is a token by its media type or name, and one that is not. One in which no part is a
// token is an e-mail, or anything else.
func readM7M(r io.Reader, o ReadOptions) (*Container, error) {
	src, boundary, err := readHeader(r)
	if err != nil {
		return nil, malformed("MIME message", err)
	}
	c := &Container{Format: M7M}
	err = c.readParts(src, boundary, o)
	switch {
	case err != nil && len(c.Evidence) == 0:
		return nil, fmt.Errorf("%w: reading MIME message: %w", ErrNotContainer, err)
	case err != nil:
		return nil, malformed("MIME message", err)
	}
	return c, nil
}

// readHeader reads the header of the message, and returns what follows and what divides it.
func readHeader(r io.Reader) (src *bufio.Reader, boundary string, err error) {
	limited := &io.LimitedReader{R: r, N: maxMIMEHeader}
	src = bufio.NewReader(limited)
	header, err := textproto.NewReader(src).ReadMIMEHeader()
	if err != nil {
		return nil, "", err
	}
	limited.N = math.MaxInt64
	if err := unambiguous(header); err != nil {
		return nil, "", err
	}
	_, parameters, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err == nil && parameters["boundary"] == "" {
		err = errors.New("it has no boundary")
	}
	return src, parameters["boundary"], err
}

func (c *Container) readParts(src io.Reader, boundary string, o ReadOptions) error {
	behind := &epilogue{end: "--" + boundary + "--"}
	body := io.TeeReader(src, behind)
	parts := multipart.NewReader(body, boundary)
	var wrong error // the first thing; whether there is a time stamp is still to be seen
	for n := 0; ; n++ {
		part, err := parts.NextRawPart()
		switch {
		case err == io.EOF: // one that is wrapped says that the message is cut
			if _, err := io.Copy(io.Discard, body); err != nil {
				return err
			}
			c.Trailing = behind.octets
			return cmp.Or(wrong, c.complete())
		case err != nil:
			return cmp.Or(wrong, err)
		case n == maxParts:
			return fmt.Errorf("more than %d parts", maxParts)
		}
		wrong = cmp.Or(wrong, c.readPart(part, o))
	}
}

// unambiguous refuses a header that says twice what follows it: one program would take
// the first for true, and another the last.
func unambiguous(header textproto.MIMEHeader) error {
	for _, field := range []string{"Content-Type", "Content-Transfer-Encoding", "Content-Disposition"} {
		if len(header[field]) > 1 {
			return fmt.Errorf("the header has %s %d times", field, len(header[field]))
		}
	}
	return nil
}

// epilogue counts the octets behind the last boundary but for white space (RFC 2046,
// section 5.1.1). Nobody is to look at them, and nobody stamped them.
type epilogue struct {
	end    string // the line that ends the parts
	line   []byte // the start of the current one
	passed bool
	octets int64
}

// Write implements [io.Writer]; it never fails.
func (e *epilogue) Write(p []byte) (int, error) {
	for rest := p; len(rest) > 0; {
		if e.passed {
			for _, b := range rest {
				if !strings.ContainsRune(" \t\r\n", rune(b)) {
					e.octets++
				}
			}
			break
		}
		line, after, ended := bytes.Cut(rest, []byte("\n"))
		e.line = append(e.line, line[:min(len(line), len(e.end)+maxPadding-len(e.line))]...)
		if rest = after; ended {
			e.passed = strings.TrimRight(string(e.line), " \t\r") == e.end
			e.line = e.line[:0]
		}
	}
	return len(p), nil
}

// complete makes sure that there was a document and a token.
func (c *Container) complete() error {
	switch {
	case len(c.Evidence) == 0:
		return errors.New("no part is a time stamp")
	case !c.Attached:
		return errors.New("no part is a document")
	}
	return nil
}

func (c *Container) readPart(part *multipart.Part, o ReadOptions) error {
	if err := unambiguous(part.Header); err != nil {
		return err
	}
	mediaType, parameters, _ := mime.ParseMediaType(part.Header.Get("Content-Type")) // without one, the name decides
	name := part.FileName()
	if name == "" {
		name = parameters["name"]
	}
	body, err := decoded(part)
	if err != nil {
		return err
	}
	if isStamp(mediaType, name) {
		return c.readStamp(body)
	}
	if c.Attached {
		return errors.New("two parts are documents, and only one can be stamped")
	}
	c.MetaData = &MetaData{FileName: name, MediaType: mediaType}
	d := newDigester(o.hashes())
	sink := io.Writer(d)
	if o.Content != nil {
		sink = io.MultiWriter(o.Content, d)
	}
	c.ContentSize, err = io.Copy(sink, body)
	c.Attached, c.digests = true, d.sums()
	return err
}

func isStamp(mediaType, name string) bool {
	switch strings.ToLower(path.Ext(name)) {
	case ".tsr", ".tst":
		return true
	}
	return strings.Contains(mediaType, "timestamp") || strings.Contains(mediaType, "time-stamp")
}

func (c *Container) readStamp(body io.Reader) error {
	if len(c.Evidence) > 0 {
		return errors.New("two parts are time stamps, and there is one document")
	}
	octets, err := io.ReadAll(io.LimitReader(body, maxTokenFile+1))
	if err == nil && len(octets) > maxTokenFile {
		err = errTooLong
	}
	e := Evidence{Err: err}
	if err == nil {
		e.Token, _, e.Err = ReadToken(strings.NewReader(string(octets)))
	}
	c.Evidence = append(c.Evidence, e)
	return err
}

// decoded takes the transfer encoding off a part.
func decoded(part *multipart.Part) (io.Reader, error) {
	switch encoding := strings.ToLower(strings.TrimSpace(part.Header.Get("Content-Transfer-Encoding"))); encoding {
	case "base64":
		return base64.NewDecoder(base64.StdEncoding, part), nil
	case "quoted-printable":
		return quotedprintable.NewReader(part), nil
	case "", "7bit", "8bit", "binary":
		return part, nil
	default:
		return nil, fmt.Errorf("the transfer encoding %q is not known", encoding)
	}
}

// WriteM7M writes a .p7m of this name and the time stamp over it as a MIME message,
// in constant memory. While it is written the document is digested once more: when
// it is not what the token stamps, the error wraps [ErrNotStamped]. After an error dst
// may hold a part of a file.
func WriteM7M(dst io.Writer, content io.Reader, name string, t *Token) error {
	h := t.Info.Hash
	if h == 0 {
		return fmt.Errorf("writing MIME message: %w: %v", ErrHash, t.Info.HashAlgorithm)
	}
	digest := newDigester([]crypto.Hash{h})
	boundary := fmt.Sprintf("=_%x", t.Info.Imprint[:16]) // =_ stands in no base64
	stem := strings.TrimSuffix(name, path.Ext(name))
	out := bufio.NewWriter(dst)
	fmt.Fprintf(out, "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=%q\r\n", boundary)
	err := writePart(out, boundary, "application/pkcs7-mime", name, io.TeeReader(content, digest))
	if err == nil {
		err = writePart(out, boundary, "application/timestamp-reply", stem+".tsr", strings.NewReader(string(EncodeResponse(t))))
	}
	if err == nil {
		fmt.Fprintf(out, "\r\n--%s--\r\n", boundary)
		err = out.Flush()
	}
	if err == nil && !t.CoversDigest(digest.sums()[h]) {
		err = ErrNotStamped
	}
	if err != nil {
		return fmt.Errorf("writing MIME message: %w", err)
	}
	return nil
}

func writePart(out *bufio.Writer, boundary, mediaType, name string, body io.Reader) error {
	fmt.Fprintf(out, "\r\n--%s\r\nContent-Type: %s\r\nContent-Transfer-Encoding: base64\r\nContent-Disposition: %s\r\n\r\n", boundary,
		mime.FormatMediaType(mediaType, map[string]string{"name": name}),
		mime.FormatMediaType("attachment", map[string]string{"filename": name}))
	lines := &lineWriter{out: out}
	encoder := base64.NewEncoder(base64.StdEncoding, lines)
	if _, err := io.Copy(encoder, body); err != nil {
		return err
	}
	return encoder.Close()
}

// lineWriter breaks base64 into lines of 76 characters (RFC 2045, section 6.8).
type lineWriter struct {
	out    *bufio.Writer
	column int
}

// Write implements [io.Writer].
func (w *lineWriter) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		if w.column == 76 {
			w.column = 0
			if _, err := w.out.WriteString("\r\n"); err != nil {
				return 0, err
			}
		}
		n := min(len(p), 76-w.column)
		if _, err := w.out.Write(p[:n]); err != nil {
			return 0, err
		}
		p, w.column = p[n:], w.column+n
	}
	return total, nil
}
