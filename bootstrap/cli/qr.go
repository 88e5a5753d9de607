package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/forge1/forge1/adapters/qr"
)

type qrCmd struct{}

// Run draws standard input, which never stands in the list of processes or the history of a shell as an argument would.
func (qrCmd) Run(s *session) error {
	text, err := io.ReadAll(io.LimitReader(s.in, qr.MaxText+2))
	if err != nil {
		return fmt.Errorf("read standard input: %w", err)
	}
	drawn, err := qr.Terminal(strings.TrimRight(string(text), "\r\n"))
	if err != nil {
		return err
	}
	return s.print(map[string]string{"qr": drawn}, strings.TrimRight(drawn, "\n"))
}
