package tracing

import (
	"bytes"
	"slices"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/verdict"
	"verilot.dev/services/internal/answer/index"
)

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
	// In a trace only.
	Author   *PartyRef         `json:"author,omitempty" doc:"Publisher of the event that raised it"`
	Other    *PartyRef         `json:"otherSide,omitempty" doc:"The other side of it, such as the addressee of a shipment or the holder of what was claimed"`
	Outcomes []custody.Outcome `json:"outcomes,omitempty" doc:"With which it may be closed, as long as it is not"`
	Closers  []custody.Closer  `json:"closers,omitempty" doc:"Who may close it: author, other side, holder, maker, regulator, authority. What holds goods is never closed by its author"`
}

// FindingChange is a later state of a finding, and the item that brought it; without item the grace time was over.
type FindingChange struct {
	State    string              `json:"state" enum:"open,held,closed" doc:"open again where the event that closed it was taken back"`
	Height   uint64              `json:"height,string" doc:"The block that says so"`
	Time     *time.Time          `json:"time,omitempty" doc:"Of that block"`
	Cause    *canonical.Position `json:"cause,omitempty" doc:"The record that closed it, or the resolution"`
	By       *PartyRef           `json:"by,omitempty" doc:"The party that closed it; left out if a record did"`
	ByAuthor bool                `json:"byAuthor,omitempty" doc:"Closed by its author"`
	Outcome  custody.Outcome     `json:"outcome,omitempty"`
	Meaning  string              `json:"meaning,omitempty" doc:"What the outcome means"`
	Note     string              `json:"note,omitempty"`
}

func (s *Snapshot) changesOf(f *custody.FindingRecord) []FindingChange {
	var out []FindingChange
	for _, c := range f.Changes {
		change := FindingChange{State: findingState(c.State), Height: c.Cause.Height}
		if res, err := s.Log.Block(c.Cause.Height); err == nil {
			t := time.UnixMilli(res.Header.Time).UTC()
			change.Time = &t
		}
		if c.Cause != block.TimerCause(c.Cause.Height) {
			change.Cause = &c.Cause
		}
		if r, ok := custody.ResolvedAt(s.View, c.Cause); ok {
			change.By, change.ByAuthor = s.party(r.By), r.By == f.By
			change.Outcome, change.Meaning, change.Note = r.Outcome, r.Outcome.Meaning(), r.Note
		}
		out = append(out, change)
	}
	return out
}

// now completes a finding with what has become of it, and with who may close it.
func (v *FindingView) now(s *Snapshot, f *custody.FindingRecord) {
	v.State, v.Changes = findingState(f.State), s.changesOf(f)
	v.Author, v.Other = s.party(f.By), s.party(f.Other)
	if f.State != block.Closed {
		v.Outcomes, v.Closers = custody.Outcomes(f.Code), custody.Closers(f.Code)
	}
}

