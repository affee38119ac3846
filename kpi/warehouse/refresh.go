package warehouse

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/ClickHouse/clickhouse-go/v2"

	"github.com/chaoban/chaoban/kpi"
)

// openFor is how long a batch that was begun and not completed keeps its days pending: until then
// its writer may still be writing. One recomputation after it settles the days.
const openFor = 2 * time.Hour

// chunkDays and chunkRows bound what one recomputation holds (some 100 MB); a single day may have more rows.
const (
	chunkDays = 366
	chunkRows = 400_000
)

// pending is a unit whose roll-up is to be computed again.
type pending struct {
	touched
	seen uint64 // sum of the ranks of its marks, read before the rows
	rows uint64 // raw rows of the day, about
}

// journalSQL lists units with what their next roll-up will have seen.
const journalSQL = `SELECT toString(kind) AS kind_name, merchant, toInt32(day) AS day_number, seen, g.top AS top,
seen > g.top.1 OR toUnixTimestamp64Milli(open_since) + %d > g.top.2 AS is_pending FROM (
SELECT kind, merchant, day, sum(top) AS seen, maxIf(since, top %% 2 = 0) AS open_since FROM (
  SELECT kind, merchant, day, batch, max(rank) AS top, argMax(at, rank) AS since
  FROM marks WHERE kind != 'batch' GROUP BY kind, merchant, day, batch
) GROUP BY kind, merchant, day
) AS m LEFT JOIN (
SELECT kind, merchant, day, max(newest) AS top FROM rollups GROUP BY kind, merchant, day
) AS g USING (kind, merchant, day)`

// pendingSQL lists the units to recompute because of what was imported: marks were added since the
// current roll-up, or a batch on it is still open.
const pendingSQL = `SELECT kind_name, merchant, day_number, seen FROM (` + journalSQL + `) WHERE is_pending ORDER BY kind_name, merchant, day_number`

// Refresh recomputes the roll-ups of every day that was touched since its last recomputation, or that
// was computed under other definitions or platforms of shops, and returns how many it recomputed.
// Calling it often, at the same time from several processes, or killing it at any moment does no
// harm. Errors: kpi.definition.changed, warehouse.down and the like.
func (w *Warehouse) Refresh(ctx context.Context) (days int, err error) {
	conn, err := w.connection(ctx)
	if err != nil {
		return 0, err
	}
	w.refreshing.Lock()
	defer w.refreshing.Unlock()
	days, err = w.refresh(ctx, conn)
	return days, w.classify(ctx, err)
}

func (w *Warehouse) refresh(ctx context.Context, conn clickhouse.Conn) (int, error) {
	rules := w.rules.Load()
	units, err := readPending(ctx, conn, rules)
	if err != nil || len(units) == 0 {
		return 0, err
	}
	if err := w.checkDefinitions(ctx, conn, true); err != nil {
		return 0, err
	}
	if err := weigh(ctx, conn, units); err != nil {
		return 0, err
	}
	var chunks [][]pending
	for len(units) > 0 {
		n := chunkOf(units)
		chunks = append(chunks, units[:n])
		units = units[n:]
	}
	recomputed, err := w.recompute(ctx, conn, rules, chunks)
	if err != nil {
		return recomputed, err
	}
	return recomputed, w.sweepSometimes(ctx, conn, recomputed)
}

// refreshers is how many chunks are recomputed at once: most of the work on one keeps a single core busy,
// and a core is left for questions and imports.
func refreshers(chunks int) int { return max(1, min(chunks, runtime.GOMAXPROCS(0)-1, 4)) }

// recompute works off chunks, several at once, and returns how many days it recomputed. It ends with the
// first error; what was published before stays.
func (w *Warehouse) recompute(ctx context.Context, conn clickhouse.Conn, rules *ruleset, chunks [][]pending) (int, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	work := make(chan []pending, len(chunks))
	for _, chunk := range chunks {
		work <- chunk
	}
	close(work)
	var recomputed atomic.Int64
	var running sync.WaitGroup
	for range refreshers(len(chunks)) {
		running.Go(func() {
			session, err := w.session(ctx)
			if err != nil {
				cancel(err)
				return
			}
			defer session.close()
			r := &refresher{conn: conn, session: session, rules: rules}
			for chunk := range work {
				if ctx.Err() != nil {
					return
				}
				done, err := r.recompute(ctx, chunk)
				if err != nil {
					cancel(err)
					return
				}
				recomputed.Add(int64(done))
			}
		})
	}
	running.Wait()
	return int(recomputed.Load()), context.Cause(ctx)
}

