package matrix_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/forge1/forge1/test/harness"
	"github.com/forge1/forge1/test/surfaces"
)

var update = flag.Bool("update", false, "write MATRIX.md anew")

// newForge runs a Forge whose vendors have keys without end and are tried once, so that what fails in one cell does not rest what the next one needs.
func newForge(t *testing.T) *harness.Forge {
	t.Helper()
	var keys []string
	for i := range 300 {
		keys = append(keys, fmt.Sprintf("key-%03d", i))
	}
	all := strings.Join(keys, ",")
	file := filepath.Join(t.TempDir(), "forge1.yaml")
	if err := os.WriteFile(file, []byte("routing:\n  max_attempts: 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return harness.New(t, harness.Options{Env: map[string]string{
		"OPENAI_API_KEY": all, "ANTHROPIC_API_KEY": all, "GOOGLE_AI_API_KEY": all, "OPENROUTER_API_KEY": all,
		"CIRCUIT_BREAKER_THRESHOLD": "1000", "CONFIG_FILE": file,
	}})
}

// cannot says where a surface or a vendor cannot do something, and how whoever asks is told.
type cannot struct {
	why     string
	dropped string // what X-Forge-Dropped names
	param   string // what the refusal names
	status  int    // of the refusal
}

// exceptions are what cannot be, by surface, vendor and scenario; "" is any.
var exceptions = map[[3]string]cannot{
	{"responses", "", "stop"}:                {why: "the API has no stop sequences"},
	{"responses", "", "several answers"}:     {why: "the API answers once"},
	{"responses", "", "seed"}:                {why: "the API has no seed"},
	{"responses", "", "sound"}:               {why: "the API takes no sounds"},
	{"messages", "", "several answers"}:      {why: "the API answers once"},
	{"messages", "", "seed"}:                 {why: "the API has no seed"},
	{"messages", "", "sound"}:                {why: "the API takes no sounds"},
	{"messages", "", "log probabilities"}:    {why: "the API has no log probabilities"},
	{"chat", "anthropic", "several answers"}: {why: "Claude answers once: `n` is dropped and named", dropped: "n"},
	{"", "anthropic", "log probabilities"}:   {why: "Claude tells no log probabilities: the field is dropped and named", dropped: "logprobs"},
	{"chat", "anthropic", "seed"}:            {why: "Claude takes no seed: it is dropped and named", dropped: "seed"},
	{"chat", "anthropic", "sound"}:           {why: "Claude hears nothing: a sound is refused, and a routed call goes elsewhere", status: 422, param: "messages[0].content[1]"},
}

func exception(s surfaces.Surface, v vendor, sc scenario) (cannot, bool) {
	for _, key := range [][3]string{{s.Name, "", sc.name}, {s.Name, v.name, sc.name}, {"", v.name, sc.name}} {
		if x, ok := exceptions[key]; ok {
			return x, true
		}
	}
	return cannot{}, false
}

func TestMatrix(t *testing.T) {
	f := newForge(t)
	results := map[string]string{}
	for _, v := range vendors {
		for _, sc := range scenarios {
			for _, s := range surfaces.All {
				key := s.Name + "/" + v.name + "/" + sc.name
				results[key] = "pass"
				x, cannot := exception(s, v, sc)
				if cannot {
					results[key] = x.why
				}
				if !t.Run(key, func(t *testing.T) {
					for _, streamed := range []bool{false, true} {
						try(t, f, &cell{surface: s, vendor: v, forge: f}, sc, streamed, x, cannot)
					}
				}) {
					results[key] = "FAIL"
				}
			}
		}
	}
	compare(t, render(results))
}

// try plays one cell.
func try(t *testing.T, f *harness.Forge, c *cell, sc scenario, streamed bool, x cannot, cannot bool) {
	t.Helper()
	behave := sc.behave
	if behave == "" {
		behave = "{}"
	}
	f.Behave(t, c.vendor.name, behave)
	c.ask = surfaces.Ask{Model: c.vendor.provider + "/" + c.vendor.model, Text: surfaces.Prompt, Stream: streamed}
	if sc.thinks {
		c.ask.Model = c.vendor.provider + "/" + c.vendor.thinker
	}
	if sc.ask != nil {
		sc.ask(&c.ask)
	}
	switch {
	case sc.leaves:
		leave(t, f, c)
	case cannot:
		refused(t, f, c, x)
	default:
		status, r := c.send(t)
		sc.check(t, c, status, r)
	}
	if t.Failed() {
		t.Logf("streamed: %t", streamed)
	}
}

