package password

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/argon2"
)

// Bounds of the salt in a PHC string, in bytes.
const (
	leastSalt = 8
	mostSalt  = 64
)

// ErrUnreadable is a kept hash that is no argon2id PHC string, or costs more than we ever spend.
var ErrUnreadable = errors.New("kept password hash is not readable")

// parse takes a PHC string apart: $argon2id$v=19$m=…,t=…,p=…$salt$key. Only our own spelling is read.
func parse(phc string) (p Params, salt, key []byte, err error) {
	part := strings.Split(phc, "$")
	if len(part) != 6 || part[0] != "" || part[1] != "argon2id" || part[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return p, nil, nil, ErrUnreadable
	}
	if _, err := fmt.Sscanf(part[3], "m=%d,t=%d,p=%d", &p.Memory, &p.Time, &p.Threads); err != nil || part[3] != fmt.Sprintf("m=%d,t=%d,p=%d", p.Memory, p.Time, p.Threads) {
		return p, nil, nil, ErrUnreadable
	}
	if p.Memory == 0 || p.Time == 0 || p.Threads == 0 || p.Memory > most.Memory || p.Time > most.Time || p.Threads > most.Threads {
		return p, nil, nil, ErrUnreadable
	}
	if strings.ContainsAny(phc, "\r\n") { // which base64 passes over, even when it is strict
		return p, nil, nil, ErrUnreadable
	}
	b64 := base64.RawStdEncoding.Strict()
	salt, err1 := b64.DecodeString(part[4])
	key, err2 := b64.DecodeString(part[5])
	if err1 != nil || err2 != nil || len(salt) < leastSalt || len(salt) > mostSalt || len(key) != keyBytes {
		return p, nil, nil, ErrUnreadable
	}
	return p, salt, key, nil
}
