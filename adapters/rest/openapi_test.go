package rest_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestTheDocumentHasEveryRoute(t *testing.T) {
	w := start(t)
	want := []string{
		"DELETE /api/v1/auth/api-keys/{id}", "GET /api/v1/ai/capabilities", "GET /api/v1/ai/health", "GET /api/v1/ai/models",
		"GET /api/v1/auth/api-keys", "GET /api/v1/auth/me", "GET /api/v1/health", "GET /api/v1/health/live", "GET /api/v1/health/ready",
		"GET /openapi.json", "GET /v1/models", "GET /v1/models/{id}", "POST /api/v1/ai/execute", "POST /api/v1/auth/api-keys",
		"POST /api/v1/auth/api-keys/{id}/rotate", "POST /api/v1/auth/login", "POST /api/v1/auth/logout", "POST /api/v1/auth/refresh",
		"POST /api/v1/auth/register", "POST /api/v1/auth/verify-email", "POST /api/v1/router/explain", "POST /v1/chat/completions",
	}
	if d := cmp.Diff(want, w.doc.Operations()); d != "" {
		t.Error(d)
	}
}
