// SPDX-License-Identifier: Apache-2.0

package token

// SameCard says whether two tokens of one module are on one card. Modules show a
// card with two PINs as two tokens, which differ in their labels ("Token PIN" and
// "Digital Signature PIN"); serial number, manufacturer and model are the same.
// Without a serial number nothing can be said, and the answer is no.
func (i Info) SameCard(other Info) bool {
	return i.Serial != "" && i.Serial == other.Serial && i.Manufacturer == other.Manufacturer && i.Model == other.Model
}

// Cards groups the tokens that one module shows by the card they are on, in the
// order in which they come. Each token has its own PIN.
func Cards(tokens []*Token) [][]*Token { return byCard(tokens, func(t *Token) Info { return t.Info }) }

// Cards groups the tokens of the module by the card they are on, in the order in
// which they come. Each token has its own PIN.
func (m *FoundModule) Cards() [][]*FoundToken {
	return byCard(m.Tokens, func(t *FoundToken) Info { return t.Info })
}

func byCard[T any](tokens []T, info func(T) Info) [][]T {
	var cards [][]T
next:
	for _, t := range tokens {
		for i, card := range cards {
			if info(card[0]).SameCard(info(t)) {
				cards[i] = append(card, t)
				continue next
			}
		}
		cards = append(cards, []T{t})
	}
	return cards
}
