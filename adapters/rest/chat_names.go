package rest

import (
	"strconv"
	"strings"
)

// chatName gives a field the name that the client has for it: of tools, some stand elsewhere in its request, and some were not sent on.
func chatName(field string, tools []string) string {
	rest, isTool := strings.CutPrefix(field, "tools[")
	at, more, ok := strings.Cut(rest, "]")
	if n, err := strconv.Atoi(at); isTool && ok && err == nil && n >= 0 && n < len(tools) {
		return tools[n] + more
	}
	return field
}

// executeName gives a field the name that execute has for it.
func executeName(field string) string {
	if field == "user" {
		return "end_user"
	}
	return field
}
