package identity_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/test/identity"
)

const grace = "grace@example.com"

// tenantsOf lists the tenants of the user of an address.
func tenantsOf(t *testing.T, w *identity.World, email string) []*tenant.Tenant {
	t.Helper()
	mine, err := w.DB.View().Tenants.OfUser(t.Context(), w.UserOf(t, email).ID())
	if err != nil {
		t.Fatal(err)
	}
	return mine
}

func TestResetsByOneLink(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		w.User(t, grace, "")
		for range 3 {
			w.Login(t, grace)
		}
		if err := w.Auth.RequestReset(inbound.WithOrigin(t.Context(), identity.Somewhere()), grace); err != nil {
			t.Fatal(err)
		}
		link := identity.TokenIn(t, w.Letters(t)[0])
		password := func(i int) secret.Text { return secret.New(fmt.Sprintf("tin whistle over harbour %d", i)) }
		var winner atomic.Int64
		count := race(t, w, func(node *identity.World, i int) string {
			err := node.Auth.Reset(inbound.WithOrigin(t.Context(), identity.Somewhere()), inbound.ResetPassword{Token: link, NewPassword: password(i)})
			if err == nil {
				winner.Store(int64(i))
			}
			return said(err)
		})
		if count["ok"] != 1 || count["token_invalid"] != racers-1 {
			t.Errorf("got %v, want one that wins", count)
		}
		for i := range racers {
			_, err := w.Auth.Login(t.Context(), inbound.Login{Email: grace, Password: password(i), Origin: identity.Somewhere()})
			if want := map[bool]string{true: "ok", false: "invalid_credentials"}[int64(i) == winner.Load()]; said(err) != want {
				t.Errorf("password %d: got %v, want %s", i, err, want)
			}
			w.Clock.Advance(16 * time.Minute) // so that wrong ones do not add up
		}
		if letters := w.Letters(t); len(letters) != 1 || letters[0].Subject != "Your password was reset" {
			t.Errorf("got mails %v", letters)
		}
	})
}

func TestRequestsOfLinksForOneAccount(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		w.User(t, grace, "")
		count := race(t, w, func(node *identity.World, _ int) string {
			return said(node.Auth.RequestReset(inbound.WithOrigin(t.Context(), identity.Somewhere()), grace))
		})
		if n := len(w.Letters(t)); count["ok"] != racers || n != 3 {
			t.Errorf("got %v and %d mails, want 3", count, n)
		}
	})
}

func TestResendsForOneAddress(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		w.Register(t, inbound.Register{Email: grace})
		count := race(t, w, func(node *identity.World, _ int) string {
			return said(node.Auth.ResendVerification(inbound.WithOrigin(t.Context(), identity.Somewhere()), grace))
		})
		if n := len(w.Letters(t)); count["ok"] != racers || n != 2 {
			t.Errorf("got %v and %d more mails, want 2", count, n)
		}
	})
}

func TestAcceptsOfOneInvitation(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		owner := w.Owner(t, "olga@example.com")
		mine := w.Owner(t, grace)
		token := w.Invite(t, owner, grace, "member")
		count := race(t, w, func(node *identity.World, _ int) string {
			return said(node.People.AcceptInvite(t.Context(), mine, token))
		})
		if count["ok"] != 1 || count["token_invalid"] != racers-1 {
			t.Errorf("got %v", count)
		}
		if n := len(tenantsOf(t, w, grace)); n != 2 {
			t.Errorf("a member of %d tenants, want 2", n)
		}
		if n := len(w.Letters(t)); n != 1 {
			t.Errorf("%d mails, want 1", n)
		}
	})
}

func TestRegistersByOneInvitation(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		token := w.Invite(t, w.Owner(t, "olga@example.com"), grace, "member")
		count := race(t, w, func(node *identity.World, i int) string {
			got, err := node.Auth.Register(t.Context(), inbound.Register{
				Email: grace, Password: secret.New(fmt.Sprintf("tin whistle over harbour %d", i)), InviteToken: token, Origin: identity.Somewhere(),
			})
			return fmt.Sprint(said(err), " ", got.Verified)
		})
		if count["ok true"] != 1 || count["token_invalid false"] != racers-1 {
			t.Errorf("got %v", count)
		}
		if n := len(tenantsOf(t, w, grace)); n != 2 {
			t.Errorf("a member of %d tenants, want 2", n)
		}
	})
}

