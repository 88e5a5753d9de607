package simulator

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// Running is a simulator that listens.
type Running struct {
	addr string
	stop context.CancelFunc
	http *http.Server
	done chan error
}

// Start listens on addr, such as 127.0.0.1:0, and serves until Close. A simulator is started once.
func (s *Server) Start(addr string) (*Running, error) {
	var config net.ListenConfig
	listener, err := config.Listen(s.base, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("start the simulator: %w", err)
	}
	r := &Running{
		addr: listener.Addr().String(), stop: s.close, done: make(chan error, 1),
		http: &http.Server{Handler: s.Handler(), ReadHeaderTimeout: 10 * time.Second, MaxHeaderBytes: 64 << 10},
	}
	go func() {
		r.done <- r.http.Serve(listener)
		close(r.done)
	}()
	return r, nil
}

// Addr is the host and port that is listened on.
func (r *Running) Addr() string { return r.addr }

// BaseURL is where a vendor is served: the value of its BASE_URL variable.
func (r *Running) BaseURL(vendor string) string { return "http://" + r.addr + BasePath(vendor) }

// grace is how long Close waits for calls, which all end at once.
const grace = time.Second

// Close ends every call under way, closes every connection and waits for both.
func (r *Running) Close() error {
	r.stop()
	ctx, cancel := context.WithTimeout(context.Background(), grace)
	defer cancel()
	err := r.http.Shutdown(ctx)
	if err != nil {
		err = r.http.Close()
	}
	if served := <-r.done; !errors.Is(served, http.ErrServerClosed) { // nil when Close is called again
		err = errors.Join(err, served)
	}
	return err
}