// findingNow is what was found about a unit by one event, or about a container that carried it
// through the event, as it is now.
func (s *Snapshot) findingNow(touch *index.Touch, key gs1.Key, code string) (custody.FindingRecord, bool) {
	for _, k := range append(append([]gs1.Key{key}, touch.Via...), gs1.Key{}) {
		if f, ok := custody.FindingOf(s.View, k, touch.Pos, verdict.Code(code)); ok {
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
	Declaration bool                `json:"declaration,omitempty" doc:"It declares an earlier event wrong"`
	TakenBack   *canonical.Position `json:"takenBack,omitempty" doc:"The declaration by which its author took it back: what it did is undone"`
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
	// OtherCase is looked for only when there is no birth record: scanned with Caps Lock on, a package looks unknown.
	OtherCase *ID     `json:"otherCase,omitempty" doc:"Nothing is known of this unit from its maker, but of one whose serial number differs in the case of letters only"`
	Chosen    *Chosen `json:"chosen,omitempty" doc:"The scan had several readings, and this is about the only one that is on the ledger"`
	RestsOn   AsOf    `json:"restsOn"`
}

// findingState is how the state of a finding is written (docs/spec.md 7.3).
func findingState(s uint8) string {
	switch s {
	case 2:
		return "held"
	case 3:
		return "closed"
	}
	return "open"
}

// Trace tells the history and present state of a unit or container. An identifier that the ledger has never seen is an
// answer, not an error.
func (s *Snapshot) Trace(key gs1.Key) (*Trace, error) {
	t := &Trace{ID: idOf(key), Steps: []Step{}, RestsOn: s.AsOf()}
	touches, cut := index.History(s.View, key)
	for i := range touches {
		step, err := s.step(key, &touches[i])
		if err != nil {
			return nil, err
		}
		if step != nil {
			t.Steps = append(t.Steps, *step)
		}
	}
	// The ledger's order decides; the event's own time only sorts what people see (docs/design.md
	// section 5).
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
	s.present(t, key, touches)
	return t, nil
}

func (s *Snapshot) present(t *Trace, key gs1.Key, touches []index.Touch) {
	reg := s.registry()
	if g, ok := key.GTIN(); ok {
		if p, ok := reg.Product(g); ok {
			shown := Product(p)
			t.Product = &shown
		}
	}
	u, containers, ok := custody.Locate(s.View, key)
	if !ok || u.Provisional {
		if other, found := s.otherCase(key); found {
			t.OtherCase = &other
		}
	}
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
	t.Holder, t.Owner, t.To = s.party(u.Holder), s.party(u.Owner), s.party(u.To)
	t.Place = s.place(u.Place)
	for _, c := range containers {
		t.Containers = append(t.Containers, c.String())
	}
	custody.Children(s.View, key, func(gs1.Key) bool { t.Contents++; return true })
	t.Overlays = u.Overlays
	for _, rc := range s.recallsOf(key, u.Lot) {
		t.Recalls = append(t.Recalls, RecallView{Recall: Recall(rc.Recall), Party: rc.Party, Position: rc.Pos})
	}
	t.Findings = s.findings(key, containers)
	t.Provisional = u.Provisional
	if u.Provisional {
		t.Gaps = append(t.Gaps, "No birth record received: the maker's own commissioning event is missing.")
	}
	t.Answer = answer(t)
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
	switch {
	case slices.Contains(t.Overlays, "hold"):
		s += ", ON HOLD"
	case slices.Contains(t.Overlays, "quarantined"):
		s += ", IN QUARANTINE"
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

func (s *Snapshot) findings(key gs1.Key, containers []gs1.Key) []FindingView {
	var out []FindingView
	add := func(k gs1.Key, via string) {
		for _, f := range custody.Findings(s.View, k) {
			view := FindingView{Code: string(f.Code), Severity: f.Severity.String(), Position: f.Pos, Via: via}
			view.now(s, &f)
			out = append(out, view)
		}
	}
	add(key, "")
	for _, c := range containers {
		add(c, c.String())
	}
	return out
}

func (s *Snapshot) step(key gs1.Key, touch *index.Touch) (*Step, error) {
	res, err := s.Log.Block(touch.Pos.Height)
	if err != nil {
		return nil, err
	}
	e := &res.Entries[touch.Pos.Entry]
	item := &e.Submission.Items[touch.Pos.Item]
	st := &Step{
		Position: touch.Pos, Sequence: e.Seq, BlockTime: time.UnixMilli(res.Header.Time).UTC(), Header: hex32(res.Hash),
		Observed: touch.Observed(), Verdict: touch.Verdict.String(), Units: len(item.Committed.Units),
	}
	if p := s.party(e.Submission.Header.Party); p != nil {
		st.Publisher = *p
	}
	for _, c := range touch.Via {
		st.Via = append(st.Via, c.String())
	}
	st.Detail, st.Repeats = index.Note(s.View, touch.Pos)
	st.Code, st.Findings, err = remarksOn(res, touch.Pos)
	if err != nil {
		return nil, err
	}
	for i := range st.Findings {
		if f, ok := s.findingNow(touch, key, st.Findings[i].Code); ok {
			st.Findings[i].now(s, &f)
		}
	}
	switch m := item.Message.(type) {
	case *epcis.Event:
		s.eventStep(st, m, item.Sealed)
		st.Declaration = m.ErrorDeclaration != nil
		if by, ok := custody.TakenBack(s.View, touch.Pos); ok {
			st.TakenBack = &by
		}
	case *registry.Recall:
		st.Type, st.Step, st.EventTime = "Recall", "recall", m.InitiatedOn
		st.millis = res.Header.Time
	default:
		return nil, nil
	}
	return st, nil
}

func (s *Snapshot) eventStep(st *Step, m *epcis.Event, sealed []commit.Sealed) {
	st.Type, st.Action, st.EventTime, st.Offset, st.EventID = m.Type, m.Action, m.EventTime, m.EventTimeZoneOffset, m.EventID
	st.Step, st.Disposition = m.BizStep, m.Disposition // what is not in the vocabulary is shown as it was captured
	if epcis.KnownStep(m.BizStep) {
		st.Step = epcis.TermBizStep.Word(m.BizStep)
	}
	if epcis.KnownDisposition(m.Disposition) {
		st.Disposition = epcis.TermDisposition.Word(m.Disposition)
	}
	st.Source, st.Destination = s.partyOf(m.SourceList), s.partyOf(m.DestinationList)
	st.ReadPoint, st.BizLocation = s.placeOf(m.ReadPoint), s.placeOf(m.BizLocation)
	if epc, err := gs1.ParseEPC(m.ParentID); err == nil {
		st.Parent = epc.Key().String()
	}
	st.Lot, st.Expiry = m.Lot(), m.Expiry()
	for _, bt := range m.BizTransactionList {
		st.Documents = append(st.Documents, Document{Type: epcis.TermBizTransaction.Word(bt.Type), Value: bt.Value, Sealed: bt.Value == "" && len(sealed) > 0})
	}
	st.millis, _ = epcis.EventTimeMillis(m)
}

// remarksOn collects code and findings of an item from the verdict leaves of its block.
func remarksOn(res *consensus.Result, pos canonical.Position) (code string, findings []FindingView, err error) {
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
				findings = append(findings, FindingView{Code: string(l.Code), Severity: l.Severity.String(), State: "open", Position: pos, Count: l.Count})
			}
		}
	}
	return code, findings, nil
}
