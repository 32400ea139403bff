// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"slices"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// level is a document at one level of PAdES.
type level struct {
	name   string // as DSS calls it
	file   []byte
	stamps int // document timestamps
}

// levels makes all levels of a document, LTA renewed twice.
func (l lasting) levels(t *testing.T, file []byte) []level {
	levelT, levelLT, levelLTA := l.raise(t, file, pki.Signer, "")
	renewed := mustExtend(t, levelLTA, ExtendOptions{ValidationData: l.data(t, pki.TSA), Stamp: l.stamp})
	again := mustExtend(t, renewed, ExtendOptions{ValidationData: l.data(t, pki.TSAP256), Stamp: l.stamp})
	return []level{
		{"PAdES-BASELINE-T", levelT, 0}, {"PAdES-BASELINE-LT", levelLT, 0},
		{"PAdES-BASELINE-LTA", levelLTA, 1}, {"PAdES-BASELINE-LTA", renewed, 2}, {"PAdES-BASELINE-LTA", again, 3},
	}
}

// TestDSSJudgesLevels: DSS finds the level that was made, and nothing to object to. It
// is allowed what it says of the signature alone: 6.4 moves a note that has no
// appearance when it draws it, and then finds its place changed.
func TestDSSJudgesLevels(t *testing.T) {
	dss := judges.NeedDSS(t)
	l := newLasting(t, time.Now())
	root := save(t, "root.pem", l.RootPEM())
	for _, doc := range documents.All() {
		t.Run(doc.Name, func(t *testing.T) {
			var allowed []string
			for i, level := range l.levels(t, doc.PDF) {
				found, err := dss.Validate(t.Context(), judges.Ask{File: save(t, "raised.pdf", level.file), Trust: root})
				if err != nil || len(found) != 1 {
					t.Fatalf("%s: %d signatures, %v", level.name, len(found), err)
				}
				s := found[0]
				if s.Level != level.name || s.Indication != "TOTAL_PASSED" || !s.Intact || !s.Valid || len(s.Errors) > 0 {
					t.Errorf("want a %s with %d timestamps: %+v", level.name, level.stamps, s)
				}
				if i == 0 {
					allowed = s.PDF.FormChanges
				}
				if p := s.PDF; !p.ByteRangeValid || !p.DictionaryConsistent || len(p.UndefinedChanges)+len(p.AnnotationChanges) > 0 || !slices.Equal(p.FormChanges, allowed) {
					t.Errorf("%s with %d timestamps: %+v", level.name, level.stamps, p)
				}
			}
		})
	}
}

// TestPyHankoJudgesLevels: pyHanko takes what was added since for what keeps a
// signature valid, and accepts each timestamp. It is lenient on two documents, as
// they are before we sign.
func TestPyHankoJudgesLevels(t *testing.T) {
	pyHanko := judges.NeedPyHanko(t)
	l := newLasting(t, time.Now())
	root := save(t, "root.pem", l.RootPEM())
	for _, doc := range documents.All() {
		t.Run(doc.Name, func(t *testing.T) {
			lenient := slices.Contains([]string{"hybrid", "generations"}, doc.Name)
			for _, level := range l.levels(t, doc.PDF) {
				found, err := pyHanko.Validate(t.Context(), judges.Ask{File: save(t, "raised.pdf", level.file), Trust: root, Lenient: lenient})
				if err != nil || len(found) != 1+level.stamps {
					t.Fatalf("%s: %d signatures, %v", level.name, len(found), err)
				}
				for i, s := range found {
					coverage, changes := "ENTIRE_REVISION", "LTA_UPDATES"
					if i == level.stamps && level.name != "PAdES-BASELINE-LT" {
						coverage, changes = "ENTIRE_FILE", "NONE"
					}
					if !s.Accepted || !s.Intact || s.Timestamp != (i > 0) || s.Coverage != coverage || s.Modification != changes {
						t.Errorf("%s with %d timestamps: %+v", level.name, level.stamps, s)
					}
				}
			}
		})
	}
}
