package catalogue

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
)

// Amount is a price: US dollars per million tokens, in millionths of a millionth of a dollar; of requests, US dollars likewise in units of 1e-12. It
// is read as the decimal that is written, as JSON number or as text, never by way of a float.
type Amount int64

// places is how many decimals an amount has.
const places = 12

// maxAmount bounds an amount: a million dollars.
const maxAmount = 1_000_000_000_000_000_000

var errAmount = errors.New("is no price: a decimal of 0 to 1000000 with at most 12 places is")

// ParseAmount reads a decimal such as 0.15, 3 or 1.5e-07. It fails when that is no decimal from 0 to a million or has more than 12 places.
func ParseAmount(text string) (Amount, error) {
	r, err := decimal(text)
	if err != nil {
		return 0, err
	}
	if !r.IsInt() || !r.Num().IsInt64() || r.Num().Int64() > maxAmount {
		return 0, fmt.Errorf("%.40q %w", text, errAmount)
	}
	return Amount(r.Num().Int64()), nil
}

// decimal reads a decimal in units of 1e-12.
func decimal(text string) (*big.Rat, error) {
	mantissa, exponent, _ := strings.Cut(strings.ToLower(text), "e")
	if text == "" || len(text) > 40 || len(exponent) > 3 || strings.Trim(mantissa, "0123456789.") != "" ||
		strings.Trim(exponent, "+-0123456789") != "" {
		return nil, fmt.Errorf("%.40q %w", text, errAmount)
	}
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		return nil, fmt.Errorf("%.40q %w", text, errAmount)
	}
	return r.Mul(r, unit), nil
}

var unit = new(big.Rat).SetInt64(1_000_000_000_000)

// String writes the amount as a plain decimal.
func (a Amount) String() string {
	digits := fmt.Sprintf("%0*d", places+1, int64(a))
	whole, part := digits[:len(digits)-places], strings.TrimRight(digits[len(digits)-places:], "0")
	if part == "" {
		return whole
	}
	return whole + "." + part
}

// MarshalJSON implements json.Marshaler.
func (a Amount) MarshalJSON() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalJSON implements json.Unmarshaler.
func (a *Amount) UnmarshalJSON(b []byte) error {
	text := string(b)
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
		text = text[1 : len(text)-1]
	}
	got, err := ParseAmount(text)
	if err != nil {
		return err
	}
	*a = got
	return nil
}
