// SPDX-License-Identifier: Apache-2.0

// Package outfile writes files that appear whole or not at all.
//
// A [File] is written under a hidden name (.NAME.pectoken-…) in the folder of
// the final one and gets its name by [File.Commit], when every byte is on the
// disk. Until then nothing is seen under the final name, whatever happens to
// the disk or the process; a killed process leaves the hidden file behind.
//
// A File is for one goroutine, but for [File.Abandon]. For many files there are [Folders]
// and [CommitAll].
package outfile

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// ErrExists is matched by the error of [Check] and [File.Commit] when
// there is something under the final name already.
var ErrExists = errors.New("it exists already")

// ErrFolder is matched by the error of [Check], [Create] and [File.Commit] when there is a
// folder under the final name.
var ErrFolder = errors.New("it is a folder")

// Error says why a file could not be written.
type Error struct {
	Doing string // the step, as a gerund
	Path  string
	Err   error
}

func (e *Error) Error() string { return fmt.Sprintf("%s %q: %v", e.Doing, e.Path, e.Err) }

// Unwrap returns the cause, which may be [ErrExists].
func (e *Error) Unwrap() error { return e.Err }

// Mode says what may happen to a file that exists under the final name.
type Mode int

// The modes. The zero value is the careful one.
const (
	KeepExisting    Mode = iota // Commit fails, also if the file appeared meanwhile
	ReplaceExisting             // Commit takes its place and its permissions
)

// bufferSize gathers small writes; large ones go past it.
const bufferSize = 32 << 10

// File is an output that has no name yet.
type File struct {
	path   string
	hidden string // the name of temp; it never changes
	mode   Mode
	temp   *os.File
	buf    []byte // what is not written yet
	torn   error  // why something was not written

	written, begun int64   // bytes in all, and those that are on their way to the disk
	direct         *direct // takes the rest of a long file; nil while it is short, and where there is no such thing
}

// stretch is how much is gathered before it is sent on its way, and behind is how
// much may be on its way.
const (
	stretch = 16 << 20
	behind  = 3 * stretch
)

// Check says whether a file could be created at path: an [*Error] that matches
// [ErrExists] if something is there and mode keeps it, another one if what is
// there is no regular file or the folder cannot be written to.
func Check(path string, mode Mode) error {
	if err := vacant(path, mode); err != nil {
		return &Error{"creating", path, err}
	}
	return try(path)
}

// vacant looks at the name itself: a symbolic link is something that exists,
// wherever it leads.
func vacant(path string, mode Mode) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return cause(err)
	case info.IsDir():
		return ErrFolder
	case mode == KeepExisting:
		return ErrExists
	case !info.Mode().IsRegular() && info.Mode().Type() != fs.ModeSymlink:
		return errors.New("what is there is not a regular file")
	}
	return nil
}

// Create begins a file, if [Check] has nothing against it. End it with [File.Commit]; [File.Discard] may always be
// called.
func Create(path string, mode Mode) (*File, error) {
	if err := vacant(path, mode); err != nil {
		return nil, &Error{"creating", path, err}
	}
	temp, err := createTemp(path)
	if err != nil {
		return nil, &Error{"creating", path, cause(err)}
	}
	return &File{path: path, hidden: temp.Name(), mode: mode, temp: temp}, nil
}

// createTemp makes the hidden file with the permissions that a new file gets.
func createTemp(path string) (*os.File, error) {
	folder, base := filepath.Split(path)
	if len(base) > 200 { // names have 255 bytes at the most
		base = base[:200]
	}
	name := filepath.Join(folder, "."+base+".pectoken-"+rand.Text()[:10])
	return os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
}

// Write adds to the file. The rest of a long one goes straight to the disk where the
// system can do that. Elsewhere it is brought to the disk while it is written, so that
// Commit needn't wait for all of it, and leaves memory again: finding memory for a
// gigabyte takes longer than writing it.
func (f *File) Write(p []byte) (int, error) {
	if len(f.buf)+len(p) > bufferSize {
		f.put(f.buf)
		f.buf = f.buf[:0]
	}
	if len(p) > bufferSize {
		f.put(p)
	} else {
		f.buf = append(f.buf, p...)
	}
	f.written += int64(len(p))
	if f.direct == nil && f.begun == 0 && f.written >= stretch {
		f.put(f.buf)
		f.buf = f.buf[:0]
		f.direct = startDirect(f.temp, f.written)
	}
	if f.torn != nil {
		return 0, f.failed(f.torn)
	}
	for ; f.direct == nil && f.written-f.begun >= stretch; f.begun += stretch {
		writeBack(f.temp, f.begun, stretch)
		if f.begun >= behind {
			release(f.temp, f.begun-behind, stretch)
		}
	}
	return len(p), nil
}

