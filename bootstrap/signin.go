package bootstrap

import (
	"context"
	"fmt"
	"net/http"
	"runtime"
	"time"

	"github.com/forge1/forge1/adapters/blocklist"
	"github.com/forge1/forge1/adapters/idna"
	"github.com/forge1/forge1/adapters/jose"
	"github.com/forge1/forge1/adapters/keyring"
	"github.com/forge1/forge1/adapters/memory"
	"github.com/forge1/forge1/adapters/password"
	"github.com/forge1/forge1/adapters/prometheus"
	"github.com/forge1/forge1/adapters/pwned"
	"github.com/forge1/forge1/adapters/redis"
	"github.com/forge1/forge1/adapters/smtp"
	"github.com/forge1/forge1/adapters/totp"
	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/application/health"
	"github.com/forge1/forge1/application/housekeeping"
	"github.com/forge1/forge1/application/keys"
	"github.com/forge1/forge1/application/letters"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// The functions here turn configuration into what people and machines sign in with; sets.go names them to Wire.

// shortLived is where short-lived state is kept.
type shortLived struct {
	kind       health.CacheKind
	cache      outbound.SessionCache
	throttle   outbound.Throttle
	challenges outbound.Challenges
	circuits   outbound.CircuitStates // nil: there is no fleet
	sketches   outbound.Sketches      // likewise
	evict      evictionPolicy
	redis      *redis.Client // nil: it is kept in this process
}

// evictionPolicy asks the store of short-lived state what it throws away when it is full; nil when it is asked nothing.
type evictionPolicy func(context.Context) (string, error)

func newShortLived(c Config, clock outbound.Clock, id outbound.NewID, local localThrottle) (shortLived, func(), error) {
	if c.RedisURL.Empty() {
		return shortLived{
			kind: "memory", cache: memory.NewSessions(clock, 0), throttle: local.Throttle, challenges: memory.NewChallenges(clock, 0),
		}, func() {}, nil
	}
	r, err := redis.Open(redis.Config{URL: c.RedisURL}, clock)
	if err != nil {
		return shortLived{}, nil, fmt.Errorf("REDIS_URL: %w", err)
	}
	return shortLived{
		kind: "redis", cache: redis.NewSessions(r), throttle: redis.NewThrottle(r), challenges: redis.NewChallenges(r), evict: r.Eviction,
		circuits: redis.NewCircuits(r, id()), sketches: redis.NewSketches(r), redis: r,
	}, func() { _ = r.Close() }, nil
}

// localThrottle counts in this process, beside the one that all nodes share.
type localThrottle struct{ outbound.Throttle }

func newLocalThrottle(clock outbound.Clock) localThrottle {
	return localThrottle{memory.NewThrottle(clock, 0)}
}

func sessionCacheOf(s shortLived) outbound.SessionCache { return s.cache }

func evictionOf(s shortLived) evictionPolicy { return s.evict }

func cacheKindOf(s shortLived) health.CacheKind { return s.kind }

// root is the root secret, once it is known.
type root struct{ secret.Text }

func newRoot(c Config) (root, error) {
	t, err := c.RootSecret()
	return root{t}, err
}

func newKeyring(c Config, r root) *keyring.Keyring {
	return keyring.New(keyring.Config{Root: r.Text, Previous: c.JWTSecretPrevious})
}

func newTokens(c Config, r root) (*jose.Tokens, error) {
	return jose.New(jose.Config{Issuer: c.PublicBaseURL, Root: r.Text, Previous: c.JWTSecretPrevious, MaxTTL: c.AccessTTL})
}

func newLetters(c Config) letters.Config {
	return letters.Config{PublicBaseURL: c.PublicBaseURL, AuthUIURL: c.AuthUIURL, VerifyTTL: c.VerifyTTL, ResetTTL: c.ResetTTL, InviteTTL: c.InviteTTL}
}

func newHousekeeping(c Config) housekeeping.Config {
	return housekeeping.Config{AuditRetention: c.AuditRetention, CallsRetention: c.CallsRetention, DecisionRetention: c.DecisionRetention}
}

func throttleOf(s shortLived) outbound.Throttle { return s.throttle }

func newKeysConfig(c Config) keys.Config { return keys.Config{AccessTTL: c.AccessTTL} }

// hashCost is what a password's hash costs. It is no setting, so that no installation can go under OWASP's floor.
var hashCost = password.OWASP

// newHasher leaves half of the cores to everything else; each hash takes 19 MiB.
func newHasher() *password.Hasher {
	return password.New(password.Config{Params: hashCost, Concurrency: max(1, runtime.NumCPU()/2), Queue: 64, Wait: 2 * time.Second})
}

func newMailer(c Config, clock outbound.Clock) (outbound.Mailer, error) {
	if c.SMTPURL.Empty() {
		m, err := smtp.NewFiles(smtp.FilesConfig{Dir: c.MailDir, From: c.MailFrom, Clock: clock})
		if err != nil {
			return nil, fmt.Errorf("MAIL_FROM: %w", err)
		}
		return m, nil
	}
	m, err := smtp.New(smtp.Config{URL: c.SMTPURL, From: c.MailFrom, RequireTLS: c.Env == Prod, Clock: clock})
	if err != nil {
		return nil, fmt.Errorf("SMTP_URL or MAIL_FROM: %w", err)
	}
	return m, nil
}

func newToASCII() outbound.DomainToASCII { return idna.ToASCII }

func newAuthConfig(c Config) auth.Config {
	return auth.Config{
		PublicBaseURL: c.PublicBaseURL, AuthUIURL: c.AuthUIURL, AccessTTL: c.AccessTTL, VerifyTTL: c.VerifyTTL, SessionCacheTTL: c.SessionCacheTTL,
		MFATokenTTL: c.MFATokenTTL, MFASetupTTL: c.MFASetupTTL, ResetTTL: c.ResetTTL, InviteTTL: c.InviteTTL, ThrottleDisabled: c.ThrottleDisabled,
		Terms:     session.Terms{Idle: c.RefreshIdleTTL, Absolute: c.RefreshAbsTTL, Grace: c.RefreshGrace},
		Passwords: newPasswordPolicy(c),
	}
}

func newPasswordPolicy(c Config) user.PasswordPolicy {
	return user.PasswordPolicy{MinLength: c.PasswordMinLength, Normal: password.Normal, Common: blocklist.New(c.PasswordMinLength).Common}
}

// newBreaches asks nobody unless it is told whom.
func newBreaches(c Config) (outbound.Breaches, error) {
	if c.BreachCheckURL == "" {
		return nil, nil //nolint:nilnil // nil is nobody
	}
	b, err := pwned.New(pwned.Config{BaseURL: c.BreachCheckURL, Proxy: http.ProxyFromEnvironment})
	if err != nil {
		return nil, fmt.Errorf("BREACH_CHECK_URL: %w", err)
	}
	return b, nil
}

func newOTP() outbound.OTP { return totp.New(totp.Config{Issuer: "Forge 1"}) }

// signIn is what auth.Deps are made of; Wire fills it by type, and there are two throttles.
type signIn struct {
	Tx       outbound.Tx
	Hasher   outbound.Hasher
	Tokens   outbound.Tokens
	Keyring  outbound.Keyring
	Short    shortLived
	Local    localThrottle
	OTP      outbound.OTP
	Breaches outbound.Breaches
	Meter    *prometheus.Meter
	Gate     *auth.Gatekeeper
	Postman  auth.Postman
	Clock    outbound.Clock
	NewID    outbound.NewID
	Random   outbound.Random
	ToASCII  outbound.DomainToASCII
	Config   auth.Config
}

func newAuth(s signIn) *auth.Service {
	return auth.New(auth.Deps{
		Tx: s.Tx, Hasher: s.Hasher, Tokens: s.Tokens, Keyring: s.Keyring, Cache: s.Short.cache, Throttle: s.Short.throttle, Local: s.Local.Throttle,
		Challenges: s.Short.challenges, OTP: s.OTP, Breaches: s.Breaches,
		BreachFailed: s.Meter.Count("forge1_breach_check_failed_total", "New passwords that the breach service gave no answer about; they were taken."),
		Gate:         s.Gate, Postman: s.Postman, Clock: s.Clock, NewID: s.NewID, Random: s.Random, ToASCII: s.ToASCII, Config: s.Config,
	})
}
