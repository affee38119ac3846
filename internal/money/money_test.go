package money_test

import (
	"encoding/json"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/internal/money"
)

func TestParse(t *testing.T) {
	for _, c := range []struct {
		text string
		fen  money.Fen
	}{
		{"0", 0},
		{"12", 1200},
		{"1234.5", 123450},
		{"1,234.56", 123456},
		{"1,234,567", 123456700},
		{"-0.01", -1},
		{"+3", 300},
		{".5", 50},
		{"7.", 700},
		{"¥12", 1200},
		{"¥ -12", -1200},
		{"12元", 1200},
		{" 12.30 ", 1230},
		{"12.3000", 1230}, // zeros add nothing
		{"0000000000000.00", 0},
		{"0000000000000001", 100},
		{"90071992547409.92", 1 << 53},
	} {
		got, err := money.Parse(c.text)
		require.NoError(t, err, c.text)
		assert.Equal(t, c.fen, got, c.text)
	}
}

func TestParseRefuses(t *testing.T) {
	for _, text := range []string{
		"", ".", "-", "+", "¥", "abc", "1.234", "0.001", "1e3", "0x10", "1 2", "--1", "-+1", "+-1", "1.2.3", "0....", "0.0.0.",
		"12,50", ",123", "1,,000", "1234,567", "1,234.5,6", "1,23", "NaN", "Inf", "１２",
		"90071992547409.93", "999999999999999", strings.Repeat("9", 400),
	} {
		_, err := money.Parse(text)
		assert.Equal(t, "money.amount", fault.CodeOf(orUnclassified(err)), "%q", text)
	}
	for _, text := range []string{"", "%", "2.00001%", "0.0000001", "100001%", "1001", "-1001", "五%", "1,000%"} {
		_, err := money.ParseRate(text)
		assert.Equal(t, "money.rate", fault.CodeOf(orUnclassified(err)), "%q", text)
	}
}

// orUnclassified turns "no error" into an error without a code.
func orUnclassified(err error) error {
	if err == nil {
		return assert.AnError
	}
	return err
}

func TestParseRate(t *testing.T) {
	for _, c := range []struct {
		text string
		rate money.Rate
		back string
	}{
		{"2.5%", 25_000, "2.5%"},
		{"0.025", 25_000, "2.5%"},
		{"6 %", 60_000, "6%"},
		{"100%", money.Whole, "100%"},
		{"1", money.Whole, "100%"},
		{"-0.5%", -5_000, "-0.5%"},
		{"0.0001%", 1, "0.0001%"},
		{"0", 0, "0%"},
		{"1000", 1000 * money.Whole, "100000%"},
	} {
		got, err := money.ParseRate(c.text)
		require.NoError(t, err, c.text)
		assert.Equal(t, c.rate, got, c.text)
		assert.Equal(t, c.back, got.String(), c.text)
	}
}

func TestString(t *testing.T) {
	assert.Equal(t, "1234.56", money.Fen(123456).String())
	assert.Equal(t, "-0.05", money.Fen(-5).String())
	assert.Equal(t, "0.00", money.Fen(0).String())
	assert.Equal(t, "88.00", money.Yuan(88).String())
	assert.Equal(t, "-92233720368547758.08", money.Fen(math.MinInt64).String())
}

// Hand calculations: 6 % VAT of 105.05 yuan is 6.303; a quarter of 0.02 is 0.005.
func TestTimes(t *testing.T) {
	for _, c := range []struct {
		fen  money.Fen
		rate money.Rate
		want money.Fen
	}{
		{10505, 6 * money.Percent, 630},
		{2, 25 * money.Percent, 1},   // 0.5 fen goes away from zero
		{-2, 25 * money.Percent, -1}, // on both sides
		{1, 49 * money.Percent, 0},
		{-1, 49 * money.Percent, 0},
		{1 << 53, 1000 * money.Whole, 1000 << 53}, // the largest of both
	} {
		assert.Equal(t, c.want, c.fen.Times(c.rate), "%d x %s", c.fen, c.rate)
	}
}

// round is half away from zero, told another way: exact fraction, plus or minus a half, truncated.
func round(r *big.Rat) *big.Int {
	half := big.NewRat(1, 2)
	if r.Sign() < 0 {
		half.Neg(half)
	}
	s := new(big.Rat).Add(r, half)
	return new(big.Int).Quo(s.Num(), s.Denom())
}

func amounts() *rapid.Generator[money.Fen] {
	return rapid.Custom(func(t *rapid.T) money.Fen {
		return money.Fen(rapid.Int64Range(-1<<53, 1<<53).Draw(t, "fen"))
	})
}

func TestMulDivIsExactRounding(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := amounts().Draw(t, "f")
		num := rapid.Int64Range(-1000, 1000).Draw(t, "num")
		den := rapid.Int64Range(1, math.MaxInt64).Draw(t, "den")
		want := round(new(big.Rat).Mul(big.NewRat(int64(f), 1), big.NewRat(num, den)))
		assert.Equal(t, want.Int64(), int64(money.MulDiv(f, num, den)))
		assert.Equal(t, -money.MulDiv(f, num, den), money.MulDiv(-f, num, den), "symmetric")
	})
}

func TestTimesIsWithinHalfAFen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := amounts().Draw(t, "f")
		r := money.Rate(rapid.Int64Range(-1_000_000_000, 1_000_000_000).Draw(t, "rate"))
		exact := new(big.Rat).Mul(big.NewRat(int64(f), 1), big.NewRat(int64(r), int64(money.Whole)))
		miss := new(big.Rat).Sub(exact, big.NewRat(int64(f.Times(r)), 1))
		assert.LessOrEqual(t, miss.Abs(miss).Cmp(big.NewRat(1, 2)), 0)
	})
}

func TestAmountRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := amounts().Draw(t, "f")
		got, err := money.Parse(f.String())
		require.NoError(t, err)
		assert.Equal(t, f, got)

		raw, err := json.Marshal(f)
		require.NoError(t, err)
		var back money.Fen
		require.NoError(t, json.Unmarshal(raw, &back))
		assert.Equal(t, f, back)
	})
}

func TestRateRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := money.Rate(rapid.Int64Range(-1_000_000_000, 1_000_000_000).Draw(t, "rate"))
		got, err := money.ParseRate(r.String())
		require.NoError(t, err)
		assert.Equal(t, r, got)
	})
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"1,234.56", "¥-0.5元", "0....", "-+1", "12,50", "000000000000000000.000"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if amount, err := money.Parse(s); err == nil {
			back, err := money.Parse(amount.String())
			require.NoError(t, err)
			require.Equal(t, amount, back)
		}
		if rate, err := money.ParseRate(s); err == nil {
			back, err := money.ParseRate(rate.String())
			require.NoError(t, err)
			require.Equal(t, rate, back)
		}
	})
}
