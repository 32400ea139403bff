// SPDX-License-Identifier: Apache-2.0

package svg

import (
	"fmt"
	"image/color"
	"strings"
	"testing"
)

// inside wraps elements into a picture of 10 by 10 units.
func inside(elements string) []byte {
	return []byte(`<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="0 0 10 10">` + elements + `</svg>`)
}

// drawn returns the colour of a place, in the units of inside.
func drawn(t *testing.T, data []byte, x, y float64) color.NRGBA {
	t.Helper()
	p, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	m, err := p.Draw(100, 100)
	if err != nil {
		t.Fatal(err)
	}
	return color.NRGBAModel.Convert(m.At(int(10*x), int(10*y))).(color.NRGBA)
}

var (
	nothing = color.NRGBA{}
	red     = color.NRGBA{0xff, 0, 0, 0xff}
	blue    = color.NRGBA{0, 0, 0xff, 0xff}
	black   = color.NRGBA{0, 0, 0, 0xff}
)

func TestDraw(t *testing.T) {
	for _, tt := range []struct {
		name, elements string
		x, y           float64
		want           color.NRGBA
	}{
		{"black by default", `<rect width="10" height="10"/>`, 5, 5, black},
		{"nothing beside", `<rect width="5" height="10"/>`, 6, 5, nothing},
		{"attribute", `<rect width="10" height="10" fill="red"/>`, 5, 5, red},
		{"style over attribute", `<rect width="10" height="10" fill="blue" style="fill: #f00"/>`, 5, 5, red},
		{"class over attribute", `<style>/* a */ rect.x, .y{fill:red !important}</style><rect class="w x" width="10" height="10" fill="blue"/>`, 5, 5, red},
		{"id over class", `<style>#i{fill:red} .x{fill:blue}</style><rect id="i" class="x" width="10" height="10"/>`, 5, 5, red},
		{"a group hands it on", `<g fill="red"><g><rect width="10" height="10"/></g></g>`, 5, 5, red},
		{"currentColor", `<g color="red"><rect width="10" height="10" fill="currentColor"/></g>`, 5, 5, red},
		{"half opaque", `<rect width="10" height="10" fill="red" fill-opacity="50%"/>`, 5, 5, color.NRGBA{0xff, 0, 0, 0x80}},
		{"colour with opacity", `<rect width="10" height="10" fill="#ff000080"/>`, 5, 5, color.NRGBA{0xff, 0, 0, 0x80}},
		{"rgb", `<rect width="10" height="10" fill="rgb(100%, 0, 0)"/>`, 5, 5, red},
		{"a group fades as a whole", `<g opacity=".5"><rect width="10" height="10" fill="blue"/><rect width="10" height="10" fill="red"/></g>`, 5, 5, color.NRGBA{0xff, 0, 0, 0x80}},
		{"not shown", `<g display="none"><rect width="10" height="10"/></g>`, 5, 5, nothing},
		{"hidden", `<rect width="10" height="10" visibility="hidden"/>`, 5, 5, nothing},
		{"nonzero", `<path d="M0 0H10V10H0zM2 2H8V8H2z" fill="red"/>`, 5, 5, red},
		{"evenodd", `<path d="M0 0H10V10H0zM2 2H8V8H2z" fill="red" fill-rule="evenodd"/>`, 5, 5, nothing},
		{"relative path", `<path d="m1 1h8v8h-8z" fill="red"/>`, 8.5, 8.5, red},
		{"lines after a move", `<path d="m1,1 8,0 0,8-8,0" fill="red"/>`, 2, 8, red},
		{"cubic", `<path d="M0 10C0 0 10 0 10 10z" fill="red"/>`, 5, 3, red},
		{"smooth cubic", `<path d="M0 5C0 0 5 0 5 5S10 10 10 5z" fill="red"/>`, 7.5, 8, red},
		{"smooth quadratic", `<path d="M0 5Q2.5-5 5 5T10 5z" fill="red"/>`, 7.5, 9, red},
		{"arc with flags in a row", `<path d="M5 1a4 4 0 102 0z" fill="red"/>`, 5, 7, red},
		{"small arc", `<path d="M1 5A4 4 0 0 1 9 5z" fill="red"/>`, 5, 2, red},
		{"the other way", `<path d="M1 5A4 4 0 0 0 9 5z" fill="red"/>`, 5, 2, nothing},
		{"circle", `<circle cx="5" cy="5" r="4" fill="red"/>`, 5, 1.5, red},
		{"outside of the circle", `<circle cx="5" cy="5" r="4" fill="red"/>`, 1.5, 1.5, nothing},
		{"ellipse", `<ellipse cx="5" cy="5" rx="5" ry="2" fill="red"/>`, 9, 5, red},
		{"round corner", `<rect width="10" height="10" rx="4" fill="red"/>`, 0.4, 0.4, nothing},
		{"line", `<line x1="0" y1="5" x2="10" y2="5" stroke="red" stroke-width="2"/>`, 5, 5.5, red},
		{"polygon", `<polygon points="0,0 10,0 10,10" fill="red"/>`, 9, 5, red},
		{"a polyline is filled", `<polyline points="0,0 10,0 10,10" fill="red"/>`, 9, 5, red},
		{"butt cap", `<path d="M2 5H8" stroke="red" stroke-width="4"/>`, 1.5, 5, nothing},
		{"square cap", `<path d="M2 5H8" stroke="red" stroke-width="4" stroke-linecap="square"/>`, 0.5, 3.5, red},
		{"round cap", `<path d="M2 5H8" stroke="red" stroke-width="4" stroke-linecap="round"/>`, 0.5, 5, red},
		{"round cap has no corner", `<path d="M2 5H8" stroke="red" stroke-width="4" stroke-linecap="round"/>`, 0.3, 3.3, nothing},
		{"a dot", `<path d="M5 5z" stroke="red" stroke-width="4" stroke-linecap="round"/>`, 5, 6, red},
		{"miter", `<path d="M2 9V2H9" fill="none" stroke="red" stroke-width="2"/>`, 1.2, 1.2, red},
		{"bevel", `<path d="M2 9V2H9" fill="none" stroke="red" stroke-width="2" stroke-linejoin="bevel"/>`, 1.2, 1.2, nothing},
		{"round join", `<path d="M2 9V2H9" fill="none" stroke="red" stroke-width="2" stroke-linejoin="round"/>`, 1.1, 1.1, nothing},
		{"miter limit", `<path d="M2 9V2H9" fill="none" stroke="red" stroke-width="2" stroke-miterlimit="1"/>`, 1.2, 1.2, nothing},
		{"a dash", `<path d="M0 5H10" stroke="red" stroke-width="2" stroke-dasharray="2 3"/>`, 6, 5, red},
		{"a gap", `<path d="M0 5H10" stroke="red" stroke-width="2" stroke-dasharray="2 3"/>`, 3, 5, nothing},
		{"dash offset", `<path d="M0 5H10" stroke="red" stroke-width="2" stroke-dasharray="2 3" stroke-dashoffset="-1"/>`, 2.5, 5, red},
		{"odd dashes", `<path d="M0 5H10" stroke="red" stroke-width="2" stroke-dasharray="2"/>`, 3, 5, nothing},
		{"dashes of no length", `<path d="M0 5H10" stroke="red" stroke-width="2" stroke-dasharray="0 0"/>`, 3, 5, red},
		{"translate", `<rect width="1" height="1" fill="red" transform="translate(5,5)"/>`, 5.5, 5.5, red},
		{"scale by one number", `<rect width="1" height="1" fill="red" transform="scale(10)"/>`, 9, 9, red},
		{"rotate about a place", `<rect width="2" height="2" fill="red" transform="rotate(180 5 5)"/>`, 9, 9, red},
		{"matrix", `<rect width="1" height="1" fill="red" transform="matrix(2 0 0 2 4 4)"/>`, 5.5, 5.5, red},
		{"one after the other", `<g transform="translate(2 2)scale(2)"><rect width="1" height="1" fill="red"/></g>`, 3.5, 3.5, red},
		{"use", `<defs><rect id="r" width="2" height="2"/></defs><use xlink:href="#r" x="4" y="4" fill="red"/>`, 5, 5, red},
		{"definitions are not seen", `<defs><rect width="10" height="10"/></defs>`, 5, 5, nothing},
		{"linear gradient", `<linearGradient id="g"><stop stop-color="red"/><stop offset=".5" stop-color="red"/><stop offset=".5" stop-color="blue"/></linearGradient><rect width="10" height="10" fill="url(#g)"/>`, 2, 5, red},
		{"its other side", `<linearGradient id="g"><stop stop-color="red"/><stop offset=".5" stop-color="red"/><stop offset=".5" stop-color="blue"/></linearGradient><rect width="10" height="10" fill="url(#g)"/>`, 8, 5, blue},
		{"inherited stops", `<linearGradient id="a"><stop stop-color="red"/></linearGradient><radialGradient id="g" href="#a"/><rect width="10" height="10" fill="url(#g)"/>`, 8, 5, red},
		{"radial gradient", `<radialGradient id="g" gradientUnits="userSpaceOnUse" cx="5" cy="5" r="2"><stop offset="1" stop-color="red"/><stop offset="1" stop-color="blue"/></radialGradient><rect width="10" height="10" fill="url(#g)"/>`, 9, 9, blue},
		{"repeated gradient", `<linearGradient id="g" x2=".2" spreadMethod="repeat"><stop offset=".5" stop-color="red"/><stop offset=".5" stop-color="blue"/></linearGradient><rect width="10" height="10" fill="url(#g)"/>`, 8.5, 5, red},
		{"reflected gradient", `<linearGradient id="g" x2=".2" spreadMethod="reflect"><stop offset=".5" stop-color="red"/><stop offset=".5" stop-color="blue"/></linearGradient><rect width="10" height="10" fill="url(#g)"/>`, 2.5, 5, blue},
		{"a colour in place of a gradient", `<rect width="10" height="10" fill="url(#none) red"/>`, 5, 5, red},
		{"clipped", `<clipPath id="c"><rect width="5" height="10"/></clipPath><rect clip-path="url(#c)" width="10" height="10" fill="red"/>`, 6, 5, nothing},
		{"inside the clip", `<clipPath id="c"><rect width="5" height="10"/></clipPath><rect clip-path="url(#c)" width="10" height="10" fill="red"/>`, 4, 5, red},
		{"clipped by evenodd", `<clipPath id="c"><path clip-rule="evenodd" d="M0 0H10V10H0zM2 2H8V8H2z"/></clipPath><g clip-path="url(#c)"><rect width="10" height="10" fill="red"/></g>`, 5, 5, nothing},
		{"clipped by a shape used", `<rect id="r" width="1" height="1" fill="none"/><clipPath id="c"><use href="#r" transform="scale(5)"/></clipPath><rect clip-path="url(#c)" width="10" height="10" fill="red"/>`, 4, 4, red},
		{"notes of a program", `<metadata><x xmlns="urn:x"><rect/></x></metadata><y:text xmlns:y="urn:y"/><rect width="10" height="10" fill="red"/>`, 5, 5, red},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := drawn(t, inside(tt.elements), tt.x, tt.y); got != tt.want {
				t.Errorf("%v at %v, %v, want %v", got, tt.x, tt.y, tt.want)
			}
		})
	}
}

