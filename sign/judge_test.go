// SPDX-License-Identifier: Apache-2.0

package sign_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

func save(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestDSSJudgesLevels: DSS finds the level that was made, today, when the signer's
// certificate has ended since, and when those of the first time-stamp authority has too:
// the worlds are older each time, as its clock is ours. It asks nobody, and believes an
// OCSP response whose responder's certificate has ended only under an archive timestamp.
func TestDSSJudgesLevels(t *testing.T) {
	dss := judges.NeedDSS(t)
	const good, open = "TOTAL_PASSED", "INDETERMINATE"
	formats := []struct {
		format   sign.Format
		document []byte
	}{{sign.CAdES, []byte("un atto")}, {sign.PAdES, documents.Plain()}}
	for name, c := range map[string]struct {
		age     int       // years since the signature
		renewed []int     // B-LTA, so many years ago
		want    [4]string // for each level
	}{
		"today":                     {0, []int{0, 0}, [4]string{good, good, good, good}},
		"after the signer's end":    {3, []int{3, 1}, [4]string{open, open, open, good}},
		"after the authority's end": {6, []int{4, 2}, [4]string{open, open, open, good}},
	} {
		for _, f := range formats {
			t.Run(f.format.String()+" "+name, func(t *testing.T) {
				w := newWorldAt(t, time.Now().AddDate(-c.age, 0, 0))
				root := save(t, "root.pem", w.people.RootPEM())
				var files [4][]byte
				for i, level := range levels {
					o := w.options(t, level)
					o.Format = f.format
					files[i] = signed(t, f.document, o)
				}
				for _, ago := range c.renewed {
					w.sleep(time.Now().AddDate(-ago, 0, 0).Sub(w.now))
					if c.age > 5 {
						w.server.Configure(func(c *authority.Config) { c.TSA.Signer = w.laterTSA(t, time.Now().AddDate(1, 0, 0)) })
					}
					files[sign.LevelLTA] = extended(t, files[sign.LevelLTA], nil, w.options(t, sign.LevelLTA))
				}
				for i, level := range levels {
					found, err := dss.Validate(t.Context(), judges.Ask{File: save(t, "atto", files[i]), Trust: root})
					if err != nil || len(found) != 1 {
						t.Fatalf("%v: %d signatures, %v", level, len(found), err)
					}
					want := f.format.String() + "-BASELINE-" + level.String()[2:]
					if s := found[0]; s.Level != want || s.Indication != c.want[i] || !s.Intact || !s.Valid {
						t.Errorf("want %s %s: %+v", want, c.want[i], s)
					}
				}
			})
		}
	}
}

// TestOpenSSLVerifiesTimestamps: openssl accepts the token of each timestamp.
func TestOpenSSLVerifiesTimestamps(t *testing.T) {
	judges.Need(t, "openssl")
	w := newWorldAt(t, time.Now())
	root, chain := save(t, "root.pem", w.people.RootPEM()), save(t, "chain.pem", w.people.Must(t, pki.TSA).ChainPEM())
	file := extended(t, signed(t, []byte("un atto"), w.options(t, sign.LevelLTA)), nil, w.options(t, sign.LevelLTA))
	sd, err := cms.Read(bytes.NewReader(file), cms.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	stamps := sd.Signers[0].Timestamps()
	if len(stamps) != 3 {
		t.Fatalf("%d timestamps", len(stamps))
	}
	for i, stamp := range stamps {
		imprint := fmt.Sprintf("%x", imprintOf(t, stamp.Token))
		out, err := exec.CommandContext(t.Context(), "openssl", "ts", "-verify", "-digest", imprint, "-token_in",
			"-in", save(t, "token", stamp.Token), "-CAfile", root, "-untrusted", chain).CombinedOutput()
		if err != nil {
			t.Errorf("timestamp %d: %v\n%s", i+1, err, out)
		}
	}
}
