// SPDX-License-Identifier: Apache-2.0

package pdf

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// LockAction says which fields a [FieldLock] means.
type LockAction int

// The actions, ISO 32000-2, table 236.
const (
	LockNone    LockAction = iota
	LockAll                // every field
	LockInclude            // those of Fields
	LockExclude            // all but those of Fields
)

var lockActions = [...]name{LockAll: "All", LockInclude: "Include", LockExclude: "Exclude"}

// String returns the name that PDF gives the action; "" for none.
func (a LockAction) String() string {
	if a < 0 || int(a) >= len(lockActions) {
		return ""
	}
	return string(lockActions[a])
}

// FieldLock names the form fields that nobody may change any more once a
// signature stands (ISO 32000-2, 12.8.2.4). A name means the fields below it too.
type FieldLock struct {
	Action LockAction
	Fields []string // fully qualified names
}

// covers reports whether the field is locked.
func (l FieldLock) covers(field string) bool {
	listed := slices.ContainsFunc(l.Fields, func(name string) bool {
		return field == name || strings.HasPrefix(field, name+".")
	})
	return l.Action == LockAll || l.Action == LockInclude && listed || l.Action == LockExclude && !listed
}

// lock is a lock as it stands in a document, with the level that ISO 32000-2
// adds to it, 0 for none.
type lock struct {
	FieldLock
	level Certification
}

// readLock reads a signature field lock dictionary or the parameters of a
// FieldMDP transform, which are written alike.
func (d *Document) readLock(o object) (lock, error) {
	held, err := as[*dict](d, o)
	if err != nil || held == nil {
		return lock{}, err
	}
	var l lock
	action, err := as[name](d, held.get("Action"))
	if err != nil {
		return l, err
	}
	l.Action = LockAction(max(0, slices.Index(lockActions[:], action)))
	level, err := as[int64](d, held.get("P"))
	if err != nil {
		return l, err
	}
	if level >= 1 && level <= 3 {
		l.level = Certification(level)
	}
	l.Fields, err = d.plainStrings(held.get("Fields"))
	return l, err
}

// plainStrings returns the text strings of an array.
func (d *Document) plainStrings(o object) ([]string, error) {
	a, err := as[*array](d, o)
	if err != nil || a == nil {
		return nil, err
	}
	list := make([]string, len(a.items))
	for i, item := range a.items {
		if err := d.spend(fieldEffort); err != nil {
			return nil, err
		}
		if list[i], err = d.plainString(item); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// entries writes what a lock dictionary and the parameters of FieldMDP have in
// common, as part of object r.
func (l lock) entries(u *update, r ref) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "/Action /%v", l.Action)
	if l.Action != LockAll {
		b.WriteString(" /Fields [")
		for _, f := range l.Fields {
			s, err := u.text(r, f)
			if err != nil {
				return nil, err
			}
			b.Write(padded(s))
		}
		b.WriteByte(']')
	}
	if l.level != 0 {
		fmt.Fprintf(&b, " /P %d", l.level)
	}
	return b.Bytes(), nil
}
