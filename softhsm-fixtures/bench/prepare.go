// SPDX-License-Identifier: Apache-2.0

package bench

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"github.com/pectoken/pectoken/softhsm-fixtures/authority"
	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
	"github.com/pectoken/pectoken/softhsm-fixtures/softhsm"
)

// bench is the folder everything is in.
type bench struct {
	dir     string
	program string // pectoken
	openssl string
	pki     *pki.PKI
	hsm     *softhsm.HSM
	signer  Signer

	authority *authority.Server // of time stamps and revocation
	identity  *pki.Identity     // whose key is on the token
}

// The files of the folder.
const (
	dataFile  = "data.bin"
	largeFile = "large.bin"
	pinFile   = "pin"
	rootFile  = "root.pem"
)

func (b *bench) path(name string) string { return filepath.Join(b.dir, name) }

// prepare makes all that is there before the first run.
func prepare(ctx context.Context, dir string, o Options) (b *bench, err error) {
	if err := checkSpace(dir, (4+2*o.Large)*o.Size); err != nil {
		return nil, err
	}
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		return nil, errors.New("openssl is not installed, and there is nothing else to compare with")
	}
	b = &bench{dir: dir, openssl: openssl, program: o.Program, pki: pki.New(time.Now()), signer: o.Signer}
	if b.program == "" {
		o.Progress("building pectoken")
		if err := b.build(ctx); err != nil {
			return nil, err
		}
	}
	if err := b.compileBare(ctx); err != nil {
		return nil, err
	}
	o.Progress("making the token and the files")
	if b.authority, err = authority.Open(b.pki, authority.Options{Clock: time.Now}); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, b.authority.Close())
		}
	}()
	if err := b.makeKit(); err != nil {
		return nil, err
	}
	return b, b.makeData(dataFile, o.Size)
}

func checkSpace(dir string, need int64) error {
	free, known := freeSpace(dir)
	if known && free < need {
		return fmt.Errorf("%s has %.0f MiB free, and %.0f MiB are needed", dir, mebi(free), mebi(need))
	}
	return nil
}

func (b *bench) build(ctx context.Context) error {
	b.program = b.path("pectoken")
	out, err := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", b.program, "github.com/pectoken/pectoken/cmd/pectoken").CombinedOutput()
	if err != nil {
		return fmt.Errorf("building pectoken: %w: %s", err, out)
	}
	return nil
}

// makeKit makes the token, and the files openssl needs for the same key.
func (b *bench) makeKit() (err error) {
	if b.hsm, err = softhsm.Create(b.path("kit")); err != nil {
		return err
	}
	if _, err := b.hsm.AddStandard(b.pki); err != nil {
		return err
	}
	if err := os.WriteFile(b.path(pinFile), []byte(softhsm.StandardPIN), 0o600); err != nil {
		return err
	}
	if b.identity, err = b.pki.Issue(pki.Signer); err != nil {
		return err
	}
	return errors.Join(b.pki.Write(b.dir, pki.Root, pki.Signer), b.writeLists())
}

// writeLists writes the revocation lists that verifying needs: what is measured asks
// nobody.
func (b *bench) writeLists() error {
	for _, issuer := range listIssuers {
		list, err := b.pki.CRL(issuer)
		if err == nil {
			err = os.WriteFile(b.path(string(issuer)+".crl"), list, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// listIssuers are the authorities of the chain that is verified.
var listIssuers = []pki.Name{pki.Root, pki.QualifiedCA}

// makeData writes bytes that look random and are the same each time.
func (b *bench) makeData(name string, size int64) (err error) {
	f, err := os.Create(b.path(name))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	_, err = io.CopyN(f, rand.NewChaCha8([32]byte{}), size)
	return err
}

// tasks are what is measured on the one file, beside openssl.
type tasks struct {
	all          []*task // the bare hash first, and each signature before its verification
	sign, verify *task   // those of pectoken alone
}

func (b *bench) tasks() tasks {
	hash := &task{name: "SHA-256 alone", input: b.path(dataFile)}
	signDER := b.opensslSign("openssl cms -sign", "openssl-der.p7m")
	signBER := b.opensslSign("openssl cms -sign -stream", "openssl-ber.p7m", "-stream")
	sign := b.sign(dataFile, "pectoken.p7m", signBER)
	verifyDER := b.opensslVerify("openssl cms -verify (DER)", signDER.output)
	verifyBER := b.opensslVerify("openssl cms -verify (BER)", signBER.output)
	verify := b.verify("pectoken verify, its own", sign.output, verifyDER)
	return tasks{sign: sign, verify: verify, all: []*task{
		hash, signDER, signBER, sign, verifyDER, verifyBER, verify,
		b.verify("pectoken verify, openssl's DER", signDER.output, verifyDER),
		b.verify("pectoken verify, openssl's BER", signBER.output, verifyBER),
	}}
}

// withSteps appends the tasks of the series that are not in the list.
func withSteps(list []*task, growing []series) []*task {
	all := slices.Clone(list)
	for _, s := range growing {
		for _, step := range s {
			if !slices.Contains(all, step.task) {
				all = append(all, step.task)
			}
		}
	}
	return all
}

func (b *bench) opensslSign(name, output string, extra ...string) *task {
	output = b.path(output)
	args := []string{b.openssl, "cms", "-sign", "-binary", "-nodetach", "-cades", "-md", "sha256", "-outform", "DER",
		"-inkey", b.path("signer.key"), "-signer", b.path("signer.pem"), "-certfile", b.path("signer.chain.pem"),
		"-in", b.path(dataFile), "-out", output}
	return &task{name: name, args: append(args, extra...), output: output}
}

func (b *bench) opensslVerify(name, signed string) *task {
	return &task{name: name, warm: signed, args: []string{b.openssl, "cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any",
		"-CAfile", b.path(rootFile), "-in", signed, "-out", os.DevNull}}
}

func (b *bench) sign(input, output string, peer *task) *task {
	output = b.path(output)
	return &task{
		name: "pectoken sign", ours: true, peer: peer, env: []string{b.hsm.Env()}, output: output,
		args: []string{b.program, "sign", "--module", b.hsm.Module(), "--pin-file", b.path(pinFile), "--output", output, b.path(input)},
	}
}

func (b *bench) verify(name, signed string, peer *task) *task {
	return &task{name: name, ours: true, peer: peer, warm: signed, args: b.verifyArgs(signed)}
}
