// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
)

// stdio is the file name that means standard input or output.
const stdio = "-"

// input is a file to work on. Standard input is kept in a temporary file that
// nobody else sees, because everything here reads more than once.
type input struct {
	name string // as the user gave it
	file *os.File
	info os.FileInfo

	once  sync.Once
	bytes io.ReaderAt // the file, or what it held if it is small
}

// inMemory is the size up to which a file is read at once, in bytes. A PDF is looked at in
// many places, and to ask the system for each takes longer than the looking.
const inMemory = 128 << 10

// openInput opens a regular file, or reads standard input to its end.
func (a *app) openInput(ctx context.Context, name string) (*input, error) {
	file, err := a.openFile(ctx, name)
	if err != nil {
		return nil, fmt.Errorf("reading %q: %w", name, bare(err))
	}
	info, err := file.Stat()
	if err != nil {
		return nil, errors.Join(fmt.Errorf("reading %q: %w", name, bare(err)), file.Close())
	}
	return &input{name: name, file: file, info: info}, nil
}

func (a *app) openFile(ctx context.Context, name string) (*os.File, error) {
	if name == stdio {
		return spool(ctx, a.in)
	}
	info, err := os.Stat(name) // opening a named pipe would wait for a writer
	switch {
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, errors.New("it is a folder")
	case !info.Mode().IsRegular():
		return nil, errors.New("it is not a regular file; standard input, as -, takes anything")
	}
	return os.Open(name)
}

// spool copies a stream to a temporary file. When ctx ends it stops waiting.
func spool(ctx context.Context, r io.Reader) (*os.File, error) {
	file, err := os.CreateTemp("", "pectoken-")
	if err != nil {
		return nil, err
	}
	if runtime.GOOS != "windows" { // where an open file can't be removed
		_ = os.Remove(file.Name())
	}
	copied := make(chan error, 1)
	go func() {
		_, err := io.Copy(file, r)
		copied <- err
	}()
	select {
	case err = <-copied:
	case <-ctx.Done():
		err = ctx.Err()
	}
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

// section is the whole file.
func (i *input) section() *io.SectionReader {
	i.once.Do(func() { i.bytes = i.read() })
	return io.NewSectionReader(i.bytes, 0, i.info.Size())
}

// read takes a small file into memory. One that can't be read to its end now is read
// when it is needed, and there is somebody to be told.
func (i *input) read() io.ReaderAt {
	if size := i.info.Size(); size <= inMemory {
		content := make([]byte, size)
		if n, _ := i.file.ReadAt(content, 0); int64(n) == size {
			return bytes.NewReader(content)
		}
	}
	return i.file
}

// errChanged is why a result is thrown away: it may be made of two different files.
var errChanged = errors.New("the file was changed while it was signed; sign it again when nobody writes to it")

// unchanged says whether the file is still the one that was opened, as far as its
// size and its time of modification tell.
func (i *input) unchanged() error {
	now, err := i.file.Stat()
	if err != nil {
		return bare(err)
	}
	if now.Size() != i.info.Size() || !now.ModTime().Equal(i.info.ModTime()) {
		return errChanged
	}
	return nil
}

func (i *input) close() {
	_ = i.file.Close() // it was only read
	if i.name == stdio && runtime.GOOS == "windows" {
		_ = os.Remove(i.file.Name())
	}
}

// bare drops the path that package os puts before a cause: messages name the
// file as the user did.
func bare(err error) error {
	var path *os.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}
