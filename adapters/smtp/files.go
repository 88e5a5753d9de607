package smtp

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/forge1/forge1/ports/outbound"
)

// FilesConfig names the folder and the sender.
type FilesConfig struct {
	Dir   string
	From  string
	Clock outbound.Clock
}

// Files implements outbound.Mailer: each mail becomes <id>.eml in a folder that only the owner may read, for development without a server. A mail sent twice is one
// file.
type Files struct {
	dir     string
	letters letters
}

var _ outbound.Mailer = (*Files)(nil)

// NewFiles makes a mailer into files. The folder is made with the first mail.
func NewFiles(c FilesConfig) (*Files, error) {
	l, err := newLetters(c.From, c.Clock)
	if err != nil {
		return nil, err
	}
	return &Files{dir: c.Dir, letters: l}, nil
}

// Send implements outbound.Mailer. The file appears whole or not at all.
func (f *Files) Send(ctx context.Context, letter outbound.Mail) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	if letter.ID == "" || letter.ID != filepath.Base(letter.ID) || strings.HasPrefix(letter.ID, ".") {
		return fmt.Errorf("write mail: the id is no file name")
	}
	msg, err := f.letters.compose(letter)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return fmt.Errorf("make mail folder: %w", err)
	}
	part, err := os.CreateTemp(f.dir, ".part-*")
	if err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(part.Name())
		}
	}()
	if _, err := msg.WriteTo(part); err != nil {
		_ = part.Close()
		return fmt.Errorf("write mail: %w", err)
	}
	if err := part.Close(); err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	if err := os.Rename(part.Name(), filepath.Join(f.dir, letter.ID+".eml")); err != nil {
		return fmt.Errorf("write mail: %w", err)
	}
	return nil
}
