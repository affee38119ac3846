package rostering

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/scheduling/roster"
)

// rosterHash is a digest of the whole snapshot and of the search budget; equal hashes give equal
// rosters unless the budget is a time, which depends on the machine.
func rosterHash(p roster.Problem, o roster.Options) (string, error) {
	zone := p.Location.String()
	holidays := gate.OffDaysOf(p.Holidays, p.Range.Start.In(p.Location).Year(), p.Range.End.In(p.Location).Year())
	p.Location, p.Holidays = nil, calendar.Holidays{} // they have no plain values; zone and holidays stand for them
	p.Range = calendar.Range{Start: p.Range.Start.UTC(), End: p.Range.End.UTC()}
	h := sha256.New()
	err := gate.AddJSON(h, struct {
		Problem    roster.Problem
		Zone       string
		Holidays   gate.OffDays
		Seed       uint64
		Iterations int
		Time       time.Duration
		Threads    int
	}{p, zone, holidays, o.Seed, o.Iterations, o.Time, o.Threads})
	if err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
