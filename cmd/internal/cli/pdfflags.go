// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/sign/pdf"
)

// pdfFlags say what a signature in a PDF is like.
type pdfFlags struct {
	reason, contact, field string
	password               string
	certify                int
	lock                   string

	visible       string
	text          []string
	picture, font string
	qr            string
	border        bool
	preview       string
}

func (f *pdfFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.StringVar(&f.reason, "reason", "", "give `TEXT` as the reason for signing (PDF)")
	flags.StringVar(&f.contact, "contact", "", "give `TEXT` as the way to reach the signer (PDF)")
	flags.StringVar(&f.field, "field", "", "sign in the empty signature field `NAME`, or call the new one so (PDF)")
	flags.StringVar(&f.password, "password", "", "open an encrypted PDF with this `PASSWORD`")
	flags.IntVar(&f.certify, "certify", 0, "certify the PDF: from now on others may do nothing (`1`), fill in forms and sign (2), comment as well (3)")
	flags.StringVar(&f.lock, "lock", "", "lock form fields against changes: all, include:`NAMES` or exclude:NAMES (PDF)")
	flags.StringVar(&f.visible, "visible", "", "show the signature at `PAGE:PLACE`, a corner (last:bottom-right) or X,Y,WIDTH,HEIGHT in points (1:72,72,200,60)")
	flags.StringArrayVar(&f.text, "text", nil, "a `LINE` of the visible signature; {name}, {reason}, {location}, {contact}, {date} and {field} are filled in; may be repeated")
	flags.StringVar(&f.picture, "picture", "", "a PNG, JPEG or SVG `FILE` in the visible signature")
	flags.StringVar(&f.font, "font", "", "a TrueType `FILE` for the visible text")
	flags.StringVar(&f.qr, "qr", "", "a QR code of `TEXT` in the visible signature; names in braces are filled in as in --text")
	flags.BoolVar(&f.border, "border", false, "draw a line around the visible signature")
	flags.StringVar(&f.preview, "preview", "", "sign nothing: draw the visible signature to this PNG `FILE`, without a card; the name is that in the certificate file of --cert")
}

// asked says whether a flag was given that only a PDF can use.
func (f *pdfFlags) asked() bool {
	return f.reason+f.contact+f.field+f.password+f.lock+f.visible != "" || f.certify != 0
}

// options fills in what package sign needs. Files named by flags are read here.
func (f *pdfFlags) options(c *cobra.Command, o *sign.Options) error {
	o.Reason, o.Contact, o.Field, o.Password = f.reason, f.contact, f.field, f.password
	if f.certify < 0 || f.certify > 3 {
		return usageError(helpHint(c), "--certify takes 1, 2 or 3")
	}
	o.Certify = pdf.Certification(f.certify)
	var err error
	if o.Lock, err = parseLock(f.lock); err != nil {
		return usageError(helpHint(c), "--lock: %w", err)
	}
	if o.Appearance, err = f.appearance(); err != nil {
		return usageError(helpHint(c), "%w", err)
	}
	return nil
}

func parseLock(text string) (*pdf.FieldLock, error) {
	action, fields, named := strings.Cut(text, ":")
	list := strings.Split(fields, ",")
	switch {
	case text == "":
		return nil, nil
	case action == "all" && !named:
		return &pdf.FieldLock{Action: pdf.LockAll}, nil
	case action == "include" && fields != "":
		return &pdf.FieldLock{Action: pdf.LockInclude, Fields: list}, nil
	case action == "exclude" && fields != "":
		return &pdf.FieldLock{Action: pdf.LockExclude, Fields: list}, nil
	}
	return nil, fmt.Errorf("%q is none of all, include:NAME,… and exclude:NAME,…", text)
}

func (f *pdfFlags) appearance() (*pdf.Appearance, error) {
	if f.visible == "" {
		if len(f.text) > 0 || f.picture+f.font+f.qr+f.preview != "" || f.border {
			return nil, errors.New("--text, --picture, --font, --qr, --border and --preview are for a visible signature: say where with --visible")
		}
		return nil, nil
	}
	a := &pdf.Appearance{Lines: f.text, QR: f.qr, Border: f.border}
	if err := place(a, f.visible); err != nil {
		return nil, fmt.Errorf("--visible: %w", err)
	}
	for _, file := range []struct {
		flag, name string
		into       *[]byte
	}{{"picture", f.picture, &a.Picture}, {"font", f.font, &a.Font}} {
		if file.name == "" {
			continue
		}
		content, err := os.ReadFile(file.name)
		if err != nil {
			return nil, fmt.Errorf("--%s: reading %q: %w", file.flag, file.name, bare(err))
		}
		*file.into = content
	}
	return a, nil
}

var corners = map[string]pdf.Corner{
	"bottom-right": pdf.BottomRight, "bottom-left": pdf.BottomLeft, "top-right": pdf.TopRight, "top-left": pdf.TopLeft,
}

// place reads PAGE:CORNER or PAGE:X,Y,WIDTH,HEIGHT.
func place(a *pdf.Appearance, text string) error {
	page, where, ok := strings.Cut(text, ":")
	if !ok {
		return fmt.Errorf("%q has no page: last:bottom-right and 1:72,72,200,60 are right", text)
	}
	var err error
	switch page {
	case "first":
		a.Page = 1
	case "last":
		a.Page = -1
	default:
		if a.Page, err = strconv.Atoi(page); err != nil || a.Page == 0 {
			return fmt.Errorf("%q is no page: a number from 1, a negative one from the end, first and last are", page)
		}
	}
	corner, named := corners[where]
	if named {
		a.Corner = corner
		return nil
	}
	a.Rect, err = rectangle(where)
	return err
}

func rectangle(text string) (*pdf.Rect, error) {
	parts := strings.Split(text, ",")
	var n [4]float64
	for i, part := range parts {
		v, err := strconv.ParseFloat(strings.TrimSpace(part), 64)
		if err != nil || len(parts) != len(n) || v < -1e5 || v > 1e5 {
			return nil, fmt.Errorf("%q is no place: bottom-right, bottom-left, top-right, top-left and X,Y,WIDTH,HEIGHT in points are", text)
		}
		n[i] = v
	}
	return &pdf.Rect{X: n[0], Y: n[1], Width: n[2], Height: n[3]}, nil
}

// tellRisks says what in a PDF could make it look different some day without a
// change that breaks the signature: whoever signs should know.
func (b *batch) tellRisks(j *job, in *input) {
	doc, err := pdf.OpenWith(in.section(), in.info.Size(), pdf.OpenOptions{Password: b.signing.Password})
	if err != nil {
		return // preflight says it better
	}
	risks, err := doc.Risks()
	if err != nil {
		return
	}
	for _, r := range risks {
		j.note("warning: %q holds %s", j.file, r.What)
	}
}
