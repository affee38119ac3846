package planning

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"hash"
	"math"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/fault"
	"github.com/chaoban/chaoban/scheduling/forecast"
	"github.com/chaoban/chaoban/scheduling/roster"
)

// offDays is the holiday table of some years as plain values: the table itself keeps them to itself.
type offDays struct {
	Source string
	Years  []int // that the table covers
	Days   []offDay
}

type offDay struct {
	Date calendar.Date
	Kind string
	Name string
}

// offDaysOf writes out the table from the year before a range to the year after it, which is as far
// as an effect of a holiday reaches.
func offDaysOf(h calendar.Holidays, first, last int) offDays {
	out := offDays{Source: h.Source()}
	for year := first - 1; year <= last+1; year++ {
		if h.Covers(year) {
			out.Years = append(out.Years, year)
		}
		until := calendar.MakeDate(year+1, time.January, 1)
		for d := calendar.MakeDate(year, time.January, 1); d != until; d = d.Add(1) {
			kind, name := h.Kind(d), h.Name(d)
			if name != "" || kind != calendar.Workday && kind != calendar.RestDay {
				out.Days = append(out.Days, offDay{d, kind.String(), name})
			}
		}
	}
	return out
}

// workHash is the digest of a forecast's contacts and of what is known about the work they make.
func workHash(contacts string, known work) (string, error) {
	about, err := known.digest()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	if err := addJSON(h, []string{contacts, about}); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// forecastHash is a digest of everything the contacts of a forecast depend on, the model included; equal
// hashes give equal curves.
func forecastHash(s forecast.Series, o forecast.Options) (string, error) {
	zone := time.UTC
	if s.Location != nil {
		zone = s.Location
	}
	ends := s.Until
	if o.Origin.After(ends) {
		ends = o.Origin
	}
	category := "" // of use only to those who borrow
	if o.Prior != nil {
		category = s.Category
	}
	input := struct {
		Model    string
		Queue    string
		Slot     time.Duration
		Zone     string
		First    calendar.Date
		Until    time.Time
		Origin   time.Time
		Horizon  time.Duration
		Hours    string
		Missing  string
		Events   []forecast.Event
		Holidays offDays
		Complete time.Time
		Levels   []float64
		Exclude  []forecast.Exclusion `json:",omitempty"` // left out when empty: older hashes stay
		Category string               `json:",omitempty"`
		Prior    *forecast.EventPrior `json:",omitempty"`
	}{
		forecast.ModelVersion, string(s.Queue), s.Slot, zone.String(), s.First, s.Until.UTC(), o.Origin.UTC(), o.Horizon, o.Hours.String(),
		o.Missing.String(), o.Events, offDaysOf(o.Holidays, s.First.Year, ends.Add(o.Horizon).In(zone).Year()), o.Complete.UTC(), o.Levels, o.Exclude,
		category, o.Prior,
	}
	h := sha256.New()
	if err := addJSON(h, input); err != nil {
		return "", err
	}
	bits := make([]byte, 0, 8*len(s.Values))
	for _, v := range s.Values { // not in the JSON, which has no NaN
		if math.IsNaN(v) {
			v = math.NaN()
		}
		bits = binary.LittleEndian.AppendUint64(bits, math.Float64bits(v))
	}
	h.Write(bits)
	return hex.EncodeToString(h.Sum(nil)), nil
}

// rosterHash is a digest of the whole snapshot and of the search budget; equal hashes give equal
// rosters unless the budget is a time, which depends on the machine.
func rosterHash(p roster.Problem, o roster.Options) (string, error) {
	zone := p.Location.String()
	holidays := offDaysOf(p.Holidays, p.Range.Start.In(p.Location).Year(), p.Range.End.In(p.Location).Year())
	p.Location, p.Holidays = nil, calendar.Holidays{} // they have no plain values; zone and holidays stand for them
	p.Range = calendar.Range{Start: p.Range.Start.UTC(), End: p.Range.End.UTC()}
	h := sha256.New()
	err := addJSON(h, struct {
		Problem    roster.Problem
		Zone       string
		Holidays   offDays
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

func addJSON(h hash.Hash, v any) error {
	if err := json.NewEncoder(h).Encode(v); err != nil {
		return fault.Wrap(err, fault.Internal, "planning.input_hash", "the input cannot be digested")
	}
	return nil
}
