package demo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"verilot.dev/services/internal/localnet"
)

// Size says how much happens.
type Size struct {
	Pharmacies int // beside the network's own and an invented one
	Lots       int // commissioned by each maker
	Cases      int // of a lot
	PerCase    int
}

// Small is for tests and slow machines, National for looking around.
var (
	Small    = Size{Pharmacies: 6, Lots: 2, Cases: 8, PerCase: 10}
	National = Size{Pharmacies: 36, Lots: 2, Cases: 40, PerCase: 24}
)

// Options of the national story.
type Options struct {
	Size Size
	Seed uint64
	Now  time.Time
	// Progress is called after each step, with how many are done and how many there are.
	Progress func(step string, done, steps int)
}

// Highlights are what is worth looking at afterwards.
type Highlights struct {
	Units       int    `json:"units" doc:"commissioned"`
	Events      int64  `json:"events"`
	Parties     int    `json:"parties"`
	Pallet      string `json:"pallet"`      // on its way through the country
	Unit        string `json:"unit"`        // with a long history, dispensed
	Counterfeit string `json:"counterfeit"` // what its label says: nobody made it
	Stolen      string `json:"stolen"`      // turned up at a pharmacy
	Good        string `json:"good"`        // on the shelf of the network's pharmacy, fit to dispense
	Second      string `json:"second"`      // another one
	OldUnit     string `json:"expiring"`    // on that shelf too, expired
	RecalledBy  string `json:"recallNumber"`
	Recalled    string `json:"recalled"` // on that shelf, under the recall
	GTIN        string `json:"gtin"`     // of the recalled lot
	Lot         string `json:"lot"`
	Waiting     string `json:"waiting"`     // a case on its way to the network's pharmacy
	WrongDoor   string `json:"wrongDoor"`   // a case that went to another pharmacy than it was sent to
	Missing     string `json:"missing"`     // a case that did not arrive
	Returned    string `json:"returned"`    // a unit that went back
	PlannedLot  string `json:"plannedLot"`  // registered, nothing made yet
	OpenLot     string `json:"openLot"`     // made, partly packed, waiting to be shipped
	OpenLotGTIN string `json:"openLotGtin"` // its GTIN
}

// nationalRun is one run of the national story.
type nationalRun struct {
	n      *localnet.Network
	o      Options
	now    time.Time
	rand   *rand.Rand
	cast   *cast
	lots   []*lot
	plan   [][]delivery // by pharmacy
	out    Highlights
	events atomic.Int64
	stamp  string // in the names of lots and orders, so that those of another run differ

	mu    sync.Mutex
	done  int
	steps int
}

// lot is a lot in the story.
type lot struct {
	maker   *maker
	product *product
	name    string
	expiry  string
	cases   []string
	units   [][]string // by case
	pallets []string
	buyer   *member
}

// PlayNational plays the national story on a running network whose services need no more than that they run.
func PlayNational(ctx context.Context, n *localnet.Network, o Options) (*Highlights, error) {
	c, err := newCast(o.Size.Pharmacies, o.Now)
	if err != nil {
		return nil, err
	}
	if o.Progress == nil {
		o.Progress = func(string, int, int) {}
	}
	r := &nationalRun{n: n, o: o, now: o.Now, cast: c, rand: rand.New(rand.NewPCG(o.Seed, 7)), stamp: o.Now.UTC().Format("0102150405")} //nolint:gosec // the same seed, the same story
	r.planLots()
	r.planDeliveries()
	r.steps = len(r.everybody()) + 2*len(r.lots) + 2*len(c.pharmacies) + 10
	for i := range r.plan {
		if len(r.plan[i]) == 2 && r.plan[i][0].from != r.plan[i][1].from {
			r.steps++
		}
	}
	for _, part := range []func(context.Context) error{r.register, r.make, r.wholesale, r.retail, r.trouble, r.atTheDesks, r.recall} {
		if err := part(ctx); err != nil {
			return nil, err
		}
	}
	r.out.Events, r.out.Parties = r.events.Load(), len(r.everybody())
	o.Progress("the story is told", r.steps, r.steps)
	return &r.out, nil
}

