package simulator

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
)

// sealKey signs what must come back unchanged. It is no secret: the simulator has none.
var sealKey = []byte("what the simulator signs, it knows again")

const nonceBytes = 8

// seal makes a token for something that is to come back with the next turn. About is what the token stands beside and what must not be altered either.
func seal(kind string, serial uint64, about string) string {
	nonce := binary.BigEndian.AppendUint64(nil, serial)
	return base64.StdEncoding.EncodeToString(append(nonce, sealSum(kind, nonce, about)...))
}

// sealed reports whether the simulator made the token for that.
func sealed(kind, token, about string) bool {
	raw, err := base64.StdEncoding.DecodeString(token)
	if err != nil || len(raw) < nonceBytes {
		return false
	}
	return hmac.Equal(raw[nonceBytes:], sealSum(kind, raw[:nonceBytes], about))
}

func sealSum(kind string, nonce []byte, about string) []byte {
	h := hmac.New(sha256.New, sealKey)
	for _, part := range [][]byte{[]byte(kind), nonce, []byte(about)} {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(part))))
		h.Write(part)
	}
	return h.Sum(nil)
}

// encryptedMark is what OpenAI's encrypted content begins with.
const encryptedMark = "gAAAAAB"

// encrypt makes the encrypted content of a reasoning item: a token in OpenAI's alphabet.
func encrypt(serial uint64, item string) string {
	token := strings.NewReplacer("+", "-", "/", "_").Replace(seal("encrypted", serial, item))
	return encryptedMark + token
}

// encrypted reports whether the simulator made the content, and whether it made it for that item.
func encrypted(content, item string) (made, matches bool) {
	token, ok := strings.CutPrefix(content, encryptedMark)
	token = strings.NewReplacer("-", "+", "_", "/").Replace(token)
	raw, err := base64.StdEncoding.DecodeString(token)
	if !ok || err != nil || len(raw) < nonceBytes {
		return false, false
	}
	own := itemID("rs", binary.BigEndian.Uint64(raw), true, 0)
	return sealed("encrypted", token, own), item == "" || item == own
}

// itemID makes the id of an item of a response. All items of one answer begin alike after the prefix, and say whether the answer began with reasoning.
func itemID(prefix string, serial uint64, reasoned bool, n int) string {
	base := binary.BigEndian.AppendUint64(nil, serial)
	flag := byte(0)
	if reasoned {
		flag = 1
	}
	base = append(base, flag, byte(n)) //nolint:gosec // a mere mark
	return prefix + "_" + hex.EncodeToString(append(base, sealSum("item", base, "")[:15]...))
}

// readItemID gives what the items of one answer begin with, and whether reasoning was among them. It is false for ids that the simulator did not make.
func readItemID(id string) (answer string, reasoned, made bool) {
	_, tail, _ := strings.Cut(id, "_")
	raw, err := hex.DecodeString(tail)
	if err != nil || len(raw) != nonceBytes+2+15 {
		return "", false, false
	}
	if !hmac.Equal(raw[nonceBytes+2:], sealSum("item", raw[:nonceBytes+2], "")[:15]) {
		return "", false, false
	}
	return tail[:2*nonceBytes], raw[nonceBytes] == 1, true
}
