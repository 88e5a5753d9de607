package attack_test

import (
	"crypto/rand"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func init() {
	row("FLT-12", "prod is started with each bad setting", badSettings, alone)
}

// badSetting is what is changed in a good configuration, and the variables that a refusal must name. Others that are named do no harm.
type badSetting struct {
	change map[string]string
	names  []string
}

// goodProd is a configuration that prod starts with: on servers that are on this host, a Redis with a password included.
func (w *world) goodProd(t *testing.T, redisPassword string, policy string) map[string]string {
	t.Helper()
	vars := map[string]string{
		"ENV": "prod", "HOST": "127.0.0.1", "PORT": "0", "METRICS_ADDR": "127.0.0.1:0", "DATA_DIR": w.dir, "JWT_SECRET": w.secret, "PUBLIC_BASE_URL": issuer,
		"SMTP_URL": "smtps://forge:" + rand.Text() + "@127.0.0.1:4650", "DATABASE_URL": w.database, "SHUTDOWN_GRACE": "5s",
	}
	if w.on == embedded {
		vars["ALLOW_SQLITE"], vars["ALLOW_MEMORY_STORE"] = "true", "true"
		return vars
	}
	s := openRedis(t, "--requirepass", redisPassword, "--maxmemory-policy", policy)
	vars["REDIS_URL"] = "redis://:" + redisPassword + "@127.0.0.1:" + s.port + "/0"
	return vars
}

// badSettings of prod, by what is wrong.
func (w *world) badSettings() map[string]badSetting {
	long := rand.Text() + rand.Text()
	set := func(name, value string) badSetting { return badSetting{map[string]string{name: value}, []string{name}} }
	bad := map[string]badSetting{
		"no root secret":                 set("JWT_SECRET", ""),
		"a short root secret":            set("JWT_SECRET", long[:31]),
		"the sample of .env.example":     set("JWT_SECRET", "change-me"),
		"a famous sample":                set("JWT_SECRET", "abcedfghijklmnopqrstuvwxyz"),
		"a famous sample twice":          set("JWT_SECRET", strings.Repeat("abcedfghijklmnopqrstuvwxyz", 2)),
		"a sentence for a secret":        set("JWT_SECRET", "this-is-a-super-secret-jwt-signing-key-please-change-me"),
		"one letter, often":              set("JWT_SECRET", strings.Repeat("x", 48)),
		"a short former secret":          set("JWT_SECRET_PREVIOUS", long[:20]),
		"a former secret of one letter":  set("JWT_SECRET_PREVIOUS", strings.Repeat("y", 48)),
		"the former secret is today's":   {map[string]string{"JWT_SECRET": long, "JWT_SECRET_PREVIOUS": long}, []string{"JWT_SECRET", "JWT_SECRET_PREVIOUS"}},
		"the mail's password is the key": {map[string]string{"JWT_SECRET": long, "SMTP_URL": "smtps://forge:" + long + "@127.0.0.1:4650"}, []string{"JWT_SECRET", "SMTP_URL"}},
		"links nowhere":                  set("PUBLIC_BASE_URL", ""),
		"links without TLS":              set("PUBLIC_BASE_URL", "http://plain.attack.test"),
		"pages without TLS":              set("AUTH_UI_URL", "http://pages.attack.test"),
		"all origins with credentials":   {map[string]string{"BACKEND_CORS_ORIGINS": "*", "CORS_ALLOW_CREDENTIALS": "true"}, []string{"CORS_ALLOW_CREDENTIALS"}},
		"a clock for tests":              set("FORGE_CLOCK_OFFSET_FILE", filepath.Join(w.dir, "offset")),
		"no throttles":                   set("THROTTLE_DISABLED", "true"),
		"debugging":                      set("LOG_LEVEL", "DEBUG"),
		"mails into files":               set("SMTP_URL", ""),
		"Redis without a password":       set("REDIS_URL", "redis://127.0.0.1:6390/0"),
		"Postgres far off without TLS":   set("DATABASE_URL", "postgres://forge:"+long+"@db.attack.test/forge?sslmode=disable"),
		"Postgres far off, TLS unproven": set("DATABASE_URL", "postgres://forge:"+long+"@db.attack.test/forge?sslmode=require"),
		"a grace over a minute":          set("REFRESH_GRACE", "61s"),
		"an access token over an hour":   set("ACCESS_TOKEN_TTL", "61m"),
		"no number":                      set("PORT", "eighty-hundred"),
		"no network":                     set("TRUSTED_PROXIES", "everybody-in-here"),
		"no duration":                    set("RESET_TOKEN_TTL", "half-an-hour"),
		"no database URL":                set("DATABASE_URL", "mysql://forge:"+long+"@127.0.0.1/forge"),
		"no Redis URL":                   set("REDIS_URL", "http://forge:"+long+"@127.0.0.1/0"),
		"another environment":            set("ENV", "production"),
	}
	if w.on == embedded {
		bad["SQLite without leave"] = badSetting{map[string]string{"ALLOW_SQLITE": ""}, []string{"DATABASE_URL"}}
		bad["memory without leave"] = badSetting{map[string]string{"ALLOW_MEMORY_STORE": ""}, []string{"REDIS_URL"}}
	} else {
		bad["no Redis"] = set("REDIS_URL", "")
	}
	return bad
}

func badSettings(t *testing.T, w *world) {
	redisPassword := rand.Text()
	w.remember("password of Redis", redisPassword)
	good := w.goodProd(t, redisPassword, "noeviction")
	n := start(t, w.dir, good, w.clock, w.log) // so what is refused below is refused for what was changed
	n.stop(t)
	all := w.badSettings()
	for _, what := range slices.Sorted(maps.Keys(all)) {
		w.refuses(t, what, good, all[what])
	}
	if w.on == servers {
		w.refuses(t, "Redis throws things away", w.goodProd(t, redisPassword, "allkeys-lru"), badSetting{nil, []string{"REDIS_URL", "noeviction"}})
	}
}

// refuses checks that a configuration with a change is refused, the variables named and no value told.
func (w *world) refuses(t *testing.T, what string, good map[string]string, bad badSetting) {
	t.Helper()
	vars := maps.Clone(good)
	maps.Copy(vars, bad.change)
	r := run(t, w.dir, vars, "", "serve")
	said := r.stdout + r.stderr
	if r.code == 0 || r.code < 0 {
		t.Errorf("%s: exit code %d, want a refusal", what, r.code)
	}
	for _, name := range bad.names {
		if !strings.Contains(said, name) {
			t.Errorf("%s: %s is not named: %s", what, name, said)
		}
	}
	if strings.Contains(said, `"message":"serving"`) || strings.Contains(said, "panic") {
		t.Errorf("%s: it went on: %s", what, said)
	}
	for name, value := range vars {
		for _, part := range append(strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(":/@?&=", r) }), value) {
			if telling(name, part) && strings.Contains(said, part) {
				t.Errorf("%s: something of the value of %s is told: %s", what, name, said)
			}
		}
	}
}

// telling reports whether a part of a value tells something that the name of its variable, the log or a hint does not say anyway.
func telling(name, part string) bool {
	switch part {
	case "postgres", "127.0.0.1", "sslmode", "disable", "forge", "redis", "smtps", "https", "DEBUG", "true", "production", "change-me":
		return false
	}
	return len(part) >= 6 && name != "HOST" && name != "DATA_DIR" && name != "METRICS_ADDR"
}
