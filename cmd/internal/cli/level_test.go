// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto/rand"
	"errors"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/sign/cms"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/verify/report"
	"github.com/pectoken/pectoken/verify/trust"
)

// crowd counts how many requests are under way at the same time. It holds back the
// first until want of them wait together, so that a busy machine is no reason for
// fewer; should they never come, it lets go of them after a while.
type crowd struct {
	want      int32
	now, most atomic.Int32
	open      sync.Once
	together  chan struct{}
}

func newCrowd(want int32) *crowd { return &crowd{want: want, together: make(chan struct{})} }

func (c *crowd) RoundTrip(r *http.Request) (*http.Response, error) {
	n := c.now.Add(1)
	defer c.now.Add(-1)
	for most := c.most.Load(); n > most && !c.most.CompareAndSwap(most, n); most = c.most.Load() {
	}
	if n >= c.want {
		c.letGo()
	}
	select {
	case <-c.together:
	case <-time.After(20 * time.Second):
		c.letGo()
	}
	return http.DefaultTransport.RoundTrip(r)
}

func (c *crowd) letGo() { c.open.Do(func() { close(c.together) }) }

// A batch waits for its time stamps side by side, and asks for exactly one a file.
func TestStampsOverlap(t *testing.T) {
	const files = 3 * workersAtLevel
	people := pki.New(fixedNow())
	server := authority.Start(t, people, authority.Options{})
	b, _, stderr := batchOf(t, files, 0)
	signer := people.Must(t, pki.Signer)
	together := newCrowd(workersAtLevel)
	b.signing.Signer = cms.Signer{Key: signer.Key, Certificate: signer.Certificate, Chain: signer.Chain, Rand: rand.Reader}
	b.signing.Level = sign.LevelT
	b.signing.Stamper = &timestamp.Client{Now: fixedNow, Transport: together, Authorities: []timestamp.Authority{{URL: server.URL(authority.TSA)}}}
	b.options.options.Level = sign.LevelT
	b.run(t.Context(), b.options.atATime(oneAtATime{}))
	if b.exit != exitOK || server.Count(authority.TSA) != files || server.Issued() != files {
		t.Errorf("exit code %d, %d requests, %d time stamps for %d files\n%s", b.exit, server.Count(authority.TSA), server.Issued(), files, stderr)
	}
	if most := together.most.Load(); most != workersAtLevel {
		t.Errorf("%d requests at a time, want %d", most, workersAtLevel)
	}
	for _, j := range b.jobs {
		if _, err := os.Stat(j.output); err != nil || j.result.level != sign.LevelT {
			t.Errorf("%s: %v, %v", j.output, err, j.result.level)
		}
	}
}

// After a failure of the authority nothing more is begun.
func TestStampFailureEndsTheBatch(t *testing.T) {
	const files = 4 * workersAtLevel
	people := pki.New(fixedNow())
	server := authority.Start(t, people, authority.Options{})
	if err := server.Fail(authority.TSA, authority.WrongImprint); err != nil {
		t.Fatal(err)
	}
	b, out, _ := batchOf(t, files, 0)
	signer := people.Must(t, pki.Signer)
	b.signing.Signer = cms.Signer{Key: signer.Key, Certificate: signer.Certificate, Chain: signer.Chain, Rand: rand.Reader}
	b.signing.Level = sign.LevelT
	b.signing.Stamper = &timestamp.Client{Now: fixedNow, Transport: http.DefaultTransport, Authorities: []timestamp.Authority{{URL: server.URL(authority.TSA)}}}
	b.run(t.Context(), 1)
	if b.exit != exitFailed || out.Len() > 0 || server.Count(authority.TSA) != 1 {
		t.Errorf("exit code %d, %d requests\n%s", b.exit, server.Count(authority.TSA), out)
	}
	for _, j := range b.jobs {
		if _, err := os.Stat(j.output); err == nil {
			t.Errorf("%s is there", j.output)
		}
	}
}

// interrupting is a Stamper whose user has enough when the stamp comes.
type interrupting struct {
	sign.Stamper
	interrupt func()
}

