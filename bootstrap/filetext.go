package bootstrap

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v4"
)

// defaultFile is the configuration file that is read when it is there.
const defaultFile = "./forge1.yaml"

// Bounds of files, in bytes.
const (
	maxFile    = 4 << 20 // CONFIG_FILE
	maxKeyFile = 64 << 10
)

var (
	errNoFile   = errors.New("it is no regular file")
	errFileSize = errors.New("it is too large")
)

// readBounded reads a regular file of at most so many bytes. What is not one, such as a pipe that nobody writes to, would hold up the start, and a
// reload for ever.
func readBounded(path string, most int64) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, errNoFile
	}
	f, err := os.Open(path) //nolint:gosec // the operator's own file
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	b, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(b)) > most {
		err = errFileSize
	}
	if err != nil {
		return nil, err
	}
	return b, nil
}

// reasonOf says why a file cannot be read, without its path, which may be a key in the wrong place.
func reasonOf(err error) string {
	switch {
	case errors.Is(err, os.ErrNotExist):
		return "there is no such file"
	case errors.Is(err, os.ErrPermission):
		return "permission denied"
	case errors.Is(err, errNoFile), errors.Is(err, errFileSize):
		return err.Error()
	default:
		return "it is no readable file"
	}
}

// readFile reads a configuration file. What is wrong with it is told by line, never by value.
func readFile(path string) (File, []string) {
	var f File
	b, err := readBounded(path, maxFile)
	if err != nil {
		return f, []string{"CONFIG_FILE: cannot be read: " + reasonOf(err)}
	}
	loader, err := yaml.NewLoader(bytes.NewReader(b), yaml.WithKnownFields())
	if err == nil {
		err = loader.Load(&f)
	}
	if errors.Is(err, io.EOF) { // the end of a file without a document
		return f, nil
	}
	if err != nil {
		return File{}, yamlMistakes(err)
	}
	if err := loader.Load(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return File{}, []string{"CONFIG_FILE: holds more than one document"}
	}
	return f, nil
}

// yamlMistakes gives the mistakes of a file by line.
func yamlMistakes(err error) []string {
	all, ok := errors.AsType[*yaml.LoadErrors](err)
	if !ok {
		return []string{"CONFIG_FILE: " + withoutValues(err.Error())}
	}
	var out []string
	for _, e := range all.Errors {
		out = append(out, fmt.Sprintf("CONFIG_FILE: line %d: %s", e.Mark.Line, withoutValues(e.Message)))
	}
	return out
}

// withoutValues takes out of a message of the YAML library what it quotes of the file: that may be a secret in the wrong place. The library does not
// escape quotation marks, so everything between the first and the last goes.
func withoutValues(message string) string {
	message = strings.ReplaceAll(strings.TrimSpace(message), "\n", " ")
	message = quotation.ReplaceAllString(message, "a value")
	message = ownTag.ReplaceAllString(message, "${1}a tag")
	if m := unknownField.FindStringSubmatch(message); m != nil {
		return "there is no field " + told(m[1])
	}
	return message
}

var (
	quotation    = regexp.MustCompile("`.*`|\".*\"|'.*'")
	ownTag       = regexp.MustCompile(`(^|\s)![^!\s]\S*`)
	unknownField = regexp.MustCompile(`^(?:.*: )?field (.*) not found`)
)

// told gives a name that stands in the file, unless it is such that it may be a key in the wrong place.
func told(name string) string {
	if plainName.MatchString(name) && !strings.HasPrefix(name, "sk-") {
		return name
	}
	return "(a name that is not told)"
}

// withoutKeys takes out of a message what may be a key.
func withoutKeys(message string) string {
	return longWord.ReplaceAllString(message, "(a word that is not told)")
}

var longWord = regexp.MustCompile(`\bsk-[A-Za-z0-9_-]+|[A-Za-z0-9_-]{33,}`)

var plainName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,31}$`)
