// Package qr draws a text as a QR code (ISO/IEC 18004) with github.com/boombuler/barcode: for a terminal, and for a page.
package qr

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/boombuler/barcode/qr"
)

// MaxText is how much text is drawn, in bytes. A code of more is too fine for a camera that reads it off a screen.
const MaxText = 1 << 10

// The quiet zone around a code, in modules. The standard asks for four; in a terminal two do, and leave room for the text around it.
const (
	quietTerminal = 2
	quietSVG      = 4
)

// ErrText is a text that cannot be drawn: nothing, or too much. It does not quote the text, which may hold a secret.
var ErrText = fmt.Errorf("a QR code holds 1 to %d bytes", MaxText)

// code is a drawn code: which modules are dark.
type code struct {
	size  int
	quiet int
	dark  func(x, y int) bool
}

func draw(text string, quiet int) (code, error) {
	if text == "" || len(text) > MaxText {
		return code{}, ErrText
	}
	drawn, err := qr.Encode(text, qr.M, qr.Unicode)
	if err != nil {
		return code{}, fmt.Errorf("draw QR code: %w", err)
	}
	size := drawn.Bounds().Dx()
	return code{size: size + 2*quiet, quiet: quiet, dark: func(x, y int) bool {
		x, y = x-quiet, y-quiet
		if x < 0 || y < 0 || x >= size || y >= size {
			return false
		}
		grey, _, _, _ := drawn.At(x, y).RGBA()
		return grey == 0
	}}, nil
}

// Terminal draws a text as lines of Unicode half blocks, two rows of modules to a line, without escape sequences. The light modules are the blocks, as most
// terminals write light on dark; scanners read the inverse too.
func Terminal(text string) (string, error) {
	c, err := draw(text, quietTerminal)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for y := 0; y < c.size; y += 2 {
		for x := range c.size {
			light, below := !c.dark(x, y), y+1 < c.size && !c.dark(x, y+1)
			switch {
			case light && below:
				b.WriteRune('█')
			case light:
				b.WriteRune('▀')
			case below:
				b.WriteRune('▄')
			default:
				b.WriteByte(' ')
			}
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}

// SVG draws a text as an SVG image of one unit a module: a light square and one path of what is dark, so that it scales and carries no script, style or font.
func SVG(text string) ([]byte, error) {
	c, err := draw(text, quietSVG)
	if err != nil {
		return nil, err
	}
	side := strconv.Itoa(c.size)
	b := []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ` + side + " " + side + `" shape-rendering="crispEdges" role="img" aria-label="QR code">` +
		`<path fill="#fff" d="M0 0h` + side + "v" + side + `H0z"/><path fill="#000" d="`)
	for y := range c.size {
		for x := 0; x < c.size; x++ {
			start := x
			for x < c.size && c.dark(x, y) {
				x++
			}
			if x > start {
				b = fmt.Appendf(b, "M%d %dh%dv1h-%dz", start, y, x-start, x-start)
			}
		}
	}
	return append(b, `"/></svg>`...), nil
}
