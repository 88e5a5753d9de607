// Package domain is the glossary of Forge 1; the aggregates live in the packages below it.
//
//   - Tenant: a customer of this installation. Every call, key, policy and row belongs to one.
//   - User: a person, known by one verified e-mail address, member of one or more tenants with a role in each.
//   - Session: one sign-in of one user in one tenant; its refresh token rotates by generation.
//   - API key: a machine's credential; it acts with its creator's role, narrowed to its scopes.
//   - Vendor: a company's wire dialect (OpenAI, Anthropic, Gemini, OpenRouter).
//   - Provider: one configured connection to a vendor, known by name ("openai", "claude", …).
//   - Target: a provider and a model, what a call is finally sent to.
//   - Policy: a tenant's routing rules. A Decision is what routing.Decide made of a policy, a request and the facts.
//   - Attempt: one try of one target. A call has at least one unless nothing could be tried.
//
// Everything here is pure: no clock, no randomness, no I/O, no wire format.
package domain
