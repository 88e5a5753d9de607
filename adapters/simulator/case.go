package simulator

import (
	"bytes"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Case is one exchange with a vendor, as a file *.http holds it:
//
//	# name: chat-hello            (optional; the file's name without .http otherwise)
//	# tags: tools, stream         (optional; commas or spaces between them)
//	# want-text: Hello!           (any other key is kept in Meta)
//	POST /v1/chat/completions HTTP/1.1
//	Content-Type: application/json
//
//	{"model": ...}
//	###
//	HTTP/1.1 200 OK
//	Content-Type: application/json
//
//	{"id": ...}
//
// The request's body ends before the line break in front of the ### line. The response's body is every byte after the blank line up to the
// end of the file, the last line break and any CRLF included. Head lines may end in LF or CRLF. A lone # is a blank comment.
type Case struct {
	Name          string
	Tags          []string
	Meta          map[string]string // every "# key: value" but name and tags
	Method        string
	Path          string // the request's target, with its query
	RequestHeader http.Header
	RequestBody   []byte
	Status        int
	Header        http.Header
	Body          []byte
}

// Tagged reports whether the case carries the tag.
func (c Case) Tagged(tag string) bool { return slices.Contains(c.Tags, tag) }

// ParseCases reads every *.http file of the tree, in the order of their paths. An error names file and line.
func ParseCases(files fs.FS) ([]Case, error) {
	var cases []Case
	from := map[string]string{} // case name -> file
	err := fs.WalkDir(files, ".", func(file string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || path.Ext(file) != ".http" {
			return err
		}
		raw, err := fs.ReadFile(files, file)
		if err != nil {
			return err
		}
		c, err := parseCase(file, raw)
		if err != nil {
			return err
		}
		if other, taken := from[c.Name]; taken {
			return fmt.Errorf("%s:1: the name %q is already that of %s", file, c.Name, other)
		}
		from[c.Name] = file
		cases = append(cases, c)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("parse wire cases: %w", err)
	}
	return cases, nil
}

var metaLine = regexp.MustCompile(`^#\s*([a-z][a-z0-9_-]*):(?:\s+(.*))?$`)

// lines hands out a file's lines and knows where it stands.
type lines struct {
	file string
	rest []byte
	at   int // number of the line handed out last
}

func (l *lines) next() (string, bool) {
	if len(l.rest) == 0 {
		return "", false
	}
	line, rest, _ := bytes.Cut(l.rest, []byte("\n"))
	l.rest, l.at = rest, l.at+1
	return strings.TrimSuffix(string(line), "\r"), true
}

func (l *lines) errorf(format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", l.file, max(l.at, 1), fmt.Sprintf(format, args...))
}

func parseCase(file string, raw []byte) (Case, error) {
	l := &lines{file: file, rest: raw}
	c := Case{Name: strings.TrimSuffix(path.Base(file), ".http"), Meta: map[string]string{}}
	first, err := c.parseMeta(l)
	if err != nil {
		return Case{}, err
	}
	if err := c.parseRequestLine(l, first); err != nil {
		return Case{}, err
	}
	if c.RequestHeader, err = parseHeader(l); err != nil {
		return Case{}, err
	}
	if c.RequestBody, err = untilSeparator(l); err != nil {
		return Case{}, err
	}
	if err := c.parseStatusLine(l); err != nil {
		return Case{}, err
	}
	if c.Header, err = parseHeader(l); err != nil {
		return Case{}, err
	}
	c.Body = l.rest
	return c, nil
}

// parseMeta reads the leading comments and gives the first line that is none.
func (c *Case) parseMeta(l *lines) (string, error) {
	seen := map[string]bool{}
	for {
		line, ok := l.next()
		switch {
		case !ok:
			return "", l.errorf("the file ends before its request")
		case line == "" || line == "#":
			continue
		case line[0] != '#':
			return line, nil
		}
		m := metaLine.FindStringSubmatch(line)
		if m == nil {
			return "", l.errorf("want \"# key: value\" with a lower-case key, got %q", line)
		}
		key, value := m[1], m[2]
		if seen[key] {
			return "", l.errorf("the key %q is given twice", key)
		}
		seen[key] = true
		switch key {
		case "name":
			c.Name = value
		case "tags":
			c.Tags = strings.FieldsFunc(value, func(r rune) bool { return r == ',' || r == ' ' || r == '\t' })
		default:
			c.Meta[key] = value
		}
	}
}

func (c *Case) parseRequestLine(l *lines, line string) error {
	f := strings.Split(line, " ")
	if len(f) != 3 || !strings.HasPrefix(f[1], "/") || !strings.HasPrefix(f[2], "HTTP/") {
		return l.errorf("want a request line such as \"POST /v1/messages HTTP/1.1\", got %q", line)
	}
	c.Method, c.Path = f[0], f[1]
	return nil
}

func (c *Case) parseStatusLine(l *lines) error {
	line, _ := l.next()
	f := strings.SplitN(line, " ", 3)
	if len(f) < 2 || !strings.HasPrefix(f[0], "HTTP/") {
		return l.errorf("want a status line such as \"HTTP/1.1 200 OK\", got %q", line)
	}
	status, err := strconv.Atoi(f[1])
	if err != nil || status < 100 || status > 599 {
		return l.errorf("want a status of 100 to 599, got %q", f[1])
	}
	c.Status = status
	return nil
}

func parseHeader(l *lines) (http.Header, error) {
	h := http.Header{}
	for {
		line, ok := l.next()
		if !ok {
			return nil, l.errorf("the file ends within a header; a blank line ends it")
		}
		if line == "" {
			return h, nil
		}
		name, value, ok := strings.Cut(line, ":")
		if !ok || name == "" || strings.ContainsAny(name, " \t") {
			return nil, l.errorf("want a header line such as \"Content-Type: application/json\", got %q", line)
		}
		h.Add(name, strings.TrimSpace(value))
	}
}

// untilSeparator gives the bytes up to the ### line, without the line break in front of it.
func untilSeparator(l *lines) ([]byte, error) {
	body := l.rest
	for {
		before := len(body) - len(l.rest)
		line, ok := l.next()
		if !ok {
			return nil, l.errorf("no ### line between request and response")
		}
		if line == "###" {
			body = bytes.TrimSuffix(body[:before], []byte("\n"))
			return bytes.TrimSuffix(body, []byte("\r")), nil
		}
	}
}
