package user

import (
	"slices"

	"github.com/forge1/forge1/domain/fault"
)

// reserved are names that would let a user pass for the service.
var reserved = []string{
	"admin", "administrator", "api", "auth", "billing", "forge", "forge1", "help", "info", "me", "root", "security", "staff",
	"support", "system", "team", "webmaster",
}

// Username is a public name: lower case, unique, never mistakable for an address.
type Username struct{ name string }

// ParseUsername reads a username: 3 to 32 of a-z, 0-9, dot, underscore and hyphen, beginning and ending in a letter or digit; upper case ASCII is
// lowered. It fails with a fault of kind Invalid naming /username.
func ParseUsername(s string) (Username, error) {
	name := lowerASCII(s)
	if !usernameForm(name) {
		return Username{}, fault.ErrValidation.At(fault.Field{
			Pointer: "/username", Code: "invalid_username",
			Message: "must be 3 to 32 letters, digits, dots, underscores or hyphens, beginning and ending in a letter or digit",
		})
	}
	if slices.Contains(reserved, name) {
		return Username{}, fault.ErrValidation.At(fault.Field{Pointer: "/username", Code: "reserved", Message: "this name is reserved"})
	}
	return Username{name}, nil
}

// String gives the name.
func (u Username) String() string { return u.name }

// Empty reports whether there is no name.
func (u Username) Empty() bool { return u.name == "" }

// RestoreUsername makes a name that was kept.
func RestoreUsername(name string) Username { return Username{name} }

func usernameForm(s string) bool {
	if len(s) < 3 || len(s) > 32 {
		return false
	}
	for i := range len(s) {
		alnum := s[i] >= 'a' && s[i] <= 'z' || s[i] >= '0' && s[i] <= '9'
		edge := i == 0 || i == len(s)-1
		if !alnum && (edge || s[i] != '.' && s[i] != '_' && s[i] != '-') {
			return false
		}
	}
	return true
}
