// SPDX-License-Identifier: Apache-2.0

package timestamp

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"io"

	"github.com/pectoken/pectoken/sign/cms"
)

// Format is a kind of file with time stamps in it.
type Format int

// The formats, by the extension that Deliberazione CNIPA 45/2009, art. 17, and
// custom give them.
const (
	Unknown Format = iota
	TSR            // TimeStampResp (RFC 3161)
	TST            // TimeStampToken (RFC 3161)
	TSD            // TimeStampedData (RFC 5544): the document and its stamps
	M7M            // a MIME message of a .p7m and its stamp
)

// String returns the extension without a point: "tsr", "tst", "tsd", "m7m".
func (f Format) String() string {
	names := [...]string{"unknown", "tsr", "tst", "tsd", "m7m"}
	if f < 0 || int(f) >= len(names) {
		return fmt.Sprintf("format %d", int(f))
	}
	return names[f]
}

// Container is a file that holds a document and time stamps of it, a [TSD] or an
// [M7M], without the document, which has streamed past.
type Container struct {
	Format      Format
	DataURI     string    // where the document is; TSD only, mostly empty
	MetaData    *MetaData // nil when there is none
	Attached    bool      // the document is inside
	ContentSize int64     // octets of the document, once it was seen
	Evidence    []Evidence
	Other       []byte // temporalEvidence that is no list of tokens, raw: an evidence record

	BER      bool
	Armor    cms.Armor
	Trailing int64 // octets after the end, stamped by nobody
	digests  Digests
	view     func(io.ReaderAt) *io.SectionReader
	layout   layout
}

// MetaData says what the document is (RFC 5544, section 2).
type MetaData struct {
	// HashProtected has the first token stamp these data together with the
	// document. Without it nobody vouches for them.
	HashProtected bool
	FileName      string
	MediaType     string
	Other         []byte // otherMetaData, raw; nil when there is none

	raw []byte // as found
}

// Evidence is a token and the CRL beside it: TimeStampAndCRL of RFC 5544.
type Evidence struct {
	Token *Token
	CRL   []byte // a CertificateList, raw; nil when there is none
	Err   error  // why the token can't be understood; then Token is nil

	raw []byte // as found
}

// ReadOptions say what to do with the document on its way past.
type ReadOptions struct {
	// Content receives the document, unproven. Nil discards it.
	Content io.Writer
	// Hashes are digests to compute of it; nil means SHA-256. See
	// [Container.MissingHashes].
	Hashes []crypto.Hash
}

func (o ReadOptions) hashes() []crypto.Hash {
	if len(o.Hashes) == 0 {
		return []crypto.Hash{crypto.SHA256}
	}
	return o.Hashes
}

// ErrNotContainer is returned for input that is neither a .tsd nor a .m7m, as
// opposed to a damaged one.
var ErrNotContainer = errors.New("neither TimeStampedData (RFC 5544) nor a MIME message with a time stamp")

// Read reads a .tsd in DER, BER, PEM or base64, or a .m7m. The document streams to
// o.Content and into digests; it can have any size. Malformed input gives a
// [*FormatError] or a [*cms.FormatError], and a MIME message in which no time stamp is
// found, such as an e-mail, [ErrNotContainer]. A single token that can't be understood
// doesn't: see [Evidence.Err].
//
// Read compares no digest and checks no signature: ask [Container.Link] and
// [Token.Check].
func Read(r io.Reader, o ReadOptions) (*Container, error) {
	start := &bytes.Buffer{}
	head := make([]byte, recognizeSize)
	n, err := io.ReadFull(r, head)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	start.Write(head[:n])
	whole := io.MultiReader(start, r)
	switch recognize(head[:n]) {
	case TSD:
		return readTSD(whole, o)
	case M7M:
		return readM7M(whole, o)
	}
	return nil, ErrNotContainer
}

