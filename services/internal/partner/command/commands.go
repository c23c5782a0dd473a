package command

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/edge/httpapi"
)

// When says when and where a command happened.
type When struct {
	EventTime string `json:"eventTime,omitempty" format:"date-time" doc:"When it happened; now, if left out"`
	Location  string `json:"location,omitempty" doc:"Where: an SGLN in any form, or 13 digits of a GLN; the party's first place, if left out"`
}

// otherEnd is the party at the other end of a shipment.
type otherEnd struct {
	Party    string `json:"party,omitempty" doc:"Party id, as GET /v1/parties of the api service lists them"`
	Owner    string `json:"owner,omitempty" doc:"GLN or SGLN of the owning party, instead of a party id"`
	Location string `json:"location,omitempty" doc:"GLN or SGLN of the site, if it is not the owner's first place"`
}

// Papers are the numbers of business documents.
type Papers struct {
	PurchaseOrder  string `json:"po,omitempty" maxLength:"100" doc:"Number of the purchase order; sealed"`
	DespatchAdvice string `json:"desadv,omitempty" maxLength:"100" doc:"Number of the despatch advice; sealed"`
	Invoice        string `json:"inv,omitempty" maxLength:"100" doc:"Number of the invoice; sealed"`
}

// The bodies of the commands.
type (
	productsBody struct {
		GTIN          string `json:"gtin" minLength:"8" maxLength:"14"`
		NDC           string `json:"ndc,omitempty" doc:"With hyphens where known"`
		NDCFormat     string `json:"ndcFormat,omitempty" doc:"US_FDA_NDC or FDA_NDC_11"`
		Name          string `json:"name" minLength:"1" maxLength:"200"`
		Manufacturer  string `json:"manufacturer,omitempty"`
		DosageForm    string `json:"dosageForm,omitempty"`
		Strength      string `json:"strength,omitempty"`
		NetContent    string `json:"netContent,omitempty"`
		ContainsGTIN  string `json:"containsGtin,omitempty" doc:"For a case: the GTIN inside"`
		ContainsCount uint32 `json:"containsCount,omitempty"`
	}
	lotsBody struct {
		GTIN           string `json:"gtin" minLength:"8" maxLength:"14"`
		Lot            string `json:"lot" minLength:"1" maxLength:"20"`
		Expiry         string `json:"expiry" format:"date" doc:"YYYY-MM-DD"`
		Size           uint64 `json:"size,omitempty" doc:"Units planned"`
		ManufacturedOn string `json:"manufacturedOn,omitempty" format:"date"`
	}
	serialsBody struct {
		GTIN   string `json:"gtin" minLength:"8" maxLength:"14"`
		Count  int    `json:"count" minimum:"1" maximum:"100000"`
		Length int    `json:"length,omitempty" minimum:"12" maximum:"20" doc:"Characters per serial; 14, if left out"`
	}
	commissionBody struct {
		When
		GTIN    string   `json:"gtin" minLength:"8" maxLength:"14"`
		Lot     string   `json:"lot" minLength:"1" maxLength:"20"`
		Expiry  string   `json:"expiry" format:"date" doc:"YYYY-MM-DD"`
		Serials []string `json:"serials,omitempty" maxItems:"100000" doc:"Serials to commission; or give count"`
		Count   int      `json:"count,omitempty" minimum:"0" maximum:"100000" doc:"How many units to commission under fresh random serials"`
		Length  int      `json:"length,omitempty" minimum:"12" maximum:"20" doc:"Characters per fresh serial; 14, if left out"`
	}
	packBody struct {
		When
		Parent   string   `json:"parent,omitempty" doc:"SSCC or case in any form; left out, a fresh SSCC is numbered and commissioned"`
		Children []string `json:"children" minItems:"1" maxItems:"10000"`
	}
	unpackBody struct {
		When
		Parent   string   `json:"parent"`
		Children []string `json:"children,omitempty" maxItems:"10000" doc:"Left out: everything that is inside"`
	}
	itemsBody struct {
		When
		Items []string `json:"items" minItems:"1" maxItems:"10000" doc:"What was scanned, in any form"`
	}
	shipBody struct {
		When
		Papers
		Items        []string `json:"items" minItems:"1" maxItems:"10000" doc:"The outermost containers and loose units"`
		To           otherEnd `json:"to"`
		DropShipment bool     `json:"dropShipment,omitempty"`
	}
	receiveBody struct {
		When
		Papers
		Items               []string `json:"items" minItems:"1" maxItems:"10000" doc:"What was scanned"`
		From                otherEnd `json:"from"`
		ReturnAuthorization string   `json:"returnAuthorization,omitempty" maxLength:"100" doc:"When goods come back: the number given to the returner"`
	}
	returnBody struct {
		When
		Items               []string `json:"items" minItems:"1" maxItems:"10000"`
		To                  otherEnd `json:"to"`
		ReturnAuthorization string   `json:"returnAuthorization" minLength:"1" maxLength:"100" doc:"Number that the former seller gave"`
	}
	dispenseBody struct {
		When
		Items   []string `json:"items" minItems:"1" maxItems:"10000"`
		Partial bool     `json:"partial,omitempty" doc:"Only part of what is in the package was dispensed"`
	}
	quarantineBody struct {
		When
		Items  []string `json:"items" minItems:"1" maxItems:"10000"`
		Reason string   `json:"reason,omitempty" enum:"suspect,damaged,expired,recalled,stolen" doc:"suspect, if left out"`
	}
	recallBody struct {
		RecallNumber   string   `json:"recallNumber" minLength:"1" maxLength:"100"`
		GTIN           string   `json:"gtin,omitempty"`
		Lot            string   `json:"lot,omitempty" doc:"Left out: every lot of the GTIN"`
		Units          []string `json:"units,omitempty" maxItems:"10000" doc:"Single units, instead of a lot"`
		Classification string   `json:"classification,omitempty" enum:"I,II,III"`
		Depth          string   `json:"depth,omitempty" enum:"wholesale,retail,consumer"`
		Reason         string   `json:"reason,omitempty" maxLength:"1000"`
		InitiatedOn    string   `json:"initiatedOn,omitempty" format:"date" doc:"Today, if left out"`
		Status         string   `json:"status,omitempty" enum:"open,ended" doc:"open, if left out"`
	}
)

