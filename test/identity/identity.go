// Package identity builds the use-cases of sign-in over real adapters, on a database of the test's own, with a clock that the test moves.
package identity

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/forge1/forge1/adapters/database"
	"github.com/forge1/forge1/adapters/idna"
	"github.com/forge1/forge1/adapters/jose"
	"github.com/forge1/forge1/adapters/keyring"
	"github.com/forge1/forge1/adapters/memory"
	"github.com/forge1/forge1/adapters/password"
	"github.com/forge1/forge1/adapters/redis"
	"github.com/forge1/forge1/adapters/totp"
	"github.com/forge1/forge1/application/apikeys"
	auditing "github.com/forge1/forge1/application/audit"
	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/application/members"
	"github.com/forge1/forge1/application/operator"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
	"github.com/forge1/forge1/test/pgtest"
	"github.com/forge1/forge1/test/redistest"
)

// Password is good enough for every account of a test.
const Password = "correct horse battery staple"

// Root is the root secret of every world.
var Root = secret.New("the root secret of the tests, long enough")

// Config is what every world has unless a test changes it.
var Config = auth.Config{
	PublicBaseURL: "https://forge.example", AccessTTL: 15 * time.Minute, VerifyTTL: 24 * time.Hour, SessionCacheTTL: 5 * time.Second,
	MFATokenTTL: 5 * time.Minute, MFASetupTTL: 10 * time.Minute, ResetTTL: 30 * time.Minute, InviteTTL: 72 * time.Hour,
	Terms:     session.Terms{Idle: 7 * 24 * time.Hour, Absolute: 30 * 24 * time.Hour, Grace: 10 * time.Second},
	Passwords: user.PasswordPolicy{MinLength: user.DefaultMinPassword},
}

// Line is what a test wants to know of a line of the audit log.
type Line struct{ Event, Actor, Subject, Tenant, Reason string }

// Audit reads the whole audit log of a world on SQLite, oldest first, past the ports.
func (w *World) Audit(t testing.TB) (lines []Line) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+w.file+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.QueryContext(t.Context(), "SELECT event, actor_id, subject_id, tenant_id, reason FROM audit_log ORDER BY rowid")
	if err != nil {
		t.Fatalf("read the audit log: %v", err)
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var l Line
		if err := rows.Scan(&l.Event, &l.Actor, &l.Subject, &l.Tenant, &l.Reason); err != nil {
			t.Fatal(err)
		}
		lines = append(lines, l)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return lines
}

// Audited counts the lines of an event in the audit log.
func (w *World) Audited(t testing.TB, event string) (n int) {
	t.Helper()
	for _, l := range w.Audit(t) {
		if l.Event == event {
			n++
		}
	}
	return n
}

// World is one node of Forge's identity. Nodes on one database are made with Node.
type World struct {
	DB         *database.DB
	Faults     *Faults // what the use-cases see of the database
	Cache      outbound.SessionCache
	Throttle   *Throttle // shared by all nodes
	Challenges *Challenges
	Clock      *Clock
	Hasher     *Hasher
	Tokens     *jose.Tokens
	Keys       *keyring.Keyring
	Post       *Postman
	Gate       *auth.Gatekeeper
	Auth       *auth.Service
	APIKey     *apikeys.Service
	Ops        *operator.Service
	People     *members.Service
	Platform   *members.Platform
	Log        *auditing.Service

	file string // of SQLite
}

// New makes a world on SQLite.
func New(t testing.TB, change ...func(*auth.Config)) *World {
	t.Helper()
	file := filepath.Join(t.TempDir(), "forge1.db")
	image, err := migrated()
	if err != nil {
		t.Fatalf("migrate: %v", err)
	}
	if err := os.WriteFile(file, image, 0o600); err != nil {
		t.Fatal(err)
	}
	return build(t, "sqlite://"+file, change)
}

// NewOnPostgres makes a world on Postgres.
func NewOnPostgres(t testing.TB, change ...func(*auth.Config)) *World {
	t.Helper()
	return build(t, pgtest.Template(t, "identity", func(url string) error { return migrate(url) }), change)
}

