package rest_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/forge1/forge1/adapters/rest"
	"github.com/forge1/forge1/ports/inbound"
)

// BenchmarkRelay measures a relayed call of 4 KB over a kept connection, log and metrics on, beside the cheapest route of the same server:
// the difference of their CPU times is what this layer adds to Fiber and the socket.
func BenchmarkRelay(b *testing.B) {
	body := `{"model":"openai/gpt-x","messages":[{"role":"user","content":"` + strings.Repeat("all work and no play ", 200) + `"}]}`
	reply := []byte(`{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"` + strings.Repeat("x", 1500) + `"},"finish_reason":"stop"}]}`)
	r := receipt()
	gateway := &models{execute: func(context.Context, inbound.Call) (inbound.Answer, error) {
		return inbound.Answer{Receipt: r, Body: reply}, nil
	}}
	for name, request := range map[string]string{
		"live":  "GET /api/v1/health/live HTTP/1.1\r\nHost: x\r\n\r\n",
		"whole": fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", chatPath, aiKey, len(body), body),
	} {
		b.Run(name, func(b *testing.B) {
			who := &people{}
			s := rest.New(rest.Deps{
				Auth: who, Gatekeeper: who, APIKeys: &keys{}, Sessions: &account{}, Gateway: gateway, Health: &checks{}, Logger: slog.New(slog.NewJSONHandler(io.Discard, nil)),
				Clock: time.Now, NewID: func() string { return uuid.Must(uuid.NewV7()).String() }, Observe: func(rest.Observation) {},
			}, rest.Config{PublicBaseURL: "http://localhost"})
			ln, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			go func() { _ = s.Serve(ln) }()
			defer func() { _ = s.Shutdown(context.Background()) }()
			c, err := net.Dial("tcp", ln.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			in := bufio.NewReaderSize(c, 16<<10)
			b.ReportAllocs()
			var before, after syscall.Rusage
			_ = syscall.Getrusage(syscall.RUSAGE_SELF, &before)
			for b.Loop() {
				if _, err := io.WriteString(c, request); err != nil {
					b.Fatal(err)
				}
				if err := skipAnswer(in); err != nil {
					b.Fatal(err)
				}
			}
			_ = syscall.Getrusage(syscall.RUSAGE_SELF, &after)
			cpu := after.Utime.Nano() - before.Utime.Nano() + after.Stime.Nano() - before.Stime.Nano()
			b.ReportMetric(float64(cpu)/1000/float64(b.N), "cpu-µs/op")
		})
	}
}

// skipAnswer reads one answer with a length.
func skipAnswer(in *bufio.Reader) error {
	n := 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) == 2 {
			_, err := in.Discard(n)
			return err
		}
		if digits, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			for _, d := range bytes.TrimSpace(digits) {
				n = 10*n + int(d-'0')
			}
		}
	}
}
