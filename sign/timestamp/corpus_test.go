// SPDX-License-Identifier: Apache-2.0

package timestamp_test

import (
	"archive/zip"
	"bytes"
	"cmp"
	"encoding/asn1"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/timestamp"
)

// found is a token of the corpus and, where the file says so, what it is over.
type found struct {
	where string
	raw   []byte
	over  []byte // nil: not looked for
}

// oidSignatureTimestamp is signature-time-stamp (RFC 3161, appendix A).
var oidSignatureTimestamp = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 14}

// odd says what is wrong with a token by RFC 3161, though others let it pass.
var odd = map[string]timestamp.Problem{
	"Signature-C-DE_CRY-3.p7m": timestamp.UsageNotCritical,
	"Signature-C-DE_CRY-4.p7m": timestamp.UsageNotCritical,
}

// TestCorpus checks the tokens of other producers: those in unsigned attributes of
// CMS signatures, and those in ASiC containers.
func TestCorpus(t *testing.T) {
	root := cmp.Or(os.Getenv("PECTOKEN_CORPUS"), "../../../shared/corpus")
	files, _ := filepath.Glob(filepath.Join(root, "*", "*"))
	if len(files) == 0 {
		t.Skip("corpus not here: set PECTOKEN_CORPUS to its folder")
	}
	tokens := 0
	for _, file := range files {
		for _, f := range tokensIn(file) {
			tokens++
			token, err := timestamp.Parse(f.raw)
			if err != nil {
				t.Errorf("%s, %s: %v", filepath.Base(file), f.where, err)
				continue
			}
			check := token.Check()
			if why := check.Err(); why != nil && !check.Has(odd[filepath.Base(file)]) {
				t.Errorf("%s, %s: %v", filepath.Base(file), f.where, why)
			}
			if covers, err := token.Covers(bytes.NewReader(f.over)); f.over != nil && (err != nil || !covers) {
				t.Errorf("%s, %s: over something else, %v", filepath.Base(file), f.where, err)
			}
		}
	}
	if tokens < 50 {
		t.Errorf("%d tokens were found: the test looks in the wrong place", tokens)
	}
}

func tokensIn(file string) []found {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil // a folder
	}
	if strings.HasPrefix(string(content), "PK") {
		return tokensInZip(content)
	}
	sd, err := cms.Read(bytes.NewReader(content), cms.ReadOptions{})
	if err != nil {
		return nil
	}
	return tokensInSignature(sd)
}

func tokensInSignature(sd *cms.SignedData) (list []found) {
	for _, s := range sd.Signers {
		for _, a := range s.UnsignedAttributes {
			if a.Type.Equal(oidSignatureTimestamp) {
				for _, v := range a.Values {
					list = append(list, found{"signature-time-stamp", unwrapped(v), s.Signature})
				}
			}
		}
	}
	return list
}

// unwrapped takes off the OCTET STRING that two files of one German producer have
// around their tokens.
func unwrapped(value []byte) []byte {
	var inside []byte
	if _, err := asn1.Unmarshal(value, &inside); err == nil {
		return inside
	}
	return value
}

func tokensInZip(content []byte) (list []found) {
	z, err := zip.NewReader(bytes.NewReader(content), int64(len(content)))
	if err != nil {
		return nil
	}
	for _, entry := range z.File {
		r, err := entry.Open()
		if err != nil {
			continue
		}
		inside, _ := io.ReadAll(io.LimitReader(r, 1<<20))
		_ = r.Close()
		switch timestamp.Recognize(bytes.NewReader(inside)) {
		case timestamp.TST:
			list = append(list, found{where: entry.Name, raw: inside})
		case timestamp.Unknown:
			if sd, err := cms.Read(bytes.NewReader(inside), cms.ReadOptions{}); err == nil {
				list = append(list, tokensInSignature(sd)...)
			}
		}
	}
	return list
}
