package rest

import (
	"net/http"

	"github.com/forge1/forge1/ports/inbound"
)

// Live says that the process answers.
type Live struct {
	Status string `json:"status" enum:"live"`
}

// Health says that the process answers, and which it is.
type Health struct {
	Status  string  `json:"status" enum:"ok"`
	Version string  `json:"version"`
	Uptime  float64 `json:"uptime_s" doc:"Seconds since the start"`
}

// Ready says whether the process can do its work.
type Ready struct {
	Status     string   `json:"status" enum:"ready,unready"`
	Database   Check    `json:"database"`
	Cache      Check    `json:"cache"`
	Migrations Check    `json:"migrations"`
	Degraded   []string `json:"degraded" nullable:"false" doc:"Parts that have failed and can be done without"`
}

// Check is how one part stands.
type Check struct {
	OK      bool    `json:"ok"`
	Latency float64 `json:"latency_ms"`
	Error   *string `json:"error" doc:"A class of failure; never a host or credential"`
	Detail  string  `json:"detail,omitempty" doc:"Which store is in use"`
}

func (x *exchange) live() error { return x.reply(http.StatusOK, Live{Status: "live"}) }

func (x *exchange) health() error {
	up := x.s.deps.Clock().Sub(x.s.started)
	return x.reply(http.StatusOK, Health{Status: "ok", Version: x.s.config.Version, Uptime: up.Seconds()})
}

func (x *exchange) ready() error {
	r := x.s.deps.Health.Ready(x.ctx)
	out := Ready{
		Status: "ready", Database: checkOf(r.Database), Cache: checkOf(r.Cache), Migrations: checkOf(r.Migrations),
		Degraded: append([]string{}, r.Degraded...),
	}
	if r.Ready {
		return x.reply(http.StatusOK, out)
	}
	out.Status = "unready"
	x.fc.Response.Header.Set("Retry-After", "1")
	return x.reply(http.StatusServiceUnavailable, out)
}

func checkOf(c inbound.Check) Check {
	out := Check{OK: c.OK, Latency: millis(c.Latency), Detail: c.Detail}
	if c.Error != "" {
		out.Error = &c.Error
	}
	return out
}
