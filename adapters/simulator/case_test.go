package simulator_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/adapters/simulator"
)

func TestParseCasesReadsAFileByteForByte(t *testing.T) {
	t.Parallel()
	file := "# tags: tools, stream\n# want-text: Hello: you\n#\n\n" +
		"POST /v1beta/models/m:streamGenerateContent?alt=sse HTTP/1.1\r\nContent-Type: application/json\r\nX-A: 1\nX-A: 2\n\n" +
		"{\"a\":1,\n\"b\":2}\n###\nHTTP/1.1 200 OK\nContent-Type: text/event-stream\n\ndata: {}\r\n\r\n"
	got, err := simulator.ParseCases(fstest.MapFS{
		"testdata/hello.http": {Data: []byte(file)},
		"testdata/notes.txt":  {Data: []byte("left alone")},
	})
	if err != nil {
		t.Fatalf("ParseCases: %v", err)
	}
	want := []simulator.Case{{
		Name: "hello", Tags: []string{"tools", "stream"}, Meta: map[string]string{"want-text": "Hello: you"},
		Method: "POST", Path: "/v1beta/models/m:streamGenerateContent?alt=sse",
		RequestHeader: map[string][]string{"Content-Type": {"application/json"}, "X-A": {"1", "2"}},
		RequestBody:   []byte("{\"a\":1,\n\"b\":2}"),
		Status:        200, Header: map[string][]string{"Content-Type": {"text/event-stream"}},
		Body: []byte("data: {}\r\n\r\n"),
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("cases (-want +got):\n%s", diff)
	}
	if !got[0].Tagged("tools") || got[0].Tagged("tool") {
		t.Errorf("Tagged(tools), Tagged(tool) = %t, %t, want true, false", got[0].Tagged("tools"), got[0].Tagged("tool"))
	}
}

func TestParseCasesNamesFileAndLine(t *testing.T) {
	t.Parallel()
	const head, tail = "POST /x HTTP/1.1\n\n{}\n", "###\nHTTP/1.1 200 OK\n\n{}"
	for name, c := range map[string]struct{ file, want string }{
		"an empty file":                  {"", "a.http:1: the file ends before its request"},
		"a comment that is no key":       {"# tags: a\n# Just prose here\n" + head + tail, "a.http:2: want \"# key: value\""},
		"a key given twice":              {"# a: 1\n# a: 2\n" + head + tail, "a.http:2: the key \"a\" is given twice"},
		"a request line without version": {"POST /x\n\n{}\n" + tail, "a.http:1: want a request line"},
		"a header without colon":         {"POST /x HTTP/1.1\nAccept\n\n{}\n" + tail, "a.http:2: want a header line"},
		"no separator":                   {head, "a.http:3: no ### line"},
		"a header that never ends":       {head + "###\nHTTP/1.1 200 OK\nA: b", "a.http:6: the file ends within a header"},
		"a status line that is none":     {head + "###\n200 OK\n\n{}", "a.http:5: want a status line"},
		"a status out of range":          {head + "###\nHTTP/1.1 999 Odd\n\n{}", "a.http:5: want a status of 100 to 599"},
		"nothing after the separator":    {head + "###\n", "a.http:4: want a status line"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := simulator.ParseCases(fstest.MapFS{"a.http": {Data: []byte(c.file)}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("ParseCases = %v, want an error with %q", err, c.want)
			}
		})
	}
}

func TestParseCasesRefusesTwoOfOneName(t *testing.T) {
	t.Parallel()
	file := []byte("# name: same\nPOST /x HTTP/1.1\n\n{}\n###\nHTTP/1.1 200 OK\n\n{}")
	_, err := simulator.ParseCases(fstest.MapFS{"a.http": {Data: file}, "b.http": {Data: file}})
	if err == nil || !strings.Contains(err.Error(), `b.http:1: the name "same" is already that of a.http`) {
		t.Errorf("ParseCases = %v, want it to name both files", err)
	}
}
