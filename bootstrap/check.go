package bootstrap

import (
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/domain/secret"
)

// sampleSecret is the one in .env.example; it starts only in dev on a loopback address.
const sampleSecret = "change-me"

// check lists what is wrong with values that could be read.
func (c Config) check(set map[string]string) []string {
	var m mistakes
	m.unless(c.Env == Dev || c.Env == Prod, "ENV", "must be dev or prod")
	m.unless(slices.Contains([]LogLevel{"DEBUG", "INFO", "WARN", "ERROR"}, c.LogLevel), "LOG_LEVEL", "must be DEBUG, INFO, WARN or ERROR")
	m.between("PORT", c.Port, 0, 65535)
	m.between("MAX_BODY_BYTES", c.MaxBodyBytes, 1024, 1<<30)
	m.between("DATABASE_MAX_CONNS", c.DatabaseMaxConns, 1, 1000)
	m.between("CIRCUIT_BREAKER_THRESHOLD", c.BreakerThreshold, 1, 1000)
	m.between("CIRCUIT_BREAKER_COOLDOWN_SECS", c.BreakerCooldown, 1, 86400)
	m.between("PASSWORD_MIN_LENGTH", c.PasswordMinLength, 8, 64)
	m.lasts("SHUTDOWN_GRACE", c.ShutdownGrace, 0, 10*time.Minute)
	m.lasts("ROUTER_LATENCY_WINDOW", c.LatencyWindow, 10*time.Second, 24*time.Hour)
	m.lasts("REQUEST_TIMEOUT", c.RequestTimeout, time.Second, time.Hour)
	m.lasts("STREAM_TIMEOUT", c.StreamTimeout, time.Second, time.Hour)
	m.lasts("CONNECT_TIMEOUT", c.ConnectTimeout, 10*time.Millisecond, 5*time.Minute)
	m.lasts("FIRST_BYTE_TIMEOUT", c.FirstByteTimeout, 10*time.Millisecond, time.Hour)
	m.lasts("STREAM_IDLE_TIMEOUT", c.StreamIdleTimeout, 10*time.Millisecond, time.Hour)
	m.lasts("ACCESS_TOKEN_TTL", c.AccessTTL, time.Second, time.Hour)
	m.lasts("REFRESH_IDLE_TTL", c.RefreshIdleTTL, time.Second, 365*24*time.Hour)
	m.lasts("REFRESH_ABSOLUTE_TTL", c.RefreshAbsTTL, time.Second, 365*24*time.Hour)
	m.lasts("REFRESH_GRACE", c.RefreshGrace, 0, time.Minute)
	m.lasts("VERIFY_TOKEN_TTL", c.VerifyTTL, time.Second, 30*24*time.Hour)
	m.lasts("SESSION_CACHE_TTL", c.SessionCacheTTL, 0, 5*time.Second)
	for name, v := range map[string]string{
		"PUBLIC_BASE_URL": c.PublicBaseURL, "AUTH_UI_URL": c.AuthUIURL, "OPENAI_BASE_URL": c.OpenAIBaseURL,
		"ANTHROPIC_BASE_URL": c.AnthropicBaseURL, "GOOGLE_AI_BASE_URL": c.GoogleBaseURL, "OPENROUTER_BASE_URL": c.OpenRouterBaseURL,
	} {
		m.unless(webURL(v), name, "must be an http or https URL without query or credentials")
	}
	for name, cost := range map[string]*float64{
		"OPENAI_1K_TOKEN_COST_CENTS": c.OpenAICost, "CLAUDE_1K_TOKEN_COST_CENTS": c.ClaudeCost,
		"GEMINI_1K_TOKEN_COST_CENTS": c.GeminiCost, "OPENROUTER_1K_TOKEN_COST_CENTS": c.OpenRouterCost,
	} {
		m.unless(cost == nil || *cost >= 0 && *cost <= 1e6, name, "must be a number from 0 to 1000000")
	}
	if _, err := routing.CompleteOrder(c.FallbackOrder, c.ProviderNames()); err != nil {
		m.add("ROUTER_FALLBACK_ORDER", "must name providers of "+strings.Join(c.ProviderNames(), ", ")+", each once")
	}
	m.unless(databaseURL(c.DatabaseURL), "DATABASE_URL", "must be postgresql://user:password@host:port/database or sqlite:///path")
	m.unless(schemeOf(c.RedisURL, "", "redis", "rediss"), "REDIS_URL", "must be redis://host:port/db or rediss://...")
	m.unless(schemeOf(c.SMTPURL, "", "smtp", "smtps"), "SMTP_URL", "must be smtp://user:password@host:port or smtps://...")
	if c.MetricsAddr != "off" {
		_, _, err := net.SplitHostPort(c.MetricsAddr)
		m.unless(err == nil, "METRICS_ADDR", "must be host:port, or off")
	}
	m.unless(!c.CORSCredentials || !slices.Contains(c.CORSOrigins, "*"), "CORS_ALLOW_CREDENTIALS", "cannot go with BACKEND_CORS_ORIGINS=*; list the origins")
	c.checkSecrets(&m, set)
	if c.Env == Prod {
		c.checkProd(&m)
	}
	return m
}

