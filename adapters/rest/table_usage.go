package rest

import "net/http"

// usageRoutes lists how a tenant asks what it used. Platform administrators may ask of any tenant.
func usageRoutes() []route {
	const seen = "Owners and admins see the whole tenant, and so does a key of theirs with the scope admin; any other session sees its user's own calls, and any " +
		"other key its own."
	r := func(path string, of route) route {
		of.method, of.pattern, of.access, of.tag = http.MethodGet, "/api/v1/"+path, keyOrSame, "usage"
		return of
	}
	from := param{in: "query", name: "from", doc: "At or after this time (RFC 3339), or from the beginning of this day of UTC (2006-01-02)", schema: ""}
	to := param{in: "query", name: "to", doc: "Before this time (RFC 3339), or until the end of this day of UTC (2006-01-02)", schema: ""}
	sums, rows := from, from
	sums.doc += "; without it and to: the last 30 days, today included"
	return inAnyTenant([]route{
		r("usage", route{
			id: "usage", summary: "What was used, and what it cost", handle: (*exchange).usage,
			doc: seen + " A call of several tags counts in the group of each.",
			params: append(listParams(), sums, to, param{
				in: "query", name: "group_by", doc: "One to three of day, model, provider, task_type, member, key and tag, separated by commas; day when absent", schema: "",
			}),
			replies: []answer{{status: 200, doc: "By the groups' values, in their order", body: List[UsageGroup]{}}},
		}),
		r("usage/calls", route{
			id: "usage-calls", summary: "List the calls", handle: (*exchange).usageCalls,
			doc: seen + " Neither prompts nor answers are kept.",
			params: append(listParams(), rows, to,
				param{in: "query", name: "outcome", doc: "ok, or the code of the failure", schema: ""},
				param{in: "query", name: "provider", doc: "Served by this provider", schema: ""},
				param{in: "query", name: "model", doc: "Served by this model", schema: ""},
				param{in: "query", name: "task_type", doc: "Of this task type alone", schema: "", enum: taskTypes()},
				param{in: "query", name: "member", doc: "Made by this user", schema: ""},
				param{in: "query", name: "key", doc: "Made with this API key", schema: ""},
				param{in: "query", name: "tag", doc: "With this tag", schema: ""},
				param{in: "query", name: "end_user", doc: "On behalf of this end user", schema: ""},
			),
			replies: []answer{{status: 200, doc: "Newest first", body: List[CallRow]{}}},
		}),
	})
}
