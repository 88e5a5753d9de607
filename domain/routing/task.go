// Package routing holds a tenant's routing Policy and the pure function Decide that turns policy, request and facts into a
// Decision which can be explained and replayed.
package routing

import (
	"slices"
	"strings"

	"github.com/forge1/forge1/domain/fault"
)

// TaskType is the kind of work a caller asks for.
type TaskType string

// The task types.
const (
	General        TaskType = "general"
	CodeGeneration TaskType = "code_generation"
	Analysis       TaskType = "analysis"
	Creative       TaskType = "creative"
	Review         TaskType = "review"
)

// taskTypes is how many task types there are.
const taskTypes = 5

// index is the place of a task type in TaskTypes, -1 when it is none.
func (t TaskType) index() int {
	switch t {
	case General:
		return 0
	case CodeGeneration:
		return 1
	case Analysis:
		return 2
	case Creative:
		return 3
	case Review:
		return 4
	default:
		return -1
	}
}

// TaskTypes lists every task type in the order they are shown.
func TaskTypes() []TaskType {
	return []TaskType{General, CodeGeneration, Analysis, Creative, Review}
}

// ParseTaskType reads a task type; "" is General. It fails with a fault of kind Invalid.
func ParseTaskType(s string) (TaskType, error) {
	if s == "" {
		return General, nil
	}
	if t := TaskType(s); slices.Contains(TaskTypes(), t) {
		return t, nil
	}
	names := make([]string, 0, len(TaskTypes()))
	for _, t := range TaskTypes() {
		names = append(names, string(t))
	}
	return "", fault.ErrValidation.At(fault.Field{
		Pointer: "/task_type", Code: "unknown_value", Message: "must be one of " + strings.Join(names, ", "),
	})
}

// Target is what a call is sent to.
type Target struct{ Provider, Model string }

// String gives provider/model.
func (t Target) String() string { return t.Provider + "/" + t.Model }
