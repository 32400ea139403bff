// SPDX-License-Identifier: Apache-2.0

package pdf

// AppearanceError says why a signature cannot be shown as asked.
type AppearanceError struct {
	Why string
}

// Error implements error.
func (e *AppearanceError) Error() string { return "drawing the signature: " + e.Why }

// Appearance says how a signature looks on the page.
type Appearance struct {
	Page int
}

func (a *Appearance) page() int {
	if a == nil || a.Page == 0 {
		return 1
	}
	return a.Page
}

type stamp struct{}

func (s *stamp) entries() string { return " /Rect [0 0 0 0]" }

func (p *plan) stampOn(*page) (*stamp, error) { return nil, nil }
func (p *plan) stampField(*field) error       { return nil }
