package qr_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"image"
	"image/color"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/makiuchi-d/gozxing"
	reader "github.com/makiuchi-d/gozxing/qrcode"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/adapters/qr"
)

const uri = "otpauth://totp/Forge%201:ada@example.com?algorithm=SHA1&digits=6&issuer=Forge%201&period=30&secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"

// scale is how many pixels of the picture given to the decoder are one module.
const scale = 3

type fataler interface {
	Fatalf(format string, args ...any)
}

// read decodes a picture whose modules are told by dark.
func read(t fataler, size int, dark func(x, y int) bool) string {
	picture := image.NewGray(image.Rect(0, 0, size*scale, size*scale))
	for y := range size * scale {
		for x := range size * scale {
			if !dark(x/scale, y/scale) {
				picture.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	bitmap, err := gozxing.NewBinaryBitmapFromImage(picture)
	if err != nil {
		t.Fatalf("%v", err)
	}
	// A picture that is drawn and not photographed.
	got, err := reader.NewQRCodeReader().Decode(bitmap, map[gozxing.DecodeHintType]any{
		gozxing.DecodeHintType_PURE_BARCODE: true, gozxing.DecodeHintType_CHARACTER_SET: "UTF-8",
	})
	if err != nil {
		t.Fatalf("decode: %v", err)
	}
	return got.GetText()
}

func readTerminal(t fataler, drawn string) string {
	lines := strings.Split(strings.TrimSuffix(drawn, "\n"), "\n")
	rows := make([][]rune, len(lines))
	size := utf8.RuneCountInString(lines[0])
	for i, line := range lines {
		if rows[i] = []rune(line); len(rows[i]) != size || strings.Trim(line, " █▀▄") != "" {
			t.Fatalf("line %d: %q", i, line)
		}
	}
	if len(lines) != (size+1)/2 {
		t.Fatalf("got %d lines of %d", len(lines), size)
	}
	return read(t, size, func(x, y int) bool {
		block := rows[y/2][x]
		return block == ' ' || block == '▄' && y%2 == 0 || block == '▀' && y%2 == 1
	})
}

func readSVG(t fataler, drawn []byte) string {
	var svg struct {
		ViewBox string `xml:"viewBox,attr"`
		Path    []struct {
			Fill string `xml:"fill,attr"`
			D    string `xml:"d,attr"`
		} `xml:"path"`
	}
	var size, again int
	if err := xml.Unmarshal(drawn, &svg); err != nil || len(svg.Path) != 2 || svg.Path[0].Fill != "#fff" || svg.Path[1].Fill != "#000" {
		t.Fatalf("got %+v, %v", svg, err)
	}
	if _, err := fmt.Sscanf(svg.ViewBox, "0 0 %d %d", &size, &again); err != nil || size != again {
		t.Fatalf("view box %q: %v", svg.ViewBox, err)
	}
	if want := fmt.Sprintf("M0 0h%dv%dH0z", size, size); svg.Path[0].D != want {
		t.Fatalf("ground: got %s, want %s", svg.Path[0].D, want)
	}
	dark := map[[2]int]bool{}
	for run := range strings.SplitSeq(strings.TrimSuffix(svg.Path[1].D, "z"), "z") {
		var x, y, wide, back int
		if _, err := fmt.Sscanf(run, "M%d %dh%dv1h-%d", &x, &y, &wide, &back); err != nil || wide != back {
			t.Fatalf("run %q: %v", run, err)
		}
		for i := range wide {
			dark[[2]int{x + i, y}] = true
		}
	}
	return read(t, size, func(x, y int) bool { return dark[[2]int{x, y}] })
}

func TestWhatIsDrawnIsReadAgain(t *testing.T) {
	for name, text := range map[string]string{
		"one letter": "a", "digits": "0123456789", "an otpauth address": uri, "another script": "https://example.com/é/Ада/🦀",
		"marks that SVG knows": `<&">'`, "as much as fits": strings.Repeat("0aZ-", qr.MaxText/4),
	} {
		t.Run(name, func(t *testing.T) {
			terminal, err := qr.Terminal(text)
			if err != nil {
				t.Fatal(err)
			}
			if got := readTerminal(t, terminal); got != text {
				t.Errorf("terminal: got %q, want %q", got, text)
			}
			svg, err := qr.SVG(text)
			if err != nil {
				t.Fatal(err)
			}
			if got := readSVG(t, svg); got != text {
				t.Errorf("SVG: got %q, want %q", got, text)
			}
		})
	}
}

func TestWhateverIsDrawnIsReadAgain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringMatching(`[ -~]{1,150}`).Draw(t, "text")
		svg, err := qr.SVG(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if got := readSVG(t, svg); got != text {
			t.Fatalf("got %q, want %q", got, text)
		}
	})
}

func TestACodeHasItsQuietZone(t *testing.T) {
	drawn, err := qr.Terminal(uri)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSuffix(drawn, "\n"), "\n")
	if strings.Trim(lines[0], "█") != "" {
		t.Errorf("above: got %q, want blocks", lines[0])
	}
	for i, line := range lines[:len(lines)-1] {
		if r := []rune(line); string(r[:2]) != "██" || string(r[len(r)-2:]) != "██" {
			t.Errorf("line %d begins %q and ends %q, want two light modules", i, string(r[:2]), string(r[len(r)-2:]))
		}
	}
	if svg, err := qr.SVG(uri); err != nil || strings.Contains(string(svg), "M3 ") || !strings.Contains(string(svg), "M4 4h7v1h-7z") {
		t.Errorf("SVG does not begin at the fifth module: %v", err)
	}
}

func TestWhatIsEmptyOrTooLongIsRefused(t *testing.T) {
	for name, text := range map[string]string{"nothing": "", "a byte too much": strings.Repeat("x", qr.MaxText+1)} {
		if got, err := qr.Terminal(text); !errors.Is(err, qr.ErrText) || got != "" {
			t.Errorf("%s, terminal: got %v, want %v", name, err, qr.ErrText)
		}
		if got, err := qr.SVG(text); !errors.Is(err, qr.ErrText) || got != nil {
			t.Errorf("%s, SVG: got %v, want %v", name, err, qr.ErrText)
		}
	}
}
