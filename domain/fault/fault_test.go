package fault_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/forge1/forge1/domain/fault"
)

var errGone = fault.New(fault.NotFound, "gone", "it is gone")

func TestTheTextHasTheCauseAndTheSentinelHasNot(t *testing.T) {
	err := errGone.With(errors.New("no row"))
	if got := err.Error(); got != "gone: it is gone: no row" {
		t.Errorf("text %q", got)
	}
	if got := errGone.Error(); got != "gone: it is gone" || errGone.Err != nil {
		t.Errorf("the sentinel became %q", got)
	}
}

func TestFaultsAreTheSameWhenTheirCodesAre(t *testing.T) {
	cause := errors.New("no row")
	err := fmt.Errorf("find: %w", errGone.With(cause).Saying("where is it?").After(time.Second))
	if !errors.Is(err, errGone) || !errors.Is(err, cause) {
		t.Errorf("%v is not %v by %v", err, errGone, cause)
	}
	if errors.Is(err, fault.ErrNotFound) || errors.Is(errGone, cause) {
		t.Error("faults of different codes are the same")
	}
}

func TestCopiesLeaveTheSentinelAlone(t *testing.T) {
	first := fault.ErrValidation.At(fault.Field{Pointer: "/a"})
	second := first.At(fault.Field{Pointer: "/b"}).Saying("two").After(time.Minute)
	if diff := cmp.Diff([]fault.Field{{Pointer: "/a"}, {Pointer: "/b"}}, second.Fields); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if len(first.Fields) != 1 || len(fault.ErrValidation.Fields) != 0 {
		t.Errorf("fields of what was copied: %v and %v", first.Fields, fault.ErrValidation.Fields)
	}
	if second.Msg != "two" || second.RetryAfter != time.Minute || fault.ErrValidation.RetryAfter != 0 || second.Kind != fault.Invalid {
		t.Errorf("copy %+v of %+v", second, fault.ErrValidation)
	}
}

func TestKindOf(t *testing.T) {
	tests := map[string]struct {
		err  error
		want fault.Kind
	}{
		"no error":          {nil, fault.Internal},
		"a stranger":        {errors.New("boom"), fault.Internal},
		"a fault":           {errGone, fault.NotFound},
		"a wrapped fault":   {fmt.Errorf("find: %w", errGone), fault.NotFound},
		"busy":              {fault.ErrBusy, fault.Unavailable},
		"a lost dependency": {fault.ErrDependency, fault.Unavailable},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := fault.KindOf(tt.err); got != tt.want {
				t.Errorf("kind %d, want %d", got, tt.want)
			}
		})
	}
}

func TestWhoeverIsRefusedForLackOfRoomIsToldWhenToComeBack(t *testing.T) {
	for _, f := range []*fault.Error{fault.ErrBusy, fault.ErrDependency} {
		if f.RetryAfter <= 0 {
			t.Errorf("%s does not say when", f.Code)
		}
	}
}
