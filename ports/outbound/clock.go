package outbound

import "time"

// Clock tells the time, UTC, to the microsecond. It is the only source of time, so that tests can move it.
type Clock func() time.Time

// NewID makes an entity id: a UUIDv7 (RFC 9562) in its text form.
type NewID func() string

// Random fills b with bytes fit for secrets. It does not fail: a machine without randomness cannot run.
type Random func(b []byte)

// DomainToASCII gives the ASCII form of an internationalised domain name (RFC 5891, lookup profile). It fails when there is none.
type DomainToASCII func(domain string) (string, error)
