-- Responses that can be gone on from, each encrypted, until they expire.
CREATE TABLE kept_responses (
    tenant_id  text COLLATE "C" NOT NULL,
    id         text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    sealed     bytea NOT NULL,
    PRIMARY KEY (tenant_id, id)
);
CREATE INDEX kept_responses_expires_idx ON kept_responses (expires_at);
