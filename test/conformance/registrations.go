package conformance

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync/atomic"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// Registrations is the suite of outbound.Registrations.
func Registrations(t *testing.T, new func(t *testing.T) Store) {
	tests := map[string]func(t *testing.T, s Store){
		"a registration comes back as it was":             registrationsRoundTrip,
		"the newest live one of an address is found":      registrationsNewest,
		"those of another password are counted":           registrationsOfOthers,
		"those of an hour and those alive are counted":    registrationsSince,
		"counting in a transaction locks the address":     registrationsSinceLocks,
		"a token works once, and ends its rivals":         registrationsTakeOnce,
		"of many that show a token one gets it":           registrationsTakeRace,
		"of many that show rivals' tokens one gets it":    registrationsRivals,
		"an expired token takes nothing":                  registrationsExpired,
		"what was taken is back when the rest fails":      registrationsTakeUndone,
		"sweeping deletes what has expired, nothing else": registrationsSweep,
		"text that cannot be kept is a mistake":           registrationsUnstorable,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, new(t)) })
	}
}

// registration makes the n-th registration of name@example.com.
func registration(name string, n byte, made, until time.Time) user.Registration {
	return user.Registration{
		ID: nextID(), Email: email(name), Username: user.RestoreUsername(name), DisplayName: hostile, PasswordHash: "$argon2id$" + name,
		TokenHash: tokenHash(name, n), TenantName: hostile, TenantSlug: "engines", CreatedAt: made, ExpiresAt: until,
	}
}

func tokenHash(name string, n byte) [32]byte { return sha256.Sum256(append([]byte(name), n)) }

func addRegistration(t *testing.T, s Store, name string, n byte, made, until time.Time) user.Registration {
	t.Helper()
	r := registration(name, n, made, until)
	must(t, "add registration", s.View().Registrations.Add(t.Context(), r))
	return r
}

// sameRegistration compares by parts: an address and a username keep theirs to themselves.
func sameRegistration(t *testing.T, what string, got, want user.Registration) {
	t.Helper()
	same(t, what+", address", []string{got.Email.String(), got.Email.Canon(), got.Username.String()},
		[]string{want.Email.String(), want.Email.Canon(), want.Username.String()})
	got.Email, want.Email, got.Username, want.Username = user.Email{}, user.Email{}, user.Username{}, user.Username{}
	if !got.CreatedAt.Equal(want.CreatedAt) || !got.ExpiresAt.Equal(want.ExpiresAt) {
		t.Errorf("%s: times %v, %v, want %v, %v", what, got.CreatedAt, got.ExpiresAt, want.CreatedAt, want.ExpiresAt)
	}
	got.CreatedAt, got.ExpiresAt, want.CreatedAt, want.ExpiresAt = time.Time{}, time.Time{}, time.Time{}, time.Time{}
	if got != want {
		t.Errorf("%s: got %+v, want %+v", what, got, want)
	}
}

func registrationsRoundTrip(t *testing.T, s Store) {
	want := addRegistration(t, s, "ada", 1, storeEpoch, storeEpoch.Add(24*time.Hour))
	got, err := s.View().Registrations.Newest(t.Context(), "ada@example.com", storeEpoch)
	must(t, "newest", err)
	sameRegistration(t, "the newest", got, want)
	utc(t, "the newest", got.CreatedAt)
	got, err = s.View().Registrations.Take(t.Context(), want.TokenHash, storeEpoch)
	must(t, "take", err)
	sameRegistration(t, "the one taken", got, want)
}

func registrationsNewest(t *testing.T, s Store) {
	addRegistration(t, s, "ada", 1, storeEpoch, storeEpoch.Add(time.Hour))
	want := addRegistration(t, s, "ada", 2, storeEpoch.Add(time.Microsecond), storeEpoch.Add(time.Hour))
	addRegistration(t, s, "ada", 3, storeEpoch.Add(time.Minute), storeEpoch.Add(2*time.Minute)) // expired when asked
	addRegistration(t, s, "bob", 1, storeEpoch.Add(time.Minute), storeEpoch.Add(time.Hour))
	now := storeEpoch.Add(2 * time.Minute)
	got, err := s.View().Registrations.Newest(t.Context(), "ada@example.com", now)
	must(t, "newest", err)
	sameRegistration(t, "the newest", got, want)
	for _, canon := range []string{"eve@example.com", "ADA@example.com", "ada@example.com\x00"} {
		_, err = s.View().Registrations.Newest(t.Context(), canon, now)
		wantErr(t, "of "+canon, err, user.ErrNotFound)
	}
	_, err = s.View().Registrations.Newest(t.Context(), "ada@example.com", storeEpoch.Add(time.Hour))
	wantErr(t, "when all have expired", err, user.ErrNotFound)
}

