package tracing

import (
	"slices"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/custody"
	"verilot.dev/services/internal/answer/index"
)

// ShippedItem is a container or loose unit that a shipping event names.
type ShippedItem struct {
	ID
	Contents int  `json:"contents,omitempty" doc:"Things directly inside"`
	Open     bool `json:"open" doc:"Still on its way: not received, and not ended, lost or stolen before it could be"`
}

// Shipment is one shipping event, a return included.
type Shipment struct {
	ID        string             `json:"id" doc:"Height, entry and item of the shipping event"`
	Position  canonical.Position `json:"position"`
	EventTime string             `json:"eventTime,omitempty"`
	From      *PartyRef          `json:"from,omitempty"`
	To        *PartyRef          `json:"to,omitempty"`
	// Documents name kinds (po, desadv, inv, rma): numbers are sealed, for those who have the papers.
	Documents []string      `json:"documents,omitempty" doc:"Kinds of the business documents; their numbers are sealed"`
	Drop      bool          `json:"drop" doc:"A drop shipment: owned by one party, sent to another"`
	Return    bool          `json:"return"`
	Items     []ShippedItem `json:"items" doc:"At most 1,000 are listed"`
	Total     int           `json:"total" doc:"Things that the event names"`
	Open      int           `json:"open" doc:"Of them, still on their way"`
}

// Shipments is a page of shipments, newest first.
type Shipments struct {
	Shipments []Shipment `json:"shipments"`
	Next      string     `json:"next,omitempty" doc:"Ask with after=next for older ones"`
	RestsOn   AsOf       `json:"restsOn"`
}

const (
	itemsShown = 1000
	// shipmentsLooked bounds how many shipments one page is chosen from.
	shipmentsLooked = 2000
)

// ShipmentsQuery asks for a page of shipments; To, From or both must be given.
type ShipmentsQuery struct {
	Page
	To   string // party id of the addressee
	From string // party id of the sender
	Open bool   // only shipments of which something is still on its way
}

// Shipments lists what was shipped to or from a party, newest first.
func (s *Snapshot) Shipments(q ShipmentsQuery) (*Shipments, error) {
	p, err := newPages("shipments", q.Page, shipmentsLooked)
	if err != nil {
		return nil, err
	}
	list, party := index.ShipmentsTo, q.To
	if q.To == "" {
		list, party = index.ShipmentsFrom, q.From
	}
	out := &Shipments{Shipments: []Shipment{}, RestsOn: s.AsOf()}
	var failed error
	list(s.View, party, func(pos canonical.Position) bool {
		var v Shipment
		takes, goOn := p.offer(place{pos: pos}, func() bool {
			shipped, ok := custody.ShipmentAt(s.View, pos)
			if !ok || q.From != "" && shipped.From != q.From {
				return false
			}
			v = s.shipment(pos, &shipped)
			return !q.Open || v.Open > 0
		})
		if takes {
			if failed = s.describe(&v); failed != nil {
				return false
			}
			out.Shipments = append(out.Shipments, v)
		}
		return goOn
	})
	if failed != nil {
		return nil, failed
	}
	out.Next = p.next()
	return out, nil
}

func (s *Snapshot) shipment(pos canonical.Position, shipped *custody.Shipped) Shipment {
	v := Shipment{ID: pos.String(), Position: pos, From: s.party(shipped.From), To: s.party(shipped.To), Items: []ShippedItem{}, Total: len(shipped.Keys)}
	for _, k := range shipped.Keys {
		u, _, ok := custody.Locate(s.View, k)
		item := ShippedItem{ID: idOf(k), Open: ok && u.State == custody.Active && u.Phase == custody.InTransit && u.Shipment == pos}
		if item.Open {
			v.Open++
		}
		if len(v.Items) == itemsShown {
			continue
		}
		custody.Children(s.View, k, func(gs1.Key) bool { item.Contents++; return true })
		v.Items = append(v.Items, item)
	}
	return v
}

// describe adds what only the event itself says.
func (s *Snapshot) describe(v *Shipment) error {
	res, err := s.Log.Block(v.Position.Height)
	if err != nil {
		return err
	}
	ev, ok := res.Entries[v.Position.Entry].Submission.Items[v.Position.Item].Message.(*epcis.Event)
	if !ok {
		return nil
	}
	v.EventTime = ev.EventTime
	v.Return = epcis.TermDisposition.Word(ev.Disposition) == "returned"
	v.Drop = slices.ContainsFunc(ev.Extensions, func(x epcis.Extension) bool { return x.Name == "dropShipment" && x.Text == "true" })
	for _, bt := range ev.BizTransactionList {
		kind := epcis.TermBizTransaction.Word(bt.Type)
		v.Documents = append(v.Documents, kind)
		v.Return = v.Return || kind == "rma"
	}
	return nil
}
