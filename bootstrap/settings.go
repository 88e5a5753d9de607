package bootstrap

import (
	"fmt"
	"reflect"
	"runtime/debug"
	"strings"

	"github.com/forge1/forge1/domain/secret"
)

// Setting is one variable with its effective value; secrets are masked.
type Setting struct{ Name, Value, Default, Description string }

// Settings lists every variable in the order of Config.
func (c Config) Settings() []Setting {
	v, t := reflect.ValueOf(c), reflect.TypeFor[Config]()
	var out []Setting
	for i := range t.NumField() {
		f := t.Field(i)
		name := variableOf(f)
		if name == "-" || !f.IsExported() {
			continue
		}
		out = append(out, Setting{Name: name, Value: shown(v.Field(i)), Default: f.Tag.Get("envDefault"), Description: f.Tag.Get("desc")})
	}
	return out
}

func shown(v reflect.Value) string {
	switch x := v.Interface().(type) {
	case secret.Text:
		return x.String()
	case *float64:
		if x == nil {
			return ""
		}
		return fmt.Sprint(*x)
	}
	if v.Kind() == reflect.Slice {
		parts := make([]string, v.Len())
		for i := range parts {
			parts[i] = shown(v.Index(i))
		}
		return strings.Join(parts, ",")
	}
	return fmt.Sprint(v.Interface())
}

// ConfigTable is the README's table of variables in Markdown.
func ConfigTable() string {
	var b strings.Builder
	b.WriteString("| Variable | Default | Meaning |\n|---|---|---|\n")
	for _, s := range (Config{}).Settings() {
		d := s.Default
		if d == "" {
			d = "–"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s |\n", s.Name, d, s.Description)
	}
	return strings.ReplaceAll(b.String(), "`–`", "–")
}

// Build says what was built, and of what.
type Build struct {
	Version string `json:"version"`
	Commit  string `json:"commit"`
	Go      string `json:"go"`
}

// version is set by the linker for releases: -ldflags "-X github.com/forge1/forge1/bootstrap.version=v1.2.3".
var version = ""

// BuildFacts reads what the Go linker left in the binary.
func BuildFacts() Build {
	b := Build{Version: version, Commit: "unknown"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Go = info.GoVersion
	if b.Version == "" {
		b.Version = strings.Trim(info.Main.Version, "()")
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			b.Commit = s.Value
		}
	}
	return b
}
