package database

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/uptrace/bun"

	"github.com/forge1/forge1/migrations"
)

// Migration is one step of the schema.
type Migration struct {
	Name      string // <YYYYMMDDhhmmss>_<name>
	Applied   bool
	AppliedAt time.Time // zero: not applied
	Newer     bool      // applied by a newer version of the program, which alone can undo it
}

// migrationRow notes that a migration ran. It is written in the transaction of the migration itself, so that the two cannot disagree, whenever the
// process dies. (Bun's own migrator notes it in a transaction of its own, before or after.)
type migrationRow struct {
	bun.BaseModel `bun:"table:schema_migrations"`

	Name      string  `bun:"name,pk,type:text"`
	AppliedAt instant `bun:"applied_at,type:timestamptz,notnull"`
}

// MigratorConfig says what migrations do beside their files.
type MigratorConfig struct {
	// PGVector makes sure of the extension vector before the first file.
	PGVector bool
}

// Migrator brings a schema up and down. Any number may run at once: they wait for each other.
type Migrator struct {
	db     *DB
	config MigratorConfig
	files  fs.FS
}

// NewMigrator migrates a database by the files built in.
func NewMigrator(db *DB, c MigratorConfig) *Migrator {
	return &Migrator{db: db, config: c, files: migrations.Files}
}

// Pending implements outbound.Database.
func (db *DB) Pending(ctx context.Context) (int, error) {
	ctx, cancel := db.bounded(ctx)
	defer cancel()
	steps, err := NewMigrator(db, MigratorConfig{}).Status(ctx)
	if err != nil {
		return 0, err
	}
	n := 0
	for _, s := range steps {
		if !s.Applied {
			n++
		}
	}
	return n, nil
}

// Status lists every migration, oldest first.
func (m *Migrator) Status(ctx context.Context) ([]Migration, error) {
	steps, err := m.status(ctx, m.db.writes)
	if err != nil {
		return nil, fmt.Errorf("read the state of migrations: %w", m.db.classify(ctx, err))
	}
	return steps, nil
}

func (m *Migrator) status(ctx context.Context, db bun.IDB) ([]Migration, error) {
	steps, err := m.known()
	if err != nil {
		return nil, err
	}
	var there int
	if err := db.NewRaw(m.db.dialect.hasTable(), "schema_migrations").Scan(ctx, &there); err != nil || there == 0 {
		return steps, err
	}
	var rows []migrationRow
	if err := db.NewSelect().Model(&rows).Order("name").Scan(ctx); err != nil {
		return nil, err
	}
	for _, row := range rows {
		i := slices.IndexFunc(steps, func(s Migration) bool { return s.Name == row.Name })
		if i < 0 {
			i = len(steps)
			steps = append(steps, Migration{Name: row.Name, Newer: true})
		}
		steps[i].Applied, steps[i].AppliedAt = true, row.AppliedAt.Time
	}
	slices.SortFunc(steps, func(a, b Migration) int { return strings.Compare(a.Name, b.Name) })
	return steps, nil
}

const idLength = 14

var fileName = regexp.MustCompile(`^(\d{14})_([a-z0-9_]+)\.tx\.(up|down)\.sql$`)

// known lists the files built in. It fails when one is misnamed, has no counterpart, or shares its id.
func (m *Migrator) known() ([]Migration, error) {
	entries, err := fs.ReadDir(m.files, m.db.Kind())
	if err != nil {
		return nil, err
	}
	directions := map[string]int{}
	var steps []Migration
	for _, e := range entries {
		part := fileName.FindStringSubmatch(e.Name())
		if part == nil {
			return nil, fmt.Errorf("migration %s: the name is not <14 digits>_<name>.tx.up.sql or .tx.down.sql", e.Name())
		}
		directions[part[1]]++
		if part[3] == "up" {
			steps = append(steps, Migration{Name: part[1] + "_" + part[2]})
		}
	}
	for _, s := range steps {
		if directions[s.Name[:idLength]] != 2 {
			return nil, fmt.Errorf("migration %s: there must be one up and one down file of this id", s.Name)
		}
	}
	return steps, nil // in order: ReadDir sorts by name
}

