package rest

import "net/http"

// adminRoutes lists what administrators of a tenant do, the same for platform administrators in any tenant, and what these alone do.
func adminRoutes() []route {
	r := func(method, path string, of route) route {
		of.method, of.pattern, of.access, of.tag = method, adminPath+path, administers, "admin"
		return of
	}
	member := []param{{in: "path", name: "user_id", doc: "The member's user id", schema: ""}}
	invite := []param{{in: "path", name: "id", doc: "The invitation's id", schema: ""}}
	routes := inAnyTenant([]route{
		r(http.MethodGet, "members", route{
			id: "list-members", summary: "List the members", params: listParams(), handle: (*exchange).listMembers,
			replies: []answer{{status: 200, doc: "Oldest first", body: List[Member]{}}},
		}),
		r(http.MethodPatch, "members/{user_id}", route{
			id: "change-role", summary: "Give a member another role", doc: "An admin neither makes owners nor touches one.", params: member, body: RoleBody{},
			example: RoleBody{Role: "viewer"}, handle: (*exchange).changeRole, faults: []int{404, 409},
			replies: []answer{{status: 200, doc: "The member, changed", body: Member{}}},
		}),
		r(http.MethodDelete, "members/{user_id}", route{
			id: "remove-member", summary: "Take a member out", doc: "The member's sessions and API keys in the tenant end.", params: member,
			handle: (*exchange).removeMember, faults: []int{404, 409}, replies: []answer{{status: 204, doc: "Out"}},
		}),
		r(http.MethodGet, "invites", route{
			id: "list-invites", summary: "List the open invitations", params: listParams(), handle: (*exchange).listInvites,
			replies: []answer{{status: 200, doc: "Newest first", body: List[Invite]{}}},
		}),
		r(http.MethodPost, "invites", route{
			id: "invite", summary: "Mail an invitation", body: InviteBody{}, example: InviteBody{Email: "grace@example.com", Role: "member"},
			handle: (*exchange).invite, faults: []int{409, 429}, replies: []answer{{status: 201, doc: "The invitation; its token is in the mail alone", body: Invite{}}},
		}),
		r(http.MethodDelete, "invites/{id}", route{
			id: "revoke-invite", summary: "Take an invitation back", params: invite, handle: (*exchange).revokeInvite, faults: []int{404},
			replies: []answer{{status: 204, doc: "Taken back"}},
		}),
		r(http.MethodGet, "audit", route{
			id: "audit", summary: "What happened in the tenant", handle: (*exchange).audit, params: append(listParams(),
				param{in: "query", name: "event", doc: "Lines of this event alone", schema: ""},
				param{in: "query", name: "actor", doc: "What this user did", schema: ""},
				param{in: "query", name: "subject", doc: "What happened to this", schema: ""},
				param{in: "query", name: "from", doc: "At or after this time (RFC 3339)", schema: ""},
				param{in: "query", name: "to", doc: "Before this time (RFC 3339)", schema: ""},
			),
			replies: []answer{{status: 200, doc: "Newest first", body: List[AuditLine]{}}},
		}),
	})
	return append(routes, route{
		method: http.MethodDelete, pattern: adminPath + "users/{id}", access: platform, id: "delete-user", tag: "platform",
		summary: "Forget a user", doc: "Sessions, API keys, factors and memberships go; audit lines stay.",
		params: []param{{in: "path", name: "id", doc: "The user's id", schema: ""}}, handle: (*exchange).deleteUser, faults: []int{404, 409},
		replies: []answer{{status: 204, doc: "Gone"}},
	}, route{
		method: http.MethodGet, pattern: "/.well-known/jwks.json", access: anyone, id: "jwks", tag: "auth", summary: "The public keys of access tokens",
		handle: (*exchange).jwks, replies: []answer{{status: 200, doc: "A JSON Web Key Set (RFC 7517)", body: keySet{}}}, faults: []int{503},
	})
}
