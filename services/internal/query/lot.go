package query

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"

	"github.com/gin-gonic/gin"

	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/gs1"
	"verilot.dev/ledger/registry"
	"verilot.dev/services/internal/httpapi"
	"verilot.dev/services/internal/index"
)

// LotTotals is the answer to a recall query: where is every unit of this lot, now?
type LotTotals struct {
	GTIN         string             `json:"gtin"`
	Lot          string             `json:"lot"`
	Expiry       string             `json:"expiry,omitempty"`
	Product      *registry.Product  `json:"product,omitempty"`
	Registered   *registry.Lot      `json:"registered,omitempty"`
	Recalls      []index.RecallView `json:"recalls,omitempty"`
	Commissioned uint64             `json:"commissioned"`
	Totals       []LotTotal         `json:"totals"`
	RestsOn      index.Rest         `json:"restsOn"`
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

type lotInput struct {
	GTIN string `path:"gtin" doc:"GTIN-14 of the unit, or its NDC's GTIN"`
	Lot  string `path:"lot" doc:"Lot, exactly as printed"`
}

func (in *lotInput) parse() (g gs1.GTIN, err error) {
	g, err = gs1.ParseGTIN(in.GTIN)
	if err != nil {
		return g, httpapi.NewProblem(httpapi.InvalidIdentifier, "%s", err.Error())
	}
	if _, err = gs1.NewLGTIN(g, in.Lot); err != nil {
		return g, httpapi.NewProblem(httpapi.InvalidIdentifier, "%s", err.Error())
	}
	return g, nil
}

func (s *Service) lot(_ context.Context, in *lotInput) (out *body[LotTotals], err error) {
	g, err := in.parse()
	if err != nil {
		return nil, err
	}
	err = s.read(func(r *index.Reader) error {
		reg := r.Registry()
		l := LotTotals{GTIN: g.String(), Lot: in.Lot, Totals: []LotTotal{}, RestsOn: s.rest(r.Head())}
		if p, ok := reg.Product(g); ok {
			l.Product = &p
		}
		known := false
		if rl, ok := reg.Lot(g, in.Lot); ok {
			known, l.Registered, l.Expiry = true, &rl, rl.Expiry
		}
		for _, rc := range reg.Recalls(g, in.Lot) {
			l.Recalls = append(l.Recalls, index.RecallView{Recall: rc.Recall, Party: rc.Party, Position: rc.Pos})
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
			return httpapi.NewProblem(httpapi.UnknownLot, "the ledger has no lot %q of GTIN %s; lots are compared exactly, upper and lower case matter", clip(in.Lot), g)
		}
		if l.Expiry == "" {
			custody.LotUnits(r.View, g, in.Lot, func(u custody.Unit, _ string) bool { l.Expiry = u.Expiry; return false })
		}
		out = &body[LotTotals]{l}
		return nil
	})
	return out, err
}

// lotUnits streams a lot of any size in constant memory.
func (s *Service) lotUnits(c *gin.Context) error {
	in := lotInput{GTIN: c.Param("gtin"), Lot: c.Param("lot")}
	g, err := in.parse()
	if err != nil {
		return err
	}
	return s.read(func(r *index.Reader) error {
		w := bufio.NewWriterSize(c.Writer, 64<<10)
		e := json.NewEncoder(w)
		e.SetEscapeHTML(false)
		n := 0
		custody.LotUnits(r.View, g, in.Lot, func(u custody.Unit, state string) bool {
			if n == 0 {
				c.Header("Content-Type", "application/x-ndjson")
				c.Status(http.StatusOK)
			}
			n++
			line := LotUnit{
				Serial: u.Key.Serial(), DigitalLink: u.Key.DigitalLink(), State: state, Holder: u.Holder, Owner: u.Owner, To: u.To,
				Place: u.Place, Overlays: u.Overlays, Provisional: u.Provisional,
			}
			if !u.Parent.IsZero() {
				line.Parent = u.Parent.String()
			}
			return e.Encode(line) == nil && c.Request.Context().Err() == nil
		})
		if n == 0 {
			return httpapi.NewProblem(httpapi.UnknownLot, "the ledger has no unit of lot %q of GTIN %s; lots are compared exactly, upper and lower case matter", clip(in.Lot), g)
		}
		return w.Flush()
	})
}
