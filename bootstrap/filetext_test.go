package bootstrap_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/bootstrap"
)

// misplaced is a key that somebody pasted where it does not belong.
const misplaced = "sk-proj-MISPLACED0123456789abcdefghijklmnopqrstuv"

func TestAKeyInTheWrongPlaceIsNotTold(t *testing.T) {
	for name, file := range map[string]string{
		"a field":                    "KEY: x",
		"a field of a provider":      "providers: [{name: openai, KEY: x}]",
		"a field of a credential":    "providers: [{name: openai, credentials: [{file: /nowhere, KEY: y}]}]",
		"a field twice":              "KEY: x\nKEY: y",
		"an alias":                   "aliases: {KEY: {}}",
		"a task type":                "routing: {routes: {KEY: [{provider: openai, model: m}]}}",
		"an order":                   "routing: {fallback_order: [KEY]}",
		"a list":                     "providers: KEY",
		"credentials":                "providers: [{name: openai, credentials: KEY}]",
		"a reference":                "providers: *KEY",
		"a tag":                      "providers: !KEY x",
		"a number":                   "routing: {max_attempts: KEY}",
		"a duration, and a backtick": "routing: {deadline: 'x`KEY`y'}",
		"a duration, and a quote":    `routing: {deadline: 'x"KEY"y"'}`,
		"a duration of two lines":    "routing: {deadline: \"x`\nKEY\"}",
		"a weight":                   "routing: {weights: {cost: KEY}}",
		"a kind":                     "providers: [{name: openai, kind: KEY}]",
		"a name":                     "providers: [{name: KEY, kind: openai, base_url: 'http://x', model: m}]",
		"an address":                 "providers: [{name: openai, base_url: 'http://KEY@x'}]",
		"a variable":                 "providers: [{name: openai, credentials: [{env: KEY}]}]",
		"a directive":                "%KEY",
	} {
		_, err := bootstrap.Load(map[string]string{"CONFIG_FILE": configFile(t, strings.ReplaceAll(file, "KEY", misplaced))})
		if err == nil {
			t.Errorf("%s: the file is taken", name)
		} else if strings.Contains(err.Error(), misplaced[:12]) {
			t.Errorf("%s: the key is told: %v", name, err)
		}
	}
}

func TestAKeyAmongPricesIsNotTold(t *testing.T) {
	for _, key := range []string{misplaced, strings.Repeat("Ab1", 13)} {
		for name, file := range map[string]string{
			"a price":  "prices: [{vendor: openai, name: x, input: KEY}]",
			"a field":  "prices: [{vendor: openai, name: x, KEY: y}]",
			"a vendor": "prices: [{vendor: KEY, name: [x]}]",
		} {
			c, err := bootstrap.Load(map[string]string{"CONFIG_FILE": configFile(t, strings.ReplaceAll(file, "KEY", key))})
			if err == nil {
				_, _, err = bootstrap.ModelOf(c, "openai", "x")
			}
			if err == nil || !strings.Contains(err.Error(), "CONFIG_FILE: prices and models: ") || strings.Contains(err.Error(), key[:12]) {
				t.Errorf("%s: got %v, want a mistake that does not tell the key", name, err)
			}
		}
	}
}

func TestWhatTheFileDoesNotKnowIsNamed(t *testing.T) {
	for file, want := range map[string]string{
		"a: 1\nproviders: []\nb: 2":                                        "line 1: there is no field a\n  - CONFIG_FILE: line 3: there is no field b",
		"providers: [{name: openai, credentials: [{env: A, keyfile: b}]}]": "there is no field keyfile",
		"providers: []\n---\naliases: {}":                                  "holds more than one document",
		"providers: []\n---\n[":                                            "holds more than one document",
		"routing: {fallback_order: [openai, openai]}":                      "routing.fallback_order: must name providers of openrouter, openai, claude, gemini, each once",
		"providers:\n\t- {name: openai}":                                   "CONFIG_FILE: ",
		"providers: [{name: openai, model: \"caf\xe9\"}]":                  "CONFIG_FILE: ",
		"routing: {deadline: 60}":                                          "line 1: cannot construct !!int a value into time.Duration",
	} {
		_, err := bootstrap.Load(map[string]string{"CONFIG_FILE": configFile(t, file)})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", file, err, want)
		}
	}
}

