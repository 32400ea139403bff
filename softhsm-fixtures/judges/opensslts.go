// SPDX-License-Identifier: Apache-2.0

package judges

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sync"

	"github.com/pectoken/pectoken/softhsm-fixtures/pki"
)

// opensslTSA is the configuration of openssl ts.
const opensslTSA = `[tsa]
default_tsa = tsa1
[tsa1]
serial = serial
signer_cert = tsa.pem
certs = chain.pem
signer_key = tsa.key
default_policy = 1.3.6.1.4.1.99999.1
other_policies = 1.3.6.1.4.1.99999.2
digests = sha256, sha384, sha512
accuracy = secs:1, millisecs:500
ordering = yes
tsa_name = yes
signer_digest = sha256
ess_cert_id_chain = yes
ess_cert_id_alg = %s
`

// OpenSSLAuthority returns a time-stamp authority (RFC 3161, section 3.4) whose answers
// are those of openssl ts, naming its certificates by the digest essDigest (sha1, sha256,
// ...). It keeps its files in dir: chain.pem, what stands between its certificate and the
// root, and query.tsq, the last request.
func OpenSSLAuthority(dir string, tsa *pki.Identity, essDigest string) (http.Handler, error) {
	key, err := tsa.KeyPEM()
	for name, content := range map[string][]byte{
		"tsa.cnf": fmt.Appendf(nil, opensslTSA, essDigest), "tsa.pem": tsa.CertificatePEM(), "chain.pem": tsa.ChainPEM(), "tsa.key": key, "serial": []byte("01\n"),
	} {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), content, 0o600))
	}
	return &opensslAuthority{dir: dir}, err
}

type opensslAuthority struct {
	dir  string
	busy sync.Mutex // the files are those of one request
}

// ServeHTTP implements [http.Handler].
func (a *opensslAuthority) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.busy.Lock()
	defer a.busy.Unlock()
	answer, err := a.answer(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/timestamp-reply")
	w.Write(answer) // a client that left wants no answer
}

func (a *opensslAuthority) answer(r *http.Request) ([]byte, error) {
	query, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	file := filepath.Join(a.dir, "query.tsq")
	if err := os.WriteFile(file, query, 0o600); err != nil {
		return nil, err
	}
	said, err := program{
		name: "openssl", dir: a.dir, args: []string{"ts", "-reply", "-config", "tsa.cnf", "-queryfile", file},
	}.run(r.Context())
	return []byte(said), err
}
