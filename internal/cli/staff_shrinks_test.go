package cli

import (
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/chaoban/chaoban/internal/operations/pricing"
	"github.com/chaoban/chaoban/scheduling/staffing/people"
)

// What sixteen queues share is told once, what differs as a range.
func TestCausesOfAbsenceAreToldOnce(t *testing.T) {
	of := func(absence float64, source string) pricing.Shrinkage {
		return pricing.Shrinkage{
			Causes: []people.Cause{{Name: "training", Share: 0.02}, {Name: "leave", Share: 0.035}}, Absence: people.Absence{Share: absence}, Adherence: 1,
			Sources: []pricing.ShrinkSource{{Cause: "training", Says: "assumed"}, {Cause: "leave", Says: "assumed"}, {Cause: "absence", Says: source}},
		}
	}
	same := of(0.05, "assumed: no published shifts")
	assert.Equal(t, "training 2% (assumed), leave 3.5% (assumed), absence 5% (assumed: no published shifts)", shrinksText([]pricing.Shrinkage{same, same, same}))
	assert.Equal(t, "training 2% (assumed), leave 3.5% (assumed), absence 18.2% to 22.7% by queue (measured; staff explain tells each)",
		shrinksText([]pricing.Shrinkage{of(0.227, "measured: 55 of 242 published shifts"), of(0.182, "measured: 40 of 220 published shifts")}))
	assert.Equal(t, "12% as asked for", shrinksText([]pricing.Shrinkage{{Flat: true, Share: 0.12}, {Flat: true, Share: 0.12}}))
}
