package demo

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"slices"
	"time"

	"github.com/chaoban/chaoban/internal/access"
	"github.com/chaoban/chaoban/internal/calendar"
	"github.com/chaoban/chaoban/internal/ids"
	"github.com/chaoban/chaoban/internal/money"
	"github.com/chaoban/chaoban/internal/operations"
	"github.com/chaoban/chaoban/internal/operations/intake"
	"github.com/chaoban/chaoban/internal/operations/measuring"
	"github.com/chaoban/chaoban/kpi/warehouse"
	"github.com/chaoban/chaoban/scheduling"
	"github.com/chaoban/chaoban/scheduling/staffing/simulate"
	"github.com/chaoban/chaoban/scheduling/workforce"
)

// The former client: a JD shop whose last month is older than retention. On 2021-12-14 JD moved the
// window of its 30-second rate from 08:00-24:00 to 09:00-23:00, back-dated to 12-01, so the month has
// two figures, and a legal hold keeps the chats that they are counted from.

//go:embed former.yaml
var formerFile []byte

// formerBase makes about 100 conversations a day in December 2021: the demo's growth of 18 % a year
// of October 2024 halves it.
const formerBase = 190

// formerReason is why the chats of the former client are held.
const formerReason = "2021年12月结算争议：京东12月14日公告，首次30秒应答率改按09:00-23:00统计并追溯至12月1日；我方15日起按新时段排班，商家主张全月按旧口径08:00-24:00"

var (
	formerMonth = calendar.Month{Year: 2021, Month: time.December} // of its conversations

	// announced is the first day on which its agents worked by JD's new window.
	announced = calendar.Date{Year: 2021, Month: time.December, Day: 15}
)

// formerNames are the agents who served it and left with it.
var formerNames = []string{"魏春梅", "邓志远", "冯晓兰", "曹立新", "彭慧敏"}

// newFormer is a world of its own: one queue, its own agents and no history, so that nothing of the
// present clients is drawn differently.
func newFormer(zone *time.Location) (*world, error) {
	merchants, _, err := intake.Contracts("former.yaml", bytes.NewReader(formerFile))
	if err != nil {
		return nil, err
	}
	w := &world{merchants: merchants, zone: zone, month: formerMonth, days: formerMonth.Days(), duty: formerDuty}
	for _, m := range merchants {
		w.shops = append(w.shops, m.Shops...)
	}
	for _, s := range w.shops {
		for _, q := range s.Queues {
			d := demand{queue: q.ID, kind: scheduling.SkillKind(q.Skill), base: formerBase, zone: zone, seed: seed}
			if d.open, err = openSlots(q.Hours); err != nil {
				return nil, err
			}
			w.demands = append(w.demands, d)
		}
	}
	w.agents = formerAgents(w.demands)
	return w, nil
}

// formerAgents were employed while the contract ran, so no roster and no plan of today knows them.
func formerAgents(queues []demand) []workforce.Agent {
	served := calendar.Dates{From: calendar.MakeDate(2021, time.January, 1), Until: calendar.MakeDate(2022, time.January, 1)}
	out := make([]workforce.Agent, len(formerNames))
	for i, name := range formerNames {
		out[i] = workforce.Agent{
			ID: ids.Agent(fmt.Sprintf("F%04d", i+1)), Name: name, Team: "shenyang-3", Site: "shenyang", Employment: workforce.Standard,
			Employed: served, Concurrency: 4, Wage: money.Yuan(20),
		}
		for _, d := range queues {
			out[i].Skills = append(out[i].Skills, workforce.Skill{Queue: d.queue, Dates: served, Level: 1})
		}
	}
	return out
}

// formerDuty is who was there: an early, a middle and a late shift of nine hours with a meal, each
// agent three days of five. The shifts cover JD's old window until the new one is announced, and only
// the new one from then on.
func formerDuty(i, days int) []simulate.Interval {
	const hour = time.Hour
	old, then := [...]time.Duration{8 * hour, 11 * hour, 15 * hour}, [...]time.Duration{9 * hour, 11 * hour, 14 * hour}
	var out []simulate.Interval
	for day := range days {
		starts := old
		if !formerMonth.First().Add(day).Before(announced) {
			starts = then
		}
		shift := (day + i) % len(formerNames)
		if shift >= len(starts) {
			continue
		}
		from := time.Duration(day)*24*hour + starts[shift]
		out = append(out, simulate.Interval{Start: from, End: from + 4*hour}, simulate.Interval{Start: from + 5*hour, End: from + 9*hour})
	}
	return out
}

// loadFormer writes the books and the chats of the former client. The hold comes before the chats,
// which retention would else delete. What its agents did beside chatting is not kept.
func loadFormer(ctx context.Context, ops *operations.Operations, who access.Principal) error {
	w, err := newFormer(ops.Zone())
	if err != nil {
		return err
	}
	if _, err := ops.Administration.ApplyContracts(ctx, who, "former.yaml", bytes.NewReader(formerFile)); err != nil {
		return err
	}
	if _, err := ops.Administration.PutAgents(ctx, who, w.agents); err != nil {
		return err
	}
	holds, err := ops.Measuring.Holds(ctx, who)
	if err != nil {
		return err
	}
	for _, m := range w.merchants {
		if slices.ContainsFunc(holds, func(h operations.Hold) bool { return h.Merchant == m.ID }) {
			continue
		}
		if _, err := ops.Measuring.HoldRetention(ctx, who, measuring.HoldInput{Merchant: m.ID, Reason: formerReason}); err != nil {
			return err
		}
	}
	var batches []warehouse.Batch
	if _, err := w.makeBatches(func(b warehouse.Batch) { batches = append(batches, b) }); err != nil {
		return err
	}
	for _, b := range batches {
		if err := ops.Measuring.Ingest(ctx, who, b); err != nil {
			return err
		}
	}
	return nil
}
