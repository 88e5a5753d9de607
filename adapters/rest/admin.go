package rest

import (
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/inbound"
)

// AuditLine is one line of the audit log.
type AuditLine struct {
	ID        string            `json:"id"`
	At        time.Time         `json:"at"`
	Event     string            `json:"event"`
	ActorID   *string           `json:"actor_id" doc:"The user that acted; null for the installation itself"`
	KeyID     *string           `json:"key_id" doc:"The API key that it acted with"`
	SubjectID *string           `json:"subject_id" doc:"What it acted on"`
	SessionID *string           `json:"session_id"`
	Reason    string            `json:"reason,omitempty"`
	RequestID string            `json:"request_id,omitempty"`
	TraceID   string            `json:"trace_id,omitempty"`
	IP        string            `json:"ip,omitempty"`
	UserAgent string            `json:"user_agent,omitempty"`
	Detail    map[string]string `json:"detail" nullable:"false"`
}

func (x *exchange) audit() error {
	q, err := x.auditQuery()
	if err != nil {
		return err
	}
	limit := q.Limit
	q.Limit++ // one more tells whether there is another page
	lines, err := x.s.deps.Audit.List(x.ctx, x.caller, q)
	if err != nil {
		return err
	}
	id := func(l *inbound.AuditLine) string { return l.ID }
	return x.reply(http.StatusOK, pageOf(lines, limit, id, func(l *inbound.AuditLine) AuditLine { return auditLineOf(*l) }))
}

func (x *exchange) auditQuery() (inbound.AuditQuery, error) {
	var out inbound.AuditQuery
	const must = "must be a name or an id"
	err := x.filters(filter{"event", &out.Event, auditFilter, must}, filter{"actor", &out.Actor, auditFilter, must}, filter{"subject", &out.Subject, auditFilter, must})
	if err != nil {
		return out, err
	}
	if out.From, err = x.queryTime("from"); err != nil {
		return out, err
	}
	if out.To, err = x.queryTime("to"); err != nil {
		return out, err
	}
	err = x.window(&out.Limit, &out.Before)
	return out, err
}

func auditLineOf(l inbound.AuditLine) AuditLine {
	detail := maps.Clone(l.Detail)
	if detail == nil {
		detail = map[string]string{}
	}
	return AuditLine{
		ID: l.ID, At: l.At.UTC(), Event: l.Event, ActorID: orNull(l.ActorID), KeyID: orNull(l.KeyID), SubjectID: orNull(l.SubjectID),
		SessionID: orNull(l.SessionID), Reason: l.Reason, RequestID: l.RequestID, TraceID: l.TraceID, IP: l.IP, UserAgent: l.UserAgent, Detail: detail,
	}
}

func (x *exchange) deleteUser() error {
	if err := x.s.deps.Platform.DeleteUser(x.ctx, x.caller, user.ID(x.pathParam("id"))); err != nil {
		return err
	}
	return x.empty()
}

// jwks gives the public signing keys. Verifiers may keep them for as long as a new key is published ahead of its use.
func (x *exchange) jwks() error {
	b, err := x.s.deps.Keys.JWKS()
	if err != nil {
		return err
	}
	r := &x.fc.Response
	r.Header.Set("Cache-Control", "public, max-age=600")
	r.Header.SetContentType(typeJSON)
	r.SetBodyRaw(b)
	return nil
}

// adminPath is where a tenant's administrators work, and tenantPath where platform administrators do the same in any tenant.
const (
	adminPath  = "/api/v1/admin/"
	tenantPath = adminPath + "tenants/{tenant_id}/"
)

// inAnyTenant adds to each route of a tenant its twin for platform administrators.
func inAnyTenant(routes []route) []route {
	out := routes
	for _, r := range routes {
		r.pattern = tenantPath + strings.TrimPrefix(strings.TrimPrefix(r.pattern, adminPath), "/api/v1/")
		r.access, r.scope, r.id, r.tag = platform, "", r.id+"-of-tenant", "platform"
		r.summary += ", of any tenant"
		r.params = append([]param{{in: "path", name: "tenant_id", doc: "The tenant's id", schema: ""}}, r.params...)
		r.faults = append([]int{http.StatusNotFound}, r.faults...)
		out = append(out, r)
	}
	return out
}
