// SPDX-License-Identifier: Apache-2.0

package verify_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
)

func intact(v report.Verdict, sub report.SubIndication) want { return want{v, sub, report.Intact} }

func openFor(sub report.SubIndication) want   { return intact(report.Indeterminate, sub) }
func failedFor(sub report.SubIndication) want { return intact(report.Invalid, sub) }

// TestIndications has a file for each sub-indication of EN 319 102-1 that can be
// reached.
func TestIndications(t *testing.T) {
	const hour = time.Hour
	for name, c := range map[string]struct {
		want want
		file func(w *world) ([]byte, verify.Options)
	}{
		"TOTAL-PASSED": {valid, func(w *world) ([]byte, verify.Options) {
			return w.signed(pki.SignerP256), w.after(hour)
		}},
		"HASH_FAILURE": {hashFailure, func(w *world) ([]byte, verify.Options) {
			file := w.stamped(w.signed(pki.SignerP256), hour)
			return replaced(w.t, file, "il contratto", "un contrattO"), w.after(hour)
		}},
		"SIG_CRYPTO_FAILURE": {sigFailure, func(w *world) ([]byte, verify.Options) {
			file := w.signed(pki.SignerP256)
			file[len(file)-1] ^= 1
			return w.stamped(file, hour), w.after(hour)
		}},
		"REVOKED": {failedFor(report.Revoked), func(w *world) ([]byte, verify.Options) {
			w.revoke(pki.SignerP256, hour)
			return w.signedAfter(w.signer(pki.SignerP256), 2*hour), w.after(3 * hour)
		}},
		"REVOKED_NO_POE": {openFor(report.RevokedNoPOE), func(w *world) ([]byte, verify.Options) {
			w.revoke(pki.SignerP256, 2*hour)
			return w.signedAfter(w.signer(pki.SignerP256), hour), w.after(3 * hour)
		}},
		"REVOKED_NO_POE, stamped too late": {openFor(report.RevokedNoPOE), func(w *world) ([]byte, verify.Options) {
			w.revoke(pki.SignerP256, hour)
			return w.stamped(w.signed(pki.SignerP256), 2*hour), w.after(3 * hour)
		}},
		"REVOKED_CA_NO_POE": {openFor(report.RevokedCANoPOE), func(w *world) ([]byte, verify.Options) {
			w.revoke(pki.QualifiedCA, hour)
			return w.signed(pki.SignerP256), w.after(3 * hour)
		}},
		"EXPIRED": {failedFor(report.Expired), func(w *world) ([]byte, verify.Options) {
			return w.signedAfter(w.signer(pki.SignerP256), 2*year+hour), w.after(2*year + 2*hour)
		}},
		"NOT_YET_VALID": {failedFor(report.NotYetValid), func(w *world) ([]byte, verify.Options) {
			return w.stamped(w.signed(pki.NotYetValid), hour), w.after(2 * year)
		}},
		"OUT_OF_BOUNDS_NO_POE": {openFor(report.OutOfBoundsNoPOE), func(w *world) ([]byte, verify.Options) {
			return w.signedAfter(w.signer(pki.SignerP256), hour), w.after(2*year + 2*hour)
		}},
		"OUT_OF_BOUNDS_NO_POE, stamped too late": {openFor(report.OutOfBoundsNoPOE), func(w *world) ([]byte, verify.Options) {
			return w.stamped(w.signed(pki.SignerP256), 2*year+hour), w.after(2*year + 2*hour)
		}},
		"CRYPTO_CONSTRAINTS_FAILURE": {openFor(report.CryptoConstraintsFailure), func(w *world) ([]byte, verify.Options) {
			return w.signedAfter(w.weak(), hour), w.after(2 * hour)
		}},
		"CRYPTO_CONSTRAINTS_FAILURE_NO_POE": {openFor(report.CryptoConstraintsNoPOE), func(w *world) ([]byte, verify.Options) {
			return p7m(w.t, "il contratto", false, w.weak()), w.after(2 * hour)
		}},
		"TRY_LATER, nobody asked": {openFor(report.TryLater), func(w *world) ([]byte, verify.Options) {
			return w.signed(pki.SignerP256), offline(w.after(hour))
		}},
		"TRY_LATER, nobody there": {openFor(report.TryLater), func(w *world) ([]byte, verify.Options) {
			file, o := w.signed(pki.SignerP256), w.after(hour)
			if err := w.Close(); err != nil {
				w.t.Fatal(err)
			}
			return file, o
		}},
		"TRY_LATER, suspended": {openFor(report.TryLater), func(w *world) ([]byte, verify.Options) {
			w.suspend(pki.SignerP256, hour)
			return w.signed(pki.SignerP256), w.after(2 * hour)
		}},
		"TIMESTAMP_ORDER_FAILURE": {openFor(report.TimestampOrderFailure), func(w *world) ([]byte, verify.Options) {
			return w.stamped(w.signedAfter(w.signer(pki.SignerP256), 2*hour), hour), w.after(3 * hour)
		}},
		"NO_CERTIFICATE_CHAIN_FOUND": {openFor(report.NoCertificateChainFound), func(w *world) ([]byte, verify.Options) {
			return w.signed(pki.AltSigner), w.after(hour)
		}},
		"CHAIN_CONSTRAINTS_FAILURE": {openFor(report.ChainConstraintsFailure), func(w *world) ([]byte, verify.Options) {
			id, err := w.IssueCustom(pki.QualifiedCA, w.Must(w.t, pki.SignerP384).Key, func(c *x509.Certificate) {
				c.KeyUsage = x509.KeyUsageKeyAgreement
			})
			if err != nil {
				w.t.Fatal(err)
			}
			s := cms.Signer{Key: id.Key, Certificate: id.Certificate, Chain: id.Chain, SigningTime: moment}
			return p7m(w.t, "il contratto", false, s), w.after(hour)
		}},
		"FORMAT_FAILURE": {want{report.Invalid, report.FormatFailure, report.Broken}, func(w *world) ([]byte, verify.Options) {
			file := w.stamped(w.signed(pki.SignerP256), hour)
			return file[:len(file)-1], w.after(hour)
		}},
		"SIGNED_DATA_NOT_FOUND": {want{report.Indeterminate, report.SignedDataNotFound, report.IntegrityUnknown}, func(w *world) ([]byte, verify.Options) {
			return p7m(w.t, "il contratto", true, w.signer(pki.SignerP256)), w.after(hour)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			file, o := c.file(newWorld(t))
			c.want.compare(t, check(t, file, o))
		})
	}
}

// weak signs with an RSA key of 1024 bits, which was good for nothing by 2011.
func (w *world) weak() cms.Signer {
	w.t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		w.t.Fatal(err)
	}
	id, err := w.IssueCustom(pki.QualifiedCA, key, func(*x509.Certificate) {})
	if err != nil {
		w.t.Fatal(err)
	}
	return cms.Signer{Key: key, Certificate: id.Certificate, Chain: id.Chain, SigningTime: moment}
}