func TestSize(t *testing.T) {
	for text, want := range map[string]string{
		`<svg viewBox="0 0 30 20"/>`:                          "30 20",
		`<svg width="1in" height="72pt"/>`:                    "96 96",
		`<svg viewBox="-5,-5,10,40" width="99%" height="1"/>`: "10 40",
	} {
		p, err := Parse([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		w, h := p.Size()
		if got := fmt.Sprint(w, h); got != want {
			t.Errorf("%s: size %s, want %s", text, got, want)
		}
	}
}

// refusal returns why a picture is not drawn.
func refusal(data []byte) error {
	p, err := Parse(data)
	if err != nil {
		return err
	}
	_, err = p.Draw(1000, 1000)
	return err
}

func TestRefusals(t *testing.T) {
	many := func(n int, text string) string { return strings.Repeat(text, n) }
	for _, tt := range []struct{ name, svg, want string }{
		{"entities", `<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg viewBox="0 0 1 1">&b;</svg>`, "entities"},
		{"an entity that is not there", `<svg viewBox="0 0 1 1"><title>&x;</title></svg>`, "entity"},
		{"a style sheet elsewhere", `<?xml-stylesheet href="x.css"?><svg viewBox="0 0 1 1"/>`, "another file"},
		{"no size", `<svg/>`, "no viewBox"},
		{"no area", `<svg viewBox="0 0 0 1"/>`, "large"},
		{"not a number", `<svg viewBox="0 0 NaN 1"/>`, "viewBox"},
		{"cut short", `<svg viewBox="0 0 1 1"><g>`, "reading the SVG"},
		{"another root", `<html viewBox="0 0 1 1"/>`, "begins with <html>"},
		{"nothing", ` `, "no <svg>"},
		{"image", string(inside(`<image xlink:href="file:///etc/passwd"/>`)), "<image>"},
		{"text", string(inside(`<text>x</text>`)), "make it a path"},
		{"script", string(inside(`<script>x</script>`)), "<script>"},
		{"foreign object", string(inside(`<foreignObject/>`)), "<foreignObject>"},
		{"use of another file", string(inside(`<use href="x.svg#a"/>`)), "no shape of this file"},
		{"use of itself", string(inside(`<g id="a"><use href="#a"/></g>`)), "more than 16 deep"},
		{"gradient of itself", string(inside(`<linearGradient id="a" href="#a"/><rect width="1" height="1" fill="url(#a)"/>`)), "each other"},
		{"gradient of another file", string(inside(`<rect width="1" height="1" fill="url(x.svg#a)"/>`)), "no gradient of this file"},
		{"clip path of itself", string(inside(`<clipPath id="c" clip-path="url(#c)"><rect/></clipPath><g clip-path="url(#c)"/>`)), "clip path"},
		{"filter", string(inside(`<g filter="url(#f)"/>`)), "filter"},
		{"mask in a style sheet", string(inside(`<style>g{mask:url(#m)}</style><g/>`)), "mask"},
		{"import", string(inside(`<style>@import url(x.css);</style>`)), "style sheet"},
		{"a selector of another kind", string(inside(`<style>g rect{fill:red}</style>`)), "style sheet"},
		{"path", string(inside(`<path d="M0 0 L x"/>`)), "path data"},
		{"path without a begin", string(inside(`<path d="L0 0"/>`)), "path data"},
		{"a huge number", string(inside(`<path d="M0 0 L1e300 0"/>`)), "path data"},
		{"far away", string(inside(`<path d="M0 0 L1e9 0 0 1e9" transform="scale(1000)"/>`)), "too far outside"},
		{"transformation", string(inside(`<g transform="rotate(1,2)"/>`)), "no transformation"},
		{"colour", string(inside(`<rect width="1" height="1" fill="rouge"/>`)), "colour"},
		{"too deep", string(inside(many(100, "<g>") + many(100, "</g>"))), "too many elements"},
		{"too many", string(inside(many(maxElements+1, "<g/>"))), "too many elements"},
		{"too long", string(inside(many(maxFile, " "))), "bytes"},
		{"uses that multiply", string(inside(`<g id="a"><rect width="10" height="10"/></g>` + multiplied(12))), raceOver},
		{"layers in layers", string(inside(many(9, `<g opacity=".5">`) + many(9, `</g>`))), "more than 6 deep"},
		{"many layers", string(inside(many(1000, `<g opacity=".5"/>`))), raceOver},
		{"many fills", string(inside(many(5000, `<rect width="10" height="10"/>`))), raceOver},
		{"endless dashes", string(inside(`<path d="M0 0H10" stroke="red" stroke-dasharray="1e-9"/>`)), raceOver},
		{"a long path", string(inside(`<path d="M0 0` + many(300_000, "h1") + `"/>`)), "too many points"},
		{"a path up and down", string(inside(`<path d="M0 0` + many(90_000, "v9v-9") + `"/>`)), raceOver},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := refusal([]byte(tt.svg)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want one that says %q", err, tt.want)
			}
		})
	}
}

