package blocklist_test

import (
	"errors"
	"testing"

	"github.com/forge1/forge1/adapters/blocklist"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/domain/user"
)

func TestAPolicyWithTheListSaysWhyAPasswordIsRefused(t *testing.T) {
	policy := user.PasswordPolicy{MinLength: user.DefaultMinPassword, Common: blocklist.New(user.DefaultMinPassword).Common}
	for password, want := range map[string]string{
		"password1234": "common", "P@ssw0rd2026!": "common", "qwerty123456": "common", "letmein letmein": "common", "iloveyou2026": "common", "aaaaaaaaaaaaaaa": "common",
		"ada.lovelace1815": "contains_identity", "AdaLovelace!2026": "contains_identity", "countess-2026": "contains_identity",
		"Analytical Engines 2026": "contains_identity", "analyticalengines2026": "contains_identity", "forge1forge1x": "contains_identity", "my-forge-login": "contains_identity",
		"password123": "too_short", "correct horse battery staple": "", "nanoseconds of copper wire": "", "alllowercasewithoutclasses": "",
	} {
		err := policy.Check("/password", secret.New(password), "ada.lovelace", "countess", "Analytical Engines")
		code := ""
		if e, ok := errors.AsType[*fault.Error](err); ok {
			code = e.Fields[0].Code
		}
		if code != want {
			t.Errorf("%q: got %q, want %q", password, code, want)
		}
	}
}
