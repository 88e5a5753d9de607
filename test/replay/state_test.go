package replay_test

import "regexp"

// state are the members of a response that tell where its state is kept, which is at Forge.
var state = regexp.MustCompile(`("store"|"previous_response_id"):\s*(true|false|null|"[^"]*")`)

// withoutState takes them out.
func withoutState(b []byte) []byte { return state.ReplaceAll(b, []byte(`$1:0`)) }
