package workrules

// Check judges one agent under every rule and returns the violations ordered by start, then rule.
func Check(c Case) []Violation {
	return c.explain(NewFrame(c.Range, c.Holidays, c.Location, c.Params))
}
