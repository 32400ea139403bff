// SPDX-License-Identifier: Apache-2.0

package revocation

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
)

// Cache keeps what was fetched in a folder, where several processes share it. What
// is in it is read as warily as what comes from the network, so that nobody gains by
// writing to it: everything in it is signed. It keeps no more than 256 MiB.
type Cache struct{ Dir string }

// maxCache is how much a cache holds, in bytes.
const maxCache = 256 << 20

// get returns what is kept, nil if nothing is.
func (c *Cache) get(key string) []byte {
	if c == nil {
		return nil
	}
	path := filepath.Join(c.Dir, key)
	if info, err := os.Stat(path); err != nil || info.Size() > maxCRL {
		return nil
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return data
}

// put keeps data, whole or not at all. That it can't be kept harms nobody.
func (c *Cache) put(key string, data []byte) {
	if c == nil {
		return
	}
	if err := os.MkdirAll(c.Dir, 0o700); err != nil {
		return
	}
	if c.size()+int64(len(data)) > maxCache {
		_ = c.Clear()
	}
	file, err := os.CreateTemp(c.Dir, ".new-*")
	if err != nil {
		return
	}
	_, err = file.Write(data)
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(file.Name(), filepath.Join(c.Dir, key))
	}
	if err != nil {
		_ = os.Remove(file.Name())
	}
}

func (c *Cache) size() (total int64) {
	entries, err := os.ReadDir(c.Dir)
	if err != nil {
		return 0
	}
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() {
			total += info.Size()
		}
	}
	return total
}

// Clear forgets everything.
func (c *Cache) Clear() error {
	entries, err := os.ReadDir(c.Dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range entries {
		if e.Type().IsRegular() {
			err = errors.Join(err, os.Remove(filepath.Join(c.Dir, e.Name())))
		}
	}
	return err
}
