package auth

import (
	"encoding/base32"
	"strings"

	"github.com/forge1/forge1/domain/user"
)

const (
	crockford     = "0123456789ABCDEFGHJKMNPQRSTVWXYZ" // no letter that is easily taken for another
	recoveryBytes = user.RecoveryCodeLetters * 5 / 8
	recoveryGroup = 4
)

var recoveryAlphabet = base32.NewEncoding(crockford).WithPadding(base32.NoPadding)

// recoveryCodes makes new recovery codes as they are shown, and what is kept of them.
func (s *Service) recoveryCodes(of user.ID) (shown []string, kept []user.RecoveryCode) {
	for range user.RecoveryCodes {
		var b [recoveryBytes]byte
		s.Random(b[:])
		code := recoveryAlphabet.EncodeToString(b[:])
		root, mac := s.Keyring.MAC(labelPepper, recoverySigned(of, code))
		shown, kept = append(shown, grouped(code)), append(kept, user.RecoveryCode{Root: root, MAC: mac})
	}
	return shown, kept
}

// recoveryMatch tells which kept code is the one given, in its normal form. Codes made under an older root still match.
func (s *Service) recoveryMatch(of user.ID, code string) func(user.RecoveryCode) bool {
	signed := recoverySigned(of, code)
	return func(kept user.RecoveryCode) bool { return s.Keyring.CheckMAC(labelPepper, kept.Root, signed, kept.MAC) }
}

func recoverySigned(of user.ID, code string) []byte { return []byte(string(of) + "\x00" + code) }

// grouped writes a code so that it can be read out.
func grouped(code string) string {
	var parts []string
	for ; len(code) > recoveryGroup; code = code[recoveryGroup:] {
		parts = append(parts, code[:recoveryGroup])
	}
	return strings.Join(append(parts, code), "-")
}

// normalRecovery reads a code as people write it: in any case, with or without hyphens and spaces, O for 0, and I or L for 1; false when it cannot be one.
func normalRecovery(s string) (string, bool) {
	if len(s) > 4*user.RecoveryCodeLetters {
		return "", false
	}
	code := strings.Map(func(r rune) rune {
		switch {
		case r == '-' || r == ' ':
			return -1
		case r >= 'a' && r <= 'z':
			r += 'A' - 'a'
		}
		switch r {
		case 'O':
			return '0'
		case 'I', 'L':
			return '1'
		}
		return r
	}, s)
	if len(code) != user.RecoveryCodeLetters || strings.Trim(code, crockford) != "" {
		return "", false
	}
	return code, true
}
