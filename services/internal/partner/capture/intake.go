package capture

import (
	"context"
	"fmt"

	"verilot.dev/epcis"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/partner/draft"
	"verilot.dev/services/internal/partner/foresee"
	"verilot.dev/services/internal/partner/journal"
)

// intake takes a document in, event by event. It holds the items while they fit one submission; from then on it keeps only which
// events are good and where the submissions that they become begin: a plan, after which the document is read a second time.
type intake struct {
	s      *Service
	ctx    context.Context //nolint:containedctx // of the request, whose only work this is
	d      *draft.Draft
	sum    epcis.Summary
	header *epcis.Header
	asked  bool // the api service was asked for the parties

	refused bitmap // events that are not recorded
	bad     int    // how many those are
	more    int    // faults that are not kept
	remarks int    // warnings that are not kept

	// unmeasured: the document is so small that its size need not be looked at.
	unmeasured bool
	units      int
	headerSize wire.Size
	total      wire.Size // of the submission being filled
	fit        int       // events that fit the first one
	parts      []planPart
	over       bool // there is more than one
	named      int  // units and containers of what was placed
	leaves     bool // goods leave by something that was placed
}

// bitmap is a set of events by index.
type bitmap []byte

func (b *bitmap) add(i int) (added bool) {
	for len(*b) <= i/8 {
		*b = append(*b, 0)
	}
	if (*b)[i/8]&(1<<(i%8)) != 0 {
		return false
	}
	(*b)[i/8] |= 1 << (i % 8)
	return true
}

func (b bitmap) has(i int) bool { return i/8 < len(b) && b[i/8]&(1<<(i%8)) != 0 }

func (n *intake) problem(p epcis.Problem) error {
	f := journal.Fault{Pointer: p.Path, Line: p.Line, Column: p.Column, Code: p.Code, Message: p.Message, Hint: p.Hint}
	if p.Pointer != "" {
		f.Pointer = p.Pointer
	}
	if p.Event >= 0 {
		f.Event = &p.Event
	}
	if p.Severity == epcis.SeverityWarning {
		if len(n.d.Warnings) < maxWarnings {
			n.d.Warnings = append(n.d.Warnings, f)
		} else {
			n.remarks++
		}
		return nil
	}
	if f.Message = p.Code + ": " + p.Message; p.Code != epcis.CodeEventTooLarge {
		f.Code = string(httpapi.InvalidEvent)
	}
	n.refuse(f)
	return nil
}

// refuse notes a fault, and that its event is not recorded.
func (n *intake) refuse(f journal.Fault) {
	if f.Event != nil && n.refused.add(*f.Event) {
		n.bad++
	}
	keep := maxKept
	if n.d.OnError == submission.Rollback {
		keep = maxFaults // which is all that the answer tells, and there will be no job
	}
	if len(n.d.Refused) < keep {
		n.d.Refused = append(n.d.Refused, f)
	} else {
		n.more++
	}
}

func (n *intake) event(at epcis.EventAt) error {
	if err := n.ctx.Err(); err != nil {
		return fmt.Errorf("check document: %w", err)
	}
	if f := n.s.cfg.Directory.CheckEvent(n.ctx, &at.Event, &n.asked); f != nil {
		n.refuse(located(f, &at))
		return nil
	}
	if n.d.OnError == submission.Rollback && n.bad > 0 {
		return nil // it will be refused: what is still looked for is what else to correct
	}
	ev := at.Event
	it := draft.Item{
		Item: wire.Item{Kind: wire.KindEvent, Message: &ev}, Info: journal.ItemInfo{Kind: wire.KindEvent, Event: at.Index}, Line: at.Line, Column: at.Column,
	}
	if n.unmeasured {
		n.units += draft.CountUnits(&it.Item)
		n.d.Items = append(n.d.Items, it)
		if n.units > draft.PlentyUnits || len(n.d.Items) >= n.s.partItems {
			return n.measureHeld()
		}
		return nil
	}
	return n.place(it, &at)
}

func located(f *httpapi.Fault, at *epcis.EventAt) journal.Fault {
	f.Event, f.Line, f.Column = &at.Index, at.Line, at.Column
	if at.Pointer != "" {
		f.Pointer = at.Pointer + "/" + f.Pointer
	}
	return journal.Fault(*f)
}

// measureHeld goes over to measuring, beginning with the items that are there.
func (n *intake) measureHeld() error {
	n.unmeasured = false
	held := n.d.Items
	n.d.Items = nil
	for i := range held {
		at := epcis.EventAt{Index: held[i].Info.Event, Line: held[i].Line, Column: held[i].Column}
		if err := n.place(held[i], &at); err != nil {
			return err
		}
	}
	return nil
}

