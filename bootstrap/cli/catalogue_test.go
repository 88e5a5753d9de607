package cli_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/forge1/forge1/bootstrap/cli"
)

const (
	firstList = `[{"id":"openai","models":[{"id":"gpt-9","match":{"or":[{"equals":"gpt-9"},{"starts_with":"gpt-9-mini-"}]},"prices":
		{"input_mtok":{"base":0.15,"tiers":[{"start":1000,"price":0.3}]},"output_mtok":1.005}}]},{"id":"other","models":[{}]}]`
	secondList = `{"gpt-9":{"litellm_provider":"openai","mode":"chat","input_cost_per_token":1,"max_input_tokens":9000,"supports_vision":true},
		"gemini/gemini-9":{"litellm_provider":"gemini","mode":"chat","input_cost_per_token":1.875e-08,"output_cost_per_token":7e-08}}`
	madeTable = `[
{"vendor":"gemini","name":"gemini-9","input":0.01875,"output":0.07}
,{"vendor":"openai","name":"gpt-9","match":["gpt-9-mini-*"],"context":9000,"features":["vision"],"input":0.15,"output":1.005,"tiers":[{"above":1000,"input":0.3}]}
]`
)

func file(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "list.json")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func run(t *testing.T, in string, args ...string) (code int, out, errOut string) {
	t.Helper()
	var o, e bytes.Buffer
	code = cli.Run(t.Context(), args, strings.NewReader(in), &o, &e)
	return code, o.String(), e.String()
}

func TestATableIsMadeOfPriceLists(t *testing.T) {
	first, second, out := file(t, firstList), file(t, secondList), filepath.Join(t.TempDir(), "models.json")
	if code, got, errOut := run(t, "", "catalogue", "make", "--genai", first, "--litellm", second); code != 0 || strings.TrimSpace(got) != madeTable {
		t.Errorf("exit %d, %s, got\n%s\nwant\n%s", code, errOut, got, madeTable)
	}
	var said struct{ Models int }
	code, got, errOut := run(t, "", "--json", "catalogue", "make", "--genai", first, "--litellm", second, "--out", out)
	if err := json.Unmarshal([]byte(got), &said); code != 0 || err != nil || said.Models != 2 {
		t.Errorf("exit %d, %s, got %s", code, errOut, got)
	}
	if b, err := os.ReadFile(out); err != nil || strings.TrimSpace(string(b)) != madeTable {
		t.Errorf("%v, the file holds\n%s\nwant\n%s", err, b, madeTable)
	}
	if code, got, errOut := run(t, "", "catalogue", "check", out); code != 0 || !strings.Contains(got, "2 models") {
		t.Errorf("exit %d, %s, got %s", code, errOut, got)
	}
}

func TestAWrongListIsRefusedByName(t *testing.T) {
	tests := map[string]struct{ first, second, want string }{
		"a price that is none":       {strings.Replace(firstList, "1.005", `"dear"`, 1), secondList, "openai/gpt-9: prices: output_mtok"},
		"a price that nobody knows":  {strings.Replace(firstList, "output_mtok", "smell_mtok", 1), secondList, "openai/gpt-9: prices: smell_mtok"},
		"a rule that nobody knows":   {strings.Replace(firstList, "starts_with", "rhymes_with", 1), secondList, "openai/gpt-9: match: rhymes_with"},
		"a price of the second list": {firstList, strings.Replace(secondList, "7e-08", "-1", 1), "gemini/gemini-9: output_cost_per_token"},
		"no list":                    {"{", secondList, "first list"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "models.json")
			code, _, errOut := run(t, "", "catalogue", "make", "--genai", file(t, tt.first), "--litellm", file(t, tt.second), "--out", out)
			if code != 1 || !strings.Contains(errOut, tt.want) {
				t.Errorf("exit %d, said %q, want it to say %q", code, errOut, tt.want)
			}
			if _, err := os.Stat(out); !os.IsNotExist(err) {
				t.Errorf("%v, want no file", err)
			}
		})
	}
}

func TestAWrongTableIsRefusedByName(t *testing.T) {
	code, _, errOut := run(t, `[{"vendor":"openai","name":"gpt-9","input":-1}]`, "catalogue", "check", "-")
	if code != 1 || !strings.Contains(errOut, "openai/gpt-9: input") {
		t.Errorf("exit %d, said %q", code, errOut)
	}
}
