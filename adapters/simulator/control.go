package simulator

import (
	"errors"
	"io"
	"net/http"
	"strings"
)

type controlProblem struct {
	Error string `json:"error"`
}

func writeControl(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(append(encode(v), '\n'))
}

// control serves /_sim/stats and /_sim/{vendor}.
func (s *Server) control(w http.ResponseWriter, r *http.Request, path string) {
	if path == "stats" {
		if r.Method != http.MethodGet {
			refuseMethod(w, "GET")
			return
		}
		writeControl(w, http.StatusOK, s.Stats())
		return
	}
	v, known := s.vendors[path]
	if !known {
		writeControl(w, http.StatusNotFound, controlProblem{"no such control path; there are /_sim/stats and /_sim/{" + strings.Join(Vendors(), ",") + "}"})
		return
	}
	switch r.Method {
	case http.MethodGet:
	case http.MethodDelete:
		v.reset()
	case http.MethodPut:
		if status, problem := v.configure(w, r); problem != nil {
			writeControl(w, status, controlProblem{problem.Error()})
			return
		}
	default:
		refuseMethod(w, "GET, PUT, DELETE")
		return
	}
	writeControl(w, http.StatusOK, v.behaves.Load().Behaviour)
}

func refuseMethod(w http.ResponseWriter, allow string) {
	w.Header().Set("Allow", allow)
	writeControl(w, http.StatusMethodNotAllowed, controlProblem{"the method must be one of " + allow})
}

func (v *vendor) configure(w http.ResponseWriter, r *http.Request) (status int, problem error) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxControl))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return http.StatusRequestEntityTooLarge, errors.New("the body is too large")
	}
	if err != nil {
		return http.StatusBadRequest, errors.New("the body could not be read")
	}
	b, err := readBehaviour(body)
	if err != nil {
		return http.StatusBadRequest, err
	}
	v.behaves.Store(newConduct(b))
	return http.StatusOK, nil
}
