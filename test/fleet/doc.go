// Package fleet runs several replicas of Forge 1 as processes on one Postgres and one Redis, with simulated vendors, and looks at what they know of each
// other when a vendor dies, and when Redis does. The tests need the programs of test/servers.
package fleet
