DROP TRIGGER audit_log_no_replace;
DROP TRIGGER audit_log_no_delete;
CREATE TRIGGER audit_log_no_delete BEFORE DELETE ON audit_log
BEGIN
    SELECT RAISE(ABORT, 'audit_log is append-only');
END;
DROP TABLE audit_sweep;
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
