// Package onboard registers, on a development network, what a document from elsewhere names, so
// that the document can be captured.
package onboard

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"verilot.dev/epcis"
	"verilot.dev/epcis/epcisdoc"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/verdict"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/partner/directory"
	"verilot.dev/services/internal/partner/draft"
	"verilot.dev/services/internal/partner/journal"
	"verilot.dev/services/internal/partner/outbox"
)

// Onboarding is what a development network makes of a document from elsewhere: the parties, places, prefixes, products and
// lots that it names are registered under this service's own authority key, so that the document can be captured. A real
// network never does this: there, an authority looks before it signs.
type Onboarding struct {
	Parties  []string `json:"parties" doc:"Parties that were registered or extended"`
	Prefixes []string `json:"prefixes" doc:"Company prefixes that were registered"`
	Products []string `json:"products" doc:"GTINs that were registered"`
	Lots     []string `json:"lots" doc:"Lots that were registered, each as (01) GTIN (10) lot"`
	Jobs     []string `json:"jobs" doc:"The capture jobs it took"`
	Notes    []string `json:"notes,omitempty" doc:"What was left out, and why"`
	// A document names no licences.
	Unlicensed []string `json:"unlicensed" doc:"Parties that were registered as trading partners and have no licence yet: what they sell and dispense is refused, what they buy is on hold"`
}

// Config of onboarding. All of it is required.
type Config struct {
	Genesis   *genesis.Genesis
	Authority bool // the outbox takes drafts for an authority
	Directory *directory.Directory
	Jobs      Jobs
	Journal   *journal.Journal
	MaxEvents int // of a document
}

// Jobs takes drafts and waits for what becomes of them.
type Jobs interface {
	Submit(context.Context, outbox.Request, func(context.Context) (*draft.Draft, error)) (uuid.UUID, error)
	Await(ctx context.Context, id uuid.UUID, want journal.State, timeout time.Duration) (journal.State, error)
}

// Service onboards documents.
type Service struct {
	cfg Config
	dir *directory.Directory
}

// New makes a service.
func New(cfg Config) *Service { return &Service{cfg, cfg.Directory} }

const (
	// Timeout is how long a document's registrations may take.
	Timeout = 90 * time.Second
	// MaxDocument bounds a document: it is read whole.
	MaxDocument = 32 << 20
)

// Document registers what a document names and waits until that is certified. Repeating it changes
// nothing.
func (s *Service) Document(ctx context.Context, r io.Reader) (*Onboarding, error) {
	if err := s.allowed(ctx); err != nil {
		return nil, err
	}
	doc, err := epcisdoc.Parse(r, epcis.Options{MaxBytes: MaxDocument, MaxEvents: s.cfg.MaxEvents})
	if err != nil {
		return nil, fmt.Errorf("parse document: %w", err)
	}
	s.dir.Refresh(ctx)
	out := &Onboarding{Parties: []string{}, Prefixes: []string{}, Products: []string{}, Lots: []string{}, Jobs: []string{}, Unlicensed: []string{}}
	if err := s.parties(ctx, read(doc), out); err != nil {
		return nil, err
	}
	if err := s.products(ctx, doc, out); err != nil {
		return nil, err
	}
	return out, s.lots(ctx, doc, out)
}

// allowed says whether this service may onboard at all.
func (s *Service) allowed(ctx context.Context) error {
	switch {
	case !s.cfg.Genesis.Development:
		return httpapi.NewProblem(httpapi.OnboardingForbidden, "network %s is not a development network; have an authority register parties, licences, prefixes and products", s.cfg.Genesis.Name)
	case !s.cfg.Authority:
		return httpapi.NewProblem(httpapi.OnboardingForbidden, "this service has no authority key; give it one (development only), or onboard through a service that has one")
	}
	return s.dir.MayCapture(ctx)
}

// company is everything a document says about one company prefix (or, where no split is known, one GLN).
type company struct {
	prefix     string
	places     map[string]registry.Place // by key text
	glns       map[string]bool
	owner      string // key text of the place named as owning party
	maker      bool
	dispenser  bool
	hasTraffic bool
}

type companies map[string]*company

func (c companies) of(epc gs1.EPC) *company {
	prefix := prefixOf(epc)
	key := prefix
	if key == "" {
		g, ok := epc.Key().GLN()
		if !ok {
			return nil
		}
		key = "gln " + g.String()
	}
	if c[key] == nil {
		c[key] = &company{prefix: prefix, places: map[string]registry.Place{}, glns: map[string]bool{}}
	}
	return c[key]
}

// prefixOf is the company prefix that an EPC URN shows between its last colon and the first dot after it.
func prefixOf(epc gs1.EPC) string {
	if epc.GCPLength() == 0 {
		return ""
	}
	s := epc.Captured()
	s = s[strings.LastIndexByte(s, ':')+1:]
	if i := strings.IndexByte(s, '.'); i == epc.GCPLength() {
		return s[:i]
	}
	return ""
}

