package chatlog

import (
	"time"

	"github.com/chaoban/chaoban/internal/ids"
)

// quickEvent reads the plain form of a canonical line, as quickConversation does. checked says that
// every id of it is known to be good. A test holds it and encoding/json to the same answers.
func (d *Decoder) quickEvent(line []byte, e *Event) (checked, ok bool) {
	if d.names == nil {
		d.names = new(nameCache)
	}
	r := eventReader{quick: quick{b: line}, names: d.names, checked: true}
	good := r.object(func(key []byte) bool { return r.field(e, key) })
	r.space()
	return r.checked, good && r.i == len(r.b)
}

type eventReader struct {
	quick
	names   *nameCache
	seen    uint32
	checked bool
}

func (r *eventReader) once(bit uint) bool {
	fresh := r.seen&(1<<bit) == 0
	r.seen |= 1 << bit
	return fresh
}

func (r *eventReader) field(e *Event, key []byte) bool {
	switch string(key) {
	case "merchant":
		return r.once(0) && id(r, &e.Merchant)
	case "shop":
		return r.once(1) && id(r, &e.Shop)
	case "queue":
		return r.once(2) && id(r, &e.Queue)
	case "conversation":
		return r.once(3) && r.again(&e.Conversation, &r.names.conversations)
	case "id":
		return r.once(4) && text(&r.quick, &e.ID)
	case "at":
		return r.once(5) && r.milli(&e.At)
	case "kind":
		return r.once(6) && r.kind(&e.Kind)
	case "agent":
		return r.once(7) && id(r, &e.Agent)
	case "account":
		return r.once(8) && r.again(&e.Account, &r.names.accounts)
	case "buyer":
		return r.once(9) && r.again(&e.Buyer, &r.names.buyers)
	case "closing":
		return r.once(10) && r.truth(&e.Closing)
	case "score":
		return r.once(11) && r.whole(&e.Score)
	case "invited":
		return r.once(12) && r.truth(&e.Invited)
	case "text":
		return r.once(13) && text(&r.quick, &e.Text)
	case "simulated":
		return r.once(14) && r.truth(&e.Simulated)
	}
	return false
}

// nameCache keeps names that come again and again, so that a row does not allocate them: ids that
// were found good, and the conversations, accounts and buyers of late. Each is at the place its hash
// gives it, until another one comes there.
type nameCache struct{ ids, conversations, accounts, buyers names }

type names [1024]string

// place is where a name is, if it is there. FNV-1a, folded.
func (n *names) place(name []byte) *string {
	h := uint32(2166136261)
	for _, c := range name {
		h = (h ^ uint32(c)) * 16777619
	}
	return &n[(h^h>>16)%uint32(len(n))]
}

// id reads an id. One that is in the cache was found good before; another is checked later, with
// everything else.
func id[T ~string](r *eventReader, into *T) bool {
	b, ok := r.quoted()
	if !ok {
		return false
	}
	if len(b) == 0 {
		r.checked = false
		*into = ""
		return true
	}
	slot := r.names.ids.place(b)
	if *slot != string(b) {
		name := string(b)
		if ids.Check(name) != "" {
			r.checked = false
			*into = T(name)
			return true
		}
		*slot = name
	}
	*into = T(*slot)
	return true
}

// again reads a text that often is in a line before.
func (r *eventReader) again(into *string, known *names) bool {
	b, ok := r.quoted()
	if len(b) == 0 {
		*into = ""
		return ok
	}
	slot := known.place(b)
	if *slot != string(b) {
		*slot = string(b)
	}
	*into = *slot
	return ok
}

// kind takes the constant for a known kind; encoding/json reads any text, so others are kept too.
func (r *eventReader) kind(into *EventKind) bool {
	b, ok := r.quoted()
	for _, k := range Kinds {
		if string(b) == string(k) {
			*into = k
			return ok
		}
	}
	*into = EventKind(b)
	return ok
}

// milli reads 2026-11-11T09:00:00.123+08:00 or ...Z within 2000 to 2099, cut to the millisecond. It
// gives up at everything else that RFC 3339 allows.
func (q *quick) milli(into *time.Time) bool {
	b, ok := q.quoted()
	if !ok || len(b) < len("2026-11-11T09:00:00Z") || b[4] != '-' || b[7] != '-' || b[10] != 'T' || b[13] != ':' || b[16] != ':' {
		return false
	}
	y, good := pair(b[2:], 99)
	month, ok1 := pair(b[5:], 12)
	day, ok2 := pair(b[8:], 31)
	hour, ok3 := pair(b[11:], 23)
	minute, ok4 := pair(b[14:], 59)
	second, ok5 := pair(b[17:], 59)
	if !good || !ok1 || !ok2 || !ok3 || !ok4 || !ok5 || b[0] != '2' || b[1] != '0' || month == 0 || day == 0 || day > daysIn(y, month) {
		return false
	}
	ms, rest, ok := fraction(b[19:])
	offset, ok6 := zoneMinutes(rest)
	if !ok || !ok6 {
		return false
	}
	minutes := int64(days2000(y, month, day))*24*60 + int64(hour*60+minute-offset)
	*into = time.UnixMilli(unix2000 + (minutes*60+int64(second))*1000 + ms).UTC()
	return true
}

const unix2000 = 946_684_800_000 // 2000-01-01T00:00:00Z

// pair reads two digits of at most limit.
func pair(b []byte, limit int) (int, bool) {
	hi, lo := b[0]-'0', b[1]-'0'
	n := int(hi)*10 + int(lo)
	return n, hi <= 9 && lo <= 9 && n <= limit
}

// fraction reads .1 to .123456789 of a second as whole milliseconds.
func fraction(b []byte) (ms int64, rest []byte, ok bool) {
	if len(b) == 0 || b[0] != '.' {
		return 0, b, len(b) > 0
	}
	scale, i := int64(100), 1
	for ; i < len(b) && b[i] >= '0' && b[i] <= '9'; i++ {
		ms += int64(b[i]-'0') * scale
		scale /= 10
	}
	return ms, b[i:], i > 1 && i <= 10
}

// zoneMinutes reads Z or an offset up to 14 hours.
func zoneMinutes(b []byte) (int, bool) {
	if len(b) == 1 && b[0] == 'Z' {
		return 0, true
	}
	if len(b) != len("+08:00") || b[3] != ':' || b[0] != '+' && b[0] != '-' {
		return 0, false
	}
	h, ok1 := pair(b[1:], 14)
	m, ok2 := pair(b[4:], 59)
	n := h*60 + m
	if b[0] == '-' {
		n = -n
	}
	return n, ok1 && ok2
}

// Days before each month of a year that is not a leap year.
var before = [13]int{0, 0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334}

// days2000 counts days since 2000-01-01. Of the years 2000 to 2099 every fourth is a leap year.
func days2000(y, month, day int) int {
	n := y*365 + (y+3)/4 + before[month] + day - 1
	if month > 2 && y%4 == 0 {
		n++
	}
	return n
}

func daysIn(y, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if y%4 == 0 {
			return 29
		}
		return 28
	}
	return 31
}
