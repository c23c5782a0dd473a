package index

import (
	"cmp"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/state"
)

// How many units of a lot each party has on hand and set aside. The rules' totals of a lot (custody.LotTotals) say who has
// how many in which state, and nothing of marks.
//
//	x/sh/<gtin> 00 <lot> 00 <party>   units on hand that are set aside: u64
//	x/sa/<key text>                   a thing that is set aside itself, or has something inside that is: aside
//
// A thing counts with the container that it is in, and an outermost thing with the party that has it. A block changes
// what the things count that its effects name, and then what the containers around those count. So a block costs one
// look for each thing that its effects name, and more only for things that are set aside.
const (
	asidePrefix       = "x/sa/"
	asideOnHandPrefix = "x/sh/"
)

// setAside are the marks of what cannot be dispensed or has been put apart. The ledger's own hold sets "quarantined" with
// it (docs/spec.md section 9).
var setAside = []string{"quarantined", "recalled", "suspect", "illegitimate", "damaged"}

// IsSetAside reports whether one of the overlays sets a thing aside.
func IsSetAside(overlays []string) bool {
	return slices.ContainsFunc(overlays, func(m string) bool { return slices.Contains(setAside, m) })
}

// AsideOnHand counts, by party, the units of a lot that the party has on hand and that are set aside: they carry a mark
// of IsSetAside, or a container around them does.
func AsideOnHand(v state.View, gtin gs1.GTIN, lot string) map[string]uint64 {
	out := map[string]uint64{}
	at := asideOnHandPrefix + gtin.String() + "\x00" + lot + "\x00"
	v.Scan(at, func(key string, value []byte) bool {
		out[key[len(at):]] = binary.BigEndian.Uint64(value)
		return true
	})
	return out
}

// lotUnits is a number of units of a lot.
type lotUnits struct {
	gtin, lot string
	units     int64
}

// lotCounts are units by lot, sorted, none of them zero.
type lotCounts []lotUnits

func (c *lotCounts) add(gtin, lot string, units int64) {
	at, ok := slices.BinarySearchFunc(*c, lotUnits{gtin: gtin, lot: lot}, func(a, b lotUnits) int {
		return cmp.Or(cmp.Compare(a.gtin, b.gtin), cmp.Compare(a.lot, b.lot))
	})
	if !ok {
		*c = slices.Insert(*c, at, lotUnits{gtin: gtin, lot: lot})
	}
	if (*c)[at].units += units; (*c)[at].units == 0 {
		*c = slices.Delete(*c, at, at+1)
	}
}

func (c *lotCounts) addAll(d lotCounts, sign int64) {
	for _, u := range d {
		c.add(u.gtin, u.lot, sign*u.units)
	}
}

func (c lotCounts) append(b []byte) []byte {
	b = canonical.U32(b, uint32(len(c)))
	for _, u := range c {
		b = canonical.U64(canonical.Str8(canonical.Str8(b, u.gtin), u.lot), uint64(u.units))
	}
	return b
}

func readLotCounts(r *canonical.Reader) (c lotCounts) {
	for n := r.U32(); n > 0 && r.Err() == nil; n-- {
		c = append(c, lotUnits{gtin: string(r.Str8()), lot: string(r.Str8()), units: int64(r.U64())})
	}
	return c
}

// aside is what of a thing is set aside. Format: u8 marked, str16 parent, str8 party, then inside and counted, each u32 and
// so many of str8 GTIN, str8 lot, u64 units.
type aside struct {
	marked  bool      // the thing itself carries such a mark
	parent  string    // container where counted is added
	party   string    // or party; both empty: nowhere
	inside  lotCounts // units inside it that carry a mark, or that are in a container inside it which does
	counted lotCounts
}

func (a *aside) empty() bool { return !a.marked && len(a.inside) == 0 && len(a.counted) == 0 }

func (a *aside) encode() []byte {
	b := []byte{0}
	if a.marked {
		b[0] = 1
	}
	b = canonical.Str8(canonical.Str16(b, a.parent), a.party)
	return a.counted.append(a.inside.append(b))
}

