// SPDX-License-Identifier: Apache-2.0

package token

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestParseURI(t *testing.T) {
	cases := []struct {
		text   string
		name   string
		want   string // of the attribute name
		string string // "": the text itself
	}{
		{"pkcs11:", "token", "", ""},
		{"PKCS11:token=Firma", "token", "Firma", "pkcs11:token=Firma"},
		{"pkcs11:token=MARIO%20ROSSI%20%28PIN%20CNS1%29;id=%10;type=private", "token", "MARIO ROSSI (PIN CNS1)",
			"pkcs11:token=MARIO%20ROSSI%20%28PIN%20CNS1%29;type=private;id=%10"},
		{"pkcs11:id=DS0", "id", "DS0", "pkcs11:id=%44%53%30"},
		{"pkcs11:id=%00%ff", "id", "\x00\xff", "pkcs11:id=%00%FF"},
		{"pkcs11:object=a:[]@!$'()*+,=&b", "object", "a:[]@!$'()*+,=&b", "pkcs11:object=a%3A%5B%5D%40%21%24%27%28%29%2A%2B%2C%3D%26b"},
		{"pkcs11:serial=6090%c3%a8;slot-id=3;library-version=2.40", "serial", "6090è", "pkcs11:serial=6090%C3%A8;library-version=2.40;slot-id=3"},
		{"pkcs11:token=", "token", "", ""},
		{"pkcs11:?module-path=/usr/lib/libbit4xpki.so", "module-path", "/usr/lib/libbit4xpki.so", "pkcs11:?module-path=%2Fusr%2Flib%2Flibbit4xpki.so"},
		{"pkcs11:token=a?module-name=bit4xpki&x-other=1&x-other=2&pin-value=123456", "module-name", "bit4xpki", "pkcs11:token=a?module-name=bit4xpki"},
		{"pkcs11:?pin-source=file:/etc/pin%20file", "pin-source", "file:/etc/pin file", "pkcs11:"},
	}
	for _, c := range cases {
		u, err := ParseURI(c.text)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		got, _ := u.Get(c.name)
		if c.string == "" {
			c.string = c.text
		}
		if got != c.want || u.String() != c.string {
			t.Errorf("%s: %q, %s", c.text, got, u)
		}
	}
}

func TestParseURIRefuses(t *testing.T) {
	cases := []struct{ text, want string }{
		{"", "does not begin"}, {"pkcs11", "does not begin"}, {"http://x", "does not begin"},
		{"pkcs11:token=a;token=b", `attribute "token" stands twice`},
		{"pkcs11:tokn=a", `unknown attribute "tokn"`},
		{"pkcs11:token=a;", `unknown attribute ""`},
		{"pkcs11:token", `"token" has no value`},
		{"pkcs11:token=a%2", "without two hexadecimal digits at character 2"},
		{"pkcs11:token=a%zz", "without two hexadecimal digits"},
		{"pkcs11:token=a%", "without two hexadecimal digits"},
		{"pkcs11:token=a b", "character 2 must be percent-encoded"},
		{"pkcs11:token=a/b", "character 2 must be"},
		{"pkcs11:token=a#b", "character 2 must be"},
		{"pkcs11:token=%ff", "not UTF-8"},
		{"pkcs11:type=key", `type "key" is not one of public`},
		{"pkcs11:slot-id=x", "slot-id"}, {"pkcs11:slot-id=-1", "slot-id"}, {"pkcs11:slot-id=", "slot-id"},
		{"pkcs11:library-version=2.", "library-version"}, {"pkcs11:library-version=256", "library-version"}, {"pkcs11:library-version=2.4.0", "library-version"},
		{"pkcs11:?module-name=a&module-name=b", `"module-name" stands twice`},
		{"pkcs11:?pin-value=" + rightPIN + "&pin-source=x", "exclude each other"},
		{"pkcs11:?pin-value=" + rightPIN + "&pin-value=x", `"pin-value" stands twice`},
		{"pkcs11:?pin-value=" + rightPIN + "%", "without two hexadecimal digits"},
		{"pkcs11:?pin-value=" + rightPIN + "%ff", "not UTF-8"},
		{"pkcs11:?pin-value=" + rightPIN + "é", "must be percent-encoded"},
		{"pkcs11:?pin-value", "no value"},
	}
	for _, c := range cases {
		_, err := ParseURI(c.text)
		if discreet(t, err) == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", c.text, err, c.want)
		}
	}
}

