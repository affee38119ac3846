// Package tally counts conversations by a metric definition, one at a time and in the open: the
// slow, obvious implementation of what the warehouse computes in SQL. Tests hold the two against
// each other, and people who open a figure see its items as this package lists them.
//
// It does not own definitions (kpi), events (kpi/chatlog) or storage (kpi/warehouse).
//
// All arithmetic is on whole milliseconds. An item is dated by Item.At, which decides its business
// date, its 15-minute slot and whether it lies in the rule's window.
package tally

import (
	"time"

	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
)

// Item is one thing that a definition looked at, and what became of it.
type Item struct {
	Merchant     ids.Merchant  `json:"merchant"`
	Shop         ids.Shop      `json:"shop"`
	Queue        ids.Queue     `json:"queue"`
	Agent        ids.Agent     `json:"agent,omitempty"` // who replied; of an unanswered round who held the conversation
	Buyer        string        `json:"-"`
	Conversation string        `json:"conversation"`
	At           time.Time     `json:"at"`            // what dates it
	Date         calendar.Date `json:"date"`          // business date of At
	Start        time.Time     `json:"start"`         // of the response clock
	Stop         time.Time     `json:"stop,omitzero"` // the reply; zero = none
	Seconds      float64       `json:"seconds"`       // on the definition's clock, capped
	Numerator    float64       `json:"numerator"`     // what it adds; of a buyer-day see Readings
	Denominator  float64       `json:"denominator"`
	Left         string        `json:"left_out,omitempty"` // why it counts in neither, "" = it counts
}
