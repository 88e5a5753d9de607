package bootstrap

import (
	"io"
	"log/slog"
)

// LogWriter is where the JSON log goes.
type LogWriter struct{ io.Writer }

// LogTo names where the JSON log goes.
func LogTo(w io.Writer) LogWriter { return LogWriter{w} }

// newLogger makes the log: one JSON object a line, with timestamp, level, message and app. The cleanup writes what it holds.
func newLogger(w LogWriter, c Config) (*slog.Logger, func()) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.LogLevel)); err != nil {
		level = slog.LevelInfo
	}
	out := newBatch(w)
	h := slog.NewJSONHandler(out, &slog.HandlerOptions{Level: level, ReplaceAttr: rename})
	return slog.New(h).With("app", "forge1-backend"), out.Close
}

// rename gives slog's own keys the names that the log line promises.
func rename(groups []string, a slog.Attr) slog.Attr {
	if len(groups) > 0 {
		return a
	}
	switch a.Key {
	case slog.TimeKey:
		a.Key = "timestamp"
	case slog.MessageKey:
		a.Key = "message"
	}
	return a
}