// chunkOf is how many leading units are recomputed together: of one kind, near each other in time,
// and not too many rows. Planning a recomputation costs more than a small day, so merchants share one.
func chunkOf(units []pending) int {
	n, rows, first, last := 1, units[0].rows, units[0].day, units[0].day
	merchants := 1
	for ; n < len(units) && units[n].kind == units[0].kind; n++ {
		rows, first, last = rows+units[n].rows, min(first, units[n].day), max(last, units[n].day)
		if units[n].merchant != units[n-1].merchant {
			merchants++
		}
		if rows > chunkRows || last-first >= chunkDays || merchants > chunkMerchants {
			break
		}
	}
	return n
}

// weigh finds about how many raw rows the days of conversations have.
func weigh(ctx context.Context, conn clickhouse.Conn, units []pending) error {
	var days []touched
	for _, u := range units {
		if u.kind == kindConversations {
			days = append(days, u.touched)
		}
	}
	if len(days) == 0 {
		return nil
	}
	a := assemblyOf(days, nil)
	rows, err := conn.Query(forRollup(ctx), fmt.Sprintf(`SELECT toString(merchant), toInt32(day), count() FROM (
SELECT merchant, day FROM conversations WHERE %[1]s AND %[2]s UNION ALL SELECT merchant, day FROM events WHERE %[1]s AND %[2]s
) GROUP BY merchant, day`, a.merchants, between(a.first, a.last)))
	if err != nil {
		return err
	}
	defer rows.Close()
	weights := map[touched]uint64{}
	for rows.Next() {
		t := touched{kind: kindConversations}
		var count uint64
		if err := rows.Scan(&t.merchant, &t.day, &count); err != nil {
			return err
		}
		weights[t] = count
	}
	for i := range units {
		units[i].rows = weights[units[i].touched]
	}
	return rows.Err()
}

func readPending(ctx context.Context, conn clickhouse.Conn, rules *ruleset) ([]pending, error) {
	rows, err := conn.Query(ctx, fmt.Sprintf("SELECT kind_name, merchant, day_number, seen, is_pending, top.4, top.5 FROM ("+journalSQL+
		") WHERE is_pending OR kind_name = 'conversations' ORDER BY kind_name, merchant, day_number", openFor.Milliseconds()))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var units []pending
	for rows.Next() {
		var p pending
		var touched bool
		var pack uint64
		var shops []string
		if err := rows.Scan(&p.kind, &p.merchant, &p.day, &p.seen, &touched, &pack, &shops); err != nil {
			return nil, err
		}
		if touched || p.kind == kindConversations && pack != rules.pack(p.day, shops) {
			units = append(units, p)
		}
	}
	return units, rows.Err()
}

// refresher recomputes units over a session whose temporary table holds the
// conversations put together, so that this is done once for all that is computed from them.
type refresher struct {
	conn      clickhouse.Conn
	session   *session
	rules     *ruleset
	tables    int    // made so far
	assembled string // the present table
	buyers    string // the present table of what buyers' days get from it, if any definition counts them
}

// recompute writes new generations of units of one kind, and publishes them all in one insert, so
// that a conversation that moved between two days is never on both or neither.
func (r *refresher) recompute(ctx context.Context, units []pending) (int, error) {
	base := rand.Uint64()>>1<<generationBits | 1<<generationBits // never 0
	ctx = forRollup(ctx)
	if units[0].kind == kindStates {
		insert := fmt.Sprintf("INSERT INTO state_slots (%[1]s, %[2]s, generation) SELECT %[1]s, %[2]s, %[3]s FROM (%[4]s)",
			stateKeys, stateSumNames(), generationSQL(base, nil), stateSums(daysOf(units)))
		if err := r.session.exec(ctx, insert); err != nil {
			return 0, err
		}
		return len(units), r.publish(ctx, units, base, nil)
	}
	more, err := r.otherDays(ctx, assemblyOf(touchedOf(units), r.rules.zone))
	if err != nil {
		return 0, err
	}
	units = append(slices.Clone(units), more...)
	a := assemblyOf(touchedOf(units), r.rules.zone)
	if err := r.assemble(ctx, a); err != nil {
		return 0, err
	}
	for _, insert := range r.inserts(a, generationSQL(base, together(units))) {
		if err := r.session.exec(ctx, insert); err != nil {
			return 0, err
		}
	}
	shops, err := r.shops(ctx)
	if err != nil {
		return 0, err
	}
	return len(units), r.publish(ctx, units, base, shops)
}