func registrationsOfOthers(t *testing.T, s Store) {
	now := storeEpoch.Add(time.Minute)
	mine := addRegistration(t, s, "ada", 1, storeEpoch, now.Add(time.Hour))
	addRegistration(t, s, "ada", 2, storeEpoch, now.Add(time.Hour)) // of the same password hash
	addRegistration(t, s, "bob", 1, storeEpoch, now.Add(time.Hour)) // of another address
	for i, until := range []time.Time{now, now.Add(time.Microsecond)} {
		other := registration("ada", byte(3+i), storeEpoch, until)
		other.PasswordHash = "$argon2id$other"
		must(t, "add", s.View().Registrations.Add(t.Context(), other))
	}
	for name, c := range map[string]struct {
		canon, hash string
		at          time.Time
		want        int
	}{
		"one's own":            {"ada@example.com", mine.PasswordHash, now, 1},
		"the other's":          {"ada@example.com", "$argon2id$other", now, 2},
		"nobody's":             {"ada@example.com", "", now, 3},
		"when one has expired": {"ada@example.com", mine.PasswordHash, now.Add(time.Second), 0},
		"of nobody":            {"eve@example.com", "", now, 0},
		"of a NUL":             {"ada@example.com\x00", "", now, 0},
	} {
		got, err := s.View().Registrations.Rivals(t.Context(), c.canon, c.hash, c.at)
		must(t, name, err)
		same(t, name, got, c.want)
	}
}

func registrationsSince(t *testing.T, s Store) {
	now := storeEpoch.Add(2 * time.Hour)
	addRegistration(t, s, "ada", 1, storeEpoch, now.Add(time.Hour))                    // old, alive
	addRegistration(t, s, "ada", 2, now.Add(-time.Minute), now.Add(time.Hour))         // new, alive
	addRegistration(t, s, "ada", 3, now.Add(-time.Minute), now)                        // new, dead at this very moment
	addRegistration(t, s, "ada", 4, now.Add(-time.Hour), now.Add(-30*time.Minute))     // made at the very bound: not after it
	addRegistration(t, s, "bob", 1, now.Add(-time.Minute), now.Add(time.Microsecond))  // another's
	addRegistration(t, s, "adam", 1, now.Add(-time.Minute), now.Add(time.Microsecond)) // another's
	tests := map[string]struct {
		canon      string
		made, live int
	}{
		"ada":    {"ada@example.com", 2, 2},
		"bob":    {"bob@example.com", 1, 1},
		"nobody": {"eve@example.com", 0, 0},
		"a NUL":  {"ada@example.com\x00", 0, 0},
	}
	for name, tc := range tests {
		made, live, err := s.View().Registrations.Since(t.Context(), tc.canon, now.Add(-time.Hour), now)
		must(t, name, err)
		if made != tc.made || live != tc.live {
			t.Errorf("%s: %d made, %d live, want %d, %d", name, made, live, tc.made, tc.live)
		}
	}
}

// registrationsSinceLocks has many count and then add, each as long as fewer than three are there. From the count to the end of its transaction each is
// alone with the address.
func registrationsSinceLocks(t *testing.T, s Store) {
	until := storeEpoch.Add(time.Hour)
	var together, clashes atomic.Int64
	none(t, race(20, func(i int) error {
		return s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
			_, live, err := repos.Registrations.Since(ctx, "ada@example.com", storeEpoch.Add(-time.Hour), storeEpoch)
			if err != nil {
				return err
			}
			if together.Add(1) > 1 {
				clashes.Add(1)
			}
			defer together.Add(-1)
			for range 5 { // time for others to come in
				if _, err := repos.Users.Find(ctx, "nobody"); !errors.Is(err, user.ErrNotFound) {
					return err
				}
			}
			if live >= user.RegistrationLimit {
				return nil
			}
			return repos.Registrations.Add(ctx, registration("ada", byte(i), storeEpoch, until))
		})
	}))
	if n := clashes.Load(); n > 0 {
		t.Errorf("%d times a transaction counted the address before another that had counted it ended", n)
	}
	_, live, err := s.View().Registrations.Since(t.Context(), "ada@example.com", storeEpoch.Add(-time.Hour), storeEpoch)
	must(t, "since", err)
	if live != user.RegistrationLimit {
		t.Errorf("20 at once that stop at %d: %d live", user.RegistrationLimit, live)
	}
}

func registrationsTakeOnce(t *testing.T, s Store) {
	until := storeEpoch.Add(time.Hour)
	addRegistration(t, s, "ada", 1, storeEpoch, until)
	addRegistration(t, s, "ada", 2, storeEpoch, until)
	other := addRegistration(t, s, "bob", 1, storeEpoch, until)
	r := s.View().Registrations
	_, err := r.Take(t.Context(), tokenHash("ada", 2), storeEpoch)
	must(t, "take", err)
	_, err = r.Take(t.Context(), tokenHash("ada", 2), storeEpoch)
	wantErr(t, "take again", err, user.ErrNotFound)
	_, err = r.Take(t.Context(), tokenHash("ada", 1), storeEpoch)
	wantErr(t, "take the rival of the same address", err, user.ErrNotFound)
	got, err := r.Take(t.Context(), tokenHash("bob", 1), storeEpoch)
	must(t, "take another address's", err)
	sameRegistration(t, "another address's", got, other)
}

