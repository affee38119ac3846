// Package ids owns the typed identifiers of Chaoban.
//
// Things that people name in files (merchants, shops, queues, agents, sites, teams,
// contracts) keep the name they were given; things the system makes get New: 26
// characters, sortable by creation time. An id is never reused for another kind
// because the types differ.
package ids

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/binary"
	"fmt"
	"time"
	"unicode"
)

// The typed identifiers. All are non-empty, at most 64 bytes, and pass Check.
type (
	// Merchant (商家) is the client of the outsourcer.
	Merchant string
	// Shop (店铺) is one shop of a merchant on one platform.
	Shop string
	// Queue is one stream of contacts with its own demand and skill, e.g. "lumi-tmall/pre".
	Queue string
	// Agent (客服) is one person, by staff number.
	Agent string
	// Site (职场) is one location.
	Site string
	// Team (班组) is a group of agents at one site.
	Team string
	// Contract with a merchant; its versions are effective-dated.
	Contract string
	// User is a person who logs in.
	User string
	// Session of a person who logged in.
	Session string
	// Token of a machine.
	Token string
	// Forecast is one immutable version of a demand forecast.
	Forecast string
	// Layer is one adjustment over a forecast.
	Layer string
	// Lock is a forecast as agreed with a client.
	Lock string
	// ClientForecast is one version of what a client said to expect.
	ClientForecast string
	// Backtest is one stored back-test of a queue.
	Backtest string
	// Plan is a staffing requirement.
	Plan string
	// Scenario is one what-if of staffing.
	Scenario string
	// Roster is one draft or published roster.
	Roster string
	// Batch is one acknowledged import.
	Batch string
	// Run is one run of a job.
	Run string
	// Report is one report that was made.
	Report string
	// Request is one thing that agents and supervisors agree about a roster.
	Request string
)

const maxLength = 64

var encoding = base32.NewEncoding("0123456789abcdefghjkmnpqrstvwxyz").WithPadding(base32.NoPadding)

// New makes an identifier from 48 bits of milliseconds and 80 random bits.
func New[T ~string](now time.Time) T {
	var raw [16]byte
	binary.BigEndian.PutUint64(raw[:8], uint64(now.UnixMilli())<<16)
	if _, err := rand.Read(raw[6:]); err != nil {
		panic(err) // crypto/rand.Read never fails on supported systems
	}
	return T(encoding.EncodeToString(raw[:]))
}

// Check reports what is wrong with an identifier given by a person, or "".
// Letters (any script), digits and . _ - / : @ are allowed; it must start with a letter or digit.
func Check(s string) string {
	if s == "" {
		return "is empty"
	}
	if len(s) > maxLength {
		return fmt.Sprintf("is longer than %d bytes", maxLength)
	}
	for i, r := range s {
		letter := unicode.IsLetter(r) || r >= '0' && r <= '9'
		punct := r == '.' || r == '_' || r == '-' || r == '/' || r == ':' || r == '@'
		if punct && i == 0 {
			return fmt.Sprintf("begins with %q, must begin with a letter or digit", r)
		}
		if !letter && !punct {
			return fmt.Sprintf("has the character %q, allowed are letters, digits and . _ - / : @", r)
		}
	}
	return ""
}
