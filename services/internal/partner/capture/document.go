package capture

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"verilot.dev/epcis"
	"verilot.dev/epcis/epcisdoc"
	"verilot.dev/epcis/eventhash"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/edge/httpapi"
)

// Limits of what is told about one document.
const (
	maxWarnings  = 100
	maxFaults    = 1000   // in an answer
	maxKept      = 20_000 // faults that are kept with a job, to be read at /capture/{id}/errors
	futureSkew   = 5 * time.Minute
	kindDocument = "document"
	kindEvent    = "event"
)

// document checks an EPCIS document event by event and turns what is good in it into a draft. Under rollback one bad event refuses
// all. No more of it is held than one submission takes: of a document that needs several only a plan is made.
func (e *Engine) document(ctx context.Context, b *body, onError submission.OnError) (*draft, error) {
	n, err := e.check(ctx, b, onError)
	if err != nil {
		return nil, err
	}
	return n.draft(b)
}

// check reads a document once. The error is what refuses it whole, whatever its events are.
func (e *Engine) check(ctx context.Context, b *body, onError submission.OnError) (*intake, error) {
	if err := e.mayCapture(ctx); err != nil {
		return nil, err
	}
	job, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("draw a job id: %w", err)
	}
	n := &intake{e: e, ctx: ctx, d: &draft{kind: kindDocument, onError: onError, job: job}, unmeasured: b.size <= plentyBytes}
	r, err := b.open()
	if err != nil {
		return nil, err
	}
	defer r.Close()
	n.sum, err = epcisdoc.Read(r, readOptions(), epcis.Handler{
		Header:  func(h *epcis.Header) error { n.header = h; return nil },
		Event:   n.event,
		Problem: n.problem,
	})
	if _, ok := errors.AsType[*httpapi.Problem](err); ok {
		return nil, err
	}
	if err != nil {
		return nil, unreadable(err)
	}
	n.d.events = n.sum.Events
	return n, nil
}

func readOptions() epcis.Options {
	return epcis.Options{MaxBytes: MaxDocument, MaxEvents: MaxEvents}
}

// eventItem wraps an event, giving it an id if it has none: without one it could not be asked for by id. Events are
// recognised by their match hash, which leaves ids out.
func eventItem(ev *epcis.Event, job uuid.UUID, index int, at place) draftItem {
	nameEvent(ev, job, index)
	return draftItem{
		item: wire.Item{Kind: wire.KindEvent, Message: ev},
		meta: itemMeta{Kind: wire.KindEvent, Event: index, EventID: ev.EventID, Type: ev.Type, Step: ev.Step()}, at: at,
	}
}

// nameEvent gives an event that has no id its CBV hash (CBV 2.0 section 8.9), which everybody finds who has the event, however often
// and in whatever format it is read. An event without a hash gets an id that follows from the job and its place there, so that a
// document that is read a second time, after a crash, becomes the same events.
func nameEvent(ev *epcis.Event, job uuid.UUID, index int) {
	if ev.EventID != "" {
		return
	}
	id, _, err := eventhash.Hash(ev)
	if err != nil {
		id = numbered(job, index)
	}
	ev.EventID = id
}

// numbered is an id for an event of a job that says nothing about the event.
func numbered(job uuid.UUID, index int) string {
	return "urn:uuid:" + uuid.NewSHA1(job, canonical.U32(nil, uint32(index))).String()
}

func unreadable(err error) error {
	pe, ok := errors.AsType[*epcis.ParseError](err)
	if !ok {
		return fmt.Errorf("parse document: %w", err)
	}
	code := httpapi.MalformedDocument
	if pe.Code == epcis.CodeDocumentTooLarge {
		code = httpapi.CaptureLimitExceeded
	}
	hint := pe.Hint
	if hint == "" {
		hint = "send a well-formed EPCIS document, as XML or JSON"
	}
	return httpapi.NewProblem(code, "line %d, column %d: %s; nothing was stored. What to do: %s", pe.Line, pe.Column, pe.Message, hint).
		With(httpapi.Fault{Line: pe.Line, Column: pe.Column, Code: pe.Code, Message: pe.Message, Hint: pe.Hint})
}

// mayCapture refuses everything while nobody would believe our signature.
func (e *Engine) mayCapture(ctx context.Context) error {
	pub, _ := e.cfg.Key.Public().(ed25519.PublicKey)
	id := keys.ID(keys.Event, pub)
	if e.dir.keyKnown(id) {
		return nil
	}
	e.askParties(ctx)
	if e.dir.keyKnown(id) {
		return nil
	}
	return httpapi.NewProblem(httpapi.KeyUnknown, "the event key %x… of this service is not registered for party %s, so the ledger would refuse every submission; have an authority register it", id[:8], e.cfg.Party)
}

func (e *Engine) askParties(ctx context.Context) {
	if e.cfg.Peer == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	list, err := e.cfg.Peer.Parties(ctx)
	if err != nil {
		e.cfg.Log.Info("the api service did not tell the parties", "err", err)
		return
	}
	e.dir.hear(list)
}

