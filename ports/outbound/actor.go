package outbound

import "context"

// Actor is who acts and from where, for the audit log. What is not known stays empty. It never holds a credential.
type Actor struct {
	UserID    string
	TenantID  string
	SessionID string
	KeyID     string
	RequestID string
	TraceID   string
	IP        string
	Agent     string
}

type actorKey struct{}

// WithActor says for the rest of a request who acts; stores put it beside every event they keep.
func WithActor(ctx context.Context, a Actor) context.Context {
	return context.WithValue(ctx, actorKey{}, a)
}

// ActorOf gives who acts; the zero Actor is the installation itself.
func ActorOf(ctx context.Context) Actor {
	a, _ := ctx.Value(actorKey{}).(Actor)
	return a
}
