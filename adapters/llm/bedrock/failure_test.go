package bedrock_test

import (
	"io/fs"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/forge1/forge1/adapters/llm/bedrock"
	"github.com/forge1/forge1/domain/chat"
)

func TestErrorsAreNamedInAHeaderOrInTheBody(t *testing.T) {
	for name, tt := range map[string]struct {
		status     int
		kind, body string
		class      chat.Class
	}{
		"the header's name counts":             {400, "ServiceQuotaExceededException", `{"message":"m","__type":"ValidationException"}`, chat.ClassQuota},
		"a name with an address behind it":     {400, "ThrottlingException:http://internal.amazon.com/", `{"message":"m"}`, chat.ClassRateLimited},
		"a name in the body":                   {400, "", `{"__type":"com.amazonaws.bedrockruntime#ThrottlingException","message":"m"}`, chat.ClassRateLimited},
		"no name at all":                       {429, "", `{"message":"m"}`, chat.ClassRateLimited},
		"no words at all":                      {404, "", `{}`, chat.ClassBadResponse},
		"a model that is sold by another name": {400, "ValidationException", `{"message":"Invocation of model ID x with on-demand throughput isn't supported."}`, chat.ClassNoModel},
		"too many tokens":                      {400, "ValidationException", `{"message":"Too many input tokens. Max input tokens: 8192."}`, chat.ClassTooLong},
		"a signature that expired":             {403, "ExpiredTokenException", `{"message":"m"}`, chat.ClassAuth},
		"a signature that is wrong":            {403, "InvalidSignatureException", `{"message":"m"}`, chat.ClassAuth},
		"a name that nobody knows":             {500, "OddException", `{"message":"m"}`, chat.ClassServer},
		"no JSON":                              {503, "ServiceUnavailableException", `<html>`, chat.ClassOverloaded},
	} {
		t.Run(name, func(t *testing.T) {
			p := provider(wire(func(*http.Request) *http.Response {
				resp := answer(tt.status, "application/json", strings.NewReader(tt.body))
				if tt.kind != "" {
					resp.Header.Set("X-Amzn-Errortype", tt.kind)
				}
				return resp
			}))
			_, err := p.Complete(t.Context(), target, talk(user("Hi")))
			if f := failureOf(t, err); f.Class != tt.class {
				t.Errorf("got %v, want %s", err, tt.class)
			}
		})
	}
}

func TestTheWireCasesAreAFileSystem(t *testing.T) {
	if err := fstest.TestFS(bedrock.Vendor.Cases, "testdata/text.http", "testdata/text-stream.http"); err != nil {
		t.Error(err)
	}
	framed, err := fs.ReadFile(bedrock.Vendor.Cases, "testdata/text-stream.http")
	if err != nil || !strings.Contains(string(framed), "\x0b:event-type\x07") {
		t.Errorf("the stream is not framed: %q, %v", framed, err)
	}
}
