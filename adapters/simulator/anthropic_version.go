package simulator

import (
	"bytes"
	"fmt"
	"net/http"
)

// The versions of Anthropic's API.
const (
	anthropicOldest = "2023-01-01"
	anthropicUsual  = "2023-06-01"
	anthropicNewest = "2026-10-21" // answers as before, and takes less
)

// anthropicVersion refuses a request without a version, and one of a version that there is not.
func anthropicVersion(r *http.Request) *problem {
	switch v := r.Header.Get("Anthropic-Version"); v {
	case anthropicOldest, anthropicUsual, anthropicNewest:
		return nil
	case "":
		return bad("anthropic-version: header is required")
	default:
		return bad(fmt.Sprintf("anthropic-version: %q is not a valid version for this endpoint", v))
	}
}

// goneSampling refuses sampling, which the newest version has no more, whatever is said about it.
func goneSampling(b *anthropicBody, rt route) *problem {
	if rt.version != anthropicNewest {
		return nil
	}
	switch {
	case b.Temperature != nil:
		return bad("temperature: Extra inputs are not permitted")
	case b.TopP != nil:
		return bad("top_p: Extra inputs are not permitted")
	case b.TopK != nil:
		return bad("top_k: Extra inputs are not permitted")
	}
	return nil
}

// misplacedBlocks refuses documents of the assistant's own and citations of the user's, which the versions before passed over.
func misplacedBlocks(b *anthropicBody, rt route) *problem {
	if rt.version != anthropicNewest {
		return nil
	}
	for i, m := range *b.Messages {
		for j, block := range m.blocks {
			switch {
			case m.Role == "assistant" && block.Type == "document":
				return bad(fmt.Sprintf("messages.%d.content.%d: `document` blocks may only be in `user` messages", i, j))
			case m.Role == "user" && block.Type == "text" && block.cites():
				return bad(fmt.Sprintf("messages.%d.content.%d.text.citations: Extra inputs are not permitted", i, j))
			}
		}
	}
	return nil
}

// cites reports whether a text has citations. A document says here whether it may be cited.
func (b anthropicBlock) cites() bool {
	all := bytes.TrimSpace(b.Citations)
	return len(all) > 0 && all[0] == '[' && len(bytes.TrimSpace(all[1:])) > 1
}
