package tracing

import (
	"encoding/hex"
	"slices"
	"strconv"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/answer/index"
)

// Hit is one thing that a search found. Which of the optional members are there follows from the kind.
type Hit struct {
	Kind   string `json:"kind" enum:"unit,container,lot,product,party,block,recall,event"`
	Title  string `json:"title"`
	Detail string `json:"detail,omitempty"`
	ID     string `json:"id,omitempty" doc:"unit, container: its ledger key; event: height/entry/item"`
	GTIN   string `json:"gtin,omitempty" doc:"lot, product"`
	Lot    string `json:"lot,omitempty"`
	Height string `json:"height,omitempty" doc:"block; event: of its block"`
	Party  string `json:"party,omitempty"`
	Number string `json:"number,omitempty" doc:"recall"`
}

// Found is the answer to a search. A text that finds nothing is an answer.
type Found struct {
	Query    string   `json:"query"`
	Hits     []Hit    `json:"hits" doc:"Best first"`
	Readings []string `json:"readings,omitempty" doc:"The text is a scan that lost its separators: what it may mean"`
	RestsOn  AsOf     `json:"restsOn"`
}

// searchLooked bounds how many lots and products one search compares.
const searchLooked = 20_000

// rank is how well a hit answers the text: what is named by exactly the text first, then what belongs to that (the lots of a
// product), then what only contains it.
type rank int

const (
	exact rank = iota
	belongs
	partial
	ranks
)

type search struct {
	s    *Snapshot
	text string
	out  *Found
	hits [ranks][]Hit
	max  int
}

// add reports whether a better hit than those found could still count.
func (f *search) add(as rank, h Hit) bool {
	if len(f.hits[as]) < f.max {
		f.hits[as] = append(f.hits[as], h)
	}
	return len(f.hits[exact]) < f.max
}

// Search finds at most limit things that a text may name.
func (s *Snapshot) Search(text string, limit int) (*Found, error) {
	out := &Found{Query: text, Hits: []Hit{}, RestsOn: s.AsOf()}
	f := &search{s: s, text: strings.TrimSpace(text), out: out, max: limit}
	if f.text == "" {
		return out, nil
	}
	f.scanned()
	f.block()
	if err := f.event(); err != nil {
		return nil, err
	}
	named := f.products()
	f.lots(named)
	if err := f.recalls(); err != nil {
		return nil, err
	}
	f.parties()
	for _, hits := range f.hits {
		out.Hits = append(out.Hits, hits[:min(len(hits), f.max-len(out.Hits))]...)
	}
	return out, nil
}

// scanned reads the text as what stands on a package or container.
func (f *search) scanned() {
	answer, key := ReadScan(f.text, f.s.Now.Year())
	for _, reading := range answer.Readings {
		f.out.Readings = append(f.out.Readings, reading.Text)
	}
	if only, _, ok := f.s.Choose(&answer); ok {
		key = only.key
	} else if answer.Verdict != "valid" || key.IsZero() {
		return
	}
	u, _, known := custody.Locate(f.s.View, key)
	h := Hit{ID: key.String(), Kind: "container", Title: key.String()}
	switch {
	case key.Kind() == gs1.KindSSCC:
		id := idOf(key)
		h.Title = "SSCC " + id.SSCC
	case key.IsUnit():
		g, _ := key.GTIN()
		h.Kind, h.Title = "unit", g.String()+" "+key.Serial()
		if name := f.s.viewGTIN(g.String()).name(); name != "" {
			h.Detail = name
		}
	default:
		return
	}
	if known {
		h.Detail = strings.TrimSpace(h.Detail + " " + custody.StateName(f.s.View, &u))
		if p := f.s.party(u.Holder); p != nil {
			h.Party = p.ID
		}
	} else {
		h.Detail = "no record"
	}
	f.add(exact, h)
}

func (f *search) block() {
	hit := func(height uint64) {
		text := strconv.FormatUint(height, 10)
		f.add(exact, Hit{Kind: "block", Title: text, Height: text})
	}
	if b, err := hex.DecodeString(f.text); err == nil && len(b) == 32 {
		if height, ok := index.BlockByHash(f.s.View, [32]byte(b)); ok {
			hit(height)
		}
		return
	}
	if height, err := strconv.ParseUint(strings.TrimPrefix(f.text, "#"), 10, 64); err == nil && height <= f.out.RestsOn.Height {
		hit(height)
	}
}

// event finds an item by its position, as traces and findings write it.
func (f *search) event() error {
	var n [3]uint64
	parts := strings.Split(f.text, "/")
	if len(parts) != len(n) {
		return nil
	}
	for i, p := range parts {
		var err error
		if n[i], err = strconv.ParseUint(p, 10, 63); err != nil {
			return nil //nolint:nilerr // then it is the name of something else
		}
	}
	if n[0] > f.out.RestsOn.Height {
		return nil
	}
	res, err := f.s.Log.Block(n[0])
	if err != nil {
		return err
	}
	if n[1] >= uint64(len(res.Entries)) || res.Entries[n[1]].Submission == nil || n[2] >= uint64(len(res.Entries[n[1]].Submission.Items)) {
		return nil
	}
	sub := res.Entries[n[1]].Submission
	it := &sub.Items[n[2]]
	h := Hit{Kind: "event", Title: f.text, Detail: wire.KindName(it.Kind), ID: f.text, Height: parts[0], Party: sub.Header.Party}
	if ev, ok := it.Message.(*epcis.Event); ok {
		h.Detail = strings.TrimSpace(ev.Type + " " + epcis.TermBizStep.Word(ev.BizStep))
	}
	f.add(exact, h)
	return nil
}

