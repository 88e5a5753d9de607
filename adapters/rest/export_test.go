package rest

// Access gives what every kind of caller meets at every route, pages included, by "METHOD pattern" and the kind's name.
func (s *Server) Access() map[string]map[string]string {
	out := map[string]map[string]string{}
	for i := range s.routes {
		out[s.routes[i].method+" "+s.routes[i].pattern] = s.routes[i].verdicts()
	}
	return out
}

// Example gives a body that would do for a route; nil where it takes none.
func (s *Server) Example(route string) any {
	for i := range s.routes {
		if r := &s.routes[i]; r.method+" "+r.pattern == route {
			return r.example
		}
	}
	return nil
}

// Documented reports whether a route is part of the document.
func (s *Server) Documented(route string) bool {
	for i := range s.routes {
		if r := &s.routes[i]; r.method+" "+r.pattern == route {
			return !r.hidden
		}
	}
	return false
}