// NewOnServers makes a world on Postgres and Redis.
func NewOnServers(t testing.TB, change ...func(*auth.Config)) *World {
	t.Helper()
	w := NewOnPostgres(t, change...)
	client, err := redis.Open(redis.Config{URL: secret.New(redistest.URL(t))}, w.Clock.Now)
	if err != nil {
		t.Fatalf("open Redis: %v", err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Errorf("close Redis: %v", err)
		}
	})
	w.Cache, w.Throttle.Throttle, w.Challenges.Challenges = redis.NewSessions(client), redis.NewThrottle(client), redis.NewChallenges(client)
	return w
}

var migrated = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "forge1-identity-")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	file := filepath.Join(dir, "forge1.db")
	if err := migrate("sqlite://" + file); err != nil {
		return nil, err
	}
	return os.ReadFile(file)
})

func migrate(url string) error {
	ctx := context.Background()
	db, err := database.Open(ctx, database.Config{URL: secret.New(url)}, time.Now, uuid.NewString)
	if err != nil {
		return err
	}
	if _, err := database.NewMigrator(db, database.MigratorConfig{}).Up(ctx); err != nil {
		return err
	}
	return db.Close()
}

func build(t testing.TB, url string, change []func(*auth.Config)) *World {
	t.Helper()
	w := &World{Clock: &Clock{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}}
	w.file, _ = strings.CutPrefix(url, "sqlite://")
	db, err := database.Open(t.Context(), database.Config{URL: secret.New(url)}, w.Clock.Now, NewID)
	if err != nil {
		t.Fatalf("open database: %v", err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close database: %v", err)
		}
	})
	w.DB = db
	w.Cache = memory.NewSessions(w.Clock.Now, 0)
	w.Throttle = &Throttle{Throttle: memory.NewThrottle(w.Clock.Now, 0)}
	w.Challenges = &Challenges{Challenges: memory.NewChallenges(w.Clock.Now, 0)}
	w.assemble(t, change)
	return w
}

// Node makes a second node on the same database, cache, throttle, challenges and clock.
func (w *World) Node(t testing.TB, change ...func(*auth.Config)) *World {
	t.Helper()
	n := &World{DB: w.DB, Cache: w.Cache, Throttle: w.Throttle, Challenges: w.Challenges, Clock: w.Clock}
	n.assemble(t, change)
	return n
}

func (w *World) assemble(t testing.TB, change []func(*auth.Config)) {
	t.Helper()
	config := Config
	for _, c := range change {
		c(&config)
	}
	var err error
	w.Tokens, err = jose.New(jose.Config{Issuer: config.PublicBaseURL, Root: Root, MaxTTL: config.AccessTTL})
	if err != nil {
		t.Fatal(err)
	}
	w.Faults = &Faults{Tx: w.DB}
	w.Keys = keyring.New(keyring.Config{Root: Root})
	w.Hasher = &Hasher{Hasher: password.New(password.Config{Params: Cheap, Concurrency: 4, Queue: 1000, Wait: time.Minute})}
	w.Post = &Postman{}
	w.Gate = auth.NewGatekeeper(auth.GateDeps{Tx: w.Faults, Tokens: w.Tokens, Cache: cacheOf{w}, Clock: w.Clock.Now, Config: config})
	w.Auth = auth.New(auth.Deps{
		Tx: w.Faults, Hasher: w.Hasher, Tokens: w.Tokens, Keyring: w.Keys, Cache: cacheOf{w}, Gate: w.Gate, Postman: w.Post,
		Throttle: w.Throttle, Local: memory.NewThrottle(w.Clock.Now, 0), Challenges: w.Challenges, OTP: totp.New(totp.Config{Issuer: "Forge"}),
		Clock: w.Clock.Now, NewID: NewID, Random: Random, ToASCII: idna.ToASCII, Config: config,
	})
	w.APIKey = apikeys.New(apikeys.Deps{Tx: w.Faults, Gate: w.Gate, Clock: w.Clock.Now, Random: Random})
	w.Ops = operator.New(operator.Deps{
		Tx: w.Faults, Hasher: w.Hasher, Keyring: w.Keys, Ender: w.Auth, Clock: w.Clock.Now, NewID: NewID, Random: Random, ToASCII: idna.ToASCII,
		Passwords: config.Passwords, Letters: LettersOf(config),
	})
	w.People = members.New(members.Deps{
		Tx: w.Faults, Throttle: w.Throttle, Keyring: w.Keys, Ender: w.Auth, Postman: w.Post, Clock: w.Clock.Now, NewID: NewID, Random: Random,
		ToASCII: idna.ToASCII, Letters: LettersOf(config),
	})
	w.Platform = members.NewPlatform(members.PlatformDeps{Tx: w.Faults, Ender: w.Auth, Clock: w.Clock.Now})
	w.Log = auditing.New(auditing.Deps{Tx: w.Faults, Clock: w.Clock.Now})
}

