// Package tenant holds Tenant: a customer with its members and their roles; and APIKey, a machine's credential in it.
package tenant

import (
	"cmp"
	"iter"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/forge1/forge1/domain/event"
	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/user"
)

// ID identifies a tenant.
type ID string

// The sentinels of Tenant.
var (
	ErrLastOwner = fault.New(fault.Conflict, "last_owner", "a tenant needs an owner; make another member owner first")
	ErrNotMember = fault.New(fault.NotFound, "not_found", "there is no such member")
	ErrIsMember  = fault.New(fault.Conflict, "already_member", "this user is a member already")
	ErrSlugTaken = fault.New(fault.Conflict, "slug_taken", "this slug is taken")
	ErrNotFound  = fault.New(fault.NotFound, "not_found", "there is no such tenant")
)

// Limits of a tenant's names.
const (
	MaxName = 100 // code points
	MinSlug = 3
	MaxSlug = 40

	slugSuffix = 4
)

// Role is what a member may do.
type Role string

// The roles, from most to least.
const (
	Owner  Role = "owner"
	Admin  Role = "admin"
	Plain  Role = "member"
	Viewer Role = "viewer"
)

// ParseRole reads a role. It fails with a fault of kind Invalid naming /role.
func ParseRole(s string) (Role, error) {
	if r := Role(s); r.rank() > 0 {
		return r, nil
	}
	return "", fault.ErrValidation.At(fault.Field{Pointer: "/role", Code: "unknown_value", Message: "must be owner, admin, member or viewer"})
}

// AtLeast reports whether the role has all that other has.
func (r Role) AtLeast(other Role) bool { return r.rank() >= other.rank() && r.rank() > 0 }

// Administers reports whether the role manages members, keys and policies.
func (r Role) Administers() bool { return r.AtLeast(Admin) }

func (r Role) rank() int {
	switch r {
	case Owner:
		return 4
	case Admin:
		return 3
	case Plain:
		return 2
	case Viewer:
		return 1
	default:
		return 0
	}
}

// Member is a user's place in a tenant.
type Member struct {
	User  user.ID
	Role  Role
	Since time.Time
}

// Tenant is a customer. It has at least one owner from the moment it exists.
type Tenant struct {
	id        ID
	name      string
	slug      string
	personal  bool
	createdAt time.Time
	members   []Member
	events    event.Log
}

// Found makes a tenant with its first owner. It fails with a fault naming /tenant/name or /tenant/slug.
func Found(id ID, name, slug string, personal bool, owner user.ID, now time.Time) (*Tenant, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	if err := CheckSlug(slug); err != nil {
		return nil, err
	}
	t := &Tenant{
		id: id, name: name, slug: slug, personal: personal, createdAt: now,
		members: []Member{{User: owner, Role: Owner, Since: now}},
	}
	t.events.Record(Founded{ID: id, Owner: owner, At: now})
	return t, nil
}

// CheckName refuses a name that is empty, too long or holds control characters.
func CheckName(s string) error {
	bad := func(code, msg string) error {
		return fault.ErrValidation.At(fault.Field{Pointer: "/tenant/name", Code: code, Message: msg})
	}
	if strings.TrimSpace(s) == "" {
		return bad("too_short", "must not be empty")
	}
	if utf8.RuneCountInString(s) > MaxName {
		return bad("too_long", "must have at most 100 characters")
	}
	for _, r := range s {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return bad("invalid_character", "must not hold control characters")
		}
	}
	return nil
}

// CheckSlug refuses a slug that is not 3 to 40 of a-z, 0-9 and hyphen, beginning and ending in a letter or digit.
func CheckSlug(s string) error {
	ok := len(s) >= MinSlug && len(s) <= MaxSlug && s[0] != '-' && s[len(s)-1] != '-'
	for i := 0; ok && i < len(s); i++ {
		c := s[i]
		ok = c == '-' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
	}
	if !ok {
		return fault.ErrValidation.At(fault.Field{
			Pointer: "/tenant/slug", Code: "invalid_slug",
			Message: "must be 3 to 40 lower-case letters, digits or hyphens, beginning and ending in a letter or digit",
		})
	}
	return nil
}

// SlugFrom makes a slug of a name; suffix is appended when the name gives too little or is taken.
func SlugFrom(name, suffix string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case r >= 'a' && r <= 'z' || r >= '0' && r <= '9':
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	s := b.String()
	if room := MaxSlug - len(suffix) - 1; len(s) > room {
		s = s[:room]
	}
	s = strings.Trim(s, "-")
	switch {
	case s == "":
		s = "tenant"
		if suffix != "" {
			s += "-" + suffix
		}
	case suffix != "":
		s += "-" + suffix
	}
	for len(s) < MinSlug {
		s += "0"
	}
	return s
}

// slugTries bounds how many taken slugs are passed over; with four random characters even the second is rare.
const slugTries = 10

