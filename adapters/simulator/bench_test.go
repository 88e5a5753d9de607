package simulator_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/forge1/forge1/adapters/simulator"
)

// BenchmarkEcho is one call over TCP, client included.
func BenchmarkEcho(b *testing.B) {
	for name, fields := range map[string]string{"whole": "", "stream": `,"stream":true`} {
		b.Run(name, func(b *testing.B) {
			sim, err := simulator.New(simulator.Config{Models: models})
			if err != nil {
				b.Fatal(err)
			}
			if _, err := sim.Configure(simulator.OpenAI, simulator.Behaviour{Mode: simulator.ModeEcho}); err != nil {
				b.Fatal(err)
			}
			run, err := sim.Start("127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			defer func() { _ = run.Close() }()
			client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}
			defer client.CloseIdleConnections()
			body := chatWith("gpt-4.1-mini", fields)
			b.ReportAllocs()
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					r, _ := http.NewRequestWithContext(b.Context(), http.MethodPost, run.BaseURL(simulator.OpenAI)+"/chat/completions", strings.NewReader(body))
					r.Header.Set("Content-Type", "application/json")
					authorize(r, simulator.OpenAI, "sk-test")
					res, err := client.Do(r)
					if err != nil {
						b.Error(err)
						return
					}
					_, _ = io.Copy(io.Discard, res.Body)
					res.Body.Close()
				}
			})
		})
	}
}
