package letters

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"github.com/forge1/forge1/ports/outbound"
)

const (
	labelOutbox = "outbox"
	labelDedupe = "outbox-dedupe"

	// Window is the time in which an address gets a bounded number of mails of a kind that a stranger can cause.
	Window = time.Hour
)

// Post puts letters into the outbox.
type Post struct {
	Keyring outbound.Keyring
	NewID   outbound.NewID
}

// Put keeps a letter, sealed and bound to its id, in the transaction of what it tells of. One of an event that has its letter already, by the key, is not kept.
func (p Post) Put(ctx context.Context, box outbound.Outbox, dedupe string, letter outbound.Mail, now time.Time) error {
	letter.ID = p.NewID()
	plain, err := json.Marshal(letter)
	if err != nil {
		return fmt.Errorf("encode letter: %w", err)
	}
	err = box.Put(ctx, outbound.Message{
		ID: letter.ID, DedupeKey: dedupe, CreatedAt: now, NotBefore: now,
		Sealed: p.Keyring.Seal(labelOutbox, plain, []byte(letter.ID)),
	})
	if err != nil {
		return fmt.Errorf("put letter: %w", err)
	}
	return nil
}

// Silence puts a letter to nobody where a stranger must not see that there is none, once in a while for an address: the address cannot be read from its key.
func (p Post) Silence(ctx context.Context, box outbound.Outbox, canon string, now time.Time) error {
	_, mac := p.Keyring.MAC(labelDedupe, []byte(canon))
	slot := now.Truncate(Window / 2).Unix()
	return p.Put(ctx, box, "silence:"+hex.EncodeToString(mac[:])+":"+strconv.FormatInt(slot, 10), Nobody(), now)
}
