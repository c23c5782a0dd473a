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
	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/verdict"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/partner/draft"
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
	resolveBody struct {
		Event   string   `json:"event" minLength:"5" maxLength:"50" doc:"Position of the event that has the finding, as height/entry/item: the finding's position in a trace"`
		Code    string   `json:"code" minLength:"1" maxLength:"64" doc:"The finding, such as DOUBLE_SHIP"`
		Outcome string   `json:"outcome" minLength:"1" maxLength:"64" doc:"What came of it: one of those that the trace lists with the finding"`
		Note    string   `json:"note,omitempty" maxLength:"1000" doc:"For people. Everybody on the network reads it: no patient data"`
		Units   []string `json:"units,omitempty" maxItems:"10000" doc:"The units and containers for which it is closed, in any form. Left out only if the finding is about the event itself"`
	}
)

// takeBackBody names an event of this party.
type takeBackBody struct {
	Event  string `json:"event" minLength:"3" maxLength:"500" doc:"Position of the event as height/entry/item, as a trace shows it, or its eventID"`
	Reason string `json:"reason,omitempty" enum:"did_not_occur,incorrect_data" doc:"did_not_occur, if left out"`
}

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
func (c *Commands) single(kind string, events ...epcis.Event) (*draft.Draft, error) {
	job, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("draw a job id: %w", err)
	}
	d := &draft.Draft{Kind: kind, OnError: submission.Rollback, Events: len(events), Job: job}
	units := 0
	for i := range events {
		ev := &events[i]
		for _, p := range epcis.Check(ev) {
			if p.Severity == epcis.SeverityError {
				return nil, httpapi.NewProblem(httpapi.InvalidEvent, "%s: %s; nothing was captured. %s", p.Path, p.Message, p.Hint)
			}
		}
		f := c.dir.CheckTime(ev)
		if f == nil {
			f = c.dir.CheckOwn(ev)
		}
		if f != nil {
			return nil, httpapi.NewProblem(httpapi.Code(f.Code), "%s; nothing was captured. What to do: %s", f.Message, f.Hint)
		}
		// Not the hash: an order number that is sealed could be guessed from it, and nobody else has this event to find it by.
		ev.EventID = draft.EventID(job, i)
		it := draft.EventItem(ev, i)
		units += draft.CountUnits(&it.Item)
		d.Items = append(d.Items, it)
	}
	if units > submission.MaxUnits || len(d.Items) > submission.MaxItems {
		d.OnError = submission.Proceed
	}
	return d, nil
}

// registration drafts an item other than an event.
func registration(kind string, itemKind uint8, message any, subject string) *draft.Draft {
	return &draft.Draft{Kind: kind, OnError: submission.Rollback, Items: []draft.Item{draft.Registration(itemKind, message, subject)}}
}

