-- What a decision was made from is lost: the earlier version has no place for it. What it does not know of an attempt it leaves alone.
CREATE TABLE calls (
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
    decision        TEXT NOT NULL,
    attempts        TEXT NOT NULL,
    tags            TEXT NOT NULL,
    end_user        TEXT NOT NULL
) STRICT;
CREATE INDEX calls_tenant_idx ON calls (tenant_id, id);
INSERT INTO calls
SELECT c.id, c.created_at, c.region, c.tenant_id, c.user_id, c.key_id, c.session_id, c.trace_id, c.surface, c.task_type, c.requested_model,
    c.provider, c.model,
    c.served_model, c.outcome, c.input_tokens, c.output_tokens, c.cached_tokens, c.cache_write, c.reasoning, c.usage_source, c.cost_nanos,
    c.latency_ms, c.first_byte_ms, c.cache, c.stream, c.decision_id, coalesce(d.shown, ''),
    (
        SELECT json_group_array(json_object(
            'StartedAtMicros', a.started_at, 'Provider', a.provider, 'Model', a.model, 'ServedModel', a.served_model, 'Credential', a.credential,
            'Outcome', a.outcome, 'LatencyMs', a.latency_ms, 'FirstByteMs', a.first_byte_ms, 'InputTokens', a.input_tokens,
            'OutputTokens', a.output_tokens, 'CachedTokens', a.cached_tokens, 'CacheWrite', a.cache_write, 'Reasoning', a.reasoning,
            'UsageSource', a.usage_source, 'CostNanos', a.cost_nanos
        )) FROM (SELECT * FROM ai_attempts WHERE call_id = c.id ORDER BY number) AS a),
    c.tags, c.end_user
FROM ai_calls AS c LEFT JOIN routing_decisions AS d ON d.id = c.decision_id AND d.tenant_id = c.tenant_id;
DROP TABLE routing_sheets;
DROP TABLE routing_decisions;
DROP TABLE ai_attempts;
DROP TABLE ai_calls;
