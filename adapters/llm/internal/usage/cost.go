package usage

import (
	"math/big"
	"strings"
)

var (
	billion = big.NewRat(1_000_000_000, 1)
	oneHalf = big.NewRat(1, 2)
)

// Nanos reads an amount of dollars, which may be written as 6e-8, exactly and rounds it half up to nano-dollars; nil when there is none.
func Nanos(dollars string) *int64 {
	if dollars == "" || len(dollars) > 40 || dollars[0] < '0' || dollars[0] > '9' {
		return nil
	}
	if _, exponent, ok := strings.Cut(strings.ToLower(dollars), "e"); ok && len(exponent) > 3 {
		return nil // a number that nobody pays, and that is long to compute
	}
	r, ok := new(big.Rat).SetString(dollars)
	if !ok {
		return nil
	}
	r.Add(r.Mul(r, billion), oneHalf)
	n := new(big.Int).Quo(r.Num(), r.Denom())
	if !n.IsInt64() {
		return nil
	}
	v := n.Int64()
	return &v
}
