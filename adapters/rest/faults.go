package rest

import "github.com/forge1/forge1/domain/fault"

// The sentinels of this package: what is wrong with a request before the application is asked.
var (
	errUnreadable   = fault.New(fault.Malformed, "malformed", "the request cannot be read")
	errTooSlow      = fault.New(fault.Timeout, "request_timeout", "the request did not arrive in time")
	errHeadTooLarge = fault.New(fault.TooLarge, "headers_too_large", "the request headers are too large")
	errBodyTooLarge = fault.New(fault.TooLarge, "body_too_large", "the request body is too large for this route")
	errMediaType    = fault.New(fault.MediaType, "unsupported_media_type", "send Content-Type: application/json")
	errEncoding     = fault.New(fault.MediaType, "unsupported_encoding", "send the body without Content-Encoding")
	errNoRoute      = fault.New(fault.NotFound, "not_found", "there is nothing at this path")
	errMethod       = fault.New(fault.Method, "method_not_allowed", "this path does not take this method; see Allow")
	errNoCredential = fault.New(fault.Unauthenticated, "unauthenticated", "send one credential: Authorization: Bearer <access token or API key>")
	errNoKey        = errNoCredential.Saying("send one credential: x-api-key: <API key or access token>, or Authorization: Bearer <the same>")
	errScope        = fault.New(fault.Forbidden, "insufficient_scope", "this API key does not reach here")
	errSessionOnly  = fault.New(fault.Forbidden, "session_required", "sign in for this; API keys do not reach here")
	errTenant       = fault.New(fault.Forbidden, "tenant_mismatch", "the credential belongs to another tenant than the one named")
	errRole         = fault.New(fault.Forbidden, "role_insufficient", "your role in this tenant does not allow it")
	errContext      = fault.New(fault.Malformed, "malformed", "send exactly one of: mfa_token and a code, without credential; a session with setup_id and code; a session with code")
	errProof        = fault.New(fault.Malformed, "malformed", "send exactly one of code and recovery_code")
	errNoProof      = fault.New(fault.Malformed, "missing_field", "a proof is missing; see errors")
	errForeignPage  = fault.New(fault.Forbidden, "forbidden", "this is for the pages of this installation alone")
	errForeignPart  = fault.New(fault.Invalid, "unsupported_by_provider", "a part of the content cannot be sent to the provider that serves this call")
	errInternal     = fault.New(fault.Internal, "internal", "something went wrong here; the request id finds it in the log")
	errGone         = fault.New(fault.Canceled, "canceled", "the caller left")
	errStopping     = fault.New(fault.Unavailable, "busy", "the server is shutting down; try again")
)
