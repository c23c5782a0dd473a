package custody

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/custody/books"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/verdict"
	"verilot.dev/ledger/wire"
)

// MaxNote is the most bytes that the note of a resolution may have.
const MaxNote = 1000

// Outcome is what came of a finding, as the resolution that closes it says. Its words are fixed: they are stored and compared.
type Outcome string

// The outcomes.
const (
	Cleared          Outcome = "cleared"
	DataCorrected    Outcome = "data_corrected"
	Acknowledged     Outcome = "acknowledged"
	GoodsFound       Outcome = "goods_found"
	GoodsLost        Outcome = "goods_lost"
	GoodsReturned    Outcome = "goods_returned"
	GoodsDestroyed   Outcome = "goods_destroyed"
	LicenceConfirmed Outcome = "licence_confirmed"
	NotOurs          Outcome = "not_ours"
	Illegitimate     Outcome = "illegitimate"
)

// outcomes are all words, each with what it means to people.
var outcomes = []struct {
	word    Outcome
	meaning string
}{
	{Cleared, "It was looked into, and nothing is wrong with the goods."},
	{DataCorrected, "A record was wrong or missing. It has been put right, or both sides know which one counts."},
	{Acknowledged, "It is right as recorded, and nothing more is to be done."},
	{GoodsFound, "The missing goods have been found."},
	{GoodsLost, "The missing goods are gone. The company that had them reports them lost or stolen."},
	{GoodsReturned, "The goods went back to the company that they came from, or on to the one that they are for."},
	{GoodsDestroyed, "The goods are destroyed, or have been given away for destruction."},
	{LicenceConfirmed, "The company was authorized on that day, and its licence is registered now."},
	{NotOurs, "The company that the record names had no part in it."},
	{Illegitimate, "The thing is a copy, a fake, or stolen. It is marked illegitimate and stays so."},
}

// Meaning is a sentence for people; empty for a word that is no outcome.
func (o Outcome) Meaning() string {
	for _, x := range outcomes {
		if x.word == o {
			return x.meaning
		}
	}
	return ""
}

// Closer is somebody who may close a finding, seen from the finding.
type Closer string

// The closers.
const (
	Author    Closer = "author"     // the publisher of the event; only as long as nothing is held
	OtherSide Closer = "other side" // FindingRecord.Other
	HolderNow Closer = "holder"     // the holder of the thing now
	Maker     Closer = "maker"      // the owner of the company prefix in the thing's number
	Regulator Closer = "regulator"  // a party registered as such
	Authority Closer = "authority"  // a party registered as such
)

// resolution is how a finding of one code may be closed.
type resolution struct {
	outcomes []Outcome
	closers  []Closer
}

// Who closes what. The author of a flag that turns into a hold by itself is none of them, and neither is a holder to whom the
// author could pass the goods before it does.
var (
	ofFlags  = []Closer{Author, OtherSide, HolderNow, Maker, Regulator}
	ofHolds  = []Closer{OtherSide, HolderNow, Regulator}
	ofOrigin = []Closer{OtherSide, Maker, Regulator}
	ofCopies = []Closer{Maker, Regulator}
)

