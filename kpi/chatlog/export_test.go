package chatlog

import (
	"time"

	"github.com/chaoban/chaoban/internal/fault"
)

// DecodeEvent reads one line; the zone is that of the business day of a conversation without id.
func DecodeEvent(line []byte, zone *time.Location) (Event, []fault.Field) {
	return (&Decoder{Zone: zone}).Event(line)
}

// DecodeOrder reads one line; zone as in DecodeEvent.
func DecodeOrder(line []byte, zone *time.Location) (OrderEvent, []fault.Field) {
	return (&Decoder{Zone: zone}).Order(line)
}

// DecodeTicket reads one line.
func DecodeTicket(line []byte) (Ticket, []fault.Field) { return (&Decoder{}).Ticket(line) }
