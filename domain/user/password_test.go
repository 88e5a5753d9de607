package user_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/forge1/forge1/domain/fault"
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
		"Forge1-for-me!":                         "contains_identity",
		"my forge 1 login":                       "contains_identity",
		"ask the forge":                          "contains_identity",
		"FORGEd-forge-2026":                      "contains_identity",
		"forget me not again":                    "",
		"forgery and forgers":                    "",
		"a forged signature":                     "",
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

// composed stands in for NFC: it knows one letter.
var composed = strings.NewReplacer("e\u0301", "é").Replace

func TestAPasswordIsMeasuredAsItIsHashed(t *testing.T) {
	policy := user.PasswordPolicy{MinLength: 12, Normal: composed}
	for name, c := range map[string]struct{ password, want string }{
		"twelve typed that are six":             {"ae\u0301xe\u0301ye\u0301", "too_short"},
		"twelve in either form":                 {"ae\u0301xe\u0301ye\u0301be\u0301qdzk", ""},
		"as long as nothing normal can be":      {strings.Repeat("e\u0301", 513), "too_long"},
		"a name of the context in another form": {"xxyyzz rene\u0301e", "contains_identity"},
	} {
		_, code := field(t, policy.Check("/password", secret.New(c.password), "renée"))
		if code != c.want {
			t.Errorf("%s: got %q, want %q", name, code, c.want)
		}
		if _, again := field(t, policy.Check("/password", secret.New(composed(c.password)), "rene\u0301e")); again != code {
			t.Errorf("%s: %q, but composed %q", name, code, again)
		}
	}
}

func TestNothingIsDoneWithATextWithoutBounds(t *testing.T) {
	policy := user.PasswordPolicy{MinLength: 12, Normal: func(s string) string {
		if len(s) > 1536 {
			t.Errorf("%d bytes were brought to their normal form", len(s))
		}
		return s
	}}
	if _, code := field(t, policy.Check("/password", secret.New(strings.Repeat("x", 1537)))); code != "too_long" {
		t.Errorf("got %q, want too_long", code)
	}
}

func TestWhatManyPeopleUseIsRefusedLast(t *testing.T) {
	var asked []string
	policy := user.PasswordPolicy{MinLength: 12, Normal: composed, Common: func(p string) bool {
		asked = append(asked, p)
		return strings.HasPrefix(p, "common")
	}}
	for password, want := range map[string]string{
		"common": "too_short", "common" + strings.Repeat("x1", 70): "too_long", "common countess": "contains_identity", "common forge 17": "contains_identity",
		"common battery": "common", "common cafe\u0301s": "common", "uncommon battery": "",
	} {
		asked = nil
		_, code := field(t, policy.Check("/password", secret.New(password), "countess"))
		if code != want {
			t.Errorf("%q: got %q, want %q", password, code, want)
		}
		if want == "common" || want == "" {
			if len(asked) != 1 || asked[0] != composed(password) {
				t.Errorf("%q: asked for %q, want the normal form alone", password, asked)
			}
		} else if len(asked) != 0 {
			t.Errorf("%q: asked for %q, want nothing", password, asked)
		}
	}
}

func TestAStolenPasswordHasACodeOfItsOwn(t *testing.T) {
	err := user.PasswordBreached("/new_password")
	if pointer, code := field(t, err); !errors.Is(err, user.ErrPasswordPolicy) || pointer != "/new_password" || code != "breached" {
		t.Errorf("got %v with %s %s", err, pointer, code)
	}
}

func TestAnAnswerDependsOnNothingButWhatIsGiven(t *testing.T) {
	policy := user.PasswordPolicy{MinLength: 12, Common: func(p string) bool { return strings.Contains(p, "hunter") }}
	rapid.Check(t, func(t *rapid.T) {
		ask := func(password string, context []string) string {
			f, _ := errors.AsType[*fault.Error](policy.Check("/password", secret.New(password), context...))
			if f == nil {
				return ""
			}
			return f.Fields[0].Code
		}
		password := rapid.OneOf(rapid.String(), rapid.StringMatching(`[a-f]{0,20}(hunter|ada|countess)[a-z0-9]{0,9}`)).Draw(t, "password")
		context := rapid.SliceOf(rapid.SampledFrom([]string{"", "ada", "countess", "engines ltd"})).Draw(t, "context")
		first := ask(password, context)
		ask(rapid.String().Draw(t, "another"), nil)
		turned := slices.Clone(context)
		slices.Reverse(turned)
		if again := ask(password, turned); again != first {
			t.Fatalf("%q: first %q, then %q", password, first, again)
		}
		if without := ask(password, nil); first == "" && without != "" {
			t.Fatalf("%q: taken, but not without context: %q", password, without)
		}
	})
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