// resolutions says, per code that can be a finding, how it ends and who may say so.
var resolutions = map[verdict.Code]resolution{
	verdict.AggAfterShip:           {[]Outcome{Acknowledged, DataCorrected}, ofFlags},
	verdict.AggDeleteNoAdd:         {[]Outcome{Acknowledged, DataCorrected}, ofFlags},
	verdict.AggHolderDiff:          {[]Outcome{Cleared, DataCorrected, GoodsReturned}, ofHolds},
	verdict.AggMixedLot:            {[]Outcome{Acknowledged, DataCorrected}, ofFlags},
	verdict.AggUnknownChild:        {[]Outcome{Cleared, DataCorrected, Illegitimate}, ofCopies},
	verdict.CBVUnknown:             {[]Outcome{Acknowledged, DataCorrected}, ofFlags},
	verdict.ChildEventWhilePacked:  {[]Outcome{Acknowledged, DataCorrected}, ofFlags},
	verdict.DestroyByNonHolder:     {[]Outcome{Cleared, DataCorrected}, ofHolds},
	verdict.DispenseByNonHolder:    {[]Outcome{Cleared, DataCorrected, Illegitimate}, ofOrigin},
	verdict.DispenseTwice:          {[]Outcome{Cleared, DataCorrected, Illegitimate}, ofCopies},
	verdict.DoubleShip:             {[]Outcome{Cleared, DataCorrected, GoodsReturned}, ofHolds},
	verdict.ErrdeclBreaksChain:     {[]Outcome{Acknowledged, DataCorrected}, ofFlags},
	verdict.ExpiryMismatch:         {[]Outcome{Cleared, DataCorrected, Illegitimate}, ofOrigin},
	verdict.FutureEvent:            {[]Outcome{Acknowledged, DataCorrected}, ofFlags},
	verdict.GLNUnknown:             {[]Outcome{Acknowledged, DataCorrected}, ofFlags},
	verdict.GTINUnknown:            {[]Outcome{Acknowledged, DataCorrected}, ofFlags},
	verdict.HoldByNonHolder:        {[]Outcome{Cleared, DataCorrected}, ofFlags},
	verdict.HoldRemains:            {[]Outcome{Acknowledged}, ofFlags},
	verdict.LotMismatch:            {[]Outcome{Cleared, DataCorrected, Illegitimate}, ofOrigin},
	verdict.LotOverrun:             {[]Outcome{Acknowledged, DataCorrected}, ofFlags},
	verdict.LotUnregistered:        {[]Outcome{Acknowledged, DataCorrected}, ofFlags},
	verdict.NDCMismatch:            {[]Outcome{Acknowledged, DataCorrected}, ofFlags},
	verdict.NotCommissioned:        {[]Outcome{Cleared, DataCorrected, Illegitimate}, ofCopies},
	verdict.PartnerNotATP:          {[]Outcome{LicenceConfirmed, GoodsReturned}, []Closer{Regulator, Authority}},
	verdict.QtyOver:                {[]Outcome{Acknowledged, DataCorrected, GoodsReturned}, ofFlags},
	verdict.QtyShort:               {[]Outcome{GoodsFound, GoodsLost, DataCorrected}, ofFlags},
	verdict.ReceiveExpired:         {[]Outcome{GoodsReturned, GoodsDestroyed, DataCorrected}, ofFlags},
	verdict.ReceiveNoShip:          {[]Outcome{Cleared, DataCorrected, GoodsReturned, Illegitimate}, ofOrigin},
	verdict.ReceiveRecalled:        {[]Outcome{GoodsReturned, GoodsDestroyed, Cleared}, ofFlags},
	verdict.Relayed:                {[]Outcome{Acknowledged, DataCorrected, NotOurs}, ofFlags},
	verdict.ReturnAuthMismatch:     {[]Outcome{Acknowledged, DataCorrected}, ofFlags},
	verdict.ReturnNoSale:           {[]Outcome{Cleared, DataCorrected, GoodsReturned, Illegitimate}, ofOrigin},
	verdict.ReturnWrongParty:       {[]Outcome{Acknowledged, DataCorrected, GoodsReturned}, ofFlags},
	verdict.SelfShip:               {[]Outcome{Acknowledged, DataCorrected}, ofFlags},
	verdict.ShipBeforeCommission:   {[]Outcome{Cleared, DataCorrected}, ofOrigin},
	verdict.ShipByNonHolder:        {[]Outcome{Cleared, DataCorrected, GoodsReturned}, ofHolds},
	verdict.ShipChildOutsideParent: {[]Outcome{Cleared, DataCorrected, GoodsReturned}, ofHolds},
	verdict.ShipExpired:            {[]Outcome{GoodsReturned, GoodsDestroyed, DataCorrected}, ofOrigin},
	verdict.ShipQuarantined:        {[]Outcome{Cleared, DataCorrected, GoodsReturned}, ofOrigin},
	verdict.ShipRecalled:           {[]Outcome{GoodsReturned, GoodsDestroyed, Cleared}, ofOrigin},
	verdict.ShipSuspect:            {[]Outcome{Cleared, GoodsReturned, Illegitimate}, ofOrigin},
	verdict.ShipUnreleasedReturn:   {[]Outcome{Cleared, DataCorrected, GoodsReturned}, ofOrigin},
	verdict.TheftReappears:         {[]Outcome{Cleared, GoodsReturned, Illegitimate}, ofOrigin},
	verdict.TwoPlaces:              {[]Outcome{Cleared, DataCorrected, Illegitimate}, ofCopies},
	verdict.VoidNoShip:             {[]Outcome{Acknowledged, DataCorrected}, ofFlags},
	verdict.WrongReceiver:          {[]Outcome{Cleared, DataCorrected, GoodsReturned}, ofOrigin},
}

