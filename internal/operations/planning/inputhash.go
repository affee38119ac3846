package planning

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"math"
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/operations/gate"
	"github.com/chaoban/chaoban/scheduling/forecast"
)

// workHash is the digest of a forecast's contacts and of what is known about the work they make.
func workHash(contacts string, known work) (string, error) {
	about, err := known.digest()
	if err != nil {
		return "", err
	}
	h := sha256.New()
	if err := gate.AddJSON(h, []string{contacts, about}); err != nil {
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
		Holidays gate.OffDays
		Complete time.Time
		Levels   []float64
		Exclude  []forecast.Exclusion `json:",omitempty"` // left out when empty: older hashes stay
		Category string               `json:",omitempty"`
		Prior    *forecast.EventPrior `json:",omitempty"`
	}{
		forecast.ModelVersion, string(s.Queue), s.Slot, zone.String(), s.First, s.Until.UTC(), o.Origin.UTC(), o.Horizon, o.Hours.String(),
		o.Missing.String(), o.Events, gate.OffDaysOf(o.Holidays, s.First.Year, ends.Add(o.Horizon).In(zone).Year()), o.Complete.UTC(), o.Levels, o.Exclude,
		category, o.Prior,
	}
	h := sha256.New()
	if err := gate.AddJSON(h, input); err != nil {
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
