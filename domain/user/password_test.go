package user_test

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/user"
)

func TestPasswordPolicy(t *testing.T) {
	policy := user.PasswordPolicy{MinLength: user.DefaultMinPassword}
	for password, want := range map[string]string{
		"":                                       "too_short",
		"elevenchars":                            "too_short",
		"пароль-приве":                           "", // twelve code points, more bytes
		"twelve chars":                           "",
		"correct horse battery staple":           "",
		"correcthorsebatterystaple":              "",
		"Tr0ub4dor&3xyz":                         "",
		"            ":                           "common",
		"aaaaaaaaaaaaaaa":                        "common",
		"AAAAaaaaAAAAaaaa":                       "common",
		"abcabcabcabc":                           "common",
		"abcdefabcdef":                           "common",
		"123456789012":                           "common",
		"987654321098":                           "common",
		"abcdefghijkl":                           "common",
		"qwertyuiop12":                           "common",
		"poiuytrewqaa":                           "common",
		"aabbccddeeff":                           "common",
		"passwordpassword":                       "", // a blocklist's to refuse
		"ada lovelace!":                          "contains_identity",
		"AdaLovelace1815":                        "contains_identity",
		"ada-lovelace-1815":                      "contains_identity",
		"the countess of":                        "contains_identity",
		"COUNTESS 1815!!":                        "contains_identity",
		"analytical engines":                     "contains_identity",
		"xx analyticalengines xx":                "contains_identity",
		"canada dry ginger ale":                  "", // "ada" is too short a word to count
		strings.Repeat("🦀x", 64):                 "common",
		strings.Repeat("0a9zk5", 22)[:128] + "q": "too_long",
	} {
		err := policy.Check("/new_password", secret.New(password), "ada.lovelace", "countess", "ada", "", "Analytical  Engines")
		if (err == nil) != (want == "") || err != nil && !errors.Is(err, user.ErrPasswordPolicy) {
			t.Errorf("%q: got %v, want %q", password, err, want)
			continue
		}
		if pointer, code := field(t, err); err != nil && (code != want || pointer != "/new_password") {
			t.Errorf("%q: got %s %s, want %s", password, pointer, code, want)
		}
		if err != nil && password != "" && strings.Contains(err.Error(), password) {
			t.Errorf("%q: the refusal quotes it", password)
		}
	}
}

func TestPasswordLengthsAreCodePointsAndBytes(t *testing.T) {
	emoji := []rune("🦀🐙🦑🦐🐡🐠🐟🐬🐳🐋🦈🐊🐅🐆🦓🦍")
	long := strings.Repeat(string(emoji), 8) // 128 code points, 512 bytes, but a repetition
	for name, c := range map[string]struct {
		password string
		least    int
		want     string
	}{
		"128 emoji":          {"🦀x🐙" + string([]rune(long)[:124]) + "🦑", 12, ""},
		"129 code points":    {long + "x", 12, "too_long"},
		"513 bytes":          {strings.Repeat("🦀", 128)[:512] + "é", 12, "too_long"},
		"8 where 8 will do":  {"x7!kq2#m", 8, ""},
		"7 where 8 will do":  {"x7!kq2#", 8, "too_short"},
		"15 where 16 are":    {"x7!kq2#mx7!kq3#", 16, "too_short"},
		"a half of a period": {"abcdefgh1abcdefgh", 12, "common"},
	} {
		err := user.PasswordPolicy{MinLength: c.least}.Check("/password", secret.New(c.password))
		if _, code := field(t, err); code != c.want {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
}

func TestARandomPasswordIsTakenWhateverTheContext(t *testing.T) {
	varied := func(s string) bool {
		seen := map[rune]bool{}
		for _, r := range s {
			seen[r] = true
		}
		return len(seen) >= 12
	}
	rapid.Check(t, func(t *rapid.T) {
		password := rapid.StringOfN(rapid.RuneFrom([]rune("bdfgjkmpqvwxyz!?#%&")), 30, 100, -1).Filter(varied).Draw(t, "password")
		if err := (user.PasswordPolicy{MinLength: 12}).Check("/password", secret.New(password), "countess", "ada.lovelace"); err != nil {
			t.Fatalf("%q: got %v", password, err)
		}
	})
}

func TestWhateverIsMadeOfARepetitionIsRefused(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		unit := rapid.StringN(1, 5, -1).Draw(t, "unit")
		times := rapid.IntRange(12, 20).Draw(t, "times")
		if err := (user.PasswordPolicy{MinLength: 12}).Check("/password", secret.New(strings.Repeat(unit, times))); !errors.Is(err, user.ErrPasswordPolicy) {
			t.Fatalf("%q × %d: got %v", unit, times, err)
		}
	})
}