func touchedOf(units []pending) []touched {
	all := make([]touched, len(units))
	for i, u := range units {
		all[i] = u.touched
	}
	return all
}

// assemble fills a new table of the session with conversations put together. forget drops it.
func (r *refresher) assemble(ctx context.Context, a assembly) error {
	if err := r.forget(ctx); err != nil {
		return err
	}
	r.tables++
	r.assembled = fmt.Sprintf("assembled_%d", r.tables)
	if err := r.keep(ctx, r.assembled, withRounds(a.toSQL(), formingsOf(r.rules.relevant(a.first, a.last)))); err != nil {
		return err
	}
	buyers := r.rules.buyersOf(r.assembled, a.first, a.last)
	if buyers == "" {
		return nil
	}
	r.buyers = fmt.Sprintf("buyers_%d", r.tables)
	return r.keep(ctx, r.buyers, buyers)
}

func (r *refresher) keep(ctx context.Context, table, sql string) error {
	return r.session.exec(ctx, "CREATE TEMPORARY TABLE "+table+" ENGINE = Memory AS "+sql)
}

func (r *refresher) forget(ctx context.Context) error {
	tables := []string{r.assembled, r.buyers}
	r.assembled, r.buyers = "", ""
	for _, table := range tables {
		if table == "" {
			continue
		}
		if err := r.session.exec(ctx, "DROP TEMPORARY TABLE IF EXISTS "+table); err != nil {
			return err
		}
	}
	return nil
}

// A generation is unique to a recomputation, a merchant and a day: random high bits, then the number of
// the merchant among those that are recomputed together (0 for states, which have none), then the day.
const (
	generationBits = 24
	dayBits        = 16
	chunkMerchants = 1<<(generationBits-dayBits) - 1
)

func generationSQL(base uint64, merchants []string) string {
	if merchants == nil {
		return fmt.Sprintf("toUInt64(%d) + toUInt16(day)", base)
	}
	quoted := make([]string, len(merchants))
	for i, m := range merchants {
		quoted[i] = quote(m)
	}
	return fmt.Sprintf("toUInt64(%d) + indexOf([%s], toString(merchant)) * %d + toUInt16(day)", base, strings.Join(quoted, ", "), 1<<dayBits)
}

func generationOf(base uint64, merchants []string, t touched) uint64 {
	return base + uint64(slices.Index(merchants, t.merchant)+1)<<dayBits + uint64(uint16(t.day))
}

