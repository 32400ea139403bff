// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/sign"
	"github.com/pectoken/pectoken/sign/timestamp"
	"github.com/pectoken/pectoken/verify"
	"github.com/pectoken/pectoken/verify/report"
	"github.com/pectoken/pectoken/verify/trust"
)

// levelFlags say how long a signature is to last, and who helps.
type levelFlags struct {
	level      string
	bestEffort bool
	tsa        []string
	trust      []string
	noCache    bool
	timeout    time.Duration
	anchors    *trust.Anchors  // of trust; nil for none
	doubted    map[string]bool // the authorities that were warned of
}

// levelWords are the levels by their words.
var levelWords = map[string]sign.Level{"b": sign.LevelB, "t": sign.LevelT, "lt": sign.LevelLT, "lta": sign.LevelLTA}

func (f *levelFlags) register(c *cobra.Command, standard string, choices ...string) {
	flags := c.Flags()
	flags.StringVar(&f.level, "level", standard, "signature `LEVEL`: "+listOf(choices))
	flags.BoolVar(&f.bestEffort, "best-effort", false, "be content with a lower level, and a warning, when something can't be reached")
	flags.StringArrayVar(&f.tsa, "tsa", nil, "ask the time-stamp authority at `URL`; several are asked one after the other")
	flags.StringArrayVar(&f.trust, "trust", nil, "have certificates lead to one in `FILE|FOLDER` (PEM or DER), and not to just any root")
	flags.BoolVar(&f.noCache, "no-cache", false, "neither use nor keep earlier answers about revocation")
	flags.DurationVar(&f.timeout, "timeout", timestamp.DefaultTimeout, "wait so long for each place that is asked, and six times as long for the proof of validity of one file")
	_ = c.RegisterFlagCompletionFunc("level", cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp))
}

// listOf is a list of choices in words: b, t, lt or lta.
func listOf(choices []string) string {
	text := choices[0]
	for i, choice := range choices[1:] {
		if i+2 == len(choices) {
			text += " or " + choice
		} else {
			text += ", " + choice
		}
	}
	return text
}

func (f *levelFlags) check(c *cobra.Command, choices ...string) error {
	if err := oneOf(c, "level", f.level, choices...); err != nil {
		return err
	}
	if f.timeout <= 0 {
		return usageError(helpHint(c), "--timeout is %v, and must be longer than nothing", f.timeout)
	}
	for _, name := range []string{"best-effort", "tsa", "trust", "no-cache", "timeout"} {
		if f.level == "b" && c.Flags().Changed(name) {
			return usageError(helpHint(c), "--%s goes with --level t, lt or lta", name)
		}
	}
	return nil
}

// reach puts into the options of package sign what the level needs.
func (f *levelFlags) reach(a *app, c *cobra.Command, o *sign.Options) error {
	o.Level = levelWords[f.level]
	if o.Level == sign.LevelB {
		return nil
	}
	client, err := a.stamper(authorityFlags{urls: f.tsa, timeout: f.timeout})
	if err != nil {
		return err
	}
	o.Stamper = newSparing(client)
	collector := &verify.Collector{Now: a.now}
	ask := revocationFlags{noCache: f.noCache, timeout: f.timeout}
	if collector.Revocation, err = ask.checker(a, c); err != nil {
		return err
	}
	if len(f.trust) > 0 {
		if f.anchors, err = trust.Load(f.trust...); err != nil {
			return usageError(helpHint(c), "%w", err)
		}
		collector.Trust = f.anchors
	}
	o.ValidationData, o.ValidationDataTime = collector, allPlaces*f.timeout
	return nil
}

// levelOf is the level of a signature that was verified; that of the basic ones when it
// has another name, or none.
func levelOf(s *report.Signature) sign.Level {
	for _, level := range levelWords {
		if level.String() == s.Level {
			return level
		}
	}
	return sign.LevelB
}

// reached is what became of the level of a file.
type reached struct {
	level sign.Level
	short *sign.LevelError // why it is not the one that was asked for
}

// settling has r say what becomes of a signature, and accept a lower level if the user does.
func (f *levelFlags) settling(o *sign.Options, r *reached) {
	r.level = o.Level
	if f.bestEffort {
		o.Settle = func(e *sign.LevelError) error {
			r.level, r.short = e.Reached, e
			return nil
		}
	}
}

// warnings say that a file has a lower level than was asked for, and why.
func (a *app) warnings(file string, r reached) []warningJSON {
	if r.short == nil {
		return nil
	}
	a.say("warning: %q has level %v only, not %v: %v", file, r.level, r.short.Wanted, r.short.Err)
	return []warningJSON{{Code: "levelNotReached", Message: r.short.Error()}}
}

// doubts say which time stamps of a file nobody will believe who relies on --trust. People
// are told once of each authority. It is a warning, as the issuer of its certificate can be
// one that the token does not bring along.
func (f *levelFlags) doubts(a *app, file string, tokens []*timestamp.Token) (list []warningJSON) {
	for _, t := range tokens {
		reason := f.doubt(t)
		if reason == "" {
			continue
		}
		name := authorityOf(t)
		message := fmt.Sprintf("the time stamp is by %q, %s", name, reason)
		list = append(list, warningJSON{Code: "authorityNotTrusted", Message: message})
		if f.doubted[name] {
			continue
		}
		if f.doubted == nil {
			f.doubted = map[string]bool{}
		}
		f.doubted[name] = true
		a.say("warning: %q: %s", file, message)
	}
	return list
}

// doubt says why the authority of a time stamp is not to be trusted; "" if nothing is known
// against it, as without --trust.
func (f *levelFlags) doubt(t *timestamp.Token) string {
	check := t.Check()
	if f.anchors == nil || check.Signature == nil || check.Signature.Certificate == nil {
		return ""
	}
	chain := f.anchors.Chain(check.Signature.Certificate, t.SignedData.CertPool(), t.Info.Time)
	if chain.Status == trust.Trusted {
		return ""
	}
	return "which does not lead to --trust: " + chain.Reason
}

// warningJSON is what --json says of something that is not as it was asked for.
type warningJSON struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

// workersAtLevel is how many files are worked on at a time when authorities are waited
// for: the card makes one signature after the other meanwhile.
const workersAtLevel = 16

// atATime is how many files to work on at a time with a key. One that wants its PIN every
// time is not asked before it is known how the last time ended.
func (o *signOptions) atATime(key interface {
	AtATime() int
	AlwaysAuthenticate() bool
}) int {
	if o.options.Level > sign.LevelB && !key.AlwaysAuthenticate() {
		return max(key.AtATime(), workersAtLevel)
	}
	return key.AtATime()
}

// levelProblem says what the failure to reach a level means to the user.
func levelProblem(ctx context.Context, err error) error {
	if err == nil || ctx.Err() != nil {
		return err
	}
	return stampProblem(err)
}
