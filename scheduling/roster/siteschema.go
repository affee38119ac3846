package roster

import (
	"time"

	"github.com/chaoban/chaoban/internal/ids"
)

type siteFile struct {
	ID      ids.Site     `json:"id"`
	Seats   int          `json:"seats"`
	Windows []seatWindow `json:"windows"`
}

type seatWindow struct {
	From  clockTime `json:"from"`
	Until clockTime `json:"until"`
	Seats int       `json:"seats"`
}

func (f siteFile) site() Site {
	site := Site{ID: f.ID, Seats: f.Seats}
	for _, w := range f.Windows {
		site.Windows = append(site.Windows, SeatWindow{From: time.Duration(w.From), Until: time.Duration(w.Until), Seats: w.Seats})
	}
	return site
}