// serialsResult and packResult are what commands make.
type (
	serialsResult struct {
		GTIN    string   `json:"gtin"`
		Lot     string   `json:"lot,omitempty"`
		Serials []string `json:"serials"`
		EPCs    []string `json:"epcs,omitempty"`
	}
	packResult struct {
		Parent string `json:"parent"`
	}
)

const (
	defaultLength = 14
	// perEvent keeps generated events small enough that a trace of one unit does not drag thousands along.
	perEvent = 4096
)

// single drafts a command that is recorded as a whole, or divided if it does not fit one submission.
func (e *Engine) single(kind string, events ...epcis.Event) (*draft, error) {
	job, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("draw a job id: %w", err)
	}
	d := &draft{kind: kind, onError: submission.Rollback, events: len(events), job: job}
	units := 0
	for i := range events {
		ev := &events[i]
		for _, p := range epcis.Check(ev) {
			if p.Severity == epcis.SeverityError {
				return nil, httpapi.NewProblem(httpapi.InvalidEvent, "%s: %s; nothing was captured. %s", p.Path, p.Message, p.Hint)
			}
		}
		f := e.checkTime(ev)
		if f == nil {
			f = e.checkOwn(ev)
		}
		if f != nil {
			return nil, httpapi.NewProblem(httpapi.Code(f.Code), "%s; nothing was captured. What to do: %s", f.Message, f.Hint)
		}
		// Not the hash: an order number that is sealed could be guessed from it, and nobody else has this event to find it by.
		ev.EventID = numbered(job, i)
		it := eventItem(ev, job, i, place{})
		units += countUnits(&it.item)
		d.items = append(d.items, it)
	}
	if units > submission.MaxUnits || len(d.items) > submission.MaxItems {
		d.onError = submission.Proceed
	}
	return d, nil
}

