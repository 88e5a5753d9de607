package gemini_test

import (
	"encoding/json"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/forge1/forge1/domain/chat"
)

func TestFunctionsKeepTheNamesThatTheVendorDoesNotTake(t *testing.T) {
	t.Parallel()
	taken := regexp.MustCompile(`^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$`)
	sentNames := map[string]bool{}
	names := []string{
		"plain", "_a.b:c-d", "9lives", "-x", "größe", "a b", strings.Repeat("n", 64), strings.Repeat("n", 65), strings.Repeat("n", 66), strings.Repeat("ß", 100), "_größe",
	}
	for _, name := range names {
		var sent string
		play := func(r *http.Request) *http.Response {
			body, _ := io.ReadAll(r.Body)
			var in struct {
				Contents []struct {
					Parts []struct{ FunctionCall, FunctionResponse struct{ Name string } }
				}
				Tools      []struct{ FunctionDeclarations []struct{ Name string } }
				ToolConfig struct {
					FunctionCallingConfig struct{ AllowedFunctionNames []string }
				}
			}
			if err := json.Unmarshal(body, &in); err != nil {
				t.Fatal(err)
			}
			sent = in.Tools[0].FunctionDeclarations[0].Name
			for place, is := range map[string]string{
				"call": in.Contents[1].Parts[0].FunctionCall.Name, "result": in.Contents[2].Parts[0].FunctionResponse.Name,
				"choice": in.ToolConfig.FunctionCallingConfig.AllowedFunctionNames[0],
			} {
				if is != sent {
					t.Errorf("%s: the %s names %q, the declaration %q", name, place, is, sent)
				}
			}
			return answer("application/json", strings.NewReader(`{"candidates":[{"content":{"parts":[{"functionCall":{"name":"`+sent+`"}}]},"finishReason":"STOP"}]}`))
		}
		r := talk(asked(text("Hi")), said(call("a", name, "")), chat.Result("a", "1"))
		r.Tools, r.ToolChoice = []chat.Tool{{Name: name}}, chat.ToolChoice{Mode: chat.ToolNamed, Name: name}
		got, err := provider(play).Complete(t.Context(), target, r)
		if err != nil || got.First().Calls()[0].Name != name {
			t.Errorf("%s: got %+v, %v, want a call of it", name, got, err)
		}
		if !taken.MatchString(sent) || taken.MatchString(name) && sent != name || sentNames[sent] {
			t.Errorf("%s is sent as %q", name, sent)
		}
		sentNames[sent] = true
	}
}
