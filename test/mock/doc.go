// Package mock holds gomock doubles of the outbound ports, for tests that ask whether something was asked. They are generated: see the line below.
package mock

//go:generate go tool mockgen -typed -destination outbound.go -package mock github.com/forge1/forge1/ports/outbound APIKeys,Calls,Catalogue,Circuits,Database,Hasher,Keyring,Latencies,Mailer,Meter,OTP,Outbox,Policies,Provider,Registrations,Relay,SessionCache,Sessions,Sketches,Tenants,Tokens,Tx,Users