func registrationsTakeRace(t *testing.T, s Store) {
	addRegistration(t, s, "ada", 1, storeEpoch, storeEpoch.Add(time.Hour))
	errs := race(20, func(int) error {
		return s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
			return second(repos.Registrations.Take(ctx, tokenHash("ada", 1), storeEpoch))
		})
	})
	if n := winners(t, errs, user.ErrNotFound); n != 1 {
		t.Errorf("%d of 20 got the registration, want 1", n)
	}
}

// registrationsRivals lets the proofs of three rivals for one address meet, together with what follows a proof: one account.
func registrationsRivals(t *testing.T, s Store) {
	for n := range byte(3) {
		addRegistration(t, s, "ada", n, storeEpoch, storeEpoch.Add(time.Hour))
	}
	errs := race(15, func(i int) error {
		return s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
			r, err := repos.Registrations.Take(ctx, tokenHash("ada", byte(i%3)), storeEpoch)
			if err != nil {
				return err
			}
			u, err := user.New(user.ID(nextID()), r.Email, r.Username, "", r.PasswordHash, storeEpoch)
			if err != nil {
				return err
			}
			if err := repos.Users.Add(ctx, u); errors.Is(err, user.ErrEmailTaken) {
				return user.ErrNotFound
			} else {
				return err
			}
		})
	})
	if n := winners(t, errs, user.ErrNotFound); n != 1 {
		t.Errorf("%d of 15 proved the address, want 1", n)
	}
	_, live, err := s.View().Registrations.Since(t.Context(), "ada@example.com", time.Time{}.Add(time.Hour), storeEpoch)
	must(t, "since", err)
	if live != 0 {
		t.Errorf("%d registrations are left of a proven address", live)
	}
}

func registrationsExpired(t *testing.T, s Store) {
	addRegistration(t, s, "ada", 1, storeEpoch, storeEpoch.Add(time.Hour))
	addRegistration(t, s, "ada", 2, storeEpoch, storeEpoch.Add(2*time.Hour))
	now := storeEpoch.Add(time.Hour) // the first ends at this very moment
	_, err := s.View().Registrations.Take(t.Context(), tokenHash("ada", 1), now)
	wantErr(t, "take the expired", err, user.ErrNotFound)
	_, err = s.View().Registrations.Take(t.Context(), tokenHash("eve", 1), now)
	wantErr(t, "take what never was", err, user.ErrNotFound)
	_, err = s.View().Registrations.Take(t.Context(), tokenHash("ada", 2), now)
	must(t, "take the live one", err)
}

func registrationsTakeUndone(t *testing.T, s Store) {
	addRegistration(t, s, "ada", 1, storeEpoch, storeEpoch.Add(time.Hour))
	addRegistration(t, s, "ada", 2, storeEpoch, storeEpoch.Add(time.Hour))
	err := s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
		must(t, "take", second(repos.Registrations.Take(ctx, tokenHash("ada", 1), storeEpoch)))
		return errChange
	})
	wantErr(t, "do", err, errChange)
	_, live, err := s.View().Registrations.Since(t.Context(), "ada@example.com", storeEpoch.Add(-time.Hour), storeEpoch)
	must(t, "since", err)
	if live != 2 {
		t.Errorf("%d registrations are left, want 2", live)
	}
}

func registrationsSweep(t *testing.T, s Store) {
	addRegistration(t, s, "ada", 1, storeEpoch, storeEpoch.Add(time.Hour))
	addRegistration(t, s, "ada", 2, storeEpoch, storeEpoch.Add(2*time.Hour))
	addRegistration(t, s, "bob", 1, storeEpoch, storeEpoch.Add(time.Minute))
	n, err := s.View().Registrations.Sweep(t.Context(), storeEpoch.Add(90*time.Minute))
	must(t, "sweep", err)
	if n != 2 {
		t.Errorf("swept %d, want 2", n)
	}
	_, err = s.View().Registrations.Take(t.Context(), tokenHash("ada", 2), storeEpoch)
	must(t, "take the one left", err)
}

func registrationsUnstorable(t *testing.T, s Store) {
	for what, text := range unstorable {
		r := registration("ada", 1, storeEpoch, storeEpoch.Add(time.Hour))
		r.DisplayName = text
		wantInvalid(t, what, s.View().Registrations.Add(t.Context(), r))
	}
}
