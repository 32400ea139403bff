// SPDX-License-Identifier: Apache-2.0

package token

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// ErrNotRemembered is returned by [Memory.Open] when a full look is needed: nothing
// is remembered, no remembered card is in a reader, or the module's file is not
// the one it was.
var ErrNotRemembered = errors.New("no remembered card is here")

// Memory is a file in which the cards that were found are remembered, so that the
// next run opens one module and starts at once. It holds no secrets, only what
// anybody who has the card can read from it. It belongs into the user's cache folder.
type Memory struct{ Path string }

// Remembered is a card that was seen through a module.
type Remembered struct {
	Serial, Label string
	Certificates  []string // SHA-256 of each, in hexadecimal
}

// remembered is what is remembered of a module: what its file was like, to notice
// that it was changed.
type remembered struct {
	Path     string
	Size     int64
	Modified time.Time
	Inode    uint64
	Seen     time.Time
	Tokens   []Remembered
}

// memoryFile is the form of the file.
type memoryFile struct {
	Version int
	Modules []remembered
}

const (
	memoryVersion = 1
	maxMemory     = 1 << 20 // bytes
	maxRemembered = 32      // modules
)

// Open opens the best module through which a remembered card, one that wanted
// approves of, is in a reader now, and returns it with all of its tokens. Nil
// approves of every card. Only modules whose files have not changed since are
// opened, in this process, as they worked the last time. The error is
// [ErrNotRemembered] when there is no such card; a file that is damaged, or
// that others may write to, counts for nothing.
func (m Memory) Open(ctx context.Context, wanted func(Remembered) bool) (*Module, []*Token, error) {
	for _, r := range m.read() {
		if !r.unchanged() || wanted != nil && !slices.ContainsFunc(r.Tokens, wanted) {
			continue
		}
		if module, tokens := r.open(ctx, wanted); module != nil {
			return module, tokens, nil
		}
		if ctx.Err() != nil {
			return nil, nil, fmt.Errorf("opening a remembered module: %w", ctx.Err())
		}
	}
	return nil, nil, ErrNotRemembered
}

// open returns nil if no remembered card is there.
func (r remembered) open(ctx context.Context, wanted func(Remembered) bool) (*Module, []*Token) {
	module, err := open(r.Path, os.Stat) // that it is a library for this system is remembered, too
	if err != nil {
		return nil, nil
	}
	tokens, _, err := module.Tokens(ctx)
	for _, t := range tokens {
		known := func(k Remembered) bool {
			return k.Serial == t.Serial && k.Label == t.Label && (wanted == nil || wanted(k))
		}
		if err == nil && slices.ContainsFunc(r.Tokens, known) {
			return module, tokens
		}
	}
	_ = module.Close() // it is not the one
	return nil, nil
}

func (r remembered) unchanged() bool {
	info, err := os.Stat(r.Path)
	return err == nil && info.Size() == r.Size && info.ModTime().Equal(r.Modified) && inode(info) == r.Inode
}

// Keep remembers what was discovered at a time, in place of what was remembered
// before. Modules that showed no certificate are not worth it. The file is
// written whole or not at all, for the user alone to read.
func (m Memory) Keep(d *Discovery, now time.Time) error {
	file := memoryFile{Version: memoryVersion}
	for _, module := range d.Modules {
		if r, ok := module.remember(now); ok && len(file.Modules) < maxRemembered {
			file.Modules = append(file.Modules, r)
		}
	}
	content, err := json.Marshal(file)
	if err == nil {
		err = replace(m.Path, content)
	}
	if err != nil {
		return fmt.Errorf("remembering cards: %w", err)
	}
	return nil
}

// Forget removes the file.
func (m Memory) Forget() error {
	if err := os.Remove(m.Path); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("forgetting cards: %w", err)
	}
	return nil
}

func (m *FoundModule) remember(now time.Time) (r remembered, ok bool) {
	path, err := filepath.Abs(m.Path)
	if err != nil {
		return r, false
	}
	info, err := os.Stat(path)
	if err != nil {
		return r, false
	}
	r = remembered{Path: path, Size: info.Size(), Modified: info.ModTime(), Inode: inode(info), Seen: now}
	for _, t := range m.Tokens {
		k := Remembered{Serial: t.Serial, Label: t.Label}
		for _, c := range t.Certificates {
			fingerprint := sha256.Sum256(c.Raw)
			k.Certificates = append(k.Certificates, hex.EncodeToString(fingerprint[:]))
		}
		ok = ok || len(k.Certificates) > 0
		r.Tokens = append(r.Tokens, k)
	}
	return r, ok
}

// read returns the remembered modules, best first; nothing if anything is wrong.
func (m Memory) read() []remembered {
	f, err := os.Open(m.Path)
	if err != nil {
		return nil
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() || othersMayWrite(info) {
		return nil
	}
	content, err := io.ReadAll(io.LimitReader(f, maxMemory))
	var file memoryFile
	if err != nil || json.Unmarshal(content, &file) != nil || file.Version != memoryVersion {
		return nil
	}
	return file.Modules[:min(len(file.Modules), maxRemembered)]
}

// replace writes a file beside the old one and puts it in its place.
func replace(path string, content []byte) (err error) {
	folder := filepath.Dir(path)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(folder, ".cards-*") // with permissions 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name()) // err says more
		}
	}()
	_, err = f.Write(content)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
