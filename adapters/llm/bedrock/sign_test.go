package bedrock_test

import (
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/forge1/forge1/adapters/llm"
	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

const (
	accessKey = "AKIDEXAMPLE0123456789"
	secretKey = "wJalrXUtnFEMI+K7MDENG/bPxRfiCYEXAMPLEKEY"
	session   = "AQoDYXdzEPT//////////wEXAMPLE=="
)

// TestRequestsAreSigned signs what arrived once more, with Amazon's signer, and compares.
func TestRequestsAreSigned(t *testing.T) {
	for name, tt := range map[string]struct {
		secret, base, model, region string
	}{
		"an access key":             {accessKey + ":" + secretKey, "https://bedrock-runtime.eu-west-1.amazonaws.com", sonnet45, "eu-west-1"},
		"credentials that end":      {accessKey + ":" + secretKey + ":" + session, "https://bedrock-runtime.us-west-2.amazonaws.com/", sonnet45, "us-west-2"},
		"a VPC's own endpoint":      {accessKey + ":" + secretKey, "https://vpce-1-2.bedrock-runtime.ap-south-1.vpce.amazonaws.com", haiku3, "ap-south-1"},
		"an endpoint of the state":  {accessKey + ":" + secretKey, "https://bedrock-runtime-fips.us-gov-west-1.amazonaws.com", haiku3, "us-gov-west-1"},
		"a proxy, and an ARN":       {accessKey + ":" + secretKey, "http://127.0.0.1:4000/bedrock", unnamed, "us-east-1"},
		"a host that looks like it": {accessKey + ":" + secretKey, "https://bedrock-runtime.evil.example", haiku3, "us-east-1"},
	} {
		for _, streamed := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				to := outbound.Target{Provider: "bedrock", Model: tt.model, Secret: secret.New(tt.secret), BaseURL: tt.base}
				calls := 0
				p := provider(clocked{func(r *http.Request) *http.Response {
					calls++
					checkSignature(t, r, tt.secret, tt.region)
					if streamed {
						return answer(http.StatusOK, framedType, strings.NewReader(string(frames(t, "messageStop", `{"stopReason":"end_turn"}`, "metadata", `{}`))))
					}
					return answer(http.StatusOK, "application/json", strings.NewReader(okBody))
				}})
				var err error
				if streamed {
					_, err = gathered(t, p, to)
				} else {
					_, err = p.Complete(t.Context(), to, talk(user("Hi")))
				}
				if err != nil || calls != 1 {
					t.Errorf("got %v after %d calls", err, calls)
				}
			})
		}
	}
}

func checkSignature(t *testing.T, r *http.Request, credential, region string) {
	t.Helper()
	body, _ := io.ReadAll(r.Body)
	hash := sha256.Sum256(body)
	again, err := http.NewRequestWithContext(t.Context(), r.Method, r.URL.String(), strings.NewReader(string(body)))
	if err != nil {
		t.Fatal(err)
	}
	again.Header.Set("Content-Type", "application/json")
	pieces := strings.SplitN(credential, ":", 3)
	c := aws.Credentials{AccessKeyID: pieces[0], SecretAccessKey: pieces[1]}
	if len(pieces) == 3 {
		c.SessionToken = pieces[2]
	}
	if err := v4.NewSigner().SignHTTP(t.Context(), c, again, hex.EncodeToString(hash[:]), "bedrock", region, noon); err != nil {
		t.Fatal(err)
	}
	for _, h := range []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token", "Content-Type"} {
		if got, want := r.Header.Get(h), again.Header.Get(h); got != want {
			t.Errorf("%s: got %q, want %q", h, got, want)
		}
	}
	if auth := r.Header.Get("Authorization"); !strings.Contains(auth, "SignedHeaders=content-length;content-type;host;x-amz-date") || !strings.Contains(auth, "/20260314/"+region+"/bedrock/aws4_request") {
		t.Errorf("got %q", auth)
	}
	all := r.URL.String() + string(body)
	for name, values := range r.Header {
		all += name + strings.Join(values, "")
	}
	if strings.Contains(all, secretKey) {
		t.Error("the secret access key travels")
	}
	if last := r.URL.EscapedPath(); strings.Contains(last[strings.LastIndex(last, "/model/")+7:strings.LastIndex(last, "/converse")], "/") || strings.Contains(last, ":") {
		t.Errorf("the model is not one segment of %s", last)
	}
}