// registration drafts an item that is no event.
func registration(kind string, itemKind uint8, message any, subject string) *draft {
	return &draft{
		kind: kind, onError: submission.Rollback,
		items: []draftItem{{item: wire.Item{Kind: itemKind, Message: message}, meta: itemMeta{Kind: itemKind, Event: -1, Subject: subject}}},
	}
}

// at turns a command's time and place into the event's.
func (e *Engine) at(w When) (epcis.At, error) {
	at := epcis.At{Time: e.cfg.Clock.Now().UTC().Format("2006-01-02T15:04:05.000Z"), Offset: "+00:00"}
	if w.EventTime != "" {
		t, err := time.Parse(time.RFC3339Nano, w.EventTime)
		if err != nil {
			return at, httpapi.NewProblem(httpapi.InvalidParameter, "eventTime %q is not a time with its zone; write it like 2026-11-20T09:30:00-05:00", w.EventTime)
		}
		at.Time, at.Offset = w.EventTime, t.Format("-07:00")
	}
	loc := e.dir.home()
	if w.Location != "" {
		var err error
		if loc, err = e.sgln("location", w.Location); err != nil {
			return at, err
		}
		if party, ok := e.dir.partyOf(loc); ok && party != e.cfg.Party {
			return at, httpapi.NewProblem(httpapi.Forbidden, "location %s belongs to %s; a command tells what happened at a place of %s. Name one of its places, or none", loc, party, e.cfg.Party)
		}
	}
	if loc == "" {
		return at, httpapi.NewProblem(httpapi.PlaceUnknown, "no place is registered for %s and location is missing; send location, or have an authority register a place", e.cfg.Party)
	}
	at.ReadPoint, at.BizLocation = loc, loc
	return at, nil
}

// sgln reads a place: 13 digits of a GLN, or an SGLN or PGLN in any form.
func (e *Engine) sgln(name, text string) (string, error) {
	bad := func(err error) error {
		return httpapi.NewProblem(httpapi.InvalidIdentifier, "%s %q: %s; send 13 digits of a GLN, or an SGLN as URN or Digital Link", name, text, detail(err))
	}
	if gln, err := gs1.ParseGLN(text); err == nil {
		s, err := gs1.NewSGLN(gln, "")
		if err != nil {
			return "", bad(err)
		}
		return e.dir.write(s.Key()), nil
	}
	epc, err := gs1.ParseEPC(text)
	if err != nil {
		return "", bad(err)
	}
	if k := epc.Key().Kind(); k != gs1.KindSGLN && k != gs1.KindPGLN {
		return "", httpapi.NewProblem(httpapi.InvalidIdentifier, "%s %q is a %s, not a place; send 13 digits of a GLN, or an SGLN as URN or Digital Link", name, text, k)
	}
	if epc.Form() == gs1.FormURN {
		return text, nil
	}
	return e.dir.write(epc.Key()), nil
}

func detail(err error) string {
	if g, ok := errors.AsType[*gs1.Error](err); ok {
		return g.Detail
	}
	return err.Error()
}

// identify reads what is on a package, in any form, and says how it is written in an event.
func (e *Engine) identify(name, text string) (form string, key gs1.Key, err error) {
	r := gs1.ReadScan(text, e.cfg.Clock.Now().Year())
	switch r.Verdict {
	case gs1.Valid:
		if r.EPC.Form() == gs1.FormURN {
			return r.EPC.Captured(), r.Key, nil
		}
		return e.dir.write(r.Key), r.Key, nil
	case gs1.Ambiguous:
		p := httpapi.NewProblem(httpapi.AmbiguousScan, "%s %q lost the separators between its fields and can be read in %d ways; scan it again with a scanner that sends GS (0x1D), or send the reading that matches the print (see readings)",
			name, printable(text), len(r.Readings))
		for i := range r.Readings {
			p.Readings = append(p.Readings, spell(&r.Readings[i]))
		}
		return "", gs1.Key{}, p
	default:
		p := httpapi.NewProblem(httpapi.InvalidIdentifier, "%s %q names nothing that can be handled; send a serialised unit or container as scanned, as EPC URN, as Digital Link or as (01)…(21)…", name, printable(text))
		for _, x := range r.Problems {
			p = p.With(httpapi.Fault{Pointer: name, Code: x.Code, Message: x.Detail})
		}
		return "", gs1.Key{}, p
	}
}