// together are the merchants of units, each once; nil for states.
func together(units []pending) []string {
	if units[0].kind != kindConversations {
		return nil
	}
	all := map[string]bool{}
	for _, u := range units {
		all[u.merchant] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// inserts turn the assembled conversations into roll-up rows.
func (r *refresher) inserts(a assembly, generation string) []string {
	var all []string
	for _, t := range r.rollups(a.first, a.last) {
		all = append(all, fmt.Sprintf("INSERT INTO %[1]s (%[2]s, %[3]s, generation) SELECT %[2]s, %[3]s, %[4]s FROM (%[5]s)",
			t.name, t.keys, t.sums, generation, t.sql))
	}
	return all
}

// computed is what a roll-up table should have of some assembled conversations.
type computed struct{ name, keys, sums, sql string }

// rollups lists the SELECTs of all roll-ups of the assembled conversations, which started from one day to
// another.
func (r *refresher) rollups(first, last int32) []computed {
	all := []computed{{"slots", slotKeys, sumNames(), conversationSums(r.assembled)}}
	for _, rollup := range r.rules.byShops(r.assembled, first, last, func(d kpi.Definition) bool { return d.Base != kpi.BaseBuyerDay }) {
		all = append(all, computed{"metric_slots", metricSlotKeys, metricSlotSums, rollup.metricSlots()})
	}
	if r.buyers != "" {
		all = append(all,
			computed{"buyer_days", buyerDayKeys, buyerDaySums, "SELECT * FROM " + r.buyers},
			computed{"buyer_totals", buyerTotalKeys, buyerTotalSums, buyerTotals(r.buyers, r.rules.relevant(first, last))})
	}
	return all
}

// byShops groups definitions that count the same shops and channels: they are computed in one statement.
func (r *ruleset) byShops(assembled string, first, last int32, of func(kpi.Definition) bool) []rollup {
	groups := map[string]*rollup{}
	for _, d := range r.relevant(first, last) {
		if !of(d) {
			continue
		}
		counted := r.admitted(d)
		key := counted.String()
		if groups[key] == nil {
			groups[key] = &rollup{source: assembled, counted: counted}
		}
		groups[key].definitions = append(groups[key].definitions, newRuled(d, r.zone, false))
	}
	var all []rollup
	for _, key := range slices.Sorted(maps.Keys(groups)) {
		all = append(all, *groups[key])
	}
	return all
}

// buyersOf is the SELECT of what assembled conversations add to buyers' days, "" when no definition counts them.
func (r *ruleset) buyersOf(assembled string, first, last int32) string {
	var parts []string
	for _, rollup := range r.byShops(assembled, first, last, func(d kpi.Definition) bool { return d.Base == kpi.BaseBuyerDay }) {
		parts = append(parts, rollup.buyerDays())
	}
	return strings.Join(parts, "\nUNION ALL\n")
}

// shops are the shops of the assembled conversations by merchant and day.
func (r *refresher) shops(ctx context.Context) (map[touched][]string, error) {
	rows, err := r.session.conn.QueryContext(ctx, "SELECT toString(merchant), toInt32(day), arraySort(groupUniqArray(shop)) FROM "+r.assembled+" GROUP BY merchant, day")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	found := map[touched][]string{}
	for rows.Next() {
		t := touched{kind: kindConversations}
		var shops []string
		if err := rows.Scan(&t.merchant, &t.day, &shops); err != nil {
			return nil, err
		}
		found[t] = shops
	}
	return found, rows.Err()
}

// forRollup lets the recomputation skip merging across months: a key contains its day. Blocks are
// small because a conversation's row is wide while its rounds are formed. Conditions are where they belong
// already: pushing them down through what they are about only makes planning long.
func forRollup(ctx context.Context) context.Context {
	return clickhouse.Context(ctx, clickhouse.WithSettings(clickhouse.Settings{
		"do_not_merge_across_partitions_select_final": 1, "max_partitions_per_insert_block": 0,
		"max_query_size": 16 << 20, "max_block_size": 8192, "max_expanded_ast_elements": 5_000_000, "max_ast_elements": 5_000_000,
		"query_plan_filter_push_down": 0, "query_plan_merge_expressions": 0,
	}))
}

func daysOf(units []pending) []int32 {
	days := make([]int32, len(units))
	for i, u := range units {
		days[i] = u.day
	}
	slices.Sort(days)
	return days
}

// publish makes the new rows current: one block of an unpartitioned table appears at once.
func (r *refresher) publish(ctx context.Context, units []pending, base uint64, shops map[touched][]string) error {
	var now time.Time
	if err := r.conn.QueryRow(ctx, "SELECT now64(3)").Scan(&now); err != nil {
		return err
	}
	batch, err := r.conn.PrepareBatch(ctx, "INSERT INTO rollups (kind, merchant, day, newest)")
	if err != nil {
		return err
	}
	defer func() { _ = batch.Abort() }() // does nothing after Send
	merchants := together(units)
	for _, u := range units {
		there := append([]string{}, shops[u.touched]...)
		newest := []any{u.seen, uint64(now.UnixMilli()), generationOf(base, merchants, u.touched), r.rules.packOfUnit(u.touched, there), there}
		if err := batch.Append(u.kind, u.merchant, dateOf(u.day), newest); err != nil {
			return err
		}
	}
	return batch.Send()
}

func (r *ruleset) packOfUnit(t touched, shops []string) uint64 {
	if t.kind != kindConversations {
		return 0
	}
	return r.pack(t.day, shops)
}

// otherDays are the other days on which conversations of an assembly's days have rows, with what
// their marks add up to.
func (r *refresher) otherDays(ctx context.Context, a assembly) ([]pending, error) {
	rows, err := r.conn.Query(ctx, fmt.Sprintf(`SELECT toString(merchant), toInt32(day), sum(top) FROM (
SELECT merchant, day, batch, max(rank) AS top FROM marks WHERE kind = 'conversations' AND (merchant, day) IN (%s) GROUP BY merchant, day, batch
) GROUP BY merchant, day ORDER BY merchant, day`, a.otherDays()))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var more []pending
	for rows.Next() {
		p := pending{touched: touched{kind: kindConversations}}
		if err := rows.Scan(&p.merchant, &p.day, &p.seen); err != nil {
			return nil, err
		}
		more = append(more, p)
	}
	return more, rows.Err()
}
