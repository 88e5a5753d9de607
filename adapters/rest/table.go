package rest

import "net/http"

// table lists every route.
func (s *Server) table() []route {
	return s.healthRoutes()
}

func (s *Server) healthRoutes() []route {
	return []route{
		{
			method: http.MethodGet, pattern: "/api/v1/health", access: anyone, id: "health", tag: "health",
			summary: "Is it running, and which version", handle: (*exchange).health,
			replies: []answer{{status: 200, doc: "It is running", body: Health{}}},
		},
		{
			method: http.MethodGet, pattern: "/api/v1/health/live", access: anyone, id: "health-live", tag: "health",
			summary: "Does the process answer", handle: (*exchange).live,
			replies: []answer{{status: 200, doc: "It does", body: Live{}}},
		},
		{
			method: http.MethodGet, pattern: "/api/v1/health/ready", access: anyone, id: "health-ready", tag: "health",
			summary: "Can it do its work", doc: "Only the database and its migrations decide; a failed cache is listed under degraded.",
			handle: (*exchange).ready,
			replies: []answer{
				{status: 200, doc: "It can", body: Ready{}},
				{status: 503, doc: "It cannot", body: Ready{}},
			},
		},
	}
}