// put writes to the hidden file, unless that failed before.
func (f *File) put(p []byte) {
	switch {
	case len(p) == 0 || f.torn != nil:
	case f.direct != nil:
		_, f.torn = f.direct.Write(p)
	default:
		_, f.torn = f.temp.Write(p)
	}
}

// Commit brings the file to the disk and gives it its name.
func (f *File) Commit() error { return CommitAll(f)[0] }

// CommitAll commits files, each of which succeeds or fails by itself; the errors stand
// in their order. It takes less time than as many calls of Commit: what is written
// together the system brings to the disk together.
func CommitAll(files ...*File) []error {
	errs := make([]error, len(files))
	for _, step := range []func(*File) error{(*File).flush, (*File).settle, (*File).name} {
		for i, f := range files {
			if errs[i] == nil {
				errs[i] = step(f)
			}
		}
	}
	folders := map[string]error{}
	for i, f := range files {
		folder := filepath.Dir(f.path)
		if _, done := folders[folder]; errs[i] == nil && !done {
			folders[folder] = syncFolder(folder)
		}
		if errs[i] == nil {
			errs[i] = folders[folder]
		}
		if errs[i] != nil {
			f.Discard()
			errs[i] = f.failed(errs[i])
		}
	}
	return errs
}

// flush begins to write what is left.
func (f *File) flush() error {
	if f.temp == nil {
		return fs.ErrClosed
	}
	f.put(f.buf)
	f.buf = nil
	if f.torn != nil {
		return f.torn
	}
	if f.direct != nil {
		if err := f.direct.flush(); err != nil {
			return err
		}
	}
	if err := f.inheritPermissions(); err != nil {
		return err
	}
	writeBack(f.temp, f.begun, f.written-f.begun)
	return nil
}

// settle waits for what was begun, so that one entry in the journal of the file
// system does for all files that are synchronised next.
func (f *File) settle() error {
	await(f.temp, f.begun, f.written-f.begun)
	return nil
}

// name gives the file its name when all of it is on the disk.
func (f *File) name() error {
	if err := f.temp.Sync(); err != nil {
		return err
	}
	if err := f.temp.Close(); err != nil {
		return err
	}
	if err := f.rename(); err != nil {
		return err
	}
	f.closeDirect()
	f.temp = nil
	return nil
}

// inheritPermissions gives the file those of the one it replaces.
func (f *File) inheritPermissions() error {
	if f.mode != ReplaceExisting {
		return nil
	}
	old, err := os.Stat(f.path)
	if err != nil || !old.Mode().IsRegular() {
		return nil
	}
	return f.temp.Chmod(old.Mode().Perm())
}

func (f *File) rename() error {
	if err := vacant(f.path, f.mode); err != nil {
		return err
	}
	if f.mode == ReplaceExisting {
		return os.Rename(f.temp.Name(), f.path)
	}
	err := renameNew(f.temp.Name(), f.path)
	if errors.Is(err, fs.ErrExist) {
		return ErrExists
	}
	return err
}

// Discard removes what was written. After Commit it does nothing.
func (f *File) Discard() {
	if f.temp == nil {
		return
	}
	f.closeDirect()
	_ = f.temp.Close()
	_ = os.Remove(f.temp.Name())
	f.temp = nil
}

// Abandon removes the hidden file of a File that another goroutine may be at work on,
// which must end without Commit or Discard. Where an open file can't be removed it stays.
func (f *File) Abandon() { _ = os.Remove(f.hidden) }

func (f *File) closeDirect() {
	if f.direct != nil {
		f.direct.close()
		f.direct = nil
	}
}

func (f *File) failed(err error) error {
	return &Error{"writing", f.path, cause(err)}
}

// cause leaves the hidden name out of an error: it means nothing to the user.
func cause(err error) error {
	var path *fs.PathError
	var link *os.LinkError
	switch {
	case errors.As(err, &path):
		return path.Err
	case errors.As(err, &link):
		return link.Err
	}
	return err
}
