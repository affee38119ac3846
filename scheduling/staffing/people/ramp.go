package people

// Ramp says how people learn: steps by whole weeks of tenure, ascending. Before the first step its
// values hold too; an empty ramp means that everybody is trained.
type Ramp []RampStep

// RampStep holds from a tenure onwards.
type RampStep struct {
	FromWeek   int     `json:"from_week" yaml:"from_week"`   // tenure in whole weeks since the first week on the queue
	Speed      float64 `json:"speed" yaml:"speed"`           // contacts per hour relative to a trained agent, (0, 1.5]
	Complaints float64 `json:"complaints" yaml:"complaints"` // complaints per contact relative to a trained agent, above 0
}

// At is the step for a tenure.
func (r Ramp) At(week int) RampStep {
	at := RampStep{FromWeek: week, Speed: 1, Complaints: 1}
	for i, s := range r {
		if i == 0 || s.FromWeek <= week {
			at = s
		}
	}
	return at
}

// Cohort is a group of people who began together.
type Cohort struct {
	Name        string  `json:"name" yaml:"name"`
	Heads       float64 `json:"heads" yaml:"heads"`               // 0 or more; a share of a person is part-time
	TenureWeeks int     `json:"tenure_weeks" yaml:"tenure_weeks"` // below 0: begins on the queue in so many weeks
}

// Mix is what a team of cohorts amounts to.
type Mix struct {
	Heads     float64 `json:"heads"`           // on the queue (cohorts still in training are left out)
	Effective float64 `json:"effective_heads"` // trained agents who would do the same work
	Speed     float64 `json:"speed"`           // effective / heads; 1 for no heads
	// Complaints per contact relative to a trained team. Contacts are its weights, so slow agents count less.
	Complaints float64 `json:"complaints"`
}

// Mix sums the cohorts up.
func (r Ramp) Mix(team []Cohort) Mix {
	m := Mix{Speed: 1, Complaints: 1}
	complaints := 0.0
	for _, c := range team {
		if c.TenureWeeks < 0 {
			continue
		}
		s := r.At(c.TenureWeeks)
		m.Heads += c.Heads
		m.Effective += c.Heads * s.Speed
		complaints += c.Heads * s.Speed * s.Complaints
	}
	if m.Heads > 0 {
		m.Speed, m.Complaints = m.Effective/m.Heads, complaints/m.Effective
	}
	return m
}
