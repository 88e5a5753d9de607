package openai

import (
	"net/http"

	"github.com/forge1/forge1/adapters/llm/internal/responses"
	"github.com/forge1/forge1/ports/outbound"
)

// Responses makes what translates by responses alone.
func Responses(client *http.Client) outbound.Provider { return responses.New(client, responsesFlavour) }