// MissingHashes returns the digests that tokens need and that were not computed.
// Reading again with them in [ReadOptions.Hashes] completes the answer.
func (c *Container) MissingHashes() []crypto.Hash {
	if len(c.Evidence) == 0 || c.Evidence[0].Token == nil || c.digests == nil {
		return nil
	}
	if h := c.Evidence[0].Token.Info.Hash; h != 0 && c.digests[h] == nil {
		return []crypto.Hash{h}
	}
	return nil
}

// DigestContent computes the digests of a document that is not in the container.
// It reads content to its end.
func (c *Container) DigestContent(content io.Reader) error {
	if c.Attached {
		return errors.New("digesting content: the container has its own")
	}
	hashes := []crypto.Hash{crypto.SHA256}
	if len(c.Evidence) > 0 && c.Evidence[0].Token != nil {
		hashes = append(hashes, c.Evidence[0].Token.Info.Hash)
	}
	d := newDigester(hashes, c.MetaData.prefix())
	n, err := cms.Copy(io.Discard, d, content)
	if err != nil {
		return fmt.Errorf("reading content: %w", err)
	}
	c.ContentSize, c.digests = n, d.sums()
	return nil
}

// ContentDigest returns a digest of the document; nil if it was not computed, and if the
// first token is of the document's metadata too, which is then digested with it.
func (c *Container) ContentDigest(h crypto.Hash) []byte {
	if c.MetaData != nil && c.MetaData.HashProtected {
		return nil
	}
	return c.digests[h]
}

// ContentAt returns the document as it stands in src, the file that was read,
// without copying it; nil where it isn't there octet by octet. What it reads is as
// unproven as what [ReadOptions.Content] received.
func (c *Container) ContentAt(src io.ReaderAt) *io.SectionReader {
	if c.view == nil || !c.Attached || c.Armor != cms.Binary {
		return nil
	}
	return c.view(src)
}

// Link says whether a token is about what it stands on.
type Link int

// The links.
const (
	LinkUnknown Link = iota // the document isn't here, a digest wasn't computed, or a token can't be read
	Linked                  // its imprint is right
	Unlinked                // its imprint is that of something else
)

// Link compares the imprint of the token at an index with what it has to stamp: the
// first token stamps the document, with the metadata before it if they say so, every
// other one the element before its own (RFC 5544, section 2.4). A chain is worth
// as much as its first link; each token has to be good as well.
func (c *Container) Link(index int) Link {
	t := c.Evidence[index].Token
	switch {
	case t == nil || t.Info.Hash == 0:
		return LinkUnknown
	case index > 0:
		return linked(t.coversElement(c.Evidence[index-1].raw))
	case c.digests[t.Info.Hash] == nil:
		return LinkUnknown
	}
	return linked(t.CoversDigest(c.digests[t.Info.Hash]))
}

func linked(yes bool) Link {
	if yes {
		return Linked
	}
	return Unlinked
}

// coversElement compares with the DER of an element, as RFC 5544 asks, then with
// what stands in the file, which some digest.
func (t *Token) coversElement(raw []byte) bool {
	for _, form := range forms(raw) {
		if t.CoversDigest(digestOf(t.Info.Hash, form)) {
			return true
		}
	}
	return false
}

// forms are the encodings of an element that may have been digested.
func forms(raw []byte) [][]byte {
	der, err := cms.DER(raw)
	if err != nil || bytes.Equal(der, raw) {
		return [][]byte{raw}
	}
	return [][]byte{der, raw}
}

// ChainDigests returns the digests of what the next token has to stamp: the last
// element of the chain.
func (c *Container) ChainDigests(hashes []crypto.Hash) (Digests, error) {
	if c.Format != TSD || len(c.Evidence) == 0 {
		return nil, errors.New("adding a time stamp: there is no token in TimeStampedData to add it to")
	}
	d := newDigester(hashes)
	_, _ = d.Write(forms(c.Evidence[len(c.Evidence)-1].raw)[0])
	return d.sums(), nil
}

// prefix is what the first token stamps before the document.
func (m *MetaData) prefix() []byte {
	if m == nil || !m.HashProtected {
		return nil
	}
	return forms(m.encode())[0]
}
