-- Responses that can be gone on from, each encrypted, until they expire.
CREATE TABLE kept_responses (
    tenant_id  TEXT NOT NULL,
    id         TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    sealed     BLOB NOT NULL,
    PRIMARY KEY (tenant_id, id)
) STRICT;
CREATE INDEX kept_responses_expires_idx ON kept_responses (expires_at);
