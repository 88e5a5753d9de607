package decisions_test

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/forge1/forge1/application/decisions"
	"github.com/forge1/forge1/domain/routing"
)

// anything makes a value of any shape, with something in every exported field, so that a field that is added is tested from then on.
func anything[T any]() *rapid.Generator[T] {
	return rapid.Custom(func(t *rapid.T) T {
		var v T
		fill(t, reflect.ValueOf(&v).Elem(), 0)
		return v
	})
}

// fill puts something into v. What holds its own kind ends somewhere.
func fill(t *rapid.T, v reflect.Value, depth int) {
	if v.Type() == reflect.TypeFor[time.Time]() {
		v.Set(reflect.ValueOf(rapid.OneOf(rapid.Just(time.Time{}), rapid.Custom(func(t *rapid.T) time.Time {
			return time.Unix(rapid.Int64Range(-1<<40, 1<<40).Draw(t, "seconds"), rapid.Int64Range(0, 999_999_999).Draw(t, "nanoseconds")).UTC()
		})).Draw(t, "time")))
		return
	}
	switch v.Kind() {
	case reflect.Bool:
		v.SetBool(rapid.Bool().Draw(t, "bool"))
	case reflect.String:
		v.SetString(rapid.String().Draw(t, "text"))
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		bits := v.Type().Bits() - 1
		v.SetInt(rapid.Int64Range(-1<<bits, 1<<bits-1).Draw(t, "int"))
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(rapid.Uint64().Draw(t, "uint") >> (64 - v.Type().Bits()))
	case reflect.Float64:
		v.SetFloat(rapid.Float64().Draw(t, "float"))
	case reflect.Array:
		for i := range v.Len() {
			fill(t, v.Index(i), depth+1)
		}
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 0, 3))
		for range rapid.IntRange(0, max(0, 3-depth/3)).Draw(t, "length") {
			x := reflect.New(v.Type().Elem()).Elem()
			fill(t, x, depth+1)
			v.Set(reflect.Append(v, x))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		for range rapid.IntRange(0, 3).Draw(t, "length") {
			key, x := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
			fill(t, key, depth+1)
			fill(t, x, depth+1)
			v.SetMapIndex(key, x)
		}
	case reflect.Pointer:
		if rapid.Bool().Draw(t, "set") {
			v.Set(reflect.New(v.Type().Elem()))
			fill(t, v.Elem(), depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if !v.Type().Field(i).IsExported() {
				panic("a field of " + v.Type().String() + " cannot be kept: " + v.Type().Field(i).Name)
			}
			fill(t, v.Field(i), depth+1)
		}
	default:
		panic("what to put into " + v.Type().String())
	}
}

func TestWhatIsKeptReadsBackAsItWas(t *testing.T) {
	same := cmpopts.EquateEmpty()
	t.Run("inputs", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			r := anything[routing.Request]().Draw(t, "request")
			readings := anything[[]routing.Reading]().Draw(t, "readings")
			b := decisions.EncodeInputs(r, readings)
			gotR, gotReadings, err := decisions.DecodeInputs(b)
			if err != nil {
				t.Fatalf("%s: %v", b, err)
			}
			if diff := cmp.Diff(r, gotR, same); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(readings, gotReadings, same); diff != "" {
				t.Errorf("readings (-want +got):\n%s", diff)
			}
		})
	})
	t.Run("facts", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			f := anything[routing.Facts]().Draw(t, "facts")
			b := decisions.EncodeFacts(f)
			got, err := decisions.DecodeFacts(b)
			if err != nil {
				t.Fatalf("%s: %v", b, err)
			}
			if diff := cmp.Diff(f, got, same); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	})
	t.Run("policy", func(t *testing.T) {
		rapid.Check(t, func(t *rapid.T) {
			p := policies.Draw(t, "policy")
			id, body := decisions.EncodePolicy(p)
			got, err := decisions.DecodePolicy(body)
			if err != nil {
				t.Fatalf("%s: %v", body, err)
			}
			// Whose it is, who set which flag and what is off is not kept.
			want, have := p.Snapshot(), got.Snapshot()
			want.Tenant, want.Aliases = "", nil
			want.Flags = slices.DeleteFunc(want.Flags, func(f routing.Flag) bool { return !f.Enabled })
			for i, f := range want.Flags {
				want.Flags[i] = routing.Flag{Name: f.Name, Enabled: true}
			}
			if diff := cmp.Diff(want, have, same); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if p.Forced() != got.Forced() {
				t.Errorf("forced: got %q, want %q", got.Forced(), p.Forced())
			}
			if again, _ := decisions.EncodePolicy(got); again != id {
				t.Errorf("the same policy has the ids %s and %s", id, again)
			}
		})
	})
}