// Outcomes lists what may come of a finding; nil for a code that is never one.
func Outcomes(code verdict.Code) []Outcome { return slices.Clone(resolutions[code].outcomes) }

// Closers lists who may close a finding, seen from it. Two rules stand above the list: what holds goods is never closed by the
// party whose event raised it, and only the maker or a regulator calls a thing illegitimate.
func Closers(code verdict.Code) []Closer { return slices.Clone(resolutions[code].closers) }

// MayResolve says whether a party may close a finding about key (none: about the event itself) with an outcome.
func MayResolve(v state.View, party string, key gs1.Key, f *FindingRecord, outcome Outcome) bool {
	p, ok := registry.Registry{View: v}.Standing(party)
	return ok && !p.Suspended && slices.Contains(Outcomes(f.Code), outcome) && f.State != block.Closed &&
		mayResolve(v, &p, key, f, outcome)
}

func mayResolve(v state.View, p *registry.Party, key gs1.Key, f *FindingRecord, outcome Outcome) bool {
	closers := resolutions[f.Code].closers
	if p.ID == f.By && (f.holds() || !slices.Contains(closers, Author)) {
		return false
	}
	return slices.ContainsFunc(closers, func(c Closer) bool {
		if outcome == Illegitimate && c != Maker && c != Regulator {
			return false
		}
		switch c {
		case Author:
			return p.ID == f.By
		case OtherSide:
			return p.ID == f.Other
		case HolderNow:
			u, _, ok := Locate(v, key)
			return ok && p.ID == u.Holder
		case Maker:
			owner, ok := registry.Registry{View: v}.OwnerOfKey(key)
			return ok && p.ID == owner
		case Regulator, Authority:
			return p.Has(string(c))
		}
		return false
	})
}

// Resolved is what a resolution says of the findings that it closes.
type Resolved struct {
	By      string // publisher
	Outcome Outcome
	Note    string
}

// ResolvedAt returns the resolution at a position: the cause of a finding's last change, if a party closed it.
func ResolvedAt(v state.View, pos canonical.Position) (Resolved, bool) {
	b, ok := v.Get(books.AtPosition(resolvedAt, pos))
	if !ok {
		return Resolved{}, false
	}
	d := canonical.NewReader(b)
	r := Resolved{By: string(d.Str8()), Outcome: Outcome(d.Str8()), Note: string(d.Str16())}
	books.Damaged(d, "resolution "+pos.String())
	return r, true
}

// closedBy returns how a finding was closed, if a party closed it.
func closedBy(v state.View, f *FindingRecord) (Resolved, canonical.Position, bool) {
	if f.State != block.Closed || len(f.Changes) == 0 {
		return Resolved{}, canonical.Position{}, false
	}
	cause := f.Changes[len(f.Changes)-1].Cause
	r, ok := ResolvedAt(v, cause)
	return r, cause, ok
}

