package index

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/proof"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/verdict"
)

// Blocks gives the blocks of a node's own verified copy.
type Blocks interface {
	Block(height uint64) (*consensus.Result, error)
}

// Reader answers questions over one consistent view of a node's copy.
type Reader struct {
	Genesis *genesis.Genesis
	View    state.View
	Blocks  Blocks

	parties map[string]*PartyRef // named before: a trace names few, many times
	places  map[string]*PlaceRef
}

// Registry is the registry at the view's position.
func (r *Reader) Registry() registry.Registry { return registry.Registry{View: r.View} }

// ID names an object in every form that is known.
type ID struct {
	Key         string `json:"key"`
	Kind        string `json:"kind"`
	GTIN        string `json:"gtin,omitempty"`
	Serial      string `json:"serial,omitempty"`
	SSCC        string `json:"sscc,omitempty"`
	EPC         string `json:"epc,omitempty"` // as first captured
	DigitalLink string `json:"digitalLink,omitempty"`
}

// PartyRef names a party.
type PartyRef struct {
	ID   string `json:"id"`
	Name string `json:"name,omitempty"`
}

// PlaceRef names a place.
type PlaceRef struct {
	Key     string `json:"key"`
	GLN     string `json:"gln,omitempty"`
	Name    string `json:"name,omitempty"`
	Address string `json:"address,omitempty"`
	Party   string `json:"party,omitempty"`
}

// FindingView is a finding as shown.
type FindingView struct {
	Code     string             `json:"code"`
	Severity string             `json:"severity"`
	State    string             `json:"state" enum:"open,held,closed" doc:"In a block: when it was found. In a trace: now"`
	Position canonical.Position `json:"position"`
	Count    uint32             `json:"count,omitempty"`
	Detail   string             `json:"detail,omitempty"`
	Via      string             `json:"via,omitempty"` // the container that it is inherited from
	Changes  []FindingChange    `json:"changes,omitempty"`
}

// FindingChange is a later state of a finding, and the item that brought it; without item the grace time was over.
type FindingChange struct {
	State  string              `json:"state" enum:"held,closed"`
	Height uint64              `json:"height,string" doc:"The block that says so"`
	Cause  *canonical.Position `json:"cause,omitempty"`
}

func changesOf(f custody.FindingRecord) []FindingChange {
	var out []FindingChange
	for _, c := range f.Changes {
		change := FindingChange{State: FindingState(c.State), Height: c.Cause.Height}
		if c.Cause != block.TimerCause(c.Cause.Height) {
			change.Cause = &c.Cause
		}
		out = append(out, change)
	}
	return out
}

// Found is what was found about a unit by one event, or about a container that carried it through the event, as it is now.
func Found(v state.View, touch *Touch, key gs1.Key, code string) (custody.FindingRecord, bool) {
	for _, k := range append(append([]gs1.Key{key}, touch.Via...), gs1.Key{}) {
		if f, ok := custody.FindingOf(v, k, touch.Pos, verdict.Code(code)); ok {
			return f, true
		}
	}
	return custody.FindingRecord{}, false
}

// Document is a reference to a business document. Sealed ones have no value here.
type Document struct {
	Type   string `json:"type,omitempty"`
	Value  string `json:"value,omitempty"`
	Sealed bool   `json:"sealed,omitempty"`
}

// Step is one event of a trace.
type Step struct {
	Position    canonical.Position  `json:"position"`
	Sequence    uint64              `json:"sequence,string"`
	BlockTime   time.Time           `json:"blockTime"`
	EventTime   string              `json:"eventTime"`
	Offset      string              `json:"offset,omitempty"`
	EventID     string              `json:"eventID,omitempty"`
	Type        string              `json:"type"`
	Action      string              `json:"action,omitempty"`
	Step        string              `json:"bizStep"`
	Disposition string              `json:"disposition,omitempty"`
	Publisher   PartyRef            `json:"publisher"`
	Source      *PartyRef           `json:"source,omitempty"`
	Destination *PartyRef           `json:"destination,omitempty"`
	ReadPoint   *PlaceRef           `json:"readPoint,omitempty"`
	BizLocation *PlaceRef           `json:"bizLocation,omitempty"`
	Parent      string              `json:"parent,omitempty"`
	Lot         string              `json:"lot,omitempty"`
	Expiry      string              `json:"expiry,omitempty"`
	Documents   []Document          `json:"documents,omitempty"`
	Observed    bool                `json:"observed"`
	Via         []string            `json:"via,omitempty"`
	Verdict     string              `json:"verdict"`
	Code        string              `json:"code,omitempty"`
	Detail      string              `json:"detail,omitempty"`
	Findings    []FindingView       `json:"findings,omitempty"`
	Repeats     *canonical.Position `json:"repeats,omitempty"`
	Units       int                 `json:"units"` // how many EPCs the event names; which ones stays hidden
	Header      string              `json:"blockHash"`
	millis      int64
}

