-- What a decision was made from is lost: the earlier version has no place for it. What it does not know of an attempt it leaves alone.
CREATE TABLE calls (
    id              text COLLATE "C" NOT NULL PRIMARY KEY,
    created_at      timestamptz NOT NULL,
    region          text NOT NULL,
    tenant_id       text COLLATE "C" NOT NULL,
    user_id         text COLLATE "C" NOT NULL,
    key_id          text COLLATE "C" NOT NULL,
    session_id      text COLLATE "C" NOT NULL,
    trace_id        text NOT NULL,
    surface         text NOT NULL,
    task_type       text NOT NULL,
    requested_model text NOT NULL,
    provider        text NOT NULL,
    model           text NOT NULL,
    served_model    text NOT NULL,
    outcome         text NOT NULL,
    input_tokens    bigint NOT NULL,
    output_tokens   bigint NOT NULL,
    cached_tokens   bigint NOT NULL,
    cache_write     bigint NOT NULL,
    reasoning       bigint NOT NULL,
    usage_source    text NOT NULL,
    cost_nanos      bigint,
    latency_ms      bigint NOT NULL,
    first_byte_ms   bigint NOT NULL,
    cache           text NOT NULL,
    stream          boolean NOT NULL,
    decision_id     text NOT NULL,
    decision        text NOT NULL,
    attempts        jsonb NOT NULL,
    tags            jsonb NOT NULL,
    end_user        text NOT NULL
);
CREATE INDEX calls_tenant_idx ON calls (tenant_id, id);
INSERT INTO calls
SELECT c.id, c.created_at, c.region, c.tenant_id, c.user_id, c.key_id, c.session_id, c.trace_id, c.surface, c.task_type, c.requested_model,
    c.provider, c.model,
    c.served_model, c.outcome, c.input_tokens, c.output_tokens, c.cached_tokens, c.cache_write, c.reasoning, c.usage_source, c.cost_nanos,
    c.latency_ms, c.first_byte_ms, c.cache, c.stream, c.decision_id, coalesce(d.shown, ''),
    coalesce((
        SELECT jsonb_agg(jsonb_build_object(
            'StartedAtMicros', (extract(epoch FROM a.started_at) * 1000000)::bigint, 'Provider', a.provider, 'Model', a.model,
            'ServedModel', a.served_model, 'Credential', a.credential, 'Outcome', a.outcome, 'LatencyMs', a.latency_ms,
            'FirstByteMs', a.first_byte_ms, 'InputTokens', a.input_tokens, 'OutputTokens', a.output_tokens, 'CachedTokens', a.cached_tokens,
            'CacheWrite', a.cache_write, 'Reasoning', a.reasoning, 'UsageSource', a.usage_source, 'CostNanos', a.cost_nanos
        ) ORDER BY a.number) FROM ai_attempts AS a WHERE a.call_id = c.id), '[]'),
    c.tags, c.end_user
FROM ai_calls AS c LEFT JOIN routing_decisions AS d ON d.id = c.decision_id AND d.tenant_id = c.tenant_id;
DROP TABLE routing_sheets;
DROP TABLE routing_decisions;
DROP TABLE ai_attempts;
DROP TABLE ai_calls;
