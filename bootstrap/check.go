package bootstrap

import (
	"fmt"
	"net"
	"net/mail"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/domain/secret"
)

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
	m.between("CALLS_QUEUE", c.CallsQueue, 1, 1_000_000)
	m.between("PROMPT_CACHE_TTL_SECS", c.PromptCacheTTL, 0, 86400)
	m.between("PROMPT_CACHE_MAX_BYTES", c.PromptCacheMax, 1<<18, 1<<40)
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
	m.lasts("RESET_TOKEN_TTL", c.ResetTTL, time.Second, 24*time.Hour)
	m.lasts("INVITE_TTL", c.InviteTTL, time.Second, 30*24*time.Hour)
	m.lasts("MFA_TOKEN_TTL", c.MFATokenTTL, time.Second, 15*time.Minute)
	m.lasts("MFA_SETUP_TTL", c.MFASetupTTL, time.Second, time.Hour)
	m.lasts("AUDIT_RETENTION", c.AuditRetention, time.Hour, 10*365*24*time.Hour)
	m.lasts("CALLS_RETENTION", c.CallsRetention, 24*time.Hour, 10*365*24*time.Hour)
	m.lasts("DECISION_RETENTION", c.DecisionRetention, time.Hour, 10*365*24*time.Hour)
	m.lasts("RESPONSES_TTL", c.ResponsesTTL, time.Minute, 365*24*time.Hour)
	m.lasts("SESSION_CACHE_TTL", c.SessionCacheTTL, 0, 5*time.Second)
	for name, v := range map[string]string{
		"PUBLIC_BASE_URL": c.PublicBaseURL, "AUTH_UI_URL": c.AuthUIURL, "OPENAI_BASE_URL": c.OpenAIBaseURL,
		"ANTHROPIC_BASE_URL": c.AnthropicBaseURL, "GOOGLE_AI_BASE_URL": c.GoogleBaseURL, "OPENROUTER_BASE_URL": c.OpenRouterBaseURL,
	} {
		m.unless(webURL(v), name, "must be an http or https URL without query or credentials")
	}
	m.unless(c.BreachCheckURL == "" || webURL(c.BreachCheckURL), "BREACH_CHECK_URL", "must be an http or https URL without query or credentials")
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
	m.unless(schemeOf(c.CacheRedisURL, "", "redis", "rediss"), "CACHE_REDIS_URL", "must be redis://host:port/db or rediss://...")
	_, err := mail.ParseAddress(c.MailFrom)
	m.unless(err == nil, "MAIL_FROM", "must be an address, with or without a name")
	m.unless(schemeOf(c.SMTPURL, "", "smtp", "smtps"), "SMTP_URL", "must be smtp://user:password@host:port or smtps://...")
	if c.MetricsAddr != "off" {
		_, _, err := net.SplitHostPort(c.MetricsAddr)
		m.unless(err == nil, "METRICS_ADDR", "must be host:port, or off")
	}
	m.unless(!c.CORSCredentials || !slices.Contains(c.CORSOrigins, "*"), "CORS_ALLOW_CREDENTIALS", "cannot go with a BACKEND_CORS_ORIGINS that allows everyone; list the origins")
	c.checkDevSecret(&m, set)
	if c.Env == Prod {
		c.checkProd(&m, set)
	}
	return m
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
	if t.Empty() {
		return true
	}
	u, err := url.Parse(t.Reveal())
	return err == nil && (u.Scheme == "postgres" || u.Scheme == "postgresql") && (u.Host != "" || u.Query().Get("host") != "")
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