// Slugs gives the slugs to try for a name, best first: the name's own, then with four random characters, since a taken slug is no reason to refuse.
func Slugs(name string, random func(b []byte)) iter.Seq[string] {
	return func(yield func(string) bool) {
		suffix := ""
		for range slugTries {
			if !yield(SlugFrom(name, suffix)) {
				return
			}
			suffix = strings.ToLower(base62(random, slugSuffix))
		}
	}
}

// Choose picks one of a user's tenants: the one named by id or slug, else, when none is named, the last used, else the first. It looks at no other tenants, so
// one that is not the user's and one that does not exist are the same.
func Choose(mine []*Tenant, named string, last ID) (*Tenant, bool) {
	by := func(is func(*Tenant) bool) *Tenant {
		if i := slices.IndexFunc(mine, is); i >= 0 {
			return mine[i]
		}
		return nil
	}
	var t *Tenant
	if named != "" {
		t = cmp.Or(by(func(t *Tenant) bool { return string(t.id) == named }), by(func(t *Tenant) bool { return t.slug == named }))
	} else {
		t = cmp.Or(by(func(t *Tenant) bool { return t.id == last }), by(func(*Tenant) bool { return true }))
	}
	return t, t != nil
}

// Join adds a member. It fails with ErrIsMember.
func (t *Tenant) Join(u user.ID, r Role, now time.Time) error {
	if _, ok := t.RoleOf(u); ok {
		return ErrIsMember
	}
	t.members = append(t.members, Member{User: u, Role: r, Since: now})
	t.events.Record(MemberJoined{Tenant: t.id, User: u, Role: r, At: now})
	return nil
}

// ChangeRole gives a member another role. It fails with ErrNotMember, or ErrLastOwner.
func (t *Tenant) ChangeRole(u user.ID, r Role, now time.Time) error {
	i := t.index(u)
	if i < 0 {
		return ErrNotMember
	}
	if t.members[i].Role == r {
		return nil
	}
	if t.members[i].Role == Owner && t.owners() == 1 {
		return ErrLastOwner
	}
	t.members[i].Role = r
	t.events.Record(RoleChanged{Tenant: t.id, User: u, Role: r, At: now})
	return nil
}

// Remove takes a member out. It fails with ErrNotMember, or ErrLastOwner.
func (t *Tenant) Remove(u user.ID, now time.Time) error {
	i := t.index(u)
	if i < 0 {
		return ErrNotMember
	}
	if t.members[i].Role == Owner && t.owners() == 1 {
		return ErrLastOwner
	}
	t.members = slices.Delete(t.members, i, i+1)
	t.events.Record(MemberLeft{Tenant: t.id, User: u, At: now})
	return nil
}

// Close says that the tenant is gone; its store forgets it after that.
func (t *Tenant) Close(now time.Time) {
	t.events.Record(event.Noted{Name: "tenant_deleted", Subject: string(t.id), Tenant: string(t.id), At: now})
}

// RoleOf gives a member's role, false for whoever is none.
func (t *Tenant) RoleOf(u user.ID) (Role, bool) {
	if i := t.index(u); i >= 0 {
		return t.members[i].Role, true
	}
	return "", false
}

// Members lists the members, oldest first.
func (t *Tenant) Members() []Member {
	out := slices.Clone(t.members)
	slices.SortFunc(out, func(a, b Member) int {
		return cmp.Or(a.Since.Compare(b.Since), cmp.Compare(a.User, b.User))
	})
	return out
}

func (t *Tenant) index(u user.ID) int {
	return slices.IndexFunc(t.members, func(m Member) bool { return m.User == u })
}

func (t *Tenant) owners() int {
	n := 0
	for _, m := range t.members {
		if m.Role == Owner {
			n++
		}
	}
	return n
}

// ID identifies the tenant.
func (t *Tenant) ID() ID { return t.id }

// Name is what people call it.
func (t *Tenant) Name() string { return t.name }

// Slug is its unique public name.
func (t *Tenant) Slug() string { return t.slug }

// Personal reports whether it was made for one user at registration.
func (t *Tenant) Personal() bool { return t.personal }

// Events drains what happened.
func (t *Tenant) Events() []event.Event { return t.events.Drain() }

// Snapshot is a tenant as stores keep it.
type Snapshot struct {
	ID        ID
	Name      string
	Slug      string
	Personal  bool
	CreatedAt time.Time
	Members   []Member
}

// Snapshot gives the tenant for keeping.
func (t *Tenant) Snapshot() Snapshot {
	return Snapshot{t.id, t.name, t.slug, t.personal, t.createdAt, slices.Clone(t.members)}
}

// Restore makes a kept tenant anew.
func Restore(s Snapshot) *Tenant {
	return &Tenant{id: s.ID, name: s.Name, slug: s.Slug, personal: s.Personal, createdAt: s.CreatedAt, members: slices.Clone(s.Members)}
}
