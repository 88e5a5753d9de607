package rest

import "github.com/forge1/forge1/adapters/rest/internal/strictjson"

// The bounds of JSON bodies: of sign-in and management, and of AI routes, whose messages and schemas nest.
var (
	smallJSON = strictjson.Limits{Depth: 4, Keys: 32}
	largeJSON = strictjson.Limits{Depth: 200, Keys: 10_000, Values: 200_000, NUL: true}
)

// decode reads the body into a value of the route's body type.
func (x *exchange) decode(dst any) error {
	body := x.fc.Request.Body()
	if len(body) == 0 && x.route.bodyOptional {
		body = []byte("{}")
	}
	limits := smallJSON
	if x.route.large {
		limits = largeJSON
	}
	return strictjson.Decode(body, dst, limits)
}
