package rest

import "net/http"

// policyRoutes lists what administrators of a tenant do to its routing, the same for platform administrators in any tenant.
func policyRoutes() []route {
	r := func(method, path string, of route) route {
		of.method, of.pattern, of.access, of.tag = method, adminPath+path, administers, "router"
		return of
	}
	flag := []param{{in: "path", name: "name", doc: "The flag's name", schema: ""}}
	alias := []param{{in: "path", name: "name", doc: "The alias", schema: ""}}
	match := []param{{in: "header", name: "If-Match", doc: "The ETag that was read, a list of such, or *; 428 without", schema: ""}}
	weight := 3.0
	policy := RoutingPolicyBody{
		Weights: &Weights{Cost: 1, Latency: 0.01, SLOPenalty: 0.5}, FallbackOrder: []string{"openrouter", "openai", "claude", "gemini"},
		Routes: &Routes{CodeGeneration: []Target{{Provider: "claude", Model: "claude-haiku-4-5"}}}, AllowedModels: []string{},
	}
	return inAnyTenant([]route{
		r(http.MethodGet, "flags", route{
			id: "list-flags", summary: "List the flags that are set", params: listParams(), handle: (*exchange).listFlags,
			replies: []answer{{status: 200, doc: "By name", body: List[Flag]{}}},
		}),
		r(http.MethodGet, "flags/router", route{
			id: "router-flags", summary: "Names of the flags that steer routing", handle: (*exchange).routerFlags,
			replies: []answer{{status: 200, doc: "A force and a disable flag for every provider", body: FlagNames{}}},
		}),
		r(http.MethodPut, "flags/{name}", route{
			id: "set-flag", summary: "Turn a flag on or off",
			doc:    "At most one provider is forced at a time: a second is 409 force_conflict. Force beats disable.",
			params: flag, body: FlagBody{}, example: FlagBody{Enabled: true}, handle: (*exchange).setFlag, faults: []int{404, 409},
			replies: []answer{{status: 200, doc: "The flag", body: Flag{}}},
		}),
		r(http.MethodDelete, "flags/{name}", route{
			id: "clear-flag", summary: "Put a flag back to its default, which is off", params: flag, handle: (*exchange).clearFlag, faults: []int{404},
			replies: []answer{{status: 204, doc: "Off"}},
		}),
		r(http.MethodGet, "routing-policy", route{
			id: "routing-policy", summary: "The routing policy", handle: (*exchange).routingPolicy,
			replies: []answer{{status: 200, doc: "As it is", body: RoutingPolicy{}, headers: []string{"ETag"}}},
		}),
		r(http.MethodPut, "routing-policy", route{
			id: "set-routing-policy", summary: "Set the terms of the routing policy",
			doc:    "If-Match names the version that the change was made from; 412 when it has changed since. What is left out gets its default.",
			params: match, body: RoutingPolicyBody{}, most: policyBody, example: policy, handle: (*exchange).revisePolicy, faults: []int{412, 428},
			replies: []answer{{status: 200, doc: "The policy, changed", body: RoutingPolicy{}, headers: []string{"ETag"}}},
		}),
		r(http.MethodGet, "aliases", route{
			id: "list-aliases", summary: "List the aliases", params: listParams(), handle: (*exchange).listAliases,
			replies: []answer{{status: 200, doc: "By name, those of the installation too", body: List[Alias]{}}},
		}),
		r(http.MethodGet, "aliases/{name}", route{
			id: "alias", summary: "What an alias stands for", params: alias, handle: (*exchange).alias, faults: []int{404},
			replies: []answer{{status: 200, doc: "The alias", body: Alias{}}},
		}),
		r(http.MethodPut, "aliases/{name}", route{
			id: "set-alias", summary: "Make a name stand for targets", doc: "It can be used as a model everywhere at once.", params: alias, body: AliasBody{},
			example: AliasBody{Mode: "weighted", Targets: []AliasTarget{
				{Provider: "openai", Model: "gpt-4o-mini", Weight: &weight}, {Provider: "claude", Model: "claude-haiku-4-5"},
			}},
			handle: (*exchange).setAlias, faults: []int{404}, replies: []answer{{status: 200, doc: "The alias", body: Alias{}}},
		}),
		r(http.MethodDelete, "aliases/{name}", route{
			id: "remove-alias", summary: "Take an alias of the tenant's own away", params: alias, handle: (*exchange).removeAlias, faults: []int{404},
			replies: []answer{{status: 204, doc: "Gone"}},
		}),
	})
}