// place puts an item into the submission being filled, or into the next one.
func (n *intake) place(it draft.Item, at *epcis.EventAt) error {
	size, err := n.s.measure(it.Item)
	if err != nil || !size.Fits(room) {
		n.refuse(located(&httpapi.Fault{
			Code: string(httpapi.EventTooLarge), Message: fmt.Sprintf("the event alone takes more than a submission holds (%s)", sizes(size, err)),
			Hint: "split it into several events",
		}, at))
		return nil
	}
	if len(n.parts) == 0 {
		if err := n.measureHeader(); err != nil {
			return err
		}
		n.total = n.headerSize
		n.parts = []planPart{{}}
	}
	if total := n.total.Add(size); total.Fits(room) && total.Items <= n.s.partItems {
		n.total = total
	} else {
		if !n.over {
			n.over, n.fit = true, len(n.d.Items)
			n.d.Items = nil
		}
		n.total = size
		n.parts = append(n.parts, planPart{})
	}
	part := &n.parts[len(n.parts)-1]
	if part.Events == 0 {
		part.First = uint32(at.Index)
	}
	part.Events++
	n.named, n.leaves = n.named+size.Units, n.leaves || foresee.Leaves(it)
	if !n.over {
		n.d.Items = append(n.d.Items, it)
	}
	return nil
}

func sizes(s wire.Size, err error) string {
	if err != nil {
		return err.Error()
	}
	return fmt.Sprintf("%d bytes and %d unit references; a submission holds %d and %d", s.Bytes, s.Units, room, submission.MaxUnits)
}

// someID is as long as the id that an event without one gets: the hash is not computed only to know how much room it takes.
const someID = "ni:///sha-256;0000000000000000000000000000000000000000000000000000000000000000?ver=CBV2.0"

// measure says how much of a submission an item takes. The item stays as it is.
func (s *Service) measure(it wire.Item) (size wire.Size, err error) {
	if ev, ok := it.Message.(*epcis.Event); ok && ev.EventID == "" {
		named := *ev
		named.EventID = someID
		it.Message = &named
	}
	if _, err := s.cfg.Sealer.Seal(&it); err != nil {
		return size, err
	}
	return wire.Measure(&it)
}

// room is what the items of a submission may take.
const room = submission.MaxMessage - draft.Headroom

// measureHeader finds out what the document's header takes, as far as it has been read.
func (n *intake) measureHeader() error {
	if n.header == nil || n.bare() {
		n.headerSize = wire.Size{}
		return nil
	}
	h := *n.header
	size, err := n.s.measure(wire.Item{Kind: wire.KindDocumentHeader, Message: &h})
	if err != nil || !size.Fits(room) {
		return httpapi.NewProblem(httpapi.CaptureLimitExceeded, "the header of the document, with its master data, is too large for one submission (%s); nothing was stored. Send the master data in several documents, or less of it", sizes(size, err))
	}
	n.headerSize = size
	return nil
}

// bare reports a document that is one event and nothing else.
func (n *intake) bare() bool {
	switch n.sum.Root {
	case "EPCISDocument", "EPCISQueryDocument", "EPCISMasterDataDocument", "":
		return false
	}
	return true
}

func (n *intake) headerItem() []draft.Item {
	if n.header == nil || n.bare() {
		return nil
	}
	h := *n.header
	return []draft.Item{draft.Registration(wire.KindDocumentHeader, &h, "")}
}

