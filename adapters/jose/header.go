package jose

import (
	"encoding/base64"
	"encoding/json"
	"io"
	"strings"
)

const maxToken = 4096

// header checks the form of a token and the whole of its header, and gives the kid. Our header holds alg, typ and kid, each once, each a string; a
// token with anything else (crit, jwk, jku, x5u, …) was not made here.
func header(token string) (kid string, err error) {
	if len(token) > maxToken {
		return "", refuse("too long")
	}
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return "", refuse("not three parts")
	}
	enc := base64.RawURLEncoding.Strict()
	var head []byte
	for i, part := range parts {
		b, err := enc.DecodeString(part)
		if err != nil || len(b) == 0 || strings.ContainsAny(part, "\r\n") {
			return "", refuse("not base64url")
		}
		if i == 0 {
			head = b
		}
	}
	m, err := members(head)
	if err != nil {
		return "", err
	}
	if m["alg"] != "EdDSA" || m["typ"] != tokenType {
		return "", refuse("alg or typ")
	}
	return m["kid"], nil
}

// members reads a JSON object of exactly the members alg, typ and kid.
func members(raw []byte) (map[string]string, error) {
	d := json.NewDecoder(strings.NewReader(string(raw)))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, refuse("header is no object")
	}
	found := make(map[string]string, 3)
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, refuse("header is not JSON")
		}
		value, err := d.Token()
		text, isString := value.(string)
		if err != nil || !isString {
			return nil, refuse("header value is no string")
		}
		n, _ := name.(string)
		if _, twice := found[n]; twice || n != "alg" && n != "typ" && n != "kid" {
			return nil, refuse("header member")
		}
		found[n] = text
	}
	if _, err := d.Token(); err != nil || len(found) != 3 {
		return nil, refuse("header is not whole")
	}
	if _, err := d.Token(); err != io.EOF { //nolint:errorlint // io.EOF is never wrapped here
		return nil, refuse("header has more")
	}
	return found, nil
}
