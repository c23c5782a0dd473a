package tracing

import (
	"context"
	"errors"
	"strconv"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/custody"
	"verilot.dev/services/internal/edge/httpapi"
)

// LotTotals is the answer to a recall query: where is every unit of this lot, now?
type LotTotals struct {
	GTIN         string       `json:"gtin"`
	Lot          string       `json:"lot"`
	Expiry       string       `json:"expiry,omitempty"`
	Product      *Product     `json:"product,omitempty"`
	Registered   *Lot         `json:"registered,omitempty" doc:"What the maker announced of the lot"`
	Recalls      []RecallView `json:"recalls,omitempty"`
	Commissioned uint64       `json:"commissioned"`
	Totals       []LotTotal   `json:"totals"`
	RestsOn      Rest         `json:"restsOn"`
}

// Lot is registry.Lot as shown, with the names of the capture command.
type Lot struct {
	GTIN           string `json:"gtin"`
	Lot            string `json:"lot"`
	Expiry         string `json:"expiry"`
	Size           uint64 `json:"size,omitempty"`
	ManufacturedOn string `json:"manufacturedOn,omitempty"`
}

// LotTotal is one row.
type LotTotal struct {
	custody.Total
	Name string `json:"name,omitempty"`
}

// LotUnit is one line of the unit list.
type LotUnit struct {
	Serial      string   `json:"serial"`
	DigitalLink string   `json:"digitalLink"`
	State       string   `json:"state"`
	Holder      string   `json:"holder,omitempty"`
	Owner       string   `json:"owner,omitempty"`
	To          string   `json:"to,omitempty"`
	Place       string   `json:"place,omitempty"`
	Parent      string   `json:"parent,omitempty"`
	Overlays    []string `json:"overlays,omitempty"`
	Provisional bool     `json:"provisional,omitempty"`
}

// LotInput names a lot in an address.
type LotInput struct {
	GTIN string `path:"gtin" doc:"GTIN-14 of the unit, or its NDC's GTIN"`
	Lot  string `path:"lot" doc:"Lot, exactly as printed"`
}

func (in *LotInput) parse() (g gs1.GTIN, err error) {
	g, err = parseGTIN(in.GTIN)
	if err != nil {
		return g, err
	}
	if _, err = gs1.NewLGTIN(g, in.Lot); err != nil {
		return g, malformed("lot", in.Lot, err, "send the lot exactly as it is printed after (10) or LOT")
	}
	return g, nil
}

// parseGTIN refuses what is no GTIN, and tells those who have something else in hand where to find one.
func parseGTIN(text string) (gs1.GTIN, error) {
	g, err := gs1.ParseGTIN(text)
	if err == nil {
		return g, nil
	}
	if n, ndcErr := gs1.ParseNDC(text); ndcErr == nil {
		p := httpapi.NewProblem(httpapi.InvalidIdentifier, "%q looks like an NDC, not a GTIN; send the 14 digits after (01) on the package", clip(text))
		if digits, ok := n.NDC10(); ok {
			if like, ok := unitGTIN(digits); ok {
				p.Detail += ", for a single package of this NDC usually " + like.String()
			}
		}
		return g, p.With(httpapi.Fault{Pointer: "path.gtin", Code: gs1.CodeGTIN, Message: "looks like an NDC, not a GTIN"})
	}
	return g, malformed("gtin", text, err, "send the 14 digits after (01) on the package")
}

// unitGTIN is the GTIN that a labeler usually gives to the each of an NDC: 0, 03, the ten digits, check digit.
func unitGTIN(ndc10 string) (gs1.GTIN, bool) {
	for check := range 10 {
		if g, err := gs1.ParseGTIN("003" + ndc10 + strconv.Itoa(check)); err == nil {
			return g, true
		}
	}
	return gs1.GTIN{}, false
}

// malformed is the problem of one identifier in the address that cannot be read.
func malformed(name, text string, err error, todo string) *httpapi.Problem {
	fault := httpapi.Fault{Pointer: "path." + name, Message: err.Error()}
	if g, ok := errors.AsType[*gs1.Error](err); ok {
		fault.Code, fault.Message = g.Code, g.Detail
	}
	return httpapi.NewProblem(httpapi.InvalidIdentifier, "%s %q: %s; %s", name, clip(text), fault.Message, todo).With(fault)
}

func (s *Service) lot(_ context.Context, in *LotInput) (out *body[LotTotals], err error) {
	g, err := in.parse()
	if err != nil {
		return nil, err
	}
	err = s.read(func(r *Reader) error {
		reg := r.Registry()
		l := LotTotals{GTIN: g.String(), Lot: in.Lot, Totals: []LotTotal{}, RestsOn: s.rest(r.Head())}
		if p, ok := reg.Product(g); ok {
			shown := Product(p)
			l.Product = &shown
		}
		known := false
		if rl, ok := reg.Lot(g, in.Lot); ok {
			shown := Lot(rl)
			known, l.Registered, l.Expiry = true, &shown, rl.Expiry
		}
		for _, rc := range reg.Recalls(g, in.Lot) {
			l.Recalls = append(l.Recalls, RecallView{Recall: Recall(rc.Recall), Party: rc.Party, Position: rc.Pos})
		}
		totals, commissioned := custody.LotTotals(r.View, g, in.Lot)
		l.Commissioned = commissioned
		for _, t := range totals {
			row := LotTotal{Total: t}
			if p := r.Party(t.Party); p != nil {
				row.Name = p.Name
			}
			l.Totals = append(l.Totals, row)
		}
		if !known && len(totals) == 0 {
			return unknownLot(r, g, in.Lot)
		}
		if l.Expiry == "" {
			custody.LotUnits(r.View, g, in.Lot, func(u custody.Unit, _ string) bool { l.Expiry = u.Expiry; return false })
		}
		out = &body[LotTotals]{l}
		return nil
	})
	return out, err
}

func unknownLot(r *Reader, g gs1.GTIN, lot string) *httpapi.Problem {
	if _, ok := r.Registry().Product(g); !ok {
		return httpapi.NewProblem(httpapi.UnknownLot, "the ledger has no lot %q of GTIN %s, and no product is registered under that GTIN; compare it with the 14 digits after (01) on the package", clip(lot), g)
	}
	return httpapi.NewProblem(httpapi.UnknownLot, "the ledger has no lot %q of GTIN %s; compare it with the package: lots are compared exactly, upper and lower case matter", clip(lot), g)
}
