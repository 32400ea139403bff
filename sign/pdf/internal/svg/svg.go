// SPDX-License-Identifier: Apache-2.0

// Package svg draws SVG pictures such as seals and logos (SVG 1.1, the static
// part that drawing programs write for them): shapes and paths, groups, <use>,
// fills and strokes, dashes, gradients, opacity, clip paths, presentation
// attributes and simple style sheets.
//
// What it does not draw it refuses rather than leave out: text, embedded images,
// filters, masks, patterns, markers, symbols, nested pictures, animation. Nothing
// outside the file is ever looked at, and entities are refused. Time and memory
// have a bound whatever the file says.
package svg

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Limits of a file.
const (
	maxFile     = 2 << 20 // bytes
	maxElements = 20_000
	maxDepth    = 64
)

const namespace = "http://www.w3.org/2000/svg"

// Picture is a picture that was read.
type Picture struct {
	root          *element
	byID          map[string]*element
	rules         []rule
	x, y          float64 // of the view box
	width, height float64
}

// element is an element of SVG with what stands in it.
type element struct {
	name  string
	attrs map[string]string
	kids  []*element
}

// Recognize reports whether data may be an SVG picture: XML that says svg.
func Recognize(data []byte) bool {
	start := bytes.TrimLeft(bytes.TrimPrefix(data[:min(len(data), 4096)], []byte("\xef\xbb\xbf")), " \t\r\n")
	return bytes.HasPrefix(start, []byte("<")) && bytes.Contains(data, []byte("<svg"))
}

// Parse reads a picture.
func Parse(data []byte) (*Picture, error) {
	if len(data) > maxFile {
		return nil, fmt.Errorf("the SVG has more than %d bytes", maxFile)
	}
	r := reader{p: &Picture{byID: map[string]*element{}}, d: xml.NewDecoder(bytes.NewReader(data))}
	if err := r.read(); err != nil {
		return nil, err
	}
	if r.p.root == nil {
		return nil, errors.New("the SVG has no <svg>")
	}
	return r.p, r.p.measure()
}

// Size is that of the picture in its own units. Both are above zero.
func (p *Picture) Size() (width, height float64) { return p.width, p.height }

// measure finds the view box.
func (p *Picture) measure() error {
	if text, ok := p.root.attrs["viewBox"]; ok {
		n, err := numbers(text)
		if err != nil || len(n) != 4 {
			return fmt.Errorf("the SVG has a viewBox of %q", text)
		}
		p.x, p.y, p.width, p.height = n[0], n[1], n[2], n[3]
	} else {
		var err error
		if p.width, err = length(p.root.attrs["width"]); err == nil {
			p.height, err = length(p.root.attrs["height"])
		}
		if err != nil {
			return fmt.Errorf("the SVG has no viewBox, and %w", err)
		}
	}
	const longest = 1e6
	if !(p.width > 0 && p.height > 0 && p.width <= longest && p.height <= longest && p.width/p.height < 1000 && p.height/p.width < 1000) {
		return fmt.Errorf("the SVG says that it is %g by %g units large", p.width, p.height)
	}
	return nil
}

// reader makes elements of the XML.
type reader struct {
	p     *Picture
	d     *xml.Decoder
	open  []*element
	count int
	style strings.Builder
}

func (r *reader) read() error {
	for {
		t, err := r.d.Token()
		if errors.Is(err, io.EOF) {
			r.p.rules, err = parseRules(r.style.String())
			return err
		}
		if err != nil {
			return fmt.Errorf("reading the SVG: %w", err)
		}
		if err := r.token(t); err != nil {
			return err
		}
	}
}

func (r *reader) token(t xml.Token) error {
	switch t := t.(type) {
	case xml.Directive:
		if bytes.ContainsAny(t, "[") {
			return errors.New("the SVG declares entities; save it as plain SVG")
		}
	case xml.ProcInst:
		if t.Target == "xml-stylesheet" {
			return errors.New("the SVG has its style sheet in another file; save it as plain SVG")
		}
	case xml.StartElement:
		return r.start(t)
	case xml.EndElement:
		r.open = r.open[:len(r.open)-1]
	case xml.CharData:
		if n := len(r.open); n > 0 && r.open[n-1].name == "style" {
			r.style.Write(t)
		}
	}
	return nil
}

