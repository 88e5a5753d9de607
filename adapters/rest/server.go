package rest

import (
	"errors"
	"net"
	"slices"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/forge1/forge1/domain/fault"
)

// headerBuffer bounds a request's head; more is 431.
const headerBuffer = 16 << 10

// unmatched stands for the pattern of requests that no route takes.
const unmatched = "(unmatched)"

// newApp sets Fiber and fasthttp up. Immutable stays off, so whatever outlives a handler is copied.
func (s *Server) newApp() *fiber.App {
	app := fiber.New(fiber.Config{
		AppName:                      "forge1",
		DisableStartupMessage:        true,
		CaseSensitive:                true,
		StrictRouting:                true,
		DisablePreParseMultipartForm: true,
		BodyLimit:                    s.config.MaxBodyBytes,
		ReadBufferSize:               headerBuffer,
		ReadTimeout:                  s.config.HeaderTimeout,
		IdleTimeout:                  s.config.IdleTimeout,
		ErrorHandler:                 s.fiberError,
	})
	server := app.Server()
	server.ErrorHandler = s.unreadable
	server.HeaderReceived = s.bounds
	server.CloseOnShutdown = true
	server.SecureErrorLogMessage = true
	handler := server.Handler
	server.Handler = func(fc *fasthttp.RequestCtx) {
		if slices.Contains(fiber.DefaultMethods, string(fc.Method())) {
			handler(fc)
			return
		}
		s.unmatched(fc) // Fiber would answer in its own words
	}
	return app
}

// fiberError is reached only by what Fiber itself refuses; a handler renders its own failures.
func (s *Server) fiberError(c *fiber.Ctx, err error) error {
	s.begin(c.Context(), &route{pattern: unmatched}).end(fault.New(fault.Internal, "", "").With(err))
	return nil
}

// bounds gives each path its body limit and its time for the body, before the body is read.
func (s *Server) bounds(h *fasthttp.RequestHeader) fasthttp.RequestConfig {
	path := string(pathOf(h.RequestURI()))
	if !s.large[path] {
		most := smallBody
		for _, r := range s.wider {
			if string(h.Method()) == r.method && matches(r.pattern, path) {
				most = r.most
			}
		}
		return fasthttp.RequestConfig{MaxRequestBodySize: most} // within the time for the headers
	}
	return fasthttp.RequestConfig{MaxRequestBodySize: s.config.MaxBodyBytes, ReadTimeout: s.config.BodyTimeout}
}

// unreadable answers a request that could not be read. fasthttp's error quotes the request, credentials included, so nothing of it is
// sent or logged.
func (s *Server) unreadable(fc *fasthttp.RequestCtx, err error) {
	if c, ok := fc.Conn().(*conn); ok {
		c.linger.Store(true)
	}
	var timeout net.Error
	f := errUnreadable
	switch {
	case errors.As(err, new(*fasthttp.ErrSmallBuffer)):
		f = errHeadTooLarge
	case errors.Is(err, fasthttp.ErrBodyTooLarge) && len(fc.Request.Header.ContentEncoding()) > 0:
		f = errEncoding // no size would do
	case errors.Is(err, fasthttp.ErrBodyTooLarge):
		f = errBodyTooLarge
	case errors.As(err, &timeout) && timeout.Timeout():
		f = errTooSlow
	}
	s.begin(fc, &route{pattern: unmatched}).end(f)
}
