// Package migrations holds the versioned SQL of the database, one folder for each dialect. A file is named
// <id>_<name>.tx.up.sql or .tx.down.sql; each runs in one transaction together with the note that it ran, and down undoes all that up did.
// Files that were released are never changed: a change is a new file.
package migrations

import "embed"

// Files are the migrations of every dialect: postgres/… and sqlite/….
//
//go:embed postgres/*.sql sqlite/*.sql
var Files embed.FS

// Dialects names the folders.
var Dialects = []string{"postgres", "sqlite"}
