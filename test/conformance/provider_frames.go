package conformance

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"net/http"
	"strings"
)

// eventStream is the media type of streams that come in Amazon's binary frames. Each is its length, that of its headers, the checksum of both, the
// headers, the payload, and the checksum of it all. Other streams are server-sent events.
const eventStream = "application/vnd.amazon.eventstream"

func isFramed(h http.Header) bool { return h.Get("Content-Type") == eventStream }

// firstEvent is what a stream begins with, up to the end of its first event.
func firstEvent(x exchange) []byte {
	if isFramed(x.header) {
		return x.body[:binary.BigEndian.Uint32(x.body)]
	}
	first, _, _ := bytes.Cut(x.body, []byte("\n\n"))
	return append(first, "\n\n"...)
}

// longer gives a stream with a mebibyte in it that says nothing: a comment in front, where the framing has such a thing, and white space in an event.
func longer(x exchange) map[string][]byte {
	blank := strings.Repeat(" ", 1<<20)
	if !isFramed(x.header) {
		return map[string][]byte{
			"comment": []byte(": " + strings.Repeat("-", 1<<20) + "\n\n" + string(x.body)),
			"event":   []byte(strings.Replace(string(x.body), "data: {", "data: {"+blank, 1)),
		}
	}
	first := firstEvent(x)
	const prelude, sum = 12, 4
	headers := first[prelude : prelude+binary.BigEndian.Uint32(first[4:])]
	payload := first[prelude+len(headers) : len(first)-sum]
	payload = []byte(strings.Replace(string(payload), "{", "{"+blank, 1))
	long := binary.BigEndian.AppendUint32(nil, uint32(prelude+len(headers)+len(payload)+sum)) //nolint:gosec // a mebibyte and little more
	long = binary.BigEndian.AppendUint32(long, uint32(len(headers)))                          //nolint:gosec // part of what has a length in 32 bits
	long = binary.BigEndian.AppendUint32(long, crc32.ChecksumIEEE(long))
	long = append(append(long, headers...), payload...)
	long = binary.BigEndian.AppendUint32(long, crc32.ChecksumIEEE(long))
	return map[string][]byte{"event": append(long, x.body[len(first):]...)}
}
