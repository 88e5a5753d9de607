package bedrock

import (
	"bytes"
	"embed"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/protocol/eventstream"
)

// caseFiles are the wire cases. The answers among them that are streams are kept in words, one frame a line, and framed as they are read:
//
//	messageStart {"role":"assistant"}
//	!throttlingException {"message":"Slow down."}
//	~contentBlockDelta {...}
//
// A name with ! in front is an exception's, and one with ~ is of a frame whose payload was damaged on the way. Any other line is what the file means it to
// be: the last line of the file without a line break is cut in half.
type caseFiles struct{ embed.FS }

// ReadFile implements fs.ReadFileFS.
func (c caseFiles) ReadFile(name string) ([]byte, error) {
	raw, err := c.FS.ReadFile(name)
	if err != nil || path.Ext(name) != ".http" {
		return raw, err
	}
	out, err := framed(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return out, nil
}

// Open implements fs.FS.
func (c caseFiles) Open(name string) (fs.File, error) {
	f, err := c.FS.Open(name)
	if err != nil || path.Ext(name) != ".http" {
		return f, err
	}
	content, err := c.ReadFile(name)
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return &caseFile{f, bytes.NewReader(content)}, nil
}

// caseFile is a case as it reads. The size that it tells is that of what is kept.
type caseFile struct {
	fs.File
	content *bytes.Reader
}

// Read implements fs.File.
func (c *caseFile) Read(p []byte) (int, error) { return c.content.Read(p) }

// framed frames the answer of a case, if that is a stream.
func framed(raw []byte) ([]byte, error) {
	at := bytes.Index(raw, []byte("\n###\n"))
	if at < 0 {
		return raw, nil
	}
	head, body, ok := bytes.Cut(raw[at:], []byte("\n\n"))
	if !ok || !bytes.Contains(head, []byte(mediaType)) {
		return raw, nil
	}
	out := bytes.NewBuffer(bytes.Clone(raw[:at+len(head)+2]))
	for line := range bytes.Lines(body) {
		if err := frame(out, line); err != nil {
			return nil, err
		}
	}
	return out.Bytes(), nil
}

// frame writes the frame of a line.
func frame(out io.Writer, line []byte) error {
	text, whole := bytes.CutSuffix(line, []byte("\n"))
	name, payload, ok := strings.Cut(string(text), " ")
	if !ok {
		return fmt.Errorf("%.40q is no frame: a name, a space, and its payload", text)
	}
	m := eventstream.Message{Payload: []byte(payload)}
	kind, header := kindEvent, frameEvent
	name, broken := strings.CutPrefix(name, "~")
	if rest, exception := strings.CutPrefix(name, "!"); exception {
		name, kind, header = rest, kindException, frameException
	}
	m.Headers.Set(header, eventstream.StringValue(name))
	m.Headers.Set(":content-type", eventstream.StringValue("application/json"))
	m.Headers.Set(frameKind, eventstream.StringValue(kind))
	var b bytes.Buffer
	if err := eventstream.NewEncoder().Encode(&b, m); err != nil {
		return fmt.Errorf("frame %s: %w", name, err)
	}
	bits := b.Bytes()
	if broken {
		bits[len(bits)-6] ^= 1 // the payload's last byte but one
	}
	if !whole {
		bits = bits[:len(bits)/2]
	}
	_, err := out.Write(bits)
	return err
}