func TestInvitationsOfOneAddress(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		owner := w.Owner(t, "olga@example.com")
		count := race(t, w, func(node *identity.World, _ int) string {
			_, err := node.People.Invite(t.Context(), owner, grace, "member")
			return said(err)
		})
		open, err := w.People.Invites(t.Context(), owner)
		if err != nil || len(open) != 1 || count["ok"] != 3 || count["too_many_attempts"] != racers-3 {
			t.Fatalf("got %v, %d open, %v", count, len(open), err)
		}
		letters, mine, good := w.Letters(t), w.Owner(t, grace), 0
		for _, m := range letters {
			if w.People.AcceptInvite(t.Context(), mine, identity.TokenIn(t, m)) == nil {
				good++
			}
		}
		if len(letters) != 3 || good != 1 {
			t.Errorf("%d mails, %d of them good, want 3 and 1", len(letters), good)
		}
	})
}

func TestOwnersThatTurnOnEachOther(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		olga := w.Owner(t, "olga@example.com")
		w.User(t, grace, "")
		mine := w.Join(t, olga, grace, "owner")
		root := w.Admin(t, "root@example.com")
		count := race(t, w, func(node *identity.World, i int) string {
			switch i % 4 {
			case 0:
				return said(node.People.RemoveMember(t.Context(), olga, mine.UserID))
			case 1:
				return said(node.People.RemoveMember(t.Context(), mine, olga.UserID))
			case 2:
				_, err := node.People.ChangeRole(t.Context(), mine, olga.UserID, "viewer")
				return said(err)
			default:
				return said(node.Platform.DeleteUser(t.Context(), root, olga.UserID))
			}
		})
		for outcome := range count {
			if !strings.Contains(" ok last_owner not_found role_insufficient ", " "+outcome+" ") {
				t.Errorf("%d times %s", count[outcome], outcome)
			}
		}
		in, err := w.DB.View().Tenants.Find(t.Context(), olga.TenantID)
		if _, gone := w.DB.View().Users.Find(t.Context(), olga.UserID); gone != nil && err != nil {
			return // first the one was removed, then the other deleted, and the empty tenant with it
		}
		if err != nil {
			t.Fatalf("the tenant: %v", err)
		}
		owners := 0
		for _, m := range in.Members() {
			if m.Role == tenant.Owner {
				owners++
			}
		}
		if owners != 1 {
			t.Errorf("%d owners of %v, want 1", owners, in.Members())
		}
	})
}

func TestSignInsThatMeetARemoval(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		olga := w.Owner(t, "olga@example.com")
		w.User(t, grace, "")
		mine := w.Join(t, olga, grace, "member")
		race(t, w, func(node *identity.World, i int) string {
			if i == racers/2 {
				return said(node.People.RemoveMember(t.Context(), olga, mine.UserID))
			}
			in, err := node.Auth.Login(t.Context(), inbound.Login{
				Email: grace, Password: secret.New(identity.Password), Tenant: string(olga.TenantID), Origin: identity.Somewhere(),
			})
			if err == nil {
				_, _ = node.Gate.Authenticate(t.Context(), in.Tokens.Access)
			}
			return said(err)
		})
		w.Clock.Advance(5 * time.Second)
		open, err := w.DB.View().Sessions.OfUser(t.Context(), mine.UserID, w.Clock.Now())
		if err != nil {
			t.Fatal(err)
		}
		for _, on := range open {
			if on.Tenant() != string(olga.TenantID) {
				continue
			}
			// Begun just before or after; it acts nowhere.
			in := inbound.Caller{UserID: mine.UserID, TenantID: olga.TenantID, SessionID: on.ID(), Role: tenant.Plain}
			if _, err := w.Auth.SwitchTenant(t.Context(), in, olga.TenantID); said(err) != "tenant_access_denied" {
				t.Errorf("a session in the tenant acts: %v", err)
			}
		}
		if n := len(tenantsOf(t, w, grace)); n != 1 {
			t.Errorf("a member of %d tenants, want 1", n)
		}
	})
}

func TestDeletionsOfOneUser(t *testing.T) {
	onEachStore(t, func(t *testing.T, w *identity.World) {
		root := w.Admin(t, "root@example.com")
		olga := w.Owner(t, "olga@example.com")
		w.User(t, grace, "")
		mine := w.Join(t, olga, grace, "admin")
		count := race(t, w, func(node *identity.World, i int) string {
			switch {
			case i%5 == 0:
				_, err := node.Auth.Login(t.Context(), inbound.Login{Email: grace, Password: secret.New(identity.Password), Origin: identity.Somewhere()})
				return "login " + said(err)
			case i%5 == 1:
				_, err := node.People.Members(t.Context(), olga)
				return "list " + said(err)
			}
			return said(node.Platform.DeleteUser(t.Context(), root, mine.UserID))
		})
		if count["ok"] != 1 || count["ok"]+count["not_found"] != racers*3/5 || count["list ok"] != racers/5 {
			t.Errorf("got %v", count)
		}
		if _, err := w.DB.View().Users.Find(t.Context(), mine.UserID); said(err) != said(user.ErrNotFound) {
			t.Errorf("the user: %v", err)
		}
	})
}
