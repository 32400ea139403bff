// SPDX-License-Identifier: Apache-2.0

package virtualcard_test

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/softhsm-fixtures/virtualcard"
)

// authority is made once, for the keys of all cards.
var authority = pki.New(time.Now())

// unhex reads hexadecimal digits with spaces between them.
func unhex(t testing.TB, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(digits, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// exchange is a command and the answer to expect, in hexadecimal digits.
type exchange struct{ command, answer string }

func run(t *testing.T, c *virtualcard.Card, exchanges ...exchange) {
	t.Helper()
	for i, e := range exchanges {
		if got := c.Transmit(unhex(t, e.command)); !bytes.Equal(got, unhex(t, e.answer)) {
			t.Fatalf("command %d, %s: the answer is % X, want %s", i+1, e.command, got, e.answer)
		}
	}
}

const (
	pin      = "31 32 33 34 35 36 37 38"
	puk      = "38 37 36 35 34 33 32 31"
	wrong    = "39 39 39 39 39 39 39 39"
	newPIN   = "35 34 33 32 31 FF FF FF"
	signPIN  = "31 31 32 32 33 33 34 34"
	verify   = "00 20 00 10 08 "
	change   = "00 24 00 10 10 "
	unblock  = "00 2C 00 10 10 "
	triesOf2 = "63 C2"
	triesOf1 = "63 C1"
	ok       = "90 00"
	blocked  = "69 83"
)

func TestATR(t *testing.T) {
	for _, c := range []struct {
		name string
		atr  virtualcard.ATR
		want string
	}{
		{"CNS 1.1", virtualcard.CNS11, "3BFF1800FF8131FE55 006B05050101010101434E531131 80 97"},
		{"CNS 1.0", virtualcard.CNS10, "3BFF1800FF8131FE55 006B05050101010101434E531031 80 96"},
		{"STIncard", virtualcard.STIncard, "3BFF1800FF8131FE55 006B02090101010101434E531131 80 9C"},
		// One that was seen, but for its fourth byte, 00 there, and so the last, 66 there.
		{"in the field", virtualcard.ATR{ICMaker: 2, MaskMaker: 9, Firmware: [2]byte{7, 3}, Version: 0x10}, "3BFF1800FF8131FE55 006B02090703010101434E531031 80 99"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := c.atr.Bytes(); !bytes.Equal(got, unhex(t, c.want)) {
				t.Errorf("got % X, want %s", got, c.want)
			}
		})
	}
}

func TestForeign(t *testing.T) {
	foreign := virtualcard.Foreign()
	if bytes.Contains(foreign.ATR(), []byte("CNS")) {
		t.Errorf("the ATR is % X", foreign.ATR())
	}
	run(t, foreign, exchange{"00 A4 08 0C 04 10 00 10 03", "6D 00"}, exchange{verify + pin, "6D 00"}, exchange{"00", "67 00"})
	if r := foreign.Report(); r.Commands != 3 || r.Verifies() != 0 {
		t.Errorf("it reports %+v", r)
	}
}

func TestFiles(t *testing.T) {
	for _, c := range []struct {
		name      string
		exchanges []exchange
	}{
		{"by path", []exchange{
			{"00 A4 08 0C 04 10 00 10 03", ok},
			{"00 B0 00 00 10", hex.EncodeToString([]byte(pki.CardID)) + ok},
		}},
		{"by path from the root", []exchange{{"00 A4 08 0C 06 3F 00 10 00 10 03", ok}, {"00 B0 00 0E 02", "30 31" + ok}}},
		{"step by step", []exchange{
			{"00 A4 00 0C 02 3F 00", ok}, {"00 A4 00 0C 02 10 00", ok}, {"00 A4 00 0C 02 10 03", ok},
			{"00 B0 00 00 02", "36 30" + ok},
			{"00 A4 00 0C 02 10 03", ok}, // beside itself
			{"00 A4 00 0C 02 11 02", "6A 82"},
		}},
		{"with control information", []exchange{
			{"00 A4 08 00 04 11 00 11 02 00", "6F 16 80 02 01 90 82 01 01 83 02 11 02 86 09 00 FF FF FF FF FF FF FF FF" + ok},
			{"00 A4 09 00 04 11 00 11 02 00", "6F 16 80 02 01 90 82 01 01 83 02 11 02 86 09 00 FF FF FF FF FF FF FF FF" + ok},
			{"00 A4 08 00 02 14 00", "6F 16 80 02 00 00 82 01 38 83 02 14 00 86 09 00 FF FF FF FF FF FF FF FF" + ok},
			{"00 A4 00 00 02 3F 00", "6F 16 80 02 00 00 82 01 38 83 02 3F 00 86 09 00 FF FF FF FF FF FF FF FF" + ok},
		}},
		{"reading", []exchange{
			{"00 B0 00 00 01", "69 86"}, // nothing is selected
			{"00 A4 08 0C 02 10 00", ok},
			{"00 B0 00 00 01", "69 86"}, // a folder
			{"00 A4 08 0C 04 10 00 10 03", ok},
			{"00 B0 00 0F 01", "31" + ok},
			{"00 B0 00 0F 05", "31 62 82"},
			{"00 B0 00 0F 00 10 00", "31 62 82"}, // extended
			{"00 B0 00 10 01", "6B 00"},
			{"00 B0 7F FF 01", "6B 00"},
			{"00 B0 81 00 01", "6A 82"},
		}},
		{"what is not there", []exchange{
			{"00 A4 08 0C 04 10 00 10 09", "6A 82"},
			{"00 A4 04 0C 05 A0 00 00 00 01", "6A 82"},
			{"00 A4 02 0C 02 10 00", "6A 86"},
			{"00 CA 01 00 00", "6D 00"},
			{"80 A4 00 0C 02 3F 00", "6E 00"},
			{"10 A4 00 0C 02 3F 00", "68 84"},
			{"00 A4 08", "67 00"},
			{"00 A4 08 0C 04 10 00", "67 00"},
			{"00 A4 08 0C 00 01 00 10", "67 00"},
		}},
	} {
		t.Run(c.name, func(t *testing.T) { run(t, virtualcard.Make(t, authority), c.exchanges...) })
	}
}

func TestPersonalDataAndCertificates(t *testing.T) {
	c := virtualcard.Make(t, authority)
	for path, want := range map[string][]byte{
		"11 00 11 02": pki.PersonalData(),
		"11 00 11 01": authority.Must(t, pki.CNS).Certificate.Raw,
		"14 00 90 10": authority.Must(t, pki.Signer).Certificate.Raw,
	} {
		run(t, c, exchange{"00 A4 08 0C 04 " + path, ok})
		got := c.Transmit(unhex(t, "00 B0 00 00 00 00 00")) // as much as there is
		if !bytes.Equal(got, append(bytes.Clone(want), 0x62, 0x82)) {
			t.Errorf("%s has %d bytes, want %d", path, len(got), len(want))
		}
	}
}

func TestPIN(t *testing.T) {
	for _, c := range []struct {
		name      string
		exchanges []exchange
		want      virtualcard.SecretReport
	}{
		{"right", []exchange{{verify + pin, ok}}, virtualcard.SecretReport{Value: "12345678", TriesLeft: 3, Verified: 1}},
		{"wrong", []exchange{{verify + wrong, triesOf2}}, virtualcard.SecretReport{Value: "12345678", TriesLeft: 2, Refused: 1}},
		{"right after wrong", []exchange{{verify + wrong, triesOf2}, {verify + pin, ok}},
			virtualcard.SecretReport{Value: "12345678", TriesLeft: 3, Verified: 1, Refused: 1}},
		{"blocked", []exchange{{verify + wrong, triesOf2}, {verify + wrong, triesOf1}, {verify + wrong, blocked}, {verify + pin, blocked}},
			virtualcard.SecretReport{Value: "12345678", Refused: 4}},
		{"by the reference of other masks", []exchange{{"00 20 00 90 08 " + pin, ok}},
			virtualcard.SecretReport{Value: "12345678", TriesLeft: 3, Verified: 1}},
		{"asking costs nothing", []exchange{{"00 20 00 10", "63 C3"}, {verify + wrong, triesOf2}, {"00 20 00 10", triesOf2}, {verify + pin, ok}, {"00 20 00 10", ok}},
			virtualcard.SecretReport{Value: "12345678", TriesLeft: 3, Verified: 1, Refused: 1}},
		{"of a wrong length", []exchange{{"00 20 00 10 04 31 32 33 34", "67 00"}},
			virtualcard.SecretReport{Value: "12345678", TriesLeft: 3, Refused: 1}},
		{"changed", []exchange{{change + pin + newPIN, ok}, {verify + newPIN, ok}, {verify + pin, triesOf2}},
			virtualcard.SecretReport{Value: "54321", TriesLeft: 2, Verified: 1, Refused: 1, Changes: 1}},
		{"not changed", []exchange{{change + wrong + newPIN, triesOf2}, {change + pin + "31 FF FF FF FF FF FF FF", "6A 80"}, {"00 24 00 10 08 " + pin, "67 00"}},
			virtualcard.SecretReport{Value: "12345678", TriesLeft: 3, Changes: 3}},
		{"unblocked", []exchange{
			{verify + wrong, triesOf2}, {verify + wrong, triesOf1}, {verify + wrong, blocked},
			{change + pin + newPIN, blocked},
			{unblock + wrong + newPIN, triesOf2}, {unblock + puk + newPIN, ok}, {verify + newPIN, ok},
		}, virtualcard.SecretReport{Value: "54321", TriesLeft: 3, Verified: 1, Refused: 3, Changes: 1}},
		{"PUK blocked", []exchange{
			{unblock + wrong + newPIN, triesOf2}, {unblock + wrong + newPIN, triesOf1}, {unblock + wrong + newPIN, blocked}, {unblock + puk + newPIN, blocked},
		}, virtualcard.SecretReport{Value: "12345678", TriesLeft: 3}},
		{"unknown reference", []exchange{{"00 20 00 05 08 " + pin, "6A 88"}, {"00 2C 00 11 10 " + puk + newPIN, "6A 88"}, {"00 20 01 10 08 " + pin, "6A 86"}},
			virtualcard.SecretReport{Value: "12345678", TriesLeft: 3}},
	} {
		t.Run(c.name, func(t *testing.T) {
			card := virtualcard.Make(t, authority)
			run(t, card, c.exchanges...)
			if got := card.Report().PIN; got != c.want {
				t.Errorf("it reports %+v, want %+v", got, c.want)
			}
			if got := card.Report().SignaturePIN; got != (virtualcard.SecretReport{Value: "11223344", TriesLeft: 3}) {
				t.Errorf("the other PIN: %+v", got)
			}
		})
	}
}

// padded is the block of a PKCS #1 v1.5 signature (RFC 8017, section 9.2).
func padded(message string) []byte {
	digest := sha256.Sum256([]byte(message))
	info, _ := hex.DecodeString("3031300d060960864801650304020105000420")
	block := append([]byte{0x00, 0x01}, bytes.Repeat([]byte{0xFF}, 256-3-len(info)-len(digest))...)
	return append(append(append(block, 0x00), info...), digest[:]...)
}

// operation is a chain of two commands with the data.
func operation(t *testing.T, parameters string, data []byte) (first, last []byte) {
	t.Helper()
	first = append(unhex(t, "10 2A "+parameters+" FF"), data[:255]...)
	last = append(unhex(t, "00 2A "+parameters), byte(len(data)-255))
	return first, append(append(last, data[255:]...), 0)
}

func TestKeys(t *testing.T) {
	for _, c := range []struct {
		name, prove, choose, parameters string
		prefix                          []byte
		identity                        pki.Name
		want                            virtualcard.Report
	}{
		{"signature", verify + pin, "00 22 F1 B6 03 83 01 01", "9E 9A", nil, pki.CNS, virtualcard.Report{Signatures: 1}},
		{"decipherment", verify + pin, "00 22 F1 B8 03 83 01 01", "80 86", []byte{0}, pki.CNS, virtualcard.Report{Decipherments: 1}},
		{"signature key", "00 20 00 1A 08 " + signPIN, "00 22 F1 B6 03 83 01 10", "9E 9A", nil, pki.Signer, virtualcard.Report{Signatures: 1}},
	} {
		t.Run(c.name, func(t *testing.T) {
			card := virtualcard.Make(t, authority)
			first, last := operation(t, c.parameters, append(bytes.Clone(c.prefix), padded("content")...))
			run(t, card, exchange{"00 22 F3 03 00", ok}, exchange{c.choose, ok},
				exchange{hex.EncodeToString(first), ok}, exchange{hex.EncodeToString(last), "69 82"},
				exchange{c.prove, ok}, exchange{hex.EncodeToString(first), ok})
			answer := card.Transmit(last)
			signature, end := answer[:len(answer)-2], answer[len(answer)-2:]
			digest := sha256.Sum256([]byte("content"))
			public := authority.Must(t, c.identity).Certificate.PublicKey.(*rsa.PublicKey)
			if err := rsa.VerifyPKCS1v15(public, crypto.SHA256, digest[:], signature); err != nil || !bytes.Equal(end, []byte{0x90, 0}) {
				t.Errorf("the answer ends with % X, and the signature: %v", end, err)
			}
			if got := card.Report(); got.Signatures != c.want.Signatures || got.Decipherments != c.want.Decipherments || got.KeyUses() != 1 {
				t.Errorf("it reports %+v", got)
			}
			card.Reset()
			run(t, card, exchange{c.choose, ok}, exchange{hex.EncodeToString(first), ok}, exchange{hex.EncodeToString(last), "69 82"})
		})
	}
}

func TestKeysRefuse(t *testing.T) {
	ones := strings.Repeat("FF", 255)
	for _, c := range []struct {
		name      string
		exchanges []exchange
	}{
		{"without environment", []exchange{{"00 2A 9E 9A 01 00 00", "69 85"}}},
		{"with the other environment", []exchange{{"00 22 F1 B6 03 83 01 01", ok}, {"00 2A 80 86 02 00 01 00", "69 85"}}},
		{"with a short block", []exchange{{"00 22 F1 B6 03 83 01 01", ok}, {"00 2A 9E 9A 01 00 00", "67 00"}}},
		{"with a block as large as the modulus", []exchange{
			{"00 22 F1 B6 03 83 01 01", ok}, {"10 2A 9E 9A FF" + ones, ok}, {"00 2A 9E 9A 01 FF 00", "6A 80"},
		}},
		{"with the PIN of the other key", []exchange{
			{"00 22 F1 B6 03 83 01 10", ok}, {"10 2A 9E 9A FF" + ones, ok}, {"00 2A 9E 9A 01 FF 00", "69 82"},
		}},
		{"with another command between", []exchange{
			{"00 22 F1 B6 03 83 01 01", ok}, {"10 2A 9E 9A FF" + ones, ok}, {"00 20 00 10", ok}, {"00 2A 9E 9A 01 FF 00", "67 00"},
		}},
		{"with an endless chain", []exchange{
			{"10 2A 9E 9A 00 10 00" + strings.Repeat("00", 4096), ok}, {"10 2A 9E 9A 01 00", "67 00"}, {"10 2A 9E 9A 01 00", ok},
		}},
		{"with an unknown key", []exchange{{"00 22 F1 B6 03 83 01 05", "6A 88"}}},
		{"with a strange environment", []exchange{{"00 22 F1 B6 03 84 01 01", "6A 80"}, {"00 22 F1 AA 03 83 01 01", "6A 86"}, {"00 22 00 B6", "6A 86"}}},
		{"with another operation", []exchange{{"00 2A 86 80 01 00", "6A 86"}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			card := virtualcard.Make(t, authority)
			run(t, card, append([]exchange{{verify + pin, ok}}, c.exchanges...)...)
			if uses := card.Report().KeyUses(); uses != 0 {
				t.Errorf("a key was used %d times", uses)
			}
		})
	}
}

func TestChallenge(t *testing.T) {
	c := virtualcard.Make(t, authority)
	one, two := c.Transmit(unhex(t, "00 84 00 00 08")), c.Transmit(unhex(t, "00 84 00 00 08"))
	if len(one) != 10 || len(two) != 10 || bytes.Equal(one, two) {
		t.Errorf("the challenges are % X and % X", one, two)
	}
	run(t, c, exchange{"00 84 00 00 00 40 00", "67 00"}, exchange{"00 84 00 00", "67 00"})
}

func TestOneCertificate(t *testing.T) {
	c := virtualcard.Make(t, authority, func(p *virtualcard.Profile) { p.Signature = nil })
	run(t, c, exchange{"00 A4 08 0C 04 14 00 90 10", "6A 82"}, exchange{"00 20 00 1A 08 " + signPIN, "6A 88"}, exchange{verify + pin, ok})
	if got := c.Report().SignaturePIN; got != (virtualcard.SecretReport{}) {
		t.Errorf("it reports %+v of a PIN that it does not have", got)
	}
}

func TestFaults(t *testing.T) {
	for _, c := range []struct {
		name  string
		fault virtualcard.Fault
		want  []string // the answers to VERIFY with the right PIN; "-" for none
	}{
		{"error", virtualcard.Fault{Instruction: 0x20, Answer: []byte{0x6F, 0x00}}, []string{"6f00", "6f00"}},
		{"error once", virtualcard.Fault{Instruction: 0x20, Answer: []byte{0x6F, 0x00}, Times: 1}, []string{"6f00", "9000"}},
		{"later", virtualcard.Fault{Answer: []byte{0x6F, 0x00}, After: 1, Times: 1}, []string{"9000", "6f00", "9000"}},
		{"another command", virtualcard.Fault{Instruction: 0xB0, Answer: []byte{0x6F, 0x00}}, []string{"9000"}},
		{"garbage", virtualcard.Fault{Answer: []byte{1}}, []string{"01"}},
		{"no reason", virtualcard.Fault{}, []string{"6f00"}},
		{"pulled", virtualcard.Fault{Pull: true, After: 1}, []string{"9000", "-"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			card := virtualcard.Make(t, authority)
			card.SetFaults(c.fault)
			for i, want := range c.want {
				got := card.Transmit(unhex(t, verify+pin))
				if said := hex.EncodeToString(got); (got == nil) != (want == "-") || got != nil && said != want {
					t.Errorf("answer %d is %q (nil: %t), want %q", i+1, said, got == nil, want)
				}
			}
		})
	}
}

func TestPulledAfterSignatures(t *testing.T) {
	card := virtualcard.Make(t, authority, func(p *virtualcard.Profile) {
		p.Faults = []virtualcard.Fault{virtualcard.PulledAfterSignatures(2)}
	})
	run(t, card, exchange{verify + pin, ok}, exchange{"00 22 F1 B6 03 83 01 01", ok})
	first, last := operation(t, "9E 9A", padded("content"))
	for n := range 3 {
		run(t, card, exchange{hex.EncodeToString(first), ok})
		if got := card.Transmit(last); (got == nil) != (n == 2) {
			t.Errorf("signature %d: nil is %t", n+1, got == nil)
		}
	}
	if uses := card.Report().KeyUses(); uses != 2 {
		t.Errorf("the key was used %d times", uses)
	}
}

func TestNewRefuses(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*virtualcard.Profile)
		want string
	}{
		{"short PIN", func(p *virtualcard.Profile) { p.PIN = "1234" }, "5 to 8 digits"},
		{"letters", func(p *virtualcard.Profile) { p.SignaturePUK = "secret" }, "5 to 8 digits"},
		{"long PIN", func(p *virtualcard.Profile) { p.PUK = "123456789" }, "5 to 8 digits"},
		{"elliptic key", func(p *virtualcard.Profile) { p.Signature = authority.Must(t, pki.SignerP256) }, "RSA only"},
		{"tries", func(p *virtualcard.Profile) { p.Tries = 16 }, "16 tries"},
	} {
		t.Run(c.name, func(t *testing.T) {
			profile, err := virtualcard.Standard(authority)
			if err != nil {
				t.Fatal(err)
			}
			c.edit(&profile)
			if _, err := virtualcard.New(profile); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error that says %q", err, c.want)
			}
		})
	}
}

