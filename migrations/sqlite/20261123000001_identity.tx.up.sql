-- Who signs in, and where. Times are whole microseconds since 1970 UTC, lists are JSON in text, truths are 0 and 1.
CREATE TABLE users (
    id             TEXT NOT NULL PRIMARY KEY,
    email_display  TEXT NOT NULL,
    email_canon    TEXT NOT NULL,
    username       TEXT,
    display_name   TEXT NOT NULL,
    status         TEXT NOT NULL,
    platform_admin INTEGER NOT NULL,
    session_epoch  INTEGER NOT NULL,
    password_hash  TEXT NOT NULL,
    password_set   INTEGER NOT NULL,
    mfa            INTEGER NOT NULL,
    created_at     INTEGER NOT NULL,
    last_tenant    TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX users_email_canon_key ON users (email_canon);
CREATE UNIQUE INDEX users_username_key ON users (username);

CREATE TABLE registrations (
    id            TEXT NOT NULL PRIMARY KEY,
    email_display TEXT NOT NULL,
    email_canon   TEXT NOT NULL,
    username      TEXT NOT NULL,
    display_name  TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    token_hash    BLOB NOT NULL,
    tenant_name   TEXT NOT NULL,
    tenant_slug   TEXT NOT NULL,
    created_at    INTEGER NOT NULL,
    expires_at    INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX registrations_token_hash_key ON registrations (token_hash);
CREATE INDEX registrations_email_idx ON registrations (email_canon, created_at);
CREATE INDEX registrations_expires_idx ON registrations (expires_at);

CREATE TABLE tenants (
    id         TEXT NOT NULL PRIMARY KEY,
    name       TEXT NOT NULL,
    slug       TEXT NOT NULL,
    personal   INTEGER NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX tenants_slug_key ON tenants (slug);

CREATE TABLE memberships (
    tenant_id TEXT NOT NULL,
    user_id   TEXT NOT NULL,
    role      TEXT NOT NULL,
    since     INTEGER NOT NULL,
    PRIMARY KEY (tenant_id, user_id),
    CONSTRAINT memberships_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE,
    CONSTRAINT memberships_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX memberships_user_idx ON memberships (user_id, since);

CREATE TABLE auth_sessions (
    id              TEXT NOT NULL PRIMARY KEY,
    user_id         TEXT NOT NULL,
    tenant_id       TEXT NOT NULL,
    gen             INTEGER NOT NULL,
    salt            BLOB NOT NULL,
    epoch           INTEGER NOT NULL,
    created_at      INTEGER NOT NULL,
    rotated_at      INTEGER NOT NULL,
    idle_expires_at INTEGER NOT NULL,
    abs_expires_at  INTEGER NOT NULL,
    revoked_at      INTEGER,
    reason          TEXT NOT NULL,
    amr             TEXT NOT NULL,
    auth_time       INTEGER NOT NULL,
    ip              TEXT NOT NULL,
    user_agent      TEXT NOT NULL,
    CONSTRAINT auth_sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT auth_sessions_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX auth_sessions_user_idx ON auth_sessions (user_id, created_at) WHERE revoked_at IS NULL;
CREATE INDEX auth_sessions_tenant_idx ON auth_sessions (tenant_id);

CREATE TABLE api_keys (
    id           TEXT NOT NULL PRIMARY KEY,
    tenant_id    TEXT NOT NULL,
    creator_id   TEXT NOT NULL,
    name         TEXT NOT NULL,
    secret_hash  BLOB NOT NULL,
    scopes       TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    ends_at      INTEGER,
    last_used_at INTEGER,
    CONSTRAINT api_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE,
    CONSTRAINT api_keys_creator_id_fkey FOREIGN KEY (creator_id) REFERENCES users (id) ON DELETE CASCADE
) STRICT;
CREATE INDEX api_keys_list_idx ON api_keys (tenant_id, creator_id, created_at);
CREATE INDEX api_keys_creator_idx ON api_keys (creator_id);
