// SPDX-License-Identifier: Apache-2.0

package token

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// URI is a PKCS#11 URI of RFC 7512: it says which module, token and object are
// meant, by attributes that must all match. The zero value matches everything.
//
// Whatever prints a URI leaves the PIN out.
type URI struct {
	path  map[string]string // percent-decoded, by the names of RFC 7512
	query map[string]string
}

// Attributes of RFC 7512, section 2.3.
var (
	uriPath = []string{
		"token", "manufacturer", "serial", "model", "library-manufacturer", "library-version", "library-description",
		"object", "type", "id", "slot-manufacturer", "slot-description", "slot-id",
	}
	uriQuery = []string{"module-name", "module-path", "pin-source", "pin-value"}
)

// uriTypes are the values of the attribute type.
var uriTypes = []string{"public", "private", "cert", "secret-key", "data"}

// ParseURI reads a PKCS#11 URI (RFC 7512, section 2.3). An attribute that stands twice
// is an error. So is an unknown one in the path, since it could match nothing; unknown
// ones in the query are passed over, as section 2.3 wants. Errors hold nothing of the
// query but names of known attributes.
func ParseURI(text string) (URI, error) {
	u, err := parseURI(text)
	if err != nil {
		return URI{}, fmt.Errorf("reading PKCS#11 URI: %w", err)
	}
	return u, nil
}

func parseURI(text string) (u URI, err error) {
	scheme, rest, ok := strings.Cut(text, ":")
	if !ok || !strings.EqualFold(scheme, "pkcs11") {
		return u, errors.New(`it does not begin with "pkcs11:"`)
	}
	path, query, _ := strings.Cut(rest, "?")
	if u.path, err = uriAttributes(path, ";", uriPath, pathCharacters); err != nil {
		return u, err
	}
	if u.query, err = uriAttributes(query, "&", uriQuery, queryCharacters); err != nil {
		return u, err
	}
	return u, u.check()
}

// Characters that may stand for themselves: pk11-path-res-avail and
// pk11-query-res-avail of RFC 7512, section 2.3, and in paths "&".
const (
	pathCharacters  = ":[]@!$'()*+,=&"
	queryCharacters = ":[]@!$'()*+,=/?|"
)

// uriAttributes reads attributes of known names. Unknown ones are an error in the
// path.
func uriAttributes(text, divider string, known []string, characters string) (map[string]string, error) {
	attributes := map[string]string{}
	if text == "" {
		return attributes, nil
	}
	inPath := divider == ";"
	for part := range strings.SplitSeq(text, divider) {
		name, value, ok := strings.Cut(part, "=")
		_, twice := attributes[name]
		switch {
		case !slices.Contains(known, name) && inPath:
			return nil, fmt.Errorf("unknown attribute %q", name)
		case !slices.Contains(known, name):
			continue
		case !ok:
			return nil, fmt.Errorf("attribute %q has no value", name)
		case twice:
			return nil, fmt.Errorf("attribute %q stands twice", name)
		}
		decoded, err := uriDecode(value, characters)
		if err != nil {
			return nil, fmt.Errorf("attribute %q: %w", name, err)
		}
		attributes[name] = decoded
	}
	return attributes, nil
}

// uriDecode undoes percent-encoding.
func uriDecode(value, characters string) (string, error) {
	var decoded strings.Builder
	for i := 0; i < len(value); i++ {
		c := value[i]
		switch {
		case c == '%':
			b, err := strconv.ParseUint(value[i+1:min(i+3, len(value))], 16, 8)
			if err != nil || i+2 >= len(value) {
				return "", fmt.Errorf("%% without two hexadecimal digits at character %d", i+1)
			}
			c = byte(b)
			i += 2
		case !unreserved(c) && strings.IndexByte(characters, c) < 0:
			return "", fmt.Errorf("character %d must be percent-encoded", i+1)
		}
		decoded.WriteByte(c)
	}
	return decoded.String(), nil
}

// unreserved are the characters of RFC 3986, section 2.3.
func unreserved(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("-._~", c) >= 0
}

// check holds the values against what RFC 7512 says of each attribute.
func (u URI) check() error {
	for _, attributes := range []map[string]string{u.path, u.query} {
		for name, value := range attributes {
			if name != "id" && !utf8.ValidString(value) {
				return fmt.Errorf("attribute %q is not UTF-8", name)
			}
		}
	}
	_, pin := u.query["pin-value"]
	_, source := u.query["pin-source"]
	kind, typed := u.path["type"]
	slot, numbered := u.path["slot-id"]
	version, versioned := u.path["library-version"]
	switch {
	case pin && source:
		return errors.New(`attributes "pin-value" and "pin-source" exclude each other`)
	case typed && !slices.Contains(uriTypes, kind):
		return fmt.Errorf("type %q is not one of %s", kind, strings.Join(uriTypes, ", "))
	case numbered && !isNumber(slot, 64):
		return fmt.Errorf("slot-id %q is not a number", slot)
	case versioned && !isVersion(version):
		return fmt.Errorf("library-version %q is not a version such as 2 or 2.40", version)
	}
	return nil
}