// judgeResolution closes a finding for the things that the item names, or for the event itself.
func judgeResolution(st state.Store, c Context, publisher *registry.Party, it *wire.Item, m *registry.Resolution) Judgement {
	code, outcome := verdict.Code(m.Code), Outcome(m.Outcome)
	if no := checkResolution(m); no != nil {
		return *no
	}
	pos := canonical.Position{Height: m.Height, Entry: m.Entry, Item: m.Item}
	keys, no := namedBy(m.Units)
	if no != nil {
		return *no
	}
	if len(keys) == 0 {
		keys = []string{block.EventSubject(pos)}
		if _, ok := readFinding(st, keys[0], pos, code); !ok {
			return refuse(verdict.MissingField, "%s of %s is no open finding about the event itself: name the units that it is about", code, pos)
		}
	}

	list := make([]closing, 0, len(keys))
	said := Resolved{By: c.Party, Outcome: outcome, Note: m.Note}
	var before *canonical.Position // where the publisher has closed it in the same way
	for _, k := range keys {
		f, ok := readFinding(st, k, pos, code)
		if !ok {
			return refuse(verdict.FindingUnknown, "%s of %s is no finding about %s", code, pos, k)
		}
		if f.State != block.Closed {
			list = append(list, closing{k, f})
			continue
		}
		was, cause, ok := closedBy(st, &f)
		if !ok || was.By != said.By || was.Outcome != said.Outcome {
			return refuse(verdict.FindingUnknown, "%s of %s is closed already for %s", code, pos, k)
		}
		if before == nil {
			before = &cause
		}
	}
	switch {
	case before != nil && len(list) == 0:
		return Judgement{
			Verdict: block.Duplicate, Code: verdict.DupEvent, Related: before,
			Detail: fmt.Sprintf("%s has already closed this finding with the outcome %s, at %s", c.Party, outcome, *before),
		}
	case before != nil:
		return refuse(verdict.FindingUnknown, "%s of %s is closed already for some of the units, at %s: name the others only", code, pos, *before)
	}
	for i := range list {
		var key gs1.Key
		if len(m.Units) > 0 {
			key = books.MustKey(list[i].key)
		}
		if !mayResolve(st, publisher, key, &list[i].f, outcome) {
			return refuse(verdict.ResolveForbidden, "%s may not close %s of %s for %s as %s: %s", c.Party, code, pos, list[i].key, outcome, whoMay(code, &list[i].f))
		}
	}

	j := newJudging(st, c, it, len(list))
	j.Silent = true
	j.close(list)
	j.conclude(code, outcome, list)
	j.Write()
	for _, c := range j.closed {
		putFinding(st, c.key, c.f)
	}
	st.Put(books.AtPosition(resolvedAt, c.Pos), said.encode())
	return Judgement{Verdict: block.Accepted, Amendments: j.amendments, Effects: j.effects}
}

func (r *Resolved) encode() []byte {
	return canonical.Str16(canonical.Str8(canonical.Str8(nil, r.By), string(r.Outcome)), r.Note)
}

// checkResolution holds what can be said of a resolution before looking at the finding.
func checkResolution(m *registry.Resolution) *Judgement {
	var j Judgement
	row, ok := resolutions[verdict.Code(m.Code)]
	switch {
	case m.Code == "":
		j = refuse(verdict.MissingField, "a resolution names the code of the finding")
	case m.Outcome == "":
		j = refuse(verdict.MissingField, "a resolution has an outcome")
	case !ok:
		j = refuse(verdict.BadValue, "%s is no code of a finding", short(m.Code))
	case !slices.Contains(row.outcomes, Outcome(m.Outcome)):
		j = refuse(verdict.BadValue, "%s is no outcome of %s: it is one of %s", short(m.Outcome), m.Code, words(row.outcomes))
	case len(m.Note) > MaxNote:
		j = refuse(verdict.BadValue, "the note has %d bytes, at most %d are allowed", len(m.Note), MaxNote)
	case strings.ContainsRune(m.Note, 0):
		j = refuse(verdict.BadValue, "the note contains a NUL character")
	case len(m.Units) > wire.MaxUnits:
		j = refuse(verdict.BadValue, "a resolution names at most %d units", wire.MaxUnits)
	default:
		return nil
	}
	return &j
}

