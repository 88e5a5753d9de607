package database_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/forge1/forge1/adapters/database"
	"github.com/forge1/forge1/ports/outbound"
)

// BenchmarkAppendCalls keeps batches of a hundred calls as they come in traffic, and reports what one row costs.
func BenchmarkAppendCalls(b *testing.B) {
	const batch = 100
	cost := int64(123456)
	decision := []byte(`{"candidates":[` + strings.TrimSuffix(strings.Repeat(`{"provider":"openai","model":"m","rank":1,"score":11.2,"p95_ms":1000},`, 5), ",") + `]}`)
	for name, s := range stores {
		if strings.Contains(name, "odd") {
			continue
		}
		b.Run(name, func(b *testing.B) {
			calls := database.NewCalls(migrate(b, s.empty(b)))
			rows := make([]outbound.Call, batch)
			b.ReportAllocs()
			for b.Loop() {
				for i := range rows {
					rows[i] = outbound.Call{
						ID: newID(), CreatedAt: now(), TenantID: "01935a00-0000-7000-8000-000000000001", UserID: "01935a00-0000-7000-8000-000000000002",
						KeyID: "0123456789abcdef", TraceID: "4bf92f3577b34da6a3ce929d0e0e4736", Surface: "chat.completions", TaskType: "general",
						RequestedModel: "auto", Provider: "openai", Model: "gpt", ServedModel: "gpt-2026", Outcome: "ok", InputTokens: 120, OutputTokens: 300,
						UsageSource: "reported", CostNanos: &cost, LatencyMs: 812, Cache: "miss", DecisionID: "01935a00-0000-7000-8000-000000000003",
						Decision: &outbound.Decision{ID: newID(), Shown: decision}, Attempts: []outbound.CallAttempt{{Provider: "openai", Model: "gpt", Credential: "c1", Outcome: "ok", LatencyMs: 812}},
					}
				}
				if err := calls.Append(b.Context(), outbound.Batch{Calls: rows}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*batch), "ns/row")
		})
	}
}

// BenchmarkFind reads one row by its id.
func BenchmarkFind(b *testing.B) {
	for name, s := range stores {
		if strings.Contains(name, "odd") {
			continue
		}
		b.Run(name, func(b *testing.B) {
			db := migrate(b, s.empty(b))
			ada := addUser(b, db, "ada")
			for i := range 100 {
				addUser(b, db, fmt.Sprint("user", i))
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := db.View().Users.Find(b.Context(), ada.ID()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
