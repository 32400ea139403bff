// SPDX-License-Identifier: Apache-2.0

package cli

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
	"strings"

	"github.com/pectoken/pectoken/cmd/internal/cli/outfile"
	cnscard "github.com/pectoken/pectoken/cns/card"
	"github.com/pectoken/pectoken/token"
)

// memory is where the cards found through these modules are remembered: another
// list of modules, such as one more that was installed or another version of one,
// begins anew. The second result is false where nothing can be kept.
func (a *app) memory(candidates []token.Candidate) (token.Memory, bool) {
	folder, err := a.cacheDir()
	if err != nil {
		return token.Memory{}, false
	}
	list := sha256.New()
	for _, c := range candidates {
		fmt.Fprintf(list, "%q", c.Path)
		if info, err := os.Stat(c.Path); err == nil {
			fmt.Fprintf(list, " %d %d", info.Size(), info.ModTime().UnixNano())
		}
	}
	name := "cards-" + hex.EncodeToString(list.Sum(nil)[:8]) + ".json"
	return token.Memory{Path: filepath.Join(folder, "pectoken", name)}, true
}

// aside is what a full look found that the one module which is opened the next time
// does not know of. It is told again, and forgotten at the next full look.
type aside struct {
	Problems []moduleProblemJSON
	Also     map[string][]string // by the fingerprint of a certificate, other modules that show it
}

// longestKept is the most that is read of what was kept, in bytes.
const longestKept = 1 << 20

func asidePath(m token.Memory) string { return strings.TrimSuffix(m.Path, ".json") + "-aside.json" }

// remember keeps what was found for the next time. That it can't be kept, in a home
// folder that is read only for instance, harms nobody.
func (a *app) remember(found *token.Discovery, candidates []token.Candidate) {
	memory, ok := a.memory(candidates)
	if !ok {
		return
	}
	if len(found.Certificates) == 0 {
		_ = memory.Forget()
		return
	}
	if memory.Keep(found, a.now()) == nil {
		_ = keepJSON(asidePath(memory), asideOf(found))
	}
}

func asideOf(found *token.Discovery) aside {
	kept := aside{Also: map[string][]string{}}
	for _, p := range found.Problems {
		kept.Problems = append(kept.Problems, moduleProblemJSON{p.Path, p.Reason})
	}
	for _, c := range found.Certificates {
		if also := otherModules(c.Ways); len(also) > 0 {
			kept.Also[fingerprint(c.Raw)] = also
		}
	}
	return kept
}

// keepJSON writes what is to be read the next time, in a folder for the user alone.
func keepJSON(path string, v any) error {
	content, err := json.Marshal(v)
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err != nil {
		return err
	}
	file, err := outfile.Create(path, outfile.ReplaceExisting)
	if err != nil {
		return err
	}
	defer file.Discard()
	if _, err := file.Write(content); err != nil {
		return err
	}
	return file.Commit()
}

// readJSON reads what was kept. A damaged file counts for nothing.
func readJSON[T any](path string) (v T) {
	var none T
	file, err := os.Open(path)
	if err != nil {
		return none
	}
	defer file.Close()
	if json.NewDecoder(io.LimitReader(file, longestKept)).Decode(&v) != nil {
		return none
	}
	return v
}

// tell adds what was kept to a wallet.
func (s aside) tell(w *wallet) {
	for _, p := range s.Problems {
		w.problems = append(w.problems, &token.ModuleError{Path: p.Module, Reason: p.Problem})
	}
	for _, c := range w.cards {
		for _, held := range c.certificates {
			held.also = s.Also[fingerprint(held.Raw)]
			c.also = append(c.also, held.also...)
		}
		slices.Sort(c.also)
		c.also = slices.Compact(c.also)
	}
}

// recall opens the module that showed the cards of last time, and returns nil if they
// are gone, are not what is asked for, or if there is another card. It does so in this
// process: a module that does not answer there, or crashed, is forgotten, so that each
// is looked at in a process of its own again.
func (a *app) recall(ctx context.Context, f cardFlags, candidates []token.Candidate) *wallet {
	memory, ok := a.memory(candidates)
	if !ok {
		return nil
	}
	if crashed(crashPath(memory)) {
		a.say("note: the last run crashed, maybe in a driver; every driver is tried again")
		_ = memory.Forget()
		return nil
	}
	w, err := answer(ctx, answerLimit, func() (*wallet, error) { return a.reopen(ctx, f, memory, candidates), nil })
	if errors.Is(err, errNoAnswer) {
		a.say("note: the driver of last time %v; every driver is tried again", err)
		_ = memory.Forget()
	}
	return w
}

// reopen is recall for modules that answer.
func (a *app) reopen(ctx context.Context, f cardFlags, memory token.Memory, candidates []token.Candidate) *wallet {
	module, tokens, err := memory.Open(ctx, func(r token.Remembered) bool { return f.fitsName(r.Label, r.Serial) })
	if err != nil {
		return nil
	}
	w := &wallet{open: []*token.Module{module}}
	library, _ := module.Library(ctx) // empty if it says nothing
	if !f.fitsLibrary(library) || len(candidates) > 1 && !a.showsAll(ctx, tokens) || !w.take(ctx, f, module, tokens) {
		w.close()
		return nil
	}
	readJSON[aside](asidePath(memory)).tell(w)
	return w
}

// take makes cards of the tokens that fit, and says whether there are any and all
// went well.
func (w *wallet) take(ctx context.Context, f cardFlags, module *token.Module, tokens []*token.Token) bool {
	for _, t := range tokens {
		if !f.fits(t.Info) {
			continue
		}
		c := &card{Info: t.Info, module: module.Path(), live: t, through: module}
		if c.read(ctx, t); c.problem != nil {
			return false
		}
		w.cards = append(w.cards, c)
	}
	return len(w.cards) > 0
}

// showsAll says whether the tokens account for every card in a reader: one that the
// module of last time doesn't show may be another module's.
func (a *app) showsAll(ctx context.Context, tokens []*token.Token) bool {
	readers, err := a.readers(ctx)
	if err != nil { // no PC/SC, and so no cards but those of modules that need none
		return true
	}
	for _, r := range readers {
		shown := func(t *token.Token) bool { return sameReader(t.Reader, r.Name) }
		if r.State != cnscard.ReaderEmpty && !slices.ContainsFunc(tokens, shown) {
			return false
		}
	}
	return true
}

// sameReader compares the name of a reader in a slot's description, which has room
// for 64 bytes, with the whole one.
func sameReader(slot, reader string) bool {
	return slot != "" && strings.HasPrefix(strings.TrimSpace(reader), strings.TrimSpace(slot))
}
