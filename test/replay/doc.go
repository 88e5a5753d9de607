// Package replay plays real recordings of vendors through a running Forge 1, to every surface that can express them.
package replay
