package identity_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/identity"
)

// Races around throttles and second factors, half of the racers on each of two nodes that share database, throttle and challenges.

// sessions counts a user's open sessions.
func sessions(t *testing.T, w *identity.World, id user.ID) int {
	t.Helper()
	open, err := w.DB.View().Sessions.OfUser(t.Context(), id, w.Clock.Now())
	if err != nil {
		t.Fatal(err)
	}
	return len(open)
}

// left counts a user's unused recovery codes.
func left(t *testing.T, w *identity.World, id user.ID) int {
	t.Helper()
	f, err := w.DB.View().Factors.Find(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	return f.RecoveryLeft()
}

func TestWrongPasswordsAtOnce(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		w.User(t, "ada@example.com", "")
		nodes := []*identity.World{w}
		count := map[string]int{}
		for range 2 { // a hundred racers
			for outcome, n := range race(t, w, func(node *identity.World, i int) string {
				if i == 1 {
					nodes = append(nodes, node)
				}
				_, err := node.Auth.Login(t.Context(), inbound.Login{
					Email: "ada@example.com", Password: secret.New("a wrong password"), Origin: inbound.Origin{IP: "192.0.2.1"},
				})
				return said(err)
			}) {
				count[outcome] += n
			}
		}
		var verified int64
		for _, node := range nodes {
			verified += node.Hasher.Verifies.Load()
		}
		if verified != 5 || count["invalid_credentials"] != 5 || count["too_many_attempts"]+count["busy"] != 2*racers-5 {
			t.Errorf("%d reached the hash, got %v", verified, count)
		}
	})
}

func TestRightPasswordsFromOneNetworkAtOnceDoNotShutEachOtherOut(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		w.User(t, "ada@example.com", "")
		count := race(t, w, func(node *identity.World, _ int) string {
			_, err := node.Auth.Login(t.Context(), inbound.Login{
				Email: "ada@example.com", Password: secret.New(identity.Password), Origin: inbound.Origin{IP: "192.0.2.1"},
			})
			return said(err)
		})
		if count["ok"]+count["busy"] != racers || count["ok"] < racers/2 {
			t.Errorf("got %v", count)
		}
	})
}

func TestOneChallengeAndOneCodeAtOnce(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		v := w.User(t, "ada@example.com", "")
		setup, _ := w.Enrol(t, "ada@example.com")
		before := sessions(t, w, v.UserID)
		c, code := w.Challenge(t, "ada@example.com"), w.Code(t, setup.Secret, 0)
		count := race(t, w, func(node *identity.World, _ int) string {
			_, err := node.Auth.Complete(t.Context(), c.Token, code, "")
			return said(err)
		})
		if count["ok"] != 1 || count["mfa_challenge_invalid"]+count["mfa_code_invalid"] != racers-1 {
			t.Errorf("got %v", count)
		}
		if n := sessions(t, w, v.UserID) - before; n != 1 {
			t.Errorf("%d sessions began, want 1", n)
		}
	})
}

func TestManyChallengesAndOneCodeAtOnce(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		v := w.User(t, "ada@example.com", "")
		setup, _ := w.Enrol(t, "ada@example.com")
		before := sessions(t, w, v.UserID)
		code := w.Code(t, setup.Secret, 0)
		challenges := make([]string, racers)
		for i := range challenges {
			challenges[i] = w.Challenge(t, "ada@example.com").Token
		}
		count := race(t, w, func(node *identity.World, i int) string {
			_, err := node.Auth.Complete(t.Context(), challenges[i], code, "")
			return said(err)
		})
		if count["ok"] != 1 || count["mfa_code_invalid"]+count["too_many_attempts"]+count["busy"] != racers-1 {
			t.Errorf("got %v", count)
		}
		if n := sessions(t, w, v.UserID) - before; n != 1 {
			t.Errorf("%d sessions began, want 1", n)
		}
	})
}

func TestGuessesOfOneChallengeAtOnce(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		w.User(t, "ada@example.com", "")
		setup, _ := w.Enrol(t, "ada@example.com")
		c, bad := w.Challenge(t, "ada@example.com"), w.WrongCode(t, setup.Secret)
		count := map[string]int{}
		for range 2 {
			for outcome, n := range race(t, w, func(node *identity.World, _ int) string {
				_, err := node.Auth.Complete(t.Context(), c.Token, bad, "")
				return said(err)
			}) {
				count[outcome] += n
			}
		}
		if w.Challenges.Tries.Load() != 5 || count["mfa_code_invalid"] != 5 || count["mfa_challenge_invalid"] != 2*racers-5 {
			t.Errorf("%d tries, got %v", w.Challenges.Tries.Load(), count)
		}
		if _, err := w.Auth.Complete(t.Context(), c.Token, w.Code(t, setup.Secret, 0), ""); !errors.Is(err, auth.ErrMFAChallengeInvalid) {
			t.Errorf("then the right code: got %v", err)
		}
	})
}

