package database

import (
	"context"
	"reflect"
	"sync/atomic"
	"time"

	"github.com/uptrace/bun"

	"github.com/forge1/forge1/domain/routing"
	"github.com/forge1/forge1/ports/outbound"
)

type policyRow struct {
	bun.BaseModel `bun:"table:routing_policies"`

	TenantID      string                                      `bun:"tenant_id,pk,type:text"`
	Version       int64                                       `bun:"version,notnull"`
	WeightCost    float64                                     `bun:"weight_cost,notnull"`
	WeightLatency float64                                     `bun:"weight_latency,notnull"`
	WeightSLO     float64                                     `bun:"weight_slo,notnull"`
	FallbackOrder list[[]string]                              `bun:"fallback_order,type:jsonb,notnull"`
	Routes        list[map[routing.TaskType][]routing.Target] `bun:"routes,type:jsonb,notnull"`
	AllowedModels list[[]string]                              `bun:"allowed_models,type:jsonb,notnull"`
	Flags         list[[]routing.Flag]                        `bun:"flags,type:jsonb,notnull"`
	Aliases       list[[]routing.Alias]                       `bun:"aliases,type:jsonb,notnull"`
	MaxAttempts   int                                         `bun:"max_attempts,type:bigint,notnull"`
	DeadlineUs    int64                                       `bun:"deadline_us,notnull"`
}

func policyRowOf(s routing.PolicySnapshot) *policyRow {
	return &policyRow{
		TenantID: s.Tenant, Version: s.Version, WeightCost: s.Weights.Cost, WeightLatency: s.Weights.Latency, WeightSLO: s.Weights.SLOPenalty,
		FallbackOrder: listOf(s.FallbackOrder), Routes: listOf(s.Routes), AllowedModels: listOf(s.AllowedModels), Flags: listOf(s.Flags),
		Aliases: listOf(s.Aliases), MaxAttempts: s.MaxAttempts, DeadlineUs: s.Deadline.Microseconds(),
	}
}

// unchosen is the row of a tenant that chose no terms.
func unchosen(tenantID string) *policyRow {
	return &policyRow{
		TenantID: tenantID, Version: 1, FallbackOrder: listOf([]string{}), Routes: listOf(map[routing.TaskType][]routing.Target{}),
		AllowedModels: listOf([]string{}), Flags: listOf([]routing.Flag{}), Aliases: listOf([]routing.Alias{}),
	}
}

// chosen reports whether the tenant chose its terms. If not, they are the installation's as it has them now, and the columns say nothing.
func (r *policyRow) chosen() bool { return r.MaxAttempts != 0 }

func (r *policyRow) policy(d routing.Defaults) *routing.Policy {
	if !r.chosen() {
		s := routing.NewPolicy(r.TenantID, d).Snapshot()
		s.Version, s.Flags, s.Aliases = r.Version, r.Flags.Of, r.Aliases.Of
		return routing.RestorePolicy(s, d)
	}
	return routing.RestorePolicy(routing.PolicySnapshot{
		Tenant: r.TenantID, Version: r.Version, Weights: routing.Weights{Cost: r.WeightCost, Latency: r.WeightLatency, SLOPenalty: r.WeightSLO},
		FallbackOrder: r.FallbackOrder.Of, Routes: r.Routes.Of, AllowedModels: r.AllowedModels.Of, Flags: r.Flags.Of,
		Aliases: r.Aliases.Of, MaxAttempts: r.MaxAttempts, Deadline: time.Duration(r.DeadlineUs) * time.Microsecond,
	}, d)
}

// Policies implements outbound.Policies over the providers of this installation.
type Policies struct {
	store
	defaults atomic.Pointer[routing.Defaults]
}

var _ outbound.Policies = (*Policies)(nil)

// NewPolicies keeps policies in a database, over the defaults of the installation.
func NewPolicies(db *DB, d routing.Defaults) *Policies {
	r := &Policies{store: store{db: db}}
	r.Adopt(d)
	return r
}

// Adopt puts other defaults in place, for every policy that is read from now on.
func (r *Policies) Adopt(d routing.Defaults) { r.defaults.Store(&d) }

// Find implements outbound.Policies.
func (r *Policies) Find(ctx context.Context, tenantID string) (*routing.Policy, error) {
	var rows []policyRow
	err := r.read(ctx, func(ctx context.Context, db bun.IDB) error {
		return db.NewSelect().Model(&rows).Where("tenant_id = ?", key(tenantID)).Scan(ctx)
	})
	switch {
	case err != nil:
		return nil, err
	case len(rows) == 0:
		return routing.NewPolicy(tenantID, *r.defaults.Load()), nil
	default:
		return rows[0].policy(*r.defaults.Load()), nil
	}
}

// Update implements outbound.Policies. A row without terms is written first where there is none, so that there is one to lock.
func (r *Policies) Update(ctx context.Context, tenantID string, change func(*routing.Policy) error) error {
	return r.write(ctx, func(ctx context.Context, sc *scope) error {
		if _, err := sc.insert(ctx, unchosen(tenantID)); err != nil {
			return err
		}
		var row policyRow
		if err := r.db.dialect.lock(sc.tx.NewSelect().Model(&row).Where("tenant_id = ?", key(tenantID))).Scan(ctx); err != nil {
			return err
		}
		p := row.policy(*r.defaults.Load())
		before := p.Snapshot()
		if err := change(p); err != nil {
			return err
		}
		if after := p.Snapshot(); !reflect.DeepEqual(before, after) {
			if err := sc.rewrite(ctx, row.changed(p, before, after)); err != nil {
				return err
			}
		}
		return r.audit(ctx, sc, p)
	})
}
