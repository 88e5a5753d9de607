package rest

import (
	"bytes"
	"sync"

	"github.com/forge1/forge1/adapters/rest/internal/strictjson"
	"github.com/forge1/forge1/domain/chat"
)

// toolForms says in which form a client wants the calls of its tools: as of functions from before there were tools, or, by their names, as of custom
// tools. The body is read when a call is to be shown, and not before.
type toolForms struct {
	body []byte
	once sync.Once

	before bool // functions, no tools
	custom map[string]bool
}

func (f *toolForms) read() {
	f.once.Do(func() {
		custom, before := bytes.Contains(f.body, []byte(`"custom"`)), bytes.Contains(f.body, []byte(`"functions"`))
		if !custom && !before {
			return
		}
		v, err := strictjson.Parse(f.body, largeJSON)
		if err != nil {
			return // whoever made an answer of it has read it
		}
		tools, _ := v.Member("tools")
		functions, _ := v.Member("functions")
		f.before = len(functions.Items) > 0 && len(tools.Items) == 0
		f.custom = map[string]bool{}
		for _, t := range tools.Items {
			if kind, _ := t.Member("type"); kind.Text == "custom" {
				body, _ := t.Member("custom")
				name, _ := body.Member("name")
				f.custom[name.Text] = true
			}
		}
	})
}

// functions reports whether calls are shown as those of functions.
func (f *toolForms) functions() bool {
	f.read()
	return f.before
}

// isCustom reports whether a tool is a custom one.
func (f *toolForms) isCustom(name string) bool {
	f.read()
	return f.custom[name]
}

// callOf shows a call of a tool.
func (f *toolForms) callOf(c *chat.ToolCall) completionTool {
	if f.isCustom(c.Name) {
		return completionTool{ID: c.ID, Type: "custom", Custom: &completionCustom{c.Name, customInput(c.Arguments)}}
	}
	return completionTool{ID: c.ID, Type: "function", Function: &completionFunction{c.Name, c.Arguments}}
}
