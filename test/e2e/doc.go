// Package e2e tells Forge 1's promises as stories over HTTP, on embedded stores and on real Postgres and Redis.
package e2e