// spell writes a reading with its field boundaries, in the form that people and ReadScan both read.
func spell(r *gs1.Reading) string {
	var b strings.Builder
	for _, f := range r.Fields {
		b.WriteString("(" + f.AI + ")" + f.Value)
	}
	return b.String()
}

func printable(s string) string {
	s = strings.ReplaceAll(s, "\x1d", "␝")
	if len(s) > 120 {
		s = s[:120] + "…"
	}
	return s
}

// things reads a list; naming one thing twice is refused, since nobody can tell what was meant.
func (e *Engine) things(name string, list []string) ([]string, error) {
	out := make([]string, len(list))
	seen := make(map[gs1.Key]int, len(list))
	for i, text := range list {
		at := fmt.Sprintf("%s[%d]", name, i)
		form, key, err := e.identify(at, text)
		if err != nil {
			return nil, err
		}
		if k := key.Kind(); k != gs1.KindSGTIN && k != gs1.KindSSCC {
			return nil, httpapi.NewProblem(httpapi.InvalidIdentifier, "%s %q is a %s; only serialised units (GTIN and serial) and containers (SSCC) can be handled", at, printable(text), k)
		}
		if first, twice := seen[key]; twice {
			return nil, httpapi.NewProblem(httpapi.InvalidIdentifier, "%s names the same thing as %s[%d]: %s; list each thing once", at, name, first, key)
		}
		seen[key] = i
		out[i] = form
	}
	return out, nil
}

func gtin(text string) (gs1.GTIN, error) {
	g, err := gs1.ParseGTIN(text)
	if err != nil {
		return g, httpapi.NewProblem(httpapi.InvalidIdentifier, "gtin %q: %s", text, detail(err))
	}
	return g, nil
}

func (e *Engine) ownGTIN(ctx context.Context, text string) (gs1.GTIN, error) {
	g, err := gtin(text)
	if err != nil {
		return g, err
	}
	f := e.checkOwner(g)
	if f != nil { // a prefix may have been registered since
		e.askParties(ctx)
		f = e.checkOwner(g)
	}
	if f != nil {
		return g, httpapi.NewProblem(httpapi.GTINNotOwned, "%s; nothing was captured. What to do: %s", f.Message, f.Hint)
	}
	return g, nil
}

// recalledGTIN is a GTIN that this party may recall: a regulator any, whose it is the ledger knows better.
func (e *Engine) recalledGTIN(ctx context.Context, text string) (gs1.GTIN, error) {
	if e.cfg.Profile.foreign {
		return gtin(text)
	}
	return e.ownGTIN(ctx, text)
}

// end finds owner and site of the other party.
func (e *Engine) end(ctx context.Context, name string, o otherEnd) (owner, location string, err error) {
	switch {
	case o.Owner != "":
		if owner, err = e.sgln(name+".owner", o.Owner); err != nil {
			return "", "", err
		}
		location = owner
	case o.Party != "":
		if owner = e.dir.owner(o.Party); owner == "" {
			e.askParties(ctx)
			owner = e.dir.owner(o.Party)
		}
		if owner == "" {
			return "", "", httpapi.NewProblem(httpapi.PartyUnknown, "%s.party %q has no GLN that is known here; send %s.owner with its GLN, or one of the party ids that GET /v1/parties of the api service lists", name, o.Party, name)
		}
		location = e.dir.address(o.Party)
	default:
		return "", "", httpapi.NewProblem(httpapi.MissingParameter, "%s names nobody; send %s.party (a party id) or %s.owner (a GLN)", name, name, name)
	}
	if o.Location != "" {
		location, err = e.sgln(name+".location", o.Location)
	}
	return owner, location, err
}

