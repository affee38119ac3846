package simulate

// presence is how many conversations of one shop an agent has open.
type presence struct{ shop, open int }

// admits reports that the agent may take a conversation of a shop without serving too many shops at once.
func (d *desk) admits(shop int) bool {
	if d.MaxShops == 0 || len(d.shops) < d.MaxShops {
		return true
	}
	for _, p := range d.shops {
		if p.shop == shop {
			return true
		}
	}
	return false
}

// enter books a conversation of a shop with the agent.
func (d *desk) enter(shop int) {
	if d.MaxShops == 0 {
		return
	}
	for i := range d.shops {
		if d.shops[i].shop == shop {
			d.shops[i].open++
			return
		}
	}
	d.shops = append(d.shops, presence{shop, 1})
}

// quit books the end of one; a shop without any is free for another.
func (d *desk) quit(shop int) {
	for i := range d.shops {
		if d.shops[i].shop != shop {
			continue
		}
		if d.shops[i].open--; d.shops[i].open == 0 {
			d.shops[i] = d.shops[len(d.shops)-1]
			d.shops = d.shops[:len(d.shops)-1]
		}
		return
	}
}
