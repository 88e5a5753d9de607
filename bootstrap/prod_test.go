package bootstrap

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/forge1/forge1/domain/secret"
)

// What is good enough for prod; none of it is used anywhere.
const (
	rootA = "kX9vQ2mZr7Lw4TbN8cYd1FhJ6sPgE3uA"
	rootB = "Vt5nWq8RyB2xKj7GmD4zHc9LfS1pUe6o"
)

// prodVars is a configuration that prod takes, changed.
func prodVars(change map[string]string) map[string]string {
	vars := map[string]string{
		"ENV": "prod", "JWT_SECRET": rootA, "PUBLIC_BASE_URL": "https://forge.example.com", "SMTP_URL": "smtps://forge:mail-Pw-1@smtp.example.com:465",
		"DATABASE_URL": "postgresql://forge:data-Pw-2@db.example.com/forge?sslmode=verify-full", "REDIS_URL": "rediss://:redis-Pw-3@cache.example.com:6379/0",
	}
	maps.Copy(vars, change)
	return vars
}

// badProd are the settings that prod refuses: what is changed, and the variables that the refusal names.
var badProd = map[string]struct {
	change map[string]string
	names  []string
}{
	"no root secret":                      {map[string]string{"JWT_SECRET": ""}, []string{"JWT_SECRET"}},
	"a blank root secret":                 {map[string]string{"JWT_SECRET": "   "}, []string{"JWT_SECRET"}},
	"the sample":                          {map[string]string{"JWT_SECRET": "change-me"}, []string{"JWT_SECRET"}},
	"31 bytes":                            {map[string]string{"JWT_SECRET": rootA[:31]}, []string{"JWT_SECRET"}},
	"an alphabet":                         {map[string]string{"JWT_SECRET": "abcedfghijklmnopqrstuvwxyz"}, []string{"JWT_SECRET"}},
	"a long alphabet":                     {map[string]string{"JWT_SECRET": "abcedfghijklmnopqrstuvwxyzabcedfghijklmnopqrstuvwxyz"}, []string{"JWT_SECRET"}},
	"one letter":                          {map[string]string{"JWT_SECRET": strings.Repeat("a", 64)}, []string{"JWT_SECRET"}},
	"a sample of the manual kind":         {map[string]string{"JWT_SECRET": "your-256-bit-secret-your-256-bit-secret"}, []string{"JWT_SECRET"}},
	"a short former secret":               {map[string]string{"JWT_SECRET_PREVIOUS": rootB + ",tooshort-Xy7"}, []string{"JWT_SECRET_PREVIOUS"}},
	"a regular former secret":             {map[string]string{"JWT_SECRET_PREVIOUS": strings.Repeat("Zq9#", 10)}, []string{"JWT_SECRET_PREVIOUS"}},
	"the sample as former secret":         {map[string]string{"JWT_SECRET_PREVIOUS": "change-me"}, []string{"JWT_SECRET_PREVIOUS"}},
	"the secret is the former one":        {map[string]string{"JWT_SECRET_PREVIOUS": rootA}, []string{"JWT_SECRET", "JWT_SECRET_PREVIOUS"}},
	"two former ones are the same":        {map[string]string{"JWT_SECRET_PREVIOUS": rootB + "," + rootB}, []string{"JWT_SECRET_PREVIOUS"}},
	"the secret opens the database":       {map[string]string{"DATABASE_URL": "postgresql://forge:" + rootA + "@127.0.0.1/forge"}, []string{"JWT_SECRET", "DATABASE_URL"}},
	"the secret opens Redis":              {map[string]string{"REDIS_URL": "redis://:" + rootA + "@127.0.0.1:6379/0"}, []string{"JWT_SECRET", "REDIS_URL"}},
	"the secret opens the mail server":    {map[string]string{"SMTP_URL": "smtps://forge:" + rootA + "@smtp.example.com:465"}, []string{"JWT_SECRET", "SMTP_URL"}},
	"a former secret opens the database":  {map[string]string{"JWT_SECRET_PREVIOUS": rootB, "DATABASE_URL": "postgresql://127.0.0.1/forge?user=forge&password=" + rootB}, []string{"JWT_SECRET_PREVIOUS", "DATABASE_URL"}},
	"Redis and the database share":        {map[string]string{"REDIS_URL": "rediss://:data-Pw-2@cache.example.com:6379/0"}, []string{"REDIS_URL", "DATABASE_URL"}},
	"no public address":                   {map[string]string{"PUBLIC_BASE_URL": ""}, []string{"PUBLIC_BASE_URL"}},
	"a public address without TLS":        {map[string]string{"PUBLIC_BASE_URL": "http://forge.example.com"}, []string{"PUBLIC_BASE_URL"}},
	"pages without TLS":                   {map[string]string{"AUTH_UI_URL": "http://pages.example.com"}, []string{"AUTH_UI_URL"}},
	"credentials for every origin":        {map[string]string{"BACKEND_CORS_ORIGINS": "*", "CORS_ALLOW_CREDENTIALS": "true"}, []string{"CORS_ALLOW_CREDENTIALS", "BACKEND_CORS_ORIGINS"}},
	"credentials for the default":         {map[string]string{"CORS_ALLOW_CREDENTIALS": "true"}, []string{"CORS_ALLOW_CREDENTIALS", "BACKEND_CORS_ORIGINS"}},
	"credentials for one and all":         {map[string]string{"BACKEND_CORS_ORIGINS": "https://app.example.com, *", "CORS_ALLOW_CREDENTIALS": "true"}, []string{"CORS_ALLOW_CREDENTIALS"}},
	"a clock for tests":                   {map[string]string{"FORGE_CLOCK_OFFSET_FILE": "/tmp/an-offset"}, []string{"FORGE_CLOCK_OFFSET_FILE"}},
	"no throttles":                        {map[string]string{"THROTTLE_DISABLED": "true"}, []string{"THROTTLE_DISABLED"}},
	"a mail sink":                         {map[string]string{"SMTP_URL": ""}, []string{"SMTP_URL"}},
	"debugging":                           {map[string]string{"LOG_LEVEL": "debug"}, []string{"LOG_LEVEL"}},
	"no Redis":                            {map[string]string{"REDIS_URL": ""}, []string{"REDIS_URL"}},
	"Redis without password":              {map[string]string{"REDIS_URL": "redis://cache.example.com:6379/0"}, []string{"REDIS_URL"}},
	"Redis with a user and no password":   {map[string]string{"REDIS_URL": "redis://forge@cache.example.com:6379/0"}, []string{"REDIS_URL"}},
	"a cache without password":            {map[string]string{"CACHE_REDIS_URL": "redis://answers.example.com:6379/0"}, []string{"CACHE_REDIS_URL"}},
	"the cache and Redis share":           {map[string]string{"CACHE_REDIS_URL": "rediss://:redis-Pw-3@answers.example.com:6379/0"}, []string{"CACHE_REDIS_URL", "REDIS_URL"}},
	"a cache that is no Redis":            {map[string]string{"CACHE_REDIS_URL": "https://:pw-9@answers.example.com"}, []string{"CACHE_REDIS_URL"}},
	"answers kept for too long":           {map[string]string{"PROMPT_CACHE_TTL_SECS": "86401"}, []string{"PROMPT_CACHE_TTL_SECS"}},
	"answers kept for less than nothing":  {map[string]string{"PROMPT_CACHE_TTL_SECS": "-1"}, []string{"PROMPT_CACHE_TTL_SECS"}},
	"no room for one answer":              {map[string]string{"PROMPT_CACHE_MAX_BYTES": "262143"}, []string{"PROMPT_CACHE_MAX_BYTES"}},
	"SQLite":                              {map[string]string{"DATABASE_URL": "sqlite:///data/forge1.db"}, []string{"DATABASE_URL"}},
	"the embedded database":               {map[string]string{"DATABASE_URL": ""}, []string{"DATABASE_URL"}},
	"Postgres elsewhere without TLS":      {map[string]string{"DATABASE_URL": "postgresql://forge:data-Pw-2@db.example.com/forge?sslmode=disable"}, []string{"DATABASE_URL"}},
	"Postgres elsewhere, TLS if it likes": {map[string]string{"DATABASE_URL": "postgresql://forge:data-Pw-2@db.example.com/forge"}, []string{"DATABASE_URL"}},
	"Postgres elsewhere by a parameter":   {map[string]string{"DATABASE_URL": "postgresql://forge:data-Pw-2@127.0.0.1/forge?host=db.example.com&sslmode=disable"}, []string{"DATABASE_URL"}},
	"Postgres partly elsewhere":           {map[string]string{"DATABASE_URL": "postgresql://forge:data-Pw-2@/forge?host=127.0.0.1,10.0.0.9&sslmode=disable"}, []string{"DATABASE_URL"}},
	"a grace over a minute":               {map[string]string{"REFRESH_GRACE": "61s"}, []string{"REFRESH_GRACE"}},
	"an access token over an hour":        {map[string]string{"ACCESS_TOKEN_TTL": "61m"}, []string{"ACCESS_TOKEN_TTL"}},
	"an access token of seconds":          {map[string]string{"ACCESS_TOKEN_TTL": "59s"}, []string{"ACCESS_TOKEN_TTL"}},
	"a challenge of seconds":              {map[string]string{"MFA_TOKEN_TTL": "2s"}, []string{"MFA_TOKEN_TTL"}},
	"audit rows for a day":                {map[string]string{"AUDIT_RETENTION": "24h"}, []string{"AUDIT_RETENTION"}},
	"look-ups of passwords without TLS":   {map[string]string{"BREACH_CHECK_URL": "http://breaches.example.com/range/"}, []string{"BREACH_CHECK_URL"}},
	"another environment":                 {map[string]string{"ENV": "production"}, []string{"ENV"}},
}

