package rest_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// verdicts are the words of the table and what they stand for.
var verdicts = map[string]string{
	"ok": "allowed", "401": "401 unauthenticated", "session": "403 session_required", "scope": "403 insufficient_scope", "role": "403 role_insufficient",
}

// readRoles reads the table that people have written: by route and kind of caller, what is to happen.
func readRoles(t *testing.T) (kinds []string, rows map[string]map[string]string) {
	t.Helper()
	b, err := os.ReadFile("testdata/roles.txt")
	if err != nil {
		t.Fatal(err)
	}
	rows = map[string]map[string]string{}
	for line := range strings.Lines(string(b)) {
		cells := strings.Fields(line)
		switch {
		case len(cells) == 0 || strings.HasPrefix(line, "#"):
			continue
		case kinds == nil:
			kinds = cells[2:]
			continue
		case len(cells) != 2+len(kinds):
			t.Fatalf("the line has %d cells, want %d: %s", len(cells), 2+len(kinds), line)
		}
		row := map[string]string{}
		for i, word := range cells[2:] {
			if row[kinds[i]] = verdicts[word]; row[kinds[i]] == "" {
				t.Fatalf("%q is no verdict: %s", word, line)
			}
		}
		rows[cells[0]+" "+cells[1]] = row
	}
	return kinds, rows
}

// TestTheTableOfRightsIsWhatPeopleWrote holds what follows from the registrations against the table, cell by cell. A route without a line fails.
func TestTheTableOfRightsIsWhatPeopleWrote(t *testing.T) {
	_, want := readRoles(t)
	if d := cmp.Diff(want, start(t).server.Access()); d != "" {
		t.Errorf("testdata/roles.txt (-) and the registrations (+) differ:\n%s", d)
	}
}

func TestTheDocumentHasEveryRouteAndItsRights(t *testing.T) {
	w := start(t)
	_, rows := readRoles(t)
	var want []string
	for route := range rows {
		if w.server.Documented(route) {
			want = append(want, strings.ReplaceAll(route, "...}", "}"))
		}
	}
	slices.Sort(want)
	if d := cmp.Diff(want, w.doc.Operations()); d != "" {
		t.Error(d)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			Access   map[string]string `json:"x-forge-access"`
			Security []map[string]any
		}
	}
	w.get("/openapi.json").into(t, &doc)
	for route, row := range rows {
		method, path, _ := strings.Cut(strings.ReplaceAll(route, "...}", "}"), " ")
		op, there := doc.Paths[path][strings.ToLower(method)]
		if !there {
			continue
		}
		if d := cmp.Diff(row, op.Access); d != "" {
			t.Errorf("%s: %s", route, d)
		}
		free := len(op.Security) == 0 || slices.ContainsFunc(op.Security, func(s map[string]any) bool { return len(s) == 0 })
		if free != (row["none"] == "allowed") {
			t.Errorf("%s: got the security %v, want a credential asked for: %t", route, op.Security, row["none"] != "allowed")
		}
	}
}

// pathParams fill the patterns of routes; the fakes know them.
var pathParams = map[string]string{"{tenant_id}": "t2", "{user_id}": "u1", "{code}": "not_found", "{id...}": "auto"}

// idsUnder says which id a list's fake knows.
var idsUnder = map[string]string{"sessions": "s1", "api-keys": "k1", "invites": "i1", "users": "u1", "flags": "router.force_provider_claude", "aliases": "fast", "decisions": "d1", "responses": standing}

func fill(pattern string) string {
	return regexp.MustCompile(`([a-z-]*/)?\{[^}]+\}`).ReplaceAllStringFunc(pattern, func(s string) string {
		list, param, _ := strings.Cut(s, "/")
		if param == "{id}" || param == "{name}" {
			return list + "/" + idsUnder[list]
		}
		return list + "/" + pathParams[param]
	})
}

// TestEveryCellOfTheTableOverHTTP asks every route as every kind of caller. A refused request reaches no use-case.
func TestEveryCellOfTheTableOverHTTP(t *testing.T) {
	kinds, rows := readRoles(t)
	w := start(t)
	for _, route := range slices.Sorted(maps.Keys(rows)) {
		method, pattern, _ := strings.Cut(route, " ")
		body := ""
		if example := w.server.Example(route); example != nil {
			b, err := json.Marshal(example)
			if err != nil {
				t.Fatal(err)
			}
			body = string(b)
		}
		for _, kind := range kinds {
			sent, options := body, []string{kindToken + kind}
			if kind == "none" {
				options = nil
			} else if strings.HasSuffix(pattern, "/mfa/verify") {
				sent = `{"code":"123456"}` // the example is a login's
			}
			before := len(w.account.calls) + len(w.house.calls)
			if method == http.MethodPut {
				options = append(options, "If-Match: *")
			}
			got := w.do(method, fill(pattern), sent, options...)
			reached := len(w.account.calls)+len(w.house.calls) > before
			want := rows[route][kind]
			if want == "allowed" {
				checkAdmitted(t, route, kind, got)
				continue
			}
			if said := got.header.Get("Content-Type"); refusal(got) != want || reached || !strings.Contains(said, "json") {
				t.Errorf("%s as %s: got %s, reached a use-case: %t; want %s", route, kind, got, reached, want)
			}
		}
	}
}

func refusal(a answer) string {
	if a.status < 400 {
		return "allowed"
	}
	return strconv.Itoa(a.status) + " " + a.code()
}

// checkAdmitted proves that the route was reached and took its own example: what fails now is what the fakes do not know.
func checkAdmitted(t *testing.T, route, kind string, got answer) {
	t.Helper()
	for _, refused := range verdicts {
		if refusal(got) == refused && refused != "allowed" {
			t.Errorf("%s as %s: got %s, want it handled", route, kind, got)
		}
	}
	if got.status >= 400 && got.code() != "token_invalid" && got.code() != "refresh_invalid" && got.status != 503 {
		t.Errorf("%s as %s: got %s, want its own example taken", route, kind, got)
	}
}
