package attack_test

import (
	"cmp"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

// stores says what a process keeps its state in.
type stores string

const (
	embedded stores = "sqlite+memory"
	servers  stores = "postgres+redis"
)

// attack is one row of the table.
type attack struct {
	id, what   string
	run        func(*testing.T, *world)
	alone      bool                     // has a process of its own
	overlapped bool                     // and runs beside others
	last       bool                     // after all others
	timed      bool                     // by the clock; see doc.go
	env        map[string]string        // variables of that process
	before     func(*testing.T, *world) // called before it starts
	only       stores
	why        string // why only there
}

type option func(*attack)

// alone gives a row a process and stores of its own.
func alone(a *attack) { a.alone = true }

// overlapped lets a row that mostly waits run beside others.
func overlapped(a *attack) { a.alone, a.overlapped = true, true }

// last runs a row after all others, those that are overlapped in its own group excepted.
func last(a *attack) { a.alone, a.last = true, true }

// env sets variables of the row's own process: name, value, name, value.
func env(pairs ...string) option {
	return func(a *attack) {
		a.alone = true
		for i := 0; i+1 < len(pairs); i += 2 {
			a.env[pairs[i]] = pairs[i+1]
		}
	}
}

// before has do called before the row's own process starts: it may change w.env.
func before(do func(*testing.T, *world)) option {
	return func(a *attack) { a.alone, a.before = true, do }
}

// only confines a row to one set of stores.
func only(on stores, why string) option {
	return func(a *attack) { a.only, a.why = on, why }
}

// registered holds the rows by id.
var registered = map[string]*attack{}

// row registers a row of the attack table.
func row(id, what string, run func(*testing.T, *world), options ...option) {
	a := &attack{id: id, what: what, run: run, env: map[string]string{}}
	for _, o := range options {
		o(a)
	}
	if a.timed {
		id += " timed"
	}
	if registered[id] != nil {
		panic("two rows " + id)
	}
	registered[id] = a
}

// table lists the ids of the attack table.
func table() []string {
	return strings.Fields(`
		ENU-1 ENU-2 ENU-3 ENU-4 ENU-5 ENU-7 ENU-8 ENU-10
		BRU-1 BRU-2 BRU-3 BRU-5 BRU-6 BRU-7 BRU-8 BRU-11
		JWT-1 JWT-2 JWT-3 JWT-4 JWT-5 JWT-6 JWT-7 JWT-8 JWT-9 JWT-10 JWT-13 JWT-14 JWT-15 JWT-16 JWT-17 JWT-18
		REF-1 REF-2 REF-3 REF-5 REF-7 REF-10 REF-12 REF-13 REF-14
		OTT-1 OTT-2 OTT-3 OTT-4 OTT-5 OTT-6 OTT-7 OTT-9 OTT-10 OTT-12 OTT-14
		MFA-1 MFA-2 MFA-3 MFA-4 MFA-5 MFA-6 MFA-7 MFA-8 MFA-9 MFA-10 MFA-11 MFA-12 MFA-13 MFA-15 MFA-16 MFA-17 MFA-18 MFA-19 MFA-20 MFA-21
		REG-1 REG-2 REG-3 REG-4 REG-5 REG-6 REG-7 REG-8 REG-9
		INP-1 INP-2 INP-3 INP-4 INP-5 INP-7 INP-8 INP-9 INP-10
		HDR-1 HDR-2 HDR-3 HDR-4 HDR-5
		TEN-1 TEN-2 TEN-3 TEN-4 TEN-5 TEN-7
		DOS-1 DOS-4 DOS-5 DOS-6
		FLT-1 FLT-2 FLT-3 FLT-4 FLT-6 FLT-7 FLT-8 FLT-9 FLT-10 FLT-11 FLT-12
		LEAK-1 LEAK-3
		SSRF-1`)
}

func TestEveryRowOfTheTableIsHere(t *testing.T) {
	ids := table()
	var missing []string
	for _, id := range ids {
		if registered[id] == nil {
			missing = append(missing, id)
		}
	}
	if len(missing) > 0 {
		t.Errorf("%d rows of the table are not here: %s", len(missing), strings.Join(missing, " "))
	}
	for _, a := range registered {
		if !slices.Contains(ids, a.id) {
			t.Errorf("the row %s is not in the table", a.id)
		}
	}
}

func TestAttack(t *testing.T) {
	results := &results{of: map[string]map[stores]string{}}
	t.Cleanup(func() { results.print(t) })
	for _, on := range []stores{embedded, servers} {
		t.Run(string(on), func(t *testing.T) {
			t.Parallel()
			found := &findings{}
			for _, group := range groups() {
				t.Run(group, func(t *testing.T) { attackWith(t, on, found, results, inGroup(group)) })
			}
		})
	}
}

// attackWith runs rows, those that share a process one after the other.
func attackWith(t *testing.T, on stores, found *findings, results *results, rows []*attack) {
	t.Helper()
	var shared *world
	for _, a := range rows {
		if a.only != "" && a.only != on {
			results.note(a.id, on, "none: "+a.why)
			continue
		}
		group := t
		t.Run(a.id, func(t *testing.T) {
			t.Cleanup(func() { results.note(a.id, on, verdict(t)) })
			if a.overlapped {
				t.Parallel()
			}
			w := shared
			switch {
			case a.alone:
				w = newWorld(t, on, a, found)
			case shared == nil:
				shared = newWorld(group, on, a, found)
				w = shared
			}
			since := len(w.log.lines())
			defer func() { w.survived(t, since) }() // also when the row was given up
			a.run(t, w)
		})
	}
}

func verdict(t *testing.T) string {
	if t.Failed() {
		return "FAIL"
	}
	return "pass"
}

// group is the part of an id before its hyphen.
func group(id string) string {
	g, _, _ := strings.Cut(id, "-")
	return g
}

// groups lists the groups in the order of the table, those with a row that runs after all others at the end.
func groups() []string {
	var out, end []string
	for _, id := range table() {
		g := group(id)
		switch {
		case slices.Contains(out, g) || slices.Contains(end, g):
		case slices.ContainsFunc(inGroup(g), func(a *attack) bool { return a.last }):
			end = append(end, g)
		default:
			out = append(out, g)
		}
	}
	return append(out, end...)
}

func inGroup(g string) []*attack {
	rows := sorted(func(a *attack) bool { return group(a.id) == g && !a.timed })
	slices.SortStableFunc(rows, func(a, b *attack) int { return cmp.Compare(whether(a.last), whether(b.last)) })
	return rows
}

func whether(b bool) int {
	if b {
		return 1
	}
	return 0
}

// sorted lists the rows that are asked for by their numbers.
func sorted(which func(*attack) bool) []*attack {
	var out []*attack
	for _, a := range registered {
		if which(a) {
			out = append(out, a)
		}
	}
	slices.SortFunc(out, func(a, b *attack) int {
		return cmp.Or(strings.Compare(group(a.id), group(b.id)), cmp.Compare(number(a.id), number(b.id)))
	})
	return out
}

func number(id string) int {
	_, n, _ := strings.Cut(id, "-")
	i, _ := strconv.Atoi(n)
	return i
}

// results are the verdicts by id and stores.
type results struct {
	mu sync.Mutex
	of map[string]map[stores]string
}

func (r *results) note(id string, on stores, verdict string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.of[id] == nil {
		r.of[id] = map[stores]string{}
	}
	r.of[id][on] = verdict
}

func describe(id string) string {
	if a := registered[id]; a != nil {
		return a.what
	}
	return ""
}

// print prints the table of the rows that ran.
func (r *results) print(t *testing.T) {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	passed := 0
	fmt.Fprintf(os.Stdout, "%-8s %-14s %-14s\n", "id", embedded, servers)
	for _, id := range table() {
		of, ran := r.of[id]
		if !ran {
			continue
		}
		if of[embedded] != "FAIL" && of[servers] != "FAIL" {
			passed++
		}
		fmt.Fprintf(os.Stdout, "%-8s %-14s %-14s %s\n", id, cmp.Or(of[embedded], "not run"), cmp.Or(of[servers], "not run"), describe(id))
	}
	fmt.Fprintf(os.Stdout, "%d of %d rows ran, %d passed\n", len(r.of), len(table()), passed)
}
