// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"crypto/x509"
	"encoding/hex"
	"strings"
	"time"

	"github.com/pectoken/pectoken/cns"
	cnscard "github.com/pectoken/pectoken/cns/card"
)

// cnsCertificateJSON is the certificate of cns show.
type cnsCertificateJSON struct {
	Kind          cns.Kind    `json:"kind"`
	Reasons       []string    `json:"reasons"`
	Subject       string      `json:"subject"`
	Issuer        string      `json:"issuer"`
	CodiceFiscale *codiceJSON `json:"codiceFiscale"` // null: none in it
	CardNumber    string      `json:"cardNumber,omitempty"`
	Hash          string      `json:"hash,omitempty"`
	Policies      []string    `json:"policies"`
	NotBefore     time.Time   `json:"notBefore"`
	NotAfter      time.Time   `json:"notAfter"`
	SHA256        string      `json:"sha256"`
}

// codiceJSON is a codice fiscale and what it says.
type codiceJSON struct {
	Code    string `json:"code"`
	Year    int    `json:"year,omitempty"` // the last two digits
	Month   int    `json:"month,omitempty"`
	Day     int    `json:"day,omitempty"`
	Sex     string `json:"sex,omitempty"`
	Place   string `json:"place,omitempty"`
	Omocode bool   `json:"omocode"`
}

// personalDataJSON is EF_DatiPersonali. Dates are days.
type personalDataJSON struct {
	IssuerCode    string   `json:"issuerCode,omitempty"`
	Issued        string   `json:"issued,omitempty"`
	Expires       string   `json:"expires,omitempty"`
	Surname       string   `json:"surname,omitempty"`
	Name          string   `json:"name,omitempty"`
	Born          string   `json:"born,omitempty"`
	Sex           string   `json:"sex,omitempty"`
	CodiceFiscale string   `json:"codiceFiscale,omitempty"`
	Citizenship   string   `json:"citizenship,omitempty"`
	BirthPlace    string   `json:"birthPlace,omitempty"`
	Residence     string   `json:"residence,omitempty"`
	Address       string   `json:"address,omitempty"`
	Warnings      []string `json:"warnings,omitempty"`
}

func describeCNSCertificate(c *x509.Certificate) *cnsCertificateJSON {
	if c == nil {
		return nil
	}
	d := &cnsCertificateJSON{
		Subject: cns.DistinguishedName(c.Subject), Issuer: cns.DistinguishedName(c.Issuer), Policies: []string{},
		NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(), SHA256: fingerprint(c.Raw),
	}
	d.Kind, d.Reasons = cns.Classify(c)
	for _, policy := range c.Policies {
		d.Policies = append(d.Policies, policy.String())
	}
	if code, ok := cns.CodiceFiscale(c); ok {
		d.CodiceFiscale = describeCode(code)
	}
	if name, err := cns.ParseCommonName(c.Subject.CommonName); err == nil {
		d.CardNumber, d.Hash = name.CardID, name.Hash
	}
	return d
}

func describeCode(code string) *codiceJSON {
	parts, err := cns.ParseCodiceFiscale(code)
	if err != nil || parts.Provisional {
		return &codiceJSON{Code: code}
	}
	return &codiceJSON{
		Code: parts.Code, Year: parts.Year, Month: int(parts.Month), Day: parts.Day,
		Sex: sexWord(parts.Sex), Place: parts.Place, Omocode: parts.Omocode,
	}
}

func sexWord(s cns.Sex) string {
	return map[cns.Sex]string{cns.Male: "male", cns.Female: "female"}[s]
}

func describeCard(c *card, facts *cnscard.Facts) cnsCardJSON {
	d := cnsCardJSON{ID: facts.CardID, Source: facts.Source.String(), Reader: facts.Reader, ATR: hex.EncodeToString(facts.ATR)}
	if atr, err := cns.ParseATR(facts.ATR); err == nil {
		chip, _ := cns.ChipOf(atr)
		d.Chip = chip.Name
	}
	if c != nil {
		d.Token, d.Serial, d.Module = c.Label, c.Serial, c.module
		if d.Reader == "" {
			d.Reader = c.Reader
		}
	}
	return d
}

