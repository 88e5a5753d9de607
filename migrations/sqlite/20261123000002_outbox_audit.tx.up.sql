-- Mail that waits to be sent: sealed, and forgotten once sent. dedupe_key stays, so that nothing is sent twice.
CREATE TABLE outbox (
    id         TEXT NOT NULL PRIMARY KEY,
    dedupe_key TEXT,
    sealed     BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    not_before INTEGER NOT NULL,
    tries      INTEGER NOT NULL,
    sent_at    INTEGER
) STRICT;
CREATE UNIQUE INDEX outbox_dedupe_key_key ON outbox (dedupe_key);
CREATE INDEX outbox_due_idx ON outbox (not_before) WHERE sent_at IS NULL;

-- What happened, written in the transaction in which it happened, and never changed. It names no parents: rows outlive whom they are about.
CREATE TABLE audit_log (
    id         TEXT NOT NULL PRIMARY KEY,
    at         INTEGER NOT NULL,
    event      TEXT NOT NULL,
    actor_id   TEXT NOT NULL,
    key_id     TEXT NOT NULL,
    subject_id TEXT NOT NULL,
    tenant_id  TEXT NOT NULL,
    session_id TEXT NOT NULL,
    reason     TEXT NOT NULL,
    request_id TEXT NOT NULL,
    trace_id   TEXT NOT NULL,
    ip         TEXT NOT NULL,
    user_agent TEXT NOT NULL,
    detail     TEXT NOT NULL
) STRICT;

CREATE TRIGGER audit_log_no_update BEFORE UPDATE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'audit_log is append-only');
END;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'audit_log is append-only');
END;
