// SPDX-License-Identifier: Apache-2.0

package attacks

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// draft is a file that is being forged. After the first error nothing is done
// any more.
type draft struct {
	bytes []byte
	err   error
}

func (d *draft) fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf(format, args...)
	}
}

// document writes a file with a table out of the values of objects 1, 2, 3…, of
// which the first is the catalog.
func document(values ...string) []byte {
	out := []byte("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n")
	rows := "0000000000 65535 f \n"
	for i, value := range values {
		rows += row(len(out))
		out = append(append(out, object(i+1, value)...), '\n')
	}
	return fmt.Appendf(out, "xref\n0 %d\n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n",
		len(values)+1, rows, len(values)+1, len(out))
}

func row(offset int) string { return fmt.Sprintf("%010d 00000 n \n", offset) }

func object(number int, value string) string {
	return fmt.Sprintf("%d 0 obj\n%s\nendobj", number, value)
}

// stream is the value of a stream object with the entries of a dictionary.
func stream(entries, data string) string {
	return fmt.Sprintf("<< %s /Length %d >>\nstream\n%s\nendstream", entries, len(data), data)
}

// replace puts a text in the place of another that stands once, and is as long.
func (d *draft) replace(old, with string) *draft {
	if n := bytes.Count(d.bytes, []byte(old)); n != 1 || len(old) != len(with) {
		d.fail("replacing %.40q by %.40q: it stands %d times, and is %d bytes long instead of %d", old, with, n, len(old), len(with))
		return d
	}
	d.bytes = bytes.Replace(d.bytes, []byte(old), []byte(with), 1)
	return d
}

// respell puts a text in the place of the last one of the kind, however long.
func (d *draft) respell(old, with string) *draft {
	at := bytes.LastIndex(d.bytes, []byte(old))
	if at < 0 {
		d.fail("respelling %q, which does not stand there", old)
		return d
	}
	d.bytes = append(append(bytes.Clone(d.bytes[:at]), with...), d.bytes[at+len(old):]...)
	return d
}

// add appends bytes as they are.
func (d *draft) add(text string) *draft {
	d.bytes = append(bytes.Clone(d.bytes), text...)
	return d
}

// update appends objects as an incremental update.
func (d *draft) update(objects ...string) *draft {
	return d.updateWith("", objects...)
}

// updateWith has more entries in the trailer, or others: /Root among them
// replaces the one there is.
func (d *draft) updateWith(entries string, objects ...string) *draft {
	var rows []string
	at := len(d.bytes)
	for _, o := range objects {
		rows = append(rows, fmt.Sprintf("%d 1\n%s", d.numberOf(o), row(at)))
		at += len(o) + 1
	}
	body := strings.Join(objects, "\n")
	if body != "" {
		body += "\n"
	}
	return d.section(entries, body, rows...)
}

// section appends a body and a table with these rows.
func (d *draft) section(entries, body string, rows ...string) *draft {
	previous := d.startxref()
	if !strings.Contains(entries, "/Root") {
		entries += " /Root 1 0 R"
	}
	d.add(body)
	return d.add(fmt.Sprintf("xref\n%strailer\n<< /Size 100 %s /Prev %d >>\nstartxref\n%d\n%%%%EOF\n",
		strings.Join(rows, ""), entries, previous, len(d.bytes)))
}

// startxref is the offset of the newest cross-reference section.
func (d *draft) startxref() int {
	_, after, _ := strings.Cut(string(d.bytes[max(0, bytes.LastIndex(d.bytes, []byte("startxref"))):]), "\n")
	number, _, _ := strings.Cut(after, "\n")
	offset, err := strconv.Atoi(strings.TrimSpace(number))
	if err != nil {
		d.fail("the file has no startxref")
	}
	return offset
}

var objectHead = regexp.MustCompile(`(?m)^(\d+) 0 obj\b`)

// numberOf is the number of the object that a text is.
func (d *draft) numberOf(object string) int {
	head := objectHead.FindStringSubmatch(object)
	if head == nil {
		d.fail("this is no object: %.40q", object)
		return 0
	}
	number, _ := strconv.Atoi(head[1]) // the expression lets only digits in
	return number
}

// offsetOf is where the last object of a number stands.
func (d *draft) offsetOf(number int) int {
	at := -1
	for _, head := range objectHead.FindAllSubmatchIndex(d.bytes, -1) {
		if string(d.bytes[head[2]:head[3]]) == strconv.Itoa(number) {
			at = head[0]
		}
	}
	if at < 0 {
		d.fail("the file has no object %d", number)
		return 0
	}
	return at
}

// text is the last object of a number, from the number to endobj.
func (d *draft) text(number int) string {
	from := d.bytes[d.offsetOf(number):]
	return string(from[:bytes.Index(from, []byte("endobj"))+len("endobj")])
}

// edited is the object with a part of it, which stands there once, replaced.
func (d *draft) edited(number int, old, with string) string {
	text := d.text(number)
	if n := strings.Count(text, old); n != 1 {
		d.fail("object %d has %q %d times: %.200s", number, old, n, text)
	}
	return strings.Replace(text, old, with, 1)
}

// find returns what the group of an expression stands for, at its last place.
func (d *draft) find(expression string) string {
	all := regexp.MustCompile(expression).FindAllSubmatch(d.bytes, -1)
	if len(all) == 0 {
		d.fail("the file has no %s", expression)
		return ""
	}
	return string(all[len(all)-1][1])
}

// The parts of the only signature. Numbers are those of objects.
func (d *draft) byteRange() string { return d.find(`/ByteRange ?(\[[^\]]*\] *)`) }
func (d *draft) contents() string  { return d.find(`/Contents ?(<[0-9A-Fa-f]*>)`) }
func (d *draft) signature() int    { return d.number(`(\d+) 0 obj\s+<< /Type /Sig `) }
func (d *draft) field() int        { return d.number(`(\d+) 0 obj\s+<< /FT /Sig `) }

func (d *draft) number(expression string) int {
	number, err := strconv.Atoi(d.find(expression))
	if err != nil {
		d.fail("no number for %s", expression)
	}
	return number
}

// sign appends objects, and a signature of the whole file as object
// [signatureNumber], with much room for its value.
func (d *draft) sign(by func([]byte) ([]byte, error), objects []string) *draft {
	const room = 16 << 10
	hole := "<" + strings.Repeat("0", room) + ">"
	byteRange := "[0 %010d %010d %010d]"
	head := "<< /Type /Sig /Filter /Adobe.PPKLite /SubFilter /ETSI.CAdES.detached /M (D:20260314150926Z) /ByteRange "
	d.update(append(objects, object(signatureNumber, head+fmt.Sprintf(byteRange, 0, 0, 0)+" /Contents "+hole+" >>"))...)
	gap := bytes.LastIndex(d.bytes, []byte(hole))
	if d.err != nil || gap < 0 {
		return d
	}
	resume := gap + len(hole)
	d.replace(fmt.Sprintf(byteRange, 0, 0, 0), fmt.Sprintf(byteRange, gap, resume, len(d.bytes)-resume))
	der, err := by(append(bytes.Clone(d.bytes[:gap]), d.bytes[resume:]...))
	switch {
	case err != nil:
		d.fail("making a signature: %w", err)
	case 2*len(der) > room:
		d.fail("a signature of %d bytes is too long", len(der))
	}
	if d.err != nil {
		return d
	}
	copy(d.bytes[gap+1:], fmt.Sprintf("%x", der))
	return d
}
