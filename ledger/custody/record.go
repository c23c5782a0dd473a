package custody

import (
	"slices"
	"strings"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/state"
)

// Storage (package state: free to change, never hashed). Keys are built from key texts, which contain no NUL.
//
//	u/<key>                          record
//	c/<parent>\x00<child>            what is inside what
//	l/<LGTIN key>\x00<position>      the serials that a birth record put into a lot; see inLot
//	i/<container>                    what is inside, as sums; see contents.go
//	n/<LGTIN key>\x00<party>\x00<state>  how many units of the lot the party has in that state; see totals.go
//	s/<position>                     shipment: from, to, when, how many, how many outstanding, of which lots
//	t/<position>                     the keys a shipment named
const (
	unitAt     = "u/"
	childAt    = "c/"
	lotAt      = "l/"
	shipmentAt = "s/"
	shippedAt  = "t/"
	nul        = "\x00"
)

var present = []byte{1}

// Overlays as bits of a record, in the order in which they are listed.
const (
	overlayQuarantined uint16 = 1 << iota
	overlaySuspect
	overlayIllegitimate
	overlayRecalled
	overlayExpired
	overlayDamaged
	overlayReturned
	overlayHold
	// namedByRecall is not an overlay that effects tell: an open recall names this unit (package registry).
	namedByRecall
)

var overlayNames = []string{"quarantined", "suspect", "illegitimate", "recalled", "expired", "damaged", "returned", "hold"}