// Up applies what is pending, oldest first, each file in a transaction of its own. It names those it applied itself, also when it fails.
func (m *Migrator) Up(ctx context.Context) (applied []string, err error) {
	if err := m.prepare(ctx); err != nil {
		return nil, fmt.Errorf("migrate up: %w", m.db.classify(ctx, err))
	}
	for {
		step, more, err := m.step(ctx, "up", func(steps []Migration) int {
			return slices.IndexFunc(steps, func(s Migration) bool { return !s.Applied })
		})
		if err != nil {
			return applied, fmt.Errorf("migrate up: %w", m.db.classify(ctx, err))
		}
		if !more {
			return applied, nil
		}
		applied = append(applied, step)
	}
}

// Down undoes the newest steps, newest first. It names those it undid; fewer than asked for when no more are applied.
func (m *Migrator) Down(ctx context.Context, steps int) (undone []string, err error) {
	for range steps {
		step, more, err := m.step(ctx, "down", func(steps []Migration) int {
			for i, s := range slices.Backward(steps) {
				if s.Applied {
					return i
				}
			}
			return -1
		})
		if err != nil {
			return undone, fmt.Errorf("migrate down: %w", m.db.classify(ctx, err))
		}
		if !more {
			return undone, nil
		}
		undone = append(undone, step)
	}
	return undone, nil
}

// prepare makes the table of what has been applied, and the extension.
func (m *Migrator) prepare(ctx context.Context) error {
	return m.locked(ctx, func(ctx context.Context, tx bun.Tx) error {
		if m.config.PGVector {
			if err := m.db.dialect.vector(ctx, tx); err != nil {
				return err
			}
		}
		_, err := tx.NewCreateTable().Model((*migrationRow)(nil)).IfNotExists().Exec(ctx)
		return err
	})
}

// step runs the one file that pick chooses, and notes it, in one transaction.
func (m *Migrator) step(ctx context.Context, direction string, pick func([]Migration) int) (name string, more bool, err error) {
	err = m.locked(ctx, func(ctx context.Context, tx bun.Tx) error {
		steps, err := m.status(ctx, tx)
		if err != nil {
			return err
		}
		i := pick(steps)
		if more = i >= 0; !more {
			return nil
		}
		name = steps[i].Name
		if steps[i].Newer {
			return fmt.Errorf("%s was applied by a newer version of the program, which alone can undo it", name)
		}
		text, err := fs.ReadFile(m.files, m.db.Kind()+"/"+name+".tx."+direction+".sql")
		if err != nil {
			return err
		}
		if _, err := tx.Tx.ExecContext(ctx, string(text)); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		row := &migrationRow{Name: name, AppliedAt: at(m.db.clock())}
		if direction == "down" {
			_, err = tx.NewDelete().Model(row).WherePK().Exec(ctx)
		} else {
			_, err = tx.NewInsert().Model(row).Exec(ctx)
		}
		return err
	})
	return name, more, err
}

// locked runs work in a transaction that other migrators wait for. It has no bound but the context: a migration takes as long as it takes.
func (m *Migrator) locked(ctx context.Context, work func(context.Context, bun.Tx) error) error {
	for try := 1; ; try++ {
		err := m.db.writes.RunInTx(ctx, nil, func(ctx context.Context, tx bun.Tx) error {
			if err := m.db.dialect.migrationLock(ctx, tx); err != nil {
				return err
			}
			return work(ctx, tx)
		})
		if err == nil || !m.db.tryAgain(err) || !wait(ctx, min(try, maxTries)) {
			return err
		}
	}
}

// errNoVector says why PGVECTOR cannot be had.
var errNoVector = errors.New("PGVECTOR is set, but the extension vector (pgvector) cannot be created on this Postgres server: " +
	"install it there and let this role create it, or unset PGVECTOR")