func words[T ~string](list []T) string {
	texts := make([]string, len(list))
	for i, w := range list {
		texts[i] = string(w)
	}
	return strings.Join(texts, ", ")
}

// namedBy reads units as captured into key texts, each once.
func namedBy(units []string) ([]string, *Judgement) {
	keys := make([]string, 0, len(units))
	seen := make(map[string]bool, len(units))
	for _, s := range units {
		epc, err := gs1.ParseEPC(s)
		if err != nil {
			j := refuseFormat(err)
			return nil, &j
		}
		if k := epc.Key().String(); !seen[k] {
			seen[k] = true
			keys = append(keys, k)
		}
	}
	return keys, nil
}

// whoMay says who may close a finding, for people.
func whoMay(code verdict.Code, f *FindingRecord) string {
	s := "that is for one of " + words(resolutions[code].closers)
	if f.holds() {
		s += ", and not for " + f.By + ", whose event put it on hold"
	}
	return s
}

// conclude does what an outcome means for the things themselves, once the finding is closed.
func (j *judging) conclude(code verdict.Code, outcome Outcome, list []closing) {
	var keys []string
	for i := range list {
		keys = append(keys, list[i].key)
	}
	if outcome == Illegitimate {
		j.overlay(books.OverlayIllegitimate, true, keys)
		return
	}
	if code != verdict.TwoPlaces {
		return
	}
	// TWO_PLACES made them suspect as well. They are no longer, unless another one stands, one was found to be a copy, or a holder
	// called it suspect.
	genuine, _ := split(keys, func(k string) bool {
		if r := j.Get(k); r == nil || r.Overlays&books.OverlayIllegitimate != 0 || !r.Is(books.Copy) {
			return false
		}
		return !slices.ContainsFunc(findingsOf(j.st, k), func(f FindingRecord) bool {
			_, closing := j.closed[findingKey(k, f.Pos, f.Code)]
			return f.Code == verdict.TwoPlaces && f.State != block.Closed && !closing
		})
	})
	j.overlay(books.OverlaySuspect, false, genuine)
}

// holds says whether a finding keeps what it names on hold.
func (f *FindingRecord) holds() bool {
	return f.State != block.Closed && (f.Severity == block.Hold || f.State == block.Held)
}

// newFindings are the findings of this event as records, one per subject. It runs before anything is written, since the
// other side is often the party that had the thing before.
func (j *judging) newFindings() []closing {
	if len(j.findings) == 0 {
		return nil
	}
	var out []closing
	sides := j.sides()
	for _, f := range j.findings {
		r := FindingRecord{Pos: j.c.Pos, Code: f.Code, Severity: f.Severity, State: block.Open, By: j.c.Party}
		if f.Severity == block.Flag && slices.Contains(graced, f.Code) {
			r.Due = j.c.Time + j.c.Grace
		}
		if len(f.Subjects) == 0 {
			r.Other = sides.of("")
			out = append(out, closing{block.EventSubject(j.c.Pos), r})
		}
		for _, k := range f.Subjects {
			r.Other = sides.of(k.String())
			out = append(out, closing{k.String(), r})
		}
	}
	return out
}

// sides finds the other side of a finding: the first of these that is not the publisher. The party that had the thing before
// the event (of a claim the holder, of a receipt the sender); the actor of hearsay; the owner that the event names at its other
// end, or who has, or gets, the container into which something is packed; the party to which the thing was on its way.
type sides struct {
	j      *judging
	others []string // of the event, in this order
	around map[string]*books.Record
}

