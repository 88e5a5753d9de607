-- What an AI call leaves: its row, a row for each of its attempts, the decision that was made for it, and once the sheets, facts and policies, that
-- decisions were made from. None names a parent, so that a batch never fails for one row; whoever deletes calls deletes their attempts.
CREATE TABLE ai_calls (
    id              TEXT NOT NULL PRIMARY KEY,
    created_at      INTEGER NOT NULL,
    region          TEXT NOT NULL,
    tenant_id       TEXT NOT NULL,
    user_id         TEXT NOT NULL,
    key_id          TEXT NOT NULL,
    session_id      TEXT NOT NULL,
    trace_id        TEXT NOT NULL,
    surface         TEXT NOT NULL,
    task_type       TEXT NOT NULL,
    requested_model TEXT NOT NULL,
    provider        TEXT NOT NULL,
    model           TEXT NOT NULL,
    served_model    TEXT NOT NULL,
    outcome         TEXT NOT NULL,
    input_tokens    INTEGER NOT NULL,
    output_tokens   INTEGER NOT NULL,
    cached_tokens   INTEGER NOT NULL,
    cache_write     INTEGER NOT NULL,
    reasoning       INTEGER NOT NULL,
    usage_source    TEXT NOT NULL,
    cost_nanos      INTEGER,
    latency_ms      INTEGER NOT NULL,
    first_byte_ms   INTEGER NOT NULL,
    cache           TEXT NOT NULL,
    stream          INTEGER NOT NULL,
    decision_id     TEXT NOT NULL,
    tags            TEXT NOT NULL,
    end_user        TEXT NOT NULL
) STRICT, WITHOUT ROWID;
-- How a tenant reads its calls, and how they are summed up. Sweepers find what is old by its id, which is a UUIDv7.
CREATE INDEX ai_calls_tenant_idx ON ai_calls (tenant_id, created_at, id);

CREATE TABLE ai_attempts (
    call_id       TEXT NOT NULL,
    number        INTEGER NOT NULL,
    started_at    INTEGER,
    provider      TEXT NOT NULL,
    model         TEXT NOT NULL,
    served_model  TEXT NOT NULL,
    credential    TEXT NOT NULL,
    outcome       TEXT NOT NULL,
    latency_ms    INTEGER NOT NULL,
    first_byte_ms INTEGER NOT NULL,
    input_tokens  INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cached_tokens INTEGER NOT NULL,
    cache_write   INTEGER NOT NULL,
    reasoning     INTEGER NOT NULL,
    usage_source  TEXT NOT NULL,
    cost_nanos    INTEGER,
    PRIMARY KEY (call_id, number)
) STRICT, WITHOUT ROWID;

-- shown and inputs are JSON, kept as the bytes they came in.
CREATE TABLE routing_decisions (
    id             TEXT NOT NULL PRIMARY KEY,
    tenant_id      TEXT NOT NULL,
    created_at     INTEGER NOT NULL,
    task_type      TEXT NOT NULL,
    provider       TEXT NOT NULL,
    model          TEXT NOT NULL,
    outcome        TEXT NOT NULL,
    policy_version INTEGER NOT NULL,
    snapshot_id    TEXT NOT NULL,
    policy_id      TEXT NOT NULL,
    shown          TEXT NOT NULL,
    inputs         TEXT NOT NULL
) STRICT;
CREATE INDEX routing_decisions_tenant_idx ON routing_decisions (tenant_id, id);

CREATE TABLE routing_sheets (
    id         TEXT NOT NULL PRIMARY KEY,
    created_at INTEGER NOT NULL,
    body       TEXT NOT NULL
) STRICT;
CREATE INDEX routing_sheets_created_idx ON routing_sheets (created_at);

INSERT INTO ai_calls
SELECT id, created_at, region, tenant_id, user_id, key_id, session_id, trace_id, surface, task_type, requested_model, provider, model,
    served_model, outcome, input_tokens, output_tokens, cached_tokens, cache_write, reasoning, usage_source, cost_nanos, latency_ms, first_byte_ms,
    cache, stream, decision_id, tags, end_user
FROM calls;
INSERT INTO ai_attempts
SELECT c.id, a.key + 1,
    json_extract(a.value, '$.StartedAtMicros'), coalesce(json_extract(a.value, '$.Provider'), ''),
    coalesce(json_extract(a.value, '$.Model'), ''), coalesce(json_extract(a.value, '$.ServedModel'), ''),
    coalesce(json_extract(a.value, '$.Credential'), ''), coalesce(json_extract(a.value, '$.Outcome'), ''),
    coalesce(json_extract(a.value, '$.LatencyMs'), 0), coalesce(json_extract(a.value, '$.FirstByteMs'), 0),
    coalesce(json_extract(a.value, '$.InputTokens'), 0), coalesce(json_extract(a.value, '$.OutputTokens'), 0),
    coalesce(json_extract(a.value, '$.CachedTokens'), 0), coalesce(json_extract(a.value, '$.CacheWrite'), 0),
    coalesce(json_extract(a.value, '$.Reasoning'), 0), coalesce(json_extract(a.value, '$.UsageSource'), ''),
    json_extract(a.value, '$.CostNanos')
FROM calls AS c, json_each(CASE json_type(c.attempts) WHEN 'array' THEN c.attempts ELSE '[]' END) AS a;
-- Of the decision there was but the text: what is looked up by is what the call came to.
INSERT INTO routing_decisions
SELECT decision_id, tenant_id, created_at, task_type, provider, model, outcome, 0, '', '', decision, ''
FROM calls WHERE decision_id <> '' AND decision <> '' ORDER BY id
ON CONFLICT DO NOTHING;
DROP TABLE calls;