// known are the providers of the tests.
var known = []string{"openrouter", "openai", "claude", "gemini"}

var models = rapid.SampledFrom([]string{"a", "b", "c", "default"})

// policies have been through random changes.
var policies = rapid.Custom(func(t *rapid.T) *routing.Policy {
	p := routing.NewPolicy("a tenant", routing.Defaults{Order: known})
	target := rapid.Custom(func(t *rapid.T) routing.Target {
		return routing.Target{Provider: rapid.SampledFrom(known).Draw(t, "provider"), Model: models.Draw(t, "model")}
	})
	for range rapid.IntRange(0, 8).Draw(t, "changes") {
		switch rapid.IntRange(0, 2).Draw(t, "what") {
		case 0:
			weight := rapid.Float64Range(0, 1e9)
			terms := routing.Terms{
				Weights:       routing.Weights{Cost: weight.Draw(t, "cost"), Latency: weight.Draw(t, "latency"), SLOPenalty: weight.Draw(t, "penalty")},
				FallbackOrder: rapid.SliceOfNDistinct(rapid.SampledFrom(known), 1, 4, rapid.ID).Draw(t, "order"),
				Routes:        map[routing.TaskType][]routing.Target{},
				AllowedModels: rapid.SliceOfN(rapid.SampledFrom([]string{"a", "default", "openai/b", `odd "name"/é`}), 0, 3).Draw(t, "allowed"),
				MaxAttempts:   rapid.IntRange(1, 10).Draw(t, "attempts"), Deadline: time.Duration(rapid.IntRange(0, 60).Draw(t, "deadline")) * time.Second,
			}
			for _, task := range rapid.SliceOfN(rapid.SampledFrom(routing.TaskTypes()), 0, 2).Draw(t, "tasks") {
				terms.Routes[task] = rapid.SliceOfNDistinct(target, 0, 3, rapid.ID).Draw(t, "route")
			}
			_ = p.Revise(p.Version(), terms)
		case 1:
			name := rapid.SampledFrom(append(p.RouterFlags(), routing.FlagCacheV1)).Draw(t, "flag")
			_ = p.SetFlag(routing.Flag{Name: name, Enabled: rapid.Bool().Draw(t, "on"), At: time.Unix(1, 0), By: "somebody"})
		case 2:
			_ = p.SetAlias(routing.Alias{Name: "fast", Mode: routing.Ordered, Targets: []routing.AliasTarget{{Target: target.Draw(t, "alias")}}})
		}
	}
	return p
})

func TestOfTwoPoliciesThatDecideAlikeOneIsKept(t *testing.T) {
	id := func(change func(p *routing.Policy)) string {
		p := routing.NewPolicy("one", routing.Defaults{Order: known})
		change(p)
		id, _ := decisions.EncodePolicy(p)
		return id
	}
	disable := func(by string) func(*routing.Policy) {
		return func(p *routing.Policy) {
			_ = p.SetFlag(routing.Flag{Name: routing.DisableFlag("openai"), Enabled: true, At: time.Unix(int64(len(by)), 0), By: by})
		}
	}
	if a, b := id(disable("ada")), id(disable("grace")); a != b {
		t.Errorf("the ids are %s and %s", a, b)
	}
	if a, b := id(disable("ada")), id(func(*routing.Policy) {}); a == b {
		t.Errorf("two policies have the id %s", a)
	}
	if id := id(disable("ada")); len(id) != 36 || id[14] != '8' || !strings.ContainsRune("89ab", rune(id[19])) {
		t.Errorf("got the id %s, want a UUID of version 8", id)
	}
}

