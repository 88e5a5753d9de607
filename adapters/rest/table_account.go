package rest

import (
	"net/http"
	"time"

	"github.com/forge1/forge1/domain/tenant"
)

// Values of examples.
const (
	exampleEmail    = "ada@example.com"
	examplePassword = "tin whistle over cold harbour"
	exampleToken    = "kq3V0m0cB9i1WcN5Yw2rT7uXeJ4sLpZ8aHdGfK6oQvE" //nolint:gosec // opens nothing; for the document
	exampleCode     = "492039"
	exampleID       = "01940000-0000-7000-8000-0123456789ab"
)

// authPost is a route of /api/v1/auth that takes a body.
func authPost(name string, who access, r route) route {
	r.method, r.pattern, r.access, r.tag = http.MethodPost, "/api/v1/auth/"+name, who, "auth"
	r.faults = append(r.faults, http.StatusTooManyRequests, http.StatusServiceUnavailable)
	return r
}

func authRoutes() []route {
	one := "One answer for every token that is no good: 400 token_invalid."
	email := exampleEmail
	return []route{
		authPost("register", anyone, route{
			id: "register", summary: "Ask for an account", doc: "The answer is the same for every address. A mailed invitation for the address proves it.",
			body: RegisterBody{}, example: RegisterBody{Email: exampleEmail, Password: examplePassword, Username: "ada", Tenant: &TenantBody{Name: "Analytical Engines"}},
			handle: (*exchange).register, replies: []answer{
				{status: 202, doc: "A mail is on its way", body: Registered{}}, {status: 201, doc: "The invitation was good; sign in", body: Invited{}},
			},
		}),
		authPost("verify-email", anyone, route{
			id: "verify-email", summary: "Prove an address", doc: one, body: VerifyBody{}, example: VerifyBody{Token: exampleToken},
			handle: (*exchange).verifyEmail, replies: []answer{{status: 200, doc: "The account exists", body: Verified{}}},
		}),
		authPost("resend-verification", anyone, route{
			id: "resend-verification", summary: "Mail the verification link again", doc: "The answer is the same for every address.",
			body: EmailBody{}, example: EmailBody{Email: exampleEmail}, handle: (*exchange).resendVerification,
			replies: []answer{{status: 202, doc: "If an account waits for it, a mail is on its way", body: Accepted{}}},
		}),
		authPost("login", anyone, route{
			id: "login", summary: "Sign in", doc: "By exactly one of email and username.", body: LoginBody{},
			example: LoginBody{Email: &email, Password: examplePassword}, handle: (*exchange).login, faults: []int{401, 403},
			replies: []answer{
				{status: 200, doc: "Signed in, or the second factor is wanted", body: Authenticated{}}, {status: 200, body: MFARequired{}},
			},
		}),
		authPost("refresh", anyone, route{
			id: "refresh", summary: "Renew tokens", doc: "The old token works a moment longer and gives the same successor.", body: RefreshBody{},
			example: RefreshBody{RefreshToken: "fr1." + exampleToken + "." + exampleToken}, handle: (*exchange).refresh, faults: []int{401},
			replies: []answer{{status: 200, doc: "New tokens", body: Authenticated{}}},
		}),
		authPost("logout", anyone, route{
			id: "logout", summary: "Sign out", doc: "Always 204 for tokens that are unknown, expired or another's. all needs a live token.",
			body: LogoutBody{}, example: LogoutBody{All: true}, bodyOptional: true, handle: (*exchange).logout, faults: []int{401},
			replies: []answer{{status: 204, doc: "Signed out"}},
		}),
		authPost("request-password-reset", anyone, route{
			id: "request-password-reset", summary: "Mail a link that resets the password", doc: "The answer is the same for every address.",
			body: EmailBody{}, example: EmailBody{Email: exampleEmail}, handle: (*exchange).requestReset,
			replies: []answer{{status: 202, doc: "If there is an account, a mail is on its way", body: Accepted{}}},
		}),
		authPost("reset-password", anyone, route{
			id: "reset-password", summary: "Set a new password by the mailed token",
			doc:  "Every session of the user ends. The second factor stays. A password that breaks the policy does not use the token up. " + one,
			body: ResetBody{}, example: ResetBody{Token: exampleToken, NewPassword: examplePassword}, handle: (*exchange).resetPassword,
			replies: []answer{{status: 204, doc: "The password is set; sign in"}},
		}),
		authPost("change-password", signedIn, route{
			id: "change-password", summary: "Set a new password by the current one", doc: "Every other session of the user ends.",
			body: ChangePasswordBody{}, example: ChangePasswordBody{Current: "correct horse battery staple", New: examplePassword},
			handle: (*exchange).changePassword, replies: []answer{{status: 204, doc: "The password is set"}},
		}),
	}
}

