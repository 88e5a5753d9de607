// Command pack writes the words of adapters/blocklist: the frequency lists of github.com/trustelem/zxcvbn (passwords, English words, names), merged and
// compressed. It is run by go generate; the module is not linked into the program, where its lists would cost 2 MiB and 0.3 ms of every garbage collection.
package main

import (
	"bytes"
	"compress/flate"
	"fmt"
	"os"

	"github.com/forge1/forge1/adapters/blocklist/internal/frequencies"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(file string) error {
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		return fmt.Errorf("compress words: %w", err)
	}
	if _, err := w.Write([]byte(frequencies.Merged())); err != nil {
		return fmt.Errorf("compress words: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("compress words: %w", err)
	}
	if err := os.WriteFile(file, packed.Bytes(), 0o644); err != nil { //nolint:gosec // a source file, for all to read
		return fmt.Errorf("write words: %w", err)
	}
	return nil
}