func overlayList(bits uint16) []string {
	var list []string
	for i, name := range overlayNames {
		if bits&(1<<i) != 0 {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// Bits of a record besides what Unit shows.
const (
	bitProvisional uint8 = 1 << iota
	bitImplied           // a container known only from being packed: commissioning it later is no repetition
	bitHearsayLink       // its parent was told by somebody else than the party that packed it
	bitNamed             // in transit: its shipment names it (and not only a container around it)
	bitCopy              // it is suspect by TWO_PLACES alone
)

// record is a unit or container as stored. Inside a container only state, birth, overlays and parent count.
type record struct {
	key       string
	bits      uint8
	state     UnitState
	phase     Phase
	overlays  uint16
	height    uint8 // levels of containers that were ever inside
	lot       string
	expiry    string
	parent    string
	holder    string
	owner     string
	to        string
	place     string
	shipment  canonical.Position
	since     canonical.Position
	born      canonical.Position
	made      int64                // event time of the birth record, ms
	packed    canonical.Position   // event that put it into its container
	trips     []canonical.Position // shipments that sold it, alone or as a container, oldest first
	first     []int64              // per trip: the units inside for which it is the earliest sale between its two parties
	last      canonical.Position   // event that last changed it
	used      canonical.Position   // event that last changed what is inside it, or read its custody for that
	recorders []string
	owed      []string
	against   []uint8 // per owed: the faults that the thing had when it was received
	outOf     string  // cases under a recall when it left them, each as " " and key: it is recalled as long as one of them is

	stored string     // as read
	marked uint16     // overlays as read
	dirty  bool       // this event changes it
	leaned bool       // this event takes something out of it or puts something into it
	quiet  bool       // an event is taken back: last and used are set already
	gone   bool       // not born any more
	slot   slot       // where the totals of its lot count it, as long as it is in no container
	inside *contents  // once it is asked or changed; see books.in
	self   [1]*record // a chain of one
}

// maxTrips is how many sales of a thing are remembered, the latest ones.
const maxTrips = 32

func (r *record) is(bit uint8) bool { return r.bits&bit != 0 }

func (r *record) set(bit uint8, on bool) {
	r.bits &^= bit
	if on {
		r.bits |= bit
	}
}

func (r *record) encode() []byte {
	size := 170 + 24*len(r.trips) + len(r.lot) + len(r.parent) + len(r.place) + len(r.holder) + len(r.owner) + len(r.to)
	for _, p := range r.recorders {
		size += 1 + len(p)
	}
	b := make([]byte, 0, size)
	b = append(b, r.bits, uint8(r.state), uint8(r.phase))
	b = append(canonical.U16(b, r.overlays), r.height)
	b = canonical.Str8(b, r.lot)
	b = canonical.Str8(b, r.expiry)
	b = canonical.Str16(b, r.parent)
	b = canonical.Str8(b, r.holder)
	b = canonical.Str8(b, r.owner)
	b = canonical.Str8(b, r.to)
	b = canonical.Str16(b, r.place)
	b = r.shipment.Append(b)
	b = r.since.Append(b)
	b = r.born.Append(b)
	b = canonical.I64(b, r.made)
	b = r.packed.Append(b)
	b = r.used.Append(r.last.Append(b))
	b = canonical.U16(b, uint16(len(r.trips)))
	for i, p := range r.trips {
		b = canonical.I64(p.Append(b), r.first[i])
	}
	for _, list := range [][]string{r.recorders, r.owed} {
		b = canonical.U16(b, uint16(len(list)))
		for _, s := range list {
			b = canonical.Str8(b, s)
		}
	}
	return canonical.Str16(append(b, r.against...), r.outOf)
}

// decodeRecord reads a record. Its texts share the memory of what it is read from.
func decodeRecord(key, stored string) *record {
	r := &record{}
	r.decode(key, stored)
	return r
}

func (r *record) decode(key, stored string) {
	d := canonical.NewTextReader(stored)
	r.key, r.bits, r.state, r.phase, r.overlays, r.height = key, d.U8(), UnitState(d.U8()), Phase(d.U8()), d.U16(), d.U8()
	r.lot, r.expiry, r.parent = d.Text(1), d.Text(1), d.Text(2)
	r.holder, r.owner, r.to = d.Text(1), d.Text(1), d.Text(1)
	r.place = d.Text(2)
	r.shipment, r.since, r.born = d.Position(), d.Position(), d.Position()
	r.made, r.packed = d.I64(), d.Position()
	r.last, r.used = d.Position(), d.Position()
	for n := d.U16(); n > 0 && d.Len() > 0; n-- {
		r.trips, r.first = append(r.trips, d.Position()), append(r.first, d.I64())
	}
	r.recorders, r.owed = d.Texts(2, 1), d.Texts(2, 1)
	for range r.owed {
		r.against = append(r.against, d.U8())
	}
	r.outOf = d.Text(2)
	if d.Damaged() {
		panic("custody: damaged record unit " + key)
	}
}

// readRecord reads what is stored at unitAt + key text.
func readRecord(v state.View, at string) *record {
	b, ok := v.Get(at)
	if !ok {
		return nil
	}
	r := &record{}
	r.read(at, b)
	return r
}

// read is what is stored at unitAt + key text.
func (r *record) read(at string, b []byte) {
	r.stored = string(b)
	r.decode(at[len(unitAt):], r.stored)
	r.marked = r.overlays
}

func (r *record) unit() Unit {
	return Unit{
		Key: mustKey(r.key), State: r.state, Lot: r.lot, Expiry: r.expiry, Parent: mustKey(r.parent),
		Phase: r.phase, Holder: r.holder, Owner: r.owner, To: r.to, Place: r.place, Shipment: r.shipment,
		Provisional: r.is(bitProvisional), Overlays: overlayList(r.overlays), Since: r.since, Born: r.born,
		Recorders: r.recorders, Owed: r.owed,
	}
}

// inLot says whether a unit is in a lot by the birth record at a position. One that was born again since, relayed birth
// records being replaced by the maker's, is in the lot by that: old lists need not be changed.
func (r *record) inLot(lot string, born canonical.Position) bool {
	return r.lot == lot && r.born == born
}

// birthsAt is where the serials that the event at a position put into a lot are listed.
func birthsAt(gtin, lot string, pos canonical.Position) string {
	return under(lotAt+lgtin(gtin, lot)+nul, pos)
}

// shipment is what one shipping event set on its way.
type shipment struct {
	pos         canonical.Position
	from, to    string
	ms          int64 // event time
	outstanding uint32
	short       bool               // part of it has been received
	hearsay     bool               // told by somebody else than the sender
	returns     []string           // numbers of the return authorisations; a shipment with any is a return
	lots        []stock            // units still on their way with it, by lot
	last        canonical.Position // event that last changed it
	counted     bool               // short, as the totals of those lots have it
	stored      string             // as read
	dirty       bool
	quiet, gone bool // as of records
}

func (s *shipment) encode() []byte {
	size := 48 + len(s.from) + len(s.to)
	for i := range s.lots {
		size += 10 + len(s.lots[i].gtin) + len(s.lots[i].lot)
	}
	b := canonical.Str8(make([]byte, 0, size), s.from)
	b = canonical.Str8(b, s.to)
	b = canonical.U32(canonical.I64(b, s.ms), s.outstanding)
	b = append(b, asByte(s.short), asByte(s.hearsay))
	b = putKeys(s.last.Append(b), s.returns)
	b = canonical.U32(b, uint32(len(s.lots)))
	for i := range s.lots {
		b = canonical.Str8(canonical.Str8(b, s.lots[i].gtin), s.lots[i].lot)
		b = canonical.U64(b, uint64(s.lots[i].units))
	}
	return b
}

func readShipment(v state.View, pos canonical.Position) *shipment {
	b, ok := v.Get(atPosition(shipmentAt, pos))
	if !ok {
		return nil
	}
	return decodeShipment(pos, string(b))
}

// decodeShipment reads a shipment. Its texts share the memory of what it is read from.
func decodeShipment(pos canonical.Position, stored string) *shipment {
	d := canonical.NewTextReader(stored)
	s := &shipment{pos: pos, from: d.Text(1), to: d.Text(1), ms: d.I64(), outstanding: d.U32(), stored: stored}
	s.short, s.hearsay = d.U8() == 1, d.U8() == 1
	s.counted, s.last = s.short, d.Position()
	s.returns = d.Texts(4, 2)
	if n := min(int(d.U32()), d.Len()/10); n > 0 {
		s.lots = make([]stock, n)
	}
	for i := range s.lots {
		s.lots[i] = stock{gtin: d.Text(1), lot: d.Text(1), units: d.I64()}
	}
	if d.Damaged() {
		panic("custody: damaged record shipment " + pos.String())
	}
	return s
}

func readShipped(v state.View, pos canonical.Position) []string {
	b, ok := v.Get(atPosition(shippedAt, pos))
	if !ok {
		return nil
	}
	d := canonical.NewReader(b)
	keys := readKeys(d)
	damaged(d, "shipment "+pos.String())
	return keys
}

func childrenOf(v state.View, parent string, fn func(string) bool) {
	at := childAt + parent + nul
	v.Scan(at, func(k string, _ []byte) bool { return fn(strings.TrimPrefix(k, at)) })
}
