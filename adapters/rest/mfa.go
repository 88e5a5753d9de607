package rest

import (
	"net/http"

	"github.com/forge1/forge1/domain/fault"
	"github.com/forge1/forge1/domain/secret"
	"github.com/forge1/forge1/ports/inbound"
)

// ProofBody proves the user anew: by the password, and by one of code and recovery_code when the second factor is on.
type ProofBody struct {
	Password     string  `json:"password"`
	Code         *string `json:"code,omitempty" pattern:"^[0-9]{6}$" doc:"Of the authenticator"`
	RecoveryCode *string `json:"recovery_code,omitempty" maxLength:"128" doc:"In place of code"`
}

// CodeProofBody proves the user anew by the password and a code.
type CodeProofBody struct {
	Password string `json:"password"`
	Code     string `json:"code" pattern:"^[0-9]{6}$" doc:"Of the authenticator"`
}

// MFASetup is a second factor that waits for its first code.
type MFASetup struct {
	SetupID       string   `json:"setup_id" doc:"Confirms the setup at mfa/verify, in the session that began it"`
	Secret        string   `json:"secret" doc:"For the authenticator, in base32"`
	URI           string   `json:"otpauth_uri" doc:"The same for a QR code"`
	RecoveryCodes []string `json:"recovery_codes" nullable:"false" doc:"Shown this once; good when the setup is confirmed"`
	ExpiresIn     int      `json:"expires_in" doc:"Seconds"`
}

// MFAVerifyBody finishes a login (mfa_token), confirms a setup (setup_id, with a session), or proves a session anew (with a session).
type MFAVerifyBody struct {
	MFAToken     *string `json:"mfa_token,omitempty" maxLength:"512" doc:"Of a login; without credential"`
	SetupID      *string `json:"setup_id,omitempty" maxLength:"128" doc:"Of a setup; with the session that began it"`
	Code         *string `json:"code,omitempty" pattern:"^[0-9]{6}$" doc:"Of the authenticator"`
	RecoveryCode *string `json:"recovery_code,omitempty" maxLength:"128" doc:"In place of code; for a login alone"`
}

// MFAEnabled says that the second factor is on. Every other session has ended.
type MFAEnabled struct {
	Status string `json:"status" enum:"mfa_enabled"`
	TokenFields
}

// RecoveryCodes replace all earlier ones.
type RecoveryCodes struct {
	Codes []string `json:"recovery_codes" nullable:"false" doc:"Shown this once"`
}

func (b ProofBody) proof() inbound.Proof {
	return inbound.Proof{Password: secret.New(b.Password), Code: orEmpty(b.Code), RecoveryCode: orEmpty(b.RecoveryCode)}
}

// checkProofs refuses two proofs where one is wanted, and none where one must be.
func checkProofs(code, recovery *string, needed bool) error {
	switch {
	case code != nil && recovery != nil:
		return errProof.At(
			fault.Field{Pointer: "/code", Code: "exactly_one", Message: "give one of code and recovery_code"},
			fault.Field{Pointer: "/recovery_code", Code: "exactly_one", Message: "give one of code and recovery_code"},
		)
	case needed && code == nil && recovery == nil:
		return missing("/code")
	}
	return nil
}

// missing names a field that is absent.
func missing(pointer string) error {
	return errNoProof.At(fault.Field{Pointer: pointer, Code: "missing_field", Message: "is required"})
}

func (x *exchange) mfaSetup() error {
	var b ProofBody
	if err := x.decode(&b); err != nil {
		return err
	}
	if err := checkProofs(b.Code, b.RecoveryCode, false); err != nil {
		return err
	}
	got, err := x.s.deps.MFA.Setup(x.ctx, x.caller, b.proof())
	if err != nil {
		return err
	}
	return x.reply(http.StatusOK, MFASetup{
		SetupID: got.SetupID, Secret: got.Secret.Reveal(), URI: got.URI.Reveal(), RecoveryCodes: append([]string{}, got.RecoveryCodes...),
		ExpiresIn: seconds(got.ExpiresIn),
	})
}

// mfaVerify serves three contexts, and refuses whatever is not clearly one of them.
func (x *exchange) mfaVerify() error {
	var b MFAVerifyBody
	if err := x.decode(&b); err != nil {
		return err
	}
	credential := len(x.fc.Request.Header.Peek("Authorization")) > 0
	switch {
	case b.MFAToken != nil && (credential || b.SetupID != nil), b.SetupID != nil && !credential:
		return errContext
	case b.MFAToken == nil && !credential:
		return missing("/mfa_token")
	case b.MFAToken == nil && b.RecoveryCode != nil:
		return errContext.At(fault.Field{Pointer: "/recovery_code", Code: "not_here", Message: "finishes a login alone"})
	}
	if err := checkProofs(b.Code, b.RecoveryCode, true); err != nil {
		return err
	}
	if b.MFAToken != nil {
		got, err := x.s.deps.MFA.Complete(x.ctx, *b.MFAToken, orEmpty(b.Code), orEmpty(b.RecoveryCode))
		if err != nil {
			return err
		}
		return x.replyTokens(got)
	}
	if err := x.identifyCaller(); err != nil {
		return err
	}
	if b.SetupID != nil {
		got, err := x.s.deps.MFA.Confirm(x.ctx, x.caller, *b.SetupID, *b.Code)
		if err != nil {
			return err
		}
		return x.reply(http.StatusOK, MFAEnabled{"mfa_enabled", x.tokenFields(got)})
	}
	got, err := x.s.deps.MFA.StepUp(x.ctx, x.caller, *b.Code)
	if err != nil {
		return err
	}
	return x.replySameSession(got)
}

func (x *exchange) mfaDisable() error {
	var b ProofBody
	if err := x.decode(&b); err != nil {
		return err
	}
	if err := checkProofs(b.Code, b.RecoveryCode, true); err != nil {
		return err
	}
	if err := x.s.deps.MFA.Disable(x.ctx, x.caller, b.proof()); err != nil {
		return err
	}
	return x.empty()
}

func (x *exchange) regenerateCodes() error {
	var b CodeProofBody
	if err := x.decode(&b); err != nil {
		return err
	}
	got, err := x.s.deps.MFA.RegenerateCodes(x.ctx, x.caller, inbound.Proof{Password: secret.New(b.Password), Code: b.Code})
	if err != nil {
		return err
	}
	return x.reply(http.StatusOK, RecoveryCodes{Codes: append([]string{}, got...)})
}

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}
