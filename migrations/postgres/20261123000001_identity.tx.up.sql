-- Who signs in, and where. Ids are text in byte order (COLLATE "C"), so that they sort by time on every server.
-- Times come from the application; nothing here asks the server's clock.
CREATE TABLE users (
    id             text COLLATE "C" NOT NULL PRIMARY KEY,
    email_display  text NOT NULL,
    email_canon    text COLLATE "C" NOT NULL,
    username       text COLLATE "C",
    display_name   text NOT NULL,
    status         text NOT NULL,
    platform_admin boolean NOT NULL,
    session_epoch  bigint NOT NULL,
    password_hash  text NOT NULL,
    password_set   timestamptz NOT NULL,
    mfa            boolean NOT NULL,
    created_at     timestamptz NOT NULL,
    last_tenant    text COLLATE "C" NOT NULL
);
CREATE UNIQUE INDEX users_email_canon_key ON users (email_canon);
CREATE UNIQUE INDEX users_username_key ON users (username);

CREATE TABLE registrations (
    id            text COLLATE "C" NOT NULL PRIMARY KEY,
    email_display text NOT NULL,
    email_canon   text COLLATE "C" NOT NULL,
    username      text COLLATE "C" NOT NULL,
    display_name  text NOT NULL,
    password_hash text NOT NULL,
    token_hash    bytea NOT NULL,
    tenant_name   text NOT NULL,
    tenant_slug   text NOT NULL,
    created_at    timestamptz NOT NULL,
    expires_at    timestamptz NOT NULL
);
CREATE UNIQUE INDEX registrations_token_hash_key ON registrations (token_hash);
CREATE INDEX registrations_email_idx ON registrations (email_canon, created_at);
CREATE INDEX registrations_expires_idx ON registrations (expires_at);

CREATE TABLE tenants (
    id         text COLLATE "C" NOT NULL PRIMARY KEY,
    name       text NOT NULL,
    slug       text COLLATE "C" NOT NULL,
    personal   boolean NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX tenants_slug_key ON tenants (slug);

CREATE TABLE memberships (
    tenant_id text COLLATE "C" NOT NULL,
    user_id   text COLLATE "C" NOT NULL,
    role      text NOT NULL,
    since     timestamptz NOT NULL,
    PRIMARY KEY (tenant_id, user_id),
    CONSTRAINT memberships_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE,
    CONSTRAINT memberships_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX memberships_user_idx ON memberships (user_id, since);

CREATE TABLE auth_sessions (
    id              text COLLATE "C" NOT NULL PRIMARY KEY,
    user_id         text COLLATE "C" NOT NULL,
    tenant_id       text COLLATE "C" NOT NULL,
    gen             bigint NOT NULL,
    salt            bytea NOT NULL,
    epoch           bigint NOT NULL,
    created_at      timestamptz NOT NULL,
    rotated_at      timestamptz NOT NULL,
    idle_expires_at timestamptz NOT NULL,
    abs_expires_at  timestamptz NOT NULL,
    revoked_at      timestamptz,
    reason          text NOT NULL,
    amr             jsonb NOT NULL,
    auth_time       timestamptz NOT NULL,
    ip              text NOT NULL,
    user_agent      text NOT NULL,
    CONSTRAINT auth_sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE,
    CONSTRAINT auth_sessions_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE
);
CREATE INDEX auth_sessions_user_idx ON auth_sessions (user_id, created_at) WHERE revoked_at IS NULL;
CREATE INDEX auth_sessions_tenant_idx ON auth_sessions (tenant_id);

CREATE TABLE api_keys (
    id           text COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id    text COLLATE "C" NOT NULL,
    creator_id   text COLLATE "C" NOT NULL,
    name         text NOT NULL,
    secret_hash  bytea NOT NULL,
    scopes       jsonb NOT NULL,
    created_at   timestamptz NOT NULL,
    expires_at   timestamptz,
    ends_at      timestamptz,
    last_used_at timestamptz,
    CONSTRAINT api_keys_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES tenants (id) ON DELETE CASCADE,
    CONSTRAINT api_keys_creator_id_fkey FOREIGN KEY (creator_id) REFERENCES users (id) ON DELETE CASCADE
);
CREATE INDEX api_keys_list_idx ON api_keys (tenant_id, creator_id, created_at);
CREATE INDEX api_keys_creator_idx ON api_keys (creator_id);