func TestOneRecoveryCodeAtOnce(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		v := w.User(t, "ada@example.com", "")
		setup, _ := w.Enrol(t, "ada@example.com")
		before := sessions(t, w, v.UserID)
		challenges := make([]string, racers)
		for i := range challenges {
			challenges[i] = w.Challenge(t, "ada@example.com").Token
		}
		count := race(t, w, func(node *identity.World, i int) string {
			_, err := node.Auth.Complete(t.Context(), challenges[i], "", setup.RecoveryCodes[0])
			return said(err)
		})
		if count["ok"] != 1 || count["mfa_code_invalid"]+count["too_many_attempts"]+count["busy"] != racers-1 {
			t.Errorf("got %v", count)
		}
		if n, codes := sessions(t, w, v.UserID)-before, left(t, w, v.UserID); n != 1 || codes != user.RecoveryCodes-1 {
			t.Errorf("%d sessions began with %d codes left, want 1 and %d", n, codes, user.RecoveryCodes-1)
		}
		if letters := w.Letters(t); len(letters) != 1 {
			t.Errorf("%d mails, want 1", len(letters))
		}
	})
}

func TestAllRecoveryCodesOnOneChallengeAtOnce(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		v := w.User(t, "ada@example.com", "")
		setup, _ := w.Enrol(t, "ada@example.com")
		before := sessions(t, w, v.UserID)
		c := w.Challenge(t, "ada@example.com")
		count := race(t, w, func(node *identity.World, i int) string {
			_, err := node.Auth.Complete(t.Context(), c.Token, "", setup.RecoveryCodes[i%len(setup.RecoveryCodes)])
			return said(err)
		})
		if n, codes := sessions(t, w, v.UserID)-before, left(t, w, v.UserID); count["ok"] != 1 || n != 1 || codes != user.RecoveryCodes-1 {
			t.Errorf("got %v, %d sessions, %d codes left", count, n, codes)
		}
	})
}

func TestConfirmationsAtOnce(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		v := w.User(t, "ada@example.com", "")
		w.Login(t, "ada@example.com")
		mine := w.Login(t, "ada@example.com")
		caller := w.Caller(t, mine.Access)
		setup, err := w.Auth.Setup(t.Context(), caller, identity.Proof)
		if err != nil {
			t.Fatal(err)
		}
		code := w.Code(t, setup.Secret, 0)
		count := race(t, w, func(node *identity.World, _ int) string {
			got, err := node.Auth.Confirm(t.Context(), caller, setup.SetupID, code)
			if r, _ := session.ParseRefreshToken(got.Refresh); err == nil && r.Gen != 2 {
				t.Errorf("generation %d, want 2", r.Gen)
			}
			return said(err)
		})
		if count["ok"] != 1 || count["mfa_not_pending"]+count["unauthenticated"]+count["busy"] != racers-1 {
			t.Errorf("got %v", count)
		}
		if n := sessions(t, w, v.UserID); n != 1 {
			t.Errorf("%d sessions are open, want 1", n)
		}
		if letters := w.Letters(t); len(letters) != 1 {
			t.Errorf("%d mails, want 1", len(letters))
		}
	})
}

func TestDisablingsAgainstLogins(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		v := w.User(t, "ada@example.com", "")
		setup, tokens := w.Enrol(t, "ada@example.com")
		caller := w.Caller(t, tokens.Access)
		challenges := make([]string, racers)
		for i := range challenges {
			challenges[i] = w.Challenge(t, "ada@example.com").Token
		}
		begun := make([]inbound.Tokens, racers)
		count := race(t, w, func(node *identity.World, i int) string {
			switch i % 10 {
			case 0:
				p := inbound.Proof{Password: secret.New(identity.Password), RecoveryCode: setup.RecoveryCodes[i/10]}
				return "disable " + said(node.Auth.Disable(t.Context(), caller, p))
			case 5:
				got, err := node.Auth.Complete(t.Context(), challenges[i], "", setup.RecoveryCodes[5+i/10])
				begun[i] = got
				return "login " + said(err)
			default:
				got, err := node.Auth.Refresh(t.Context(), tokens.Refresh, inbound.Origin{})
				begun[i] = got
				return "refresh " + said(err)
			}
		})
		if count["disable ok"] != 1 {
			t.Errorf("got %v", count)
		}
		if n := sessions(t, w, v.UserID); n != 0 {
			t.Errorf("%d sessions are open, want none: %v", n, count)
		}
		w.Clock.Advance(identity.Config.SessionCacheTTL)
		for i, got := range begun {
			if got.Access == "" {
				continue
			}
			if _, err := w.Gate.Authenticate(t.Context(), got.Access); !errors.Is(err, auth.ErrUnauthenticated) {
				t.Errorf("the session of racer %d: got %v", i, err)
			}
		}
	})
}

func TestSignInsAtTheLimitOfSessions(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		v := w.User(t, "ada@example.com", "")
		for range session.MaxPerUser - racers/2 {
			w.Login(t, "ada@example.com")
		}
		count := race(t, w, func(node *identity.World, i int) string {
			_, err := node.Auth.Login(t.Context(), inbound.Login{
				Email: "ada@example.com", Password: secret.New(identity.Password), Origin: inbound.Origin{IP: fmt.Sprint("192.0.2.", i)},
			})
			return said(err)
		})
		if count["ok"]+count["busy"] != racers {
			t.Errorf("got %v", count)
		}
		if n := sessions(t, w, v.UserID); n != session.MaxPerUser {
			t.Errorf("%d sessions are open, want %d", n, session.MaxPerUser)
		}
	})
}
