// Package outbound is what the application asks of the outside: vendors, stores, crypto, mail, metering. Adapters implement it.
// Each interface names the suite in test/conformance that every implementation passes.
package outbound