// wantRefusal checks that the variables are named, each on a line that begins with one of them, and that no value is told.
func wantRefusal(t *testing.T, said string, change map[string]string, names []string) {
	t.Helper()
	for _, name := range names {
		if !strings.Contains(said, name) {
			t.Errorf("%s is not named in:\n%s", name, said)
		}
	}
	if !strings.Contains(said, "- "+names[0]+": ") && !strings.Contains(said, "- "+names[len(names)-1]+": ") {
		t.Errorf("none of %q has a line of its own in:\n%s", names, said)
	}
	for name, value := range change {
		if value = strings.TrimSpace(value); value != "" && strings.Contains(said, value) {
			t.Errorf("the value of %s is told in:\n%s", name, said)
		}
		for _, part := range strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(":@/?&=,", r) }) {
			if len(part) >= 9 && strings.Contains(said, part) && part != "127.0.0.1" {
				t.Errorf("%q of %s is told in:\n%s", part, name, said)
			}
		}
	}
}

func TestProdRefuses(t *testing.T) {
	for name, tc := range badProd {
		t.Run(name, func(t *testing.T) {
			_, err := Load(prodVars(tc.change))
			wrong, ok := errors.AsType[*ConfigError](err)
			if !ok {
				t.Fatalf("got %v, want a refusal", err)
			}
			wantRefusal(t, wrong.Error(), tc.change, tc.names)
		})
	}
}