// own is this party's end of a shipment.
func (e *Engine) own(at epcis.At) (owner, location string) {
	if owner = e.dir.owner(e.cfg.Party); owner == "" {
		owner = at.ReadPoint
	}
	return owner, at.ReadPoint
}

// papers names business documents: an order is numbered by the buyer, despatch advice and invoice by the seller.
func papers(d Papers, buyer, seller string) (list []epcis.BizTransaction) {
	for _, p := range []struct{ kind, under, number string }{
		{epcis.PurchaseOrder, buyer, d.PurchaseOrder}, {epcis.DespatchAdvice, seller, d.DespatchAdvice}, {epcis.Invoice, seller, d.Invoice},
	} {
		if p.number != "" {
			list = append(list, epcis.BusinessDocument(p.kind, glnOf(p.under), p.number))
		}
	}
	return list
}

func glnOf(id string) string {
	epc, err := gs1.ParseEPC(id)
	if err != nil {
		return ""
	}
	g, _ := epc.Key().GLN()
	return g.String()
}

func (e *Engine) products(ctx context.Context, b *productsBody) (*draft, error) {
	g, err := e.ownGTIN(ctx, b.GTIN)
	if err != nil {
		return nil, err
	}
	p := &registry.Product{
		GTIN: g.String(), NDC: b.NDC, NDCFormat: b.NDCFormat, Name: b.Name, Manufacturer: b.Manufacturer, DosageForm: b.DosageForm,
		Strength: b.Strength, NetContent: b.NetContent, ContainsCount: b.ContainsCount, CompanyPrefixLength: uint32(e.dir.split(g.String()[1:13])),
	}
	if b.ContainsGTIN != "" {
		inside, err := gtin(b.ContainsGTIN)
		if err != nil {
			return nil, err
		}
		p.ContainsGTIN = inside.String()
	}
	return registration("products", wire.KindProduct, p, "GTIN "+p.GTIN), nil
}

func (e *Engine) lots(ctx context.Context, b *lotsBody) (*draft, error) {
	g, err := e.ownGTIN(ctx, b.GTIN)
	if err != nil {
		return nil, err
	}
	if err := checkLot(g, b.Lot, b.Expiry); err != nil {
		return nil, err
	}
	l := &registry.Lot{GTIN: g.String(), Lot: b.Lot, Expiry: b.Expiry, Size: b.Size, ManufacturedOn: b.ManufacturedOn}
	return registration("lots", wire.KindLot, l, "lot "+l.Lot+" of GTIN "+l.GTIN), nil
}

func checkLot(g gs1.GTIN, lot, expiry string) error {
	if _, err := gs1.NewLGTIN(g, lot); err != nil {
		return httpapi.NewProblem(httpapi.InvalidParameter, "lot %q: %s", lot, detail(err))
	}
	if _, err := gs1.ParseDate(expiry); err != nil {
		return httpapi.NewProblem(httpapi.InvalidParameter, "expiry %q: %s", expiry, detail(err))
	}
	return nil
}

func (e *Engine) serials(ctx context.Context, b *serialsBody) (*draft, error) {
	g, err := e.ownGTIN(ctx, b.GTIN)
	if err != nil {
		return nil, err
	}
	d := &draft{kind: "serials", onError: submission.Rollback}
	list, err := e.generate(g, b.Count, b.Length)
	if err != nil {
		return nil, err
	}
	d.result = serialsResult{GTIN: g.String(), Serials: list}
	return d, nil
}

// alphabet leaves out what people misread: 0 O, 1 I L, 2 Z, 5 S, 8 B, U V. Twelve of its letters give 2^50 serials.
const alphabet = "34679ACDEFGHJKMNPQRTWXY"

