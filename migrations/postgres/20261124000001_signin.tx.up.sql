-- Second factors, mailed tokens, invitations, signing keys. Whatever belongs to a user or a tenant goes with its row.
-- Secrets are sealed, codes are MACs, tokens are SHA-256.
CREATE TABLE user_totp (
    user_id    text COLLATE "C" NOT NULL PRIMARY KEY,
    secret_enc bytea NOT NULL,
    last_step  bigint NOT NULL,
    fail_count bigint NOT NULL,
    enabled_at timestamptz NOT NULL,
    CONSTRAINT user_totp_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);

-- A setup that waits for its first code: one for each user. codes is a list of {root, mac}.
CREATE TABLE user_totp_pending (
    user_id    text COLLATE "C" NOT NULL PRIMARY KEY,
    setup_id   text COLLATE "C" NOT NULL,
    session_id text COLLATE "C" NOT NULL,
    secret_enc bytea NOT NULL,
    codes      jsonb NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT user_totp_pending_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);

-- n is the place of the code in its set.
CREATE TABLE recovery_codes (
    user_id  text COLLATE "C" NOT NULL,
    n        bigint NOT NULL,
    root     bigint NOT NULL,
    code_mac bytea NOT NULL,
    used_at  timestamptz,
    PRIMARY KEY (user_id, n),
    CONSTRAINT recovery_codes_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);

CREATE TABLE one_time_tokens (
    id         text COLLATE "C" NOT NULL PRIMARY KEY,
    kind       text NOT NULL,
    token_hash bytea NOT NULL,
    user_id    text COLLATE "C" NOT NULL,
    epoch      bigint NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at    timestamptz,
    CONSTRAINT one_time_tokens_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX one_time_tokens_token_hash_key ON one_time_tokens (token_hash);
CREATE INDEX one_time_tokens_user_idx ON one_time_tokens (user_id, kind);
CREATE INDEX one_time_tokens_expires_idx ON one_time_tokens (expires_at);

-- invited_by names no parent: an invitation is its tenant's, and outlives who wrote it.
CREATE TABLE invites (
    id            text COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id     text COLLATE "C" NOT NULL,
    email_display text NOT NULL,
    email_canon   text COLLATE "C" NOT NULL,
    role          text NOT NULL,
    token_hash    bytea NOT NULL,
    invited_by    text COLLATE "C" NOT NULL,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL,
    CONSTRAINT invites_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX invites_email_key ON invites (tenant_id, email_canon);
CREATE UNIQUE INDEX invites_token_hash_key ON invites (token_hash);
CREATE INDEX invites_expires_idx ON invites (expires_at);

-- Which numbered keys sign and verify; no key is kept.
CREATE TABLE signing_keys (
    n     bigint NOT NULL PRIMARY KEY,
    state text NOT NULL,
    since timestamptz NOT NULL
);

-- What sweepers look for.
CREATE INDEX auth_sessions_revoked_idx ON auth_sessions (revoked_at) WHERE revoked_at IS NOT NULL;
CREATE INDEX auth_sessions_idle_idx ON auth_sessions (idle_expires_at);
CREATE INDEX auth_sessions_abs_idx ON auth_sessions (abs_expires_at);
CREATE INDEX outbox_sent_idx ON outbox (sent_at) WHERE sent_at IS NOT NULL;
CREATE INDEX audit_log_at_idx ON audit_log (at);

-- How a tenant reads its audit log.
CREATE INDEX audit_log_tenant_idx ON audit_log (tenant_id, id);

-- The audit log stays append-only, but for what is past the time of retention. A plain DELETE is refused as before. The sweeper says in its own
-- transaction, by the setting forge1.audit_sweep, before when lines may go; each line is then compared with that, so that no condition of the
-- statement can take a newer one; and the setting is taken back with the statement. UPDATE and TRUNCATE are refused whatever is set.
DROP TRIGGER audit_log_append_only ON audit_log;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse();

CREATE FUNCTION audit_log_retain() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    before text := coalesce(current_setting('forge1.audit_sweep', true), '');
BEGIN
    IF before <> '' THEN
        IF TG_LEVEL = 'STATEMENT' THEN
            RETURN NULL;
        ELSIF OLD.at < before::timestamptz THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'audit_log is append-only' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_retain();
CREATE TRIGGER audit_log_retention BEFORE DELETE ON audit_log
    FOR EACH ROW EXECUTE FUNCTION audit_log_retain();
