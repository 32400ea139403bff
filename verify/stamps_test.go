// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"bytes"
	"encoding/asn1"
	"slices"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/forge"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
)

// TestOutlived: a time stamp from when all was good keeps a signature valid.
func TestOutlived(t *testing.T) {
	const hour = time.Hour
	for name, c := range map[string]struct {
		want    want
		level   string
		warning string
		file    func(w *world) ([]byte, verify.Options)
	}{
		"expired": {valid, "B-LT", "", func(w *world) ([]byte, verify.Options) {
			return w.kept(w.stamped(w.signed(pki.SignerP256), hour), 2*hour), w.after(3 * year)
		}},
		"expired, and nothing kept": {openFor(report.TryLater), "B-T", "timestamp", func(w *world) ([]byte, verify.Options) {
			return w.stamped(w.signed(pki.SignerP256), hour), w.after(3 * year)
		}},
		"revoked": {valid, "B-T", "revokedLater", func(w *world) ([]byte, verify.Options) {
			w.revoke(pki.SignerP256, 2*hour)
			return w.stamped(w.signed(pki.SignerP256), hour), w.after(3 * hour)
		}},
		"CA revoked": {openFor(report.RevokedCANoPOE), "B-T", "timestampProvesNothing", func(w *world) ([]byte, verify.Options) {
			w.revoke(pki.QualifiedCA, 2*hour) // and with it the TSA
			return w.stamped(w.signed(pki.SignerP256), hour), w.after(3 * hour)
		}},
		"suspended": {valid, "B-T", "", func(w *world) ([]byte, verify.Options) {
			w.suspend(pki.SignerP256, 2*hour)
			return w.stamped(w.signed(pki.SignerP256), hour), w.after(3 * hour)
		}},
		"suspended before": {openFor(report.TryLater), "B-T", "", func(w *world) ([]byte, verify.Options) {
			w.suspend(pki.SignerP256, hour)
			return w.stamped(w.signed(pki.SignerP256), 2*hour), w.after(3 * hour)
		}},
		"suspension lifted": {valid, "B-LT", "", func(w *world) ([]byte, verify.Options) {
			w.suspend(pki.SignerP256, hour)
			file := w.kept(w.stamped(w.signed(pki.SignerP256), 2*hour), 3*hour)
			if err := w.Lift(w.Must(w.t, pki.SignerP256).Certificate); err != nil {
				w.t.Fatal(err)
			}
			return file, w.after(5 * hour)
		}},
		"suspension ended in revocation": {openFor(report.TryLater), "B-LT", "", func(w *world) ([]byte, verify.Options) {
			w.suspend(pki.SignerP256, hour)
			file := w.kept(w.stamped(w.signed(pki.SignerP256), 2*hour), 3*hour)
			w.revoke(pki.SignerP256, 4*hour)
			return file, w.after(5 * hour)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			file, o := c.file(newWorld(t))
			s := c.want.compare(t, check(t, file, o))
			if s.Level != c.level || s.Revocation == nil {
				t.Errorf("level %s, revocation %+v", s.Level, s.Revocation)
			}
			if c.warning != "" && c.warning != "timestamp" && !warned(s, c.warning) {
				t.Errorf("no warning %s in %v", c.warning, s.Warnings)
			}
			if c.want == valid && (s.BestTime.Source != report.FromTimestamp || s.Timestamps[0].Verdict != report.Valid) {
				t.Errorf("judged at %v, by %+v", s.BestTime, s.Timestamps[0])
			}
		})
	}
}

func warned(s *report.Signature, code string) bool {
	return slices.ContainsFunc(s.Warnings, func(w report.Warning) bool { return w.Code == code })
}

// lateRevocation is a signature that a good time stamp from before saves, and none that
// is not good: made at the moment, revoked two hours later, judged after three.
func lateRevocation(t testing.TB) (w *world, file []byte) {
	w = newWorld(t)
	w.revoke(pki.SignerP256, 2*time.Hour)
	return w, w.signed(pki.SignerP256)
}

// TestStampsThatProveNothing: whoever made it, whatever it is of, such a time stamp
// makes nothing better.
func TestStampsThatProveNothing(t *testing.T) {
	by := func(name pki.Name) func(*world) {
		return func(w *world) {
			id := w.Must(w.t, name)
			w.Configure(func(c *authority.Config) { c.TSA.Signer = id })
		}
	}
	does := func(fault authority.Fault) func(*world) {
		return func(w *world) {
			if err := w.Fail(authority.TSA, fault); err != nil {
				w.t.Fatal(err)
			}
		}
	}
	rows := map[string]func(*world){
		"by a signer": by(pki.SecondSigner), "by an OCSP responder": by(pki.OCSPResponder), "by the CA": by(pki.QualifiedCA),
		"by the impostor": by(pki.AltTSA), "expired since": by(pki.TSAExpired), "revoked": by(pki.TSARevoked),
		"revoked later": func(w *world) { w.revoke(pki.TSA, 2*time.Hour) },
		"suspended":     func(w *world) { w.suspend(pki.TSA, 2*time.Hour) },
	}
	for _, name := range []pki.Name{pki.TSANoEKU, pki.TSANotCriticalEKU, pki.TSAExtraEKU} {
		rows[string(name)] = by(name)
	}
	for _, fault := range []authority.Fault{
		authority.WrongImprint, authority.WrongHash, authority.WrongContent, authority.WrongCertID, authority.MissingCertID,
		authority.FlippedBit, authority.OtherCA, authority.NoEKU, authority.Expired, authority.Revoked, authority.Future,
	} {
		rows[string(fault)] = does(fault)
	}
	for name, prepare := range rows {
		t.Run(name, func(t *testing.T) {
			w, file := lateRevocation(t)
			prepare(w)
			s := openFor(report.RevokedNoPOE).compare(t, check(t, w.stamped(file, time.Hour), w.after(3*time.Hour)))
			if s.BestTime.Source != report.FromNow || s.Timestamps[0].Verdict == report.Valid || s.Timestamps[0].Reason == "" {
				t.Errorf("judged at %v, by %+v", s.BestTime, s.Timestamps[0])
			}
			if name != "future" && !warned(s, "timestampProvesNothing") {
				t.Errorf("warnings %v", s.Warnings)
			}
		})
	}
}