// read collects the companies that a document names.
func read(doc *epcis.Document) companies {
	all := companies{}
	site := func(id string) *company {
		epc, err := gs1.ParseEPC(id)
		if err != nil {
			return nil
		}
		k := epc.Key()
		g, ok := k.GLN()
		if !ok {
			return nil
		}
		c := all.of(epc)
		c.glns[g.String()] = true
		if _, known := c.places[k.String()]; !known && k.Kind() == gs1.KindSGLN {
			c.places[k.String()] = registry.Place{ID: id}
		}
		return c
	}
	owner := func(id string) {
		if c := site(id); c != nil {
			epc, _ := gs1.ParseEPC(id)
			c.owner, c.hasTraffic = epc.Key().String(), true
		}
	}
	for _, v := range doc.Header.Vocabularies {
		for i := range v.Elements {
			el := &v.Elements[i]
			switch {
			case strings.HasSuffix(v.Type, ":Location"):
				if c := site(el.ID); c != nil {
					epc, _ := gs1.ParseEPC(el.ID)
					c.places[epc.Key().String()] = address(el)
				}
			case strings.HasSuffix(v.Type, ":EPCClass"):
				if epc, err := gs1.ParseEPC(el.ID); err == nil && prefixOf(epc) != "" {
					all.of(epc).maker = true
				}
			}
		}
	}
	if h := doc.Header.SBDH; h != nil {
		for _, p := range slices.Concat(h.Senders, h.Receivers) {
			site(p.Identifier)
		}
	}
	for i := range doc.Events {
		ev := &doc.Events[i].Event
		for _, p := range []*epcis.Place{ev.ReadPoint, ev.BizLocation} {
			if p == nil {
				continue
			}
			if c := site(p.ID); c != nil {
				c.hasTraffic = true
				c.dispenser = c.dispenser || ev.Step() == epcis.StepDispensing
			}
		}
		owner(ev.Source(epcis.OwningParty))
		owner(ev.Destination(epcis.OwningParty))
		site(ev.Source(epcis.Location))
		site(ev.Destination(epcis.Location))
		if ev.Step() == epcis.StepCommissioning {
			last := ""
			for _, s := range ev.EPCList {
				cut, _ := gs1.SplitEPC(s)
				if cut == last {
					continue
				}
				last = cut
				if epc, err := gs1.ParseEPC(s); err == nil && epc.Key().IsUnit() && prefixOf(epc) != "" {
					all.of(epc).maker = true
				}
			}
		}
	}
	return all
}

func address(el *epcis.VocabularyElement) registry.Place {
	a := attributes(el)
	return registry.Place{
		ID: el.ID, Name: a["name"], StreetOne: a["streetAddressOne"], StreetTwo: a["streetAddressTwo"], City: a["city"], State: a["state"],
		PostalCode: a["postalCode"], Country: a["countryCode"],
	}
}

// attributes are a master data element's, by the last part of their ids.
func attributes(el *epcis.VocabularyElement) map[string]string {
	m := make(map[string]string, len(el.Attributes))
	for _, a := range el.Attributes {
		m[a.ID[strings.LastIndexAny(a.ID, "#:/")+1:]] = strings.TrimSpace(a.Text)
	}
	return m
}

// acts are the registrations that are missing.
func (s *Service) acts(all companies) []*registry.Act {
	maker := s.dir.IsMaker()
	var acts []*registry.Act
	taken := map[string]bool{}
	for _, name := range slices.Sorted(maps.Keys(all)) {
		c := all[name]
		act := &registry.Act{}
		s.dir.Read(func(r directory.View) {
			id, known := r.Prefixes[c.prefix]
			for _, gln := range slices.Sorted(maps.Keys(c.glns)) {
				if known {
					break
				}
				// Somebody's by its own number, not by a prefix that happens to begin like this one.
				if who, ok := r.PartyOfGLN(gln); ok {
					p, _ := r.Party(who)
					id, known = who, slices.Contains(p.GLNs, gln)
				}
			}
			switch {
			case known:
				act.Party = id
			case c.maker && maker:
				act.Party = s.dir.Self() // so that a document from elsewhere can be captured as one's own
			default:
				act.Party = unusedID(r.Registry, c, taken)
				act.Name = c.name()
				act.Roles = []string{c.role()}
			}
			if _, registered := r.Prefixes[c.prefix]; c.prefix != "" && !registered {
				act.Prefixes = []string{c.prefix}
			}
			for _, g := range slices.Sorted(maps.Keys(c.glns)) {
				if p, ok := r.Party(act.Party); !ok || !slices.Contains(p.GLNs, g) {
					act.GLNs = append(act.GLNs, g)
				}
			}
			for _, k := range slices.Sorted(maps.Keys(c.places)) {
				if _, ok := r.Place(k); !ok {
					act.Places = append(act.Places, c.places[k])
				}
			}
		})
		if len(act.Prefixes)+len(act.GLNs)+len(act.Places) > 0 {
			act.Note = "development onboarding"
			acts = append(acts, act)
		}
	}
	return acts
}

