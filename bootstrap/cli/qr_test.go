package cli_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/forge1/forge1/adapters/qr"
	"github.com/forge1/forge1/bootstrap/cli"
)

func TestACodeIsDrawnFromStandardInput(t *testing.T) {
	const uri = "otpauth://totp/Forge%201:ada@example.com?secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP&issuer=Forge%201"
	want, err := qr.Terminal(uri)
	if err != nil {
		t.Fatal(err)
	}
	for name, in := range map[string]string{"as it is": uri, "with a line break": uri + "\n", "with that of another system": uri + "\r\n"} {
		var out, errOut bytes.Buffer
		if code := cli.Run(t.Context(), []string{"qr"}, strings.NewReader(in), &out, &errOut); code != 0 || strings.TrimRight(out.String(), "\n") != strings.TrimRight(want, "\n") {
			t.Errorf("%s: exit %d, %s, got\n%s", name, code, errOut.String(), out.String())
		}
	}
	var out bytes.Buffer
	var got struct{ QR string }
	if code := cli.Run(t.Context(), []string{"--json", "qr"}, strings.NewReader(uri), &out, &out); code != 0 || json.Unmarshal(out.Bytes(), &got) != nil || got.QR != want {
		t.Errorf("as JSON: exit %d, got %s", code, out.String())
	}
}

func TestWhatCannotBeDrawnIsNotQuoted(t *testing.T) {
	for name, in := range map[string]string{"nothing": "", "too much": strings.Repeat("sesame", qr.MaxText)} {
		var out, errOut bytes.Buffer
		if code := cli.Run(t.Context(), []string{"qr"}, strings.NewReader(in), &out, &errOut); code != 1 || out.Len() > 0 || strings.Contains(errOut.String(), "sesame") {
			t.Errorf("%s: exit %d, got %q, %q", name, code, out.String(), errOut.String())
		}
	}
}