const raceOver = "too much work"

// multiplied is groups each of which uses the one before ten times.
func multiplied(n int) string {
	var b strings.Builder
	last := "a"
	for i := range n {
		fmt.Fprintf(&b, `<g id="a%d">%s</g>`, i, strings.Repeat(`<use href="#`+last+`"/>`, 10))
		last = fmt.Sprint("a", i)
	}
	return b.String()
}

func FuzzDraw(f *testing.F) {
	for _, elements := range []string{
		`<path d="M0 5C0 0 5 0 5 5S10 10 10 5zM1 1a4 4 0 102 0z" stroke="red" stroke-dasharray="1 2" stroke-linejoin="round"/>`,
		`<linearGradient id="g"><stop stop-color="red"/></linearGradient><rect width="10" height="10" rx="2" fill="url(#g)"/>`,
		`<clipPath id="c"><circle r="5"/></clipPath><g clip-path="url(#c)" opacity=".5"><use href="#x"/><polygon id="x" points="0 0 1 1 0 9"/></g>`,
		`<style>.a,#b{fill:url(#g)}</style><radialGradient id="g" fx="2" href="#h"/><ellipse class="a" rx="3" ry="4" transform="skewX(9)"/>`,
	} {
		f.Add(inside(elements))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := Parse(data)
		if err != nil {
			return
		}
		if m, err := p.Draw(60, 40); err == nil && m.Bounds().Dx() != 60 {
			t.Errorf("an image of %v", m.Bounds())
		}
	})
}