// NewID makes UUIDv7s.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

// Random fills b.
func Random(b []byte) { _, _ = rand.Read(b) }

// token finds the token of a link in a mail.
var token = regexp.MustCompile(`\?token=([A-Za-z0-9_-]{43})`)

// Mails carries what waits in the outbox and gives it, oldest first.
func (w *World) Mails(t testing.TB) (mails []outbound.Mail) {
	t.Helper()
	far := w.Clock.Now().Add(1000 * time.Hour)
	box := w.DB.View().Outbox
	for {
		waiting, err := box.Claim(t.Context(), far, far.Add(time.Hour), 100)
		if err != nil {
			t.Fatalf("claim: %v", err)
		}
		if len(waiting) == 0 {
			return mails
		}
		for _, m := range waiting {
			plain, err := w.Keys.Open("outbox", m.Sealed, []byte(m.ID))
			var mail outbound.Mail
			if err != nil || json.Unmarshal(plain, &mail) != nil {
				t.Fatalf("open mail: %v", err)
			}
			if err := box.Sent(t.Context(), m.ID); err != nil {
				t.Fatal(err)
			}
			mails = append(mails, mail)
		}
	}
}

// Letters gives the mails that have a recipient.
func (w *World) Letters(t testing.TB) (letters []outbound.Mail) {
	t.Helper()
	for _, m := range w.Mails(t) {
		if m.To != "" {
			letters = append(letters, m)
		}
	}
	return letters
}

// TokenIn gives the token of the link in a mail.
func TokenIn(t testing.TB, m outbound.Mail) string {
	t.Helper()
	found := token.FindStringSubmatch(m.Text)
	if found == nil {
		t.Fatalf("no link in %q", m.Text)
	}
	return found[1]
}

// Somewhere is an address that nobody else has, so that what a test does is not counted with what went before.
func Somewhere() inbound.Origin {
	n := addresses.Add(1)
	return inbound.Origin{IP: netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}).String()} //nolint:gosec // the bytes of a number
}

var addresses atomic.Uint32

// Register registers an address, from Somewhere when it is not said from where, and gives the token that was mailed.
func (w *World) Register(t testing.TB, c inbound.Register) string {
	t.Helper()
	if c.Origin.IP == "" {
		c.Origin = Somewhere()
	}
	if c.Password.Empty() {
		c.Password = secret.New(Password)
	}
	if _, err := w.Auth.Register(t.Context(), c); err != nil {
		t.Fatalf("register %s: %v", c.Email, err)
	}
	letters := w.Letters(t)
	if len(letters) != 1 {
		t.Fatalf("register %s: %d mails", c.Email, len(letters))
	}
	return TokenIn(t, letters[0])
}

// User makes a user in a personal tenant.
func (w *World) User(t testing.TB, email, username string) inbound.Verified {
	t.Helper()
	v, err := w.Auth.VerifyEmail(t.Context(), w.Register(t, inbound.Register{Email: email, Username: username}), Somewhere())
	if err != nil {
		t.Fatalf("verify %s: %v", email, err)
	}
	w.Letters(t)
	return v
}

// Login signs a user in with Password, from Somewhere.
func (w *World) Login(t testing.TB, email string) inbound.Tokens {
	t.Helper()
	in, err := w.Auth.Login(t.Context(), inbound.Login{Email: email, Password: secret.New(Password), Origin: Somewhere()})
	if err != nil || in.Tokens == nil {
		t.Fatalf("login %s: %v", email, err)
	}
	return *in.Tokens
}

// Caller authenticates a credential.
func (w *World) Caller(t testing.TB, credential string) inbound.Caller {
	t.Helper()
	c, err := w.Gate.Authenticate(t.Context(), credential)
	if err != nil {
		t.Fatalf("authenticate: %v", err)
	}
	return c
}
