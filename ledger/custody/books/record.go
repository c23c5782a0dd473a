package books

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
//	i/<container>                    Sums of what is inside
//	n/<LGTIN key>\x00<party>\x00<state>  how many units of the lot the party has in that state
//	s/<position>                     shipment: from, to, when, how many, how many outstanding, of which lots
//	t/<position>                     the keys a shipment named
const (
	unitAt     = "u/"
	childAt    = "c/"
	contentsAt = "i/"
	totalsAt   = "n/"
	lotAt      = "l/"
	shipmentAt = "s/"
	shippedAt  = "t/"
	nul        = "\x00"
)

var present = []byte{1}

// Overlays as bits of a record, in the order in which they are listed.
const (
	OverlayQuarantined uint16 = 1 << iota
	OverlaySuspect
	OverlayIllegitimate
	OverlayRecalled
	OverlayExpired
	OverlayDamaged
	OverlayReturned
	OverlayHold
	// NamedByRecall is not an overlay that effects tell: an open recall names this unit (package registry).
	NamedByRecall
)

// OverlayNames are the words for the overlays, in the order of their bits.
var OverlayNames = []string{"quarantined", "suspect", "illegitimate", "recalled", "expired", "damaged", "returned", "hold"}

// OverlayList names the overlays among bits, sorted.
func OverlayList(bits uint16) []string {
	var list []string
	for i, name := range OverlayNames {
		if bits&(1<<i) != 0 {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// Bits of a record besides what Unit shows.
const (
	Provisional uint8 = 1 << iota
	Implied           // a container known only from being packed: commissioning it later is no repetition
	HearsayLink       // its parent was told by somebody else than the party that packed it
	Named             // in transit: its shipment names it (and not only a container around it)
	Copy              // it is suspect by TWO_PLACES alone
)

// Record is a unit or container as stored. Inside a container only state, birth, overlays and parent count.
//
// A rule that changes a field says so with Touch. What other books count is changed by their methods only: Lot, Expiry and Made
// (Label), Parent and Packed (Enter, Exit), Overlays (SetMark, Alter) and Trips (Travelled, Cancelled).
type Record struct {
	Key       string
	Flags     uint8 // Provisional, Implied, HearsayLink, Named
	State     UnitState
	Phase     Phase
	Overlays  uint16 // bits
	Height    uint8  // levels of containers that were ever inside
	Lot       string
	Expiry    string
	Parent    string
	Holder    string
	Owner     string
	To        string
	Place     string
	Shipment  canonical.Position
	Since     canonical.Position
	Born      canonical.Position
	Made      int64                // event time of the birth record, ms
	Packed    canonical.Position   // event that put it into its container
	Trips     []canonical.Position // shipments that sold it, alone or as a container, oldest first
	first     []int64              // per trip: the units inside for which it is the earliest sale between its two parties
	last      canonical.Position   // event that last changed it
	used      canonical.Position   // event that last changed what is inside it, or read its custody for that
	Recorders []string             // parties that have themselves recorded something about it
	Owed      []string             // parties that received it before its shipment was recorded by the sender
	Against   []uint8              // per owed: the faults that the thing had when it was received
	OutOf     string               // cases under a recall when it left them, each as " " and key: recalled as long as one of them is

	stored string     // as read
	marked uint16     // overlays as read
	dirty  bool       // this event changes it
	leaned bool       // this event takes something out of it or puts something into it
	quiet  bool       // an event is taken back: last and used are set already
	gone   bool       // not born any more
	slot   slot       // where the totals of its lot count it, as long as it is in no container
	inside *Sums      // once it is asked or changed; see Books.in
	self   [1]*Record // a chain of one
}

// maxTrips is how many sales of a thing are remembered, the latest ones.
const maxTrips = 32

// Is says that the record has a flag, or one of several.
func (r *Record) Is(bit uint8) bool { return r.Flags&bit != 0 }

// Set sets or clears flags.
func (r *Record) Set(bit uint8, on bool) {
	r.Flags &^= bit
	if on {
		r.Flags |= bit
	}
}

func (r *Record) encode() []byte {
	size := 170 + 24*len(r.Trips) + len(r.Lot) + len(r.Parent) + len(r.Place) + len(r.Holder) + len(r.Owner) + len(r.To)
	for _, p := range r.Recorders {
		size += 1 + len(p)
	}
	b := make([]byte, 0, size)
	b = append(b, r.Flags, uint8(r.State), uint8(r.Phase))
	b = append(canonical.U16(b, r.Overlays), r.Height)
	b = canonical.Str8(b, r.Lot)
	b = canonical.Str8(b, r.Expiry)
	b = canonical.Str16(b, r.Parent)
	b = canonical.Str8(b, r.Holder)
	b = canonical.Str8(b, r.Owner)
	b = canonical.Str8(b, r.To)
	b = canonical.Str16(b, r.Place)
	b = r.Shipment.Append(b)
	b = r.Since.Append(b)
	b = r.Born.Append(b)
	b = canonical.I64(b, r.Made)
	b = r.Packed.Append(b)
	b = r.used.Append(r.last.Append(b))
	b = canonical.U16(b, uint16(len(r.Trips)))
	for i, p := range r.Trips {
		b = canonical.I64(p.Append(b), r.first[i])
	}
	for _, list := range [][]string{r.Recorders, r.Owed} {
		b = canonical.U16(b, uint16(len(list)))
		for _, s := range list {
			b = canonical.Str8(b, s)
		}
	}
	return canonical.Str16(append(b, r.Against...), r.OutOf)
}

// decodeRecord reads a record. Its texts share the memory of what it is read from.
func decodeRecord(key, stored string) *Record {
	r := &Record{}
	r.decode(key, stored)
	return r
}

func (r *Record) decode(key, stored string) {
	d := canonical.NewTextReader(stored)
	r.Key, r.Flags, r.State, r.Phase, r.Overlays, r.Height = key, d.U8(), UnitState(d.U8()), Phase(d.U8()), d.U16(), d.U8()
	r.Lot, r.Expiry, r.Parent = d.Text(1), d.Text(1), d.Text(2)
	r.Holder, r.Owner, r.To = d.Text(1), d.Text(1), d.Text(1)
	r.Place = d.Text(2)
	r.Shipment, r.Since, r.Born = d.Position(), d.Position(), d.Position()
	r.Made, r.Packed = d.I64(), d.Position()
	r.last, r.used = d.Position(), d.Position()
	for n := d.U16(); n > 0 && d.Len() > 0; n-- {
		r.Trips, r.first = append(r.Trips, d.Position()), append(r.first, d.I64())
	}
	r.Recorders, r.Owed = d.Texts(2, 1), d.Texts(2, 1)
	for range r.Owed {
		r.Against = append(r.Against, d.U8())
	}
	r.OutOf = d.Text(2)
	if d.Damaged() {
		panic("books: damaged record unit " + key)
	}
}

// Read returns the record of a thing, nil if it has none.
func Read(v state.View, key string) *Record { return readRecord(v, unitAt+key) }

// Each calls fn for every record, until it returns false.
func Each(v state.View, fn func(*Record) bool) {
	v.Scan(unitAt, func(k string, b []byte) bool { return fn(decodeRecord(k[len(unitAt):], string(b))) })
}

// readRecord reads what is stored at unitAt + key text.
func readRecord(v state.View, at string) *Record {
	b, ok := v.Get(at)
	if !ok {
		return nil
	}
	r := &Record{}
	r.read(at, b)
	return r
}

// read is what is stored at unitAt + key text.
func (r *Record) read(at string, b []byte) {
	r.stored = string(b)
	r.decode(at[len(unitAt):], r.stored)
	r.marked = r.Overlays
}

func (r *Record) unit() Unit {
	return Unit{
		Key: MustKey(r.Key), State: r.State, Lot: r.Lot, Expiry: r.Expiry, Parent: MustKey(r.Parent),
		Phase: r.Phase, Holder: r.Holder, Owner: r.Owner, To: r.To, Place: r.Place, Shipment: r.Shipment,
		Provisional: r.Is(Provisional), Overlays: OverlayList(r.Overlays), Since: r.Since, Born: r.Born,
		Recorders: r.Recorders, Owed: r.Owed,
	}
}

// inLot says whether a unit is in a lot by the birth record at a position. One that was born again since, relayed birth
// records being replaced by the maker's, is in the lot by that: old lists need not be changed.
func (r *Record) inLot(lot string, born canonical.Position) bool {
	return r.Lot == lot && r.Born == born
}

// BirthsAt is where the serials that the event at a position put into a lot are listed.
func BirthsAt(gtin, lot string, pos canonical.Position) string {
	return Under(lotAt+LGTIN(gtin, lot)+nul, pos)
}

// Shipment is what one shipping event set on its way.
type Shipment struct {
	Pos         canonical.Position
	From, To    string
	EventTime   int64 // event time
	Outstanding uint32
	Short       bool               // part of it has been received
	Hearsay     bool               // told by somebody else than the sender
	Returns     []string           // numbers of the return authorisations; a shipment with any is a return
	lots        []LotSum           // units still on their way with it, by lot
	Last        canonical.Position // event that last changed it
	counted     bool               // short, as the totals of those lots have it
	stored      string             // as read
	dirty       bool
	quiet, gone bool // as of records
}

func (s *Shipment) encode() []byte {
	size := 48 + len(s.From) + len(s.To)
	for i := range s.lots {
		size += 10 + len(s.lots[i].GTIN) + len(s.lots[i].Lot)
	}
	b := canonical.Str8(make([]byte, 0, size), s.From)
	b = canonical.Str8(b, s.To)
	b = canonical.U32(canonical.I64(b, s.EventTime), s.Outstanding)
	b = append(b, AsByte(s.Short), AsByte(s.Hearsay))
	b = PutKeys(s.Last.Append(b), s.Returns)
	b = canonical.U32(b, uint32(len(s.lots)))
	for i := range s.lots {
		b = canonical.Str8(canonical.Str8(b, s.lots[i].GTIN), s.lots[i].Lot)
		b = canonical.U64(b, uint64(s.lots[i].Units))
	}
	return b
}

func readShipment(v state.View, pos canonical.Position) *Shipment {
	b, ok := v.Get(AtPosition(shipmentAt, pos))
	if !ok {
		return nil
	}
	return decodeShipment(pos, string(b))
}

// decodeShipment reads a shipment. Its texts share the memory of what it is read from.
func decodeShipment(pos canonical.Position, stored string) *Shipment {
	d := canonical.NewTextReader(stored)
	s := &Shipment{Pos: pos, From: d.Text(1), To: d.Text(1), EventTime: d.I64(), Outstanding: d.U32(), stored: stored}
	s.Short, s.Hearsay = d.U8() == 1, d.U8() == 1
	s.counted, s.Last = s.Short, d.Position()
	s.Returns = d.Texts(4, 2)
	if n := min(int(d.U32()), d.Len()/10); n > 0 {
		s.lots = make([]LotSum, n)
	}
	for i := range s.lots {
		s.lots[i] = LotSum{GTIN: d.Text(1), Lot: d.Text(1), Units: d.I64()}
	}
	if d.Damaged() {
		panic("books: damaged record shipment " + pos.String())
	}
	return s
}

// ReadShipped lists the keys that a shipment named.
func ReadShipped(v state.View, pos canonical.Position) []string {
	b, ok := v.Get(AtPosition(shippedAt, pos))
	if !ok {
		return nil
	}
	d := canonical.NewReader(b)
	keys := ReadKeys(d)
	Damaged(d, "shipment "+pos.String())
	return keys
}

// ChildrenOf lists what is directly inside a container, in key order.
func ChildrenOf(v state.View, parent string, fn func(string) bool) {
	at := childAt + parent + nul
	v.Scan(at, func(k string, _ []byte) bool { return fn(strings.TrimPrefix(k, at)) })
}