// generate draws serials that this service has never given out and reserves them in the job's own write.
func (e *Engine) generate(g gs1.GTIN, count, length int) ([]string, error) {
	if length == 0 {
		length = defaultLength
	}
	// Two requests at once must not draw the same serial; the odds are nil, the promise is not.
	e.numbers.Lock()
	defer e.numbers.Unlock()
	list := make([]string, 0, count)
	drawn := make(map[string]bool, count)
	for len(list) < count {
		s, err := drawSerial(length)
		if err != nil {
			return nil, err
		}
		if drawn[s] {
			continue
		}
		if _, err := e.st.get(serialKeys + g.String() + "/" + s); err == nil {
			continue
		} else if !errors.Is(err, errNotFound) {
			return nil, err
		}
		drawn[s] = true
		list = append(list, s)
	}
	// One record for the lot of them would make the look-up slow; one each would overflow a transaction. Reserve now,
	// in writes of their own: a serial that is reserved and never used is only lost, never doubled.
	for chunk := range slices.Chunk(list, 10_000) {
		w := &write{}
		for _, s := range chunk {
			w.put(serialKeys+g.String()+"/"+s, nil)
		}
		e.st.submit(w)
		if err := w.wait(); err != nil {
			return nil, fmt.Errorf("reserve serials: %w", err)
		}
	}
	return list, nil
}

func drawSerial(length int) (string, error) {
	const n, fair = byte(len(alphabet)), byte(256 / len(alphabet) * len(alphabet))
	out := make([]byte, 0, length)
	var buf [32]byte
	for len(out) < length {
		if _, err := rand.Read(buf[:]); err != nil {
			return "", fmt.Errorf("draw a serial: %w", err)
		}
		for _, b := range buf {
			if b < fair && len(out) < length { // no letter likelier than another
				out = append(out, alphabet[b%n])
			}
		}
	}
	return string(out), nil
}

func (e *Engine) commission(ctx context.Context, b *commissionBody) (*draft, error) {
	g, err := e.ownGTIN(ctx, b.GTIN)
	if err != nil {
		return nil, err
	}
	if err := checkLot(g, b.Lot, b.Expiry); err != nil {
		return nil, err
	}
	at, err := e.at(b.When)
	if err != nil {
		return nil, err
	}
	if (len(b.Serials) == 0) == (b.Count == 0) {
		return nil, httpapi.NewProblem(httpapi.MissingParameter, "send either serials (the list to commission) or count (how many fresh ones), not both and not neither")
	}
	list := b.Serials
	if b.Count > 0 {
		if list, err = e.generate(g, b.Count, b.Length); err != nil {
			return nil, err
		}
	}
	epcs := make([]string, len(list))
	for i, s := range list {
		u, err := gs1.NewSGTIN(g, s)
		if err != nil {
			return nil, httpapi.NewProblem(httpapi.InvalidIdentifier, "serials[%d] %q: %s", i, printable(s), detail(err))
		}
		epcs[i] = e.dir.write(u.Key())
	}
	var events []epcis.Event
	for chunk := range slices.Chunk(epcs, perEvent) {
		events = append(events, epcis.Commission(at, chunk, b.Lot, b.Expiry))
	}
	d, err := e.single("commission", events...)
	if err != nil {
		return nil, err
	}
	d.result = serialsResult{GTIN: g.String(), Lot: b.Lot, Serials: list, EPCs: epcs}
	return d, nil
}

func (e *Engine) pack(_ context.Context, b *packBody) (*draft, error) {
	at, err := e.at(b.When)
	if err != nil {
		return nil, err
	}
	children, err := e.things("children", b.Children)
	if err != nil {
		return nil, err
	}
	if b.Parent != "" {
		parent, err := e.things("parent", []string{b.Parent})
		if err != nil {
			return nil, err
		}
		d, err := e.single("pack", epcis.Pack(at, parent[0], children))
		if err != nil {
			return nil, err
		}
		d.result = packResult{Parent: parent[0]}
		return d, nil
	}
	parent, err := e.number()
	if err != nil {
		return nil, err
	}
	d, err := e.single("pack", epcis.Commission(at, []string{parent}, "", ""), epcis.Pack(at, parent, children))
	if err != nil {
		return nil, err
	}
	d.result = packResult{Parent: parent}
	return d, nil
}

