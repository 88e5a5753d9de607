-- Who set a flag and when is lost, and so are aliases: the earlier version has no place for them.
CREATE TEMP TABLE kept_policies AS SELECT * FROM routing_policies;
DROP TABLE routing_policies;
CREATE TABLE routing_policies (
    tenant_id      text COLLATE "C" NOT NULL PRIMARY KEY,
    version        bigint NOT NULL,
    weight_cost    double precision NOT NULL,
    weight_latency double precision NOT NULL,
    weight_slo     double precision NOT NULL,
    fallback_order jsonb NOT NULL,
    routes         jsonb NOT NULL,
    allowed_models jsonb NOT NULL,
    forced         text NOT NULL,
    disabled       jsonb NOT NULL,
    max_attempts   bigint NOT NULL,
    deadline_us    bigint NOT NULL
);
INSERT INTO routing_policies
SELECT tenant_id, version, weight_cost, weight_latency, weight_slo, fallback_order, routes, allowed_models,
    coalesce((
        SELECT substr(f->>'Name', length('router.force_provider_') + 1) FROM jsonb_array_elements(flags) AS f
        WHERE f->>'Name' LIKE 'router.force\_provider\_%' AND (f->>'Enabled')::boolean LIMIT 1), ''),
    coalesce((
        SELECT jsonb_agg(substr(f->>'Name', length('router.disable_provider_') + 1)) FROM jsonb_array_elements(flags) AS f
        WHERE f->>'Name' LIKE 'router.disable\_provider\_%' AND (f->>'Enabled')::boolean), '[]'),
    max_attempts, deadline_us
FROM kept_policies;
DROP TABLE kept_policies;