// A time stamp of another signature, copied in, is good and proves nothing.
func TestStampOfAnotherSignature(t *testing.T) {
	w, file := lateRevocation(t)
	other := p7m(t, "un altro contratto", false, w.signer(pki.SignerP256))
	token := w.token(parsed(t, other).Signers[0].Signature, time.Hour)
	for name, token := range map[string][]byte{
		"signature": token, "content": w.token([]byte("il contratto"), time.Hour), "file": w.token(file, time.Hour),
	} {
		s := openFor(report.RevokedNoPOE).compare(t, check(t, w.with(file, token), w.after(3*time.Hour)))
		if stamp := s.Timestamps[0]; stamp.Verdict != report.Invalid || stamp.SubIndication != report.HashFailure {
			t.Errorf("%s: %v, %s", name, stamp.Verdict, stamp.SubIndication)
		}
	}
	valid.compare(t, check(t, w.with(other, token), w.after(3*time.Hour)))
}

// A time stamp of the content counts among the signed attributes only. Anybody can add one
// to the others, and the signature would seem to be younger than it is.
func TestStampOfContentAddedAfterwards(t *testing.T) {
	w, file := lateRevocation(t)
	file = w.stamped(file, time.Hour)
	token := w.token([]byte("il contratto"), 3*time.Hour)
	kind := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 16, 2, 20}
	attribute, err := forge.Attribute(kind, asn1.RawValue{FullBytes: token})
	if err != nil {
		t.Fatal(err)
	}
	file = w.extended(file, cms.Additions{Unsigned: map[int][]cms.Attribute{0: {{Type: kind, Values: [][]byte{token}, Raw: attribute}}}})
	if s := valid.compare(t, check(t, file, w.after(4*time.Hour))); len(s.Timestamps) != 1 {
		t.Errorf("%d timestamps", len(s.Timestamps))
	}
}

// A bad time stamp beside a good one takes nothing away.
func TestBadStampBesideAGoodOne(t *testing.T) {
	w, file := lateRevocation(t)
	file = w.with(w.stamped(file, time.Hour), w.token([]byte("else"), time.Minute))
	s := valid.compare(t, check(t, file, w.after(3*time.Hour)))
	if len(s.Timestamps) != 2 || !s.BestTime.Time.Equal(moment.Add(time.Hour)) {
		t.Errorf("judged at %v, by %d stamps", s.BestTime, len(s.Timestamps))
	}
}

// TestEveryFlippedBitOfAToken: what is changed in a token makes no signature better
// than it is without it, and moves no time. (The version of a structure may change, which
// nothing covers.)
func TestEveryFlippedBitOfAToken(t *testing.T) {
	w, file := lateRevocation(t)
	id := w.Must(t, pki.TSAP256)
	w.Configure(func(c *authority.Config) { c.TSA.Signer, c.TSA.NoCertificates = id, true })
	file = w.extended(file, cms.Additions{Certificates: [][]byte{id.Certificate.Raw}})
	value := parsed(t, file).Signers[0].Signature
	early, late := w.token(value, time.Hour), w.token(value, 150*time.Minute)
	o := w.after(3 * time.Hour)
	openFor(report.RevokedNoPOE).compare(t, check(t, w.with(file, late), o))
	kept := 0
	for name, token := range map[string][]byte{"early": early, "late": late} {
		good := w.with(file, token)
		at := bytes.Index(good, token)
		for i := range token {
			forged := bytes.Clone(good)
			forged[at+i] ^= 1 << (i % 8)
			r := check(t, forged, o)
			switch {
			case r.Verdict != report.Valid:
			case name == "late":
				t.Fatalf("octet %d of %d: valid", i, len(token))
			case !r.Signatures[0].BestTime.Time.Equal(moment.Add(time.Hour)):
				t.Fatalf("octet %d of %d: valid, proven at %v", i, len(token), r.Signatures[0].BestTime.Time)
			default:
				kept++
			}
		}
	}
	if kept > 30 {
		t.Errorf("%d of %d octets may change", kept, len(early))
	}
}

// TestClaimedTime: what the signer claims proves nothing, and that it can't be true is said.
func TestClaimedTime(t *testing.T) {
	w := newWorld(t)
	for claimed, wrong := range map[time.Duration]bool{0: false, time.Hour: false, 3 * time.Hour: true, 3 * year: true, -3 * year: true} {
		signer := w.signer(pki.SignerP256)
		signer.SigningTime = moment.Add(claimed)
		file := w.stamped(p7m(t, "il contratto", false, signer), time.Hour)
		if s := valid.compare(t, check(t, file, w.after(2*time.Hour))); warned(s, "claimedTimeWrong") != wrong {
			t.Errorf("signed on %v: %v", signer.SigningTime, s.Warnings)
		}
	}
}
