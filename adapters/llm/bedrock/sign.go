package bedrock

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/forge1/forge1/domain/chat"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/outbound"
)

// service is what signatures are for.
const service = "bedrock"

// defaultRegion is that of base URLs which name none, such as a proxy's.
const defaultRegion = "us-east-1"

var signer = v4.NewSigner()

// authorize gives the header of a call. A secret without a colon is an API key of Bedrock's. One with colons is an access key, a secret access key, and
// for credentials that end, a session token: with these the request is signed, and the secret access key goes nowhere.
func (p *provider) authorize(ctx context.Context, to outbound.Target, address string, body []byte) (http.Header, error) {
	h := http.Header{"Content-Type": {"application/json"}}
	pieces := credentialOf(to.Secret)
	if len(pieces) == 1 {
		h["Authorization"] = []string{"Bearer " + pieces[0]}
		return h, nil
	}
	if pieces[0] == "" || pieces[1] == "" {
		return nil, chat.Fail(chat.ClassAuth, errors.New("the credential is neither an API key nor ACCESS_KEY_ID:SECRET_ACCESS_KEY[:SESSION_TOKEN]"))
	}
	if p.clock == nil {
		return nil, chat.Fail(chat.ClassAuth, errors.New("the client has no clock to sign with"))
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return nil, chat.Fail(chat.ClassConnect, fmt.Errorf("the base URL of %s is no URL", to.Provider))
	}
	credentials := aws.Credentials{AccessKeyID: pieces[0], SecretAccessKey: pieces[1]}
	if len(pieces) == 3 {
		credentials.SessionToken = pieces[2]
	}
	r := &http.Request{Method: http.MethodPost, URL: u, Host: u.Host, Header: h, ContentLength: int64(len(body))}
	hash := sha256.Sum256(body)
	if err := signer.SignHTTP(ctx, credentials, r, hex.EncodeToString(hash[:]), service, regionOf(u.Hostname()), p.clock()); err != nil {
		return nil, chat.Fail(chat.ClassAuth, errors.New("the request could not be signed"))
	}
	return h, nil
}

// credentialOf takes a secret apart: into one piece, or two, or three.
func credentialOf(s secret.Text) []string { return strings.SplitN(s.Reveal(), ":", 3) }

// regionOf reads the region off a host: bedrock-runtime.REGION.amazonaws.com, and what is like it, such as a VPC's own endpoint.
func regionOf(host string) string {
	labels := strings.Split(strings.ToLower(host), ".")
	for i, label := range labels[:len(labels)-1] {
		if strings.HasPrefix(label, "bedrock-runtime") && strings.Contains(host, ".amazonaws.com") {
			return labels[i+1]
		}
	}
	return defaultRegion
}
