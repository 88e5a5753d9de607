package rest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/tenant"
	"github.com/forge1/forge1/ports/inbound"
)

// access says who may call a route. The zero value says nothing, and New refuses it.
type access uint8

const (
	unsaid      access = iota
	anyone             // no credential is looked at
	optional           // nobody or a session, by what the request holds; the handler asks for it
	signedIn           // people: a session
	keyOrSame          // a session, or any API key
	scopedKey          // a session, or an API key that has the route's scope
	administers        // a session, or an API key with the scope admin, of an owner or admin of the tenant
	platform           // a session of a platform administrator
	firstUnset         // one past the last
)

// said reports whether the route says who may call it, and nothing that contradicts it.
func (r *route) said() bool {
	return r.access > unsaid && r.access < firstUnset && (r.access == scopedKey) == (r.scope != "") && r.handle != nil
}

// permit says whether the route takes a caller. Nothing else decides that before the application does.
func (r *route) permit(c inbound.Caller) error {
	key := c.KeyID != ""
	switch r.access {
	case optional, signedIn:
		if key {
			return errSessionOnly
		}
	case scopedKey:
		if !c.May(r.scope) {
			return errScope.Saying("this API key lacks the scope " + string(r.scope))
		}
	case administers:
		if !c.May(tenant.ScopeAdmin) {
			return errScope.Saying("this API key lacks the scope " + string(tenant.ScopeAdmin))
		}
		if !c.Role.Administers() {
			return errRole
		}
	case platform:
		if key {
			return errSessionOnly
		}
		if !c.Platform {
			return errRole.Saying("only a platform administrator may do this")
		}
	}
	if r.role != "" && !c.Role.AtLeast(r.role) {
		return errRole
	}
	return nil
}

// kind is a kind of caller that the table of rights tells apart.
type kind struct {
	name string
	as   *inbound.Caller // nil: nobody
}

// kinds lists them. Keys act with the role of whoever made them.
func kinds() []kind {
	session := func(r tenant.Role) *inbound.Caller { return &inbound.Caller{SessionID: "s", Role: r} }
	key := func(r tenant.Role, s tenant.Scope) *inbound.Caller {
		return &inbound.Caller{KeyID: "k", Role: r, Scopes: []tenant.Scope{s}}
	}
	platformAdmin := session(tenant.Viewer)
	platformAdmin.Platform = true
	return []kind{
		{"none", nil},
		{"viewer", session(tenant.Viewer)},
		{"member", session(tenant.Plain)},
		{"admin", session(tenant.Admin)},
		{"owner", session(tenant.Owner)},
		{"key:ai", key(tenant.Admin, tenant.ScopeAI)},
		{"key:router", key(tenant.Admin, tenant.ScopeRouter)},
		{"key:admin", key(tenant.Admin, tenant.ScopeAdmin)},
		{"key:admin-of-member", key(tenant.Plain, tenant.ScopeAdmin)},
		{"platform", platformAdmin},
	}
}

// verdict says what a kind of caller meets at the route: allowed, or the status and code of the refusal.
func (r *route) verdict(k kind) string {
	var err error
	switch {
	case k.as != nil:
		err = r.permit(*k.as)
	case r.access != anyone && r.access != optional:
		err = errNoCredential
	}
	if f, ok := errors.AsType[*fault.Error](err); ok {
		return fmt.Sprintf("%d %s", statusOf(f), f.Code)
	}
	return "allowed"
}

// verdicts lists what every kind of caller meets, for the document.
func (r *route) verdicts() map[string]string {
	out := map[string]string{}
	for _, k := range kinds() {
		out[k.name] = r.verdict(k)
	}
	return out
}

// admitCaller checks the credential against what the route asks for.
func (x *exchange) admitCaller() error {
	if x.route.access == anyone || x.route.access == optional {
		return nil
	}
	return x.identifyCaller()
}

// identifyCaller finds out who calls and whether the route takes them. A route below a tenant's path acts in that tenant.
func (x *exchange) identifyCaller() error {
	credential, err := x.credential()
	if err != nil {
		return err
	}
	caller, err := x.s.deps.Gatekeeper.Authenticate(x.ctx, credential)
	if err != nil {
		return err
	}
	x.caller = caller
	if x.route.account {
		if err := x.s.deps.Sessions.Pace(x.ctx, caller); err != nil {
			return err
		}
	}
	if err := x.route.permit(caller); err != nil {
		return x.refused(err)
	}
	if strings.HasPrefix(x.route.pattern, tenantPath) {
		if x.caller, err = x.s.deps.Platform.In(x.ctx, caller, tenant.ID(x.pathParam("tenant_id"))); err != nil {
			return err
		}
	}
	return x.sameTenant()
}

// refused gives the answer of a refusal. That of a role is kept: whoever tries doors is worth knowing.
func (x *exchange) refused(err error) error {
	if !errors.Is(err, errRole) {
		return err
	}
	if noted := x.s.deps.Audit.Refused(x.ctx, x.caller, x.route.id); !errors.Is(noted, errRole) {
		return noted
	}
	return err
}
