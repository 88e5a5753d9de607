DROP TABLE api_keys;
DROP TABLE auth_sessions;
DROP TABLE memberships;
DROP TABLE tenants;
DROP TABLE registrations;
DROP TABLE users;
