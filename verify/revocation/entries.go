// SPDX-License-Identifier: Apache-2.0

package revocation

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"fmt"
	"hash/maphash"
	"math/big"
	"math/bits"
	"time"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// entries is the revokedCertificates of a list (RFC 5280, section 5.1.2.6). A list may
// have a million of them, so they stay in DER: each is checked once, when the list is
// read, and found again through an index that knows only where it begins.
type entries struct {
	der   cryptobyte.String
	count int

	// index is a hash table of serial numbers with open addressing: where the first entry
	// of a serial number begins in der, plus 1. Nil until somebody asks.
	index    []uint32
	seed     maphash.Seed
	repeated bool // a serial number stands in several entries
}

// entry is one revoked certificate.
type entry struct {
	serial     cryptobyte.String // the contents of a DER INTEGER, of which there is one for each number
	time       cryptobyte.String // with tag and length
	extensions cryptobyte.String
}

// The extensions of an entry that are known (RFC 5280, section 5.3), by the contents of
// their OBJECT IDENTIFIER.
const (
	idReasonCode        = "\x55\x1d\x15" // 2.5.29.21
	idHoldInstruction   = "\x55\x1d\x17" // 2.5.29.23, of older profiles
	idInvalidityDate    = "\x55\x1d\x18" // 2.5.29.24
	idCertificateIssuer = "\x55\x1d\x1d" // 2.5.29.29
)

var errEntry = errors.New("an entry of a revoked certificate is malformed")

// readEntries checks all entries. The error is for one that can't be read: what the list
// says of any certificate is not known then, as that one may be its. Unfit is why a list
// that can be read is of no use all the same.
func readEntries(der cryptobyte.String) (l entries, unfit, err error) {
	l.der = der
	for !der.Empty() {
		e, ok := nextEntry(&der)
		if !ok || !minimal(e.serial) || !e.dated() {
			return l, nil, errEntry
		}
		_, problem, ok := e.readExtensions()
		if !ok {
			return l, nil, errEntry
		}
		if unfit == nil {
			unfit = problem
		}
		l.count++
	}
	return l, unfit, nil
}

// nextEntry reads an entry as far as it takes to find one.
func nextEntry(in *cryptobyte.String) (e entry, ok bool) {
	var one cryptobyte.String
	var tag cbasn1.Tag
	ok = in.ReadASN1(&one, cbasn1.SEQUENCE) && one.ReadASN1(&e.serial, cbasn1.INTEGER) && one.ReadAnyASN1Element(&e.time, &tag) &&
		one.ReadOptionalASN1(&e.extensions, nil, cbasn1.SEQUENCE) && one.Empty()
	return e, ok
}

// minimal says whether these are the contents of a DER INTEGER (X.690, 8.3.2).
func minimal(number []byte) bool {
	if len(number) < 2 {
		return len(number) == 1
	}
	return !(number[0] == 0 && number[1] < 0x80 || number[0] == 0xff && number[1] >= 0x80)
}

// dated says whether the entry has a time. Nearly all are easy to tell, which is ten
// times as fast as reading them.
func (e entry) dated() bool {
	if plainTime(e.time) {
		return true
	}
	_, ok := e.revokedAt()
	return ok
}

// plainTime says whether an element is a UTCTime with seconds, of a day that every month
// has.
func plainTime(t []byte) bool {
	if len(t) != 15 || t[0] != byte(cbasn1.UTCTime) || t[1] != 13 || t[14] != 'Z' {
		return false
	}
	for _, digit := range t[2:14] {
		if digit < '0' || digit > '9' {
			return false
		}
	}
	two := func(i int) int { return int(t[i]-'0')*10 + int(t[i+1]-'0') }
	month, day := two(4), two(6)
	return month >= 1 && month <= 12 && day >= 1 && day <= 28 && two(8) < 24 && two(10) < 60 && two(12) < 60
}

// revokedAt is when the certificate was revoked, or suspended.
func (e entry) revokedAt() (at time.Time, ok bool) {
	in := e.time
	if in.PeekASN1Tag(cbasn1.UTCTime) {
		ok = in.ReadASN1UTCTime(&at)
	} else {
		ok = in.ReadASN1GeneralizedTime(&at)
	}
	return at, ok && in.Empty()
}

// readExtensions returns the reason for which the certificate was revoked, and why the
// extensions make the whole list unfit: "If a CRL contains a critical CRL entry extension
// that the application cannot process, then the application MUST NOT use that CRL" (RFC
// 5280, section 5.3).
func (e entry) readExtensions() (reason Reason, unfit error, ok bool) {
	for in := e.extensions; !in.Empty(); {
		var one, id, value cryptobyte.String
		var critical bool
		if !in.ReadASN1(&one, cbasn1.SEQUENCE) || !one.ReadASN1Element(&id, cbasn1.OBJECT_IDENTIFIER) ||
			one.PeekASN1Tag(cbasn1.BOOLEAN) && !one.ReadASN1Boolean(&critical) ||
			!one.ReadASN1(&value, cbasn1.OCTET_STRING) || !one.Empty() {
			return 0, nil, false
		}
		switch string(id[2:]) {
		case idReasonCode:
			var number int
			if !value.ReadASN1Enum(&number) || !value.Empty() {
				return 0, nil, false
			}
			reason = Reason(number)
		case idHoldInstruction, idInvalidityDate:
		case idCertificateIssuer:
			unfit = errors.New("an entry is of another issuer, and the list does not say that it is indirect")
		default:
			var unknown asn1.ObjectIdentifier
			if !id.ReadASN1ObjectIdentifier(&unknown) {
				return 0, nil, false
			}
			if critical {
				unfit = fmt.Errorf("an entry has the critical extension %v, which is not known", unknown)
			}
		}
	}
	return reason, unfit, true
}

// of calls found with every entry of a serial number.
func (l *entries) of(number *big.Int, found func(entry)) {
	var b cryptobyte.Builder
	b.AddASN1BigInt(number)
	var serial cryptobyte.String
	in := cryptobyte.String(b.BytesOrPanic())
	if l.count == 0 || !in.ReadASN1(&serial, cbasn1.INTEGER) {
		return
	}
	if l.index == nil {
		l.makeIndex()
	}
	begin := *l.slot(serial)
	if begin == 0 {
		return
	}
	for in := l.der[begin-1:]; !in.Empty(); {
		e, ok := nextEntry(&in)
		if ok && bytes.Equal(e.serial, serial) {
			found(e)
		}
		if !ok || !l.repeated {
			return
		}
	}
}

func (l *entries) makeIndex() {
	l.seed = maphash.MakeSeed()
	l.index = make([]uint32, 1<<bits.Len(uint(l.count+l.count/3))) // a quarter of it stays free
	for in := l.der; !in.Empty(); {
		begin := len(l.der) - len(in)
		e, ok := nextEntry(&in)
		if !ok {
			return // not after readEntries
		}
		if slot := l.slot(e.serial); *slot == 0 {
			*slot = uint32(begin) + 1
		} else {
			l.repeated = true
		}
	}
}

// slot returns where in the index a serial number is, or would be.
func (l *entries) slot(serial []byte) *uint32 {
	mask := uint64(len(l.index) - 1)
	for i := maphash.Bytes(l.seed, serial) & mask; ; i = (i + 1) & mask {
		slot := &l.index[i]
		if *slot == 0 {
			return slot
		}
		in := l.der[*slot-1:]
		if e, _ := nextEntry(&in); bytes.Equal(e.serial, serial) {
			return slot
		}
	}
}
