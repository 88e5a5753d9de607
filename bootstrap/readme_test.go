package bootstrap_test

import (
	"os"
	"strings"
	"testing"

	"github.com/forge1/forge1/bootstrap"
)

func TestTheReadmeTellsEveryVariable(t *testing.T) {
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(readme), bootstrap.ConfigTable()) {
		t.Error("the README's table of variables is stale; put the output of: go run ./bootstrap/forge1 config --table")
	}
}
