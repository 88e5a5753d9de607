package gemini

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// maxName is how long a function's name may be.
const maxName = 64

// functionName gives a name that the vendor takes: it begins with a letter or an underscore, and holds no more than letters, digits, underscores, dots,
// colons and hyphens. Of any other the same is made wherever it stands. Other vendors let functions be called what this one does not.
func functionName(name string) string {
	if name == "" || takes(name) {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	plain := strings.Map(func(r rune) rune {
		if r > 127 || !nameByte(byte(r)) {
			return '_'
		}
		return r
	}, name)
	const hash = 8
	return "_" + plain[:min(len(plain), maxName-hash-2)] + "_" + hex.EncodeToString(sum[:hash/2])
}

func takes(name string) bool {
	if len(name) > maxName || name[0] >= '0' && name[0] <= '9' || strings.IndexByte("-.:", name[0]) >= 0 {
		return false
	}
	for i := range len(name) {
		if !nameByte(name[i]) {
			return false
		}
	}
	return true
}

func nameByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("_.:-", c) >= 0
}

// name gives a declared function's name as the vendor is told it, and remembers what it stands for.
func (e *encoder) name(name string) string {
	sent := functionName(name)
	if sent != name {
		if e.names == nil {
			e.names = map[string]string{}
		}
		e.names[sent] = name
	}
	return sent
}
