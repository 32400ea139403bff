// SPDX-License-Identifier: Apache-2.0

package sign_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io"
	"math/big"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/pdf"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/documents"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
	"github.com/pectoken/pectoken/verify/revocation"
	"github.com/pectoken/pectoken/verify/trust"
)

// world is a PKI with its authorities, and a clock for all of it.
type world struct {
	people *pki.PKI
	server *authority.Server
	now    time.Time
}

func newWorld(t testing.TB) *world { return newWorldAt(t, moment) }

func newWorldAt(t testing.TB, now time.Time) *world {
	w := &world{people: pki.New(now), now: now}
	w.server = authority.Start(t, w.people, authority.Options{})
	return w
}

// sleep moves the clock.
func (w *world) sleep(d time.Duration) {
	w.now = w.now.Add(d)
	w.server.SetTime(w.now)
}

func (w *world) trust(t testing.TB) *trust.Anchors {
	return trust.NewAnchors(w.people.Must(t, pki.Root).Certificate)
}

func (w *world) fetcher() *revocation.Fetcher {
	return &revocation.Fetcher{Client: &http.Client{Transport: &http.Transport{}}, Now: func() time.Time { return w.now }, Timeout: 2 * time.Second}
}

// options are those of a signer whose signatures reach a level.
func (w *world) options(t testing.TB, level sign.Level) sign.Options {
	id := w.people.Must(t, pki.Signer)
	return sign.Options{
		Time: w.now, Signer: cms.Signer{Key: id.Key, Certificate: id.Certificate, Chain: id.Chain}, Format: sign.CAdES, Level: level,
		Stamper: &timestamp.Client{
			Transport: &http.Transport{}, Timeout: 2 * time.Second, Now: func() time.Time { return w.now },
			Authorities: []timestamp.Authority{{URL: w.server.URL(authority.TSA)}},
		},
		ValidationData: &verify.Collector{Trust: w.trust(t), Revocation: &revocation.Checker{Fetcher: w.fetcher()}, Now: func() time.Time { return w.now }},
	}
}

// judged is the first signature of a file as verify sees it, which may ask the
// authorities or not.
func (w *world) judged(t *testing.T, file, content []byte, online bool) *report.Signature {
	t.Helper()
	return w.report(t, file, content, online).Signatures[0]
}

// all are the signatures of a file as verify sees them, which may ask the authorities.
func (w *world) all(t *testing.T, file []byte) []*report.Signature {
	t.Helper()
	return w.report(t, file, nil, true).Signatures
}

func (w *world) report(t *testing.T, file, content []byte, online bool) *report.Report {
	t.Helper()
	o := verify.Options{Now: w.now, Trust: w.trust(t), Revocation: &revocation.Checker{}}
	if online {
		o.Revocation.Fetcher = w.fetcher()
	}
	if content != nil {
		o.Content = section(content)
	}
	r, err := verify.File(t.Context(), section(file), o)
	if err != nil || len(r.Signatures) == 0 {
		t.Fatalf("%v, %+v", err, r)
	}
	return r
}

func expect(t *testing.T, s *report.Signature, level sign.Level, verdict report.Verdict) {
	t.Helper()
	if s.Level != level.String() || s.Verdict != verdict {
		t.Errorf("%s %s (%s: %s), want %v %s; %+v", s.Level, s.Verdict, s.SubIndication, s.Reason, level, verdict, s.Warnings)
	}
}

