-- Mail that waits to be sent: sealed, and forgotten once sent. dedupe_key stays, so that nothing is sent twice.
CREATE TABLE outbox (
    id         text COLLATE "C" NOT NULL PRIMARY KEY,
    dedupe_key text COLLATE "C",
    sealed     bytea NOT NULL,
    created_at timestamptz NOT NULL,
    not_before timestamptz NOT NULL,
    tries      bigint NOT NULL,
    sent_at    timestamptz
);
CREATE UNIQUE INDEX outbox_dedupe_key_key ON outbox (dedupe_key);
CREATE INDEX outbox_due_idx ON outbox (not_before) WHERE sent_at IS NULL;

-- What happened, written in the transaction in which it happened, and never changed. It names no parents: rows outlive whom they are about.
CREATE TABLE audit_log (
    id         text COLLATE "C" NOT NULL PRIMARY KEY,
    at         timestamptz NOT NULL,
    event      text NOT NULL,
    actor_id   text COLLATE "C" NOT NULL,
    key_id     text COLLATE "C" NOT NULL,
    subject_id text COLLATE "C" NOT NULL,
    tenant_id  text COLLATE "C" NOT NULL,
    session_id text COLLATE "C" NOT NULL,
    reason     text NOT NULL,
    request_id text NOT NULL,
    trace_id   text NOT NULL,
    ip         text NOT NULL,
    user_agent text NOT NULL,
    detail     jsonb NOT NULL
);

CREATE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit_log is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse();