func decodeAside(b []byte) (*aside, error) {
	r := canonical.NewReader(b)
	a := &aside{marked: r.U8() == 1, parent: string(r.Str16()), party: string(r.Str8())}
	a.inside, a.counted = readLotCounts(r), readLotCounts(r)
	return a, r.Done()
}

// afterBlock is the state of the rules after a block.
type afterBlock struct {
	before state.View
	writes state.WriteSet // in key order
}

// Get implements state.View.
func (a afterBlock) Get(key string) ([]byte, bool) {
	at, ok := slices.BinarySearchFunc(a.writes, key, func(w state.Write, key string) int { return strings.Compare(w.Key, key) })
	if ok {
		return a.writes[at].Value, a.writes[at].Value != nil
	}
	return a.before.Get(key)
}

// Scan implements state.View.
func (a afterBlock) Scan(prefix string, fn func(string, []byte) bool) {
	o := state.NewOverlay(a.before)
	for _, w := range a.writes {
		if w.Value == nil {
			o.Delete(w.Key)
		} else {
			o.Put(w.Key, w.Value)
		}
	}
	o.Scan(prefix, fn)
}

// asideCount brings what is set aside up to date with a block.
type asideCount struct {
	stored state.View
	after  afterBlock
	things map[string]*aside // those of which something is set aside, or was, as far as they were looked up
	due    map[string]bool   // to be counted again
	walked map[string]bool   // containers whose surroundings were looked at
	onHand map[string]int64  // changes, by key
	failed error
}

// setAside writes what a block changes of the things that are set aside.
func (p *projection) setAside(res *consensus.Result, view state.View) error {
	c := asideCount{
		stored: view, after: afterBlock{view, res.Writes},
		things: map[string]*aside{}, due: map[string]bool{}, walked: map[string]bool{}, onHand: map[string]int64{},
	}
	for _, effect := range res.Effects {
		if err := c.effect(effect); err != nil {
			return err
		}
	}
	// Containers come after what is in them.
	for level := 0; len(c.due) > 0 && c.failed == nil; level++ {
		if level > maxLevels {
			return errors.New("index: containers are inside each other in a circle")
		}
		due := slices.Sorted(maps.Keys(c.due))
		clear(c.due)
		for _, key := range due {
			c.count(key)
		}
	}
	return cmp.Or(c.failed, c.write(p))
}

// maxLevels ends the way up the containers. The rules allow sixteen, and what leaves one container and enters another
// passes both ways up.
const maxLevels = 64

// effect notes the things that an effect may set aside, or take from where they count.
func (c *asideCount) effect(raw []byte) error {
	switch raw[0] {
	case custody.EffectCommissioned, custody.EffectMoved, custody.EffectPacked, custody.EffectUnpacked, custody.EffectState, custody.EffectOverlay, custody.EffectRestored:
	default:
		return nil
	}
	effect, err := custody.DecodeEffect(raw)
	if err != nil {
		return fmt.Errorf("index: effect does not decode: %w", err)
	}
	switch e := effect.(type) {
	case custody.Commissioned:
		for _, key := range e.Serials {
			if e.GTIN != "" {
				key = "01" + e.GTIN + "21" + key
			}
			c.known(key)
			if e.Holder == "" { // its birth record came late: its container may have it in another lot now
				c.around(key)
			}
		}
	case custody.Moved:
		c.known(e.Keys...)
	case custody.StateSet:
		c.known(e.Keys...)
	case custody.Packed:
		c.known(e.Keys...)
		c.around(e.Parent)
	case custody.Unpacked:
		c.again(e.Keys) // they keep the marks of the container
		c.around(e.Parent)
	case custody.OverlaySet:
		if slices.Contains(setAside, e.Overlay) {
			c.again(e.Keys)
		}
	case custody.Restored:
		for _, keys := range [][]string{e.Keys, e.Gone} {
			c.again(keys)
			for _, key := range keys {
				c.around(key)
			}
		}
	}
	return nil
}

func (c *asideCount) again(keys []string) {
	for _, key := range keys {
		c.due[key] = true
	}
}

// known notes those things of which something is set aside already.
func (c *asideCount) known(keys ...string) {
	for _, key := range keys {
		if !c.due[key] && c.get(key) != nil {
			c.due[key] = true
		}
	}
}