// say reports a step that is done.
func (r *nationalRun) say(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.done++
	r.o.Progress(fmt.Sprintf(format, args...), min(r.done, r.steps-1), r.steps)
}

// atOnce bounds how many parties act at a time: each has a service, and a machine two processors.
const atOnce = 6

// each runs fn for 0 … n-1, several at a time, and ends with the first error.
func each(ctx context.Context, n int, fn func(ctx context.Context, i int) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	room := make(chan struct{}, atOnce)
	errs := make([]error, n)
	for i := range n {
		room <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		wg.Go(func() {
			defer func() { <-room }()
			if errs[i] = fn(ctx, i); errs[i] != nil {
				cancel()
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil && !errors.Is(err, context.Canceled) {
			return err
		}
	}
	return errors.Join(errs...)
}

func (r *nationalRun) everybody() []*member {
	c := r.cast
	var out []*member
	for i := range c.makers {
		out = append(out, &c.makers[i].member)
	}
	out = append(out, &c.wholesaler, &c.second, &c.corner, &c.side)
	for i := range c.pharmacies {
		out = append(out, &c.pharmacies[i])
	}
	return out
}

// register has the authority attest everybody whom the genesis file does not name.
func (r *nationalRun) register(ctx context.Context) error {
	at := NetworkOf(r.n).At("manufacturer")
	everybody := r.everybody()
	return each(ctx, len(everybody), func(ctx context.Context, i int) error {
		m := everybody[i]
		if m.service != "" && len(m.prefixes) == 0 {
			r.say("%s is there", m.name)
			return nil
		}
		key, err := r.n.PartnerKey(m.id)
		if err != nil {
			return err
		}
		job, err := at.Command(ctx, "parties", m.registration(key))
		if err != nil {
			return fmt.Errorf("register %s: %w", m.name, err)
		}
		if !job.Success {
			return fmt.Errorf("register %s: %+v", m.name, job.Verdicts)
		}
		r.say("%s is registered", m.name)
		return nil
	})
}

// planLots says who makes what for whom.
func (r *nationalRun) planLots() {
	c := r.cast
	for i := range c.makers {
		for j := range min(r.o.Size.Lots, len(c.makers[i].products)) {
			l := &lot{maker: &c.makers[i], product: &c.makers[i].products[j], name: fmt.Sprintf("%c%d%s", 'A'+i, j+1, r.stamp)}
			l.expiry = r.now.AddDate(1, 4+r.rand.IntN(12), 0).Format("2006-01") + "-28"
			l.buyer = &c.wholesaler
			if (i+j)%2 == 1 {
				l.buyer = &c.second
			}
			r.lots = append(r.lots, l)
		}
	}
}

// planDeliveries gives every pharmacy a case of two lots; the last cases of a lot are for the rest of the
// story.
func (r *nationalRun) planDeliveries() {
	next := map[*lot]int{}
	r.plan = make([][]delivery, len(r.cast.pharmacies))
	for i := range r.plan {
		for k := range 2 {
			l := r.lots[(i+k*3)%len(r.lots)]
			if next[l] < r.o.Size.Cases-4 {
				r.plan[i] = append(r.plan[i], delivery{l.buyer, l, next[l]})
				next[l]++
			}
		}
	}
}

// make has every maker make its lots: commission, pack into cases and pallets.
func (r *nationalRun) make(ctx context.Context) error {
	c := r.cast
	return each(ctx, len(c.makers), func(ctx context.Context, i int) error {
		return r.act(ctx, &c.makers[i].member, func(a *actor) error {
			for _, l := range r.lots {
				if l.maker != &c.makers[i] {
					continue
				}
				if err := r.makeLot(a, l, r.o.Size.Cases); err != nil {
					return err
				}
				r.say("%s made lot %s: %d packages of %s in %d cases", a.name, l.name, r.o.Size.Cases*r.o.Size.PerCase, l.product.Name, len(l.cases))
			}
			return nil
		})
	})
}

func (r *nationalRun) registerLot(a *actor, l *lot, size int) error {
	p := l.product
	if _, err := a.do(0, "products", map[string]any{
		"gtin": p.GTIN, "ndc": p.NDC, "ndcFormat": "US_FDA_NDC", "name": p.Name, "manufacturer": p.Labeler, "dosageForm": p.DosageForm, "strength": p.Strength, "netContent": p.Description,
	}); err != nil {
		return err
	}
	_, err := a.do(0, "lots", map[string]any{"gtin": p.GTIN, "lot": l.name, "expiry": l.expiry, "size": size, "manufacturedOn": r.now.AddDate(0, 0, -36).Format(time.DateOnly)})
	return err
}

// perPallet is how many cases stand on a pallet.
const perPallet = 10

func (r *nationalRun) makeLot(a *actor, l *lot, cases int) error {
	if err := r.registerLot(a, l, cases*r.o.Size.PerCase); err != nil {
		return err
	}
	units, err := r.commission(a, l, 35, cases*r.o.Size.PerCase)
	if err != nil {
		return err
	}
	if err := r.pack(a, l, 34.8, units); err != nil {
		return err
	}
	for i := 0; i < len(l.cases); i += perPallet {
		pallet, err := pack(a, 34.5, l.cases[i:min(i+perPallet, len(l.cases))])
		if err != nil {
			return err
		}
		l.pallets = append(l.pallets, pallet)
	}
	return nil
}

func (r *nationalRun) commission(a *actor, l *lot, daysAgo float64, count int) ([]string, error) {
	job, err := a.do(daysAgo, "commission", map[string]any{"gtin": l.product.GTIN, "lot": l.name, "expiry": l.expiry, "count": count})
	if err != nil {
		return nil, err
	}
	var made struct {
		EPCs []string `json:"epcs"`
	}
	if err := json.Unmarshal(job.Result, &made); err != nil || len(made.EPCs) != count {
		return nil, fmt.Errorf("%s commissioned %d packages, not %d", a.name, len(made.EPCs), count)
	}
	r.mu.Lock()
	r.out.Units += count
	r.mu.Unlock()
	return made.EPCs, nil
}

// pack puts units into cases, several at a time.
func (r *nationalRun) pack(a *actor, l *lot, daysAgo float64, units []string) error {
	n := len(units) / r.o.Size.PerCase
	cases := make([]string, n)
	if err := each(a.ctx, n, func(_ context.Context, i int) (err error) {
		cases[i], err = pack(a, daysAgo, units[i*r.o.Size.PerCase:(i+1)*r.o.Size.PerCase])
		return err
	}); err != nil {
		return err
	}
	for i := range n {
		l.cases = append(l.cases, cases[i])
		l.units = append(l.units, units[i*r.o.Size.PerCase:(i+1)*r.o.Size.PerCase])
	}
	return nil
}

func pack(a *actor, daysAgo float64, children []string) (string, error) {
	job, err := a.do(daysAgo, "pack", map[string]any{"children": children})
	if err != nil {
		return "", err
	}
	var packed struct {
		Parent string `json:"parent"`
	}
	if err := json.Unmarshal(job.Result, &packed); err != nil || packed.Parent == "" {
		return "", fmt.Errorf("%s packed into nothing: %s", a.name, job.Result)
	}
	return packed.Parent, nil
}

func (a *actor) ship(daysAgo float64, items []string, to *member, order string) error {
	_, err := a.do(daysAgo, "ship", map[string]any{"items": items, "to": map[string]any{"party": to.id}, "po": order, "desadv": "DA-" + order})
	return err
}

func (a *actor) receive(daysAgo float64, items []string, from *member, order string) error {
	_, err := a.do(daysAgo, "receive", map[string]any{"items": items, "from": map[string]any{"party": from.id}, "po": order, "desadv": "DA-" + order})
	return err
}

func (a *actor) unpack(daysAgo float64, parent string) error {
	_, err := a.do(daysAgo, "unpack", map[string]any{"parent": parent})
	return err
}

// wholesale: pallets go to two wholesalers. Of the first lot one case is missing when its pallet is opened and counted.
func (r *nationalRun) wholesale(ctx context.Context) error {
	c := r.cast
	if err := each(ctx, len(c.makers), func(ctx context.Context, i int) error {
		return r.act(ctx, &c.makers[i].member, func(a *actor) error {
			for k, l := range r.lots {
				if l.maker != &c.makers[i] {
					continue
				}
				if err := a.ship(30, l.pallets, l.buyer, r.order(k)); err != nil {
					return err
				}
			}
			return nil
		})
	}); err != nil {
		return err
	}
	r.out.Pallet = r.lots[0].pallets[0]
	return each(ctx, 2, func(ctx context.Context, i int) error {
		who := []*member{&c.wholesaler, &c.second}[i]
		return r.act(ctx, who, func(a *actor) error {
			for k, l := range r.lots {
				if l.buyer != who {
					continue
				}
				if err := a.receive(28, l.pallets, &l.maker.member, r.order(k)); err != nil {
					return err
				}
				for _, p := range l.pallets {
					if err := a.unpack(27, p); err != nil {
						return err
					}
				}
				r.say("%s received and opened %d pallets of lot %s", a.name, len(l.pallets), l.name)
			}
			return nil
		})
	})
}

func (r *nationalRun) order(k int) string { return fmt.Sprintf("PO-%s-%d", r.stamp, k+1) }

// delivery is what a pharmacy is sent: a case of some lots.
type delivery struct {
	from  *member
	lot   *lot
	which int // case
}

// retail: every pharmacy gets cases of two lots, opens them and dispenses some; one sends some back, one finds a broken bottle.
func (r *nationalRun) retail(ctx context.Context) error {
	c := r.cast
	plan := r.plan
	if err := each(ctx, 2, func(ctx context.Context, w int) error {
		who := []*member{&c.wholesaler, &c.second}[w]
		return r.act(ctx, who, func(a *actor) error {
			return each(ctx, len(plan), func(_ context.Context, i int) error {
				var items []string
				for _, d := range plan[i] {
					if d.from == who {
						items = append(items, d.lot.cases[d.which])
					}
				}
				if len(items) == 0 {
					return nil
				}
				defer r.say("%s shipped %d cases to %s", a.name, len(items), c.pharmacies[i].name)
				return a.ship(20, items, &c.pharmacies[i], fmt.Sprintf("PO-%s-%d-%d", r.stamp, w, i))
			})
		})
	}); err != nil {
		return err
	}
	dispensed := make([]int, len(plan))
	for i := range dispensed {
		dispensed[i] = 1 + r.rand.IntN(4)
	}
	return each(ctx, len(plan), func(ctx context.Context, i int) error {
		return r.act(ctx, &c.pharmacies[i], func(a *actor) error {
			for w, from := range []*member{&c.wholesaler, &c.second} {
				var items []string
				for _, d := range plan[i] {
					if d.from == from {
						items = append(items, d.lot.cases[d.which])
					}
				}
				if len(items) == 0 {
					continue
				}
				// All of a shipment at once: case by case, the first would leave the others short.
				if err := a.receive(18, items, from, fmt.Sprintf("PO-%s-%d-%d", r.stamp, w, i)); err != nil {
					return err
				}
				for _, it := range items {
					if err := a.unpack(17.5, it); err != nil {
						return err
					}
				}
			}
			if len(plan[i]) == 0 {
				return nil
			}
			stock := plan[i][0].lot.units[plan[i][0].which]
			if _, err := a.do(10-float64(i%7), "dispense", map[string]any{"items": stock[:dispensed[i]]}); err != nil {
				return err
			}
			r.say("%s received, opened, dispensed %d", a.name, dispensed[i])
			switch i {
			case 0:
				r.out.Unit = stock[0]
			case 1:
				return r.sendBack(ctx, a, stock[len(stock)-2:], plan[i][0].from)
			case 2:
				if _, err := a.do(3, "quarantine", map[string]any{"items": stock[len(stock)-1:], "reason": "damaged"}); err != nil {
					return err
				}
				_, err := a.do(2, "destroy", map[string]any{"items": stock[len(stock)-1:]})
				return err
			}
			return nil
		})
	})
}

func (r *nationalRun) sendBack(ctx context.Context, a *actor, units []string, to *member) error {
	rma := "RMA-" + r.stamp
	if _, err := a.do(6, "return", map[string]any{"items": units, "to": map[string]any{"party": to.id}, "returnAuthorization": rma}); err != nil {
		return err
	}
	r.out.Returned = units[0]
	from := a.member
	return r.act(ctx, to, func(w *actor) error {
		_, err := w.do(4, "receive", map[string]any{"items": units, "from": map[string]any{"party": from.id}, "returnAuthorization": rma})
		return err
	})
}

// trouble: a case that does not arrive, a stolen one, and one that is delivered at the wrong door.
func (r *nationalRun) trouble(ctx context.Context) error {
	c := r.cast
	l := r.lots[0]
	n := len(l.cases)
	missing, wrong := l.cases[n-1], l.cases[n-2]
	r.out.Missing, r.out.WrongDoor = missing, wrong
	// Two cases leave, one arrives; and one for the corner is carried to the side street.
	if err := r.act(ctx, l.buyer, func(a *actor) error {
		if err := a.ship(9, []string{missing, l.cases[n-3]}, &c.side, "PO-"+r.stamp+"-S"); err != nil {
			return err
		}
		return a.ship(9, []string{wrong}, &c.corner, "PO-"+r.stamp+"-C")
	}); err != nil {
		return err
	}
	stolen := r.lots[len(r.lots)-1]
	taken := stolen.cases[len(stolen.cases)-1]
	if err := r.act(ctx, stolen.buyer, func(a *actor) error {
		if err := a.unpack(12, taken); err != nil {
			return err
		}
		units := stolen.units[len(stolen.units)-1]
		if _, err := a.do(8, "quarantine", map[string]any{"items": units, "reason": "stolen"}); err != nil {
			return err
		}
		r.out.Stolen = units[0]
		r.say("%s reports %d packages of lot %s stolen", a.name, len(units), stolen.name)
		return nil
	}); err != nil {
		return err
	}
	if err := r.act(ctx, &c.side, func(a *actor) error {
		if err := a.receive(7, []string{l.cases[n-3]}, l.buyer, "PO-"+r.stamp+"-S"); err != nil {
			return err
		}
		r.say("%s received one case of two", a.name)
		if err := a.receive(6.5, []string{wrong}, l.buyer, "PO-"+r.stamp+"-C"); err != nil {
			return err
		}
		r.say("%s received a case that was sent to %s", a.name, c.corner.name)
		// The ledger refuses or flags it, and either is the point.
		body := map[string]any{"items": []string{r.out.Stolen}, "from": map[string]any{"party": stolen.buyer.id}, "eventTime": r.when(1)}
		if _, err := a.at.Command(ctx, "receive", body); err != nil {
			return fmt.Errorf("%s: %w", a.name, err)
		}
		r.say("a stolen package turns up at %s", a.name)
		return nil
	}); err != nil {
		return err
	}
	r.out.Counterfeit = "(01)" + l.product.GTIN + "(21)" + fmt.Sprintf("C0PY%08d", r.rand.IntN(100_000_000)) + "(17)" + l.expiry[2:4] + l.expiry[5:7] + l.expiry[8:10] + "(10)" + l.name
	return nil
}

// atTheDesks leaves work on the screens of the network's three services.
func (r *nationalRun) atTheDesks(ctx context.Context) error {
	c := r.cast
	mine := r.lots[0]
	own := mine
	for _, l := range r.lots {
		if l.maker == mine.maker && l != mine {
			own = l
		}
	}
	n := len(mine.cases)
	shelf, waiting := mine.cases[n-4], ""
	good := &lot{maker: mine.maker, product: mine.product, name: "A8" + r.stamp, expiry: r.now.AddDate(1, 9, 0).Format("2006-01") + "-28"}
	old := &lot{maker: mine.maker, product: own.product, name: "A9" + r.stamp, expiry: r.now.AddDate(0, 0, -2).Format(time.DateOnly)}
	open := &lot{maker: mine.maker, product: own.product, name: "A7" + r.stamp, expiry: r.now.AddDate(2, 0, 0).Format("2006-01") + "-28"}
	planned := &lot{maker: mine.maker, product: &mine.maker.products[len(mine.maker.products)-1], name: "A6" + r.stamp, expiry: r.now.AddDate(2, 1, 0).Format("2006-01") + "-28"}
	per := r.o.Size.PerCase
	if err := r.act(ctx, &mine.maker.member, func(a *actor) error {
		for _, l := range []*lot{good, old} {
			if err := r.registerLot(a, l, 2*per); err != nil {
				return err
			}
			units, err := r.commission(a, l, 33, 2*per)
			if err != nil {
				return err
			}
			if err := r.pack(a, l, 32.5, units); err != nil {
				return err
			}
			if err := a.ship(31, l.cases, &c.wholesaler, r.order(len(r.lots))+l.name[:2]); err != nil {
				return err
			}
		}
		if err := r.registerLot(a, planned, 1200); err != nil {
			return err
		}
		if err := r.registerLot(a, open, 10*per); err != nil {
			return err
		}
		units, err := r.commission(a, open, 0.2, 10*per)
		if err != nil {
			return err
		}
		r.say("%s has lot %s to pack and to ship", a.name, open.name)
		return r.pack(a, open, 0.1, units[:5*per])
	}); err != nil {
		return err
	}
	waiting = good.cases[1]
	if err := r.act(ctx, &c.wholesaler, func(a *actor) error {
		for _, l := range []*lot{good, old} {
			if err := a.receive(29, l.cases, &mine.maker.member, r.order(len(r.lots))+l.name[:2]); err != nil {
				return err
			}
		}
		if err := a.ship(16, []string{shelf, good.cases[0], old.cases[0]}, &c.corner, "PO-"+r.stamp+"-C1"); err != nil {
			return err
		}
		r.say("%s shipped to %s", a.name, c.corner.name)
		return nil
	}); err != nil {
		return err
	}
	if err := r.act(ctx, &c.corner, func(a *actor) error {
		items := []string{shelf, good.cases[0], old.cases[0]}
		if err := a.receive(15, items, &c.wholesaler, "PO-"+r.stamp+"-C1"); err != nil {
			return err
		}
		for _, it := range items {
			if err := a.unpack(15, it); err != nil {
				return err
			}
		}
		r.say("%s has them on the shelf", a.name)
		return nil
	}); err != nil {
		return err
	}
	r.out.Good, r.out.Second, r.out.OldUnit = good.units[0][0], good.units[0][1], old.units[0][0]
	r.out.Recalled, r.out.Waiting = mine.units[n-4][0], waiting
	r.out.PlannedLot, r.out.OpenLot, r.out.OpenLotGTIN = planned.name, open.name, open.product.GTIN
	return r.act(ctx, &c.wholesaler, func(a *actor) error {
		// One of the two has expired on the way.
		if err := a.ship(3, []string{waiting, old.cases[1]}, &c.corner, "PO-"+r.stamp+"-C2"); err != nil {
			return err
		}
		r.say("a delivery is on its way to %s", c.corner.name)
		return nil
	})
}

// recall: the first lot is recalled; some have set it aside already, others have not heard.
func (r *nationalRun) recall(ctx context.Context) error {
	c, l := r.cast, r.lots[0]
	r.out.GTIN, r.out.Lot, r.out.RecalledBy = l.product.GTIN, l.name, "R-"+r.stamp
	if err := r.act(ctx, &l.maker.member, func(a *actor) error {
		_, err := a.do(0, "recall", map[string]any{
			"recallNumber": r.out.RecalledBy, "gtin": l.product.GTIN, "lot": l.name, "classification": "II", "depth": "retail",
			"reason": "Demonstration, no real recall: dissolution out of specification", "initiatedOn": r.now.AddDate(0, 0, -1).Format(time.DateOnly),
		})
		return err
	}); err != nil {
		return err
	}
	r.say("%s recalls lot %s of %s, class II", l.maker.name, l.name, l.product.Name)
	var holders []*member
	var units [][]string
	for i := range r.plan {
		for _, d := range r.plan[i] {
			if d.lot == l && i%3 != 2 {
				holders, units = append(holders, &c.pharmacies[i]), append(units, l.units[d.which])
			}
		}
	}
	return each(ctx, len(holders), func(ctx context.Context, i int) error {
		return r.act(ctx, holders[i], func(a *actor) error {
			u := units[i]
			keep := u[4 : len(u)-2] // the first may have been dispensed, the last sent back or destroyed
			_, err := a.do(0.3, "quarantine", map[string]any{"items": keep, "reason": "recalled"})
			return err
		})
	})
}