// Trace is everything known of one unit or container, and what that rests on.
type Trace struct {
	ID         ID        `json:"id"`
	Known      bool      `json:"known"`
	Answer     string    `json:"answer"`
	Product    *Product  `json:"product,omitempty"`
	Lot        string    `json:"lot,omitempty"`
	Expiry     string    `json:"expiry,omitempty"`
	State      string    `json:"state,omitempty"`
	Phase      string    `json:"phase,omitempty"`
	Holder     *PartyRef `json:"holder,omitempty"`
	Owner      *PartyRef `json:"owner,omitempty"`
	To         *PartyRef `json:"to,omitempty"`
	Place      *PlaceRef `json:"place,omitempty"`
	Containers []string  `json:"containers,omitempty"`
	Contents   int       `json:"contents,omitempty"`
	Overlays   []string  `json:"overlays,omitempty"`
	// Provisional: the maker's own commissioning has not been seen.
	Provisional bool          `json:"provisional,omitempty"`
	Recalls     []RecallView  `json:"recalls,omitempty"`
	Findings    []FindingView `json:"findings,omitempty"`
	Steps       []Step        `json:"steps"`
	Gaps        []string      `json:"gaps,omitempty"`
	RestsOn     Rest          `json:"restsOn"`
}

// What the registry holds, with the names that the capture commands use for the same things.
type (
	// Product is registry.Product as shown.
	Product struct {
		GTIN                string `json:"gtin"`
		NDC                 string `json:"ndc,omitempty"`
		NDCFormat           string `json:"ndcFormat,omitempty"`
		Name                string `json:"name"`
		Manufacturer        string `json:"manufacturer,omitempty"`
		DosageForm          string `json:"dosageForm,omitempty"`
		Strength            string `json:"strength,omitempty"`
		NetContent          string `json:"netContent,omitempty"`
		CompanyPrefixLength uint32 `json:"companyPrefixLength,omitempty"`
		ContainsGTIN        string `json:"containsGtin,omitempty"`
		ContainsCount       uint32 `json:"containsCount,omitempty"`
	}
	// Recall is registry.Recall as shown.
	Recall struct {
		RecallNumber   string   `json:"recallNumber"`
		GTIN           string   `json:"gtin,omitempty"`
		Lot            string   `json:"lot,omitempty"`
		Classification string   `json:"classification,omitempty"`
		Depth          string   `json:"depth,omitempty"`
		Reason         string   `json:"reason,omitempty"`
		InitiatedOn    string   `json:"initiatedOn,omitempty"`
		Status         string   `json:"status"`
		Units          []string `json:"units,omitempty"`
	}
)

// RecallView is a recall that covers a unit or lot.
type RecallView struct {
	Recall
	Party    string             `json:"party"`
	Position canonical.Position `json:"position"`
}

// Rest is the newest certified header that an answer rests on. Age is filled in by whoever has a clock.
type Rest struct {
	Height     uint64    `json:"height,string"`
	Time       time.Time `json:"time"`
	AgeSeconds float64   `json:"ageSeconds"`
	BlockHash  string    `json:"blockHash"`
}

// VerdictName is how a verdict is written for people and JSON.
func VerdictName(v block.VerdictCode) string {
	switch v {
	case block.Accepted:
		return "accepted"
	case block.Flagged:
		return "flagged"
	case block.Rejected:
		return "rejected"
	case block.Duplicate:
		return "duplicate"
	}
	return "unknown"
}

// SeverityName is how a severity is written.
func SeverityName(s block.Severity) string {
	switch s {
	case block.Reject:
		return "reject"
	case block.Hold:
		return "hold"
	case block.Flag:
		return "flag"
	}
	return "unknown"
}

// FindingState is how the state of a finding is written (docs/spec.md 7.3).
func FindingState(s uint8) string {
	switch s {
	case 2:
		return "held"
	case 3:
		return "closed"
	}
	return "open"
}

