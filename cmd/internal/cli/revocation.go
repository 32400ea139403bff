// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/verify/revocation"
)

// revocationFlags say how to find out whether certificates were revoked. The zero
// value asks where certificates say, and remembers.
type revocationFlags struct {
	offline bool
	noCache bool
	ocsp    []string
	crl     []string
	timeout time.Duration
}

// askTimeout is how long each place is waited for unless a flag says otherwise.
const askTimeout = 10 * time.Second

func (f *revocationFlags) register(c *cobra.Command) {
	flags := c.Flags()
	flags.BoolVar(&f.offline, "offline", false, "ask nobody: use what is in the file, and --ocsp and --crl")
	flags.BoolVar(&f.noCache, "no-cache", false, "neither use nor keep earlier answers about revocation")
	flags.StringArrayVar(&f.ocsp, "ocsp", nil, "use the OCSP response in `FILE` (DER); may be repeated")
	flags.StringArrayVar(&f.crl, "crl", nil, "use the revocation list in `FILE` (DER or PEM); may be repeated")
	flags.DurationVar(&f.timeout, "timeout", askTimeout, "wait so long for each place that is asked, and six times as long for all of one file")
}

// allPlaces is how many times longer than for one place all places of a file are waited
// for.
const allPlaces = 6

// checker makes what the flags ask for.
func (f *revocationFlags) checker(a *app, c *cobra.Command) (*revocation.Checker, error) {
	if f.timeout <= 0 {
		return nil, usageError(helpHint(c), "--timeout is %v, and must be longer than nothing", f.timeout)
	}
	given, err := f.given()
	if err != nil {
		return nil, usageError(helpHint(c), "%w", err)
	}
	checker := &revocation.Checker{Given: given}
	if !f.offline {
		checker.Fetcher = &revocation.Fetcher{Client: &http.Client{Transport: a.transport}, Now: a.now, Timeout: f.timeout, Cache: f.cache(a)}
	}
	return checker, nil
}

// cache is where answers are kept between runs; nil for nowhere.
func (f *revocationFlags) cache(a *app) *revocation.Cache {
	folder, err := a.cacheDir()
	if f.noCache || err != nil {
		return nil
	}
	return &revocation.Cache{Dir: filepath.Join(folder, "pectoken", "revocation")}
}

// given reads the evidence that the user has.
func (f *revocationFlags) given() (given revocation.Evidence, err error) {
	for _, path := range f.ocsp {
		data, err := readEvidence(path, longestOCSP)
		if err != nil {
			return given, fmt.Errorf("--ocsp: %w", err)
		}
		o, err := revocation.ParseOCSP(data)
		if err != nil {
			return given, fmt.Errorf("--ocsp: %q: %w", path, err)
		}
		given.OCSP = append(given.OCSP, o)
	}
	for _, path := range f.crl {
		data, err := readEvidence(path, longestCRL)
		if err != nil {
			return given, fmt.Errorf("--crl: %w", err)
		}
		l, err := revocation.ParseCRL(data)
		if err != nil {
			return given, fmt.Errorf("--crl: %q: %w", path, err)
		}
		given.CRLs = append(given.CRLs, l)
	}
	return given, nil
}

// How many bytes of a file are read at the most: more than what is taken for a list,
// which may be PEM, and for an OCSP response.
const (
	longestCRL  = 128 << 20
	longestOCSP = 2 << 20
)

// readEvidence reads a file of limited length. A list can be most of the memory that the
// program uses, so that room is made once, for the length that the file has.
func readEvidence(path string, longest int64) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", path, bare(err))
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", path, bare(err))
	}
	var data bytes.Buffer
	if info.Size() <= longest {
		data.Grow(int(info.Size()) + bytes.MinRead)
		_, err = data.ReadFrom(io.LimitReader(file, longest+1))
	}
	if err == nil && max(info.Size(), int64(data.Len())) > longest {
		err = errors.New("it is too large to be what it should")
	}
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", path, bare(err))
	}
	return data.Bytes(), nil
}
