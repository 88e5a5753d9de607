-- Who set a flag and when is lost, and so are aliases: the earlier version has no place for them.
CREATE TEMP TABLE kept_policies AS SELECT * FROM routing_policies;
DROP TABLE routing_policies;
CREATE TABLE routing_policies (
    tenant_id      TEXT NOT NULL PRIMARY KEY,
    version        INTEGER NOT NULL,
    weight_cost    REAL NOT NULL,
    weight_latency REAL NOT NULL,
    weight_slo     REAL NOT NULL,
    fallback_order TEXT NOT NULL,
    routes         TEXT NOT NULL,
    allowed_models TEXT NOT NULL,
    forced         TEXT NOT NULL,
    disabled       TEXT NOT NULL,
    max_attempts   INTEGER NOT NULL,
    deadline_us    INTEGER NOT NULL
) STRICT;
INSERT INTO routing_policies
SELECT tenant_id, version, weight_cost, weight_latency, weight_slo, fallback_order, routes, allowed_models,
    coalesce((
        SELECT substr(json_extract(f.value, '$.Name'), length('router.force_provider_') + 1) FROM json_each(k.flags) AS f
        WHERE json_extract(f.value, '$.Name') LIKE 'router.force\_provider\_%' ESCAPE '\' AND json_extract(f.value, '$.Enabled') LIMIT 1), ''),
    coalesce((
        SELECT json_group_array(substr(json_extract(f.value, '$.Name'), length('router.disable_provider_') + 1)) FROM json_each(k.flags) AS f
        WHERE json_extract(f.value, '$.Name') LIKE 'router.disable\_provider\_%' ESCAPE '\' AND json_extract(f.value, '$.Enabled')), '[]'),
    max_attempts, deadline_us
FROM kept_policies AS k;
DROP TABLE kept_policies;
