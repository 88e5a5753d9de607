package e2e_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/forge1/forge1/test/harness"
	"github.com/forge1/forge1/test/surfaces"
)

// inUse is what the heap holds once the garbage is gone.
func inUse() int64 {
	var m runtime.MemStats
	for range 2 { // pools let go of what they have in two steps
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse) //nolint:gosec // far below
}

// TestAReaderThatStopsReadingHoldsTheVendorUp has a client read the beginning of a stream and no more. What the vendor goes on to say must not pile up
// here: it is the vendor that has to wait.
func TestAReaderThatStopsReadingHoldsTheVendorUp(t *testing.T) {
	const (
		endless = 128 << 20 // bytes that the vendor would send
		buffers = 48 << 20  // that the two connections' buffers may hold, at most
		memory  = 8 << 20
	)
	words := strings.Repeat("All work and no play. ", 200)
	s := newStreamer(t, func(s *streamer, d wire, w http.ResponseWriter, r *http.Request) {
		frame := strings.Replace(d.piece, "%s", words, 1)
		for ok := s.say(w, d.start); ok && s.sent.Load() < endless && r.Context().Err() == nil; {
			ok = s.say(w, frame)
		}
	})
	f := withSecond(t, s, nil)
	for _, surface := range everywhere {
		for _, k := range kinds {
			t.Run(surface.Name+" at "+k.kind, func(t *testing.T) {
				s.sent.Store(0)
				before := inUse()
				conn := begin(t, f, surface, surfaces.Ask{Model: "odd-" + k.kind + "/" + k.model, Stream: true, Text: "Go on."})
				defer func() { _ = conn.Close() }()
				if _, err := io.ReadFull(conn, make([]byte, 1<<10)); err != nil {
					t.Fatal(err)
				}
				sent := stalled(t, s)
				most := int64(memory)
				if surface.Name == "responses" || surface.Name == "execute" {
					most += sent // these say all once more at the end
				}
				if grown := inUse() - before; sent >= buffers || grown > most {
					t.Errorf("the vendor sent %d KiB, and %d KiB are held, want less than %d and %d", sent>>10, grown>>10, buffers>>10, most>>10)
				}
				_ = conn.Close()
				harness.Eventually(t, "the vendor's call ends", func() bool { return s.open.Load() == 0 })
			})
		}
	}
}

// stalled waits until the vendor has sent nothing for half a second, and gives what it sent.
func stalled(t *testing.T, s *streamer) int64 {
	t.Helper()
	sent, since := int64(-1), time.Now()
	harness.Eventually(t, "the vendor has to wait", func() bool {
		if now := s.sent.Load(); now != sent {
			sent, since = now, time.Now()
		}
		return time.Since(since) > 500*time.Millisecond
	})
	return sent
}

// begin asks over a connection of its own, whose buffer is small, and leaves the answer in it.
func begin(t testing.TB, f *harness.Forge, surface surfaces.Surface, a surfaces.Ask) net.Conn {
	t.Helper()
	body, err := json.Marshal(surface.Body(a))
	if err != nil {
		t.Fatal(err)
	}
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", strings.TrimPrefix(f.URL, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	if err := conn.(*net.TCPConn).SetReadBuffer(16 << 10); err != nil {
		t.Fatal(err)
	}
	_, err = fmt.Fprintf(conn, "POST %s HTTP/1.1\r\nHost: forge\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", surface.Path, f.Key, len(body), body)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// TestALineOf100KBIsStreamed has vendors say all in one event.
func TestALineOf100KBIsStreamed(t *testing.T) {
	f := harness.New(t, harness.Options{})
	const size = 100_000
	for _, surface := range everywhere {
		for _, k := range kinds {
			t.Run(surface.Name+" at "+k.kind, func(t *testing.T) {
				ask := surfaces.Ask{Model: k.provider + "/" + k.model, Stream: true, Text: fmt.Sprintf("[sim:bytes=%d,piece=%d]", size, size)}
				if surface.Name == "messages" {
					ask.Max = size // of tokens
				}
				a := f.Do(t, http.MethodPost, surface.Path, surface.Body(ask))
				longest := 0
				for line := range bytes.Lines(a.Body) {
					longest = max(longest, len(line))
				}
				if r := surface.Read(t, a.Body); a.Status != http.StatusOK || len(r.Text) != size || !r.Ended || longest < size {
					t.Errorf("got %d, %d bytes, the longest line of %d, ended %t %s", a.Status, len(r.Text), longest, r.Ended, r.Error)
				}
			})
		}
	}
}

// TestAPictureOf20MBArrives sends one picture of two thirds of what a request may hold to every vendor, whole and streamed in turns.
func TestAPictureOf20MBArrives(t *testing.T) {
	f := harness.New(t, harness.Options{})
	picture := base64.StdEncoding.EncodeToString(append([]byte("\x89PNG\r\n\x1a\n"), make([]byte, 15_000_000)...))
	for i, surface := range surfaces.All {
		for j, k := range kinds {
			if (i+j)%3 != 0 { // each surface and each vendor has some, translated and passed through: all of them take minutes
				continue
			}
			t.Run(surface.Name+" at "+k.kind, func(t *testing.T) {
				a := f.Do(t, http.MethodPost, surface.Path, surface.Body(surfaces.Ask{Model: k.provider + "/" + k.model, Stream: i%2 == 0, Text: "What is it?", Image: picture}))
				if r := surface.Read(t, a.Body); a.Status != http.StatusOK || !strings.Contains(r.Text, given("image", "image/png", picture)) {
					t.Errorf("got %d %s %q, want it to have been seen", a.Status, r.Error, r.Text)
				}
			})
		}
	}
}