func mfaRoutes() []route {
	token, code := exampleToken, exampleCode
	return []route{
		authPost("mfa/setup", signedIn, route{
			id: "mfa-setup", summary: "Begin to set a second factor up", body: ProofBody{}, example: ProofBody{Password: examplePassword},
			doc:    "Nothing changes until mfa/verify confirms it. While a second factor is on, code or recovery_code is needed too.",
			handle: (*exchange).mfaSetup, faults: []int{409}, replies: []answer{{status: 200, doc: "What the authenticator needs", body: MFASetup{}}},
		}),
		authPost("mfa/verify", optional, route{
			id: "mfa-verify", summary: "Finish a login, confirm a setup, or prove a session anew",
			doc: "Exactly one of three: mfa_token with code or recovery_code, without credential, finishes a login; setup_id and code, with a session, " +
				"confirm a setup and end every other session; code alone, with a session, proves it anew.",
			body: MFAVerifyBody{}, example: MFAVerifyBody{MFAToken: &token, Code: &code}, handle: (*exchange).mfaVerify, faults: []int{401, 403, 409},
			replies: []answer{{status: 200, doc: "New tokens", body: Authenticated{}}, {status: 200, body: MFAEnabled{}}, {status: 200, body: Reauthenticated{}}},
		}),
		authPost("mfa/disable", signedIn, route{
			id: "mfa-disable", summary: "Take the second factor away", doc: "Every session of the user ends, this one included.", body: ProofBody{},
			example: ProofBody{Password: examplePassword, Code: &code}, handle: (*exchange).mfaDisable, faults: []int{404},
			replies: []answer{{status: 204, doc: "The second factor is off; sign in"}},
		}),
		authPost("mfa/recovery-codes/regenerate", signedIn, route{
			id: "regenerate-recovery-codes", summary: "Replace the recovery codes", body: CodeProofBody{},
			example: CodeProofBody{Password: examplePassword, Code: exampleCode}, handle: (*exchange).regenerateCodes, faults: []int{404},
			replies: []answer{{status: 200, doc: "The new ones; all earlier ones are void", body: RecoveryCodes{}}},
		}),
	}
}

func sessionRoutes() []route {
	const path = "/api/v1/auth/"
	name := "ada"
	return []route{
		{
			method: http.MethodGet, pattern: path + "me", access: keyOrSame, id: "me", tag: "auth", summary: "Who am I", handle: (*exchange).me,
			replies: []answer{{status: 200, doc: "The caller", body: Me{}}},
		},
		{
			method: http.MethodPatch, pattern: path + "me", access: signedIn, id: "change-me", tag: "auth", summary: "Change username and display name",
			body: ProfileBody{}, example: ProfileBody{Username: &name}, handle: (*exchange).changeProfile, faults: []int{409},
			replies: []answer{{status: 200, doc: "The caller, changed", body: Me{}}},
		},
		{
			method: http.MethodGet, pattern: path + "sessions", access: signedIn, id: "list-sessions", tag: "auth", summary: "List your sessions",
			params: listParams(), handle: (*exchange).listSessions, replies: []answer{{status: 200, doc: "Newest first", body: List[Session]{}}},
		},
		{
			method: http.MethodDelete, pattern: path + "sessions/{id}", access: signedIn, id: "end-session", tag: "auth", summary: "End one of your sessions",
			params: []param{{in: "path", name: "id", doc: "The session's id", schema: ""}}, handle: (*exchange).endSession, faults: []int{404},
			replies: []answer{{status: 204, doc: "Ended"}},
		},
		authPost("switch-tenant", signedIn, route{
			id: "switch-tenant", summary: "Act in another tenant that you are a member of", body: SwitchBody{}, example: SwitchBody{TenantID: exampleID},
			handle: (*exchange).switchTenant, replies: []answer{{status: 200, doc: "New tokens of the same session", body: Authenticated{}}, {status: 200, body: Reauthenticated{}}},
		}),
		authPost("invites/accept", signedIn, route{
			id: "accept-invite", summary: "Join a tenant by a mailed invitation", doc: "The invitation must be for your address.", body: AcceptBody{},
			example: AcceptBody{InviteToken: exampleToken}, handle: (*exchange).acceptInvite, faults: []int{409},
			replies: []answer{{status: 204, doc: "You are a member"}},
		}),
	}
}

func keyRoutes() []route {
	const path = "/api/v1/auth/api-keys"
	id := param{in: "path", name: "id", doc: "The key's id", schema: ""}
	expires := time.Date(2030, 12, 31, 0, 0, 0, 0, time.UTC)
	return []route{
		{
			method: http.MethodGet, pattern: path, access: signedIn, id: "list-api-keys", tag: "api keys", summary: "List your API keys",
			params: listParams(), handle: (*exchange).listKeys, replies: []answer{{status: 200, doc: "Newest first", body: List[Key]{}}},
		},
		{
			method: http.MethodPost, pattern: path, access: signedIn, role: tenant.Plain, id: "create-api-key", tag: "api keys", summary: "Make an API key",
			body: KeyBody{}, example: KeyBody{Name: "ci", Scopes: []string{"ai"}, ExpiresAt: &expires}, handle: (*exchange).createKey,
			replies: []answer{{status: 201, doc: "The key, shown this once", body: NewKey{}}},
		},
		{
			method: http.MethodPost, pattern: path + "/{id}/rotate", access: signedIn, role: tenant.Plain, id: "rotate-api-key", tag: "api keys",
			summary: "Replace an API key", params: []param{id}, body: RotateBody{}, example: RotateBody{GraceSeconds: 3600}, bodyOptional: true,
			handle: (*exchange).rotateKey, replies: []answer{{status: 201, doc: "Its successor", body: NewKey{}}}, faults: []int{404, 409},
		},
		{
			method: http.MethodDelete, pattern: path + "/{id}", access: signedIn, id: "revoke-api-key", tag: "api keys",
			summary: "End an API key at once", params: []param{id}, handle: (*exchange).revokeKey,
			replies: []answer{{status: 204, doc: "Ended"}}, faults: []int{404},
		},
	}
}
