package rest

// explanation is what the page of a problem's code says.
type explanation struct {
	status int
	title  string
	text   string
}

// explanations has an entry for every code of the contract. The title is the problem's title too.
var explanations = map[string]explanation{
	"malformed":               {400, "Malformed request", "The request cannot be read as JSON, or its parts contradict each other. The errors say where."},
	"unknown_field":           {400, "Unknown field", "The body has a field that this route does not know. Fields are spelled to the letter."},
	"wrong_type":              {400, "Wrong type", "A field holds another kind of value than the schema asks for."},
	"invalid_request":         {400, "Refused by the provider", "The provider that was asked refused the request itself. The detail is what it said."},
	"context_length_exceeded": {400, "Conversation too long", "The conversation does not fit the model's context window."},
	"missing_field":           {400, "Missing field", "A field that is required is absent."},
	"token_invalid":           {400, "Token not valid", "The token is unknown, used, expired or malformed. Ask for a new one."},
	"unauthenticated":         {401, "No valid credential", "Send one credential, Authorization: Bearer with an access token or an API key, that has neither expired nor been revoked."},
	"credential_invalid":      {401, "Credential not valid", "The access token or API key is unknown, expired or revoked. Refresh the token, or sign in again."},
	"token_expired":           {401, "Token expired", "The access token has expired. Refresh it."},
	"invalid_credentials":     {401, "Sign-in failed", "Name and password do not fit together. The answer is the same whether or not the account exists."},
	"refresh_invalid":         {401, "Refresh token not valid", "The refresh token is unknown, used, expired or revoked. Sign in again."},
	"mfa_code_invalid":        {401, "Code not valid", "The code is wrong or was used before."},
	"mfa_challenge_invalid":   {401, "Challenge not valid", "The sign-in took too long or was tried too often. Begin again."},
	"budget_exceeded":         {402, "Budget used up", "The budget that covers this call is used up."},
	"email_not_verified":      {403, "Address not verified", "Follow the link in the mail first."},
	"reauth_failed":           {403, "Proof refused", "This change needs a fresh proof of who you are, and the one given is wrong."},
	"tenant_mismatch":         {403, "Another tenant", "The request names another tenant than its credential belongs to."},
	"tenant_access_denied":    {403, "No access to the tenant", "You are not a member of the tenant that you named."},
	"mfa_required":            {403, "Second factor needed", "This needs a session that was signed in with a second factor."},
	"forbidden":               {403, "Not allowed", "This is not for you to call."},
	"role_insufficient":       {403, "Role does not allow it", "Your role in the tenant does not go that far. An owner can change it."},
	"insufficient_scope":      {403, "Scope missing", "The API key lacks the scope that this route asks for."},
	"session_required":        {403, "Session needed", "API keys do not reach this route. Sign in."},
	"provider_disabled":       {403, "Provider disabled", "The provider that the model name pins is switched off, or another is forced, for your tenant."},
	"not_found":               {404, "Not found", "There is nothing here, or nothing that is yours."},
	"facts_gone":              {404, "Facts gone", "The decision is kept, but what it was made from is kept no longer, so it cannot be made again."},
	"model_not_found":         {404, "Model not found", "No provider in use has a model of that name. /v1/models lists the names."},
	"method_not_allowed":      {405, "Method not allowed", "The path exists; the Allow header lists the methods that it takes."},
	"request_timeout":         {408, "Request too slow", "The request did not arrive in time."},
	"username_taken":          {409, "Username taken", "Another user has this name."},
	"slug_taken":              {409, "Slug taken", "Another tenant has this slug."},
	"last_owner":              {409, "Last owner", "A tenant needs an owner. Make another member owner first."},
	"already_member":          {409, "Member already", "This user is a member of the tenant."},
	"key_ended":               {409, "Key ended", "The API key was revoked or has expired."},
	"force_conflict":          {409, "Another provider is forced", "At most one provider can be forced. Release the other first."},
	"mfa_not_pending":         {409, "No setup under way", "Begin the setup of the second factor again."},
	"mfa_already_enabled":     {409, "Second factor on already", "The second factor is on; prove it to replace it."},
	"body_too_large":          {413, "Body too large", "Sign-in and management routes take 16 KiB, a routing policy 512 KiB, model routes what the installation allows."},
	"too_large":               {413, "Too large", "The model does not take a request of this size."},
	"context_length":          {413, "Conversation too long", "The conversation does not fit the model's context window."},
	"unsupported_media_type":  {415, "Media type not taken", "Bodies are application/json, in UTF-8."},
	"unsupported_encoding":    {415, "Encoding not taken", "Bodies are sent without Content-Encoding."},
	"validation_failed":       {422, "Value not acceptable", "The body can be read, but a value breaks a rule. The errors say which."},
	"password_policy":         {422, "Password not acceptable", "The password breaks a rule of the installation. The errors say which."},
	"unsupported_by_provider": {422, "Not supported by the provider", "The request asks for something that the provider that would serve it cannot do."},
	"unknown_provider":        {422, "Unknown provider", "No provider has this name."},
	"headers_too_large":       {431, "Headers too large", "The request's headers exceed 16 KB."},
	"rate_limited":            {429, "Too many calls", "Your own limit is reached. Retry-After says when to come back."},
	"too_many_attempts":       {429, "Too many attempts", "Wait as long as Retry-After says."},
	"providers_rate_limited":  {429, "Providers are rate limited", "Every provider that could serve the call asks to wait. Retry-After says how long."},
	"canceled":                {499, "Canceled", "The client left before the answer was there."},
	"internal":                {500, "Internal error", "Something went wrong here. The request id finds it in the log."},
	"provider_error":          {502, "Provider failed", "The provider answered with an error, and no other could take over."},
	"busy":                    {503, "Busy", "There is too much to do at once. Try again shortly."},
	"dependency_unavailable":  {503, "Dependency away", "A service that this needs does not answer. Try again shortly."},
	"no_provider_available":   {503, "No provider available", "No provider can serve the call now. The errors say why for each."},
	"not_cached":              {504, "Not in the cache", "The request asked for a cached answer alone, by Cache-Control: only-if-cached, and there is none."},
	"too_slow":                {503, "Reader too slow", "Others read the same answer, and this reader fell too far behind. Ask again."},
	"provider_timeout":        {504, "Provider too slow", "No provider answered in time."},
}

// foreign stands for every other code: those of providers, which are passed on.
var foreign = explanation{400, "Refused by the provider", "The code is the provider's own. The provider that was asked refused the request itself; the detail is what it said."}