// actor finds whose act an event tells (design section 5): the rules of the ledger, with what is known here. said is
// the identifier it rests on, "" when the event names none.
func (e *Engine) actor(ev *epcis.Event) (party, said string) {
	switch ev.Step() {
	case epcis.StepReceiving:
		said = ev.Destination(epcis.OwningParty)
	case epcis.StepShipping, epcis.StepVoidShipping:
		said = ev.Source(epcis.OwningParty)
	}
	for _, p := range []*epcis.Place{ev.BizLocation, ev.ReadPoint} {
		if said == "" && p != nil {
			said = p.ID
		}
	}
	if said == "" {
		return "", ""
	}
	party, _ = e.dir.partyOf(said)
	return party, said
}

// checkEvent applies what can be known here without the ledger. Another party's act that we only pass on is not ours
// to check: the ledger knows that party better than we do.
func (e *Engine) checkEvent(ctx context.Context, ev *epcis.Event, asked *bool) *httpapi.Fault {
	if f := e.checkTime(ev); f != nil {
		return f
	}
	party, said := e.actor(ev)
	if party == "" && said != "" && !*asked {
		*asked = true
		e.askParties(ctx)
		party, _ = e.actor(ev)
	}
	if party != "" && party != e.cfg.Party {
		return nil
	}
	return e.checkOwn(ev)
}

// checkTime refuses what has not happened yet.
func (e *Engine) checkTime(ev *epcis.Event) *httpapi.Fault {
	if ms, err := epcis.EventTimeMillis(ev); err == nil {
		if now := e.cfg.Clock.Now(); ms > now.Add(futureSkew).UnixMilli() {
			return &httpapi.Fault{
				Pointer: "eventTime", Code: string(httpapi.FutureEvent),
				Message: fmt.Sprintf("the event's time %s %s lies after the time here, %s", ev.EventTime, ev.EventTimeZoneOffset, now.UTC().Format(time.RFC3339)),
				Hint:    "capture an event when it has happened; if it has, correct the clock or the offset of the system that wrote it",
			}
		}
	}
	return nil
}

// checkOwn holds an act of this party against its roles and prefixes.
func (e *Engine) checkOwn(ev *epcis.Event) *httpapi.Fault {
	step := ev.Step()
	need := traders
	switch step {
	case epcis.StepDispensing:
		need = dispensers
	case epcis.StepCommissioning:
		if len(gtins(ev)) > 0 {
			need = makers
		}
	}
	if !e.dir.has(need) {
		p, _ := e.dir.party(e.cfg.Party)
		return &httpapi.Fault{
			Pointer: "bizStep", Code: string(httpapi.RoleForbidden),
			Message: fmt.Sprintf("%s is registered as %s, which does not allow %s (needs %s)", e.cfg.Party, words(p.Roles), step, strings.Join(need, " or ")),
			Hint:    "have the party that did it capture the event, or name its location in bizLocation if this is a copy of its event",
		}
	}
	if step == epcis.StepCommissioning && ev.Action == "ADD" {
		for _, g := range gtins(ev) {
			if f := e.checkOwner(g); f != nil {
				return f
			}
		}
	}
	return nil
}

func (e *Engine) checkOwner(g gs1.GTIN) *httpapi.Fault {
	owner, ok := e.dir.ownerOf(g)
	if ok && owner == e.cfg.Party {
		return nil
	}
	whose := "under no company prefix that is registered, so not"
	if ok {
		whose = "registered for " + owner + ", not"
	}
	return &httpapi.Fault{
		Pointer: "epcList", Code: string(httpapi.GTINNotOwned),
		Message: fmt.Sprintf("GTIN %s is %s for %s", g, whose, e.cfg.Party),
		Hint:    "commission only under your own company prefixes; a new prefix is registered by an authority",
	}
}

// gtins lists the trade items whose units an event's epcList names.
func gtins(ev *epcis.Event) []gs1.GTIN {
	var list []gs1.GTIN
	last := ""
	for _, s := range ev.EPCList {
		prefix, _ := gs1.SplitEPC(s)
		if prefix != "" && prefix == last {
			continue // a run of serials of the GTIN just seen
		}
		last = prefix
		epc, err := gs1.ParseEPC(s)
		if err != nil {
			continue // epcis.Check has refused it
		}
		if g, ok := epc.Key().GTIN(); ok && epc.Key().IsUnit() && !slices.Contains(list, g) {
			list = append(list, g)
		}
	}
	return list
}

func words(list []string) string {
	if len(list) == 0 {
		return "nothing"
	}
	return strings.Join(list, ", ")
}

func countUnits(it *wire.Item) int {
	switch m := it.Message.(type) {
	case *epcis.Event:
		n := len(m.EPCList) + len(m.ChildEPCs) + len(m.InputEPCList) + len(m.OutputEPCList)
		if m.ParentID != "" {
			n++
		}
		return n
	case *registry.Recall:
		return len(m.Units)
	}
	return 0
}
