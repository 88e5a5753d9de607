package cli_test

import (
	"bytes"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/bootstrap/cli"
)

// forge1 runs one command line.
func forge1(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errOut bytes.Buffer
	code = cli.Run(t.Context(), args, strings.NewReader(""), &out, &errOut)
	return code, out.String(), errOut.String()
}

func TestKeysAreListedRotatedAndDropped(t *testing.T) {
	t.Setenv("DATA_DIR", t.TempDir())
	t.Setenv("JWT_SECRET", "")
	steps := []struct {
		args  string
		code  int
		keys  string // number and state of each
		notes []string
	}{
		{"keys list", 0, "", []string{"none yet"}},
		{"keys rotate", 0, "1 retired, 2 active, 3 next", []string{"within a minute"}},
		{"keys list", 0, "1 retired, 2 active, 3 next", nil},
		{"keys rotate", 0, "1 retired, 2 retired, 3 active, 4 next", []string{"within a minute", "key 3 was published"}},
		{"keys drop 1", 0, "2 retired, 3 active, 4 next", []string{"key 1", "refreshing"}},
		{"keys drop 3", 0, "2 retired, 4 active, 5 next", []string{"key 3"}},
		{"keys drop 3", 1, "", []string{"there is no signing key of that number"}},
		{"keys drop two", 2, "", []string{"two"}},
		{"keys drop", 2, "", []string{"number"}},
		{"keys", 2, "", []string{"list"}},
	}
	line := regexp.MustCompile(`^(\d+)  (retired|active|next) +since (\S+)$`)
	for _, s := range steps {
		code, out, notes := forge1(t, strings.Fields(s.args)...)
		var keys []string
		if s.code == 0 && out != "" {
			for l := range strings.Lines(out) {
				m := line.FindStringSubmatch(strings.TrimSuffix(l, "\n"))
				if m == nil {
					t.Fatalf("%s: line %q is not of the form wanted", s.args, l)
				}
				if _, err := time.Parse(time.RFC3339, m[3]); err != nil {
					t.Errorf("%s: %v", s.args, err)
				}
				keys = append(keys, m[1]+" "+m[2])
			}
		}
		if got := strings.Join(keys, ", "); code != s.code || got != s.keys {
			t.Errorf("%s: got %d and keys %q, want %d and %q\n%s", s.args, code, got, s.code, s.keys, notes)
		}
		for _, want := range s.notes {
			if !strings.Contains(notes, want) {
				t.Errorf("%s: stderr does not say %q:\n%s", s.args, want, notes)
			}
		}
	}
	code, out, _ := forge1(t, "keys", "list", "--json")
	var list struct {
		Keys []struct {
			Number int
			State  string
			Since  time.Time
		}
	}
	if err := json.Unmarshal([]byte(out), &list); code != 0 || err != nil || len(list.Keys) != 3 || list.Keys[1].Number != 4 || list.Keys[1].State != "active" || list.Keys[1].Since.IsZero() {
		t.Errorf("as JSON: got %d %s", code, out)
	}
}

func TestNoKeysYetAreAnEmptyListOfJSON(t *testing.T) {
	t.Setenv("DATA_DIR", t.TempDir())
	t.Setenv("JWT_SECRET", "")
	if code, out, _ := forge1(t, "keys", "list", "--json"); code != 0 || strings.TrimSpace(out) != `{"keys":[]}` {
		t.Errorf("got %d %q", code, out)
	}
}