func (s interrupting) Stamp(ctx context.Context, d timestamp.Digests) (*timestamp.Token, error) {
	t, err := s.Stamper.Stamp(ctx, d)
	s.interrupt()
	return t, err
}

// A time stamp that came before the interrupt is named, and counts for no file.
func TestInterruptedAfterStamp(t *testing.T) {
	for _, atATime := range []int{1, 2} {
		people := pki.New(fixedNow())
		server := authority.Start(t, people, authority.Options{})
		b, _, stderr := batchOf(t, 3, 0)
		signer := people.Must(t, pki.Signer)
		ctx, cancel := context.WithCancel(t.Context())
		b.signing.Signer = cms.Signer{Key: signer.Key, Certificate: signer.Certificate, Chain: signer.Chain, Rand: rand.Reader}
		b.signing.Level = sign.LevelT
		b.signing.Stamper = newSparing(interrupting{&timestamp.Client{Now: fixedNow, Authorities: []timestamp.Authority{{URL: server.URL(authority.TSA)}}}, cancel})
		b.run(ctx, atATime)
		said := stderr.String()
		if b.exit != exitFailed || server.Issued() != 1 || strings.Count(said, "lost with the file, received already: time stamp number") != 1 {
			t.Errorf("%d at a time: exit code %d, %d time stamps\n%s", atATime, b.exit, server.Issued(), said)
		}
		if !strings.Contains(said, "interrupted; not signed: ") {
			t.Errorf("%d at a time: what is left is not said\n%s", atATime, said)
		}
	}
}

// However many files are under way, a mistake is met once: no account is locked by it, or
// emptied.
func TestSparing(t *testing.T) {
	for _, fault := range []authority.Fault{authority.WrongImprint, authority.HTTP401, ""} {
		t.Run(string(fault), func(t *testing.T) {
			server := authority.Start(t, pki.New(fixedNow()), authority.Options{})
			if fault != "" {
				if err := server.Fail(authority.TSA, fault); err != nil {
					t.Fatal(err)
				}
			}
			client := &timestamp.Client{Now: fixedNow, Authorities: []timestamp.Authority{{URL: server.URL(authority.TSA)}}}
			s := newSparing(client)
			digests, err := client.Digest(strings.NewReader("content"))
			if err != nil {
				t.Fatal(err)
			}
			results := make(chan error)
			for range workersAtLevel {
				go func() { _, err := s.Stamp(t.Context(), digests); results <- err }()
			}
			told := 0
			for range workersAtLevel {
				err := <-results
				if (err != nil) != (fault != "") || err != nil && !errors.As(err, new(*timestamp.StampError)) {
					t.Errorf("with %q: %v", fault, err)
				}
				if err != nil && strings.HasSuffix(err.Error(), "nobody was asked for this file") {
					told++
				}
			}
			asked, unasked := workersAtLevel, 0
			if fault != "" {
				asked, unasked = 1, workersAtLevel-1
			}
			if server.Count(authority.TSA) != asked || told != unasked {
				t.Errorf("with %q: %d requests and %d files that nobody was asked for", fault, server.Count(authority.TSA), told)
			}
		})
	}
}

