package responses_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/database"
	"github.com/forge1/forge1/adapters/keyring"
	"github.com/forge1/forge1/application/responses"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/identity"
)

const month = 30 * 24 * time.Hour

var (
	mine   = inbound.Caller{TenantID: "mine"}
	theirs = inbound.Caller{TenantID: "theirs"}
)

func roots(names ...string) *keyring.Keyring {
	var all []secret.Text
	for _, n := range names {
		all = append(all, secret.New(n+strings.Repeat(".", 32)))
	}
	return keyring.New(keyring.Config{Root: all[0], Previous: all[1:]})
}

// house is the service over a real database.
type house struct {
	*identity.World
	kept outbound.KeptResponses
}

func newHouse(t *testing.T) house {
	w := identity.New(t)
	return house{w, database.NewKeptResponses(w.DB)}
}

func (h house) service(keys outbound.Keyring) *responses.Service {
	return responses.New(responses.Deps{Kept: h.kept, Keyring: keys, Clock: h.Clock.Now, Settings: responses.Settings{TTL: month}})
}

// said is a response that says something worth keeping from others.
func (h house) said(id string) inbound.KeptResponse {
	return inbound.KeptResponse{
		ID: id, CreatedAt: h.Clock.Now().Truncate(time.Microsecond), Input: []byte(`[{"role":"user","content":"a private question"}]`),
		Output: []byte(`[{"type":"message"}]`), Body: []byte(`{"id":"` + id + `"}`),
	}
}

func (h house) keep(t *testing.T, s *responses.Service, caller inbound.Caller, id string) inbound.KeptResponse {
	t.Helper()
	r := h.said(id)
	if err := s.Keep(t.Context(), caller, r); err != nil {
		t.Fatal(err)
	}
	return r
}

func gone(t *testing.T, what string, s *responses.Service, caller inbound.Caller, id string) {
	t.Helper()
	if r, err := s.Find(t.Context(), caller, id); !errors.Is(err, inbound.ErrNoResponse) {
		t.Errorf("%s: found %+v, %v; want %v", what, r, err, inbound.ErrNoResponse)
	}
}

func there(t *testing.T, what string, s *responses.Service, caller inbound.Caller, want inbound.KeptResponse) {
	t.Helper()
	got, err := s.Find(t.Context(), caller, want.ID)
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("%s: %v\n%s", what, err, d)
	}
}

func TestAResponseIsItsTenantsAlone(t *testing.T) {
	h := newHouse(t)
	s := h.service(roots("a"))
	r := h.keep(t, s, mine, "resp_1")
	there(t, "mine", s, mine, r)
	gone(t, "theirs", s, theirs, "resp_1")
	gone(t, "nobody's", s, mine, "resp_2")
	if err := s.Remove(t.Context(), theirs, "resp_1"); !errors.Is(err, inbound.ErrNoResponse) {
		t.Errorf("another tenant's removal: %v", err)
	}
	there(t, "after another tenant's removal", s, mine, r)
	if err := s.Remove(t.Context(), mine, "resp_1"); err != nil {
		t.Error(err)
	}
	gone(t, "removed", s, mine, "resp_1")
	if err := s.Remove(t.Context(), mine, "resp_1"); !errors.Is(err, inbound.ErrNoResponse) {
		t.Errorf("removed twice: %v", err)
	}
}

func TestAResponseEndsWithItsTime(t *testing.T) {
	h := newHouse(t)
	s := h.service(roots("a"))
	r := h.keep(t, s, mine, "resp_1")
	h.Clock.Advance(month - time.Second)
	there(t, "a second before", s, mine, r)
	h.Clock.Advance(time.Second)
	gone(t, "a month later", s, mine, "resp_1")
}

