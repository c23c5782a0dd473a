package tracing

import (
	"context"
	"slices"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/custody"
	"verilot.dev/services/internal/answer/index"
	"verilot.dev/services/internal/edge/httpapi"
)

type position = canonical.Position

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
	RestsOn   Rest       `json:"restsOn"`
}

const (
	itemsShown = 1000
	// shipmentsLooked bounds how many shipments one page is chosen from.
	shipmentsLooked = 2000
)

func (s *Service) shipments(_ context.Context, in *struct {
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"At most so many. A page may hold fewer and still have a next one"`
	After string `query:"after" maxLength:"1000" doc:"next of the page before"`
	To    string `query:"to" maxLength:"32" doc:"Party id of the addressee"`
	From  string `query:"from" maxLength:"32" doc:"Party id of the sender; give to, from, or both"`
	Open  bool   `query:"open" doc:"Only shipments of which something is still on its way"`
},
) (out *body[Shipments], err error) {
	if in.To == "" && in.From == "" {
		return nil, httpapi.NewProblem(httpapi.MissingParameter, "whose shipments? Send to (the addressee's party id), from (the sender's), or both")
	}
	p, err := newPages("shipments", in.After, in.Limit, shipmentsLooked)
	if err != nil {
		return nil, err
	}
	list := index.ShipmentsTo
	party := in.To
	if in.To == "" {
		list, party = index.ShipmentsFrom, in.From
	}
	err = s.read(func(r *Reader) error {
		out = &body[Shipments]{Shipments{Shipments: []Shipment{}, RestsOn: s.rest(r.Head())}}
		var failed error
		list(r.View, party, func(pos canonical.Position) bool {
			var v Shipment
			takes, goOn := p.offer(place{pos: pos}, func() bool {
				shipped, ok := custody.ShipmentAt(r.View, pos)
				if !ok || in.From != "" && shipped.From != in.From {
					return false
				}
				v = shipmentView(r, pos, &shipped)
				return !in.Open || v.Open > 0
			})
			if takes {
				if failed = s.describe(r, &v); failed != nil {
					return false
				}
				out.Body.Shipments = append(out.Body.Shipments, v)
			}
			return goOn
		})
		out.Body.Next = p.next()
		return failed
	})
	return out, err
}

func shipmentView(r *Reader, pos canonical.Position, shipped *custody.Shipped) Shipment {
	v := Shipment{ID: pos.String(), Position: pos, From: r.Party(shipped.From), To: r.Party(shipped.To), Items: []ShippedItem{}, Total: len(shipped.Keys)}
	for _, k := range shipped.Keys {
		u, _, ok := custody.Locate(r.View, k)
		item := ShippedItem{ID: IDOf(k), Open: ok && u.State == custody.Active && u.Phase == custody.InTransit && u.Shipment == pos}
		if item.Open {
			v.Open++
		}
		if len(v.Items) == itemsShown {
			continue
		}
		custody.Children(r.View, k, func(gs1.Key) bool { item.Contents++; return true })
		v.Items = append(v.Items, item)
	}
	return v
}

// describe adds what only the event itself says.
func (s *Service) describe(r *Reader, v *Shipment) error {
	res, err := r.Blocks.Block(v.Position.Height)
	if err != nil {
		return err
	}
	ev, ok := res.Entries[v.Position.Entry].Submission.Items[v.Position.Item].Message.(*epcis.Event)
	if !ok {
		return nil
	}
	v.EventTime = ev.EventTime
	v.Return = epcis.CBVName(ev.Disposition) == "returned"
	v.Drop = slices.ContainsFunc(ev.Extensions, func(x epcis.Extension) bool { return x.Name == "dropShipment" && x.Text == "true" })
	for _, bt := range ev.BizTransactionList {
		kind := epcis.CBVName(bt.Type)
		v.Documents = append(v.Documents, kind)
		v.Return = v.Return || kind == "rma"
	}
	return nil
}
