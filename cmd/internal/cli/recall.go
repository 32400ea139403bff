// SPDX-License-Identifier: Apache-2.0

package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
	"slices"
	"strings"

	cnscard "github.com/pectoken/pectoken/cns/card"
	"github.com/pectoken/pectoken/token"
)

// memory is where the cards found through these modules are remembered: another
// list of modules, such as one more that was installed, begins anew. The second
// result is false where nothing can be kept.
func (a *app) memory(candidates []token.Candidate) (token.Memory, bool) {
	folder, err := a.cacheDir()
	if err != nil {
		return token.Memory{}, false
	}
	list := sha256.New()
	for _, c := range candidates {
		list.Write([]byte(c.Path + "\x00"))
	}
	name := "cards-" + hex.EncodeToString(list.Sum(nil)[:8]) + ".json"
	return token.Memory{Path: filepath.Join(folder, "pectoken", name)}, true
}

// remember keeps what was found for the next time. That it can't be kept, in a home
// folder that is read only for instance, harms nobody.
func (a *app) remember(found *token.Discovery, candidates []token.Candidate) {
	memory, ok := a.memory(candidates)
	switch {
	case !ok:
	case len(found.Certificates) == 0:
		_ = memory.Forget()
	default:
		_ = memory.Keep(found, a.now())
	}
}

// recall opens the module that showed the cards of last time, and returns nil if they
// are gone, are not what is asked for, or if there is another card.
func (a *app) recall(ctx context.Context, f cardFlags, candidates []token.Candidate) *wallet {
	memory, ok := a.memory(candidates)
	if !ok {
		return nil
	}
	module, tokens, err := memory.Open(ctx, func(r token.Remembered) bool { return f.fitsName(r.Label, r.Serial) })
	if err != nil {
		return nil
	}
	w := &wallet{open: []*token.Module{module}}
	if len(candidates) > 1 && !a.showsAll(ctx, tokens) || !w.take(ctx, f, module, tokens) {
		w.close()
		return nil
	}
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
