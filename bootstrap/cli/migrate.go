package cli

import (
	"fmt"
	"strings"

	"github.com/forge1/forge1/bootstrap"
)

type migrateCmd struct {
	Up     migrateUpCmd     `cmd:"" help:"Apply every pending migration."`
	Down   migrateDownCmd   `cmd:"" help:"Undo applied migrations, newest first."`
	Status migrateStatusCmd `cmd:"" help:"List migrations and whether they are applied."`
	Create migrateCreateCmd `cmd:"" help:"Make empty up and down files for every dialect."`
}

// open opens the migrator of this environment.
func open(s *session) (*bootstrap.Migrations, error) {
	cfg, err := s.config()
	if err != nil {
		return nil, err
	}
	return bootstrap.OpenMigrations(s.ctx, cfg)
}

type migrateUpCmd struct{}

// Run applies what is pending.
func (migrateUpCmd) Run(s *session) error {
	m, err := open(s)
	if err != nil {
		return err
	}
	defer m.Close()
	names, err := m.Up(s.ctx)
	if err != nil {
		return err
	}
	return s.print(map[string]any{"applied": names}, listed("applied", names))
}

type migrateDownCmd struct {
	Steps int `help:"How many migration files to undo." default:"1"`
}

// Run undoes what is newest.
func (c *migrateDownCmd) Run(s *session) error {
	if c.Steps < 1 {
		return fmt.Errorf("%w: --steps must be at least 1", errUsage)
	}
	m, err := open(s)
	if err != nil {
		return err
	}
	defer m.Close()
	names, err := m.Down(s.ctx, c.Steps)
	if err != nil {
		return err
	}
	return s.print(map[string]any{"undone": names}, listed("undone", names))
}

type migrateStatusCmd struct{}

// Run lists the migrations.
func (migrateStatusCmd) Run(s *session) error {
	m, err := open(s)
	if err != nil {
		return err
	}
	defer m.Close()
	rows, err := m.Status(s.ctx)
	if err != nil {
		return err
	}
	var b strings.Builder
	for i, r := range rows {
		if i > 0 {
			b.WriteByte('\n')
		}
		state := "pending"
		if r.Applied {
			state = "applied"
		}
		fmt.Fprintf(&b, "%-8s %s", state, r.Name)
	}
	return s.print(map[string]any{"migrations": rows}, b.String())
}

type migrateCreateCmd struct {
	Name string `arg:"" help:"What the migration does, such as add_invites."`
	Auto bool   `help:"Draft the SQL from the models, for review (Postgres only)."`
	Dir  string `help:"Folder of the migrations." default:"migrations"`
}

// Run makes the files.
func (c *migrateCreateCmd) Run(s *session) error {
	m, err := open(s)
	if err != nil {
		return err
	}
	defer m.Close()
	files, err := m.Create(s.ctx, c.Dir, c.Name, c.Auto)
	if err != nil {
		return err
	}
	return s.print(map[string]any{"files": files}, listed("made", files))
}

func listed(verb string, names []string) string {
	if len(names) == 0 {
		return "nothing " + verb
	}
	return verb + " " + strings.Join(names, ", ")
}