func isNumber(text string, bits int) bool {
	_, err := strconv.ParseUint(text, 10, bits)
	return err == nil
}

// isVersion wants one or two numbers of a byte each.
func isVersion(text string) bool {
	major, minor, both := strings.Cut(text, ".")
	return isNumber(major, 8) && (!both || isNumber(minor, 8))
}

// Get returns the value of an attribute by its name in RFC 7512, such as "serial",
// percent-decoded; ok is false if the URI does not have it. The PIN is not an attribute
// in this sense: see [URI.PIN].
func (u URI) Get(name string) (value string, ok bool) {
	if name == "pin-value" {
		return "", false
	}
	if value, ok = u.path[name]; !ok {
		value, ok = u.query[name]
	}
	return value, ok
}

// PIN returns pin-value, nil if the URI has none. The bytes are the caller's own, to
// overwrite.
func (u URI) PIN() []byte {
	if pin, ok := u.query["pin-value"]; ok {
		return []byte(pin)
	}
	return nil
}

// String returns the URI with its attributes in a fixed order, without pin-value and
// pin-source.
func (u URI) String() string {
	text := "pkcs11:" + uriEncode(u.path, uriPath, ";")
	if query := uriEncode(u.query, []string{"module-name", "module-path"}, "&"); query != "" {
		text += "?" + query
	}
	return text
}

// GoString returns what String does, for %#v to hide the PIN too.
func (u URI) GoString() string { return u.String() }

func uriEncode(attributes map[string]string, names []string, divider string) string {
	var parts []string
	for _, name := range names {
		if value, ok := attributes[name]; ok {
			parts = append(parts, name+"="+percentEncoded(value, name == "id"))
		}
	}
	return strings.Join(parts, divider)
}

// percentEncoded encodes all but unreserved characters, or, as RFC 7512 wants it of
// id, all.
func percentEncoded(value string, all bool) string {
	var encoded strings.Builder
	for i := range len(value) {
		if c := value[i]; unreserved(c) && !all {
			encoded.WriteByte(c)
		} else {
			fmt.Fprintf(&encoded, "%%%02X", c)
		}
	}
	return encoded.String()
}

// is says whether an attribute of the path is absent or has a value, as texts of
// cards are compared: without padding.
func (u URI) is(name, value string) bool {
	want, ok := u.path[name]
	return !ok || clean(want) == value
}

// MatchToken says whether the URI's attributes of token and slot fit a token. A
// slot-id is a number of the moment; serial and token are what to use.
func (u URI) MatchToken(i Info) bool {
	slot, numbered := u.path["slot-id"]
	n, _ := strconv.ParseUint(slot, 10, 64) // ParseURI has checked it
	return u.is("token", i.Label) && u.is("serial", i.Serial) && u.is("model", i.Model) && u.is("manufacturer", i.Manufacturer) &&
		u.is("slot-description", i.Reader) && u.is("slot-manufacturer", i.ReaderMaker) && (!numbered || n == uint64(i.Slot))
}

// MatchCertificate says whether the URI's attributes of the object fit a certificate,
// or the key of a certificate if its type is private or public: keys and certificates
// that belong together have the same id, and what object says is compared with the
// certificate's label.
func (u URI) MatchCertificate(c *Certificate) bool {
	if kind, ok := u.path["type"]; ok && kind != "cert" && kind != "private" && kind != "public" {
		return false
	}
	id, named := u.path["id"]
	return u.is("object", c.Label) && (!named || id == string(c.ID))
}

// MatchLibrary says whether the URI's attributes of the library fit what a module says
// about itself.
func (u URI) MatchLibrary(l Library) bool {
	version, ok := u.path["library-version"]
	if major, minor, both := strings.Cut(version, "."); ok && (!both || minor == "") {
		version = major + ".0"
	}
	return u.is("library-manufacturer", l.Manufacturer) && u.is("library-description", l.Description) && (!ok || version == l.Version)
}

// MatchModule says whether module-path and module-name fit the file of a module.
// module-path is a file or a folder, module-name a file name without "lib" and without
// its ending, in upper or lower case.
func (u URI) MatchModule(path string) bool {
	if name, ok := u.query["module-name"]; ok && !strings.EqualFold(name, moduleName(path)) {
		return false
	}
	want, ok := u.query["module-path"]
	return !ok || sameFile(want, path) || sameFile(want, filepath.Dir(path))
}

// moduleName is the name of a module as RFC 7512 has it.
func moduleName(path string) string {
	name := filepath.Base(path)
	if stem, _, ok := strings.Cut(name, ".so"); ok {
		name = stem
	}
	name = strings.TrimSuffix(name, filepath.Ext(name))
	return strings.TrimPrefix(name, "lib")
}

func sameFile(a, b string) bool {
	if filepath.Clean(a) == filepath.Clean(b) {
		return true
	}
	first, err := os.Stat(a)
	if err != nil {
		return false
	}
	second, err := os.Stat(b)
	return err == nil && os.SameFile(first, second)
}
