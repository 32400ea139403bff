// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/softhsm-fixtures/softhsm"
)

// serveOptions are the flags of serve.
type serveOptions struct {
	dir    string
	listen string
	delay  time.Duration
	faults []string
	token  bool
}

func newServe() *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:   "serve --dir FOLDER [-- COMMAND [ARGUMENT]...]",
		Short: "Run a TSA, an OCSP responder and revocation lists, with a command or until interrupted",
		Long: "Run a TSA, an OCSP responder and revocation lists on the loopback, with a command or until interrupted.\n\n" +
			"FOLDER gets root.pem to verify with, signer.pem with its key and chain, documents to sign, and, with --token, a SoftHSM2 token;\n" +
			"no file there is replaced. The certificates are new in each run, and name the services where they are.\n" +
			"The file env comes last, when all is ready. It sets what COMMAND finds set: PECTOKEN_TSA, the address of the TSA, and\n" +
			"with --token what tells SoftHSM2 where the token is.\n\n" +
			"A fault is something that a service does wrong, as --fault tsa:wrong-nonce; without a service all do it that can.\n" +
			faultHelp() + "\n" +
			"The exit code is that of the command.",
		Example: "  pectoken-fixtures serve --dir kit --token -- sh -c 'pectoken sign --pin-file kit/pin kit/contract.pdf'\n" +
			"  pectoken-fixtures serve --dir kit --listen 127.0.0.1:8318 --fault tsa:wrong-nonce --fault ocsp:try-later",
		PreRunE: func(*cobra.Command, []string) error {
			_, err := o.parseFaults()
			return err
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return runServe(cmd.Context(), cmd.ErrOrStderr(), o, args)
		},
	}
	requiredDir(cmd, &o.dir, "folder for certificates and documents")
	flags := cmd.Flags()
	flags.StringVar(&o.listen, "listen", "127.0.0.1:0", "where to listen, on the loopback; port 0 is any that is free")
	flags.DurationVar(&o.delay, "delay", 0, "how long the services take for an answer")
	flags.StringArrayVar(&o.faults, "fault", nil, "what to do wrong: [SERVICE:]NAME; may be repeated, once for a service")
	flags.BoolVar(&o.token, "token", false, "make a SoftHSM2 token with the signer's kit too")
	return cmd
}

// faultHelp lists the faults, those of any service first.
func faultHelp() string {
	common := authority.Faults(authority.CA) // which has none of its own
	var help strings.Builder
	line := func(service string, faults []authority.Fault) {
		names := make([]string, len(faults))
		for i, f := range faults {
			names[i] = string(f)
		}
		fmt.Fprintf(&help, "  %-5s %s\n", service, strings.Join(names, " "))
	}
	line("any", common)
	for _, service := range authority.Services() {
		own := slices.DeleteFunc(authority.Faults(service), func(f authority.Fault) bool { return slices.Contains(common, f) })
		if len(own) > 0 {
			line(string(service), own)
		}
	}
	return help.String()
}

// parseFaults returns the fault of each service.
func (o serveOptions) parseFaults() (map[authority.Service]authority.Fault, error) {
	faults := map[authority.Service]authority.Fault{}
	for _, text := range o.faults {
		only, name, named := strings.Cut(text, ":")
		if !named {
			only, name = "", text
		}
		known := false
		for _, service := range authority.Services() {
			if named && service != authority.Service(only) || !slices.Contains(authority.Faults(service), authority.Fault(name)) {
				continue
			}
			if faults[service] != "" {
				return nil, fmt.Errorf("the %s can have one fault, not both %q and %q", service, faults[service], name)
			}
			known, faults[service] = true, authority.Fault(name)
		}
		if !known {
			return nil, fmt.Errorf("no fault is called %q; \"pectoken-fixtures serve --help\" lists them", text)
		}
	}
	return faults, nil
}

