-- What an AI call leaves: its row, a row for each of its attempts, the decision that was made for it, and once the sheets, facts and policies, that
-- decisions were made from. None names a parent, so that a batch never fails for one row; whoever deletes calls deletes their attempts.
CREATE TABLE ai_calls (
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
    tags            jsonb NOT NULL,
    end_user        text NOT NULL
);
-- How a tenant reads its calls, and how they are summed up. Sweepers find what is old by its id, which is a UUIDv7.
CREATE INDEX ai_calls_tenant_idx ON ai_calls (tenant_id, created_at, id);

CREATE TABLE ai_attempts (
    call_id       text COLLATE "C" NOT NULL,
    number        bigint NOT NULL,
    started_at    timestamptz,
    provider      text NOT NULL,
    model         text NOT NULL,
    served_model  text NOT NULL,
    credential    text NOT NULL,
    outcome       text NOT NULL,
    latency_ms    bigint NOT NULL,
    first_byte_ms bigint NOT NULL,
    input_tokens  bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cached_tokens bigint NOT NULL,
    cache_write   bigint NOT NULL,
    reasoning     bigint NOT NULL,
    usage_source  text NOT NULL,
    cost_nanos    bigint,
    PRIMARY KEY (call_id, number)
);

-- shown and inputs are JSON, kept as the bytes they came in.
CREATE TABLE routing_decisions (
    id             text COLLATE "C" NOT NULL PRIMARY KEY,
    tenant_id      text COLLATE "C" NOT NULL,
    created_at     timestamptz NOT NULL,
    task_type      text NOT NULL,
    provider       text NOT NULL,
    model          text NOT NULL,
    outcome        text NOT NULL,
    policy_version bigint NOT NULL,
    snapshot_id    text NOT NULL,
    policy_id      text NOT NULL,
    shown          text NOT NULL,
    inputs         text NOT NULL
);
CREATE INDEX routing_decisions_tenant_idx ON routing_decisions (tenant_id, id);

CREATE TABLE routing_sheets (
    id         text COLLATE "C" NOT NULL PRIMARY KEY,
    created_at timestamptz NOT NULL,
    body       text NOT NULL
);
CREATE INDEX routing_sheets_created_idx ON routing_sheets (created_at);

INSERT INTO ai_calls
SELECT id, created_at, region, tenant_id, user_id, key_id, session_id, trace_id, surface, task_type, requested_model, provider, model,
    served_model, outcome, input_tokens, output_tokens, cached_tokens, cache_write, reasoning, usage_source, cost_nanos, latency_ms, first_byte_ms,
    cache, stream, decision_id, tags, end_user
FROM calls;
INSERT INTO ai_attempts
SELECT c.id, a.number,
    'epoch'::timestamptz + (a.value->>'StartedAtMicros')::bigint * interval '1 microsecond', coalesce(a.value->>'Provider', ''), coalesce(a.value->>'Model', ''),
    coalesce(a.value->>'ServedModel', ''), coalesce(a.value->>'Credential', ''), coalesce(a.value->>'Outcome', ''),
    coalesce((a.value->>'LatencyMs')::bigint, 0), coalesce((a.value->>'FirstByteMs')::bigint, 0),
    coalesce((a.value->>'InputTokens')::bigint, 0), coalesce((a.value->>'OutputTokens')::bigint, 0),
    coalesce((a.value->>'CachedTokens')::bigint, 0), coalesce((a.value->>'CacheWrite')::bigint, 0),
    coalesce((a.value->>'Reasoning')::bigint, 0), coalesce(a.value->>'UsageSource', ''), (a.value->>'CostNanos')::bigint
FROM calls AS c, jsonb_array_elements(CASE jsonb_typeof(c.attempts) WHEN 'array' THEN c.attempts ELSE '[]' END) WITH ORDINALITY AS a (value, number);
-- Of the decision there was but the text: what is looked up by is what the call came to.
INSERT INTO routing_decisions
SELECT decision_id, tenant_id, created_at, task_type, provider, model, outcome, 0, '', '', decision, ''
FROM calls WHERE decision_id <> '' AND decision <> '' ORDER BY id
ON CONFLICT DO NOTHING;
DROP TABLE calls;
