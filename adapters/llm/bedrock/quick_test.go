package bedrock

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// FuzzQuick compares the quick way with encoding/json: what it reads at all it reads the same.
func FuzzQuick(f *testing.F) {
	for _, s := range []string{
		`{"contentBlockIndex":3,"delta":{"text":"Gr\u00fc\n"},"p":"abc"}`, `{"contentBlockIndex":0,"delta":{"toolUse":{"input":"{\"a\":"}}}`,
		`{"delta":{"reasoningContent":{"text":"t"}},"contentBlockIndex":1}`, `{"delta":{"reasoningContent":{"text":"t","signature":"s"}}}`,
		`{"delta":{"text":"a"}} `, `{"delta":{"text":"a","toolUse":{"input":"b"}}}`, `{"delta":{"text":null}}`, `{}`, `{"delta":{"text":"\ud800"}}`, `{"p":{}}`,
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, payload string) {
		data := []byte(string(deltaMark) + payload + "}")
		var got blockDelta
		if !got.quick(data) {
			return
		}
		var want event
		if err := json.Unmarshal(data, &want); err != nil || want.Delta == nil {
			t.Fatalf("%s was read, but is no event: %v", data, err)
		}
		if diff := cmp.Diff(want.Delta, &got); diff != "" {
			t.Fatalf("%s (-encoding/json +quick):\n%s", data, diff)
		}
	})
}

func TestTheQuickWayIsTaken(t *testing.T) {
	for _, payload := range []string{
		`{"contentBlockIndex":3,"delta":{"text":"a"},"p":"abc"}`, `{"contentBlockIndex":3,"delta":{"toolUse":{"input":"a"}},"p":"abc"}`,
		`{"contentBlockIndex":3,"delta":{"reasoningContent":{"text":"a"}},"p":"abc"}`,
	} {
		var got blockDelta
		if !got.quick([]byte(string(deltaMark)+payload+"}")) || got.Index != 3 {
			t.Errorf("%s is read the long way: %+v", payload, got)
		}
	}
}
