//go:build wireinject

package bootstrap

import (
	"github.com/google/wire"

	"github.com/forge1/forge1/adapters/breaker"
	"github.com/forge1/forge1/adapters/catalogue"
	"github.com/forge1/forge1/adapters/database"
	"github.com/forge1/forge1/adapters/jose"
	"github.com/forge1/forge1/adapters/keyring"
	"github.com/forge1/forge1/adapters/latency"
	"github.com/forge1/forge1/adapters/password"
	"github.com/forge1/forge1/adapters/prometheus"
	"github.com/forge1/forge1/application/apikeys"
	"github.com/forge1/forge1/application/audit"
	"github.com/forge1/forge1/application/auth"
	"github.com/forge1/forge1/application/decisions"
	"github.com/forge1/forge1/application/gateway"
	"github.com/forge1/forge1/application/health"
	"github.com/forge1/forge1/application/housekeeping"
	"github.com/forge1/forge1/application/keys"
	"github.com/forge1/forge1/application/mail"
	"github.com/forge1/forge1/application/members"
	"github.com/forge1/forge1/application/operator"
	"github.com/forge1/forge1/application/policies"
	"github.com/forge1/forge1/application/record"
	"github.com/forge1/forge1/application/responses"
	"github.com/forge1/forge1/application/usage"
	"github.com/forge1/forge1/ports/inbound"
	"github.com/forge1/forge1/ports/outbound"
)

// outboundSet is what is asked of the outside.
var outboundSet = wire.NewSet(
	newClock, newIDs, newRandom, newToASCII,
	newDatabase, wire.Bind(new(outbound.Tx), new(*database.DB)), wire.Bind(new(outbound.Database), new(*database.DB)),
	newMigrator, newPolicies, wire.Bind(new(outbound.Policies), new(*database.Policies)), database.NewCalls, wire.Bind(new(outbound.Calls), new(*database.Calls)),
	database.NewDecisions, wire.Bind(new(outbound.Decisions), new(database.Decisions)), database.NewUsage, wire.Bind(new(outbound.Usage), new(database.Usage)),
	database.NewKeptResponses, wire.Bind(new(outbound.KeptResponses), new(database.KeptResponses)),
	newShortLived, newLocalThrottle, sessionCacheOf, throttleOf, cacheKindOf, evictionOf, newOTP, newBreaches,
	newRoot, newKeyring, wire.Bind(new(outbound.Keyring), new(*keyring.Keyring)),
	newTokens, wire.Bind(new(outbound.Tokens), new(*jose.Tokens)),
	newHasher, wire.Bind(new(outbound.Hasher), new(*password.Hasher)),
	newMailer, newPromptCache, newClient, newConnections, newCatalogue, wire.Bind(new(outbound.Catalogue), new(*catalogue.Catalogue)),
	newLatencies, wire.Bind(new(outbound.Latencies), new(*latency.Latencies)),
	newCircuits, wire.Bind(new(outbound.Circuits), new(*breaker.Circuits)),
	prometheus.New, wire.Bind(new(outbound.Meter), new(*prometheus.Meter)), wire.Bind(new(outbound.LoadMeter), new(*prometheus.Meter)),
)

// applicationSet is the use-cases.
var applicationSet = wire.NewSet(
	newAuthConfig, newKeysConfig, newLetters, newHousekeeping, newPasswordPolicy, newGatewaySettings, newRecordSettings, newResponsesSettings,
	wire.Struct(new(auth.GateDeps), "*"), auth.NewGatekeeper, wire.Bind(new(inbound.Gatekeeper), new(*auth.Gatekeeper)),
	wire.Bind(new(apikeys.Gate), new(*auth.Gatekeeper)),
	wire.Struct(new(signIn), "*"), newAuth, wire.Bind(new(inbound.Auth), new(*auth.Service)), wire.Bind(new(inbound.MFA), new(*auth.Service)),
	wire.Bind(new(inbound.Passwords), new(*auth.Service)), wire.Bind(new(inbound.Sessions), new(*auth.Service)),
	wire.Struct(new(keys.Deps), "*"), keys.New, wire.Bind(new(inbound.Keys), new(*keys.Service)),
	wire.Struct(new(members.Deps), "*"), members.New, wire.Bind(new(inbound.Members), new(*members.Service)),
	wire.Struct(new(members.PlatformDeps), "*"), members.NewPlatform, wire.Bind(new(inbound.Platform), new(*members.Platform)),
	wire.Struct(new(policies.Deps), "*"), policies.New, wire.Bind(new(inbound.Policies), new(*policies.Service)),
	wire.Bind(new(policies.Watcher), new(*gateway.Service)),
	wire.Struct(new(usage.Deps), "*"), usage.New, wire.Bind(new(inbound.Usage), new(*usage.Service)),
	wire.Struct(new(decisions.Deps), "*"), decisions.New, wire.Bind(new(inbound.Decisions), new(*decisions.Service)),
	wire.Bind(new(decisions.Recent), new(*record.Recorder)),
	wire.Bind(new(members.Ender), new(*auth.Service)), wire.Bind(new(members.Postman), new(*mail.Worker)),
	wire.Struct(new(housekeeping.Deps), "*"), housekeeping.New,
	wire.Struct(new(audit.Deps), "*"), audit.New, wire.Bind(new(inbound.Audit), new(*audit.Service)),
	wire.Struct(new(mail.Deps), "*"), mail.New, wire.Bind(new(auth.Postman), new(*mail.Worker)),
	wire.Struct(new(apikeys.Deps), "*"), apikeys.New, wire.Bind(new(inbound.APIKeys), new(*apikeys.Service)),
	wire.Struct(new(operator.Deps), "*"), operator.New, wire.Bind(new(inbound.Operator), new(*operator.Service)),
	wire.Struct(new(record.Deps), "*"), record.New, wire.Bind(new(gateway.Recorder), new(*record.Recorder)),
	wire.Struct(new(gateway.Deps), "*"), gateway.New, wire.Bind(new(inbound.Gateway), new(*gateway.Service)),
	wire.Bind(new(inbound.Embeddings), new(*gateway.Service)), wire.Bind(new(inbound.TokenCounts), new(*gateway.Service)),
	wire.Struct(new(responses.Deps), "*"), responses.New, wire.Bind(new(inbound.Responses), new(*responses.Service)),
	wire.Struct(new(health.Deps), "*"), health.New, wire.Bind(new(inbound.Health), new(*health.Service)),
)

// inboundSet is what asks the use-cases.
var inboundSet = wire.NewSet(
	newLogger, wire.Struct(new(services), "*"), newServer, wire.Struct(new(Parts), "*"), newApp,
)
