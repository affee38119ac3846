// Package money owns amounts in integer fen (1/100 yuan) and their explicit rounding.
// Rounding happens once per line, half away from zero, never on a running total.
package money

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/chaoban/chaoban/internal/fault"
)

// Fen is an amount in 1/100 yuan (CNY). Negative amounts are deductions.
type Fen int64

// Rate is a fraction in units of 1/1,000,000 (1 % = 10,000), so 0.0001 % is exact.
type Rate int64

// Common rates.
const (
	Percent Rate = 10_000
	Whole   Rate = 1_000_000
)

const (
	maxFen  = Fen(1) << 53 // beyond this a spreadsheet cell loses fen
	maxRate = 1000 * Whole
)

// Yuan makes an amount of whole yuan.
func Yuan(n int64) Fen { return Fen(n * 100) }

// String renders "1234.56", with a minus sign for deductions.
func (f Fen) String() string {
	sign := ""
	u := uint64(f)
	if f < 0 {
		sign, u = "-", -u
	}
	return fmt.Sprintf("%s%d.%02d", sign, u/100, u%100)
}

// Times multiplies by a rate, rounding half away from zero.
func (f Fen) Times(r Rate) Fen { return MulDiv(f, int64(r), int64(Whole)) }

// MulDiv returns f*num/den rounded half away from zero; den must be positive and the result must
// fit into 63 bits, which amounts up to 2^53 fen times rates up to 1000 do.
func MulDiv(f Fen, num, den int64) Fen {
	p, d := new(big.Int).Mul(big.NewInt(int64(f)), big.NewInt(num)), big.NewInt(den)
	neg := p.Sign() < 0
	p.Abs(p).Lsh(p, 1).Add(p, d).Quo(p, new(big.Int).Lsh(d, 1)) // (2p + d) / 2d
	if neg {
		p.Neg(p)
	}
	return Fen(p.Int64())
}

// Parse reads yuan as "1234.5", "1,234.56", "¥12" or "12元"; at most two decimals. A comma groups
// three digits of the whole part; anywhere else it is refused, because "12,50" could mean 12.50.
func Parse(s string) (Fen, error) {
	t := strings.TrimSpace(s)
	for _, mark := range []string{"¥", "¥", "元"} {
		t = strings.TrimSpace(strings.TrimSuffix(strings.TrimPrefix(t, mark), mark))
	}
	plain, grouped := ungroup(t)
	n, ok := parseDecimal(plain, 2)
	if !ok || !grouped || Fen(n) > maxFen || Fen(n) < -maxFen {
		return 0, fault.New(fault.Invalid, "money.amount", "%q is not an amount in yuan with at most two decimals", fault.Shorten(s))
	}
	return Fen(n), nil
}

// ParseRate reads "2.5%" or "0.025".
func ParseRate(s string) (Rate, error) {
	t := strings.TrimSpace(s)
	digits := 6
	if p, ok := strings.CutSuffix(t, "%"); ok {
		t, digits = strings.TrimSpace(p), 4
	}
	n, ok := parseDecimal(t, digits)
	if !ok || Rate(n) > maxRate || Rate(n) < -maxRate {
		return 0, fault.New(fault.Invalid, "money.rate", "%q is not a rate such as 2.5%% or 0.025", fault.Shorten(s))
	}
	return Rate(n), nil
}

// String renders the rate as a percentage without trailing zeros: "2.5%".
func (r Rate) String() string {
	s := new(big.Rat).SetFrac64(int64(r), int64(Percent)).FloatString(4)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") + "%"
}

// MarshalText and UnmarshalText keep YAML and JSON readable: amounts are written in yuan.
func (f Fen) MarshalText() ([]byte, error) { return []byte(f.String()), nil }

// UnmarshalText reads what Parse reads.
func (f *Fen) UnmarshalText(b []byte) (err error) { *f, err = Parse(string(b)); return err }

// MarshalText writes the percentage form.
func (r Rate) MarshalText() ([]byte, error) { return []byte(r.String()), nil }

// UnmarshalText reads what ParseRate reads.
func (r *Rate) UnmarshalText(b []byte) (err error) { *r, err = ParseRate(string(b)); return err }

// ungroup takes the commas out of "1,234,567.89"; it refuses groups that are not of three digits.
func ungroup(s string) (string, bool) {
	whole, frac, _ := strings.Cut(s, ".")
	groups := strings.Split(strings.TrimLeft(whole, "+-"), ",")
	for i, g := range groups {
		if len(groups) > 1 && (len(g) > 3 || len(g) == 0 || i > 0 && len(g) != 3) {
			return s, false
		}
	}
	return strings.ReplaceAll(s, ",", ""), !strings.Contains(frac, ",")
}

// parseDecimal reads a plain decimal with at most `digits` decimals into an integer scaled by 10^digits.
func parseDecimal(s string, digits int) (int64, bool) {
	s, neg := strings.CutPrefix(s, "-")
	if !neg {
		s = strings.TrimPrefix(s, "+")
	}
	whole, frac, _ := strings.Cut(s, ".")
	if whole == "" && frac == "" {
		return 0, false
	}
	whole, frac = strings.TrimLeft(whole, "0"), strings.TrimRight(frac, "0")
	if len(frac) > digits || len(whole)+digits > 18 {
		return 0, false
	}
	var n int64
	for _, c := range whole + frac + strings.Repeat("0", digits-len(frac)) {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	if neg {
		n = -n
	}
	return n, true
}
