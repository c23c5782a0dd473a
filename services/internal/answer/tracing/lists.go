package tracing

import (
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/services/internal/answer/index"
)

// Product is registry.Product as shown, with the names that the capture commands use.
type Product struct {
	GTIN                string `json:"gtin"`
	NDC                 string `json:"ndc,omitempty"`
	NDCFormat           string `json:"ndcFormat,omitempty"`
	Name                string `json:"name"`
	Manufacturer        string `json:"manufacturer,omitempty"`
	DosageForm          string `json:"dosageForm,omitempty"`
	Strength            string `json:"strength,omitempty"`
	NetContent          string `json:"netContent,omitempty"`
	CompanyPrefixLength uint32 `json:"companyPrefixLength,omitempty"`
	ContainsGTIN        string `json:"containsGtin,omitempty"`
	ContainsCount       uint32 `json:"containsCount,omitempty"`
}

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
	RestsOn AsOf        `json:"restsOn"`
}

// listLooked bounds how many things one page of a list is chosen from.
const listLooked = 20_000

// LotsQuery asks for a page of lots. An empty member does not narrow the list.
type LotsQuery struct {
	Page
	GTIN  string // fourteen digits
	Party string // whose GTIN it is
	Text  string // part of the lot's or the product's name
}

// Lots lists lots, those that the ledger has had longest last.
func (s *Snapshot) Lots(q LotsQuery) (*Lots, error) {
	p, err := newPages("lots", q.Page, listLooked)
	if err != nil {
		return nil, err
	}
	out := &Lots{Lots: []ListedLot{}, RestsOn: s.AsOf()}
	of := map[string]*gtinView{}
	index.Lots(s.View, func(ref index.LotRef) bool {
		var v *gtinView
		takes, goOn := p.offer(place{ref.First, ref.GTIN + "\x00" + ref.Lot}, func() bool {
			if q.GTIN != "" && ref.GTIN != q.GTIN {
				return false
			}
			if v = of[ref.GTIN]; v == nil {
				v = s.viewGTIN(ref.GTIN)
				of[ref.GTIN] = v
			}
			return (q.Party == "" || v.party != nil && v.party.ID == q.Party) && contains(ref.Lot+"\n"+v.name(), q.Text)
		})
		if takes {
			out.Lots = append(out.Lots, v.lot(s, ref.Lot))
		}
		return goOn
	})
	out.Next = p.next()
	return out, nil
}

// gtinView is what many lots of one GTIN share.
type gtinView struct {
	gtin    gs1.GTIN
	party   *PartyRef
	product *Product
}

func (s *Snapshot) viewGTIN(text string) *gtinView {
	v := &gtinView{}
	g, err := gs1.ParseGTIN(text)
	if err != nil {
		return v
	}
	v.gtin = g
	if owner, ok := s.registry().OwnerOfGTIN(g); ok {
		v.party = s.party(owner)
	}
	if p, ok := s.registry().Product(g); ok {
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

func (v *gtinView) lot(s *Snapshot, lot string) ListedLot {
	out := ListedLot{GTIN: v.gtin.String(), Lot: lot, Party: v.party, Product: v.product, Recalled: len(s.registry().Recalls(v.gtin, lot)) > 0}
	if l, ok := s.registry().Lot(v.gtin, lot); ok {
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
	RestsOn  AsOf            `json:"restsOn"`
}

// ProductsQuery asks for a page of products. An empty member does not narrow the list.
type ProductsQuery struct {
	Page
	Party string // whose GTIN it is
	Text  string // part of the name, the NDC or the GTIN
}

// Products lists registered products, newest first.
func (s *Snapshot) Products(q ProductsQuery) (*Products, error) {
	p, err := newPages("products", q.Page, listLooked)
	if err != nil {
		return nil, err
	}
	out := &Products{Products: []ListedProduct{}, RestsOn: s.AsOf()}
	index.Products(s.View, func(gtin string, first canonical.Position) bool {
		var v *gtinView
		takes, goOn := p.offer(place{pos: first}, func() bool {
			v = s.viewGTIN(gtin)
			return v.product != nil && (q.Party == "" || v.party != nil && v.party.ID == q.Party) &&
				contains(v.product.Name+"\n"+v.product.NDC+"\n"+gtin, q.Text)
		})
		if takes {
			out.Products = append(out.Products, ListedProduct{*v.product, v.party})
		}
		return goOn
	})
	out.Next = p.next()
	return out, nil
}