// runServe runs the services for as long as the command, or until the context
// ends.
func runServe(ctx context.Context, out io.Writer, o serveOptions, args []string) (err error) {
	p := pki.New(time.Now())
	s, err := authority.Open(p, authority.Options{Listen: o.listen, Clock: time.Now})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := o.misbehave(s); err != nil {
		return err
	}
	env, err := o.write(p, s.URL(authority.TSA))
	if err != nil {
		return fmt.Errorf("preparing the folder: %w", err)
	}
	if len(args) > 0 {
		return runWith(args, env...)
	}
	if err := tellServe(out, o.dir, s); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// aMoment is how old OCSP answers and lists are: a client that notes the time
// before it asks, as pyHanko does, refuses those that are newer.
const aMoment = time.Minute

// misbehave sets what the services do wrong.
func (o serveOptions) misbehave(s *authority.Server) error {
	s.Configure(func(c *authority.Config) { c.Delay, c.OCSP.Age, c.CRL.Age = o.delay, aMoment, aMoment })
	faults, err := o.parseFaults()
	if err != nil {
		return err
	}
	for service, fault := range faults {
		if err := s.Fail(service, fault); err != nil {
			return err
		}
	}
	return nil
}

// write fills the folder, and returns the variables for the command.
func (o serveOptions) write(p *pki.PKI, tsa string) (env []string, err error) {
	if err := os.MkdirAll(o.dir, 0o700); err != nil {
		return nil, err
	}
	signer, err := signerFiles(p)
	if err != nil {
		return nil, err
	}
	documents, err := documentsFor(p)
	if err != nil {
		return nil, err
	}
	if err := writeAll(o.dir, append(documents, signer...)); err != nil {
		return nil, err
	}
	env = []string{"PECTOKEN_TSA=" + tsa}
	if o.token {
		conf, err := writeToken(o.dir, p)
		if err != nil {
			return nil, err
		}
		env = append(env, conf)
	}
	var lines strings.Builder
	for _, variable := range env {
		lines.WriteString(exportLine(variable))
	}
	return env, writeWhole(filepath.Join(o.dir, "env"), lines.String())
}

// signerFiles are what [pki.PKI.Write] writes of the signer.
func signerFiles(p *pki.PKI) ([]kitFile, error) {
	signer, err := p.Issue(pki.Signer)
	if err != nil {
		return nil, err
	}
	key, err := signer.KeyPEM()
	return []kitFile{
		{"signer.pem", signer.CertificatePEM(), 0o644},
		{"signer.chain.pem", signer.ChainPEM(), 0o644},
		{"signer.key", key, 0o600},
	}, err
}

// writeToken makes a token with the kit of p, and returns the variable that
// says where it is.
func writeToken(dir string, p *pki.PKI) (env string, err error) {
	h, err := createHSM(dir)
	if err != nil {
		return "", err
	}
	if err := writeNew(filepath.Join(dir, "pin"), []byte(softhsm.StandardPIN), 0o600); err != nil {
		return "", err
	}
	_, err = h.AddStandard(p)
	return h.Env(), err
}

// writeWhole writes a file that nobody sees before all of it is there.
func writeWhole(name, content string) error {
	part := name + ".part"
	if err := writeNew(part, []byte(content), 0o644); err != nil {
		return err
	}
	return os.Rename(part, name)
}

func tellServe(out io.Writer, dir string, s *authority.Server) error {
	_, err := fmt.Fprintf(out, `serving until interrupted; the folder is %s:
  root.pem                  the root of the certificates, to verify with
  signer.pem, signer.key    the certificate of MARIO ROSSI and its key; signer.chain.pem is its issuer
  contract.pdf, notes.txt   documents to sign
  env                       what sets PECTOKEN_TSA in a shell

the services:
  time stamps               %s
  OCSP                      %s
  revocation lists          %s/qualified-ca.crl
  issuer certificates       %s/qualified-ca.cer
`, dir, s.URL(authority.TSA), s.URL(authority.OCSP), s.URL(authority.CRL), s.URL(authority.CA))
	return err
}