func (c *company) name() string {
	if p := c.places[c.owner]; p.Name != "" {
		return p.Name
	}
	for _, k := range slices.Sorted(maps.Keys(c.places)) {
		if c.places[k].Name != "" {
			return c.places[k].Name
		}
	}
	return "company " + c.prefix
}

func (c *company) role() string {
	switch {
	case c.maker:
		return "manufacturer"
	case c.dispenser:
		return "dispenser"
	default:
		return "distributor"
	}
}

// unusedID makes a party id of a company's name.
func unusedID(r registry.Registry, c *company, taken map[string]bool) string {
	var b strings.Builder
	for _, x := range strings.ToLower(c.name()) {
		switch {
		case 'a' <= x && x <= 'z' || '0' <= x && x <= '9':
			b.WriteRune(x)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	base := b.String()
	base = strings.Trim(base[:min(len(base), 28)], "-")
	if base == "" {
		base = "party"
	}
	id := base
	for n := 2; ; n++ {
		if _, used := r.Party(id); !used && !taken[id] {
			taken[id] = true
			return id
		}
		id = fmt.Sprintf("%s-%d", base, n)
	}
}

func (s *Service) parties(ctx context.Context, all companies, out *Onboarding) error {
	acts := s.acts(all)
	if len(acts) == 0 {
		return nil
	}
	d := &draft.Draft{Kind: "onboarding", OnError: submission.Proceed, Authority: true}
	for _, a := range acts {
		d.Items = append(d.Items, draft.Registration(wire.KindPartyAct, a, "party "+a.Party))
	}
	accepted, err := s.settled(ctx, d, out)
	if err != nil {
		return err
	}
	var keep []directory.Registration
	for i, a := range acts {
		if accepted[i] != "" {
			out.Notes = append(out.Notes, fmt.Sprintf("party %s was not registered: the ledger says %s", a.Party, accepted[i]))
			if (accepted[i] == string(verdict.PrefixTaken) || accepted[i] == string(verdict.GLNTaken)) && a.Party != s.dir.Self() {
				keep = append(keep, directory.Registration{Foreign: a.GLNs})
			}
			continue
		}
		keep = append(keep, directory.Registration{Act: a})
		out.Parties = append(out.Parties, a.Party)
		if len(a.Roles) > 0 { // new
			out.Unlicensed = append(out.Unlicensed, a.Party)
		}
		out.Prefixes = append(out.Prefixes, a.Prefixes...)
	}
	return s.remember(keep)
}

func (s *Service) products(ctx context.Context, doc *epcis.Document, out *Onboarding) error {
	d := &draft.Draft{Kind: "onboarding", OnError: submission.Proceed}
	var products []*registry.Product
	for _, v := range doc.Header.Vocabularies {
		if !strings.HasSuffix(v.Type, ":EPCClass") {
			continue
		}
		for i := range v.Elements {
			el := &v.Elements[i]
			epc, err := gs1.ParseEPC(el.ID)
			g, ok := epc.Key().GTIN()
			if err != nil || !ok {
				continue
			}
			if owner, known := s.dir.OwnerOf(g); !known || owner != s.dir.Self() {
				out.Notes = append(out.Notes, fmt.Sprintf("GTIN %s was not registered: products are registered by the owner of their company prefix", g))
				continue
			}
			a := attributes(el)
			p := &registry.Product{
				GTIN: g.String(), NDC: a["additionalTradeItemIdentification"], NDCFormat: a["additionalTradeItemIdentificationTypeCode"],
				Name: a["regulatedProductName"], Manufacturer: a["manufacturerOfTradeItemPartyName"], DosageForm: a["dosageFormType"],
				Strength: a["strengthDescription"], NetContent: a["netContentDescription"], CompanyPrefixLength: uint32(epc.GCPLength()),
			}
			known := false
			s.dir.Read(func(r directory.View) {
				old, ok := r.Product(g)
				known = ok && old == *p
			})
			if known {
				continue
			}
			products = append(products, p)
			d.Items = append(d.Items, draft.Registration(wire.KindProduct, p, "GTIN "+p.GTIN))
		}
	}
	if len(products) == 0 {
		return nil
	}
	accepted, err := s.settled(ctx, d, out)
	if err != nil {
		return err
	}
	var keep []directory.Registration
	for i, p := range products {
		if accepted[i] != "" {
			out.Notes = append(out.Notes, fmt.Sprintf("GTIN %s was not registered: the ledger says %s", p.GTIN, accepted[i]))
			continue
		}
		keep = append(keep, directory.Registration{Product: p})
		out.Products = append(out.Products, p.GTIN)
	}
	return s.remember(keep)
}

// lots registers the lots that the document commissions units in: it has no other word for them.
func (s *Service) lots(ctx context.Context, doc *epcis.Document, out *Onboarding) error {
	d := &draft.Draft{Kind: "onboarding", OnError: submission.Proceed}
	var lots []*registry.Lot
	seen := map[gs1.Key]bool{}
	for i := range doc.Events {
		ev := &doc.Events[i].Event
		expiry, ok := ev.ExpiryDate()
		if ev.Step() != epcis.StepCommissioning || ev.ErrorDeclaration != nil || !ok {
			continue
		}
		last := ""
		for _, id := range ev.EPCList {
			cut, _ := gs1.SplitEPC(id)
			if cut != "" && cut == last {
				continue
			}
			last = cut
			epc, err := gs1.ParseEPC(id)
			g, ok := epc.Key().GTIN()
			if err != nil || !ok || !epc.Key().IsUnit() {
				continue
			}
			lot, err := gs1.NewLGTIN(g, ev.Lot())
			if owner, known := s.dir.OwnerOf(g); err != nil || seen[lot.Key()] || !known || owner != s.dir.Self() {
				continue
			}
			seen[lot.Key()] = true
			known := false
			s.dir.Read(func(r directory.View) { _, known = r.Lot(g, ev.Lot()) })
			if known {
				continue
			}
			l := &registry.Lot{GTIN: g.String(), Lot: ev.Lot(), Expiry: expiry.String()}
			lots = append(lots, l)
			d.Items = append(d.Items, draft.Registration(wire.KindLot, l, "lot "+l.Lot+" of GTIN "+l.GTIN))
		}
	}
	if len(lots) == 0 {
		return nil
	}
	accepted, err := s.settled(ctx, d, out)
	if err != nil {
		return err
	}
	var keep []directory.Registration
	for i, l := range lots {
		if accepted[i] != "" {
			out.Notes = append(out.Notes, fmt.Sprintf("lot %s of GTIN %s was not registered: the ledger says %s", l.Lot, l.GTIN, accepted[i]))
			continue
		}
		keep = append(keep, directory.Registration{Lot: l})
		out.Lots = append(out.Lots, "(01)"+l.GTIN+"(10)"+l.Lot)
	}
	return s.remember(keep)
}

// settled captures a draft, waits for its certified verdict and returns, per item, "" or why it was not accepted.
func (s *Service) settled(ctx context.Context, d *draft.Draft, out *Onboarding) ([]string, error) {
	id, err := s.cfg.Jobs.Submit(ctx, outbox.Request{}, func(context.Context) (*draft.Draft, error) { return d, nil })
	if err != nil {
		return nil, err
	}
	out.Jobs = append(out.Jobs, id.String())
	state, err := s.cfg.Jobs.Await(ctx, id, journal.Indexed, Timeout)
	if err != nil {
		return nil, err
	}
	if state.Before(journal.Certified) {
		return nil, httpapi.NewProblem(httpapi.WaitTimeout, "the registrations are captured (job /capture/%s) but not certified yet; wait for that job, then send the document again", id)
	}
	return s.outcome(id, len(d.Items))
}

func (s *Service) outcome(id uuid.UUID, n int) ([]string, error) {
	out := make([]string, 0, n)
	rec, err := s.cfg.Journal.Job(id)
	if err != nil {
		return nil, err
	}
	parts, _, err := s.cfg.Journal.Parts(id, rec)
	if err != nil {
		return nil, err
	}
	for _, p := range parts {
		for i := range p.Count {
			why := p.Code
			if i < len(p.Items) {
				if v := p.Items[i]; v.Verdict != block.Accepted && v.Verdict != block.Flagged {
					why = v.Code
				}
			} else if why == "" {
				why = "no verdict"
			}
			out = append(out, why)
		}
	}
	return out, nil
}

// remember stores what was registered, so that this service knows it after a restart.
func (s *Service) remember(keep []directory.Registration) error {
	if len(keep) == 0 {
		return nil
	}
	list := make([][]byte, len(keep))
	for i, l := range keep {
		var err error
		if list[i], err = json.Marshal(l); err != nil {
			return fmt.Errorf("encode registration: %w", err)
		}
	}
	if err := s.cfg.Journal.Register(list); err != nil {
		return err
	}
	for _, l := range keep {
		s.dir.Add(l)
	}
	return nil
}
