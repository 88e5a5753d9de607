package session_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/session"
)

func token(t *rapid.T) session.RefreshToken {
	raw := rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, "id")
	r := session.RefreshToken{
		Root: rapid.Byte().Draw(t, "root"), Gen: rapid.Uint32().Draw(t, "gen"),
		ID: session.ID(fmt.Sprintf("%x-%x-%x-%x-%x", raw[:4], raw[4:6], raw[6:8], raw[8:10], raw[10:])),
	}
	copy(r.MAC[:], rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "mac"))
	return r
}

func TestARefreshTokenIsReadAsItWasWritten(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		want := token(t)
		if got, ok := session.ParseRefreshToken(want.String()); !ok || got != want {
			t.Fatalf("%s: got %v, %v, want %v", want, got, ok, want)
		}
	})
}

func TestOnlyTheCanonicalSpellingIsRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(token(t).String())
		i := rapid.IntRange(0, len(text)-1).Draw(t, "at")
		text[i] = rapid.Byte().Draw(t, "byte")
		if got, ok := session.ParseRefreshToken(string(text)); ok && got.String() != string(text) {
			t.Fatalf("%q is read as %q", text, got)
		}
	})
}

func TestWhatIsNoRefreshTokenIsNotRead(t *testing.T) {
	good := session.RefreshToken{ID: id, Gen: 1}.String()
	head, mac := good[4:32], good[33:]
	for name, text := range map[string]string{
		"nothing": "", "its prefix": "fr1.", "no prefix": good[4:], "another version": "fr2" + good[3:], "cut": good[:len(good)-1], "longer": good + "A",
		"one part": "fr1." + head + mac, "three parts": good + "." + mac, "padding": good + "=", "a blank": good + " ", "a line break": good[:40] + "\n" + good[41:],
		"standard alphabet": "fr1." + strings.Repeat("+", 28) + "." + mac, "bits to spare in the MAC": good[:len(good)-1] + "B",
		"a short head": "fr1." + head[:27] + "." + mac, "a short MAC": "fr1." + head + "." + mac[:42], "not base64": "fr1." + strings.Repeat("!", 28) + "." + mac,
		"MAC not base64": "fr1." + head + "." + strings.Repeat("!", 43),
	} {
		if got, ok := session.ParseRefreshToken(text); ok {
			t.Errorf("%s: %q is read as %v", name, text, got)
		}
	}
}

func TestATokenOfNoUUIDIsNotWritten(t *testing.T) {
	for _, bad := range []session.ID{"", "x", "0199f2c4-0000-7000-8000-00000000000", "zz99f2c4-0000-7000-8000-000000000001"} {
		if got := (session.RefreshToken{ID: bad}).String(); got != "" {
			t.Errorf("%q: got %q", bad, got)
		}
	}
}

func TestTheMACIsOverEverythingThatMatters(t *testing.T) {
	base := session.RefreshToken{Root: 1, ID: id, Gen: 2}
	signed := base.Signed(salt)
	for name, other := range map[string][]byte{
		"root":       session.RefreshToken{Root: 2, ID: id, Gen: 2}.Signed(salt),
		"session":    session.RefreshToken{Root: 1, ID: "0199f2c4-0000-7000-8000-000000000002", Gen: 2}.Signed(salt),
		"generation": session.RefreshToken{Root: 1, ID: id, Gen: 3}.Signed(salt),
		"salt":       base.Signed([16]byte{9}),
	} {
		if bytes.Equal(signed, other) {
			t.Errorf("another %s is signed alike", name)
		}
	}
	if len(signed) != len("fr1.")+1+16+4+16 || !bytes.HasPrefix(signed, []byte("fr1.")) {
		t.Errorf("got %q", signed)
	}
}

func FuzzParseRefreshToken(f *testing.F) {
	f.Add(session.RefreshToken{ID: id, Gen: 1}.String())
	f.Add("fr1." + base64.RawURLEncoding.EncodeToString(make([]byte, 21)) + "." + base64.RawURLEncoding.EncodeToString(make([]byte, 32)))
	good := session.RefreshToken{Root: 255, ID: id, Gen: 1<<32 - 1, MAC: [32]byte{1, 2, 3}}.String()
	for _, s := range []string{"", "fr1..", "fr1.", "fr2" + good[3:], good + "=", good + ".", good + "\n", good[:len(good)-1], "FR1" + good[3:], " " + good, strings.Replace(good, "-", "+", 1)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, ok := session.ParseRefreshToken(s)
		if ok && got.String() != s {
			t.Errorf("%q is read as %q", s, got)
		}
		if !ok && got != (session.RefreshToken{}) {
			t.Errorf("%q is refused, but gives %+v", s, got)
		}
	})
}
