package bootstrap

import (
	"net/netip"
	"time"

	"github.com/forge1/forge1/domain/secret"
)

// Config is the effective configuration. Every field is one environment variable; `forge1 config` prints it with secrets masked, and
// the README's table is made from the tags. Durations are Go durations.
type Config struct {
	Env     Env    `env:"ENV" envDefault:"dev" desc:"dev or prod; prod refuses unsafe settings at start, naming the variable"`
	Host    string `env:"HOST" desc:"listen address; 127.0.0.1 in dev, 0.0.0.0 in prod"`
	Port    int    `env:"PORT" envDefault:"8000" desc:"listen port, 0 to 65535; 0 takes a free one"`
	DataDir string `env:"DATA_DIR" envDefault:"./data" desc:"embedded database, dev secret, dev mails"`
	Region  string `env:"REGION" desc:"name of this installation's region, kept with every call"`

	JWTSecret         secret.Text   `env:"JWT_SECRET" desc:"root secret, used as the bytes of the text; at least 32 bytes in prod; unset in dev: DATA_DIR/secret is made and kept"`
	JWTSecretPrevious []secret.Text `env:"JWT_SECRET_PREVIOUS" desc:"comma list of former root secrets, still valid for verification and decryption"`

	DatabaseURL      secret.Text `env:"DATABASE_URL" desc:"postgresql://user:password@host:port/database, or sqlite:///path; unset: SQLite in DATA_DIR; in prod off this host with sslmode=verify-full"`
	DatabaseMaxConns int         `env:"DATABASE_MAX_CONNS" envDefault:"16" desc:"most connections to Postgres, 1 to 1000"`
	PGVector         bool        `env:"PGVECTOR" envDefault:"false" desc:"ensure the pgvector extension at migration"`
	RedisURL         secret.Text `env:"REDIS_URL" desc:"redis://:password@host:port/db; unset: short-lived state is kept in process; in prod with a password, and a server whose maxmemory-policy is noeviction"`
	CacheRedisURL    secret.Text `env:"CACHE_REDIS_URL" desc:"likewise, for the prompt cache alone, whose server may evict; unset: REDIS_URL; in prod with a password"`
	AllowSQLite      bool        `env:"ALLOW_SQLITE" envDefault:"false" desc:"permit SQLite in prod"`
	AllowMemoryStore bool        `env:"ALLOW_MEMORY_STORE" envDefault:"false" desc:"permit in-process short-lived state in prod"`

	PublicBaseURL   string         `env:"PUBLIC_BASE_URL" envDefault:"http://localhost:8000" desc:"links in mails, JWT issuer, problem types; https in prod"`
	AuthUIURL       string         `env:"AUTH_UI_URL" desc:"replaces PUBLIC_BASE_URL + /auth in mail links"`
	CORSOrigins     []string       `env:"BACKEND_CORS_ORIGINS" envDefault:"*" desc:"comma list of exact origins, or *"`
	CORSCredentials bool           `env:"CORS_ALLOW_CREDENTIALS" envDefault:"false" desc:"allow credentials for listed origins; refused with *"`
	TrustedProxies  []netip.Prefix `env:"TRUSTED_PROXIES" desc:"comma list of CIDR blocks whose forwarding headers count"`
	MaxBodyBytes    int            `env:"MAX_BODY_BYTES" envDefault:"33554432" desc:"largest body of AI routes, 1024 to 1073741824; sign-in routes take 16 KiB"`
	MetricsAddr     string         `env:"METRICS_ADDR" envDefault:"127.0.0.1:9090" desc:"address of /metrics and profiling, never the public port; off to disable"`
	LogLevel        LogLevel       `env:"LOG_LEVEL" envDefault:"INFO" desc:"DEBUG (dev only), INFO, WARN or ERROR"`
	ShutdownGrace   time.Duration  `env:"SHUTDOWN_GRACE" envDefault:"30s" desc:"how long running calls and streams may take to end, 0s to 10m"`

	OpenAIKeys        []secret.Text `env:"OPENAI_API_KEY" desc:"comma list of keys; without one the provider is not configured"`
	AnthropicKeys     []secret.Text `env:"ANTHROPIC_API_KEY" desc:"comma list of keys"`
	GoogleKeys        []secret.Text `env:"GOOGLE_AI_API_KEY" desc:"comma list of keys"`
	OpenRouterKeys    []secret.Text `env:"OPENROUTER_API_KEY" desc:"comma list of keys"`
	OpenAIBaseURL     string        `env:"OPENAI_BASE_URL" envDefault:"https://api.openai.com/v1" desc:"+ /chat/completions"`
	AnthropicBaseURL  string        `env:"ANTHROPIC_BASE_URL" envDefault:"https://api.anthropic.com" desc:"+ /v1/messages"`
	GoogleBaseURL     string        `env:"GOOGLE_AI_BASE_URL" envDefault:"https://generativelanguage.googleapis.com" desc:"+ /v1beta/models/..."`
	OpenRouterBaseURL string        `env:"OPENROUTER_BASE_URL" envDefault:"https://openrouter.ai/api/v1" desc:"+ /chat/completions"`
	OpenAIModel       string        `env:"OPENAI_MODEL" envDefault:"gpt-4o-mini" desc:"default model of openai"`
	ClaudeModel       string        `env:"CLAUDE_MODEL" envDefault:"claude-haiku-4-5" desc:"default model of claude"`
	GeminiModel       string        `env:"GEMINI_MODEL" envDefault:"gemini-2.5-flash" desc:"default model of gemini"`
	OpenRouterModel   string        `env:"OPENROUTER_MODEL" envDefault:"openai/gpt-4o-mini" desc:"default model of openrouter"`
	OpenAICost        *float64      `env:"OPENAI_1K_TOKEN_COST_CENTS" desc:"approximate routing cost per 1,000 tokens in cents; unset: the catalogue's price, else 10"`
	ClaudeCost        *float64      `env:"CLAUDE_1K_TOKEN_COST_CENTS" desc:"likewise; else 16"`
	GeminiCost        *float64      `env:"GEMINI_1K_TOKEN_COST_CENTS" desc:"likewise; else 8"`
	OpenRouterCost    *float64      `env:"OPENROUTER_1K_TOKEN_COST_CENTS" desc:"likewise; else 9"`

	ConfigFile        string        `env:"CONFIG_FILE" desc:"YAML with providers, aliases, prices and routing defaults, for what variables do not say; ./forge1.yaml when it is there; read again on SIGHUP"`
	CatalogueFile     string        `env:"CATALOGUE_FILE" desc:"table of models and prices in the catalogue's own format, over the bundled one; read again on SIGHUP"`
	FallbackOrder     []string      `env:"ROUTER_FALLBACK_ORDER" envDefault:"openrouter,openai,claude,gemini" desc:"how ties are broken; providers left out follow in default order"`
	LatencyWindow     time.Duration `env:"ROUTER_LATENCY_WINDOW" envDefault:"10m" desc:"sliding window of p95, 10s to 24h"`
	BreakerThreshold  int           `env:"CIRCUIT_BREAKER_THRESHOLD" envDefault:"3" desc:"consecutive failures that open a breaker, 1 to 1000"`
	BreakerCooldown   int           `env:"CIRCUIT_BREAKER_COOLDOWN_SECS" envDefault:"60" desc:"seconds until an open breaker admits a probe, 1 to 86400"`
	RequestTimeout    time.Duration `env:"REQUEST_TIMEOUT" envDefault:"120s" desc:"one deadline over all attempts of a whole answer, 1s to 1h"`
	StreamTimeout     time.Duration `env:"STREAM_TIMEOUT" envDefault:"600s" desc:"likewise for streams"`
	ConnectTimeout    time.Duration `env:"CONNECT_TIMEOUT" envDefault:"5s" desc:"to connect to a vendor, 10ms to 5m"`
	FirstByteTimeout  time.Duration `env:"FIRST_BYTE_TIMEOUT" envDefault:"60s" desc:"to a vendor's first byte, 10ms to 1h"`
	StreamIdleTimeout time.Duration `env:"STREAM_IDLE_TIMEOUT" envDefault:"60s" desc:"between two bytes of a stream, 10ms to 1h"`

	PromptCacheTTL int `env:"PROMPT_CACHE_TTL_SECS" envDefault:"300" desc:"seconds for which the prompt cache may give an answer, 0 to 86400; 0 turns it off"`
	PromptCacheMax int `env:"PROMPT_CACHE_MAX_BYTES" envDefault:"67108864" desc:"bytes that the prompt cache keeps for each tenant, 262144 to 1099511627776, oldest out; in process all tenants together have twice that"`

	ResponsesTTL time.Duration `env:"RESPONSES_TTL" envDefault:"720h" desc:"how long responses of /v1/responses can be gone on from, 1m to 8760h"`

	AccessTTL         time.Duration `env:"ACCESS_TOKEN_TTL" envDefault:"15m" desc:"life of an access token, 1m to 60m"`
	RefreshIdleTTL    time.Duration `env:"REFRESH_IDLE_TTL" envDefault:"168h" desc:"life of a refresh token that is not used"`
	RefreshAbsTTL     time.Duration `env:"REFRESH_ABSOLUTE_TTL" envDefault:"720h" desc:"life of a session whatever happens"`
	RefreshGrace      time.Duration `env:"REFRESH_GRACE" envDefault:"10s" desc:"in which the previous refresh token gets the same successor again, 0s to 60s"`
	VerifyTTL         time.Duration `env:"VERIFY_TOKEN_TTL" envDefault:"24h" desc:"life of a verification link"`
	ResetTTL          time.Duration `env:"RESET_TOKEN_TTL" envDefault:"30m" desc:"life of a password reset link, 1s to 24h"`
	InviteTTL         time.Duration `env:"INVITE_TTL" envDefault:"72h" desc:"life of an invitation, 1s to 720h"`
	MFATokenTTL       time.Duration `env:"MFA_TOKEN_TTL" envDefault:"5m" desc:"between the password and the second factor of a sign-in, 1s to 15m"`
	MFASetupTTL       time.Duration `env:"MFA_SETUP_TTL" envDefault:"10m" desc:"to confirm a new second factor, 1s to 1h"`
	SessionCacheTTL   time.Duration `env:"SESSION_CACHE_TTL" envDefault:"5s" desc:"how long a positive check is kept in process, 0s to 5s"`
	PasswordMinLength int           `env:"PASSWORD_MIN_LENGTH" envDefault:"12" desc:"in code points, 8 to 64; NIST SP 800-63B asks 15 where a second factor is not forced"`
	BreachCheckURL    string        `env:"BREACH_CHECK_URL" desc:"k-anonymity range API that new passwords are looked up in, such as https://api.pwnedpasswords.com/range/; unset: off; https in prod"`
	ThrottleDisabled  bool          `env:"THROTTLE_DISABLED" envDefault:"false" desc:"dev only, for tests: nobody has to wait after wrong passwords and codes"`
	AuditRetention    time.Duration `env:"AUDIT_RETENTION" envDefault:"9600h" desc:"how long audit rows are kept, 1h to 87600h; at least 720h in prod"`
	CallsQueue        int           `env:"CALLS_QUEUE" envDefault:"8192" desc:"rows of AI calls held until they are written, those of calls under way included, 1 to 1000000; when it is full new calls are refused, and a process that is killed loses no more"`
	CallsRetention    time.Duration `env:"CALLS_RETENTION" envDefault:"9600h" desc:"how long rows of AI calls are kept, which usage is summed up from, 24h to 87600h"`
	DecisionRetention time.Duration `env:"DECISION_RETENTION" envDefault:"720h" desc:"how long routing decisions are kept, with what they were made from, 1h to 87600h"`

	ClockOffsetFile string `env:"FORGE_CLOCK_OFFSET_FILE" desc:"dev only, for tests: a file with a Go duration that is added to the clock, read again within 50 ms"`

	SMTPURL  secret.Text `env:"SMTP_URL" desc:"smtp://user:password@host:port or smtps://...; required in prod"`
	MailFrom string      `env:"MAIL_FROM" envDefault:"Forge 1 <no-reply@localhost>" desc:"sender of mails"`
	MailDir  string      `env:"MAIL_DIR" desc:"where mails are written in dev without SMTP; DATA_DIR/mail"`

	file      File
	providers []ProviderConfig // of the variables and the file
}

