package query

import (
	"context"
	"encoding/hex"
	"strconv"
	"strings"

	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/gs1"
	"verilot.dev/services/internal/index"
	"verilot.dev/services/internal/scan"
)

// Hit is one thing that a search found. Which of the optional members are there follows from the kind.
type Hit struct {
	Kind   string `json:"kind" enum:"unit,container,lot,product,party,block,recall"`
	Title  string `json:"title"`
	Detail string `json:"detail,omitempty"`
	ID     string `json:"id,omitempty" doc:"unit, container: its ledger key"`
	GTIN   string `json:"gtin,omitempty" doc:"lot, product"`
	Lot    string `json:"lot,omitempty"`
	Height string `json:"height,omitempty" doc:"block"`
	Party  string `json:"party,omitempty"`
	Number string `json:"number,omitempty" doc:"recall"`
}

// Found is the answer to a search. A text that finds nothing is an answer.
type Found struct {
	Query    string     `json:"query"`
	Hits     []Hit      `json:"hits" doc:"Best first"`
	Readings []string   `json:"readings,omitempty" doc:"The text is a scan that lost its separators: what it may mean"`
	RestsOn  index.Rest `json:"restsOn"`
}

// searchLooked bounds how many lots and products one search compares.
const searchLooked = 20_000

type search struct {
	r    *index.Reader
	text string
	out  *Found
	max  int
}

func (f *search) add(h Hit) bool {
	if len(f.out.Hits) < f.max {
		f.out.Hits = append(f.out.Hits, h)
	}
	return len(f.out.Hits) < f.max
}