// leave stops reading and waits until the vendor's call has ended too.
func leave(t *testing.T, f *harness.Forge, c *cell) {
	t.Helper()
	body, err := json.Marshal(c.surface.Body(c.ask))
	if err != nil {
		t.Fatal(err)
	}
	before := f.VendorStats(t, c.vendor.name).Canceled
	ctx, cancel := context.WithCancel(t.Context())
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.URL+c.surface.Path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+f.Key)
	req.Header.Set("Content-Type", "application/json")
	if c.ask.Stream {
		f.Behave(t, c.vendor.name, `{"chunk_delay_ms":5}`)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(res.Body, make([]byte, 500)); err != nil {
			t.Errorf("read the beginning: %v", err)
		}
		cancel()
		_ = res.Body.Close()
	} else {
		calls := f.VendorStats(t, c.vendor.name).Requests
		done := make(chan struct{})
		go func() {
			defer close(done)
			if res, err := http.DefaultClient.Do(req); err == nil {
				_ = res.Body.Close()
			}
		}()
		harness.Eventually(t, "the vendor is asked", func() bool { return f.VendorStats(t, c.vendor.name).Requests > calls })
		cancel()
		<-done
	}
	harness.Eventually(t, "the vendor's call ends", func() bool { return f.VendorStats(t, c.vendor.name).Canceled > before })
}

// refused wants whoever asks for what cannot be to be told.
func refused(t *testing.T, f *harness.Forge, c *cell, x cannot) {
	t.Helper()
	if x.dropped == "" && x.status == 0 {
		return // the surface has no word to ask for it
	}
	a := f.Do(t, http.MethodPost, c.surface.Path, c.surface.Body(c.ask))
	if got := a.Header.Get("X-Forge-Dropped"); x.dropped != "" && !strings.Contains(got, x.dropped) {
		t.Errorf("got %d, dropped %q, want %s among it", a.Status, got, x.dropped)
	}
	if x.status != 0 && (a.Status != x.status || !bytes.Contains(a.Body, []byte(x.param))) {
		t.Errorf("got %d %s, want %d naming %s", a.Status, a.Body, x.status, x.param)
	}
	strict := f.Do(t, http.MethodPost, c.surface.Path, c.surface.Body(c.ask), "X-Forge-Strict", "true")
	if strict.Status != http.StatusUnprocessableEntity {
		t.Errorf("where it is strict: got %d %s, want 422", strict.Status, strict.Body)
	}
}

// render writes the matrix.
func render(results map[string]string) string {
	var b strings.Builder
	b.WriteString("# What works by which API at which vendor\n\n")
	b.WriteString("Written by the tests of this folder (`go test ./test/matrix -update`), whole and streamed, against simulated vendors that refuse what the\nreal ones refuse.\n")
	var notes []string
	for _, s := range surfaces.All {
		b.WriteString("\n## " + s.Path + "\n\n| |")
		for _, v := range vendors {
			b.WriteString(" " + v.name + " |")
		}
		b.WriteString("\n|---|" + strings.Repeat("---|", len(vendors)) + "\n")
		for _, sc := range scenarios {
			b.WriteString("| " + sc.name + " |")
			for _, v := range vendors {
				result := results[s.Name+"/"+v.name+"/"+sc.name]
				if result != "pass" && result != "FAIL" {
					i := indexOf(&notes, result)
					result = fmt.Sprintf("cannot (%d)", i+1)
				}
				b.WriteString(" " + result + " |")
			}
			b.WriteString("\n")
		}
	}
	for i, n := range notes {
		fmt.Fprintf(&b, "\n%d. %s", i+1, n)
	}
	if len(notes) > 0 {
		b.WriteString("\n")
	}
	return b.String()
}

func indexOf(notes *[]string, note string) int {
	for i, n := range *notes {
		if n == note {
			return i
		}
	}
	*notes = append(*notes, note)
	return len(*notes) - 1
}

// compare wants MATRIX.md to say what was seen.
func compare(t *testing.T, seen string) {
	t.Helper()
	if *update {
		if err := os.WriteFile("MATRIX.md", []byte(seen), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	kept, err := os.ReadFile("MATRIX.md")
	if err != nil || string(kept) != seen {
		t.Errorf("MATRIX.md is not what was seen (%v); go test ./test/matrix -update writes it anew", err)
	}
}