// Party names a party by id.
func (r *Reader) Party(id string) *PartyRef {
	if id == "" {
		return nil
	}
	ref, ok := r.parties[id]
	if !ok {
		ref = &PartyRef{ID: id}
		if p, ok := r.Registry().Standing(id); ok {
			ref.Name = p.Name
		}
		if r.parties == nil {
			r.parties = map[string]*PartyRef{}
		}
		r.parties[id] = ref
	}
	return ref
}

// Place names a place by key text.
func (r *Reader) Place(key string) *PlaceRef {
	if key == "" {
		return nil
	}
	ref, ok := r.places[key]
	if !ok {
		ref = r.lookPlace(key)
		if r.places == nil {
			r.places = map[string]*PlaceRef{}
		}
		r.places[key] = ref
	}
	return ref
}

func (r *Reader) lookPlace(key string) *PlaceRef {
	ref := &PlaceRef{Key: key}
	if k, err := gs1.ParseKey(key); err == nil {
		if gln, ok := k.GLN(); ok {
			ref.GLN = gln.String()
			ref.Party, _ = r.Registry().PartyOfGLN(ref.GLN)
		}
	}
	if p, ok := r.Registry().Place(key); ok {
		ref.Name = p.Name
		var parts []string
		for _, s := range []string{p.StreetOne, p.StreetTwo, p.City, strings.TrimSpace(p.State + " " + p.PostalCode), p.Country} {
			if s != "" {
				parts = append(parts, s)
			}
		}
		ref.Address = strings.Join(parts, ", ")
	}
	return ref
}

func (r *Reader) placeOf(p *epcis.Place) *PlaceRef {
	if p == nil || p.ID == "" {
		return nil
	}
	epc, err := gs1.ParseEPC(p.ID)
	if err != nil {
		return &PlaceRef{Key: "uri:" + p.ID}
	}
	return r.Place(epc.Key().String())
}

func (r *Reader) partyOf(list []epcis.SourceDest) *PartyRef {
	for _, sd := range list {
		if epcis.CBVName(sd.Type) != "owning_party" {
			continue
		}
		epc, err := gs1.ParseEPC(sd.Value)
		if err != nil {
			return &PartyRef{ID: sd.Value}
		}
		if gln, ok := epc.Key().GLN(); ok {
			if id, ok := r.Registry().PartyOfGLN(gln.String()); ok {
				return r.Party(id)
			}
			return &PartyRef{ID: gln.String()}
		}
		return &PartyRef{ID: sd.Value}
	}
	return nil
}

// IDOf names a key in every form that can be derived.
func IDOf(key gs1.Key) ID {
	id := ID{Key: key.String(), Kind: key.Kind().String(), DigitalLink: key.DigitalLink(), Serial: key.Serial()}
	if g, ok := key.GTIN(); ok {
		id.GTIN = g.String()
	}
	if s, ok := key.AsSSCC(); ok {
		id.SSCC = s.String()
	}
	return id
}

// Head is what answers rest on, without the age.
func (r *Reader) Head() Rest {
	head, ok := consensus.ReadHead(r.View)
	if !ok {
		return Rest{}
	}
	return Rest{Height: head.Header.Height, Time: time.UnixMilli(head.Header.Time).UTC(), BlockHash: hexHash(head.Hash)}
}

// Trace tells the history and present state of a unit or container. An identifier that the ledger has never seen is an
// answer, not an error.
func (r *Reader) Trace(key gs1.Key) (*Trace, error) {
	t := &Trace{ID: IDOf(key), Steps: []Step{}, RestsOn: r.Head()}
	touches, cut := History(r.View, key)
	for i := range touches {
		step, err := r.step(key, &touches[i])
		if err != nil {
			return nil, err
		}
		if step != nil {
			t.Steps = append(t.Steps, *step)
		}
	}
	// The ledger's order decides; the event's own time only sorts what people see (design section 5).
	slices.SortStableFunc(t.Steps, func(a, b Step) int {
		switch {
		case a.millis < b.millis:
			return -1
		case a.millis > b.millis:
			return 1
		}
		return a.Position.Compare(b.Position)
	})
	if cut {
		t.Gaps = append(t.Gaps, "The chain of containers is deeper than this trace follows.")
	}
	r.present(t, key, touches)
	return t, nil
}

