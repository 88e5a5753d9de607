package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/forge1/forge1/bootstrap"
	"github.com/forge1/forge1/domain/secret"
)

// keyVariable holds the API key that commands call a server with. It is no flag: those are seen in lists of processes and kept by shells.
const keyVariable = "FORGE_API_KEY"

var errNotForge = errors.New("what answers there is no Forge 1, or a newer one; look at --url")

// remote is a running server that is asked over HTTP.
type remote struct {
	URL string `name:"url" help:"Base URL of the server; PUBLIC_BASE_URL by default, else the one this environment would serve. The API key comes from FORGE_API_KEY." placeholder:"URL"`
}

// call asks the server and gives the body of its answer.
func (r remote) call(s *session, method, path string, body any) ([]byte, error) {
	base, key, err := r.find(s)
	if err != nil {
		return nil, err
	}
	var content []byte
	if body != nil {
		if content, err = json.Marshal(body); err != nil {
			return nil, fmt.Errorf("write the request: %w", err)
		}
	}
	req, err := http.NewRequestWithContext(s.ctx, method, base+path, bytes.NewReader(content))
	if err != nil {
		return nil, fmt.Errorf("%w: --url must be a base URL such as https://forge.example.com", errUsage)
	}
	req.Header.Set("Authorization", "Bearer "+key.Reveal())
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	client := &http.Client{
		Timeout:       30 * time.Second,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, // the key is for this server alone
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("no server answers at %s; start one, or name it with --url", base)
	}
	answer, err := io.ReadAll(io.LimitReader(res.Body, 8<<20))
	_ = res.Body.Close()
	if err != nil {
		return nil, errors.New("the server broke off")
	}
	if res.StatusCode != http.StatusOK {
		return nil, refusal(res.StatusCode, answer)
	}
	return answer, nil
}

// find gives the server's base URL and the key for it.
func (r remote) find(s *session) (base string, key secret.Text, err error) {
	vars, err := bootstrap.Environ()
	if err != nil {
		return "", key, err
	}
	key = secret.New(strings.TrimSpace(vars[keyVariable]))
	if key.Empty() {
		return "", key, errors.New("set FORGE_API_KEY to an API key with the scope router, such as one made by 'forge1 key create --email E --scope ai,router'")
	}
	if r.URL != "" {
		base, err = readBase(r.URL)
		return base, key, err
	}
	cfg, err := bootstrap.Load(vars)
	if err != nil {
		return "", key, err
	}
	if strings.TrimSpace(vars["PUBLIC_BASE_URL"]) != "" {
		return cfg.PublicBaseURL, key, nil
	}
	return served(cfg), key, nil
}

// served is where this environment would serve.
func served(cfg bootstrap.Config) string {
	host := cfg.Host
	if host == "0.0.0.0" || host == "::" {
		host = "127.0.0.1"
	}
	return "http://" + net.JoinHostPort(host, strconv.Itoa(cfg.Port))
}

// readBase checks a base URL.
func readBase(s string) (string, error) {
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", fmt.Errorf("%w: --url must be a base URL such as https://forge.example.com", errUsage)
	}
	return strings.TrimSuffix(s, "/"), nil
}

// refusal makes an error of a server's answer: what it says, and what to do about it.
func refusal(status int, body []byte) error {
	var p struct {
		Detail, Code string
		Errors       []struct{ Field, Message string }
	}
	if json.Unmarshal(body, &p) != nil || p.Code == "" {
		return fmt.Errorf("the server answers %d; look at --url", status)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "the server refuses: %s (%s)", cell(p.Detail), cell(p.Code))
	for _, f := range p.Errors {
		fmt.Fprintf(&b, "\n  - %s: %s", cell(strings.TrimPrefix(f.Field, "/")), cell(f.Message))
	}
	switch p.Code {
	case "credential_invalid", "unauthenticated", "insufficient_scope":
		b.WriteString("\nFORGE_API_KEY must be an API key of this server with the scope router")
	}
	return errors.New(b.String())
}
