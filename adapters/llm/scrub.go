package llm

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/forge1/forge1/domain/secret"
)

// MaxMessage is how much of a vendor's message is passed on.
const MaxMessage = 2 << 10

const gone = "[removed]"

// private matches what a vendor's message may say about the account it was asked with: keys, addresses, ids.
var private = regexp.MustCompile(`(?i)` + strings.Join([]string{
	`https?://[^\s"'<>)\]]+`,
	`\bbearer\s+[A-Za-z0-9._~+/*-]{6,}=*`,
	`\b(?:sk|pk|rk|gsk|xai|key|fk)-[A-Za-z0-9_*.-]{4,}[A-Za-z0-9_*]`,
	`\bAIza[A-Za-z0-9_*-]{6,}`,
	`\bya29\.[A-Za-z0-9_*-]{6,}`,
	`\b(?:org|organization|proj|project|acct|account|user|workspace|team)[-_][A-Za-z0-9*]{3,}(?:[-_][A-Za-z0-9*]+)*`,
	`\bprojects?/[A-Za-z0-9_-]+`,
	`\b(?:project|consumer|account|organization) (?:number:? )?['"]?(?:project_number:)?[0-9]{6,}['"]?`,
	`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+`,
}, "|"))

// ordinary matches what only looks like an id: a word such as user_id or key-value, which names a field and nobody's account.
var ordinary = regexp.MustCompile(`(?i)^(?:key|fk|org|organization|proj|project|acct|account|user|workspace|team)[-_][a-z_-]+$`)

// Scrub makes a vendor's words fit for the caller: keys, the secret of the call, URLs, mail addresses and account ids are taken out,
// and the rest is cut at MaxMessage on a rune boundary.
func Scrub(message string, key secret.Text) string {
	if message == "" {
		return ""
	}
	message = strings.ToValidUTF8(message, "\uFFFD")
	if k := key.Reveal(); len(k) >= 4 {
		message = strings.ReplaceAll(message, k, gone)
	}
	return cut(private.ReplaceAllStringFunc(cut(message, MaxError), func(match string) string {
		if ordinary.MatchString(match) {
			return match
		}
		return gone
	}), MaxMessage)
}

// cut keeps at most n bytes of s and splits no rune.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// word keeps what a code may hold, so that prose never passes for one.
func word(s string, most int) string {
	return cut(strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("_-.:", r):
			return r
		default:
			return -1
		}
	}, s), most)
}