func (r *Reader) present(t *Trace, key gs1.Key, touches []Touch) {
	reg := r.Registry()
	if g, ok := key.GTIN(); ok {
		if p, ok := reg.Product(g); ok {
			shown := Product(p)
			t.Product = &shown
		}
	}
	u, containers, ok := custody.Locate(r.View, key)
	if !ok {
		t.Answer = "No record of this unit: nothing on the ledger names it."
		if len(touches) > 0 {
			t.Answer = "No accepted event names this unit; what was submitted about it was rejected."
		}
		return
	}
	t.Known = true
	t.Lot, t.Expiry = u.Lot, u.Expiry
	t.State = u.State.String()
	t.Phase = u.Phase.String()
	t.Holder, t.Owner, t.To = r.Party(u.Holder), r.Party(u.Owner), r.Party(u.To)
	t.Place = r.Place(u.Place)
	for _, c := range containers {
		t.Containers = append(t.Containers, c.String())
	}
	custody.Children(r.View, key, func(gs1.Key) bool { t.Contents++; return true })
	t.Overlays = u.Overlays
	for _, rc := range r.RecallsOf(key, u.Lot) {
		t.Recalls = append(t.Recalls, RecallView{Recall: Recall(rc.Recall), Party: rc.Party, Position: rc.Pos})
	}
	t.Findings = r.findings(key, containers)
	t.Provisional = u.Provisional
	if u.Provisional {
		t.Gaps = append(t.Gaps, "No birth record received: the maker's own commissioning event is missing.")
	}
	t.Answer = answer(t)
}

// RecallsOf returns the open recalls that cover a unit: of its lot, of its GTIN, or of the unit itself.
func (r *Reader) RecallsOf(key gs1.Key, lot string) []registry.RecallRecord {
	reg := r.Registry()
	out := reg.UnitRecalls(key)
	if g, ok := key.GTIN(); ok && key.IsUnit() {
		out = append(slices.Clip(out), reg.Recalls(g, lot)...)
	}
	return out
}

func answer(t *Trace) string {
	s := "Known: " + t.State
	if t.Holder != nil {
		name := t.Holder.Name
		if name == "" {
			name = t.Holder.ID
		}
		if t.Phase == custody.InTransit.String() {
			s += ", on its way from " + name
			if t.To != nil {
				s += " to " + cmpName(t.To)
			}
		} else {
			s += ", with " + name
		}
	}
	if len(t.Recalls) > 0 {
		s += ", RECALLED"
	}
	if slices.Contains(t.Overlays, "hold") || slices.Contains(t.Overlays, "quarantined") {
		s += ", ON HOLD"
	}
	s += "."
	if len(t.Gaps) > 0 && t.Provisional {
		s += " Known only from reports of others, not from its maker."
	}
	return s
}

func cmpName(p *PartyRef) string {
	if p.Name != "" {
		return p.Name
	}
	return p.ID
}

func (r *Reader) findings(key gs1.Key, containers []gs1.Key) []FindingView {
	var out []FindingView
	add := func(k gs1.Key, via string) {
		for _, f := range custody.Findings(r.View, k) {
			out = append(out, FindingView{
				Code: string(f.Code), Severity: SeverityName(f.Severity), State: FindingState(f.State), Position: f.Pos, Via: via, Changes: changesOf(f),
			})
		}
	}
	add(key, "")
	for _, c := range containers {
		add(c, c.String())
	}
	return out
}

func (r *Reader) step(key gs1.Key, touch *Touch) (*Step, error) {
	res, err := r.Blocks.Block(touch.Pos.Height)
	if err != nil {
		return nil, err
	}
	e := &res.Entries[touch.Pos.Entry]
	item := &e.Submission.Items[touch.Pos.Item]
	s := &Step{
		Position: touch.Pos, Sequence: e.Seq, BlockTime: time.UnixMilli(res.Header.Time).UTC(), Header: hexHash(res.Hash),
		Observed: touch.Observed(), Verdict: VerdictName(touch.Verdict), Units: len(item.Committed.Units),
	}
	if p := r.Party(e.Submission.Header.Party); p != nil {
		s.Publisher = *p
	}
	for _, c := range touch.Via {
		s.Via = append(s.Via, c.String())
	}
	s.Detail, s.Repeats = Note(r.View, touch.Pos)
	s.Code, s.Findings, err = Remarks(res, touch.Pos)
	if err != nil {
		return nil, err
	}
	for i := range s.Findings {
		if f, ok := Found(r.View, touch, key, s.Findings[i].Code); ok {
			s.Findings[i].State, s.Findings[i].Changes = FindingState(f.State), changesOf(f)
		}
	}
	switch m := item.Message.(type) {
	case *epcis.Event:
		r.eventStep(s, m, item.Sealed)
	case *registry.Recall:
		s.Type, s.Step, s.EventTime = "Recall", "recall", m.InitiatedOn
		s.millis = res.Header.Time
	default:
		return nil, nil
	}
	return s, nil
}

