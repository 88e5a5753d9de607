package bootstrap

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
	"github.com/joho/godotenv"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/domain/secret"
)

// ConfigError lists every mistake of a configuration at once. It names variables and never their values.
type ConfigError struct{ Mistakes []string }

// Error lists the mistakes, one a line.
func (e *ConfigError) Error() string {
	return "the configuration has mistakes:\n  - " + strings.Join(e.Mistakes, "\n  - ")
}

// Environ reads the process's environment, completed in dev by a .env file in the working directory.
func Environ() (map[string]string, error) {
	vars := env.ToMap(os.Environ())
	if vars["ENV"] == string(Prod) {
		return vars, nil
	}
	file, err := godotenv.Read(".env")
	if errors.Is(err, os.ErrNotExist) {
		return vars, nil
	}
	if err != nil {
		return nil, &ConfigError{Mistakes: []string{".env: cannot be read; each line must be NAME=value"}}
	}
	for k, v := range file {
		if _, set := vars[k]; !set {
			vars[k] = v
		}
	}
	return vars, nil
}

// Load makes a Config of variables and reports every mistake at once, as a *ConfigError. An empty value counts as unset.
func Load(vars map[string]string) (Config, error) {
	set := make(map[string]string, len(vars))
	for k, v := range vars {
		if strings.TrimSpace(v) != "" {
			set[k] = v
		}
	}
	var c Config
	err := env.ParseWithOptions(&c, env.Options{Environment: set, FuncMap: parsers})
	mistakes := mistakesOf(err)
	c.defaults()
	mistakes = append(mistakes, c.readFile(set)...)
	mistakes = append(mistakes, c.check(set)...)
	if len(mistakes) > 0 {
		slices.Sort(mistakes)
		return Config{}, &ConfigError{Mistakes: slices.Compact(mistakes)}
	}
	return c, nil
}

// readFile reads CONFIG_FILE, or ./forge1.yaml when it is there, and takes over what the variables leave open.
func (c *Config) readFile(set map[string]string) []string {
	path := c.ConfigFile
	if path == "" {
		if _, err := os.Stat(defaultFile); errors.Is(err, os.ErrNotExist) {
			return nil
		}
		path = defaultFile
	}
	f, mistakes := readFile(path)
	mistakes = append(mistakes, c.adopt(f, set)...)
	if order := f.Routing.FallbackOrder; len(order) > 0 && set["ROUTER_FALLBACK_ORDER"] == "" {
		if _, err := routing.CompleteOrder(order, c.ProviderNames()); err == nil {
			c.FallbackOrder = order
		} else if len(mistakes) == 0 { // else the providers may not be known
			mistakes = append(mistakes, "CONFIG_FILE: routing.fallback_order: must name providers of "+strings.Join(c.ProviderNames(), ", ")+", each once")
		}
	}
	if len(mistakes) == 0 {
		mistakes = c.checkDefaults()
	}
	return mistakes
}

var parsers = map[reflect.Type]env.ParserFunc{
	reflect.TypeFor[secret.Text](): func(v string) (any, error) { return secret.New(v), nil },
	reflect.TypeFor[netip.Prefix](): func(v string) (any, error) {
		if a, err := netip.ParseAddr(v); err == nil {
			return netip.PrefixFrom(a, a.BitLen()), nil
		}
		return netip.ParsePrefix(v)
	},
}

// mistakesOf turns the library's errors into lines that name the variable and not its value.
func mistakesOf(err error) []string {
	if err == nil {
		return nil
	}
	agg, ok := errors.AsType[env.AggregateError](err)
	if !ok {
		return []string{"the environment cannot be read"}
	}
	var out []string
	for _, e := range agg.Errors {
		if p, ok := errors.AsType[env.ParseError](e); ok {
			name := p.Name
			if f, found := reflect.TypeFor[Config]().FieldByName(p.Name); found {
				name = variableOf(f)
			}
			out = append(out, fmt.Sprintf("%s: must be %s", name, kindOf(p.Type)))
			continue
		}
		out = append(out, "a variable cannot be read")
	}
	return out
}

func variableOf(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("env"), ",")
	return name
}

func kindOf(t reflect.Type) string {
	switch t.String() {
	case "int":
		return "a whole number"
	case "bool":
		return "true or false"
	case "time.Duration":
		return "a duration such as 90s or 15m"
	case "float64", "*float64":
		return "a number"
	case "[]netip.Prefix", "netip.Prefix":
		return "a comma list of CIDR blocks such as 10.0.0.0/8"
	default:
		return "of type " + t.String()
	}
}

// defaults fills what depends on other fields.
func (c *Config) defaults() {
	if c.Host == "" {
		c.Host = "127.0.0.1"
		if c.Env == Prod {
			c.Host = "0.0.0.0"
		}
	}
	if c.MailDir == "" {
		c.MailDir = filepath.Join(c.DataDir, "mail")
	}
	c.PublicBaseURL = strings.TrimRight(c.PublicBaseURL, "/")
	c.AuthUIURL = strings.TrimRight(c.AuthUIURL, "/")
	if c.AuthUIURL == "" {
		c.AuthUIURL = c.PublicBaseURL + "/auth"
	}
	for _, keys := range []*[]secret.Text{&c.OpenAIKeys, &c.AnthropicKeys, &c.GoogleKeys, &c.OpenRouterKeys, &c.JWTSecretPrevious} {
		*keys = slices.DeleteFunc(*keys, func(k secret.Text) bool { return strings.TrimSpace(k.Reveal()) == "" })
		for i, k := range *keys {
			(*keys)[i] = secret.New(strings.TrimSpace(k.Reveal()))
		}
	}
	for _, list := range []*[]string{&c.CORSOrigins, &c.FallbackOrder} {
		for i, s := range *list {
			(*list)[i] = strings.TrimSpace(s)
		}
		*list = slices.DeleteFunc(*list, func(s string) bool { return s == "" })
	}
	c.LogLevel = LogLevel(strings.ToUpper(string(c.LogLevel)))
}

// RootSecret gives the root secret: JWT_SECRET, or in dev the one kept in DATA_DIR/secret, which is made when it is not there.
func (c Config) RootSecret() (secret.Text, error) {
	if !c.JWTSecret.Empty() {
		return c.JWTSecret, nil
	}
	file := filepath.Join(c.DataDir, "secret")
	if b, err := os.ReadFile(file); err == nil && len(b) >= 32 {
		return secret.New(strings.TrimSpace(string(b))), nil
	} else if err != nil && !errors.Is(err, os.ErrNotExist) {
		return secret.Text{}, fmt.Errorf("read the dev secret: %w", err)
	}
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return secret.Text{}, fmt.Errorf("make DATA_DIR: %w", err)
	}
	var b [32]byte
	rand.Read(b[:]) //nolint:errcheck,gosec // crypto/rand does not fail since Go 1.24
	text := hex.EncodeToString(b[:])
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return secret.Text{}, fmt.Errorf("keep the dev secret: %w", err)
	}
	return secret.New(text), nil
}
