package auth

import (
	"encoding/hex"
	"net/netip"
	"strings"
	"time"

	"github.com/forge1/forge1/domain/session"
	"github.com/forge1/forge1/domain/user"
	"github.com/forge1/forge1/ports/outbound"
)

// limit is how often something may happen, under a name.
type limit struct {
	name   string
	most   int
	window time.Duration
	growth time.Duration // not zero: waits that double, in place of the rest of the window
	every  bool          // all count, not only what failed
	shown  bool          // the caller may know how it stands; how an account stands would tell of others' guesses
	locks  bool          // reaching it shuts an account out for a while
}

// The limits.
var (
	loginPair      = limit{name: "login-pair", most: 5, window: 15 * time.Minute, locks: true} // an account, from one network
	loginAccount   = limit{name: "login-account", most: 30, window: 15 * time.Minute, growth: 30 * time.Second, locks: true}
	loginIP        = limit{name: "login-ip", most: 60, window: 15 * time.Minute, shown: true}
	otpUser        = limit{name: "otp-user", most: 10, window: 15 * time.Minute, locks: true} // codes at login, setup, step-up and proof together
	resetIP        = limit{name: "reset-ip", most: 10, window: time.Hour, every: true, shown: true}
	tokenIP        = limit{name: "token-ip", most: 20, window: time.Minute, shown: true}  // tokens that are none
	registerIP     = limit{name: "register-ip", most: 10, window: time.Hour, shown: true} // what was done, good or not
	refreshSession = limit{name: "refresh-session", most: 60, window: time.Minute, every: true, shown: true}
	sessionPace    = limit{name: "session", most: 600, window: time.Minute, every: true, shown: true}
	keyPace        = limit{name: "api-key", most: 600, window: time.Minute, every: true, shown: true} // where it may go beside models

	limits = named(loginPair, loginAccount, loginIP, otpUser, resetIP, tokenIP, registerIP, refreshSession, sessionPace, keyPace)
)

func named(all ...limit) map[string]limit {
	by := map[string]limit{}
	for _, l := range all {
		by[l.name] = l
	}
	return by
}

// bucket makes the bucket of a limit for whom it is about. Its key names nobody.
func (s *Service) bucket(l limit, about ...string) outbound.Bucket {
	_, mac := s.Keyring.MAC(labelThrottle, []byte(l.name+"\x00"+strings.Join(about, "\x00")))
	return outbound.Bucket{Key: l.name + ":" + hex.EncodeToString(mac[:16]), Limit: l.most, Window: l.window, Growth: l.growth, Every: l.every}
}

// ofNetwork makes the bucket of a limit for the network of an address.
func (s *Service) ofNetwork(l limit, ip string) outbound.Bucket { return s.bucket(l, network(ip)) }

// ofUser makes the bucket of a limit for a user.
func (s *Service) ofUser(l limit, u user.ID) outbound.Bucket { return s.bucket(l, account(u)) }

// ofSession makes the bucket of a limit for a session.
func (s *Service) ofSession(l limit, id session.ID) outbound.Bucket { return s.bucket(l, string(id)) }

// account names the account of a user in a bucket, however it was called.
func account(u user.ID) string { return "user\x00" + string(u) }

// stranger names, in a bucket, an account that is none.
func stranger(identifier string) string { return "name\x00" + identifier }

// passwordBuckets are those that a guess of an account's password from an address counts in. A right one begins them anew.
func (s *Service) passwordBuckets(account, ip string) []outbound.Bucket {
	return []outbound.Bucket{s.bucket(loginPair, account, network(ip)), s.bucket(loginAccount, account)}
}

// network is what of an address one customer of a network usually has: IPv4 whole, of IPv6 the first 64 bits.
func network(ip string) string {
	addr, err := netip.ParseAddr(ip)
	if err != nil {
		return ip
	}
	addr = addr.Unmap()
	if addr.Is4() {
		return addr.String()
	}
	prefix, _ := addr.Prefix(64) // 64 bits are never too many for IPv6; a zone is left out
	return prefix.String()
}

// limitOf gives the limit that a bucket is of.
func limitOf(b outbound.Bucket) limit {
	name, _, _ := strings.Cut(b.Key, ":")
	return limits[name]
}
