// SPDX-License-Identifier: Apache-2.0

package judges

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
)

// Producer is a program that makes PDF files its own way.
type Producer struct {
	Name string
	Tool string // the program, for [Need]
	// The file it starts from, and the arguments that have it write out.pdf
	// into the folder: SOURCE and DIR stand for the two.
	source, content string
	args            []string
}

// producers is never written to.
var producers = []Producer{
	{
		Name: "ghostscript", Tool: "gs", source: "in.ps",
		content: "%!PS\n/Helvetica findfont 14 scalefont setfont 72 700 moveto (Contract by ghostscript) show showpage\n",
		args:    []string{"-q", "-dSAFER", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite", "-sOutputFile=DIR/out.pdf", "SOURCE"},
	},
	{
		Name: "mupdf", Tool: "mutool", source: "in.txt",
		content: "%%MediaBox 0 0 595 842\n%%Font F1 Helvetica\nBT /F1 14 Tf 72 700 Td (Contract by mupdf) Tj ET\n",
		args:    []string{"create", "-o", "DIR/out.pdf", "SOURCE"},
	},
	{
		Name: "cairo", Tool: "pdftocairo", source: "in.pdf",
		content: string(documents.Plain()),
		args:    []string{"-pdf", "SOURCE", "DIR/out.pdf"},
	},
	{
		Name: "qpdf", Tool: "qpdf", source: "in.pdf",
		content: string(documents.Form()),
		args:    []string{"--object-streams=generate", "SOURCE", "DIR/out.pdf"},
	},
	{
		Name: "img2pdf", Tool: "img2pdf", source: "in.ppm",
		content: "P6 8 8 255\n" + strings.Repeat("Contract", 24), // 8 by 8 pixels of 3 bytes
		args:    []string{"--pagesize", "A4", "-o", "DIR/out.pdf", "SOURCE"},
	},
	{
		Name: "pdflatex", Tool: "pdflatex", source: "out.tex",
		content: "\\documentclass{article}\\begin{document}Contract by pdflatex\\end{document}\n",
		args:    []string{"-interaction=batchmode", "-output-directory=DIR", "SOURCE"},
	},
	{
		Name: "libreoffice", Tool: "soffice", source: "out.txt",
		content: "Contract by LibreOffice\n",
		args:    []string{"--headless", "-env:UserInstallation=file://DIR/profile", "--convert-to", "pdf", "--outdir", "DIR", "SOURCE"},
	},
	{
		Name: "chromium", Tool: "chromium", source: "in.html",
		content: "<!doctype html><title>Contract</title><p>Contract by Chromium\n",
		args: []string{"--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=DIR/profile",
			"--print-to-pdf=DIR/out.pdf", "file://SOURCE"},
	},
}

// Producers returns all producers. What they make shows a line or two of text;
// that of qpdf has a form, and object streams.
func Producers() []Producer { return slices.Clone(producers) }

// Archives returns producers of files that follow a standard for archives, PDF/A (ISO
// 19005), or for readers who can't see, PDF/UA (ISO 14289), each called as [Conformance]
// calls the standard.
func Archives() []Producer {
	archive := func(flavour, option string) Producer {
		return Producer{
			Name: flavour, Tool: "soffice", source: "out.html",
			content: "<!doctype html><html lang=\"it\"><title>Contratto</title><h1>Contratto</h1><p>Perché così è.</p><p style=\"page-break-before:always\">Fine.</p></html>\n",
			args: []string{"--headless", "-env:UserInstallation=file://DIR/profile",
				"--convert-to", "pdf:writer_web_pdf_Export:{" + option + "}", "--outdir", "DIR", "SOURCE"},
		}
	}
	return []Producer{
		archive("1a", `"SelectPdfVersion":{"type":"long","value":"1"}`),
		archive("2b", `"SelectPdfVersion":{"type":"long","value":"2"}`),
		archive("3b", `"SelectPdfVersion":{"type":"long","value":"3"}`),
		archive("ua1", `"PDFUACompliance":{"type":"boolean","value":"true"}`),
	}
}

// Make has the producer make a PDF file, in a folder of its own, and returns
// its bytes.
func (p Producer) Make(ctx context.Context) (pdf []byte, err error) {
	err = inTemp(func(dir string) error {
		source := filepath.Join(dir, p.source)
		if err := os.WriteFile(source, []byte(p.content), 0o600); err != nil {
			return err
		}
		made := program{name: p.Tool, args: p.fill(dir, source), home: dir}
		if _, err := made.run(ctx); err != nil {
			return err
		}
		pdf, err = os.ReadFile(filepath.Join(dir, "out.pdf"))
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("making a PDF with %s: %w", p.Name, err)
	}
	return pdf, nil
}

// fill puts the paths into the arguments.
func (p Producer) fill(dir, source string) []string {
	paths := strings.NewReplacer("DIR", dir, "SOURCE", source)
	args := make([]string, len(p.args))
	for i, arg := range p.args {
		args[i] = paths.Replace(arg)
	}
	return args
}
