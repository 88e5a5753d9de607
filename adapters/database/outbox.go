package database

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/uptrace/bun"

	"github.com/forge1/forge1/ports/outbound"
)

type messageRow struct {
	bun.BaseModel `bun:"table:outbox"`

	ID        string  `bun:"id,pk,type:text"`
	DedupeKey string  `bun:"dedupe_key,type:text,nullzero"`
	Sealed    []byte  `bun:"sealed,type:bytea,notnull"`
	CreatedAt instant `bun:"created_at,type:timestamptz,notnull"`
	NotBefore instant `bun:"not_before,type:timestamptz,notnull"`
	Tries     int     `bun:"tries,type:bigint,notnull"`
	SentAt    instant `bun:"sent_at,type:timestamptz"`
}

func messageRowOf(m outbound.Message) *messageRow {
	return &messageRow{
		ID: m.ID, DedupeKey: m.DedupeKey, Sealed: append([]byte{}, m.Sealed...), CreatedAt: at(m.CreatedAt), NotBefore: at(m.NotBefore), Tries: m.Tries,
	}
}

func (r *messageRow) message() outbound.Message {
	return outbound.Message{
		ID: r.ID, DedupeKey: r.DedupeKey, Sealed: r.Sealed, CreatedAt: r.CreatedAt.Time, NotBefore: r.NotBefore.Time, Tries: r.Tries,
	}
}

// outbox implements outbound.Outbox.
type outbox struct{ store }

var _ outbound.Outbox = outbox{}

// Put implements outbound.Outbox.
func (r outbox) Put(ctx context.Context, m outbound.Message) error {
	return r.write(ctx, func(ctx context.Context, sc *scope) error {
		_, err := sc.insert(ctx, messageRowOf(m)) // one that is there already is what DedupeKey is for
		return err
	})
}

// Claim implements outbound.Outbox.
func (r outbox) Claim(ctx context.Context, now, until time.Time, limit int) ([]outbound.Message, error) {
	if limit <= 0 {
		return nil, nil
	}
	var rows []messageRow
	err := r.write(ctx, func(ctx context.Context, sc *scope) error {
		rows = nil
		due := sc.tx.NewSelect().Model((*messageRow)(nil)).Column("id").Where("sent_at IS NULL").Where("not_before <= ?", at(now)).
			Order("not_before", "id").Limit(int64(limit))
		return sc.tx.NewRaw("UPDATE outbox SET not_before = ? WHERE id IN (? ?) RETURNING *", at(until), due, bun.Safe(r.db.dialect.skipLocked())).
			Scan(ctx, &rows)
	})
	if err != nil {
		return nil, err
	}
	out := make([]outbound.Message, 0, len(rows))
	for i := range rows {
		out = append(out, rows[i].message())
	}
	slices.SortFunc(out, func(a, b outbound.Message) int {
		return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.ID, b.ID))
	})
	return out, nil
}

// Sent implements outbound.Outbox.
func (r outbox) Sent(ctx context.Context, id string) error {
	return r.write(ctx, func(ctx context.Context, sc *scope) error {
		_, err := sc.tx.NewUpdate().Model((*messageRow)(nil)).Set("sealed = ?", []byte{}).Set("sent_at = ?", at(r.db.clock())).
			Where("id = ?", key(id)).Where("sent_at IS NULL").Exec(ctx)
		return err
	})
}

// Retry implements outbound.Outbox.
func (r outbox) Retry(ctx context.Context, id string, notBefore time.Time) error {
	return r.write(ctx, func(ctx context.Context, sc *scope) error {
		_, err := sc.tx.NewUpdate().Model((*messageRow)(nil)).Set("not_before = ?", at(notBefore)).Set("tries = tries + 1").
			Where("id = ?", key(id)).Where("sent_at IS NULL").Exec(ctx)
		return err
	})
}

// Sweep implements outbound.Outbox.
func (r outbox) Sweep(ctx context.Context, before time.Time) (int, error) {
	return r.sweep(ctx, (*messageRow)(nil), "sent_at < ?", at(before))
}
