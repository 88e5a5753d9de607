package bedrock

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
)

// mediaType is that of a stream in Amazon's framing.
const mediaType = "application/vnd.amazon.eventstream"

// Headers of a frame, and what the first of them may say.
const (
	frameKind      = ":message-type"
	frameEvent     = ":event-type"
	frameException = ":exception-type"
	frameCode      = ":error-code"

	kindEvent     = "event"
	kindException = "exception"
	kindError     = "error"
)

// unframe gives a body in Amazon's framing as server-sent events, whose data is an object with one member: the type of the frame, with its payload. So the
// rest of a stream is that of every other vendor's.
func unframe(body io.ReadCloser) io.ReadCloser {
	return &unframed{body: body, in: bufio.NewReaderSize(body, 8<<10)}
}

type unframed struct {
	body    io.ReadCloser
	in      *bufio.Reader
	decoder eventstream.Decoder
	payload []byte
	out     bytes.Buffer
	err     error
}

// Close implements io.Closer.
func (u *unframed) Close() error { return u.body.Close() }

// Read implements io.Reader.
func (u *unframed) Read(p []byte) (int, error) {
	for u.out.Len() == 0 {
		if u.err != nil {
			return 0, u.err
		}
		u.err = u.next()
	}
	return u.out.Read(p)
}

// damaged stands for a frame that is none, and is no event either.
const damaged = "data: a damaged frame\n\n"

// next reads a frame. What is damaged fails as an event that is none; what breaks off, as the body that it does.
func (u *unframed) next() error {
	u.out.Reset()
	if _, err := u.in.Peek(1); err != nil {
		return err // the end, when it is io.EOF
	}
	watched := &watchedReader{src: u.in}
	m, err := u.decoder.Decode(watched, u.payload)
	if err != nil {
		switch {
		case watched.err != nil && !errors.Is(watched.err, io.EOF):
			return watched.err
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), watched.err != nil:
			return io.ErrUnexpectedEOF
		}
		u.out.WriteString(damaged)
		return io.EOF
	}
	if cap(m.Payload) > cap(u.payload) && cap(m.Payload) <= 64<<10 {
		u.payload = m.Payload[:0]
	}
	u.event(&m)
	return nil
}

// watchedReader remembers what its source ended with: the decoder's errors do not tell.
type watchedReader struct {
	src io.Reader
	err error
}

// Read implements io.Reader.
func (w *watchedReader) Read(p []byte) (int, error) {
	n, err := w.src.Read(p)
	if err != nil {
		w.err = err
	}
	return n, err
}

// event writes a frame as a server-sent event.
func (u *unframed) event(m *eventstream.Message) {
	kind := word(m.Headers.Get(frameKind))
	var name string
	payload := bytes.TrimSpace(m.Payload)
	switch kind {
	case kindException:
		name = word(m.Headers.Get(frameException))
	case kindError:
		name = word(m.Headers.Get(frameCode))
		payload = nil
	case kindEvent:
		if name = word(m.Headers.Get(frameEvent)); name == "" {
			return
		}
	default:
		return // what is yet to be invented
	}
	if len(payload) == 0 {
		payload = []byte("{}")
	}
	for i, c := range payload {
		if c == '\n' || c == '\r' { // between values: within one they cannot stand
			payload[i] = ' '
		}
	}
	if kind == kindEvent {
		u.out.WriteString(`data: {"` + name + `":`)
	} else {
		if name == "" {
			name = "unknown"
		}
		u.out.WriteString(`data: {"exception":"` + name + `","problem":`)
	}
	u.out.Write(payload)
	u.out.WriteString("}\n\n")
}

// word gives a header that is a name; "" for any other.
func word(v eventstream.Value) string {
	s, ok := v.(eventstream.StringValue)
	if !ok || len(s) > 64 {
		return ""
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') {
			return ""
		}
	}
	return string(s)
}
