package cli

import (
	"context"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/forge1/forge1/bootstrap"
	"github.com/forge1/forge1/ports/inbound"
)

type userCmd struct {
	Create   userCreateCmd   `cmd:"" help:"Create a verified user."`
	Disable  userDisableCmd  `cmd:"" help:"Shut a user out; its sessions and API keys end."`
	Enable   userEnableCmd   `cmd:"" help:"Let a disabled user in again."`
	Delete   userDeleteCmd   `cmd:"" help:"Forget a user with its sessions, API keys and memberships, and the tenants that it leaves empty."`
	ResetMFA userResetMFACmd `cmd:"" name:"reset-mfa" help:"Take the second factor of a user away; its sessions end."`
}

type userCreateCmd struct {
	Email         string `help:"E-mail address." required:""`
	PasswordStdin bool   `help:"Read the password from standard input." required:""`
	Username      string `help:"Public name."`
	Tenant        string `help:"Slug or name of a tenant; made when there is none. A personal one by default."`
	Role          string `help:"Role in the tenant: owner, admin, member or viewer." default:"owner"`
	PlatformAdmin bool   `help:"Let the user administer the whole installation."`
}

// Run creates the user.
func (c *userCreateCmd) Run(s *session) error {
	raw, err := io.ReadAll(io.LimitReader(s.in, 4096))
	if err != nil {
		return fmt.Errorf("read the password: %w", err)
	}
	password := strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
	return withOperator(s, func(ctx context.Context, op inbound.Operator) error {
		user, tenant, err := op.CreateUser(ctx, inbound.NewUser{
			Email: c.Email, Password: password, Username: c.Username, Tenant: c.Tenant, Role: c.Role, PlatformAdmin: c.PlatformAdmin,
		})
		if err != nil {
			return err
		}
		return s.print(map[string]string{"user_id": string(user), "tenant_id": string(tenant)},
			fmt.Sprintf("user %s in tenant %s", user, tenant))
	})
}

// account names a user.
type account struct {
	Email string `help:"E-mail address." required:""`
}

// change does something to the user, and says so.
func (a account) change(s *session, done string, do func(inbound.Operator, context.Context, string) error) error {
	return withOperator(s, func(ctx context.Context, op inbound.Operator) error {
		if err := do(op, ctx, a.Email); err != nil {
			return err
		}
		return s.print(map[string]string{"email": a.Email, "status": done}, a.Email+": "+done)
	})
}

type userDisableCmd struct{ account }

// Run disables the user.
func (c *userDisableCmd) Run(s *session) error {
	return c.change(s, "disabled", inbound.Operator.DisableUser)
}

type userEnableCmd struct{ account }

// Run enables the user.
func (c *userEnableCmd) Run(s *session) error {
	return c.change(s, "enabled", inbound.Operator.EnableUser)
}

type userDeleteCmd struct{ account }

// Run deletes the user.
func (c *userDeleteCmd) Run(s *session) error {
	return c.change(s, "deleted", inbound.Operator.DeleteUser)
}

type userResetMFACmd struct{ account }

// Run takes the second factor away.
func (c *userResetMFACmd) Run(s *session) error {
	return c.change(s, "mfa_reset", inbound.Operator.ResetMFA)
}

type keyCmd struct {
	Create keyCreateCmd `cmd:"" help:"Create an API key; it is printed once."`
}

type keyCreateCmd struct {
	Email   string   `help:"E-mail address of the user that the key acts for." required:""`
	Tenant  string   `help:"Id or slug of the tenant; the user's last used by default."`
	Name    string   `help:"What the key is for." default:"cli"`
	Scope   []string `help:"Comma list of ai, router, admin." default:"ai"`
	Expires string   `help:"Life of the key, such as 90d, 12h or 30m; without it the key does not expire."`
}

// Run creates the key.
func (c *keyCreateCmd) Run(s *session) error {
	life, err := lifetime(c.Expires)
	if err != nil {
		return err
	}
	return withOperator(s, func(ctx context.Context, op inbound.Operator) error {
		cmd := inbound.CreateKey{Name: c.Name, Scopes: c.Scope}
		if life > 0 {
			cmd.ExpiresAt = s.now().Add(life)
		}
		k, err := op.CreateKey(ctx, c.Email, c.Tenant, cmd)
		if err != nil {
			return err
		}
		s.note("keep this key; it is not shown again")
		return s.print(map[string]string{"id": string(k.View.ID), "key": k.Key}, k.Key)
	})
}

var days = regexp.MustCompile(`^([0-9]{1,5})d$`)

// lifetime reads a Go duration, or days such as 90d; "" is none.
func lifetime(v string) (time.Duration, error) {
	if v == "" {
		return 0, nil
	}
	if m := days.FindStringSubmatch(v); m != nil {
		n, _ := strconv.Atoi(m[1]) // five digits at most
		v = strconv.Itoa(n*24) + "h"
	}
	d, err := time.ParseDuration(v)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("%w: --expires must be a duration such as 90d, 12h or 30m", errUsage)
	}
	return d, nil
}

// withOperator opens the stores of this environment for one command of an operator.
func withOperator(s *session, do func(context.Context, inbound.Operator) error) error {
	return withApp(s, func(ctx context.Context, app *bootstrap.App) error { return do(ctx, app.Operator()) })
}

// withApp opens the stores of this environment for one command. The embedded database is migrated first.
func withApp(s *session, do func(context.Context, *bootstrap.App) error) error {
	cfg, err := s.config()
	if err != nil {
		return err
	}
	app, cleanup, err := bootstrap.New(s.ctx, cfg, bootstrap.LogTo(io.Discard))
	if err != nil {
		return err
	}
	defer cleanup()
	if app.Embedded() {
		if err := app.Migrate(s.ctx); err != nil {
			return err
		}
	}
	s.now = app.Now
	return do(s.ctx, app)
}