func (s *Service) search(_ context.Context, in *struct {
	Q     string `query:"q" required:"true" maxLength:"500" doc:"Anything: a scan, an EPC, a Digital Link, an NDC, a GTIN, a lot, a party, a block, a recall, a product's name"`
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"30"`
},
) (out *body[Found], err error) {
	err = s.read(func(r *index.Reader) error {
		out = &body[Found]{Found{Query: in.Q, Hits: []Hit{}, RestsOn: s.rest(r.Head())}}
		f := &search{r: r, text: strings.TrimSpace(in.Q), out: &out.Body, max: in.Limit}
		if f.text == "" {
			return nil
		}
		f.scanned(s.Now().Year())
		f.block()
		gtins := f.gtins()
		if err := f.recalls(); err != nil {
			return err
		}
		f.lots(gtins)
		f.products(gtins)
		f.parties()
		return nil
	})
	return out, err
}

// scanned reads the text as what stands on a package or container.
func (f *search) scanned(year int) {
	answer, key := scan.Read(f.text, year)
	for _, reading := range answer.Readings {
		f.out.Readings = append(f.out.Readings, reading.Text)
	}
	if answer.Verdict != "valid" || key.IsZero() {
		return
	}
	u, _, known := custody.Locate(f.r.View, key)
	h := Hit{ID: key.String(), Kind: "container", Title: key.String()}
	switch {
	case key.Kind() == gs1.KindSSCC:
		id := index.IDOf(key)
		h.Title = "SSCC " + id.SSCC
	case key.IsUnit():
		g, _ := key.GTIN()
		h.Kind, h.Title = "unit", g.String()+" "+key.Serial()
		if name := viewGTIN(f.r, g.String()).name(); name != "" {
			h.Detail = name
		}
	default:
		return
	}
	if known {
		h.Detail = strings.TrimSpace(h.Detail + " " + custody.StateName(f.r.View, &u))
		if p := f.r.Party(u.Holder); p != nil {
			h.Party = p.ID
		}
	} else {
		h.Detail = "no record"
	}
	f.add(h)
}

func (f *search) block() {
	hit := func(height uint64) {
		text := strconv.FormatUint(height, 10)
		f.add(Hit{Kind: "block", Title: text, Height: text})
	}
	if b, err := hex.DecodeString(f.text); err == nil && len(b) == 32 {
		if height, ok := index.BlockByHash(f.r.View, [32]byte(b)); ok {
			hit(height)
		}
		return
	}
	if height, err := strconv.ParseUint(strings.TrimPrefix(f.text, "#"), 10, 64); err == nil && height <= f.r.Head().Height {
		hit(height)
	}
}

// gtins are those that the text may mean: a GTIN, or an NDC in any writing.
func (f *search) gtins() map[string]bool {
	out := map[string]bool{}
	if g, err := gs1.ParseGTIN(f.text); err == nil {
		out[g.String()] = true
	}
	if n, err := gs1.ParseNDC(f.text); err == nil {
		if digits, ok := n.NDC10(); ok {
			if g, ok := unitGTIN(digits); ok {
				out[g.String()] = true
			}
		}
	}
	return out
}

func (f *search) lots(gtins map[string]bool) {
	looked := 0
	var near []Hit
	index.Lots(f.r.View, func(l index.LotRef) bool {
		looked++
		v := func() Hit {
			h := Hit{Kind: "lot", Title: l.Lot, GTIN: l.GTIN, Lot: l.Lot}
			g := viewGTIN(f.r, l.GTIN)
			h.Detail = g.name()
			if g.party != nil {
				h.Party = g.party.ID
			}
			return h
		}
		switch {
		case strings.EqualFold(l.Lot, f.text), gtins[l.GTIN]:
			return f.add(v()) && looked < searchLooked
		case len(near) < f.max && contains(l.Lot, f.text):
			near = append(near, v())
		}
		return looked < searchLooked
	})
	for _, h := range near {
		f.add(h)
	}
}

func (f *search) products(gtins map[string]bool) {
	looked := 0
	index.Products(f.r.View, func(gtin string, _ position) bool {
		looked++
		v := viewGTIN(f.r, gtin)
		if v.product == nil {
			return looked < searchLooked
		}
		p := v.product
		if !gtins[gtin] && !contains(p.Name, f.text) && !contains(p.Manufacturer, f.text) && (p.NDC == "" || !strings.Contains(strings.ReplaceAll(p.NDC, "-", ""), strings.ReplaceAll(f.text, "-", ""))) {
			return looked < searchLooked
		}
		h := Hit{Kind: "product", Title: strings.TrimSpace(p.Name + " " + p.Strength), Detail: strings.TrimSpace(p.NDC + " " + p.NetContent), GTIN: gtin}
		if v.party != nil {
			h.Party = v.party.ID
		}
		return f.add(h) && looked < searchLooked
	})
}

func (f *search) parties() {
	for _, p := range f.r.Registry().Parties() {
		hit := strings.EqualFold(p.ID, f.text) || contains(p.Name, f.text)
		for _, g := range p.GLNs {
			hit = hit || g == f.text
		}
		var where string
		for _, place := range p.Places {
			where = strings.Trim(place.City+", "+place.State, ", ")
			hit = hit || contains(place.Name, f.text) || contains(place.City, f.text)
			break
		}
		if hit && !f.add(Hit{Kind: "party", Title: p.Name, Detail: strings.Join(append(p.Roles, nonEmpty(where)...), " · "), Party: p.ID}) {
			return
		}
	}
}

func nonEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}

func (f *search) recalls() error {
	list, err := f.r.RecallList()
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for i := len(list) - 1; i >= 0; i-- {
		rc := &list[i]
		if seen[rc.RecallNumber] || !contains(rc.RecallNumber, f.text) && !contains(rc.Reason, f.text) && !strings.EqualFold(rc.Lot, f.text) {
			continue
		}
		seen[rc.RecallNumber] = true
		if !f.add(Hit{Kind: "recall", Title: rc.RecallNumber, Detail: rc.Reason, Number: rc.RecallNumber, GTIN: rc.GTIN, Lot: rc.Lot, Party: rc.Party}) {
			break
		}
	}
	return nil
}