func TestTheStoreSeesNothingOfWhatWasSaid(t *testing.T) {
	h := newHouse(t)
	s := h.service(roots("a"))
	h.keep(t, s, mine, "resp_1")
	sealed, err := h.kept.Find(t.Context(), "mine", "resp_1", h.Clock.Now())
	if err != nil || bytes.Contains(sealed.Sealed, []byte("private")) {
		t.Fatalf("%v: %q", err, sealed.Sealed)
	}
	// What is put in another place, or changed, is not opened.
	for what, change := range map[string]func(*outbound.SealedResponse){
		"another id":     func(r *outbound.SealedResponse) { r.ID = "resp_2" },
		"another tenant": func(r *outbound.SealedResponse) { r.TenantID = "theirs"; r.ID = "resp_1" },
		"another text":   func(r *outbound.SealedResponse) { r.ID = "resp_3"; r.Sealed[len(r.Sealed)-1] ^= 1 },
		"nothing":        func(r *outbound.SealedResponse) { r.ID, r.Sealed = "resp_4", []byte{} },
	} {
		moved := sealed
		moved.Sealed = bytes.Clone(sealed.Sealed)
		change(&moved)
		if err := h.kept.Add(t.Context(), moved); err != nil {
			t.Fatal(err)
		}
		gone(t, what, s, inbound.Caller{TenantID: "mine"}, moved.ID+map[bool]string{true: "x"}[moved.TenantID == "theirs"])
		gone(t, what, s, theirs, moved.ID)
	}
}

func TestWhatIsSealedButNotPackedIsGone(t *testing.T) {
	h := newHouse(t)
	keys := roots("a")
	for id, plain := range map[string]string{"none": "", "later": "\x02abc", "no gzip": "\x01abc"} {
		err := h.kept.Add(t.Context(), outbound.SealedResponse{
			TenantID: "mine", ID: id, CreatedAt: h.Clock.Now(), ExpiresAt: h.Clock.Now().Add(month), Sealed: keys.Seal("responses", []byte(plain), []byte("4:mine"+id)),
		})
		if err != nil {
			t.Fatal(err)
		}
		gone(t, id, h.service(keys), mine, id)
	}
}

func TestARootThatIsRotatedOpensWhatItSealed(t *testing.T) {
	h := newHouse(t)
	r := h.keep(t, h.service(roots("old")), mine, "resp_1")
	there(t, "under the next root", h.service(roots("new", "old")), mine, r)
	gone(t, "under another root", h.service(roots("new")), mine, "resp_1")
}

func TestTheSameResponseAgainChangesNothing(t *testing.T) {
	h := newHouse(t)
	s := h.service(roots("a"))
	first := h.keep(t, s, mine, "resp_1")
	other := h.said("resp_1")
	other.Output = []byte(`[]`)
	if err := s.Keep(t.Context(), mine, other); err != nil {
		t.Fatal(err)
	}
	there(t, "kept again", s, mine, first)
}

func TestALongConversationIsKeptSmall(t *testing.T) {
	h := newHouse(t)
	s := h.service(roots("a"))
	r := h.said("resp_1")
	r.Input = []byte(`["` + strings.Repeat("the same again, ", 100_000) + `"]`)
	if err := s.Keep(t.Context(), mine, r); err != nil {
		t.Fatal(err)
	}
	there(t, "the long one", s, mine, r)
	if sealed, err := h.kept.Find(t.Context(), "mine", "resp_1", h.Clock.Now()); err != nil || len(sealed.Sealed) > len(r.Input)/50 {
		t.Errorf("%d bytes are kept of %d, %v", len(sealed.Sealed), len(r.Input), err)
	}
}

func TestAStoreThatIsAwayIsNoMissingResponse(t *testing.T) {
	h := newHouse(t)
	s := h.service(roots("a"))
	if err := h.DB.Close(); err != nil {
		t.Fatal(err)
	}
	_, found := s.Find(t.Context(), mine, "resp_1")
	for what, err := range map[string]error{"find": found, "keep": s.Keep(t.Context(), mine, h.said("resp_1")), "remove": s.Remove(t.Context(), mine, "resp_1")} {
		if err == nil || errors.Is(err, inbound.ErrNoResponse) || fault.KindOf(err) == fault.NotFound {
			t.Errorf("%s: got %v", what, err)
		}
	}
}
