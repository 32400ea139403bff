// SPDX-License-Identifier: Apache-2.0

package token

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/pectoken/pectoken/token/internal/cryptoki"
)

// maxObjects bounds what one search returns, so that a module that never says
// "no more" cannot keep us for ever. Cards hold some ten objects.
const maxObjects = 4096

// objects finds the objects of a class (C_FindObjects, PKCS #11 v2.40, section
// 5.7). The class is always given: without it some modules hide private keys
// (OpenSC#2821).
func (s *session) objects(ctx context.Context, class uint) (found []uint, err error) {
	err = s.lib.call(ctx, func(c cryptoki.Module) error {
		if err := c.FindInit(s.handle, class); err != nil {
			return err
		}
		found, err = s.findAll(ctx, c)
		if final := c.FindFinal(s.handle); err == nil {
			err = final
		}
		return err
	})
	return found, err
}

func (s *session) findAll(ctx context.Context, c cryptoki.Module) ([]uint, error) {
	var all []uint
	for {
		found, err := c.Find(s.handle, 64)
		if err != nil || len(found) == 0 {
			return all, err
		}
		if all = append(all, found...); len(all) > maxObjects {
			return nil, fmt.Errorf("the token lists more than %d objects", maxObjects)
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
	}
}

// attributes reads attributes (C_GetAttributeValue). Cards leave out, hide or
// refuse attributes as they please: a missing one is nil, and only an error that
// means more than that is returned. Some modules stop at the first one they don't
// have, so then each is asked for alone.
func (s *session) attributes(ctx context.Context, object uint, kinds ...uint) (values [][]byte, err error) {
	err = s.lib.call(ctx, func(c cryptoki.Module) (err error) {
		values, err = c.Attributes(s.handle, object, kinds...)
		return err
	})
	switch {
	case gone(err):
		return nil, err
	case err == nil:
		return values, nil
	case len(kinds) == 1:
		return [][]byte{nil}, nil
	}
	values = nil
	for _, kind := range kinds {
		value, err := s.attributes(ctx, object, kind)
		if err != nil {
			return nil, err
		}
		values = append(values, value...)
	}
	return values, nil
}

// isTrue reads a CK_BBOOL.
func isTrue(value []byte) bool { return len(value) == 1 && value[0] != 0 }

// number reads a CK_ULONG, which is 4 bytes long on Windows and 8 elsewhere.
func number(value []byte) (uint64, bool) {
	switch len(value) {
	case 4:
		return uint64(binary.NativeEndian.Uint32(value)), true
	case 8:
		return binary.NativeEndian.Uint64(value), true
	}
	return 0, false
}

// key is a public or private key object.
type key struct {
	handle             uint
	id                 []byte
	public             []byte // see publicPart; nil if the object does not show it
	alwaysAuthenticate bool
}

// keys lists the keys of a class with what is needed to pair them.
func (s *session) keys(ctx context.Context, class uint) ([]key, error) {
	handles, err := s.objects(ctx, class)
	if err != nil {
		return nil, err
	}
	keys := make([]key, len(handles))
	for i, handle := range handles {
		if keys[i], err = s.key(ctx, handle, class); err != nil {
			return nil, err
		}
	}
	return keys, nil
}

func (s *session) key(ctx context.Context, handle, class uint) (key, error) {
	kinds := []uint{cryptoki.CKA_ID, cryptoki.CKA_MODULUS}
	if class == cryptoki.CKO_PRIVATE_KEY {
		kinds = append(kinds, cryptoki.CKA_ALWAYS_AUTHENTICATE)
	}
	v, err := s.attributes(ctx, handle, kinds...)
	if err != nil {
		return key{}, err
	}
	k := key{handle: handle, id: v[0], alwaysAuthenticate: len(v) > 2 && isTrue(v[2])}
	if len(v[1]) > 0 {
		k.public = bytes.TrimLeft(v[1], "\x00")
		return k, nil
	}
	point, err := s.attributes(ctx, handle, cryptoki.CKA_EC_POINT)
	if err != nil {
		return key{}, err
	}
	k.public = pointX(point[0])
	return k, nil
}

// privateKeys lists the visible private keys. Objects of EC private keys do not
// hold the point, so it is borrowed from the public key of the same CKA_ID.
func (s *session) privateKeys(ctx context.Context, public []key) ([]key, error) {
	keys, err := s.keys(ctx, cryptoki.CKO_PRIVATE_KEY)
	if err != nil {
		return nil, err
	}
	for i := range keys {
		same := slices.DeleteFunc(slices.Clone(public), func(p key) bool { return !sameID(p.id, keys[i].id) })
		if keys[i].public == nil && len(same) == 1 {
			keys[i].public = same[0].public
		}
	}
	return keys, nil
}

// belonging returns the keys that belong to a certificate: those of the same
// CKA_ID whose public part is the same or not shown, or else those of the same
// public part. If some of several are proven by their public part, only those.
func belonging(keys []key, id, public []byte) []key {
	var named, proven []key
	for _, k := range keys {
		same := public != nil && bytes.Equal(k.public, public)
		if sameID(k.id, id) && (same || k.public == nil || public == nil) {
			named = append(named, k)
		}
		if same {
			proven = append(proven, k)
		}
	}
	if len(named) == 0 {
		return proven
	}
	if both := belonging(named, nil, public); len(both) > 0 {
		return both
	}
	return named
}

func sameID(a, b []byte) bool { return len(a) > 0 && bytes.Equal(a, b) }

// publicPart returns what identifies a public key on a token: the modulus of an
// RSA key, the X coordinate of a point, which every encoding of a point has. It is
// nil for other keys.
func publicPart(public crypto.PublicKey) []byte {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return k.N.Bytes()
	case *ecdsa.PublicKey:
		if point, err := k.Bytes(); err == nil {
			return pointX(point)
		}
	}
	return nil
}

// pointX returns the X coordinate of a CKA_EC_POINT. By the standard it is a
// DER OCTET STRING of the point; some modules leave the wrapping away.
func pointX(value []byte) []byte {
	if x := rawPointX(value); x != nil {
		return x
	}
	const octetString = 4
	switch {
	case len(value) > 2 && value[0] == octetString && int(value[1]) == len(value)-2:
		return rawPointX(value[2:])
	case len(value) > 3 && value[0] == octetString && value[1] == 0x81 && int(value[2]) == len(value)-3:
		return rawPointX(value[3:])
	}
	return nil
}

// rawPointX reads a point of SEC 1, section 2.3.3, compressed or not. The length
// must be that of a curve in use, which tells a raw point from a wrapped one: both
// begin with 04.
func rawPointX(point []byte) []byte {
	if len(point) == 0 {
		return nil
	}
	size := len(point) - 1
	switch point[0] {
	case 4:
		if size%2 != 0 {
			return nil
		}
		size /= 2
	case 2, 3:
	default:
		return nil
	}
	if !slices.Contains([]int{28, 32, 40, 48, 64, 66}, size) {
		return nil
	}
	return point[1 : 1+size]
}
