DROP TRIGGER audit_log_retention ON audit_log;
DROP TRIGGER audit_log_no_delete ON audit_log;
DROP FUNCTION audit_log_retain();
DROP TRIGGER audit_log_append_only ON audit_log;
CREATE TRIGGER audit_log_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON audit_log
    FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse();
DROP INDEX audit_log_tenant_idx;
DROP INDEX audit_log_at_idx;
DROP INDEX outbox_sent_idx;
DROP INDEX auth_sessions_abs_idx;
DROP INDEX auth_sessions_idle_idx;
DROP INDEX auth_sessions_revoked_idx;
DROP TABLE signing_keys;
DROP TABLE invites;
DROP TABLE one_time_tokens;
DROP TABLE recovery_codes;
DROP TABLE user_totp_pending;
DROP TABLE user_totp;