func (r *Reader) eventStep(s *Step, m *epcis.Event, sealed []commit.Sealed) {
	s.Type, s.Action, s.EventTime, s.Offset, s.EventID = m.Type, m.Action, m.EventTime, m.EventTimeZoneOffset, m.EventID
	s.Step, s.Disposition = m.BizStep, m.Disposition // what is not in the vocabulary is shown as it was captured
	if epcis.KnownStep(m.BizStep) {
		s.Step = epcis.CBVName(m.BizStep)
	}
	if epcis.KnownDisposition(m.Disposition) {
		s.Disposition = epcis.CBVName(m.Disposition)
	}
	s.Source, s.Destination = r.partyOf(m.SourceList), r.partyOf(m.DestinationList)
	s.ReadPoint, s.BizLocation = r.placeOf(m.ReadPoint), r.placeOf(m.BizLocation)
	if epc, err := gs1.ParseEPC(m.ParentID); err == nil {
		s.Parent = epc.Key().String()
	}
	s.Lot, s.Expiry = m.Lot(), m.Expiry()
	for _, bt := range m.BizTransactionList {
		s.Documents = append(s.Documents, Document{Type: epcis.CBVName(bt.Type), Value: bt.Value, Sealed: bt.Value == "" && len(sealed) > 0})
	}
	s.millis, _ = epcis.EventTimeMillis(m)
}

// Remarks collects code and findings of an item from the verdict leaves of its block.
func Remarks(res *consensus.Result, pos canonical.Position) (code string, findings []FindingView, err error) {
	at := pos.Append(nil)
	for _, leaf := range res.Verdicts {
		if len(leaf) < 1+len(at) || !bytes.Equal(leaf[1:1+len(at)], at) {
			continue // of another item
		}
		decoded, err := block.DecodeVerdictLeaf(leaf)
		if err != nil {
			return "", nil, err
		}
		switch l := decoded.(type) {
		case block.Verdict:
			if l.Pos == pos {
				code = string(l.Code)
			}
		case block.Finding:
			if l.Pos == pos {
				findings = append(findings, FindingView{Code: string(l.Code), Severity: SeverityName(l.Severity), State: "open", Position: pos, Count: l.Count})
			}
		}
	}
	return code, findings, nil
}

// RecallList returns every accepted recall in ledger order.
func (r *Reader) RecallList() ([]RecallView, error) {
	out := []RecallView{}
	var failed error
	Recalls(r.View, func(pos canonical.Position) bool {
		res, err := r.Blocks.Block(pos.Height)
		if err != nil {
			failed = err
			return false
		}
		sub := res.Entries[pos.Entry].Submission
		if rc, ok := sub.Items[pos.Item].Message.(*registry.Recall); ok {
			out = append(out, RecallView{Recall: Recall(*rc), Party: sub.Header.Party, Position: pos})
		}
		return true
	})
	return out, failed
}

// KeyRecord says where a key was registered: in the genesis file, or by which party_act.
func (r *Reader) KeyRecord(id canonical.Hash) (proof.KeyRecord, error) {
	for i, p := range r.Genesis.Parties {
		for j, k := range p.Keys {
			if keys.ID(k.Use, k.PublicKey) == id {
				return proof.KeyRecord{Genesis: true, Party: i, Key: j}, nil
			}
		}
	}
	for i, a := range r.Genesis.Authorities {
		if keys.ID(keys.Authority, a.Key) == id {
			return proof.KeyRecord{Genesis: true, Authority: true, Party: i}, nil
		}
	}
	if pos, n, ok := KeyAct(r.View, id); ok {
		return proof.KeyRecord{Key: n, Act: pos}, nil
	}
	return proof.KeyRecord{}, fmt.Errorf("key %x is not registered", id[:8])
}