// draft says what becomes of a document that was read to its end.
func (n *intake) draft(b *body) (*draft.Draft, error) {
	d := n.d
	switch {
	case d.Events == 0:
		return nil, httpapi.NewProblem(httpapi.EmptyDocument, "the document holds no event, so there is nothing to capture; put events into its event list (EPCISBody/EventList, or epcisBody.eventList)")
	case n.faulty() && d.OnError == submission.Rollback:
		return nil, n.refusal()
	}
	p, err := n.plan(b)
	if err != nil {
		return nil, err
	}
	if p != nil && (n.leaves || d.OnError == submission.Proceed) {
		if err := n.foresee(b, p); err != nil {
			return nil, err
		}
	}
	if n.remarks > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("%d further remarks are not listed", n.remarks))
	}
	if n.more > 0 {
		d.Notes = append(d.Notes, fmt.Sprintf("%d further faults are not listed", n.more))
	}
	d.RefusedEvents, d.Faults, d.Size = n.bad, len(d.Refused)+n.more, int(b.size)
	if n.unmeasured && len(d.Items) > 0 {
		n.whole()
		return d, nil
	}
	if len(n.parts) == 0 {
		return d, nil // nothing good: a header without events has nobody to speak for
	}
	if p == nil {
		n.whole()
		d.Sealed = make([][]commit.SealedValue, len(d.Items))
		for i := range d.Items {
			var err error
			if d.Sealed[i], err = n.s.cfg.Sealer.Seal(&d.Items[i].Item); err != nil {
				return nil, err
			}
		}
		return d, nil
	}
	if d.OnError == submission.Rollback {
		fit := n.fit
		if !n.over {
			fit = len(d.Items)
		}
		return nil, httpapi.NewProblem(httpapi.CaptureLimitExceeded,
			"the document does not fit one submission (%d items, %d unit references, %d bytes), and what is rolled back as a whole must; its first %d of %d events fit. Nothing was stored. Send fewer events at a time, or GS1-Capture-Error-Behaviour: proceed, under which it is divided",
			submission.MaxItems, submission.MaxUnits, room, fit, d.Events)
	}
	d.Items = nil
	if len(p.Parts) == 0 {
		return d, nil
	}
	if p.count() > maxPlanned {
		return nil, draft.TooLarge(d.OnError, "the document needs %d submissions, at most %d are made of one", p.count(), maxPlanned)
	}
	d.Plan, d.Parts = p, p.count()
	return d, n.s.keepPlanned(d, b)
}

// whole makes the items of a document that fits one submission: with its header, and every event with an id.
func (n *intake) whole() {
	items := n.headerItem()
	for _, it := range n.d.Items {
		ev, _ := it.Message.(*epcis.Event)
		items = append(items, eventItem(ev, n.d.Job, it.Info.Event))
	}
	n.d.Items = items
}

// plan says how a document is divided; nil: one submission holds it.
func (n *intake) plan(b *body) (*plan, error) {
	if len(n.parts) == 0 {
		return nil, nil
	}
	before := n.headerSize
	if err := n.measureHeader(); err != nil {
		return nil, err
	}
	// A header that was not complete before the first event may need a submission of its own.
	late := n.headerSize != before
	if !n.over && (!late || n.total.Add(n.headerSize).Fits(room)) {
		return nil, nil
	}
	p := &plan{Size: b.size, Sum: b.sum[:], Parts: n.parts, Refused: n.refused}
	if items := n.headerItem(); len(items) > 0 {
		var err error
		if p.Header, err = wire.EncodeBody([]wire.Item{items[0].Item}); err != nil {
			return nil, fmt.Errorf("encode document header: %w", err)
		}
		p.HeaderAlone = late
	}
	return p, nil
}

// foresee asks what the rules would say of a document that is divided. It is read again for that.
// Under rollback the error says what refuses it; under proceed what would be refused is left out.
func (n *intake) foresee(b *body, p *plan) error {
	faults, err := n.s.cfg.Rules.CheckParts(n.ctx, n.d, n.named, n.leaves, func(yield func([]draft.Item) error) error {
		r, err := b.open()
		if err != nil {
			return err
		}
		defer r.Close()
		head := n.headerItem()
		parts := partReader{ctx: n.ctx, job: n.d.Job, plan: p, part: func(_ uint16, items []draft.Item) error {
			items = append(head, items...)
			head = nil
			return yield(items)
		}}
		return parts.read(r)
	})
	for i := range faults {
		n.refuse(faults[i])
		p.leaveOut(*faults[i].Event)
	}
	p.Refused = n.refused
	return err
}

func (n *intake) faulty() bool { return len(n.d.Refused) > 0 }

// refusal is the answer to a document that is refused as a whole. If all faults are of one kind, it is that kind's.
func (n *intake) refusal() error {
	d := n.d
	code := httpapi.Code(d.Refused[0].Code)
	for _, f := range d.Refused {
		if httpapi.Code(f.Code) != code {
			code = httpapi.EventsRefused
		}
	}
	f := d.Refused[0]
	return httpapi.NewProblem(code, "%d of %d events were refused, the first at %s: %s; nothing was stored. Correct them, or send the document with GS1-Capture-Error-Behaviour: proceed to record the others",
		n.bad, d.Events, where(&f), f.Message).With(faults(d.Refused)...)
}

func where(f *journal.Fault) string {
	if f.Line > 0 {
		return fmt.Sprintf("line %d, column %d", f.Line, f.Column)
	}
	return f.Pointer
}