func TestWhatIsNotOfThisVersionIsRefused(t *testing.T) {
	inputs := string(decisions.EncodeInputs(routing.Request{Task: routing.General}, nil))
	facts := string(decisions.EncodeFacts(routing.Facts{SnapshotID: "s"}))
	_, kept := decisions.EncodePolicy(routing.NewPolicy("t", routing.Defaults{Order: known}))
	policy := string(kept)
	decoders := map[string]func(string) error{
		inputs: func(s string) error { _, _, err := decisions.DecodeInputs([]byte(s)); return err },
		facts:  func(s string) error { _, err := decisions.DecodeFacts([]byte(s)); return err },
		policy: func(s string) error { _, err := decisions.DecodePolicy([]byte(s)); return err },
	}
	for body, decode := range decoders {
		if err := decode(body); err != nil {
			t.Errorf("%s: %v", body, err)
		}
		for damage, c := range map[string]struct{ body, want string }{
			"a later version":         {strings.Replace(body, `"v":1`, `"v":2`, 1), "version 2"},
			"no version":              {strings.Replace(body, `"v":1,`, ``, 1), "version 0"},
			"a field nobody knows":    {strings.Replace(body, `"v":1`, `"v":1,"mood":"good"`, 1), "mood"},
			"something after the end": {body + "{}", "after"},
			"half of it":              {body[:len(body)/2], "unexpected end"},
			"nothing":                 {"", "unexpected end"},
		} {
			if err := decode(c.body); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: got %v, want it to say %q\n%s", damage, err, c.want, c.body)
			}
		}
	}
	for what, body := range map[string]string{
		"no provider":     `{"v":1,"version":1,"order":[],"max_attempts":3}`,
		"a weight of -1":  strings.Replace(policy, `"cost":1,`, `"cost":-1,`, 1),
		"a foreign route": strings.Replace(policy, `"routes":{}`, `"routes":{"general":[{"provider":"stranger","model":"a"}]}`, 1),
		"an unknown flag": strings.Replace(policy, `"flags":[]`, `"flags":["party"]`, 1),
	} {
		if _, err := decisions.DecodePolicy([]byte(body)); err == nil || body == policy {
			t.Errorf("a policy with %s was taken: %s", what, body)
		}
	}
	if _, err := decisions.DecodeFacts([]byte(`{"v":1,"providers":[{"models":[{"model":"a","figures":{"poetry":[1,2,3]}}]}]}`)); err == nil {
		t.Error("figures of an unknown task type were taken")
	}
}

func TestInputsHoldNoNumberThatJSONCannot(t *testing.T) {
	for _, weight := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		a := routing.Alias{Targets: []routing.AliasTarget{{Weight: weight}}}
		if _, _, err := decisions.DecodeInputs(decisions.EncodeInputs(routing.Request{Alias: &a}, nil)); err != nil {
			t.Errorf("weight %v: %v", weight, err)
		}
	}
	if _, _, err := decisions.DecodeInputs(decisions.EncodeInputs(routing.Request{Task: "\xff"}, nil)); err != nil {
		t.Errorf("a text that is none: %v", err)
	}
}

func FuzzDecode(f *testing.F) {
	p := routing.NewPolicy("t", routing.Defaults{Order: known})
	_, body := decisions.EncodePolicy(p)
	f.Add(decisions.EncodeInputs(world()), decisions.EncodeFacts(facts()), body)
	f.Add([]byte(`{"v":1}`), []byte(`{"v":1,"at":[1,2]}`), []byte(`{"v":1,"order":["a"]}`))
	f.Fuzz(func(t *testing.T, inputs, snapshot, policy []byte) {
		if p, err := decisions.DecodePolicy(policy); err == nil {
			routing.Decide(p, routing.Request{}, facts())
		}
		request, readings, err := decisions.DecodeInputs(inputs)
		if err != nil {
			return
		}
		base, err := decisions.DecodeFacts(snapshot)
		if err != nil {
			return
		}
		routing.Decide(p, request, base.As(time.Unix(0, 0), readings))
	})
}

func facts() routing.Facts {
	f := routing.Facts{SnapshotID: "0198c2f5-7d00-7000-8000-000000000001", At: time.Unix(1_760_000_000, 123_456_789)}
	for _, name := range known {
		m := routing.ModelFacts{Model: name + "-large-2026", Known: true, Tools: true, Context: 200_000, Price: routing.FlatCents(8)}
		for _, task := range routing.TaskTypes() {
			m.Set(task, routing.Figures{P95Ms: 1234, Samples: 50, OutputTokens: 333})
		}
		f.Providers = append(f.Providers, routing.ProviderFacts{
			Name: name, Configured: true, DefaultModel: m.Model, Price: routing.FlatCents(9), Models: []routing.ModelFacts{m},
		})
	}
	return f
}

// world is what a call of four candidates leaves, all of which have changed since the snapshot.
func world() (routing.Request, []routing.Reading) {
	f := facts()
	r := routing.Request{Task: routing.General, SLOMs: 2000, InputTokens: 1234, MaxTokens: 500, Tools: true}
	var readings []routing.Reading
	for _, p := range f.Providers {
		readings = append(readings, routing.Reading{Provider: p.Name, Model: routing.ModelFacts{Model: p.DefaultModel, State: p.Models[0].State}})
	}
	return r, readings
}

func BenchmarkEncodeInputs(b *testing.B) {
	r, readings := world()
	b.ReportAllocs()
	for b.Loop() {
		decisions.EncodeInputs(r, readings)
	}
}