func TestProdTakes(t *testing.T) {
	for name, change := range map[string]map[string]string{
		"what is safe":                     {},
		"a former secret":                  {"JWT_SECRET_PREVIOUS": rootB},
		"Postgres on this host":            {"DATABASE_URL": "postgresql://forge:data-Pw-2@127.0.0.1:5432/forge?sslmode=disable"},
		"Postgres on localhost":            {"DATABASE_URL": "postgres://forge:data-Pw-2@localhost/forge"},
		"Postgres on this host by IPv6":    {"DATABASE_URL": "postgres://forge:data-Pw-2@[::1]:5432/forge?sslmode=disable"},
		"Postgres by a socket":             {"DATABASE_URL": "postgresql:///forge?host=/var/run/postgresql&user=forge"},
		"embedded stores that are allowed": {"DATABASE_URL": "", "ALLOW_SQLITE": "true", "REDIS_URL": "", "ALLOW_MEMORY_STORE": "true"},
		"credentials for listed origins":   {"BACKEND_CORS_ORIGINS": "https://app.example.com", "CORS_ALLOW_CREDENTIALS": "true"},
		"the bounds":                       {"REFRESH_GRACE": "60s", "ACCESS_TOKEN_TTL": "60m", "AUDIT_RETENTION": "720h", "MFA_TOKEN_TTL": "1m"},
		"look-ups of passwords":            {"BREACH_CHECK_URL": "https://api.pwnedpasswords.com/range/"},
		"a cache of its own":               {"CACHE_REDIS_URL": "rediss://:cache-Pw-5@answers.example.com:6379/0"},
		"another database of Redis":        {"CACHE_REDIS_URL": "rediss://:redis-Pw-3@cache.example.com:6379/1"},
		"no cache":                         {"PROMPT_CACHE_TTL_SECS": "0", "PROMPT_CACHE_MAX_BYTES": "262144"},
		"warnings only":                    {"LOG_LEVEL": "warn"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Load(prodVars(change)); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestEveryRefusalIsReportedInOneGo(t *testing.T) {
	_, err := Load(map[string]string{
		"ENV": "prod", "PORT": "ninety", "JWT_SECRET": "abcedfghijklmnopqrstuvwxyz", "JWT_SECRET_PREVIOUS": "abcedfghijklmnopqrstuvwxyz",
		"CORS_ALLOW_CREDENTIALS": "true", "FORGE_CLOCK_OFFSET_FILE": "/tmp/an-offset", "THROTTLE_DISABLED": "true", "LOG_LEVEL": "DEBUG",
		"REDIS_URL": "redis://cache.example.com/0", "DATABASE_URL": "postgresql://u:p@db.example.com/x?sslmode=disable", "REFRESH_GRACE": "2m",
		"ACCESS_TOKEN_TTL": "2h", "BREACH_CHECK_URL": "http://breaches.example.com", "AUDIT_RETENTION": "1s",
	})
	wrong, ok := errors.AsType[*ConfigError](err)
	if !ok {
		t.Fatalf("got %v, want a refusal", err)
	}
	for _, name := range []string{
		"PORT", "JWT_SECRET", "JWT_SECRET_PREVIOUS", "PUBLIC_BASE_URL", "CORS_ALLOW_CREDENTIALS", "FORGE_CLOCK_OFFSET_FILE", "THROTTLE_DISABLED", "LOG_LEVEL",
		"REDIS_URL", "DATABASE_URL", "REFRESH_GRACE", "ACCESS_TOKEN_TTL", "BREACH_CHECK_URL", "AUDIT_RETENTION", "SMTP_URL",
	} {
		if !strings.Contains(wrong.Error(), "\n  - "+name+": ") {
			t.Errorf("%s has no line in:\n%v", name, wrong)
		}
	}
}

func TestDevTakesWhatProdRefuses(t *testing.T) {
	for name, change := range map[string]map[string]string{
		"the sample on a loopback address": {"JWT_SECRET": "change-me"},
		"no throttles":                     {"THROTTLE_DISABLED": "true"},
		"a clock for tests":                {"FORGE_CLOCK_OFFSET_FILE": "/tmp/an-offset"},
		"tokens of seconds":                {"ACCESS_TOKEN_TTL": "1s", "MFA_TOKEN_TTL": "1s", "MFA_SETUP_TTL": "1s", "RESET_TOKEN_TTL": "1s", "INVITE_TTL": "1s"},
		"look-ups without TLS":             {"BREACH_CHECK_URL": "http://127.0.0.1:9999/range/"},
	} {
		if _, err := Load(change); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, change := range map[string]map[string]string{
		"the sample where others can reach it": {"JWT_SECRET": "change-me", "HOST": "0.0.0.0"},
		"a short secret":                       {"JWT_SECRET": "fifteen-bytes.."},
	} {
		if _, err := Load(change); err == nil || !strings.Contains(err.Error(), "JWT_SECRET: ") {
			t.Errorf("%s: got %v, want a refusal", name, err)
		}
	}
}

func TestLifetimesHaveBounds(t *testing.T) {
	for name, values := range map[string][]string{
		"MFA_TOKEN_TTL": {"0s", "15m1s", "soon"}, "MFA_SETUP_TTL": {"999ms", "61m"}, "RESET_TOKEN_TTL": {"-1s", "24h1s"}, "INVITE_TTL": {"0s", "721h"},
		"AUDIT_RETENTION": {"59m", "87601h"}, "CALLS_RETENTION": {"23h", "87601h"}, "CALLS_QUEUE": {"0", "1000001", "many"}, "DECISION_RETENTION": {"59m", "87601h"}, "BREACH_CHECK_URL": {"ftp://x/", "https://user@x/", "https://x/?a=b", "x"}, "THROTTLE_DISABLED": {"maybe"},
		"MAIL_FROM": {"nobody"},
	} {
		for _, v := range values {
			if _, err := Load(map[string]string{name: v}); err == nil || !strings.Contains(err.Error(), "- "+name+": ") {
				t.Errorf("%s=%s: got %v, want a refusal", name, v, err)
			}
		}
	}
}

func TestAHashCostsWhatOWASPAsksAtLeast(t *testing.T) {
	if hashCost.Memory < 19456 || hashCost.Time < 2 || hashCost.Threads < 1 {
		t.Errorf("got %+v, want at least 19 MiB, two passes, one lane", hashCost)
	}
}

func TestASecretIsNotToldByItsConfiguration(t *testing.T) {
	c, err := Load(prodVars(map[string]string{"JWT_SECRET_PREVIOUS": rootB}))
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range c.Settings() {
		for _, hidden := range []string{rootA, rootB, "-Pw-"} {
			if strings.Contains(s.Value, hidden) {
				t.Errorf("%s tells %q", s.Name, s.Value)
			}
		}
	}
	if got := passwordIn(secret.New("postgres://u:%zz@h/d")); got != "" {
		t.Errorf("got %q of a URL that cannot be read", got)
	}
}
