package rest

import (
	"bytes"
	"slices"
	"strconv"
)

// relayed gives a whole answer of a vendor that speaks the client's dialect, with what Forge told the vendor otherwise than the client told Forge put
// right, and keeps it. What is no response object stays as it is.
func (c *respCall) relayed(body []byte) []byte {
	body = bytes.TrimSpace(body) // some vendors pad it
	members, ok := membersOf(body, 0)
	if !ok {
		return body
	}
	shown := c.shown(body, members)
	if state := textAt(body, members, "status"); state == "completed" || state == "incomplete" {
		at := members["output"]
		c.keep(textAt(body, members, "id"), itemsOf(body[at.from:at.to]), shown)
	}
	return shown
}

// shown puts into a response object what the client said of keeping it, and of going on.
func (c *respCall) shown(object []byte, members map[string]span) []byte {
	var edits []edit
	for key, value := range map[string][]byte{
		"store": strconv.AppendBool(nil, c.conv.env.store), "previous_response_id": c.conv.env.raw(respPrevious, "null"),
	} {
		if at, there := members[key]; there && !bytes.Equal(object[at.from:at.to], value) {
			edits = append(edits, edit{at, value})
		}
	}
	return edited(object, edits)
}

var responseKey = []byte(`"response"`)

// frame does the same in a frame of a stream. Only few frames hold a response object; in a text its key would stand with its quotes escaped. The last
// one is kept before it is sent, so that the client's next call finds it.
func (c *respCall) frame(raw []byte) []byte {
	if !bytes.Contains(raw, responseKey) {
		return raw
	}
	start := bytes.Index(raw, []byte("data:"))
	if start > 0 && raw[start-1] != '\n' {
		start = bytes.Index(raw, []byte("\ndata:")) + 1
	}
	if start < 0 {
		return raw
	}
	event, ok := membersOf(raw, start+len("data:"))
	at, there := event["response"]
	if !ok || !there {
		return raw
	}
	object := raw[at.from:at.to]
	members, ok := membersOf(object, 0)
	if !ok {
		return raw
	}
	shown := c.shown(object, members)
	switch textAt(raw, event, "type") {
	case "response.completed", "response.incomplete":
		output := members["output"]
		// The frame is the vendor's for as long as it is sent: what is kept is not.
		c.keep(textAt(object, members, "id"), itemsOf(bytes.Clone(object[output.from:output.to])), bytes.Clone(shown))
	}
	return slices.Concat(raw[:at.from], shown, raw[at.to:])
}