// around notes a container and those around it: what is inside them has changed.
func (c *asideCount) around(key string) {
	for level := 0; key != "" && !c.walked[key] && level < maxLevels; level++ {
		c.walked[key] = true
		c.known(key)
		u, _ := c.lookup(key)
		key = u.Parent.String()
	}
}

func (c *asideCount) lookup(key string) (custody.Unit, bool) {
	k, err := gs1.ParseKey(key)
	if err != nil {
		c.failed = fmt.Errorf("index: an effect names %q: %w", key, err)
		return custody.Unit{}, false
	}
	return custody.Lookup(c.after, k)
}

// get returns nil of a thing of which nothing is set aside. That is most things: the lookup is all that a block pays for them.
func (c *asideCount) get(key string) *aside {
	if a, ok := c.things[key]; ok {
		return a
	}
	b, ok := c.stored.Get(asidePrefix + key)
	if !ok {
		return nil
	}
	a, err := decodeAside(b)
	if err != nil {
		c.failed = fmt.Errorf("index: what is set aside of %s does not decode: %w", key, err)
		return nil
	}
	c.things[key] = a
	return a
}

// count counts a thing as it is after the block.
func (c *asideCount) count(key string) {
	u, exists := c.lookup(key)
	a := c.get(key)
	if a == nil {
		if !exists || !IsSetAside(u.Overlays) {
			return
		}
		a = &aside{}
		c.things[key] = a
	}
	now := aside{inside: a.inside}
	if exists {
		now.marked, now.parent = IsSetAside(u.Overlays), u.Parent.String()
		itself, inside := true, true
		if now.parent == "" {
			held := u.Phase != custody.InTransit && u.Holder != ""
			itself = held && u.State == custody.Active
			// A container whose number was taken out of use is only without a number.
			inside = held && (u.State == custody.Active || u.State == custody.Decommissioned)
			now.party = u.Holder
		}
		if inside && now.marked {
			for _, s := range custody.Inside(c.after, u.Key).Stocks {
				if s.Lot != "" {
					now.counted.add(s.GTIN, s.Lot, int64(s.Units))
				}
			}
		} else if inside {
			now.counted.addAll(a.inside, 1)
		}
		if g, ok := u.Key.GTIN(); ok && u.Key.IsUnit() && itself && now.marked && u.Lot != "" {
			now.counted.add(g.String(), u.Lot, 1)
		}
	}
	if now.parent != a.parent || now.party != a.party || !slices.Equal(now.counted, a.counted) {
		c.carry(a, -1)
		c.carry(&now, 1)
	}
	*a = now
}

// carry adds what a thing counts to its container or party, or takes it away.
func (c *asideCount) carry(a *aside, sign int64) {
	switch {
	case len(a.counted) == 0:
	case a.parent != "":
		p := c.get(a.parent)
		if p == nil {
			p = &aside{}
			c.things[a.parent] = p
		}
		p.inside = slices.Clone(p.inside)
		p.inside.addAll(a.counted, sign)
		c.due[a.parent] = true
	case a.party != "":
		for _, u := range a.counted {
			c.onHand[asideOnHandPrefix+u.gtin+"\x00"+u.lot+"\x00"+a.party] += sign * u.units
		}
	}
}

// write puts what has changed.
func (c *asideCount) write(p *projection) error {
	for key, a := range c.things {
		at := asidePrefix + key
		stored, was := c.stored.Get(at)
		switch {
		case !a.empty():
			if slices.ContainsFunc(slices.Concat(a.inside, a.counted), func(u lotUnits) bool { return u.units < 0 }) {
				return fmt.Errorf("index: fewer than no units of %s are set aside", key)
			}
			if b := a.encode(); !was || string(b) != string(stored) {
				p.look.Put(at, b)
			}
		case was:
			p.look.Delete(at)
		}
	}
	for at, d := range c.onHand {
		if d == 0 {
			continue
		}
		n := d
		if b, ok := c.stored.Get(at); ok {
			n += int64(binary.BigEndian.Uint64(b))
		}
		switch {
		case n < 0:
			return fmt.Errorf("index: fewer than no units are set aside at %q", at)
		case n == 0:
			p.look.Delete(at)
		default:
			p.look.Put(at, canonical.U64(nil, uint64(n)))
		}
	}
	return nil
}
