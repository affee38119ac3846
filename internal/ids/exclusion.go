package ids

// Exclusion is a stretch of a queue's history that somebody took out of what teaches.
type Exclusion string
