package rest_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/ports/inbound"
)

func TestWhatARequestSaysOfTheCache(t *testing.T) {
	type wish struct {
		mode   inbound.CacheMode
		maxAge time.Duration
		only   bool
	}
	tests := map[string]struct {
		headers []string
		want    wish
	}{
		"nothing":                     {nil, wish{}},
		"on":                          {[]string{"X-Forge-Cache: on"}, wish{mode: inbound.CacheOn}},
		"off":                         {[]string{"X-Forge-Cache: off"}, wish{mode: inbound.CacheOff}},
		"no-store wins over on":       {[]string{"X-Forge-Cache: on", "Cache-Control: no-store"}, wish{mode: inbound.CacheOff}},
		"no-cache":                    {[]string{"Cache-Control: no-cache"}, wish{maxAge: -1}},
		"in capitals, among others":   {[]string{"Cache-Control: foo=\"a,b\", No-Cache , bar"}, wish{maxAge: -1}},
		"max-age":                     {[]string{"Cache-Control: max-age=60"}, wish{maxAge: time.Minute}},
		"the smallest max-age counts": {[]string{"Cache-Control: max-age=60, max-age=\"30\""}, wish{maxAge: 30 * time.Second}},
		"max-age of no time":          {[]string{"Cache-Control: max-age=0"}, wish{maxAge: -1}},
		"no-cache with a max-age":     {[]string{"Cache-Control: no-cache, max-age=60"}, wish{maxAge: -1}},
		"the other way round":         {[]string{"Cache-Control: max-age=60, no-cache"}, wish{maxAge: -1}},
		"max-age that is no number":   {[]string{"Cache-Control: max-age=soon"}, wish{maxAge: -1}},
		"max-age less than nothing":   {[]string{"Cache-Control: max-age=-1"}, wish{maxAge: -1}},
		"max-age of an aeon":          {[]string{"Cache-Control: max-age=9999999999999"}, wish{maxAge: 1 << 31 * time.Second}},
		"only-if-cached":              {[]string{"Cache-Control: only-if-cached"}, wish{only: true}},
		"what nobody knows":           {[]string{"Cache-Control: min-fresh=3, =, ,max-stale"}, wish{}},
	}
	bodies := map[string]string{"/api/v1/ai/execute": `{"task":"hi"}`, "/v1/chat/completions": `{"model":"auto","messages":[{"role":"user","content":"hi"}]}`}
	for name, tt := range tests {
		for path, body := range bodies {
			t.Run(name+" "+path, func(t *testing.T) {
				w := start(t)
				var got wish
				w.models.execute = func(_ context.Context, c inbound.Call) (inbound.Answer, error) {
					got = wish{c.Cache, c.CacheMaxAge, c.CacheOnly}
					if _, err := c.Fingerprint(); err != nil {
						t.Errorf("fingerprint: %v", err)
					}
					return inbound.Answer{Receipt: receipt(), Response: chat.Said("hi", "")}, nil
				}
				if a := w.post(path, body, append([]string{aiKey}, tt.headers...)...); a.status != http.StatusOK || got != tt.want {
					t.Errorf("got %+v, want %+v; %s", got, tt.want, a)
				}
			})
		}
	}
}

func TestAnAnswerFromTheCacheSaysHowOldItIs(t *testing.T) {
	for status, want := range map[string]string{"hit": "61", "miss": "", "bypass": ""} {
		w := start(t)
		w.models.execute = func(context.Context, inbound.Call) (inbound.Answer, error) {
			r := receipt()
			r.Cache, r.Age = status, 61*time.Second+900*time.Millisecond
			return inbound.Answer{Receipt: r, Response: chat.Said("hi", "")}, nil
		}
		a := w.post("/api/v1/ai/execute", `{"task":"hi"}`, aiKey)
		if got := a.header.Get("Age"); got != want || a.header.Get("X-Forge-Cache") != status {
			t.Errorf("%s: got Age %q and X-Forge-Cache %q, want %q", status, got, a.header.Get("X-Forge-Cache"), want)
		}
	}
}