func (j *judging) sides() *sides {
	s := &sides{j: j, around: map[string]*books.Record{}}
	end := j.ev.Destination(epcis.OwningParty)
	if j.ev.Step() == epcis.StepReceiving {
		end = j.ev.Source(epcis.OwningParty)
	}
	party, err := j.names.party(end)
	if err != nil { // nothing is judged by it, so it may be anything
		party = ""
	}
	s.others = []string{j.actor, party}
	if parents := j.keys(commit.ParentID); len(parents) == 1 { // who has, or gets, what something was packed into
		if chain := s.before(parents[0]); len(chain) > 0 {
			top := chain[len(chain)-1]
			s.others = append(s.others, top.Holder, top.To)
		}
	}
	return s
}

func (s *sides) of(key string) string {
	var had, to string
	others := s.others
	if chain := s.before(key); len(chain) > 0 {
		top := chain[len(chain)-1]
		had, to = top.Holder, top.To
	}
	if key != "" && had == "" { // nobody had it: whom the event names is its author's choice
		others = others[:1]
	}
	for _, p := range slices.Concat([]string{had}, others, []string{to}) {
		if p != "" && p != s.j.c.Party {
			return p
		}
	}
	return ""
}

// before is the chain of a thing as stored before this event.
func (s *sides) before(key string) []*books.Record {
	if r := s.j.Known(key); key == "" || r != nil && r.Is(books.Provisional) && r.Born == s.j.c.Pos {
		return nil
	}
	return books.ChainOf(key, func(k string) *books.Record {
		if k == key {
			return books.Read(s.j.st, k)
		}
		r, ok := s.around[k]
		if !ok {
			r = books.Read(s.j.st, k)
			s.around[k] = r
		}
		return r
	})
}

// carry gives a thing that leaves its containers the findings that hold them, of each code the oldest: it stays on hold until
// these are closed for it. Those that wait for a record go along with their timers, in the same way. What has been closed for it
// before is not opened again.
func (j *judging) carry(r *books.Record, around []*books.Record) {
	for _, c := range around {
		var last, lastOpen verdict.Code
		for _, f := range j.holdsOf(c.Key) {
			before := &last
			if !f.holds() {
				before = &lastOpen
			}
			if f.Code == *before {
				continue
			}
			if _, ok := readFinding(j.st, r.Key, f.Pos, f.Code); !ok {
				f.From, f.Taken = c.Key, j.c.Pos
				j.carried = append(j.carried, closing{r.Key, f})
				j.isHeld[r.Key] = j.isHeld[r.Key] || f.holds()
				*before = f.Code
			}
		}
		if c.Overlays&books.OverlayHold == 0 {
			continue
		}
		for _, f := range slices.Clone(j.findings) {
			if f.Severity == block.Hold && j.found[subject{f.Code, c.Key}] {
				j.find(f.Code, block.Hold, []string{r.Key}, f.Detail)
			}
		}
		j.relieved = append(j.relieved, r.Key)
	}
}

// holdsOf lists what holds a container that things leave, or will when its time is up, by code and position. Many may leave it at once, so it is looked up once.
func (j *judging) holdsOf(container string) []FindingRecord {
	list, ok := j.holding[container]
	if !ok {
		list = slices.DeleteFunc(findingsOf(j.st, container), func(f FindingRecord) bool { return !f.holds() && (f.State != block.Open || f.Due == 0) })
		slices.SortStableFunc(list, func(a, b FindingRecord) int { return cmp.Compare(a.Code, b.Code) })
		if j.holding == nil {
			j.holding, j.isHeld = map[string][]FindingRecord{}, map[string]bool{}
		}
		j.holding[container] = list
	}
	return list
}

// resolvable are the codes of the table, sorted.
func resolvable() []verdict.Code { return slices.Sorted(maps.Keys(resolutions)) }
