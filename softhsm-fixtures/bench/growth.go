// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"os"
	"os/exec"
	"slices"

	"github.com/pectoken/pectoken/softhsm-fixtures/forge"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// Growth is a task of pectoken with more to do, beside the same with the
// least. Linear means that Long and Worked are not above Much. Where files are
// larger than the memory that is free for them the disk decides on Long; on a
// machine with other work Worked is the steadier of the two.
type Growth struct {
	Task    string
	Seconds float64 // the median
	Much    float64 // what there is to do, in times of the least
	Long    float64 // the time, in times of that for the least
	Worked  float64 // the processor's time, likewise
	Peak    int64   // bytes, the highest of all runs; zero when not known
}

// series is one task with more and more to do.
type series []step

type step struct {
	*task
	much float64
}

// shortTurns is how often a task that takes a fraction of a second is run in a
// round.
const shortTurns = 5

// growing makes the files that grow and lists what is measured of them. The
// tasks on the big file are where the large one begins.
func (b *bench) growing(ctx context.Context, o Options, sign, verify *task) ([]series, error) {
	var list []series
	if o.Large > 0 {
		if err := b.makeData(largeFile, o.Large*o.Size); err != nil {
			return nil, err
		}
		list = b.larger(o.Large, sign, verify)
	}
	signers, err := b.manySigners(ctx, o.Signers)
	if err != nil {
		return nil, fmt.Errorf("making files with many signers: %w", err)
	}
	segments, err := b.manySegments(ctx, o.Segments)
	if err != nil {
		return nil, fmt.Errorf("making files with many segments: %w", err)
	}
	return append(list, signers, segments), nil
}

func (b *bench) larger(factor int64, sign, verify *task) []series {
	largeSign := b.sign(largeFile, "large.p7m", nil)
	largeVerify := b.verify("", largeSign.output, nil)
	largeSign.name = fmt.Sprintf("%s, %d times the size", sign.name, factor)
	largeVerify.name = fmt.Sprintf("%s, %d times the size", verify.name, factor)
	return []series{{{sign, 1}, {largeSign, float64(factor)}}, {{verify, 1}, {largeVerify, float64(factor)}}}
}

// manySigners makes a file for each of the counts. Every signer has a
// certificate of its own; the key, which is all alike to whoever verifies, is
// one.
func (b *bench) manySigners(ctx context.Context, counts []int) (series, error) {
	signer, err := b.pki.Issue(pki.Signer)
	if err != nil {
		return nil, err
	}
	var who []string // arguments of openssl
	for n := range slices.Max(counts) {
		one, err := b.pki.IssueCustom(pki.QualifiedCA, signer.Key, func(c *x509.Certificate) {
			c.SerialNumber = big.NewInt(int64(1_000_000 + n))
			c.Subject = pkix.Name{Country: []string{"IT"}, CommonName: fmt.Sprintf("FIRMATARIO %d", n+1)}
		})
		if err != nil {
			return nil, err
		}
		file := b.path(fmt.Sprintf("signer-%d.pem", n))
		if err := os.WriteFile(file, one.CertificatePEM(), 0o600); err != nil {
			return nil, err
		}
		who = append(who, "-signer", file, "-inkey", b.path("signer.key"))
	}
	return b.counted(counts, "%d signers", func(n int, output string) error {
		return b.opensslCMS(ctx, b.path(rootFile), output,
			append(who[:4*n:4*n], "-certfile", b.path("signer.chain.pem"))...)
	})
}

// segmentSize is tiny: each segment of one octet costs two octets more.
const segmentSize = 1

// manySegments makes a file with a content in pieces for each of the counts.
func (b *bench) manySegments(ctx context.Context, counts []int) (series, error) {
	content := b.path("segments.bin")
	return b.counted(counts, "%d segments", func(n int, output string) error {
		if err := os.WriteFile(content, make([]byte, n*segmentSize), 0o600); err != nil {
			return err
		}
		err := b.opensslCMS(ctx, content, output, "-signer", b.path("signer.pem"), "-inkey", b.path("signer.key"),
			"-certfile", b.path("signer.chain.pem"))
		if err != nil {
			return err
		}
		der, err := os.ReadFile(output)
		if err != nil {
			return err
		}
		ber, err := forge.Segmented(der, segmentSize)
		if err != nil {
			return err
		}
		return os.WriteFile(output, ber, 0o600)
	})
}

// counted makes a file for each count, and a task that verifies it.
func (b *bench) counted(counts []int, what string, write func(n int, output string) error) (series, error) {
	var s series
	for _, n := range counts {
		what := fmt.Sprintf(what, n)
		file := b.path(what + ".p7m")
		if err := write(n, file); err != nil {
			return nil, err
		}
		t := b.verify("pectoken verify, "+what, file, nil)
		t.turns = shortTurns
		s = append(s, step{t, float64(n) / float64(counts[0])})
	}
	return s, nil
}

// opensslCMS has openssl sign, once and not measured.
func (b *bench) opensslCMS(ctx context.Context, input, output string, extra ...string) error {
	args := append([]string{"cms", "-sign", "-binary", "-nodetach", "-cades", "-md", "sha256", "-outform", "DER",
		"-in", input, "-out", output}, extra...)
	said, err := exec.CommandContext(ctx, b.openssl, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("signing with openssl: %w: %s", err, said)
	}
	return nil
}

// growth sums up the runs.
func growth(list []series) []Growth {
	var all []Growth
	for _, s := range list {
		least := s[0]
		for _, step := range s {
			all = append(all, Growth{
				Task: step.name, Seconds: median(step.times).Seconds(), Much: step.much,
				Long:   ratio(median(step.times), median(least.times)),
				Worked: ratio(median(step.worked), median(least.worked)),
				Peak:   step.peak,
			})
		}
	}
	return all
}

// overLimit says that a task took more than MemoryLimit; nil when it did not.
func overLimit(task string, peak int64) error {
	if peak <= MemoryLimit {
		return nil
	}
	return fmt.Errorf("%s took %.0f MiB, more than %d MiB", task, mebi(peak), MemoryLimit>>20)
}
