package session

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// refreshPrefix marks a refresh token, so that it can be told from every other credential.
const refreshPrefix = "fr1."

// RefreshToken is a refresh token taken apart: fr1.<b64url(kid 1 ‖ sid 16 ‖ gen 4)>.<b64url(mac 32)>. It is not stored; whoever knows the root key
// and the session's salt can make it again.
type RefreshToken struct {
	Root byte // which root key made the MAC
	ID   ID
	Gen  uint32
	MAC  [32]byte
}

// ParseRefreshToken takes a token apart; only the canonical spelling is read. It says nothing of whether the token is good.
func ParseRefreshToken(s string) (RefreshToken, bool) {
	rest, ok := strings.CutPrefix(s, refreshPrefix)
	if !ok {
		return RefreshToken{}, false
	}
	head, mac, ok := strings.Cut(rest, ".")
	if !ok || len(head) != 28 || len(mac) != 43 {
		return RefreshToken{}, false
	}
	enc := base64.RawURLEncoding.Strict()
	h, err := enc.DecodeString(head)
	if err != nil || len(h) != 21 {
		return RefreshToken{}, false
	}
	m, err := enc.DecodeString(mac)
	if err != nil || len(m) != 32 {
		return RefreshToken{}, false
	}
	t := RefreshToken{Root: h[0], ID: idOf(h[1:17]), Gen: binary.BigEndian.Uint32(h[17:])}
	copy(t.MAC[:], m)
	return t, true
}

// String gives the token as the client keeps it; "" when the id is no UUID.
func (t RefreshToken) String() string {
	h := t.head()
	if h == nil {
		return ""
	}
	return refreshPrefix + base64.RawURLEncoding.EncodeToString(h) + "." + base64.RawURLEncoding.EncodeToString(t.MAC[:])
}

// Signed is what the MAC is made over: version, root, id, generation and salt.
func (t RefreshToken) Signed(salt [16]byte) []byte {
	return append(append([]byte(refreshPrefix), t.head()...), salt[:]...)
}

func (t RefreshToken) head() []byte {
	id, err := hex.DecodeString(strings.ReplaceAll(string(t.ID), "-", ""))
	if err != nil || len(id) != 16 {
		return nil
	}
	h := append([]byte{t.Root}, id...)
	return binary.BigEndian.AppendUint32(h, t.Gen)
}

func idOf(b []byte) ID {
	x := hex.EncodeToString(b)
	return ID(x[:8] + "-" + x[8:12] + "-" + x[12:16] + "-" + x[16:20] + "-" + x[20:])
}