func (c Config) checkSecrets(m *mistakes, set map[string]string) {
	if c.JWTSecret.Reveal() == sampleSecret && (c.Env == Prod || !loopback(c.Host)) {
		m.add("JWT_SECRET", "the sample value starts only in dev on a loopback address; make one with: openssl rand -hex 32")
	}
	if raw, ok := set["JWT_SECRET"]; ok && c.Env != Prod && raw != sampleSecret && len(raw) < 16 {
		m.add("JWT_SECRET", "must have at least 16 bytes in dev and 32 in prod; make one with: openssl rand -hex 32")
	}
}

// checkProd refuses what is unsafe outside a developer's machine.
func (c Config) checkProd(m *mistakes) {
	n := len(c.JWTSecret.Reveal())
	m.unless(n >= 32, "JWT_SECRET", "must be set to at least 32 bytes in prod; make one with: openssl rand -hex 32")
	m.unless(n < 32 || distinct(c.JWTSecret.Reveal()) >= 10, "JWT_SECRET", "is too regular to be random; make one with: openssl rand -hex 32")
	m.unless(strings.HasPrefix(c.PublicBaseURL, "https://"), "PUBLIC_BASE_URL", "must be https in prod")
	m.unless(!c.SMTPURL.Empty(), "SMTP_URL", "must be set in prod; mails are written to files in dev only")
	m.unless(c.AllowSQLite || strings.HasPrefix(c.DatabaseURL.Reveal(), "postgres"), "DATABASE_URL", "must be Postgres in prod, or set ALLOW_SQLITE=true")
	m.unless(c.AllowMemoryStore || !c.RedisURL.Empty(), "REDIS_URL", "must be set in prod, or set ALLOW_MEMORY_STORE=true")
	m.unless(c.ClockOffsetFile == "", "FORGE_CLOCK_OFFSET_FILE", "must not be set in prod; it moves the clock, for tests")
	m.unless(c.AccessTTL >= time.Minute, "ACCESS_TOKEN_TTL", "must be at least 1m in prod")
	if u, err := url.Parse(c.DatabaseURL.Reveal()); err == nil && strings.HasPrefix(u.Scheme, "postgres") {
		mode := u.Query().Get("sslmode")
		m.unless(loopback(u.Hostname()) || mode == "verify-full", "DATABASE_URL", "must say sslmode=verify-full in prod unless the database is on this host")
	}
}

type mistakes []string

func (m *mistakes) add(name, what string) { *m = append(*m, name+": "+what) }

func (m *mistakes) unless(ok bool, name, what string) {
	if !ok {
		m.add(name, what)
	}
}

func (m *mistakes) between(name string, v, least, most int) {
	m.unless(v >= least && v <= most, name, fmt.Sprintf("must be %d to %d", least, most))
}

func (m *mistakes) lasts(name string, v, least, most time.Duration) {
	m.unless(v >= least && v <= most, name, fmt.Sprintf("must be %s to %s", least, most))
}

func webURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

func databaseURL(t secret.Text) bool {
	if p, ok := strings.CutPrefix(t.Reveal(), "sqlite://"); ok {
		return strings.HasPrefix(p, "/") && len(p) > 1
	}
	return schemeOf(t, "", "postgres", "postgresql")
}

func schemeOf(t secret.Text, schemes ...string) bool {
	if t.Empty() {
		return slices.Contains(schemes, "")
	}
	u, err := url.Parse(t.Reveal())
	return err == nil && u.Host != "" && slices.Contains(schemes, u.Scheme)
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func distinct(s string) int {
	seen := map[rune]bool{}
	for _, r := range s {
		seen[r] = true
	}
	return len(seen)
}