// number gives out the next SSCC under the party's own prefix, never the same twice (General Specifications 2.2.1).
func (e *Engine) number() (string, error) {
	prefix := e.dir.ownPrefix()
	if prefix == "" {
		return "", httpapi.NewProblem(httpapi.PrefixUnknown, "no company prefix is registered for %s, so no SSCC can be numbered; send parent, or have an authority register a prefix", e.cfg.Party)
	}
	e.numbers.Lock()
	defer e.numbers.Unlock()
	key := numberKeys + "sscc/" + prefix
	b, err := e.st.get(key)
	if err != nil && !errors.Is(err, errNotFound) {
		return "", err
	}
	n := u64(b) + 1
	w := &write{}
	w.put(key, canonical.U64(nil, n))
	e.st.submit(w)
	if err := w.wait(); err != nil {
		return "", fmt.Errorf("number an SSCC: %w", err)
	}
	// Extension digit, prefix, reference: 17 digits. When the references run out, the extension digit counts on.
	digits := 16 - len(prefix)
	reference := fmt.Sprintf("%0*d", digits+1, n)
	if len(reference) > digits+1 {
		return "", httpapi.NewProblem(httpapi.Unavailable, "every SSCC under prefix %s has been given out; have an authority register another prefix", prefix)
	}
	s, err := gs1.NewSSCC(reference[:1] + prefix + reference[1:])
	if err != nil {
		return "", fmt.Errorf("number an SSCC: %w", err)
	}
	return e.dir.write(s.Key()), nil
}

func (e *Engine) unpack(_ context.Context, b *unpackBody) (*draft, error) {
	at, err := e.at(b.When)
	if err != nil {
		return nil, err
	}
	parent, err := e.things("parent", []string{b.Parent})
	if err != nil {
		return nil, err
	}
	children, err := e.things("children", b.Children)
	if err != nil {
		return nil, err
	}
	return e.single("unpack", epcis.Unpack(at, parent[0], children))
}

func (e *Engine) ship(ctx context.Context, b *shipBody) (*draft, error) {
	at, items, err := e.atItems(b.When, b.Items)
	if err != nil {
		return nil, err
	}
	s := epcis.Shipment{DropShipment: b.DropShipment}
	s.SourceOwner, s.SourceLocation = e.own(at)
	if s.DestinationOwner, s.DestinationLocation, err = e.end(ctx, "to", b.To); err != nil {
		return nil, err
	}
	s.Documents = papers(b.Papers, s.DestinationOwner, s.SourceOwner)
	return e.single("ship", epcis.Ship(at, items, s))
}

func (e *Engine) receive(ctx context.Context, b *receiveBody) (*draft, error) {
	at, items, err := e.atItems(b.When, b.Items)
	if err != nil {
		return nil, err
	}
	var s epcis.Shipment
	if s.SourceOwner, s.SourceLocation, err = e.end(ctx, "from", b.From); err != nil {
		return nil, err
	}
	s.DestinationOwner, s.DestinationLocation = e.own(at)
	s.Documents = papers(b.Papers, s.DestinationOwner, s.SourceOwner)
	if b.ReturnAuthorization != "" {
		return e.single("receive", epcis.ReceiveReturn(at, items, s, glnOf(s.DestinationOwner), b.ReturnAuthorization))
	}
	return e.single("receive", epcis.Receive(at, items, s))
}

func (e *Engine) giveBack(ctx context.Context, b *returnBody) (*draft, error) {
	at, items, err := e.atItems(b.When, b.Items)
	if err != nil {
		return nil, err
	}
	var s epcis.Shipment
	s.SourceOwner, s.SourceLocation = e.own(at)
	if s.DestinationOwner, s.DestinationLocation, err = e.end(ctx, "to", b.To); err != nil {
		return nil, err
	}
	return e.single("return", epcis.ShipReturn(at, items, s, glnOf(s.DestinationOwner), b.ReturnAuthorization))
}

