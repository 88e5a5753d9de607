-- Flags say who set them and when; aliases are names of a tenant's own for targets.
ALTER TABLE routing_policies ADD COLUMN flags TEXT NOT NULL DEFAULT '[]';
ALTER TABLE routing_policies ADD COLUMN aliases TEXT NOT NULL DEFAULT '[]';
UPDATE routing_policies SET flags = (
    SELECT json_group_array(json_object('Name', f.name, 'Enabled', json('true'), 'At', '0001-01-01T00:00:00Z', 'By', ''))
    FROM (
        SELECT 'router.force_provider_' || routing_policies.forced AS name WHERE routing_policies.forced <> ''
        UNION ALL
        SELECT 'router.disable_provider_' || d.value FROM json_each(routing_policies.disabled) AS d
    ) AS f
);
ALTER TABLE routing_policies DROP COLUMN forced;
ALTER TABLE routing_policies DROP COLUMN disabled;
