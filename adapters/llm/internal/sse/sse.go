// Package sse reads server-sent events (the event stream format of the HTML standard) as bytes arrive, and keeps every byte of each
// frame, so that a stream can be both understood and passed on unchanged.
package sse

import (
	"bytes"
	"errors"
	"io"
	"sync"
)

// MaxFrame is how long a frame may be unless NewReader is told otherwise. Vendors send lines of 100 KB.
const MaxFrame = 16 << 20

const (
	firstBuffer = 8 << 10
	keptBuffer  = 64 << 10 // larger buffers are not pooled
)

// ErrTooLong is a frame that is longer than the limit.
var ErrTooLong = errors.New("a frame of the event stream is longer than the limit")

// Frame is one block of a stream with the blank line that ends it. Its slices are valid until the next call of Next.
type Frame struct {
	Raw     []byte // every byte as it came: comments, padding, line ends, a byte order mark
	Event   []byte // of the last event: line; empty when there is none
	Data    []byte // the data: lines, joined by a line feed
	HasData bool   // there was a data: line, though it may be empty
	Comment bool   // nothing but comments and blank lines: a keep-alive
	Cut     bool   // the stream ended within this frame, before its blank line; Next gives io.EOF after it
}

// Reader takes a stream apart. The frames do not depend on how the bytes are cut when they arrive.
type Reader struct {
	src    io.Reader
	buf    *[]byte
	start  int  // of the frame that is looked for
	line   int  // of its last line
	seek   int  // from line to here stands no line end
	end    int  // of what was read
	loneCR bool // the line before ended in a CR that no LF followed
	begun  bool // the byte order mark, if any, is behind us
	most   int
	join   []byte // the data of a frame with several data: lines
	err    error  // what src ended with
}

var buffers = sync.Pool{New: func() any { b := make([]byte, firstBuffer); return &b }}

// NewReader reads frames of at most most bytes from src; 0 means MaxFrame. Close it when done.
func NewReader(src io.Reader, most int) *Reader {
	if most <= 0 {
		most = MaxFrame
	}
	return &Reader{src: src, most: most, buf: buffers.Get().(*[]byte)}
}

// Close gives the buffer back; no frame is valid after it, and Next gives io.EOF. The source is the caller's to close.
func (r *Reader) Close() {
	if r.buf != nil && len(*r.buf) <= keptBuffer {
		buffers.Put(r.buf)
	}
	*r = Reader{err: io.EOF}
}

// Next gives the next frame. It fails with io.EOF at the end, with ErrTooLong, or with what the source failed with. The bytes of an
// unfinished frame are given, marked Cut, when the source ended cleanly, and withheld when it failed.
func (r *Reader) Next() (Frame, error) {
	for {
		if end, ok := r.frameEnd(); ok {
			raw := (*r.buf)[r.start:end]
			r.start, r.line, r.seek, r.loneCR = end, end, end, false
			return r.parse(raw), nil
		}
		if r.err != nil {
			return r.last()
		}
		if r.end-r.start >= r.most {
			r.err = ErrTooLong
			return Frame{}, ErrTooLong
		}
		r.fill()
	}
}

// last is what is left when the source has ended.
func (r *Reader) last() (Frame, error) {
	if r.start == r.end || !errors.Is(r.err, io.EOF) {
		return Frame{}, r.err
	}
	raw := (*r.buf)[r.start:r.end]
	r.start, r.line, r.seek = r.end, r.end, r.end
	f := r.parse(raw)
	f.Cut = !f.Comment
	return f, nil
}

// frameEnd looks for the blank line that ends the frame, from where it left off.
func (r *Reader) frameEnd() (int, bool) {
	if r.buf == nil {
		return 0, false
	}
	b := (*r.buf)[:r.end]
	for {
		at, size := lineEnd(b[r.seek:])
		if size == 0 {
			r.seek = r.end
			return 0, false
		}
		at += r.seek
		blank := at == r.line || (!r.begun && r.start == r.line && bytes.Equal(b[r.line:at], mark))
		switch {
		case b[at] != '\r':
		case blank && r.loneCR:
			size = 1 // after a line that ended in a lone CR no LF is waited for, or such a stream would lag by an event
		case at+1 == r.end && r.err == nil:
			r.seek = at // an LF may follow and belong to this line end
			return 0, false
		}
		r.loneCR = b[at] == '\r' && size == 1
		r.line, r.seek = at+size, at+size
		if blank {
			return at + size, true
		}
	}
}

// fill reads once. A source that gives neither bytes nor an error is asked again by Next.
func (r *Reader) fill() {
	buf := *r.buf
	if r.end == len(buf) {
		if r.start > 0 {
			r.end = copy(buf, buf[r.start:r.end])
			r.line, r.seek, r.start = r.line-r.start, r.seek-r.start, 0
		}
		if r.end > len(buf)/2 {
			grown := make([]byte, 2*len(buf))
			copy(grown, buf[:r.end])
			r.buf, buf = &grown, grown
		}
	} else if r.start == r.end {
		r.start, r.line, r.seek, r.end = 0, 0, 0, 0
	}
	n, err := r.src.Read(buf[r.end:])
	r.end += n
	r.err = err
}

var (
	mark     = []byte("\xEF\xBB\xBF")
	nameData = []byte("data")
	nameKind = []byte("event")
)

// parse reads the lines of a frame.
func (r *Reader) parse(raw []byte) Frame {
	f := Frame{Raw: raw, Comment: true}
	rest := raw
	if !r.begun {
		r.begun = true
		rest = bytes.TrimPrefix(rest, mark)
	}
	for joined := false; len(rest) > 0; {
		line := rest
		if at, size := lineEnd(rest); size > 0 {
			line, rest = rest[:at], rest[at+size:]
		} else {
			rest = nil
		}
		if len(line) == 0 || line[0] == ':' {
			continue
		}
		f.Comment = false
		name, value, _ := bytes.Cut(line, []byte{':'})
		value = bytes.TrimPrefix(value, []byte{' '})
		switch {
		case bytes.Equal(name, nameKind):
			f.Event = value
		case !bytes.Equal(name, nameData):
		case !f.HasData:
			f.Data, f.HasData = value, true
		case !joined:
			joined = true
			r.join = append(append(append(r.join[:0], f.Data...), '\n'), value...)
			f.Data = r.join
		default:
			r.join = append(append(r.join, '\n'), value...)
			f.Data = r.join
		}
	}
	return f
}

// lineEnd finds the first line end in b: LF, CRLF or CR. size is 0 when there is none.
func lineEnd(b []byte) (at, size int) {
	lf := bytes.IndexByte(b, '\n')
	line := b
	if lf >= 0 {
		line = b[:lf]
	}
	cr := bytes.IndexByte(line, '\r')
	switch {
	case cr < 0 && lf < 0:
		return 0, 0
	case cr < 0:
		return lf, 1
	case cr+1 == lf:
		return cr, 2
	default:
		return cr, 1
	}
}
