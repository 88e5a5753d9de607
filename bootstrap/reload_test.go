package bootstrap

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// TestTheProgramReadsItsFileAnewOnHangup changes the file twice: to one that is good, which takes effect, and to one that is not, after which the
// last good one is kept.
func TestTheProgramReadsItsFileAnewOnHangup(t *testing.T) {
	const first = "providers: [{name: openai, credentials: [{file: key}]}]\n"
	cmd := serve(t, map[string]string{"CONFIG_FILE": "forge1.yaml"})
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(cmd.Dir, name), []byte(text), 0o600); err != nil {
			t.Error(err)
		}
	}
	write("forge1.yaml", first)
	var said []string
	heard := follow(t, cmd, func(message string, line map[string]any) {
		switch message {
		case "serving":
			said = append(said, "serving "+listed(line["providers"]))
			write("key", "sk-from-a-file\n")
			_ = cmd.Process.Signal(syscall.SIGHUP)
		case "the configuration was reloaded":
			said = append(said, "reloaded "+listed(line["providers"]))
			write("forge1.yaml", "providers: [{name: openai, kind: gemini}, {name: 'My House'}]\naliases: {auto: {}}\n")
			_ = cmd.Process.Signal(syscall.SIGHUP)
		case "the configuration was not reloaded; the last good one is kept":
			said = append(said, "refused "+listed(line["mistakes"]))
			_ = cmd.Process.Signal(syscall.SIGTERM)
		}
	})
	want := []string{"serving ", "reloaded openai", "refused CONFIG_FILE: providers[0].kind: must be openai, or left out,CONFIG_FILE: providers[1].name: "}
	for i, w := range want {
		if i >= len(said) || !strings.HasPrefix(said[i], w) {
			t.Fatalf("said %q, want %q\n%s", said, want, heard)
		}
	}
	if strings.Contains(heard, "sk-from-a-file") {
		t.Error("the key is in the log")
	}
}

func listed(v any) string {
	list, _ := v.([]any)
	var out []string
	for _, x := range list {
		s, _ := x.(string)
		out = append(out, s)
	}
	return strings.Join(out, ",")
}

// follow runs a program to its good end, tells each line of its log, and gives all it said.
func follow(t *testing.T, cmd *exec.Cmd, tell func(message string, line map[string]any)) string {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var said, errors bytes.Buffer
	cmd.Stderr = &errors
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for lines := bufio.NewScanner(out); lines.Scan(); {
		said.WriteString(lines.Text() + "\n")
		var line map[string]any
		if json.Unmarshal(lines.Bytes(), &line) == nil {
			message, _ := line["message"].(string)
			tell(message, line)
		}
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("got %v, want a server that ends well\n%s%s", err, &said, &errors)
	}
	return said.String() + errors.String()
}

// TestAHangupBeforeServingEndsNothing sends it in the middle of the start. The program goes on, and reads its file anew once it serves.
func TestAHangupBeforeServingEndsNothing(t *testing.T) {
	cmd := serve(t, nil)
	var said []string
	follow(t, cmd, func(message string, _ map[string]any) {
		switch message {
		case "migrated":
			_ = cmd.Process.Signal(syscall.SIGHUP)
		case "the configuration was reloaded":
			_ = cmd.Process.Signal(syscall.SIGTERM)
		default:
			return
		}
		said = append(said, message)
	})
	if want := []string{"migrated", "the configuration was reloaded"}; !slices.Equal(said, want) {
		t.Errorf("said %q, want %q", said, want)
	}
}

// TestAFileThatIsNoneAnyMoreHoldsNoReloadUp puts a pipe in the place of the file and of a key while serving.
func TestAFileThatIsNoneAnyMoreHoldsNoReloadUp(t *testing.T) {
	cmd := serve(t, map[string]string{"CONFIG_FILE": "forge1.yaml"})
	file, key := filepath.Join(cmd.Dir, "forge1.yaml"), filepath.Join(cmd.Dir, "key")
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Error(err)
		}
	}
	write(file, "providers: [{name: openai, credentials: [{file: key}]}]\n")
	write(key, "sk-a")
	refused := 0
	heard := follow(t, cmd, func(message string, line map[string]any) {
		switch message {
		case "serving":
			if err := errors.Join(os.Remove(key), syscall.Mkfifo(key, 0o600)); err != nil {
				t.Error(err)
			}
			_ = cmd.Process.Signal(syscall.SIGHUP)
		case "the configuration was not reloaded; the last good one is kept":
			if refused++; refused == 2 {
				_ = cmd.Process.Signal(syscall.SIGTERM)
				return
			}
			if err := errors.Join(os.Remove(file), syscall.Mkfifo(file, 0o600)); err != nil {
				t.Error(err)
			}
			_ = cmd.Process.Signal(syscall.SIGHUP)
		}
	})
	if refused != 2 || !strings.Contains(heard, "credentials[0].file: cannot be read: it is no regular file") {
		t.Errorf("refused %d times, want twice\n%s", refused, heard)
	}
}
