package database_test

import "testing"

func TestOnlyAServerHasAClockOfItsOwn(t *testing.T) {
	for name, s := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := s.empty(t).Now(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if same := got.Equal(now()); same != (s.kind == "sqlite") { // our clock stands still
				t.Errorf("got %v while our own clock says %v", got, now())
			}
		})
	}
}
