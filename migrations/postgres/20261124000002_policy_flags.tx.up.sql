-- Flags say who set them and when; aliases are names of a tenant's own for targets.
ALTER TABLE routing_policies
    ADD COLUMN flags jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN aliases jsonb NOT NULL DEFAULT '[]';
UPDATE routing_policies SET flags = (
    SELECT coalesce(jsonb_agg(jsonb_build_object('Name', f.name, 'Enabled', true, 'At', '0001-01-01T00:00:00Z', 'By', '') ORDER BY f.name), '[]')
    FROM (
        SELECT 'router.force_provider_' || forced AS name WHERE forced <> ''
        UNION ALL
        SELECT 'router.disable_provider_' || d FROM jsonb_array_elements_text(CASE jsonb_typeof(disabled) WHEN 'array' THEN disabled ELSE '[]' END) AS d
    ) AS f
);
ALTER TABLE routing_policies DROP COLUMN forced, DROP COLUMN disabled;
ALTER TABLE routing_policies ALTER COLUMN flags DROP DEFAULT, ALTER COLUMN aliases DROP DEFAULT;
