package conformance

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/forge1/forge1/ports/outbound"
)

// Outbox is the suite of outbound.Outbox.
func Outbox(t *testing.T, new func(t *testing.T) Store) {
	tests := map[string]func(t *testing.T, s Store){
		"a message comes back as it was, once it is due":      outboxRoundTrip,
		"a second message of a key is not kept":               outboxDedupe,
		"a key that was sent still counts":                    outboxDedupeSent,
		"messages without a key are all kept":                 outboxNoKey,
		"what is claimed is put off, and comes back":          outboxClaim,
		"the longest due come first, no more than asked for":  outboxLimit,
		"of many claimers each message goes to one":           outboxRace,
		"a retry waits and is counted":                        outboxRetry,
		"a message of a transaction that failed is not there": outboxUndone,
		"sweeping deletes what was sent before, nothing else": outboxSweep,
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) { test(t, new(t)) })
	}
}

func message(key string, now time.Time) outbound.Message {
	return outbound.Message{ID: nextID(), DedupeKey: key, Sealed: []byte("sealed \x00\xff' " + key), CreatedAt: now, NotBefore: now}
}

func put(t *testing.T, s Store, m outbound.Message) outbound.Message {
	t.Helper()
	must(t, "put", s.View().Outbox.Put(t.Context(), m))
	return m
}

// claim claims for a minute and gives the keys in the order in which they came.
func claim(t *testing.T, s Store, now time.Time, limit int) (got []outbound.Message, keys []string) {
	t.Helper()
	got, err := s.View().Outbox.Claim(t.Context(), now, now.Add(time.Minute), limit)
	must(t, "claim", err)
	for _, m := range got {
		keys = append(keys, m.DedupeKey)
	}
	return got, keys
}

func outboxRoundTrip(t *testing.T, s Store) {
	m := message("a", storeEpoch)
	m.NotBefore, m.Tries = storeEpoch.Add(time.Second), 3
	put(t, s, m)
	got, _ := claim(t, s, storeEpoch.Add(time.Second-time.Microsecond), 10)
	same(t, "before it is due", got, []outbound.Message(nil))
	got, _ = claim(t, s, m.NotBefore, 10)
	if len(got) != 1 {
		t.Fatalf("claimed %d messages, want 1", len(got))
	}
	utc(t, "the message", got[0].CreatedAt)
	got[0].NotBefore = m.NotBefore // Claim may give the time before or after it was put off
	same(t, "the message", got[0], m)
}

func outboxDedupe(t *testing.T, s Store) {
	first := put(t, s, message("a", storeEpoch))
	err := s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
		must(t, "put a second of the key", repos.Outbox.Put(ctx, message("a", storeEpoch)))
		return repos.Outbox.Put(ctx, message("b", storeEpoch.Add(time.Microsecond)))
	})
	must(t, "do", err)
	got, keys := claim(t, s, storeEpoch.Add(time.Hour), 10)
	same(t, "the keys", keys, []string{"a", "b"})
	same(t, "the one kept", got[0].ID, first.ID)
}

func outboxDedupeSent(t *testing.T, s Store) {
	first := put(t, s, message("a", storeEpoch))
	must(t, "sent", s.View().Outbox.Sent(t.Context(), first.ID))
	put(t, s, message("a", storeEpoch))
	must(t, "retry what was sent", s.View().Outbox.Retry(t.Context(), first.ID, storeEpoch))
	_, keys := claim(t, s, storeEpoch.Add(time.Hour), 10)
	same(t, "what is due", keys, []string(nil))
}

func outboxNoKey(t *testing.T, s Store) {
	put(t, s, message("", storeEpoch))
	put(t, s, message("", storeEpoch))
	_, keys := claim(t, s, storeEpoch, 10)
	same(t, "what is due", keys, []string{"", ""})
}

func outboxClaim(t *testing.T, s Store) {
	put(t, s, message("a", storeEpoch))
	now := storeEpoch.Add(time.Hour)
	_, keys := claim(t, s, now, 10)
	same(t, "at once", keys, []string{"a"})
	_, keys = claim(t, s, now.Add(time.Minute-time.Microsecond), 10)
	same(t, "while another has it", keys, []string(nil))
	_, keys = claim(t, s, now.Add(time.Minute), 10)
	same(t, "when the other was too slow", keys, []string{"a"})
}

