package rest

func (s *Server) document() []byte { return nil }