// Env is the kind of installation.
type Env string

// The kinds.
const (
	Dev  Env = "dev"
	Prod Env = "prod"
)

// LogLevel is the least level that is logged.
type LogLevel string

// ProviderConfig is one provider as configured: what bootstrap makes an outbound.Connection of.
type ProviderConfig struct {
	Name       string
	Vendor     string // names an entry of vendors
	Catalogue  string // whose models it serves, by the catalogue's names of vendors
	BaseURL    string
	Keys       []secret.Text
	Model      string
	CostCents  *float64
	TableCents float64
	Discover   bool // the server is asked which models it has
}

// variablesOf names the variables of the four, for what the configuration file may complete.
var variablesOf = map[string]struct{ baseURL, model, cost string }{
	"openrouter": {"OPENROUTER_BASE_URL", "OPENROUTER_MODEL", "OPENROUTER_1K_TOKEN_COST_CENTS"},
	"openai":     {"OPENAI_BASE_URL", "OPENAI_MODEL", "OPENAI_1K_TOKEN_COST_CENTS"},
	"claude":     {"ANTHROPIC_BASE_URL", "CLAUDE_MODEL", "CLAUDE_1K_TOKEN_COST_CENTS"},
	"gemini":     {"GOOGLE_AI_BASE_URL", "GEMINI_MODEL", "GEMINI_1K_TOKEN_COST_CENTS"},
}

// builtin lists the four by what the variables say of them, in default order.
func (c Config) builtin() []ProviderConfig {
	return []ProviderConfig{
		{"openrouter", "openrouter", "openrouter", c.OpenRouterBaseURL, c.OpenRouterKeys, c.OpenRouterModel, c.OpenRouterCost, 9, false},
		{"openai", "openai", "openai", c.OpenAIBaseURL, c.OpenAIKeys, c.OpenAIModel, c.OpenAICost, 10, false},
		{"claude", "anthropic", "anthropic", c.AnthropicBaseURL, c.AnthropicKeys, c.ClaudeModel, c.ClaudeCost, 16, false},
		{"gemini", "gemini", "gemini", c.GoogleBaseURL, c.GoogleKeys, c.GeminiModel, c.GeminiCost, 8, false},
	}
}

// Providers lists the providers in default order: the four, then those of the configuration file.
func (c Config) Providers() []ProviderConfig {
	if c.providers == nil {
		return c.builtin()
	}
	return c.providers
}

// ProviderNames lists the names of the providers in default order.
func (c Config) ProviderNames() []string {
	var names []string
	for _, p := range c.Providers() {
		names = append(names, p.Name)
	}
	return names
}
