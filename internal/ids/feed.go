package ids

// Feed is the right to read one agent's shifts in a calendar.
type Feed string