// FuzzTransmit sends a card the commands of a stream, each after a byte with its
// length. Whatever they are, every one has an answer with a status, no secret
// gets more tries than it had, and no key is used and no PIN proven by who sends
// neither a PIN nor a PUK.
func FuzzTransmit(f *testing.F) {
	for _, seed := range []string{
		"00A4080C0410001003", "00B0000010", "00200010083132333435363738", "0022F1B603830101", "102A9E9A0100", "002A9E9A0100", "00840000", "00",
		"002400101031323334353637383534333231FFFFFF", "002C00101038373635343332313534333231FFFFFF", "00B0000000FFFF",
	} {
		command := unhex(f, seed)
		f.Add(append([]byte{byte(len(command))}, command...))
	}
	profile, err := virtualcard.Standard(authority)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, stream []byte) {
		c, err := virtualcard.New(profile)
		if err != nil {
			t.Fatal(err)
		}
		for rest := stream; len(rest) > 0; {
			n := min(int(rest[0]), len(rest)-1)
			if answer := c.Transmit(rest[1 : 1+n]); len(answer) < 2 || len(answer) > 1<<16+1 {
				t.Fatalf("% X has an answer of %d bytes", rest[1:1+n], len(answer))
			}
			rest = rest[1+n:]
		}
		r, knows := c.Report(), false
		for _, s := range []virtualcard.SecretReport{r.PIN, r.PUK, r.SignaturePIN, r.SignaturePUK} {
			if s.TriesLeft < 0 || s.TriesLeft > virtualcard.StandardTries {
				t.Fatalf("it reports %+v", r)
			}
		}
		for _, value := range []string{virtualcard.StandardPIN, virtualcard.StandardPUK, virtualcard.StandardSignaturePIN, virtualcard.StandardSignaturePUK} {
			knows = knows || bytes.Contains(stream, []byte(value))
		}
		if !knows && r.KeyUses()+r.PIN.Verified+r.SignaturePIN.Verified+r.PUK.Verified+r.SignaturePUK.Verified > 0 {
			t.Fatalf("without a secret it reports %+v", r)
		}
	})
}
