// SPDX-License-Identifier: Apache-2.0

package cms

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
)

// Amended is a signature file that gets signatures added to it.
type Amended struct {
	Source   io.ReaderAt // REQUIRED: the file, in any encoding [Read] takes; it must not change meanwhile
	Size     int64       // REQUIRED: its octets
	Detached io.Reader   // the content of a detached signature; nil when it is inside
}

// AddSigner writes the file to dst with further parallel signers of the same
// content (firma congiunta). Every element that was there, content and
// signers, keeps its octets; only the lengths around them change, and text
// encodings (base64) are taken off.
//
// It doesn't ask whether the signatures that are there are any good: check
// before adding to them. After an error dst may hold a part of a file.
func AddSigner(dst io.Writer, file Amended, signers ...Signer) error {
	e, err := newAmendment(signers)
	if err != nil {
		return err
	}
	sd, err := file.read(e)
	if err != nil {
		return err
	}
	e.contentType = sd.ContentType
	infos := make([][]byte, 0, len(sd.Signers)+len(e.plans))
	for _, s := range sd.Signers {
		infos = append(infos, s.Raw)
	}
	for _, p := range e.plans {
		info, err := p.signerInfo(e.contentType, sd.digests[p.Hash])
		if err != nil {
			return err
		}
		infos = append(infos, info)
	}
	return file.write(dst, sd, e, infos)
}

// CounterSign writes the file to dst with a counter-signature (RFC 5652,
// section 11.4) of one of its signers, counted from zero: a signature over that
// signature's value. Everything else keeps its octets, as with [AddSigner].
func CounterSign(dst io.Writer, file Amended, index int, signer Signer) error {
	e, err := newAmendment([]Signer{signer})
	if err != nil {
		return err
	}
	sd, err := Read(file.reader(), ReadOptions{})
	if err != nil {
		return err
	}
	if index < 0 || index >= len(sd.Signers) {
		return fmt.Errorf("counter-signing: no signer %d, the file has %d", index+1, len(sd.Signers))
	}
	var infos [][]byte
	for i, s := range sd.Signers {
		raw := s.Raw
		if i == index {
			if raw, err = e.plans[0].counterSign(s); err != nil {
				return err
			}
		}
		infos = append(infos, raw)
	}
	return file.write(dst, sd, e, infos)
}

func (f Amended) reader() io.Reader { return io.NewSectionReader(f.Source, 0, f.Size) }

// read parses the file and digests its content for the signers to add.
func (f Amended) read(e *envelope) (*SignedData, error) {
	o := ReadOptions{}
	for _, p := range e.plans {
		o.Hashes = append(o.Hashes, p.Hash)
	}
	sd, err := Read(f.reader(), o)
	if err != nil || sd.Attached {
		return sd, err
	}
	if f.Detached == nil {
		return nil, errors.New("adding signer: the content of the detached signature is needed")
	}
	return sd, sd.DigestContent(f.Detached, o.Hashes...)
}

// write puts the file together again: what was there as it was, with the
// digest algorithms, certificates and revocation values of e and these SignerInfos.
func (f Amended) write(dst io.Writer, sd *SignedData, e *envelope, infos [][]byte) error {
	return assemble(dst, sd, e, infos, sd.encap.end-sd.encap.start, func() error { return f.copyContent(dst, sd) })
}

// assemble writes a file around an encapContentInfo of size octets, which content
// writes.
func assemble(dst io.Writer, sd *SignedData, e *envelope, infos [][]byte, size int64, content func() error) error {
	head := append(integer(big.NewInt(int64(max(sd.Version, e.version)))), sd.algorithms(e)...)
	tail := bytes.Join([][]byte{
		implicitSet(tagContext0, sd.bag(e.bag)), implicitSet(tagContext1, appendNew(sd.CRLs, e.crls)), collection(tagSet, infos),
	}, nil)

	signedData := int64(len(head)) + size + int64(len(tail))
	outer := oid(oidSignedData)
	opening := AppendHeader(nil, tagSequence, int64(len(outer))+ElementSize(ElementSize(signedData)))
	opening = append(opening, outer...)
	opening = AppendHeader(opening, tagContext0, ElementSize(signedData))
	opening = AppendHeader(opening, tagSequence, signedData)
	if err := write(dst, opening, head); err != nil {
		return err
	}
	if err := content(); err != nil {
		return err
	}
	return write(dst, tail)
}

// copyContent copies encapContentInfo as it stands in the file.
func (f Amended) copyContent(dst io.Writer, sd *SignedData) error {
	plain, _, err := Unarmor(f.reader())
	if err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, plain, sd.encap.start); err != nil {
		return fmt.Errorf("copying content: %w", err)
	}
	if _, err := io.CopyN(dst, plain, sd.encap.end-sd.encap.start); err != nil {
		return fmt.Errorf("copying content: %w", err)
	}
	return nil
}

// algorithms returns the digest algorithms of sd and of the signers of e.
func (sd *SignedData) algorithms(e *envelope) []byte {
	var list [][]byte
	for _, a := range sd.DigestAlgorithms {
		list = append(list, a.raw)
	}
	for _, p := range e.plans {
		if !sd.announces(p) {
			list = append(list, p.digestAlg)
		}
	}
	return collection(tagSet, list)
}

// announces tells whether the digest of a plan is in digestAlgorithms, with
// whatever parameters.
func (sd *SignedData) announces(p *plan) bool {
	for _, a := range sd.DigestAlgorithms {
		if hashOf(a.OID) == p.Hash {
			return true
		}
	}
	return false
}

// bag returns the certificates of sd and further ones, each once.
func (sd *SignedData) bag(more [][]byte) [][]byte {
	var list [][]byte
	for _, c := range sd.Certificates {
		list = append(list, c.Raw)
	}
	return appendNew(list, more)
}

// appendNew appends what is not there yet.
func appendNew(list, more [][]byte) [][]byte {
	list = slices.Clone(list)
	for _, element := range more {
		if !contains(list, element) {
			list = append(list, element)
		}
	}
	return list
}

// implicitSet is an optional set: nothing when it is empty.
func implicitSet(id byte, list [][]byte) []byte {
	if len(list) == 0 {
		return nil
	}
	return collection(id, list)
}

// collection joins elements in the order given: those that were there first.
// DER wants a SET OF sorted; the order of what was there is left alone.
func collection(id byte, list [][]byte) []byte {
	return appendElement(nil, id, bytes.Join(list, nil))
}