func outboxLimit(t *testing.T, s Store) {
	for i := range 5 {
		put(t, s, message(fmt.Sprint(i), storeEpoch.Add(time.Duration(5-i)*time.Second)))
	}
	now := storeEpoch.Add(time.Hour)
	_, keys := claim(t, s, now, 0)
	same(t, "none", keys, []string(nil))
	_, keys = claim(t, s, now, 2)
	same(t, "two", keys, []string{"4", "3"})
	_, keys = claim(t, s, now, 10)
	same(t, "the rest", keys, []string{"2", "1", "0"})
}

func outboxRace(t *testing.T, s Store) {
	for i := range 30 {
		put(t, s, message(fmt.Sprint(i), storeEpoch))
	}
	claimed := make([][]outbound.Message, 15)
	none(t, race(len(claimed), func(i int) (err error) {
		claimed[i], err = s.View().Outbox.Claim(t.Context(), storeEpoch, storeEpoch.Add(time.Minute), 3)
		return err
	}))
	times := map[string]int{}
	for _, ms := range claimed {
		for _, m := range ms {
			times[m.ID]++
		}
	}
	for id, n := range times {
		if n != 1 {
			t.Errorf("message %s went to %d claimers", id, n)
		}
	}
	rest, _ := claim(t, s, storeEpoch, 30)
	if n := len(times) + len(rest); n != 30 {
		t.Errorf("%d of 30 messages were to be had", n)
	}
}

func outboxRetry(t *testing.T, s Store) {
	m := put(t, s, message("a", storeEpoch))
	claim(t, s, storeEpoch, 10)
	must(t, "retry", s.View().Outbox.Retry(t.Context(), m.ID, storeEpoch.Add(time.Hour)))
	_, keys := claim(t, s, storeEpoch.Add(time.Hour-time.Microsecond), 10)
	same(t, "before its time", keys, []string(nil))
	got, _ := claim(t, s, storeEpoch.Add(time.Hour), 10)
	if len(got) != 1 || got[0].Tries != 1 || string(got[0].Sealed) != string(m.Sealed) {
		t.Errorf("after a retry: got %+v, want the message with one try", got)
	}
	must(t, "retry nothing", s.View().Outbox.Retry(t.Context(), "\x00", storeEpoch))
	must(t, "nothing was sent", s.View().Outbox.Sent(t.Context(), "nothing"))
}

func outboxUndone(t *testing.T, s Store) {
	err := s.Do(t.Context(), func(ctx context.Context, repos outbound.Repos) error {
		must(t, "put", repos.Outbox.Put(ctx, message("a", storeEpoch)))
		return errChange
	})
	wantErr(t, "do", err, errChange)
	put(t, s, message("a", storeEpoch))
	_, keys := claim(t, s, storeEpoch, 10)
	same(t, "what is due", keys, []string{"a"})
}

// outboxSweep finds out when messages were sent, which the store's own clock says, by where the sweep begins to take them.
func outboxSweep(t *testing.T, s Store) {
	waiting, claimed, sent := put(t, s, message("waiting", storeEpoch.Add(-1000*time.Hour))), put(t, s, message("claimed", storeEpoch)), put(t, s, message("sent", storeEpoch))
	_, err := s.View().Outbox.Claim(t.Context(), storeEpoch, storeEpoch.Add(time.Minute), 10)
	must(t, "claim", err)
	must(t, "sent", s.View().Outbox.Sent(t.Context(), sent.ID))
	for _, c := range []struct {
		before time.Time
		want   int
	}{{storeEpoch.Add(-time.Hour), 0}, {farFuture, 1}, {farFuture, 0}} {
		n, err := s.View().Outbox.Sweep(t.Context(), c.before)
		must(t, "sweep", err)
		if n != c.want {
			t.Errorf("swept %d from before %v, want %d", n, c.before, c.want)
		}
	}
	put(t, s, message("sent", storeEpoch.Add(time.Second))) // its key went with it
	got, _ := claim(t, s, storeEpoch.Add(time.Hour), 10)
	var ids []string
	for _, m := range got {
		ids = append(ids, m.ID)
	}
	if len(ids) != 3 || ids[0] != waiting.ID || ids[1] != claimed.ID || ids[2] == sent.ID {
		t.Errorf("left are %v, want %s, %s and a new one", ids, waiting.ID, claimed.ID)
	}
}
