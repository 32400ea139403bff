// SPDX-License-Identifier: Apache-2.0

package svg

import (
	"fmt"
	"math"
	"strings"

	"github.com/pectoken/pectoken/sign/pdf/internal/raster"
)

// matrix is a transformation: x' = a·x + c·y + e, y' = b·x + d·y + f.
type matrix struct{ a, b, c, d, e, f float64 }

var identity = matrix{a: 1, d: 1}

// times returns the matrix that does n first and then m.
func (m matrix) times(n matrix) matrix {
	return matrix{
		m.a*n.a + m.c*n.b, m.b*n.a + m.d*n.b,
		m.a*n.c + m.c*n.d, m.b*n.c + m.d*n.d,
		m.a*n.e + m.c*n.f + m.e, m.b*n.e + m.d*n.f + m.f,
	}
}

func (m matrix) apply(p raster.Point) raster.Point {
	return raster.Point{X: m.a*p.X + m.c*p.Y + m.e, Y: m.b*p.X + m.d*p.Y + m.f}
}

// scale is how much larger things become, as far as that is one number.
func (m matrix) scale() float64 { return math.Sqrt(math.Abs(m.a*m.d - m.b*m.c)) }

// inverse undoes m; false when it leaves no area.
func (m matrix) inverse() (matrix, bool) {
	det := m.a*m.d - m.b*m.c
	if math.Abs(det) < 1e-18 || math.IsNaN(det) || math.IsInf(det, 0) {
		return m, false
	}
	n := matrix{a: m.d / det, b: -m.b / det, c: -m.c / det, d: m.a / det}
	n.e, n.f = -(n.a*m.e + n.c*m.f), -(n.b*m.e + n.d*m.f)
	return n, true
}

// parseTransform reads a list such as translate(1,2) rotate(30).
func parseTransform(text string) (matrix, error) {
	m := identity
	for rest := strings.TrimLeft(text, " \t\r\n,"); rest != ""; rest = strings.TrimLeft(rest, " \t\r\n,") {
		name, after, opened := strings.Cut(rest, "(")
		inside, next, closed := strings.Cut(after, ")")
		n, err := numbers(inside)
		one, ok := transform(strings.TrimSpace(name), n)
		if !opened || !closed || err != nil || !ok {
			return m, fmt.Errorf("%.40q is no transformation", rest)
		}
		m, rest = m.times(one), next
	}
	return m, nil
}

func transform(name string, n []float64) (matrix, bool) {
	switch {
	case name == "matrix" && len(n) == 6:
		return matrix{n[0], n[1], n[2], n[3], n[4], n[5]}, true
	case name == "translate" && len(n) == 1:
		return matrix{1, 0, 0, 1, n[0], 0}, true
	case name == "translate" && len(n) == 2:
		return matrix{1, 0, 0, 1, n[0], n[1]}, true
	case name == "scale" && len(n) == 1:
		return matrix{a: n[0], d: n[0]}, true
	case name == "scale" && len(n) == 2:
		return matrix{a: n[0], d: n[1]}, true
	case name == "rotate" && len(n) == 1:
		return rotation(n[0]), true
	case name == "rotate" && len(n) == 3:
		return matrix{1, 0, 0, 1, n[1], n[2]}.times(rotation(n[0])).times(matrix{1, 0, 0, 1, -n[1], -n[2]}), true
	case name == "skewX" && len(n) == 1:
		return matrix{a: 1, c: math.Tan(n[0] * math.Pi / 180), d: 1}, true
	case name == "skewY" && len(n) == 1:
		return matrix{a: 1, b: math.Tan(n[0] * math.Pi / 180), d: 1}, true
	}
	return identity, false
}

func rotation(degrees float64) matrix {
	sin, cos := math.Sincos(degrees * math.Pi / 180)
	return matrix{cos, sin, -sin, cos, 0, 0}
}