func (r *reader) start(t xml.StartElement) error {
	if t.Name.Space != "" && t.Name.Space != namespace {
		return r.d.Skip() // what a drawing program notes for itself
	}
	if r.count++; r.count > maxElements || len(r.open) >= maxDepth {
		return errors.New("the SVG has too many elements")
	}
	e := &element{name: t.Name.Local, attrs: map[string]string{}}
	for _, a := range t.Attr {
		if a.Name.Space == "" || a.Name.Local == "href" {
			e.attrs[a.Name.Local] = a.Value
		}
	}
	switch {
	case len(r.open) > 0:
		above := r.open[len(r.open)-1]
		above.kids = append(above.kids, e)
	case e.name != "svg" || r.p.root != nil:
		return fmt.Errorf("the SVG begins with <%s>", e.name)
	default:
		r.p.root = e
	}
	if id := e.attrs["id"]; id != "" && r.p.byID[id] == nil {
		r.p.byID[id] = e
	}
	r.open = append(r.open, e)
	return nil
}

// rule is a rule of a style sheet: what one selector gives.
type rule struct {
	name, class, id string // empty for any
	properties      []property
}

type property struct{ name, value string }

func parseRules(sheet string) ([]rule, error) {
	for {
		before, comment, found := strings.Cut(sheet, "/*")
		if !found {
			break
		}
		_, after, _ := strings.Cut(comment, "*/")
		sheet = before + " " + after
	}
	var rules []rule
	for block := range strings.SplitSeq(sheet, "}") {
		selectors, body, _ := strings.Cut(block, "{")
		if strings.TrimSpace(selectors) == "" {
			continue
		}
		properties := declarations(body)
		for selector := range strings.SplitSeq(selectors, ",") {
			r, err := parseSelector(strings.TrimSpace(selector))
			if err != nil {
				return nil, err
			}
			r.properties = properties
			if rules = append(rules, r); len(rules) > maxElements {
				return nil, errors.New("the SVG has too large a style sheet")
			}
		}
	}
	return rules, nil
}

// parseSelector reads tag, .class, #id, tag.class, tag#id or *.
func parseSelector(text string) (rule, error) {
	if text == "" || strings.ContainsAny(text, " \t\r\n>+~:[@(") {
		return rule{}, fmt.Errorf("the SVG has a style sheet with %.40q; save it as plain SVG, without one", text)
	}
	var r rule
	var found bool
	if r.name, r.id, found = strings.Cut(text, "#"); !found {
		r.name, r.class, _ = strings.Cut(text, ".")
	}
	if strings.ContainsAny(r.class+r.id, ".#") {
		return r, fmt.Errorf("the SVG has a style sheet with %.40q; save it as plain SVG, without one", text)
	}
	if r.name == "*" {
		r.name = ""
	}
	return r, nil
}

// declarations reads name: value; name: value.
func declarations(text string) []property {
	var list []property
	for part := range strings.SplitSeq(text, ";") {
		name, value, ok := strings.Cut(part, ":")
		if !ok {
			continue
		}
		value = strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(value), "!important"))
		list = append(list, property{strings.TrimSpace(name), value})
	}
	return list
}

// strength orders rules: an id is stronger than a class, that than a name.
func (r rule) strength() int {
	switch {
	case r.id != "":
		return 2
	case r.class != "":
		return 1
	}
	return 0
}

func (r rule) matches(e *element) bool {
	if r.name != "" && r.name != e.name || r.id != "" && r.id != e.attrs["id"] {
		return false
	}
	if r.class == "" {
		return true
	}
	for class := range strings.FieldsSeq(e.attrs["class"]) {
		if class == r.class {
			return true
		}
	}
	return false
}

// properties are those of an element: attributes, then rules, then its style.
func (p *Picture) properties(e *element) map[string]string {
	all := map[string]string{}
	for name, value := range e.attrs {
		all[name] = strings.TrimSpace(value)
	}
	for strength := range 3 {
		for _, r := range p.rules {
			if r.strength() == strength && r.matches(e) {
				for _, d := range r.properties {
					all[d.name] = d.value
				}
			}
		}
	}
	for _, d := range declarations(e.attrs["style"]) {
		all[d.name] = d.value
	}
	return all
}
