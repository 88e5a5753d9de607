package auth_test

import (
	"testing"
	"time"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/identity"
)

func TestOneMoreSessionThanAUserMayHaveEndsTheOldest(t *testing.T) {
	w := identity.New(t)
	w.User(t, ada, "")
	first := w.Login(t, ada)
	w.Caller(t, first.Access)
	second := first
	for i := range session.MaxPerUser - 1 {
		w.Clock.Advance(time.Second)
		if in := w.Login(t, ada); i == 0 {
			second = in
		}
	}
	w.Caller(t, first.Access)
	w.Clock.Advance(time.Second)
	w.Login(t, ada)
	dead(t, w, "the oldest", first.Access)
	refused(t, w, "the oldest", first.Refresh)
	w.Caller(t, second.Access)
	kept, err := w.DB.View().Sessions.Find(t.Context(), first.SessionID)
	if err != nil || kept.Snapshot().Reason != session.ByLimit {
		t.Errorf("kept: got %+v, %v", kept.Snapshot(), err)
	}
}

func TestACallerKnowsWhetherItAdministersTheInstallation(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, ada, "")
	tokens := w.Login(t, ada)
	if w.Caller(t, tokens.Access).Platform {
		t.Error("a plain user does")
	}
	change(t, w, v.UserID, func(u *user.User) { u.MakePlatformAdmin(w.Clock.Now()) })
	w.Clock.Advance(5 * time.Second)
	k := key(t, w, tokens, inbound.CreateKey{})
	for name, node := range map[string]*identity.World{"from the database": w, "from the cache": w.Node(t)} {
		if !node.Caller(t, tokens.Access).Platform {
			t.Errorf("%s: a platform administrator does not", name)
		}
	}
	if w.Caller(t, k.Key).Platform {
		t.Error("a key does")
	}
}

func TestAHashOfOldCostIsReplacedBeforeTheSecondFactor(t *testing.T) {
	w := identity.New(t)
	v := w.User(t, ada, "")
	w.Enrol(t, ada)
	hash := func() string {
		u, err := w.DB.View().Users.Find(t.Context(), v.UserID)
		if err != nil {
			t.Fatal(err)
		}
		return u.PasswordHash()
	}
	old := hash()
	w.Hasher.CallStale()
	w.Challenge(t, ada)
	fresh := hash()
	if fresh == old {
		t.Error("the hash is the old one")
	}
	w.Hasher.Fail(fault.ErrBusy)
	w.Challenge(t, ada)
	w.Hasher.Fail(nil)
	if hash() != fresh {
		t.Error("a hash that could not be made was kept")
	}
	w.Faults.Before(func() { change(t, w, v.UserID, func(u *user.User) { u.ChangePassword("another", w.Clock.Now()) }) })
	w.Challenge(t, ada)
	if hash() != "another" {
		t.Error("a password set meanwhile is gone")
	}
}