// TestAFewReferencesDoNotBecomeMany has each of ten lines stand ten times in the next.
func TestAFewReferencesDoNotBecomeMany(t *testing.T) {
	file := "providers:\n - name: openai\n   models:\n   - &a0 {x: 1}\n"
	for i := 1; i < 10; i++ {
		file += fmt.Sprintf("   - &a%d {%s}\n", i, strings.Join([]string{
			fmt.Sprintf("a: *a%d", i-1), fmt.Sprintf("b: *a%d", i-1), fmt.Sprintf("c: *a%d", i-1), fmt.Sprintf("d: *a%d", i-1), fmt.Sprintf("e: *a%d", i-1),
			fmt.Sprintf("f: *a%d", i-1), fmt.Sprintf("g: *a%d", i-1), fmt.Sprintf("h: *a%d", i-1), fmt.Sprintf("i: *a%d", i-1), fmt.Sprintf("j: *a%d", i-1),
		}, ", "))
	}
	if _, err := bootstrap.Load(map[string]string{"CONFIG_FILE": configFile(t, file)}); err == nil || !strings.Contains(err.Error(), "aliasing") {
		t.Errorf("got %v, want it refused", err)
	}
}

// TestNoFileHoldsUpAStart reads what is no file. A pipe that nobody writes to would never end.
func TestNoFileHoldsUpAStart(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	big := filepath.Join(dir, "big")
	if err := os.WriteFile(big, []byte(strings.Repeat("#", 4<<20+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, reason := range map[string]string{pipe: "it is no regular file", dir: "it is no regular file", "/dev/zero": "it is no regular file", big: "it is too large"} {
		if _, err := bootstrap.Load(map[string]string{"CONFIG_FILE": path}); err == nil || !strings.Contains(err.Error(), "CONFIG_FILE: cannot be read: "+reason) {
			t.Errorf("CONFIG_FILE %s: got %v, want %q", path, err, reason)
		}
		key := configFile(t, "providers: [{name: openai, credentials: [{file: "+path+"}]}]")
		if _, err := bootstrap.Load(map[string]string{"CONFIG_FILE": key}); err == nil || !strings.Contains(err.Error(), "credentials[0].file: cannot be read: "+reason) {
			t.Errorf("a credential in %s: got %v, want %q", path, err, reason)
		}
		c, err := bootstrap.Load(map[string]string{"CATALOGUE_FILE": path})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err = bootstrap.ModelOf(c, "openai", "gpt-4o"); err == nil || !strings.Contains(err.Error(), "CATALOGUE_FILE") {
			t.Errorf("CATALOGUE_FILE %s: got %v, want it named", path, err)
		}
	}
}

func TestKeysOfFilesAndVariables(t *testing.T) {
	for name, tt := range map[string]struct {
		holds string
		want  []string // nil: refused
	}{
		"a key":                {"sk-a", []string{"sk-a"}},
		"a key and a new line": {"sk-a\r\n", []string{"sk-a"}},
		"nothing":              {" \n", []string{}},
		"a pool":               {"sk-a, sk-b,,\n", []string{"sk-a", "sk-b"}},
		"two lines":            {"sk-a\nsk-b\n", nil},
		"two words":            {"Bearer sk-a", nil},
		"a byte order mark":    {"\xef\xbb\xbfsk-a", nil},
		"a control character":  {"sk-a\x00", nil},
		"another alphabet":     {"sk-ключ", nil},
	} {
		file := filepath.Join(t.TempDir(), "key")
		if err := os.WriteFile(file, []byte(tt.holds), 0o600); err != nil {
			t.Fatal(err)
		}
		for _, c := range []string{"{file: " + file + "}", "THE_KEY"} {
			config, err := bootstrap.Load(map[string]string{"CONFIG_FILE": configFile(t, "providers: [{name: openai, credentials: ["+c+"]}]"), "THE_KEY": tt.holds})
			if _, refused := errors.AsType[*bootstrap.ConfigError](err); refused != (tt.want == nil) || refused && strings.Contains(err.Error(), "sk-") {
				t.Errorf("%s: got %v, want %v", name, err, tt.want)
			}
			if err != nil {
				continue
			}
			got := []string{}
			for _, k := range config.Providers()[1].Keys {
				got = append(got, k.Reveal())
			}
			if !cmp.Equal(got, tt.want) {
				t.Errorf("%s: got %q, want %q", name, got, tt.want)
			}
		}
	}
}

func TestAModelThatSaysNothingIsAMistake(t *testing.T) {
	path := configFile(t, "providers: [{name: house, kind: openai, base_url: 'http://127.0.0.1:9/v1', model: m, models: [~]}]")
	c, err := bootstrap.Load(map[string]string{"CONFIG_FILE": path})
	if err == nil {
		_, _, err = bootstrap.ModelOf(c, "house", "m")
	}
	if err == nil {
		t.Error("an entry without a name is taken")
	}
}