func describePersonalData(p *cns.PersonalData) *personalDataJSON {
	if p == nil {
		return nil
	}
	return &personalDataJSON{
		IssuerCode: p.IssuerCode, Issued: dateOf(p.Issued), Expires: dateOf(p.Expires), Surname: p.Surname, Name: p.Name,
		Born: dateOf(p.Born), Sex: sexWord(p.Sex), CodiceFiscale: p.CodiceFiscale, Citizenship: p.Citizenship,
		BirthPlace: p.BirthPlace, Residence: p.Residence, Address: p.Address, Warnings: p.Warnings,
	}
}

// dateOf is a day, empty for the zero time.
func dateOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}

// crossChecks compares what the card, its certificate and its token say.
func crossChecks(c *card, facts *cnscard.Facts, certificate *x509.Certificate) []cnsCheckJSON {
	if certificate == nil {
		return nil
	}
	name, _ := cns.ParseCommonName(certificate.Subject.CommonName) // of another form: all is empty, and compares to nothing
	ids := cns.CardIDs{Card: facts.CardID, CommonName: name.CardID}
	if c != nil {
		ids.Token = c.Serial
	}
	same, findings := cns.SameCard(ids)
	checks := []cnsCheckJSON{{"cardNumber", same, findingsText(findings, "there is nothing to compare")}}
	if facts.PersonalData == nil {
		return checks
	}
	code, _ := cns.CodiceFiscale(certificate)
	if name.Hash != "" {
		checks = append(checks, hashCheck(name, facts.PersonalData))
	}
	return append(checks,
		holderCheck("dataHolder", cns.CompareCodes(facts.PersonalData.CodiceFiscale, code), "the personal data and the certificate"))
}

func hashCheck(name cns.CommonName, data *cns.PersonalData) cnsCheckJSON {
	matched := map[cns.HashInput]string{
		cns.HashOfFile:    "the hash in the certificate is that of the whole file of personal data",
		cns.HashOfContent: "the hash in the certificate is that of the personal data, without padding",
		cns.HashOfFields:  "the hash in the certificate is that of the fields of the personal data",
	}
	if text, ok := matched[name.MatchHash(data.Raw)]; ok {
		return cnsCheckJSON{"dataHash", cns.Yes, text}
	}
	return cnsCheckJSON{"dataHash", cns.AnswerUnknown, "the hash in the certificate is of no known reading of the personal data, which proves nothing"}
}

func holderCheck(check string, match cns.HolderMatch, of string) cnsCheckJSON {
	switch match {
	case cns.SameHolder:
		return cnsCheckJSON{check, cns.Yes, of + " have the same codice fiscale"}
	case cns.OtherHolder:
		return cnsCheckJSON{check, cns.No, of + " have different codici fiscali"}
	case cns.OmocodeHint:
		return cnsCheckJSON{check, cns.AnswerUnknown, of + " have codici fiscali that differ only by omocodia"}
	}
	return cnsCheckJSON{check, cns.AnswerUnknown, of + " can't be compared: a codice fiscale is missing"}
}

// signatureHolder compares the holders of the two certificates of a card.
func signatureHolder(authentication *x509.Certificate, signature *candidate) []cnsCheckJSON {
	if signature == nil || authentication == nil || authentication.Equal(signature.X509) {
		return nil
	}
	match := cns.CompareHolders(authentication, signature.X509)
	return []cnsCheckJSON{holderCheck("signatureHolder", match, "this certificate and the one for signatures")}
}

func findingsText(findings []cns.Finding, none string) string {
	var texts []string
	for _, f := range findings {
		texts = append(texts, f.Text)
	}
	if len(texts) == 0 {
		return none
	}
	return strings.Join(texts, "; ")
}
