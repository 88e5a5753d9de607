// Package idna brings internationalised domain names to ASCII with golang.org/x/net/idna.
package idna

import (
	"fmt"

	"golang.org/x/net/idna"
)

// ToASCII is an outbound.DomainToASCII: the lookup profile (RFC 5891, 5), which refuses names that could not be looked up.
func ToASCII(domain string) (string, error) {
	ascii, err := idna.Lookup.ToASCII(domain)
	if err != nil {
		return "", fmt.Errorf("domain to ASCII: %w", err)
	}
	return ascii, nil
}