func extended(t *testing.T, file, content []byte, o sign.Options) []byte {
	t.Helper()
	var out bytes.Buffer
	existing := sign.Existing{File: section(file)}
	if content != nil {
		existing.Content = section(content)
	}
	if err := sign.Extend(t.Context(), &out, existing, o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

var levels = []sign.Level{sign.LevelB, sign.LevelT, sign.LevelLT, sign.LevelLTA}

func TestLevels(t *testing.T) {
	document := bytes.Repeat([]byte("atto "), 1<<10)
	for _, detached := range []bool{false, true} {
		for _, level := range levels {
			w := newWorld(t)
			o := w.options(t, level)
			o.Detached = detached
			var content []byte
			if detached {
				content = document
			}
			file := signed(t, document, o)
			expect(t, w.judged(t, file, content, level < sign.LevelLT), level, report.Valid)
			if want := map[sign.Level]int{sign.LevelT: 1, sign.LevelLT: 1, sign.LevelLTA: 2}[level]; w.server.Issued() != want {
				t.Errorf("%v: %d time stamps, want %d", level, w.server.Issued(), want)
			}
			sd, err := cms.Read(bytes.NewReader(file), cms.ReadOptions{})
			if err != nil || sd.BER || sd.Attached == detached {
				t.Errorf("%v: %v, BER %v, attached %v", level, err, sd.BER, sd.Attached)
			}
		}
	}
}

// Each level keeps what it promises when the clock moves on, and no more.
func TestLevelsLast(t *testing.T) {
	const day = 24 * time.Hour
	w := newWorld(t)
	signer, tsa := w.people.Must(t, pki.Signer).Certificate, w.people.Must(t, pki.TSA).Certificate
	files := map[sign.Level][]byte{}
	for _, level := range levels {
		files[level] = signed(t, []byte("atto"), w.options(t, level))
	}
	judge := func(online bool, want ...report.Verdict) {
		t.Helper()
		for i, level := range levels {
			expect(t, w.judged(t, files[level], nil, online), level, want[i])
		}
	}
	good, open := report.Valid, report.Indeterminate
	if err := w.server.Revoke(signer, moment.Add(day), authority.KeyCompromise); err != nil {
		t.Fatal(err)
	}
	w.sleep(2 * day) // the signer's certificate is revoked
	judge(true, open, good, good, good)

	w.sleep(signer.NotAfter.Add(day).Sub(w.now)) // it has ended
	judge(true, open, good, good, good)

	w.server.Configure(func(c *authority.Config) { c.TSA.Signer = w.laterTSA(t, tsa.NotAfter.AddDate(4, 0, 0)) })
	files[sign.LevelLTA] = extended(t, files[sign.LevelLTA], nil, w.options(t, sign.LevelLTA))
	w.sleep(tsa.NotAfter.Add(day).Sub(w.now)) // the first authority's has ended, and what was renewed lasts
	judge(true, open, open, open, good)

	files[sign.LevelLTA] = bytes.Replace(files[sign.LevelLTA], signer.Raw[len(signer.Raw)-64:], make([]byte, 64), 1)
	if s := w.judged(t, files[sign.LevelLTA], nil, true); s.Verdict == report.Valid {
		t.Error("a certificate that was changed is valid")
	}
}

// laterTSA is an authority whose certificate ends later than that of the others.
func (w *world) laterTSA(t *testing.T, ends time.Time) *pki.Identity {
	t.Helper()
	old := w.people.Must(t, pki.TSAP256)
	usage := slices.IndexFunc(old.Certificate.Extensions, func(e pkix.Extension) bool { return e.Id.Equal([]int{2, 5, 29, 37}) })
	id, err := w.people.IssueCustom(pki.QualifiedCA, old.Key, func(c *x509.Certificate) {
		c.Subject, c.SerialNumber, c.NotAfter = pkix.Name{CommonName: "Esempio TSA 3"}, big.NewInt(3333), ends
		c.ExtraExtensions = []pkix.Extension{old.Certificate.Extensions[usage]}
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// An LTA signature is renewed as often as one likes.
func TestRenew(t *testing.T) {
	w := newWorld(t)
	file := signed(t, []byte("atto"), w.options(t, sign.LevelLTA))
	for range 2 {
		w.sleep(24 * time.Hour)
		file = extended(t, file, nil, w.options(t, sign.LevelLTA))
		s := w.judged(t, file, nil, false)
		expect(t, s, sign.LevelLTA, report.Valid)
		for _, stamp := range s.Timestamps {
			if stamp.Verdict != report.Valid {
				t.Errorf("%s %s: %s", stamp.ID, stamp.Kind, stamp.Reason)
			}
		}
	}
	if s := w.judged(t, file, nil, false); len(s.Timestamps) != 4 {
		t.Errorf("%d timestamps", len(s.Timestamps))
	}
}

// What is there is raised step by step, in any encoding, and keeps its octets.
func TestExtend(t *testing.T) {
	document := []byte("un atto di qualche riga")
	w := newWorld(t)
	o := w.options(t, sign.LevelB)
	attached := signed(t, document, o)
	o.Detached = true
	detached := signed(t, document, o)
	var ber bytes.Buffer
	second := w.people.Must(t, pki.SignerP256)
	signers := []cms.Signer{
		{Key: o.Signer.Key, Certificate: o.Signer.Certificate, Chain: o.Signer.Chain, SigningTime: moment},
		{Key: second.Key, Certificate: second.Certificate, Chain: second.Chain, SigningTime: moment, Hash: crypto.SHA384},
	}
	if err := cms.Sign(&ber, io.MultiReader(bytes.NewReader(document)), cms.Options{Signers: signers}); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct{ file, content []byte }{
		"DER": {attached, nil}, "detached": {detached, document}, "BER, two signers": {ber.Bytes(), nil},
	} {
		t.Run(name, func(t *testing.T) {
			before, err := cms.Read(bytes.NewReader(c.file), cms.ReadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			file := c.file
			for _, level := range levels[1:] {
				issued := w.server.Issued()
				file = extended(t, file, c.content, w.options(t, level))
				expect(t, w.judged(t, file, c.content, level == sign.LevelT), level, report.Valid)
				wanted := len(before.Signers)
				if level == sign.LevelLT {
					wanted = 0
				}
				if got := w.server.Issued() - issued; got != wanted {
					t.Errorf("%v: %d time stamps", level, got)
				}
				if level == sign.LevelT {
					existing := sign.Existing{File: section(file), Content: section(c.content)}
					if err := sign.Extend(t.Context(), io.Discard, existing, w.options(t, level)); !errors.Is(err, sign.ErrReached) {
						t.Errorf("%v again: %v", level, err)
					}
				}
			}
			after, err := cms.Read(bytes.NewReader(file), cms.ReadOptions{})
			if err != nil {
				t.Fatal(err)
			}
			for i, s := range before.Signers {
				if !bytes.Equal(s.Signature, after.Signers[i].Signature) || !slices.EqualFunc(s.SignedAttributes, after.Signers[i].SignedAttributes, sameAttribute) {
					t.Errorf("signer %d was changed", i+1)
				}
			}
		})
	}
}

// once is a stamper that gives one time stamp.
type once struct {
	sign.Stamper
	given int
}

var errSpent = errors.New("no more time stamps")

func (o *once) Stamp(ctx context.Context, digests timestamp.Digests) (*timestamp.Token, error) {
	if o.given++; o.given > 1 {
		return nil, errSpent
	}
	return o.Stamper.Stamp(ctx, digests)
}

// A signature that stands in a file several times gets one time stamp. When there is none
// for another signature, the ones that were paid for are kept if a lower level will do.
func TestExtendWithOneStamp(t *testing.T) {
	w := newWorld(t)
	first, second := w.people.Must(t, pki.Signer), w.people.Must(t, pki.SignerP256)
	signer := cms.Signer{Key: first.Key, Certificate: first.Certificate, Chain: first.Chain, SigningTime: moment}
	other := cms.Signer{Key: second.Key, Certificate: second.Certificate, Chain: second.Chain, SigningTime: moment}
	for name, c := range map[string]struct {
		signers []cms.Signer
		want    []sign.Level
	}{
		"equal signatures": {[]cms.Signer{signer, signer, signer}, []sign.Level{sign.LevelT, sign.LevelT, sign.LevelT}},
		"two signatures":   {[]cms.Signer{signer, other}, []sign.Level{sign.LevelT, sign.LevelB}},
	} {
		t.Run(name, func(t *testing.T) {
			var file bytes.Buffer
			if err := cms.Sign(&file, strings.NewReader("un atto"), cms.Options{Signers: c.signers}); err != nil {
				t.Fatal(err)
			}
			o := w.options(t, sign.LevelT)
			var failed *sign.LevelError
			o.Settle = func(e *sign.LevelError) error { failed = e; return nil }
			o.Stamper = &once{Stamper: o.Stamper}
			for i, s := range w.all(t, extended(t, file.Bytes(), nil, o)) {
				expect(t, s, c.want[i], report.Valid)
			}
			if short := slices.Contains(c.want, sign.LevelB); short != (failed != nil) || short && !errors.Is(failed, errSpent) {
				t.Errorf("%v", failed)
			}
		})
	}
}

func sameAttribute(a, b cms.Attribute) bool { return bytes.Equal(a.Raw, b.Raw) }

// What can't be proven is found out before a time stamp is paid for, when signing and when
// extending.
func TestProofIsAskedForFirst(t *testing.T) {
	for format, document := range map[sign.Format][]byte{sign.CAdES: []byte("atto"), sign.PAdES: documents.Plain()} {
		w := newWorld(t)
		o := w.options(t, sign.LevelB)
		o.Format = format
		file := signed(t, document, o)
		for _, service := range []authority.Service{authority.OCSP, authority.CRL} {
			if err := w.server.Fail(service, authority.HTTP500); err != nil {
				t.Fatal(err)
			}
		}
		for _, level := range levels[2:] {
			o = w.options(t, level)
			o.Format = format
			for what, err := range map[string]error{
				"signing":   sign.Document(t.Context(), io.Discard, section(document), o),
				"extending": sign.Extend(t.Context(), io.Discard, sign.Existing{File: section(file)}, o),
			} {
				var short *sign.LevelError
				if !errors.As(err, &short) || short.Reached != sign.LevelB || short.Wanted != level {
					t.Errorf("%v, %s: %v", format, what, err)
				}
			}
		}
		if w.server.Count(authority.TSA) != 0 {
			t.Errorf("%v: %d time stamps were asked for", format, w.server.Count(authority.TSA))
		}
	}
}

// patient is a source of validation data that takes its time, and notes how much it is
// given.
type patient struct {
	sign.ValidationDataSource
	takes time.Duration
	given []time.Duration
}

func (p *patient) ValidationData(ctx context.Context, c *x509.Certificate, others []*x509.Certificate, at time.Time) (*cms.ValidationData, error) {
	end, _ := ctx.Deadline()
	p.given = append(p.given, time.Until(end))
	select {
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-time.After(p.takes):
		return p.ValidationDataSource.ValidationData(ctx, c, others, at)
	}
}

// All certificates of a file have their time together.
func TestValidationDataTime(t *testing.T) {
	w := newWorld(t)
	file := signed(t, []byte("atto"), w.options(t, sign.LevelB))
	o := w.options(t, sign.LevelLT)
	source := &patient{ValidationDataSource: o.ValidationData, takes: 20 * time.Millisecond}
	o.ValidationData = source
	extended(t, file, nil, o)
	if n := len(source.given); n != 3 || source.given[0] > time.Minute || source.given[2] > source.given[0]-2*source.takes {
		t.Errorf("given are %v", source.given)
	}
	source.takes, source.given, o.ValidationDataTime = time.Hour, nil, time.Millisecond
	err := sign.Extend(t.Context(), io.Discard, sign.Existing{File: section(file)}, o)
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "took longer than the 1ms that there are for one file") || len(source.given) != 1 {
		t.Errorf("%v after %v", err, source.given)
	}
}

// A broken signature gets no time stamp, and neither does one whose content is not there.
func TestExtendRefuses(t *testing.T) {
	w := newWorld(t)
	document := []byte("un atto")
	o := w.options(t, sign.LevelB)
	file := signed(t, document, o)
	o.Detached = true
	detached := signed(t, document, o)
	for name, e := range map[string]sign.Existing{
		"changed content": {File: section(bytes.Replace(file, document, []byte("un otto"), 1))},
		"no content":      {File: section(detached)},
		"other content":   {File: section(detached), Content: section([]byte("un otto"))},
		"no signature":    {File: section(document)},
	} {
		var out bytes.Buffer
		if err := sign.Extend(t.Context(), &out, e, w.options(t, sign.LevelLTA)); err == nil || out.Len() > 0 {
			t.Errorf("%s: %v, %d octets", name, err, out.Len())
		}
	}
	if w.server.Count(authority.TSA) != 0 {
		t.Error("a time stamp was asked for")
	}
	for name, o := range map[string]sign.Options{
		"no stamper":         {Level: sign.LevelT},
		"no validation data": {Level: sign.LevelLT, Stamper: w.options(t, sign.LevelT).Stamper},
	} {
		if err := sign.Extend(t.Context(), io.Discard, sign.Existing{File: section(file)}, o); !errors.Is(err, sign.ErrNoStamper) && !errors.Is(err, sign.ErrNoValidationData) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// When an authority fails there is an error and no file, or the level that was reached, if
// that is settled for.
func TestLevelNotReached(t *testing.T) {
	for _, c := range []struct {
		service authority.Service
		fault   authority.Fault
		reached sign.Level
	}{
		{authority.TSA, authority.HTTP500, sign.LevelB},
		{authority.TSA, authority.Hang, sign.LevelB},
		{authority.TSA, authority.WrongNonce, sign.LevelB},
		{authority.TSA, authority.WrongImprint, sign.LevelB},
		{authority.TSA, authority.FlippedBit, sign.LevelB},
		{authority.OCSP, authority.HTTP500, sign.LevelT},
		{authority.OCSP, authority.OtherCA, sign.LevelT},
		{authority.OCSP, authority.Stale, sign.LevelT},
	} {
		t.Run(string(c.service)+" "+string(c.fault), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			o := w.options(t, sign.LevelLTA)
			if err := errors.Join(w.server.Fail(c.service, c.fault), w.server.Fail(authority.CRL, authority.HTTP404)); err != nil {
				t.Fatal(err)
			}
			if c.service == authority.TSA {
				if err := w.server.Fail(authority.CRL, ""); err != nil {
					t.Fatal(err)
				}
			}
			client := o.Stamper.(*timestamp.Client)
			client.Timeout = 500 * time.Millisecond
			var out bytes.Buffer
			var failed *sign.LevelError
			if err := sign.Document(t.Context(), &out, section([]byte("atto")), o); !errors.As(err, &failed) || out.Len() > 0 {
				t.Errorf("%v, %d octets", err, out.Len())
			}
			if c.service == authority.OCSP && w.server.Count(authority.TSA) > 0 {
				t.Error("a time stamp was wasted")
			}
			o.Settle = func(e *sign.LevelError) error { failed = e; return nil }
			file := signed(t, []byte("atto"), o)
			if failed.Reached != c.reached || failed.Wanted != sign.LevelLTA {
				t.Errorf("%v", failed)
			}
			if err := errors.Join(w.server.Fail(c.service, ""), w.server.Fail(authority.CRL, "")); err != nil {
				t.Fatal(err)
			}
			expect(t, w.judged(t, file, nil, true), c.reached, report.Valid)
		})
	}
}

// Whoever ends the work gets no lower level.
func TestLevelCanceled(t *testing.T) {
	w := newWorld(t)
	o := w.options(t, sign.LevelT)
	o.Settle = func(*sign.LevelError) error { return nil }
	if err := w.server.Fail(authority.TSA, authority.Hang); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := sign.Document(ctx, io.Discard, section([]byte("atto")), o); err == nil {
		t.Error("it was signed")
	}
}

func TestPDFLevels(t *testing.T) {
	for _, level := range levels {
		w := newWorld(t)
		o := w.options(t, level)
		o.Format = sign.PAdES
		file := signed(t, documents.Plain(), o)
		if !bytes.HasPrefix(file, documents.Plain()) {
			t.Errorf("%v: the document was changed", level)
		}
		expect(t, w.judged(t, file, nil, level < sign.LevelLT), level, report.Valid)
		if want := map[sign.Level]int{sign.LevelT: 1, sign.LevelLT: 1, sign.LevelLTA: 2}[level]; w.server.Issued() != want {
			t.Errorf("%v: %d time stamps, want %d", level, w.server.Issued(), want)
		}
		if level != sign.LevelLTA {
			continue
		}
		for range 2 {
			w.sleep(24 * time.Hour)
			file = extended(t, file, nil, w.options(t, level))
			expect(t, w.judged(t, file, nil, false), level, report.Valid)
		}
	}
}

// What the signatures of others lack is no reason to refuse one more: it was refused when
// the time stamp was paid for.
func TestPDFLevelsAfterOthers(t *testing.T) {
	w := newWorld(t)
	others := w.options(t, sign.LevelB)
	others.Format = sign.PAdES
	first := signed(t, documents.Plain(), others)
	for name, file := range map[string][]byte{
		"without a time stamp": first,
		"broken":               bytes.Replace(first, []byte("/MediaBox"), []byte("/MediaBoz"), 1),
	} {
		for _, level := range levels[1:] {
			t.Run(name+", "+level.String(), func(t *testing.T) {
				w := newWorld(t)
				o := w.options(t, level)
				o.Format = sign.PAdES
				all := w.all(t, signed(t, file, o))
				if len(all) != 2 {
					t.Fatalf("%d signatures", len(all))
				}
				expect(t, all[1], level, report.Valid)
				if want := map[sign.Level]int{sign.LevelT: 1, sign.LevelLT: 1, sign.LevelLTA: 2}[level]; w.server.Issued() != want {
					t.Errorf("%d time stamps, want %d", w.server.Issued(), want)
				}
			})
		}
	}
}

// A PDF that forbids every change can be extended, and so can one with signatures of others.
func TestExtendPDF(t *testing.T) {
	w := newWorld(t)
	o := w.options(t, sign.LevelB)
	o.Format, o.Certify = sign.PAdES, pdf.NoChanges
	file := signed(t, documents.Plain(), o)
	for _, level := range levels[1:] {
		before := file
		file = extended(t, file, nil, w.options(t, level))
		if !bytes.HasPrefix(file, before) {
			t.Errorf("%v: the document was changed", level)
		}
		if s := w.judged(t, file, nil, level == sign.LevelT); s.Verdict != report.Valid {
			t.Errorf("%v: %s: %s", level, s.SubIndication, s.Reason)
		}
	}
	if w.server.Issued() != 2 {
		t.Errorf("%d time stamps", w.server.Issued())
	}
	if err := sign.Extend(t.Context(), io.Discard, sign.Existing{File: section(file)}, w.options(t, sign.LevelT)); !errors.Is(err, sign.ErrReached) {
		t.Error(err)
	}
	for name, broken := range map[string][]byte{
		"changed":  bytes.Replace(file, []byte("/MediaBox"), []byte("/MediaBoz"), 1),
		"unsigned": documents.Plain(),
	} {
		if err := sign.Extend(t.Context(), io.Discard, sign.Existing{File: section(broken)}, w.options(t, sign.LevelLTA)); err == nil {
			t.Errorf("%s: it was extended", name)
		}
	}
	if w.server.Issued() != 2 {
		t.Error("a time stamp was wasted")
	}
}

// A PDF falls short as other files do.
func TestPDFLevelNotReached(t *testing.T) {
	for service, reached := range map[authority.Service]sign.Level{authority.TSA: sign.LevelB, authority.OCSP: sign.LevelT} {
		w := newWorld(t)
		o := w.options(t, sign.LevelLTA)
		o.Format = sign.PAdES
		if err := w.server.Fail(service, authority.HTTP500); err != nil {
			t.Fatal(err)
		}
		if service == authority.OCSP {
			if err := w.server.Fail(authority.CRL, authority.HTTP404); err != nil {
				t.Fatal(err)
			}
		}
		var out bytes.Buffer
		var failed *sign.LevelError
		if err := sign.Document(t.Context(), &out, section(documents.Plain()), o); !errors.As(err, &failed) || out.Len() > 0 {
			t.Errorf("%s: %v, %d octets", service, err, out.Len())
		}
		o.Settle = func(e *sign.LevelError) error { failed = e; return nil }
		file := signed(t, documents.Plain(), o)
		if failed.Reached != reached {
			t.Errorf("%s: %v", service, failed)
		}
		if err := errors.Join(w.server.Fail(service, ""), w.server.Fail(authority.CRL, "")); err != nil {
			t.Fatal(err)
		}
		expect(t, w.judged(t, file, nil, true), reached, report.Valid)
	}
}
