package routing_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/test/change"
)

func TestTheFlagsOfTheRouter(t *testing.T) {
	want := []string{
		"router.force_provider_openrouter", "router.force_provider_openai", "router.force_provider_claude", "router.force_provider_gemini",
		"router.disable_provider_openrouter", "router.disable_provider_openai", "router.disable_provider_claude", "router.disable_provider_gemini",
	}
	p := policy()
	if diff := cmp.Diff(want, p.RouterFlags()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, name := range append(want, routing.FlagCacheV1) {
		if got, err := p.Flag(name); got != (routing.Flag{Name: name}) || err != nil {
			t.Errorf("%s: %+v, %v; want it off, and set by nobody", name, got, err)
		}
	}
	if got := p.Flags(); len(got) > 0 {
		t.Errorf("flags %+v are set, want none", got)
	}
}

func TestAFlagThatDoesNotExist(t *testing.T) {
	for _, name := range []string{"", "router", "router.force_provider_", "router.force_provider_stranger", "router.disable_provider_Claude", "cache.v2"} {
		p := policy()
		_, found := p.Flag(name)
		for what, err := range map[string]error{
			"find": found, "set": p.SetFlag(routing.Flag{Name: name, Enabled: true}), "turn off": p.SetFlag(routing.Flag{Name: name}), "clear": p.ClearFlag(name),
		} {
			f, ok := errors.AsType[*fault.Error](err)
			if !ok || !errors.Is(err, routing.ErrNoFlag) || f.Kind != fault.NotFound || !strings.Contains(f.Msg, "router.force_provider_gemini") {
				t.Errorf("%s %q: %v, want not_found that lists the flags", what, name, err)
			}
		}
		if p.Version() != 1 {
			t.Errorf("%q: version %d after nothing has changed", name, p.Version())
		}
	}
}

func TestOneProviderIsForcedAtATime(t *testing.T) {
	p := policy()
	must(t, change.Force(p, "openai"), change.Force(p, "openai"))
	err := change.Force(p, "claude")
	if f, ok := errors.AsType[*fault.Error](err); !ok || !errors.Is(err, routing.ErrForceConflict) || f.Kind != fault.Conflict || !strings.Contains(f.Msg, "openai") {
		t.Errorf("a second force: %v, want force_conflict that names openai", err)
	}
	must(t, p.SetFlag(routing.Flag{Name: routing.ForceFlag("claude")})) // to turn one off that is not on is no force
	if p.Forced() != "openai" {
		t.Errorf("forced is %q, want openai", p.Forced())
	}
	must(t, p.SetFlag(routing.Flag{Name: routing.ForceFlag("openai")}), change.Force(p, "claude"))
	if p.Forced() != "claude" {
		t.Errorf("forced is %q once openai was turned off, want claude", p.Forced())
	}
	must(t, change.Release(p, "claude"), change.Force(p, "gemini"))
	if p.Forced() != "gemini" {
		t.Errorf("forced is %q once claude was released, want gemini", p.Forced())
	}
}

func TestForceBeatsDisable(t *testing.T) {
	p := policy()
	must(t, change.Disable(p, "claude"), change.Disable(p, "openai"), change.Force(p, "claude"))
	if p.Disabled("claude") || !p.Disabled("openai") || p.Disabled("gemini") || p.Disabled("stranger") {
		t.Errorf("disabled: claude %t, openai %t, gemini %t; want openai alone", p.Disabled("claude"), p.Disabled("openai"), p.Disabled("gemini"))
	}
	must(t, change.Release(p, "claude"))
	if !p.Disabled("claude") {
		t.Error("claude is not disabled once it is no longer forced")
	}
	must(t, change.Enable(p, "claude"))
	if p.Disabled("claude") {
		t.Error("claude is disabled after it was enabled")
	}
}

func TestAFlagThatIsSoAlreadyStaysAsItIs(t *testing.T) {
	p := policy()
	name := routing.DisableFlag("openai")
	first := routing.Flag{Name: name, Enabled: true, At: noon, By: "ada"}
	off := routing.Flag{Name: name, At: later, By: "eve"}
	steps := []struct {
		what    string
		do      func() error
		want    routing.Flag
		version int64
	}{
		{"clear what is not set", func() error { return p.ClearFlag(name) }, routing.Flag{Name: name}, 1},
		{"turn on", func() error { return p.SetFlag(first) }, first, 2},
		{"turn on again", func() error { return p.SetFlag(routing.Flag{Name: name, Enabled: true, At: later, By: "eve"}) }, first, 2},
		{"turn off", func() error { return p.SetFlag(off) }, off, 3},
		{"turn off again", func() error { return p.SetFlag(routing.Flag{Name: name}) }, off, 3},
		{"clear", func() error { return p.ClearFlag(name) }, routing.Flag{Name: name}, 4},
		{"clear again", func() error { return p.ClearFlag(name) }, routing.Flag{Name: name}, 4},
		{"say off what is off by default", func() error { return p.SetFlag(off) }, off, 5},
	}
	for _, step := range steps {
		must(t, step.do())
		if got, err := p.Flag(name); got != step.want || err != nil || p.Version() != step.version {
			t.Errorf("%s: %+v, %v at version %d; want %+v at %d", step.what, got, err, p.Version(), step.want, step.version)
		}
	}
}

func TestTheCacheFlagSteersNoRouting(t *testing.T) {
	p := policy()
	must(t, p.SetFlag(routing.Flag{Name: routing.FlagCacheV1, Enabled: true}))
	if !p.CachesV1() || p.Forced() != "" || len(routing.Decide(p, routing.Request{Task: routing.General}, world()).Candidates) != 4 {
		t.Errorf("caches %t, forced %q", p.CachesV1(), p.Forced())
	}
	must(t, p.ClearFlag(routing.FlagCacheV1))
	if p.CachesV1() {
		t.Error("the cache is on after its flag was cleared")
	}
}
