package gemini

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/forge1/forge1/domain/chat"
)

// usageMetadata is cumulative in a stream. thoughts and tool use come on top of candidates and prompt; cached is part of prompt.
type usageMetadata struct {
	Prompt     int             `json:"promptTokenCount"`
	ToolUse    int             `json:"toolUsePromptTokenCount"`
	Cached     int             `json:"cachedContentTokenCount"`
	Candidates int             `json:"candidatesTokenCount"`
	Thoughts   int             `json:"thoughtsTokenCount"`
	Tier       json.RawMessage `json:"serviceTier"`

	PromptOf     modalities `json:"promptTokensDetails"`
	ToolUseOf    modalities `json:"toolUsePromptTokensDetails"`
	CachedOf     modalities `json:"cacheTokensDetails"`
	CandidatesOf modalities `json:"candidatesTokensDetails"`
}

// modalities say what kind of tokens a count is of.
type modalities []struct {
	Modality json.RawMessage `json:"modality"`
	Tokens   int             `json:"tokenCount"`
}

// The kinds of tokens that are told apart, by name and by number.
var (
	ofAudio = [2]string{"AUDIO", "4"}
	ofImage = [2]string{"IMAGE", "2"}
)

// of counts the tokens of one kind.
func (m modalities) of(kind [2]string) (n int) {
	for i := range m {
		if w := word(m[i].Modality); w == kind[0] || w == kind[1] {
			n += max(m[i].Tokens, 0)
		}
	}
	return n
}

// counts reports whether a usageMetadata counts anything: some only say by what contract a call was served.
func counts(raw []byte) bool { return bytes.Contains(raw, []byte("TokenCount")) }

// readUsage gives the neutral counts, nil when there are none, and the tier that the call was served in. The vendor's prompt includes cached tokens,
// as ours does; thoughts and the prompts of its own tools come on top of what it calls candidates and prompt.
func readUsage(raw []byte) (*chat.Usage, string) {
	var u usageMetadata
	if len(raw) == 0 || json.Unmarshal(raw, &u) != nil {
		return nil, ""
	}
	out := chat.Usage{
		Input: max(u.Prompt, 0) + max(u.ToolUse, 0), Output: max(u.Candidates, 0) + max(u.Thoughts, 0), CacheRead: max(u.Cached, 0), Reasoning: max(u.Thoughts, 0),
		AudioInput: u.PromptOf.of(ofAudio) + u.ToolUseOf.of(ofAudio), AudioCacheRead: u.CachedOf.of(ofAudio),
		AudioOutput: u.CandidatesOf.of(ofAudio), ImageOutput: u.CandidatesOf.of(ofImage),
	}
	tier := strings.ToLower(strings.TrimPrefix(word(u.Tier), "SERVICE_TIER_"))
	if tier == "standard" {
		tier = "default"
	}
	if out.Zero() {
		return nil, tier
	}
	return &out, tier
}
