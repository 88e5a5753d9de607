package bootstrap

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/forge1/forge1/domain/secret"
)

// sampleSecret is the one in .env.example; it starts only in dev on a loopback address.
const sampleSecret = "change-me"

// makeOne says how to make a root secret.
const makeOne = "make one with: openssl rand -hex 32"

// checkDevSecret lets a weak root secret start on a developer's machine only.
func (c Config) checkDevSecret(m *mistakes, set map[string]string) {
	raw, given := set["JWT_SECRET"]
	switch {
	case !given || c.Env == Prod: // checkProd says more
	case raw == sampleSecret && !loopback(c.Host):
		m.add("JWT_SECRET", "the sample value starts only in dev on a loopback address; "+makeOne)
	case raw != sampleSecret && len(raw) < 16:
		m.add("JWT_SECRET", "must have at least 16 bytes in dev and 32 in prod; "+makeOne)
	}
}

// checkProd refuses what is unsafe outside a developer's machine. What only the servers can tell is asked at start; see App.Run.
func (c Config) checkProd(m *mistakes, set map[string]string) {
	c.checkRoots(m)
	c.checkDifferent(m)
	c.checkStores(m)
	_, given := set["PUBLIC_BASE_URL"]
	m.unless(given, "PUBLIC_BASE_URL", "must be set in prod; mails link to it")
	m.unless(!given || secure(c.PublicBaseURL), "PUBLIC_BASE_URL", "must be https in prod")
	m.unless(!given || secure(c.AuthUIURL), "AUTH_UI_URL", "must be https in prod")
	m.unless(c.BreachCheckURL == "" || secure(c.BreachCheckURL), "BREACH_CHECK_URL", "must be https in prod")
	m.unless(!c.SMTPURL.Empty(), "SMTP_URL", "must be set in prod; mails are written to files in dev only")
	m.unless(c.ClockOffsetFile == "", "FORGE_CLOCK_OFFSET_FILE", "must not be set in prod; it moves the clock, for tests")
	m.unless(!c.ThrottleDisabled, "THROTTLE_DISABLED", "must not be set in prod; it lets everyone guess passwords, for tests")
	m.unless(c.LogLevel != "DEBUG", "LOG_LEVEL", "must be INFO, WARN or ERROR in prod")
	for name, ttl := range map[string]time.Duration{
		"ACCESS_TOKEN_TTL": c.AccessTTL, "REFRESH_IDLE_TTL": c.RefreshIdleTTL, "REFRESH_ABSOLUTE_TTL": c.RefreshAbsTTL, "VERIFY_TOKEN_TTL": c.VerifyTTL,
		"RESET_TOKEN_TTL": c.ResetTTL, "INVITE_TTL": c.InviteTTL, "MFA_TOKEN_TTL": c.MFATokenTTL, "MFA_SETUP_TTL": c.MFASetupTTL,
	} {
		m.unless(ttl >= time.Minute, name, "must be at least a minute in prod")
	}
	m.unless(c.AuditRetention >= 30*24*time.Hour, "AUDIT_RETENTION", "must be at least 720h in prod")
}

// checkRoots wants root secrets that nobody guesses. A former one must be as good: what it signed is still believed.
func (c Config) checkRoots(m *mistakes) {
	m.unless(!c.JWTSecret.Empty(), "JWT_SECRET", "must be set in prod, to at least 32 bytes; "+makeOne)
	for _, s := range c.namedSecrets() {
		switch {
		case !s.root:
		case s.text == sampleSecret:
			m.add(s.variable, "the sample value starts only in dev on a loopback address; "+makeOne)
		case len(s.text) < 32:
			m.add(s.variable, "must have at least 32 bytes in prod; "+makeOne)
		case guessable(s.text):
			m.add(s.variable, "is too regular to be random; "+makeOne)
		}
	}
}

// checkDifferent refuses one secret for two purposes: whoever learns the one has the other.
func (c Config) checkDifferent(m *mistakes) {
	holders := map[string]string{}
	for _, s := range c.namedSecrets() {
		first, taken := holders[s.text]
		switch {
		case !taken:
			holders[s.text] = s.variable
		case first == s.variable:
			m.add(s.variable, "holds the same secret twice")
		default:
			m.add(s.variable, fmt.Sprintf("holds the same secret as %s; each needs one of its own", first))
		}
	}
}

// namedSecret is a secret with the variable that holds it.
type namedSecret struct {
	variable, text string
	root           bool
}

// namedSecrets lists the root secrets, and the passwords in URLs.
func (c Config) namedSecrets() []namedSecret {
	var out []namedSecret
	if !c.JWTSecret.Empty() {
		out = append(out, namedSecret{"JWT_SECRET", c.JWTSecret.Reveal(), true})
	}
	for _, s := range c.JWTSecretPrevious {
		out = append(out, namedSecret{"JWT_SECRET_PREVIOUS", s.Reveal(), true})
	}
	for _, u := range []struct {
		variable string
		url      secret.Text
	}{{"DATABASE_URL", c.DatabaseURL}, {"REDIS_URL", c.RedisURL}, {"CACHE_REDIS_URL", c.CacheRedisURL}, {"SMTP_URL", c.SMTPURL}} {
		if u.variable == "CACHE_REDIS_URL" && hostIn(u.url) == hostIn(c.RedisURL) {
			continue // another database of the same server has its password
		}
		if p := passwordIn(u.url); p != "" {
			out = append(out, namedSecret{u.variable, p, false})
		}
	}
	return out
}

// checkStores wants stores that outlive a container and that nobody reads along with.
func (c Config) checkStores(m *mistakes) {
	m.unless(c.AllowMemoryStore || !c.RedisURL.Empty(), "REDIS_URL", "must be set in prod, unless ALLOW_MEMORY_STORE permits to do without")
	m.unless(c.RedisURL.Empty() || passwordIn(c.RedisURL) != "", "REDIS_URL", "must hold a password in prod")
	m.unless(c.CacheRedisURL.Empty() || passwordIn(c.CacheRedisURL) != "", "CACHE_REDIS_URL", "must hold a password in prod")
	u, err := url.Parse(c.DatabaseURL.Reveal())
	server := err == nil && strings.HasPrefix(u.Scheme, "postgres")
	m.unless(c.AllowSQLite || server, "DATABASE_URL", "must be Postgres in prod, unless ALLOW_SQLITE permits SQLite")
	m.unless(!server || onThisHost(u) || u.Query().Get("sslmode") == "verify-full",
		"DATABASE_URL", "must ask for TLS by sslmode=verify-full in prod unless the database is on this host")
}

// onThisHost reports whether nothing of what is said to a database leaves this host: an address of it, or a socket in a folder.
func onThisHost(u *url.URL) bool {
	hosts := u.Hostname()
	if h := u.Query().Get("host"); h != "" { // wins over the other one
		hosts = h
	}
	for host := range strings.SplitSeq(hosts, ",") {
		if !loopback(host) && !strings.HasPrefix(host, "/") {
			return false
		}
	}
	return true
}

// passwordIn gives the password of a URL, "" when it has none.
func passwordIn(t secret.Text) string {
	u, err := url.Parse(t.Reveal())
	if err != nil {
		return ""
	}
	if p, ok := u.User.Password(); ok {
		return p
	}
	return u.Query().Get("password")
}

// hostIn gives the host and port of a URL, "" when it has none.
func hostIn(t secret.Text) string {
	u, err := url.Parse(t.Reveal())
	if err != nil {
		return ""
	}
	return u.Host
}

func secure(u string) bool { return strings.HasPrefix(u, "https://") }