func (e *Engine) atItems(w When, list []string) (epcis.At, []string, error) {
	at, err := e.at(w)
	if err != nil {
		return at, nil, err
	}
	items, err := e.things("items", list)
	return at, items, err
}

func (e *Engine) dispense(_ context.Context, b *dispenseBody) (*draft, error) {
	at, items, err := e.atItems(b.When, b.Items)
	if err != nil {
		return nil, err
	}
	return e.single("dispense", epcis.Dispense(at, items, b.Partial))
}

func (e *Engine) quarantine(_ context.Context, b *quarantineBody) (*draft, error) {
	at, items, err := e.atItems(b.When, b.Items)
	if err != nil {
		return nil, err
	}
	disposition := map[string]string{
		"damaged": epcis.DispDamaged, "expired": epcis.DispExpired, "recalled": epcis.DispRecalled, "stolen": epcis.DispStolen,
	}[b.Reason]
	return e.single("quarantine", epcis.Hold(at, items, disposition))
}

// release puts goods back into sale after inspection.
func (e *Engine) release(_ context.Context, b *itemsBody) (*draft, error) {
	at, items, err := e.atItems(b.When, b.Items)
	if err != nil {
		return nil, err
	}
	ev := epcis.Hold(at, items, "sellable_accessible")
	ev.BizStep = epcis.StepPrefix + epcis.StepInspecting
	return e.single("release", ev)
}

func (e *Engine) recall(ctx context.Context, b *recallBody) (*draft, error) {
	rc := &registry.Recall{
		RecallNumber: b.RecallNumber, Lot: b.Lot, Classification: b.Classification, Depth: b.Depth, Reason: b.Reason,
		InitiatedOn: b.InitiatedOn, Status: b.Status,
	}
	if rc.Status == "" {
		rc.Status = "open"
	}
	if rc.InitiatedOn == "" {
		rc.InitiatedOn = e.cfg.Clock.Now().UTC().Format(time.DateOnly)
	}
	if b.GTIN == "" && len(b.Units) == 0 {
		return nil, httpapi.NewProblem(httpapi.MissingParameter, "the recall covers nothing; send gtin and lot, gtin alone for all its lots, or units")
	}
	subject := "recall " + b.RecallNumber
	if b.GTIN != "" {
		g, err := e.recalledGTIN(ctx, b.GTIN)
		if err != nil {
			return nil, err
		}
		rc.GTIN = g.String()
	}
	for i, text := range b.Units {
		at := fmt.Sprintf("units[%d]", i)
		form, key, err := e.identify(at, text)
		if err != nil {
			return nil, err
		}
		g, ok := key.GTIN()
		if !ok || !key.IsUnit() {
			return nil, httpapi.NewProblem(httpapi.InvalidIdentifier, "%s %q is no serialised unit; a recall names units, lots or GTINs", at, printable(text))
		}
		if f := e.checkOwner(g); f != nil && !e.cfg.Profile.foreign {
			return nil, httpapi.NewProblem(httpapi.GTINNotOwned, "%s: %s; nothing was captured. What to do: %s", at, f.Message, f.Hint)
		}
		rc.Units = append(rc.Units, form)
	}
	return registration("recall", wire.KindRecall, rc, subject), nil
}

func (e *Engine) decommission(_ context.Context, b *itemsBody) (*draft, error) {
	at, items, err := e.atItems(b.When, b.Items)
	if err != nil {
		return nil, err
	}
	return e.single("decommission", epcis.Decommission(at, items))
}

func (e *Engine) destroy(_ context.Context, b *itemsBody) (*draft, error) {
	at, items, err := e.atItems(b.When, b.Items)
	if err != nil {
		return nil, err
	}
	return e.single("destroy", epcis.Destroy(at, items))
}
