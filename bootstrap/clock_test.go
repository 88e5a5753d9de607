package bootstrap

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// offsetFile gives the path of a file and what writes it.
func offsetFile(t *testing.T) (file string, write func(string)) {
	file = filepath.Join(t.TempDir(), "offset")
	return file, func(s string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAFileMovesTheClockInDev(t *testing.T) {
	file, write := offsetFile(t)
	synctest.Test(t, func(t *testing.T) {
		clock := newClock(Config{Env: Dev, ClockOffsetFile: file})
		expect := func(when string, want time.Duration) {
			t.Helper()
			if got := clock().Sub(hostNow()); got != want {
				t.Errorf("%s: the clock is off by %s, want %s", when, got, want)
			}
		}
		expect("without the file", 0)
		was := time.Duration(0)
		for _, step := range []struct {
			content string
			want    time.Duration
		}{
			{"tomorrow", 0},
			{"36h\n", 36 * time.Hour},
			{" -90s", -90 * time.Second},
			{"1 hour", -90 * time.Second},
			{"", -90 * time.Second},
			{"0s", 0},
			{"1h0m0.0000019s", time.Hour + time.Microsecond},
			{"0", 0},
			{"1h", time.Hour},
		} {
			write(step.content)
			time.Sleep(offsetEvery - 1)
			expect("just after writing "+step.content, was)
			time.Sleep(time.Nanosecond)
			expect("50 ms after writing "+step.content, step.want)
			was = step.want
		}
		if err := os.Remove(file); err != nil {
			t.Fatal(err)
		}
		time.Sleep(offsetEvery)
		expect("when the file is gone", time.Hour)
		if now := clock(); now.Location() != time.UTC || now != now.Truncate(time.Microsecond) {
			t.Errorf("got %v, want UTC to the microsecond", now)
		}
		write("-36h")
		clock = newClock(Config{Env: Dev, ClockOffsetFile: file})
		expect("for a clock that begins when the file is there", -36*time.Hour)
	})
}

func TestManyMayAskAMovedClockAtOnce(t *testing.T) {
	file, write := offsetFile(t)
	synctest.Test(t, func(t *testing.T) {
		clock := newClock(Config{Env: Dev, ClockOffsetFile: file})
		clock()
		write("1h")
		time.Sleep(offsetEvery)
		var asking sync.WaitGroup
		for range 50 {
			asking.Go(func() {
				if got := clock().Sub(hostNow()); got != time.Hour {
					t.Errorf("somebody was told a clock off by %s, 50 ms after it was moved by 1h", got)
				}
			})
		}
		asking.Wait()
	})
}

func TestNothingMovesTheClockInProd(t *testing.T) {
	file, write := offsetFile(t)
	write("36h")
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]Config{"in prod": {Env: Prod, ClockOffsetFile: file}, "without the variable": {Env: Dev}} {
			if got := newClock(c)().Sub(hostNow()); got != 0 {
				t.Errorf("%s: the clock is off by %s", name, got)
			}
		}
	})
}