func TestAnAPIKeyIsSentAsItIs(t *testing.T) {
	p := provider(wire(func(r *http.Request) *http.Response {
		if got := r.Header.Get("Authorization"); got != "Bearer ABSK-test-key" || r.Header.Get("X-Amz-Date") != "" {
			t.Errorf("got the headers %v", r.Header)
		}
		return answer(http.StatusOK, "application/json", strings.NewReader(okBody))
	}))
	if _, err := p.Complete(t.Context(), target, talk(user("Hi"))); err != nil {
		t.Error(err)
	}
}

func TestWhatCannotBeSignedIsNotSent(t *testing.T) {
	for name, tt := range map[string]struct {
		secret string
		clock  bool
		base   string
		class  chat.Class
	}{
		"no access key":        {":" + secretKey, true, target.BaseURL, chat.ClassAuth},
		"no secret access key": {accessKey + ":", true, target.BaseURL, chat.ClassAuth},
		"no clock":             {accessKey + ":" + secretKey, false, target.BaseURL, chat.ClassAuth},
		"no URL":               {accessKey + ":" + secretKey, true, "http://[::1", chat.ClassConnect},
	} {
		t.Run(name, func(t *testing.T) {
			sends := wire(func(*http.Request) *http.Response {
				t.Error("it was sent")
				return answer(http.StatusOK, "application/json", strings.NewReader(okBody))
			})
			p := provider(sends)
			if tt.clock {
				p = provider(clocked{sends})
			}
			_, err := p.Complete(t.Context(), outbound.Target{Provider: "bedrock", Model: sonnet45, Secret: secret.New(tt.secret), BaseURL: tt.base}, talk(user("Hi")))
			if f := failureOf(t, err); f.Class != tt.class || strings.Contains(err.Error(), secretKey) {
				t.Errorf("got %v, want %s", err, tt.class)
			}
		})
	}
}

func TestTheClientsClockDatesTheSignature(t *testing.T) {
	if got := llm.ClockOf(llm.NewClient(llm.ClientConfig{Clock: clocked{}.Clock()})); got == nil || !got().Equal(noon) {
		t.Error("the client's clock does not reach the vendor")
	}
	if llm.ClockOf(llm.NewClient(llm.ClientConfig{})) != nil || llm.ClockOf(&http.Client{}) != nil {
		t.Error("got a clock that nobody set")
	}
}

func TestAFailureTellsNothingOfTheCredentialOrTheAccount(t *testing.T) {
	to := outbound.Target{Provider: "bedrock", Model: sonnet45, Secret: secret.New(accessKey + ":" + secretKey + ":" + session), BaseURL: target.BaseURL}
	message := "a bad field, by " + accessKey + " with " + secretKey + " and " + session + " of arn:aws:bedrock:eu-west-1:123456789012:inference-profile/x, sorry"
	p := provider(clocked{func(*http.Request) *http.Response {
		resp := answer(http.StatusBadRequest, "application/json", strings.NewReader(`{"message":"`+message+`"}`))
		resp.Header.Set("X-Amzn-Errortype", "ValidationException")
		return resp
	}})
	_, err := p.Complete(t.Context(), to, talk(user("Hi")))
	f := failureOf(t, err)
	if f.Class != chat.ClassInvalid || !strings.HasPrefix(f.Message, "a bad field") || !strings.HasSuffix(f.Message, "sorry") {
		t.Errorf("got %s: %q", f.Class, f.Message)
	}
	for _, private := range []string{accessKey, secretKey, session, "123456789012"} {
		if strings.Contains(f.Message+err.Error(), private) {
			t.Errorf("%s is told: %q", private, f.Message)
		}
	}
}
