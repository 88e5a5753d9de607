// Package secret holds strings that must not be seen.
package secret

const mask = "***"

// Text is a secret. It prints, logs and marshals as a mask; only Reveal gives it away, so every use can be found by that name.
type Text struct{ value string }

// New wraps a secret.
func New(value string) Text { return Text{value} }

// Reveal gives the secret itself. Pass the result straight to what needs it.
func (t Text) Reveal() string { return t.value }

// Empty reports whether there is nothing to hide.
func (t Text) Empty() bool { return t.value == "" }

// String masks the secret for fmt and slog.
func (t Text) String() string {
	if t.value == "" {
		return ""
	}
	return mask
}

// GoString masks the secret for %#v.
func (t Text) GoString() string { return t.String() }

// MarshalText masks the secret for JSON and every other text encoding.
func (t Text) MarshalText() ([]byte, error) { return []byte(t.String()), nil }