// TestURIHidesPIN prints a URI in every way.
func TestURIHidesPIN(t *testing.T) {
	u, err := ParseURI("pkcs11:token=Firma?pin-value=" + rightPIN)
	if err != nil || string(u.PIN()) != rightPIN {
		t.Fatalf("PIN %q, %v", u.PIN(), err)
	}
	source, err := ParseURI("pkcs11:token=Firma?pin-source=/run/" + rightPIN)
	if err != nil || source.PIN() != nil {
		t.Fatal(err)
	}
	for _, u := range []URI{u, source} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
			for _, v := range []any{u, &u, []URI{u}, struct{ U URI }{u}} {
				if text := fmt.Sprintf(verb, v); strings.Contains(text, rightPIN) || !strings.Contains(text, "pkcs11:token=Firma") {
					t.Errorf("%s prints %s", verb, text)
				}
			}
		}
	}
	if _, ok := u.Get("pin-value"); ok {
		t.Error("the PIN is an attribute")
	}
	u.PIN()[0] = 'x'
	if string(u.PIN()) != rightPIN {
		t.Error("the PIN is lent")
	}
}

func TestURIMatches(t *testing.T) {
	info := Info{Slot: 3, Reader: "Virtual PCD 00 00", ReaderMaker: "Virtual", Label: "MARIO ROSSI", Serial: "6090", Model: "PKCS#15", Manufacturer: "Oberthur"}
	certificate := &Certificate{ID: []byte("DS0"), Label: "DS0 certificate"}
	library := Library{Manufacturer: "OpenSC Project", Description: "OpenSC smartcard framework", Version: "0.23"}
	module := filepath.Join(t.TempDir(), "libBit4xPKI.so.1.2")
	if err := os.WriteFile(module, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	all := func(text string) bool {
		u, err := ParseURI(text)
		if err != nil {
			t.Fatal(err)
		}
		return u.MatchToken(info) && u.MatchCertificate(certificate) && u.MatchLibrary(library) && u.MatchModule(module)
	}
	yes := []string{
		"", "token=MARIO%20ROSSI", "token=MARIO%20ROSSI%20%20%20", "serial=6090;model=PKCS%2315;manufacturer=Oberthur", "slot-id=3",
		"slot-description=Virtual%20PCD%2000%2000;slot-manufacturer=Virtual", "id=%44%53%30", "id=DS0;object=DS0%20certificate;type=cert",
		"id=DS0;type=private", "type=public", "library-version=0.23;library-manufacturer=OpenSC%20Project",
		"library-description=OpenSC%20smartcard%20framework", "?module-name=bit4xpki", "?module-path=" + filepath.ToSlash(module),
		"?module-path=" + filepath.ToSlash(filepath.Dir(module)) + "&module-name=BIT4XPKI",
	}
	no := []string{
		"token=mario%20rossi", "token=", "serial=609", "model=x", "manufacturer=x", "slot-id=4", "slot-description=x", "slot-manufacturer=x",
		"id=%44%53", "id=", "object=DS0", "type=data", "type=secret-key", "library-version=0", "library-version=0.24", "library-manufacturer=x",
		"library-description=x", "?module-name=libbit4xpki", "?module-name=opensc-pkcs11", "?module-path=/nowhere",
	}
	for _, text := range yes {
		if !all("pkcs11:" + text) {
			t.Errorf("%q does not match", text)
		}
	}
	for _, text := range no {
		if all("pkcs11:" + text) {
			t.Errorf("%q matches", text)
		}
	}
	if u, err := ParseURI("pkcs11:library-version=2"); err != nil || !u.MatchLibrary(Library{Version: "2.0"}) {
		t.Errorf("version 2: %v", err)
	}
}

func TestLibrary(t *testing.T) {
	each(t, []tokenOf{firma(t)}, func(t *testing.T, m *Module) {
		l, err := m.Library(t.Context())
		if err != nil || l.Manufacturer == "" || l.Description == "" || l.Version != "2.6" {
			t.Errorf("%+v, %v", l, err)
		}
	})
}

// FuzzParseURI reads what it wrote, and never prints a PIN.
func FuzzParseURI(f *testing.F) {
	f.Add("pkcs11:token=Firma;id=%01;type=cert?module-path=/x&pin-value=1234")
	f.Add("pkcs11:object=a:[]@!$'()*+,=&b?pin-source=|cat&x=%")
	f.Fuzz(func(t *testing.T, text string) {
		u, err := ParseURI(text)
		if err != nil {
			return
		}
		again, err := ParseURI(u.String())
		if err != nil || again.String() != u.String() || again.PIN() != nil {
			t.Errorf("%q becomes %q: %v", text, u, err)
		}
	})
}