// productText is the text as what may name a product.
type productText struct {
	gtin string // the text as a GTIN
	ndc  gs1.NDC
	part string // of an NDC, without hyphens
}

func (f *search) productText() (t productText) {
	if g, err := gs1.ParseGTIN(f.text); err == nil {
		t.gtin = g.String()
	}
	if n, err := gs1.ParseNDC(f.text); err == nil {
		t.ndc = n
	}
	t.part = strings.ReplaceAll(f.text, "-", "")
	return t
}

// names reports whether the text is a product's GTIN or its NDC: as the label has it, or the eleven digits that are billed.
func (t *productText) names(p *Product) bool {
	if p.GTIN == t.gtin {
		return true
	}
	n, err := gs1.ParseNDC(p.NDC)
	if err != nil || t.ndc.IsZero() {
		return false
	}
	have10, ok := n.NDC10()
	want10, asked := t.ndc.NDC10()
	if ok && asked {
		return have10 == want10
	}
	have11, ok := n.NDC11()
	want11, asked := t.ndc.NDC11()
	return ok && asked && have11 == want11
}

// products returns the GTINs of those that the text names exactly.
func (f *search) products() (named map[string]bool) {
	named = map[string]bool{}
	text := f.productText()
	looked := 0
	index.Products(f.s.View, func(gtin string, _ canonical.Position) bool {
		looked++
		v := f.s.viewGTIN(gtin)
		if v.product == nil {
			return looked < searchLooked
		}
		p, as := v.product, partial
		switch {
		case text.names(p), strings.EqualFold(p.Name, f.text):
			as, named[gtin] = exact, true
		case contains(p.Name, f.text), contains(p.Manufacturer, f.text):
		case text.part != "" && strings.Contains(strings.ReplaceAll(p.NDC, "-", ""), text.part):
		default:
			return looked < searchLooked
		}
		h := Hit{Kind: "product", Title: strings.TrimSpace(p.Name + " " + p.Strength), Detail: strings.TrimSpace(p.NDC + " " + p.NetContent), GTIN: gtin}
		if v.party != nil {
			h.Party = v.party.ID
		}
		return f.add(as, h) && looked < searchLooked
	})
	if text.gtin != "" {
		named[text.gtin] = true // units may be there before their product is registered
	}
	return named
}

func (f *search) lots(named map[string]bool) {
	looked := 0
	index.Lots(f.s.View, func(l index.LotRef) bool {
		looked++
		as := partial
		switch {
		case strings.EqualFold(l.Lot, f.text):
			as = exact
		case named[l.GTIN]:
			as = belongs
		case !contains(l.Lot, f.text):
			return looked < searchLooked
		}
		if len(f.hits[as]) == f.max {
			return len(f.hits[exact]) < f.max && looked < searchLooked
		}
		h := Hit{Kind: "lot", Title: l.Lot, GTIN: l.GTIN, Lot: l.Lot}
		g := f.s.viewGTIN(l.GTIN)
		h.Detail = g.name()
		if g.party != nil {
			h.Party = g.party.ID
		}
		return f.add(as, h) && looked < searchLooked
	})
}

func (f *search) parties() {
	for _, p := range f.s.registry().Parties() {
		as, hit := partial, contains(p.Name, f.text)
		if strings.EqualFold(p.ID, f.text) || strings.EqualFold(p.Name, f.text) || slices.Contains(p.GLNs, f.text) {
			as, hit = exact, true
		}
		detail := slices.Clone(p.Roles)
		for i, place := range p.Places {
			hit = hit || contains(place.Name, f.text) || contains(place.City, f.text)
			if where := strings.Trim(place.City+", "+place.State, ", "); i == 0 && where != "" {
				detail = append(detail, where)
			}
		}
		if hit && !f.add(as, Hit{Kind: "party", Title: p.Name, Detail: strings.Join(detail, " · "), Party: p.ID}) {
			return
		}
	}
}

func (f *search) recalls() error {
	list, err := f.s.recallList()
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for i := len(list) - 1; i >= 0; i-- {
		rc := &list[i]
		as := partial
		switch {
		case seen[rc.RecallNumber]:
			continue
		case strings.EqualFold(rc.RecallNumber, f.text):
			as = exact
		case strings.EqualFold(rc.Lot, f.text):
			as = belongs
		case !contains(rc.RecallNumber, f.text) && !contains(rc.Reason, f.text):
			continue
		}
		seen[rc.RecallNumber] = true
		if !f.add(as, Hit{Kind: "recall", Title: rc.RecallNumber, Detail: rc.Reason, Number: rc.RecallNumber, GTIN: rc.GTIN, Lot: rc.Lot, Party: rc.Party}) {
			break
		}
	}
	return nil
}
