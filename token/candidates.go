// SPDX-License-Identifier: Apache-2.0

package token

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Source is where the path of a module comes from.
type Source uint8

// Sources of a path, the strongest word first.
const (
	SourceUnknown     Source = iota
	SourceGiven              // the user named it
	SourceEnvironment        // the variable PECTOKEN_MODULE
	SourceConfig             // a configuration file
	SourceP11Kit             // registered with p11-kit
	SourceKnown              // one of KnownModules
)

// String returns unknown, given, environment, config, p11-kit or known.
func (s Source) String() string {
	words := [...]string{"unknown", "given", "environment", "config", "p11-kit", "known"}
	if int(s) >= len(words) {
		return words[SourceUnknown]
	}
	return words[s]
}

// Candidate is a file that may be a PKCS#11 module.
type Candidate struct {
	Path   string
	Vendor string // who makes a module of that file name, such as "Bit4id"; empty if nobody known does
	Source Source
}

// Places says where to look for modules.
type Places struct {
	Paths  []string            // named by the user
	Config []string            // named in a configuration file
	Getenv func(string) string // reads the environment, such as os.Getenv; nil: an empty one

	// P11Kit lists folders of p11-kit's module files, of low priority first; nil
	// means the system's and the user's own.
	P11Kit []string

	// Known lists the usual places; nil means KnownModules.
	Known []KnownModule
}

// Candidates returns the modules to try, the strongest source first, each file
// once under whatever names it is reached. Modules that the user, the environment or
// a configuration names are in it even if they are not there, for that to be said.
//
// PECTOKEN_MODULE holds one path, or several divided as in PATH. The files of
// p11-kit are read by the rules of pkcs11.conf(5): enable-in and disable-in hold
// for the program name pectoken, modules of a trust policy and remote ones are
// passed over.
func (p Places) Candidates() []Candidate {
	if p.Getenv == nil {
		p.Getenv = func(string) string { return "" }
	}
	if p.P11Kit == nil {
		p.P11Kit = p11kitFolders(p.Getenv)
	}
	if p.Known == nil {
		p.Known = KnownModules()
	}
	var known []string
	for _, m := range p.Known {
		known = append(known, m.Path)
	}
	var list distinct
	list.add(SourceGiven, p.Paths...)
	list.add(SourceEnvironment, filepath.SplitList(p.Getenv("PECTOKEN_MODULE"))...)
	list.add(SourceConfig, p.Config...)
	list.add(SourceP11Kit, p11kitModules(p.P11Kit)...)
	list.add(SourceKnown, known...)
	return list.vendors(p.Known)
}

// distinct is a list of candidates that are different files.
type distinct struct {
	candidates []Candidate
	files      []os.FileInfo
}

func (d *distinct) add(source Source, paths ...string) {
	for _, path := range paths {
		info, err := os.Stat(path)
		there := err == nil && info.Mode().IsRegular()
		switch {
		case path == "" || source == SourceKnown && !there:
			continue
		case there && slices.ContainsFunc(d.files, func(f os.FileInfo) bool { return os.SameFile(f, info) }):
			continue
		case there:
			d.files = append(d.files, info)
		}
		d.candidates = append(d.candidates, Candidate{Path: path, Source: source})
	}
}

// vendors fills in who makes the modules, by their file names.
func (d *distinct) vendors(known []KnownModule) []Candidate {
	for i, c := range d.candidates {
		named := func(m KnownModule) bool { return strings.EqualFold(filepath.Base(m.Path), filepath.Base(c.Path)) }
		if at := slices.IndexFunc(known, named); at >= 0 {
			d.candidates[i].Vendor = known[at].Vendor
		}
	}
	return d.candidates
}

// rank orders modules that show the same: named by the user, a vendor's own,
// OpenSC, any other. The lower is the better.
func (c Candidate) rank() int {
	switch {
	case c.Source >= SourceGiven && c.Source <= SourceConfig:
		return 0
	case c.Vendor == vendorOpenSC:
		return 2
	case c.Vendor == "" || c.Vendor == vendorSoftHSM:
		return 3
	}
	return 1
}
