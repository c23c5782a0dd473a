package tracing

import (
	"context"

	"verilot.dev/epcis/gs1"
	"verilot.dev/services/internal/answer/index"
)

// ListedLot is a lot in a list.
type ListedLot struct {
	GTIN           string    `json:"gtin"`
	Lot            string    `json:"lot"`
	Expiry         string    `json:"expiry,omitempty"`
	Size           uint64    `json:"size,omitempty" doc:"Units planned, as its maker announced"`
	ManufacturedOn string    `json:"manufacturedOn,omitempty"`
	Registered     bool      `json:"registered" doc:"Its maker announced it; else it is known from its units only"`
	Party          *PartyRef `json:"party,omitempty" doc:"Whose GTIN it is"`
	Product        *Product  `json:"product,omitempty"`
	Recalled       bool      `json:"recalled"`
}

// Lots is a page of lots, those that the ledger heard of last first.
type Lots struct {
	Lots    []ListedLot `json:"lots"`
	Next    string      `json:"next,omitempty" doc:"Ask with after=next for older ones"`
	RestsOn Rest        `json:"restsOn"`
}

// listLooked bounds how many things one page of a list is chosen from.
const listLooked = 20_000

// Page asks for a part of a list.
type Page struct {
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"At most so many. A page may hold fewer and still have a next one"`
	After string `query:"after" maxLength:"1000" doc:"next of the page before"`
}

func (s *Service) lots(_ context.Context, in *struct {
	Page
	GTIN  string `query:"gtin" doc:"Only lots of this GTIN"`
	Party string `query:"party" maxLength:"32" doc:"Only lots whose GTIN is this party's"`
	Q     string `query:"q" maxLength:"100" doc:"Part of the lot's or the product's name"`
},
) (out *body[Lots], err error) {
	var only string
	if in.GTIN != "" {
		g, err := parseGTIN(in.GTIN)
		if err != nil {
			return nil, err
		}
		only = g.String()
	}
	p, err := newPages("lots", in.After, in.Limit, listLooked)
	if err != nil {
		return nil, err
	}
	err = s.read(func(r *Reader) error {
		out = &body[Lots]{Lots{Lots: []ListedLot{}, RestsOn: s.rest(r.Head())}}
		of := map[string]*gtinView{}
		index.Lots(r.View, func(ref index.LotRef) bool {
			var v *gtinView
			takes, goOn := p.offer(place{ref.First, ref.GTIN + "\x00" + ref.Lot}, func() bool {
				if only != "" && ref.GTIN != only {
					return false
				}
				if v = of[ref.GTIN]; v == nil {
					v = viewGTIN(r, ref.GTIN)
					of[ref.GTIN] = v
				}
				return (in.Party == "" || v.party != nil && v.party.ID == in.Party) && contains(ref.Lot+"\n"+v.name(), in.Q)
			})
			if takes {
				out.Body.Lots = append(out.Body.Lots, v.lot(r, ref.Lot))
			}
			return goOn
		})
		out.Body.Next = p.next()
		return nil
	})
	return out, err
}

// gtinView is what many lots of one GTIN share.
type gtinView struct {
	gtin    gs1.GTIN
	party   *PartyRef
	product *Product
}

func viewGTIN(r *Reader, text string) *gtinView {
	v := &gtinView{}
	g, err := gs1.ParseGTIN(text)
	if err != nil {
		return v
	}
	v.gtin = g
	if owner, ok := r.Registry().OwnerOfGTIN(g); ok {
		v.party = r.Party(owner)
	}
	if p, ok := r.Registry().Product(g); ok {
		shown := Product(p)
		v.product = &shown
	}
	return v
}

func (v *gtinView) name() string {
	if v.product == nil {
		return ""
	}
	return v.product.Name
}

func (v *gtinView) lot(r *Reader, lot string) ListedLot {
	out := ListedLot{GTIN: v.gtin.String(), Lot: lot, Party: v.party, Product: v.product, Recalled: len(r.Registry().Recalls(v.gtin, lot)) > 0}
	if l, ok := r.Registry().Lot(v.gtin, lot); ok {
		out.Registered, out.Expiry, out.Size, out.ManufacturedOn = true, l.Expiry, l.Size, l.ManufacturedOn
	}
	return out
}

// ListedProduct is a product in a list.
type ListedProduct struct {
	Product
	Party *PartyRef `json:"party,omitempty" doc:"Whose GTIN it is"`
}

// Products is a page of products, newest first.
type Products struct {
	Products []ListedProduct `json:"products"`
	Next     string          `json:"next,omitempty" doc:"Ask with after=next for older ones"`
	RestsOn  Rest            `json:"restsOn"`
}

func (s *Service) products(_ context.Context, in *struct {
	Page
	Party string `query:"party" maxLength:"32" doc:"Only products whose GTIN is this party's"`
	Q     string `query:"q" maxLength:"100" doc:"Part of the name, the NDC or the GTIN"`
},
) (out *body[Products], err error) {
	p, err := newPages("products", in.After, in.Limit, listLooked)
	if err != nil {
		return nil, err
	}
	err = s.read(func(r *Reader) error {
		out = &body[Products]{Products{Products: []ListedProduct{}, RestsOn: s.rest(r.Head())}}
		index.Products(r.View, func(gtin string, first position) bool {
			var v *gtinView
			takes, goOn := p.offer(place{pos: first}, func() bool {
				v = viewGTIN(r, gtin)
				return v.product != nil && (in.Party == "" || v.party != nil && v.party.ID == in.Party) &&
					contains(v.product.Name+"\n"+v.product.NDC+"\n"+gtin, in.Q)
			})
			if takes {
				out.Body.Products = append(out.Body.Products, ListedProduct{*v.product, v.party})
			}
			return goOn
		})
		out.Body.Next = p.next()
		return nil
	})
	return out, err
}
