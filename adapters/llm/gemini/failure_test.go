package gemini_test

import (
	"errors"
	"testing"
	"time"

	"github.com/forge1/forge1/domain/chat"
)

func TestWhatTheVendorRefusesIsTold(t *testing.T) {
	t.Parallel()
	refused := func(code, status, message, details string) string {
		return `{"error":{"code":` + code + `,"status":"` + status + `","message":"` + message + `","details":[` + details + `]}}`
	}
	quota := func(id string) string { return `{"violations":[{"quotaId":"` + id + `"}]}` }
	const delay = `,{"retryDelay":"21.5s"}`
	for name, test := range map[string]struct {
		status int
		body   string
		class  chat.Class
		after  time.Duration
		param  string
	}{
		"a bad key":                   {400, refused("400", "INVALID_ARGUMENT", "x", `{"reason":"API_KEY_INVALID"}`), chat.ClassAuth, 0, ""},
		"a bad key, in prose":         {400, refused("400", "INVALID_ARGUMENT", "API key not valid.", ""), chat.ClassAuth, 0, ""},
		"no key":                      {403, refused("403", "PERMISSION_DENIED", "x", ""), chat.ClassAuth, 0, ""},
		"a token that has run out":    {401, refused("401", "UNAUTHENTICATED", "x", ""), chat.ClassAuth, 0, ""},
		"a field":                     {400, refused("400", "INVALID_ARGUMENT", "x", `{"fieldViolations":[{"field":"contents"}]}`), chat.ClassInvalid, 0, "contents"},
		"too many tokens":             {400, refused("400", "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum number of tokens allowed (8).", ""), chat.ClassTooLong, 0, ""},
		"too many bytes":              {400, refused("400", "INVALID_ARGUMENT", "Request payload size exceeds the limit", ""), chat.ClassTooLarge, 0, ""},
		"a model":                     {404, refused("404", "NOT_FOUND", "x", ""), chat.ClassNoModel, 0, ""},
		"an address":                  {404, "<html>", chat.ClassBadResponse, 0, ""},
		"a limit per minute":          {429, refused("429", "RESOURCE_EXHAUSTED", "x", quota("GenerateRequestsPerMinutePerProjectPerModel")+delay), chat.ClassRateLimited, 21500 * time.Millisecond, ""},
		"a limit per minute in prose": {429, refused("429", "RESOURCE_EXHAUSTED", "Please retry in 48.939935699s.", ""), chat.ClassRateLimited, 48939935699 * time.Nanosecond, ""},
		"a limit per day":             {429, refused("429", "RESOURCE_EXHAUSTED", "x", quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier")+delay), chat.ClassQuota, 21500 * time.Millisecond, ""},
		"money":                       {429, refused("429", "RESOURCE_EXHAUSTED", "Your prepayment credits are depleted.", ""), chat.ClassQuota, 0, ""},
		"a method":                    {405, refused("405", "METHOD_NOT_ALLOWED", "x", ""), chat.ClassInvalid, 0, ""},
		"a form":                      {406, refused("406", "", "x", ""), chat.ClassInvalid, 0, ""},
		"what is gone":                {410, refused("410", "", "x", ""), chat.ClassInvalid, 0, ""},
		"a media type":                {415, refused("415", "", "x", ""), chat.ClassInvalid, 0, ""},
		"by law":                      {451, refused("451", "", "x", ""), chat.ClassInvalid, 0, ""},
		"an overload":                 {503, refused("503", "UNAVAILABLE", "x", ""), chat.ClassOverloaded, 0, ""},
		"a deadline":                  {504, refused("504", "DEADLINE_EXCEEDED", "x", ""), chat.ClassTimeout, 0, ""},
		"a fault":                     {500, refused("500", "INTERNAL", "x", ""), chat.ClassServer, 0, ""},
		"a list":                      {429, "[" + refused("429", "RESOURCE_EXHAUSTED", "x", delay[1:]) + "]", chat.ClassRateLimited, 21500 * time.Millisecond, ""},
		"a list of nothing":           {503, "[]", chat.ClassOverloaded, 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := provider(failingWith(test.status, test.body)).Complete(t.Context(), target, talk(user("Hi")))
			f, ok := errors.AsType[*chat.Failure](err)
			if !ok || f.Class != test.class || f.RetryAfter != test.after || f.Param != test.param {
				t.Errorf("got %#v, want class %q, param %q and a wait of %v", f, test.class, test.param, test.after)
			}
		})
	}
}