func (c *Commands) products(ctx context.Context, b *productsBody) (*draft.Draft, error) {
	g, err := c.ownGTIN(ctx, b.GTIN)
	if err != nil {
		return nil, err
	}
	p := &registry.Product{
		GTIN: g.String(), NDC: b.NDC, NDCFormat: b.NDCFormat, Name: b.Name, Manufacturer: b.Manufacturer, DosageForm: b.DosageForm,
		Strength: b.Strength, NetContent: b.NetContent, ContainsCount: b.ContainsCount, CompanyPrefixLength: uint32(c.dir.Split(g.String()[1:13])),
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

func (c *Commands) lots(ctx context.Context, b *lotsBody) (*draft.Draft, error) {
	g, err := c.ownGTIN(ctx, b.GTIN)
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

func (c *Commands) serials(ctx context.Context, b *serialsBody) (*draft.Draft, error) {
	g, err := c.ownGTIN(ctx, b.GTIN)
	if err != nil {
		return nil, err
	}
	d := &draft.Draft{Kind: "serials", OnError: submission.Rollback}
	list, err := c.generate(g, b.Count, b.Length)
	if err != nil {
		return nil, err
	}
	d.Result = serialsResult{GTIN: g.String(), Serials: list}
	return d, nil
}

// alphabet leaves out what people misread: 0 O, 1 I L, 2 Z, 5 S, 8 B, U V. Twelve of its letters give 2^50 serials.
const alphabet = "34679ACDEFGHJKMNPQRTWXY"

// generate draws serials that this service has never given out. They are reserved before the job is
// stored.
func (c *Commands) generate(g gs1.GTIN, count, length int) ([]string, error) {
	if length == 0 {
		length = defaultLength
	}
	return c.cfg.Numbers.Serials(g.String(), count, func() (string, error) { return drawSerial(length) })
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

func (c *Commands) commission(ctx context.Context, b *commissionBody) (*draft.Draft, error) {
	g, err := c.ownGTIN(ctx, b.GTIN)
	if err != nil {
		return nil, err
	}
	if err := checkLot(g, b.Lot, b.Expiry); err != nil {
		return nil, err
	}
	at, err := c.at(b.When)
	if err != nil {
		return nil, err
	}
	if (len(b.Serials) == 0) == (b.Count == 0) {
		return nil, httpapi.NewProblem(httpapi.MissingParameter, "send either serials (the list to commission) or count (how many fresh ones), not both and not neither")
	}
	list := b.Serials
	if b.Count > 0 {
		if list, err = c.generate(g, b.Count, b.Length); err != nil {
			return nil, err
		}
	}
	epcs := make([]string, len(list))
	for i, s := range list {
		u, err := gs1.NewSGTIN(g, s)
		if err != nil {
			return nil, httpapi.NewProblem(httpapi.InvalidIdentifier, "serials[%d] %q: %s", i, httpapi.Printable(s), detail(err))
		}
		epcs[i] = c.dir.Write(u.Key())
	}
	var events []epcis.Event
	for chunk := range slices.Chunk(epcs, perEvent) {
		events = append(events, epcis.Commission(at, chunk, b.Lot, b.Expiry))
	}
	d, err := c.single("commission", events...)
	if err != nil {
		return nil, err
	}
	d.Result = serialsResult{GTIN: g.String(), Lot: b.Lot, Serials: list, EPCs: epcs}
	return d, nil
}

func (c *Commands) pack(_ context.Context, b *packBody) (*draft.Draft, error) {
	at, err := c.at(b.When)
	if err != nil {
		return nil, err
	}
	children, err := c.objects("children", b.Children)
	if err != nil {
		return nil, err
	}
	if b.Parent != "" {
		parent, err := c.objects("parent", []string{b.Parent})
		if err != nil {
			return nil, err
		}
		d, err := c.single("pack", epcis.Pack(at, parent[0], children))
		if err != nil {
			return nil, err
		}
		d.Result = packResult{Parent: parent[0]}
		return d, nil
	}
	parent, err := c.number()
	if err != nil {
		return nil, err
	}
	d, err := c.single("pack", epcis.Commission(at, []string{parent}, "", ""), epcis.Pack(at, parent, children))
	if err != nil {
		return nil, err
	}
	d.Result = packResult{Parent: parent}
	return d, nil
}

// number gives out the next SSCC under the party's own prefix, never the same twice (General Specifications 2.2.1).
func (c *Commands) number() (string, error) {
	prefix := c.dir.OwnPrefix()
	if prefix == "" {
		return "", httpapi.NewProblem(httpapi.PrefixUnknown, "no company prefix is registered for %s, so no SSCC can be numbered; send parent, or have an authority register a prefix", c.dir.Self())
	}
	n, err := c.cfg.Numbers.Next("sscc/" + prefix)
	if err != nil {
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
	return c.dir.Write(s.Key()), nil
}

func (c *Commands) unpack(_ context.Context, b *unpackBody) (*draft.Draft, error) {
	at, err := c.at(b.When)
	if err != nil {
		return nil, err
	}
	parent, err := c.objects("parent", []string{b.Parent})
	if err != nil {
		return nil, err
	}
	children, err := c.objects("children", b.Children)
	if err != nil {
		return nil, err
	}
	return c.single("unpack", epcis.Unpack(at, parent[0], children))
}

func (c *Commands) ship(ctx context.Context, b *shipBody) (*draft.Draft, error) {
	at, items, err := c.atItems(b.When, b.Items)
	if err != nil {
		return nil, err
	}
	s := epcis.Shipment{DropShipment: b.DropShipment}
	s.SourceOwner, s.SourceLocation = c.own(at)
	if s.DestinationOwner, s.DestinationLocation, err = c.end(ctx, "to", b.To); err != nil {
		return nil, err
	}
	s.Documents = papers(b.Papers, s.DestinationOwner, s.SourceOwner)
	return c.single("ship", epcis.Ship(at, items, s))
}

func (c *Commands) receive(ctx context.Context, b *receiveBody) (*draft.Draft, error) {
	at, items, err := c.atItems(b.When, b.Items)
	if err != nil {
		return nil, err
	}
	var s epcis.Shipment
	if s.SourceOwner, s.SourceLocation, err = c.end(ctx, "from", b.From); err != nil {
		return nil, err
	}
	s.DestinationOwner, s.DestinationLocation = c.own(at)
	s.Documents = papers(b.Papers, s.DestinationOwner, s.SourceOwner)
	if b.ReturnAuthorization != "" {
		return c.single("receive", epcis.ReceiveReturn(at, items, s, glnOf(s.DestinationOwner), b.ReturnAuthorization))
	}
	return c.single("receive", epcis.Receive(at, items, s))
}

func (c *Commands) giveBack(ctx context.Context, b *returnBody) (*draft.Draft, error) {
	at, items, err := c.atItems(b.When, b.Items)
	if err != nil {
		return nil, err
	}
	var s epcis.Shipment
	s.SourceOwner, s.SourceLocation = c.own(at)
	if s.DestinationOwner, s.DestinationLocation, err = c.end(ctx, "to", b.To); err != nil {
		return nil, err
	}
	return c.single("return", epcis.ShipReturn(at, items, s, glnOf(s.DestinationOwner), b.ReturnAuthorization))
}

func (c *Commands) atItems(w When, list []string) (epcis.At, []string, error) {
	at, err := c.at(w)
	if err != nil {
		return at, nil, err
	}
	items, err := c.objects("items", list)
	return at, items, err
}

func (c *Commands) dispense(_ context.Context, b *dispenseBody) (*draft.Draft, error) {
	at, items, err := c.atItems(b.When, b.Items)
	if err != nil {
		return nil, err
	}
	return c.single("dispense", epcis.Dispense(at, items, b.Partial))
}

func (c *Commands) quarantine(_ context.Context, b *quarantineBody) (*draft.Draft, error) {
	at, items, err := c.atItems(b.When, b.Items)
	if err != nil {
		return nil, err
	}
	disposition := map[string]string{
		"damaged": epcis.DispDamaged, "expired": epcis.DispExpired, "recalled": epcis.DispRecalled, "stolen": epcis.DispStolen,
		"suspect": epcis.DispNoPedigreeMatch, "": epcis.DispNoPedigreeMatch,
	}[b.Reason]
	return c.single("quarantine", epcis.Hold(at, items, disposition))
}

// release puts goods back into sale after inspection.
func (c *Commands) release(_ context.Context, b *itemsBody) (*draft.Draft, error) {
	at, items, err := c.atItems(b.When, b.Items)
	if err != nil {
		return nil, err
	}
	ev := epcis.Hold(at, items, "sellable_accessible")
	ev.BizStep = epcis.StepPrefix + epcis.StepInspecting
	return c.single("release", ev)
}

func (c *Commands) recall(ctx context.Context, b *recallBody) (*draft.Draft, error) {
	rc := &registry.Recall{
		RecallNumber: b.RecallNumber, Lot: b.Lot, Classification: b.Classification, Depth: b.Depth, Reason: b.Reason,
		InitiatedOn: b.InitiatedOn, Status: b.Status,
	}
	if rc.Status == "" {
		rc.Status = "open"
	}
	if rc.InitiatedOn == "" {
		rc.InitiatedOn = c.cfg.Now().UTC().Format(time.DateOnly)
	}
	if b.GTIN == "" && len(b.Units) == 0 {
		return nil, httpapi.NewProblem(httpapi.MissingParameter, "the recall covers nothing; send gtin and lot, gtin alone for all its lots, or units")
	}
	subject := "recall " + b.RecallNumber
	if b.GTIN != "" {
		g, err := c.recalledGTIN(ctx, b.GTIN)
		if err != nil {
			return nil, err
		}
		rc.GTIN = g.String()
	}
	for i, text := range b.Units {
		at := fmt.Sprintf("units[%d]", i)
		form, key, err := c.identify(at, text)
		if err != nil {
			return nil, err
		}
		g, ok := key.GTIN()
		if !ok || !key.IsUnit() {
			return nil, httpapi.NewProblem(httpapi.InvalidIdentifier, "%s %q is no serialised unit; a recall names units, lots or GTINs", at, httpapi.Printable(text))
		}
		if f := c.dir.CheckOwner(g); f != nil && !c.cfg.Foreign {
			return nil, httpapi.NewProblem(httpapi.GTINNotOwned, "%s: %s; nothing was captured. What to do: %s", at, f.Message, f.Hint)
		}
		rc.Units = append(rc.Units, form)
	}
	return registration("recall", wire.KindRecall, rc, subject), nil
}

// resolve drafts the closing of a finding. Whether the party may close it depends on the finding, which the ledger knows.
func (c *Commands) resolve(_ context.Context, b *resolveBody) (*draft.Draft, error) {
	pos, err := position(b.Event)
	if err != nil {
		return nil, err
	}
	allowed := custody.Outcomes(verdict.Code(b.Code))
	if len(allowed) == 0 {
		return nil, httpapi.NewProblem(httpapi.InvalidParameter, "code %q is no finding that can be closed; send the code as the trace shows it", httpapi.Printable(b.Code))
	}
	if !slices.Contains(allowed, custody.Outcome(b.Outcome)) {
		words := make([]string, len(allowed))
		for i, o := range allowed {
			words[i] = string(o)
		}
		p := httpapi.NewProblem(httpapi.InvalidParameter, "outcome %q does not fit %s; nothing was captured. Choose one of %s", httpapi.Printable(b.Outcome), b.Code, strings.Join(words, ", "))
		for _, o := range allowed {
			p = p.With(httpapi.Fault{Pointer: "outcome", Code: string(o), Message: o.Meaning()})
		}
		return nil, p
	}
	if len(b.Note) > custody.MaxNote {
		return nil, httpapi.NewProblem(httpapi.InvalidParameter, "the note has %d bytes and may have %d; shorten it", len(b.Note), custody.MaxNote)
	}
	units, err := c.objects("units", b.Units)
	if err != nil {
		return nil, err
	}
	m := &registry.Resolution{Height: pos.Height, Entry: pos.Entry, Item: pos.Item, Code: b.Code, Outcome: b.Outcome, Note: b.Note, Units: units}
	return registration("resolve", wire.KindResolution, m, fmt.Sprintf("%s of %s: %s", b.Code, pos, b.Outcome)), nil
}

func (c *Commands) decommission(_ context.Context, b *itemsBody) (*draft.Draft, error) {
	at, items, err := c.atItems(b.When, b.Items)
	if err != nil {
		return nil, err
	}
	return c.single("decommission", epcis.Decommission(at, items))
}

func (c *Commands) destroy(_ context.Context, b *itemsBody) (*draft.Draft, error) {
	at, items, err := c.atItems(b.When, b.Items)
	if err != nil {
		return nil, err
	}
	return c.single("destroy", epcis.Destroy(at, items))
}

// takeBack declares an event of this party an error: the ledger restores what was before it, unless later events build upon it.
func (c *Commands) takeBack(ctx context.Context, b *takeBackBody) (*draft.Draft, error) {
	if c.cfg.Event == nil {
		return nil, httpapi.NewProblem(httpapi.APIUnavailable, "this service knows no api service to ask for the event; have its operator set api in its configuration, or capture the event again with an errorDeclaration")
	}
	was, err := c.cfg.Event(ctx, b.Event)
	switch {
	case errors.Is(err, ErrNoEvent):
		return nil, httpapi.NewProblem(httpapi.UnknownEvent, "the ledger has no event %q; send its position, height/entry/item as a trace shows it, or its eventID", httpapi.Printable(b.Event))
	case err != nil:
		return nil, httpapi.NewProblem(httpapi.APIUnavailable, "the api service did not show the event; try again in a moment").Because(err)
	case was.ErrorDeclaration != nil:
		return nil, httpapi.NewProblem(httpapi.InvalidParameter, "event %q declares another one an error already; name the event that is to be taken back", httpapi.Printable(b.Event))
	}
	reason := b.Reason
	if reason == "" {
		reason = "did_not_occur"
	}
	// What is sealed stays with this party's first record: nobody is shown it again.
	was.BizTransactionList = slices.DeleteFunc(was.BizTransactionList, func(t epcis.BizTransaction) bool { return t.Value == "" })
	ev := epcis.Withdraw(*was, c.cfg.Now().UTC().Format("2006-01-02T15:04:05.000Z"), reason)
	return c.declaration(&ev)
}

// ErrNoEvent is of an event that the ledger does not have.
var ErrNoEvent = errors.New("command: no such event")

// declaration drafts an error declaration, which keeps the id of the event that it is about.
func (c *Commands) declaration(ev *epcis.Event) (*draft.Draft, error) {
	job, err := uuid.NewV7()
	if err != nil {
		return nil, fmt.Errorf("draw a job id: %w", err)
	}
	if f := c.dir.CheckOwn(ev); f != nil {
		return nil, httpapi.NewProblem(httpapi.Code(f.Code), "%s; nothing was captured. What to do: %s", f.Message, f.Hint)
	}
	return &draft.Draft{Kind: "take-back", OnError: submission.Rollback, Events: 1, Job: job, Items: []draft.Item{draft.EventItem(ev, 0)}}, nil
}
