package chat

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"strings"
)

// maxPortableID is the longest id of a tool call that every vendor takes: OpenAI's limit.
const maxPortableID = 40

// PortableID gives an id of a tool call that every vendor takes: letters, digits, hyphens and underscores, at most 40. An id that is so stays as it is;
// of any other the same is made wherever it stands, so that calls and their results still meet.
func PortableID(id string) string {
	if id != "" && len(id) <= maxPortableID && strings.Trim(id, idBytes) == "" {
		return id
	}
	h := sha256.Sum256([]byte(id))
	return "call_" + hex.EncodeToString(h[:12])
}

const idBytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

// SignatureMark is what every wrapped signature begins with. No vendor's own does.
const SignatureMark = "forge1-sig-"

// Wrap writes a signature, with its format, as one text for a field of a dialect that has room for its own vendor's signature alone. Clients send it
// back, and Unwrap reads it.
func (s *Signature) Wrap() string {
	return SignatureMark + base64.RawURLEncoding.EncodeToString([]byte(s.Format+"\n"+s.ID+"\n"+s.Data))
}

// Unwrap reads what Wrap wrote. It is false for any other text, such as a vendor's own signature.
func Unwrap(text string) (*Signature, bool) {
	sealed, ok := strings.CutPrefix(text, SignatureMark)
	if !ok {
		return nil, false
	}
	plain, err := base64.RawURLEncoding.DecodeString(sealed)
	if err != nil {
		return nil, false
	}
	format, rest, ok := strings.Cut(string(plain), "\n")
	if !ok {
		return nil, false
	}
	id, data, ok := strings.Cut(rest, "\n")
	return &Signature{Format: format, ID: id, Data: data}, ok
}