// An authority that refuses after it gave stamps is asked for the next file too, and one
// that took a stamp for nothing is not.
func TestSparingLater(t *testing.T) {
	server := authority.Start(t, pki.New(fixedNow()), authority.Options{})
	client := &timestamp.Client{Now: fixedNow, Authorities: []timestamp.Authority{{URL: server.URL(authority.TSA)}}}
	s := newSparing(client)
	digests, err := client.Digest(strings.NewReader("content"))
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct {
		fault authority.Fault
		asked int
	}{{"", 1}, {authority.HTTP500, 2}, {authority.HTTP500, 3}, {authority.WrongNonce, 4}, {authority.HTTP500, 4}} {
		if step.fault != "" {
			if err := server.Fail(authority.TSA, step.fault); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := s.Stamp(t.Context(), digests); (err != nil) != (step.fault != "") {
			t.Errorf("step %d: %v", i, err)
		}
		if got := server.Count(authority.TSA); got != step.asked {
			t.Errorf("step %d: %d requests, want %d", i, got, step.asked)
		}
	}
}

// Who relies on --trust is told of an authority that nobody in it stands for, once, and in
// the lines of every file.
func TestImpostorAuthority(t *testing.T) {
	people := pki.New(fixedNow())
	server := authority.Start(t, people, authority.Options{})
	for _, c := range []struct {
		fault   authority.Fault
		anchors *trust.Anchors
		doubts  int
	}{
		{"", trust.NewAnchors(people.Must(t, pki.Root).Certificate), 0},
		{"", trust.NewAnchors(people.Must(t, pki.AltRoot).Certificate), 3},
		{authority.OtherCA, trust.NewAnchors(people.Must(t, pki.Root).Certificate), 3},
		{authority.OtherCA, nil, 0},
	} {
		if err := server.Fail(authority.TSA, c.fault); err != nil {
			t.Fatal(err)
		}
		b, _, stderr := batchOf(t, 3, 0)
		signer := people.Must(t, pki.Signer)
		b.signing.Signer = cms.Signer{Key: signer.Key, Certificate: signer.Certificate, Chain: signer.Chain, Rand: rand.Reader}
		b.signing.Level = sign.LevelT
		b.signing.Stamper = &timestamp.Client{Now: fixedNow, Authorities: []timestamp.Authority{{URL: server.URL(authority.TSA)}}}
		b.view.level.anchors = c.anchors
		b.run(t.Context(), 1)
		doubts := 0
		for _, j := range b.jobs {
			for _, w := range j.warnings {
				if w.Code == "authorityNotTrusted" {
					doubts++
				}
			}
		}
		said := strings.Count(stderr.String(), `the time stamp is by "Esempio Firma TSA 1", which does not lead to --trust: `)
		if b.exit != exitOK || doubts != c.doubts || said != min(c.doubts, 1) {
			t.Errorf("with %q: exit code %d, %d doubts, said %d times\n%s", c.fault, b.exit, doubts, said, stderr)
		}
	}
}

// oneAtATime is a key on a card, and pinEachTime one that wants its PIN each time.
type (
	oneAtATime  struct{}
	pinEachTime struct{ oneAtATime }
)

func (oneAtATime) AtATime() int              { return 1 }
func (oneAtATime) AlwaysAuthenticate() bool  { return false }
func (pinEachTime) AlwaysAuthenticate() bool { return true }

func TestWorkersAtLevel(t *testing.T) {
	o := &signOptions{}
	if got := o.atATime(oneAtATime{}); got != 1 {
		t.Errorf("%d at level b", got)
	}
	o.options.Level = sign.LevelLTA
	if got := o.atATime(pinEachTime{}); got != 1 {
		t.Errorf("%d with a PIN each time", got)
	}
}

func TestExtendFlags(t *testing.T) {
	o, err := parse(t, newExtendCmd, "a.p7m", "--tsa", "http://tsa.example")
	if err != nil || o.level.level != "lta" || o.options.Level != sign.LevelLTA || o.options.Stamper == nil || o.options.ValidationData == nil || o.level.bestEffort {
		t.Errorf("the defaults are %+v, %v", o, err)
	}
	for _, args := range [][]string{
		{}, {"a"}, {"a", "--level", "b"}, {"a", "--tsa", "ftp://x"}, {"a", "--tsa", "http://x", "--timeout", "0s"}, {"a", "b", "-o", "c"},
		{"a", "b", "--content", "c"}, {"-", "--content", "-"}, {"a", "--tsa", "http://x", "--trust", "missing"},
	} {
		if _, err := parse(t, newExtendCmd, args...); err == nil || problemOf(err).exit != exitUsage {
			t.Errorf("%q gives %v, want a usage error", args, err)
		}
	}
}

func TestLevelOf(t *testing.T) {
	for name, want := range map[string]sign.Level{"B-LTA": sign.LevelLTA, "B-T": sign.LevelT, "B-B": sign.LevelB, "": sign.LevelB} {
		if got := levelOf(&report.Signature{Level: name}); got != want {
			t.Errorf("%q is %v", name, got)
		}
	}
}
