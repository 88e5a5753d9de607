package llm

import (
	"crypto/tls"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/forge1/forge1/ports/outbound"
)

// Defaults of ClientConfig.
const (
	DefaultConnectTimeout   = 5 * time.Second
	DefaultFirstByteTimeout = 60 * time.Second
	DefaultIdleTimeout      = 60 * time.Second
)

// ClientConfig tunes the HTTP client that all vendors share. Zero values take the defaults.
type ClientConfig struct {
	ConnectTimeout   time.Duration // for the connection, and again for TLS
	FirstByteTimeout time.Duration // from the request's last byte to the status line
	IdleTimeout      time.Duration // the longest silence within a body; any byte ends it, a keep-alive comment's included
	// Proxy chooses a proxy for a request; nil: none. The environment is bootstrap's to read.
	Proxy func(*http.Request) (*url.URL, error)
	// Clock stamps the answers that come without a Date, so that dates in Retry-After can be read, and dates the requests of vendors that sign them; nil
	// leaves answers without, and signs nothing.
	Clock outbound.Clock
}

// NewClient makes the HTTP client for upstream calls. It follows no redirect, because a redirect would carry the credential to a
// host that nobody configured; and it asks for no compression, so that a body is what the vendor sent.
func NewClient(c ClientConfig) *http.Client {
	connect := orDefault(c.ConnectTimeout, DefaultConnectTimeout)
	dialer := &net.Dialer{Timeout: connect, KeepAlive: 30 * time.Second}
	transport := &http.Transport{
		Proxy:                 c.Proxy,
		DialContext:           dialer.DialContext,
		TLSHandshakeTimeout:   connect,
		TLSClientConfig:       &tls.Config{MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:     true,
		HTTP2:                 &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
		MaxIdleConns:          4 * 256,
		MaxIdleConnsPerHost:   256,
		IdleConnTimeout:       90 * time.Second,
		ResponseHeaderTimeout: orDefault(c.FirstByteTimeout, DefaultFirstByteTimeout),
		ReadBufferSize:        4 << 10, // a stream holds both for as long as it is open
		WriteBufferSize:       8 << 10, // a usual request goes out at once
		DisableCompression:    true,
	}
	return &http.Client{
		Transport:     &patience{next: transport, idle: orDefault(c.IdleTimeout, DefaultIdleTimeout), clock: c.Clock},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

func orDefault(d, otherwise time.Duration) time.Duration {
	if d <= 0 {
		return otherwise
	}
	return d
}

// ClockOf gives the clock of a client that NewClient made with one; nil: it has none. A vendor that signs its requests needs the time.
func ClockOf(client *http.Client) outbound.Clock {
	if t, ok := client.Transport.(interface{ Clock() outbound.Clock }); ok {
		return t.Clock()
	}
	return nil
}
