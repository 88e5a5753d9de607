package rest

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/tenant"
)

// admit lets the caller and the form of the request in, or says what is wrong.
func (x *exchange) admit() error {
	if err := x.admitCaller(); err != nil {
		return err
	}
	if x.route.body == nil || x.route.bodyOptional && len(x.fc.Request.Body()) == 0 {
		return nil
	}
	h := &x.fc.Request.Header
	if len(h.Peek("Content-Encoding")) > 0 {
		return errEncoding
	}
	if !jsonType(string(h.ContentType())) {
		return errMediaType
	}
	if !x.route.large && len(x.fc.Request.Body()) > max(smallBody, x.route.most) {
		return errBodyTooLarge
	}
	return nil
}

// jsonType accepts application/json, with a charset of UTF-8 at most.
func jsonType(s string) bool {
	media, params, more := strings.Cut(s, ";")
	if !strings.EqualFold(strings.TrimSpace(media), "application/json") {
		return false
	}
	if !more {
		return true
	}
	name, value, _ := strings.Cut(params, "=")
	value = strings.Trim(strings.TrimSpace(value), `"`)
	return strings.EqualFold(strings.TrimSpace(name), "charset") && strings.EqualFold(value, "utf-8")
}

// credential reads the one credential. It is looked for nowhere but in the headers: Authorization and, where Anthropic's clients call, X-Api-Key. The
// two may stand together if they say the same.
func (x *exchange) credential() (string, error) {
	h := &x.fc.Request.Header
	bearer, err := x.bearerCredential()
	if x.shape() != shapeAnthropic {
		return bearer, err
	}
	keys := h.PeekAll("X-Api-Key")
	if len(keys) == 0 && err == nil {
		return bearer, nil
	}
	if len(keys) != 1 || len(keys[0]) == 0 || bytes.ContainsAny(keys[0], " \t,") || len(h.Peek("Authorization")) > 0 && string(keys[0]) != bearer {
		return "", errNoKey
	}
	return string(keys[0]), nil
}

// bearerCredential reads the bearer credential.
func (x *exchange) bearerCredential() (string, error) {
	lines := x.fc.Request.Header.PeekAll("Authorization")
	if len(lines) != 1 {
		return "", errNoCredential
	}
	scheme, rest, _ := bytes.Cut(lines[0], []byte(" "))
	rest = bytes.TrimLeft(rest, " ")
	if !strings.EqualFold(string(scheme), "Bearer") || len(rest) == 0 || bytes.ContainsAny(rest, " \t,") {
		return "", errNoCredential
	}
	return string(rest), nil
}

// sameTenant refuses a request that names another tenant than its credential's: the name never chooses.
func (x *exchange) sameTenant() error {
	for _, named := range [][]byte{x.fc.Request.Header.Peek("X-Tenant-Id"), x.fc.QueryArgs().Peek("tenant_id")} {
		if len(named) > 0 && tenant.ID(named) != x.caller.TenantID {
			return errTenant
		}
	}
	return nil
}

// bearer gives the credential of a route that can do without one, "" when there is none that can be read.
func (x *exchange) bearer() string {
	c, err := x.credential()
	if err != nil {
		return ""
	}
	return c
}

// headerFault is a mistake in a header.
func headerFault(name, message string) error {
	return fault.ErrValidation.At(fault.Field{Pointer: http.CanonicalHeaderKey(name), Code: "invalid_value", Message: message})
}
