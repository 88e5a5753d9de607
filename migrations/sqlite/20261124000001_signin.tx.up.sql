-- Second factors, mailed tokens, invitations, signing keys. Whatever belongs to a user or a tenant goes with its row.
-- Secrets are sealed, codes are MACs, tokens are SHA-256.
CREATE TABLE user_totp (
    user_id    TEXT NOT NULL PRIMARY KEY,
    secret_enc BLOB NOT NULL,
    last_step  INTEGER NOT NULL,
    fail_count INTEGER NOT NULL,
    enabled_at INTEGER NOT NULL,
    CONSTRAINT user_totp_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) STRICT;

-- A setup that waits for its first code: one for each user. codes is a list of {root, mac}.
CREATE TABLE user_totp_pending (
    user_id    TEXT NOT NULL PRIMARY KEY,
    setup_id   TEXT NOT NULL,
    session_id TEXT NOT NULL,
    secret_enc BLOB NOT NULL,
    codes      TEXT NOT NULL,
    expires_at INTEGER NOT NULL,
    CONSTRAINT user_totp_pending_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) STRICT;

-- n is the place of the code in its set.
CREATE TABLE recovery_codes (
    user_id  TEXT NOT NULL,
    n        INTEGER NOT NULL,
    root     INTEGER NOT NULL,
    code_mac BLOB NOT NULL,
    used_at  INTEGER,
    PRIMARY KEY (user_id, n),
    CONSTRAINT recovery_codes_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) STRICT;

CREATE TABLE one_time_tokens (
    id         TEXT NOT NULL PRIMARY KEY,
    kind       TEXT NOT NULL,
    token_hash BLOB NOT NULL,
    user_id    TEXT NOT NULL,
    epoch      INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    used_at    INTEGER,
    CONSTRAINT one_time_tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) STRICT;
CREATE UNIQUE INDEX one_time_tokens_token_hash_key ON one_time_tokens (token_hash);
CREATE INDEX one_time_tokens_user_idx ON one_time_tokens (user_id, kind);
CREATE INDEX one_time_tokens_expires_idx ON one_time_tokens (expires_at);

-- invited_by names no parent: an invitation is its tenant's, and outlives who wrote it.
CREATE TABLE invites (
    id            TEXT NOT NULL PRIMARY KEY,
    tenant_id     TEXT NOT NULL,
    email_display TEXT NOT NULL,
    email_canon   TEXT NOT NULL,
    role          TEXT NOT NULL,
    token_hash    BLOB NOT NULL,
    invited_by    TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL,
    CONSTRAINT invites_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
) STRICT;
CREATE UNIQUE INDEX invites_email_key ON invites (tenant_id, email_canon);
CREATE UNIQUE INDEX invites_token_hash_key ON invites (token_hash);
CREATE INDEX invites_expires_idx ON invites (expires_at);

-- Which numbered keys sign and verify; no key is kept.
CREATE TABLE signing_keys (
    n     INTEGER NOT NULL PRIMARY KEY,
    state TEXT NOT NULL,
    since INTEGER NOT NULL
) STRICT;

-- What sweepers look for.
CREATE INDEX auth_sessions_revoked_idx ON auth_sessions (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX auth_sessions_idle_idx ON auth_sessions (idle_expires_at);
CREATE INDEX auth_sessions_abs_idx ON auth_sessions (abs_expires_at);
CREATE INDEX outbox_sent_idx ON outbox (sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX audit_log_at_idx ON audit_log (at);

-- How a tenant reads its audit log.
CREATE INDEX audit_log_tenant_idx ON audit_log (tenant_id, id);

-- The audit log stays append-only, but for what is past the time of retention. A plain DELETE is refused as before. The sweeper says, by a row that
-- it takes away again in the same transaction, before when lines may go; each line is then compared with that, so that no condition of the
-- statement can take a newer one. UPDATE is refused whatever is there; and so is INSERT OR REPLACE, which would overwrite a line past the triggers
-- of DELETE.
CREATE TABLE audit_sweep (
    before INTEGER NOT NULL
) STRICT;
DROP TRIGGER audit_log_no_delete;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
WHEN NOT EXISTS (SELECT 1 FROM audit_sweep WHERE OLD.at < before)
BEGIN
    SELECT RAISE(ABORT, 'audit_log is append-only');
END;
CREATE TRIGGER audit_log_no_replace BEFORE INSERT ON audit_log
WHEN EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id)
BEGIN
    SELECT RAISE(ABORT, 'audit_log is append-only');
END;
