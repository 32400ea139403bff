// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"fmt"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/judges"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// archived are the ways to sign a file that must stay what it is.
var archived = map[string]func(*SignOptions){
	"invisible": func(*SignOptions) {},
	"text": func(o *SignOptions) {
		o.Reason, o.Location, o.Appearance = "così è", "Roma", &Appearance{Border: true}
	},
	"picture": func(o *SignOptions) {
		o.Appearance = &Appearance{Picture: []byte(sealSVG), Lines: []string{"{name}"}, QR: "{name}"}
	},
	"certified": func(o *SignOptions) { o.Certify = NoChanges },
	"locked":    func(o *SignOptions) { o.Lock = &FieldLock{Action: LockAll} },
}

// TestInteropArchives: PDF/A stays PDF/A, and PDF/UA stays PDF/UA, in whatever way it is
// signed, and at whatever level.
func TestInteropArchives(t *testing.T) {
	judge := judges.NeedVeraPDF(t)
	for _, producer := range judges.Archives() {
		t.Run(producer.Name, func(t *testing.T) {
			judges.Need(t, producer.Tool)
			file, err := producer.Make(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			conforms(t, judge, "as it was", producer.Name, file)
			for name, ask := range archived {
				o := options(t, pki.Signer)
				ask(&o)
				signed := mustSign(t, file, o)
				conforms(t, judge, name, producer.Name, signed)
				if o.Certify == NotCertified && o.Lock == nil {
					conforms(t, judge, name+", and once more", producer.Name, mustSign(t, signed, options(t, pki.SignerP256)))
				}
			}
			o := options(t, pki.Signer)
			o.Appearance = &Appearance{Page: -1}
			conforms(t, judge, "on the last page, and once more", producer.Name, mustSign(t, mustSign(t, file, o), options(t, pki.SignerP256)))
			for i, level := range newLasting(t, time.Now()).levels(t, file) {
				conforms(t, judge, fmt.Sprint(i, level.name), producer.Name, level.file)
			}
		})
	}
}

func conforms(t *testing.T, judge *judges.VeraPDF, name, flavour string, file []byte) {
	t.Helper()
	found, err := judge.Validate(t.Context(), save(t, "archive.pdf", file))
	if err != nil || found.Flavour != flavour || len(found.Broken) > 0 {
		t.Errorf("%s: %+v, %v, want a good %s", name, found, err, flavour)
	}
}
