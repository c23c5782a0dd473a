package command

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/services/internal/edge/httpapi"
)

// How the bodies of commands are read: times, places, what was scanned, and the other party.

// at turns a command's time and place into the event's.
func (c *Commands) at(w When) (epcis.At, error) {
	at := epcis.At{Time: c.cfg.Now().UTC().Format("2006-01-02T15:04:05.000Z"), Offset: "+00:00"}
	if w.EventTime != "" {
		t, err := time.Parse(time.RFC3339Nano, w.EventTime)
		if err != nil {
			return at, httpapi.NewProblem(httpapi.InvalidParameter, "eventTime %q is not a time with its zone; write it like 2026-11-20T09:30:00-05:00", w.EventTime)
		}
		at.Time, at.Offset = w.EventTime, t.Format("-07:00")
	}
	loc := c.dir.Home()
	if w.Location != "" {
		var err error
		if loc, err = c.sgln("location", w.Location); err != nil {
			return at, err
		}
		if party, ok := c.dir.PartyOf(loc); ok && party != c.dir.Self() {
			return at, httpapi.NewProblem(httpapi.Forbidden, "location %s belongs to %s; a command tells what happened at a place of %s. Name one of its places, or none", loc, party, c.dir.Self())
		}
	}
	if loc == "" {
		return at, httpapi.NewProblem(httpapi.PlaceUnknown, "no place is registered for %s and location is missing; send location, or have an authority register a place", c.dir.Self())
	}
	at.ReadPoint, at.BizLocation = loc, loc
	return at, nil
}

// position reads where an event is on the ledger, as Position.String writes it.
func position(text string) (p canonical.Position, err error) {
	bad := httpapi.NewProblem(httpapi.InvalidParameter, "event %q is no position; write height/entry/item like 120/0/3, as a trace shows it", httpapi.Printable(text))
	parts := strings.Split(text, "/")
	if len(parts) != 3 {
		return p, bad
	}
	numbers := make([]uint64, len(parts))
	for i, bits := range []int{64, 32, 32} {
		if numbers[i], err = strconv.ParseUint(parts[i], 10, bits); err != nil {
			return p, bad
		}
	}
	return canonical.Position{Height: numbers[0], Entry: uint32(numbers[1]), Item: uint32(numbers[2])}, nil
}

// sgln reads a place: 13 digits of a GLN, or an SGLN or PGLN in any form.
func (c *Commands) sgln(name, text string) (string, error) {
	bad := func(err error) error {
		return httpapi.NewProblem(httpapi.InvalidIdentifier, "%s %q: %s; send 13 digits of a GLN, or an SGLN as URN or Digital Link", name, text, detail(err))
	}
	if gln, err := gs1.ParseGLN(text); err == nil {
		s, err := gs1.NewSGLN(gln, "")
		if err != nil {
			return "", bad(err)
		}
		return c.dir.Write(s.Key()), nil
	}
	epc, err := gs1.ParseEPC(text)
	if err != nil {
		return "", bad(err)
	}
	if k := epc.Key().Kind(); k != gs1.KindSGLN && k != gs1.KindPGLN {
		return "", httpapi.NewProblem(httpapi.InvalidIdentifier, "%s %q is a %s, not a place; send 13 digits of a GLN, or an SGLN as URN or Digital Link", name, text, k)
	}
	if epc.Form() == gs1.FormURN {
		return text, nil
	}
	return c.dir.Write(epc.Key()), nil
}

func detail(err error) string {
	if g, ok := errors.AsType[*gs1.Error](err); ok {
		return g.Detail
	}
	return err.Error()
}

// identify reads what is on a package, in any form, and says how it is written in an event.
func (c *Commands) identify(name, text string) (form string, key gs1.Key, err error) {
	r := gs1.ReadScan(text, c.cfg.Now().Year())
	switch r.Verdict {
	case gs1.Valid:
		if r.EPC.Form() == gs1.FormURN {
			return r.EPC.Captured(), r.Key, nil
		}
		return c.dir.Write(r.Key), r.Key, nil
	case gs1.Ambiguous:
		p := httpapi.NewProblem(httpapi.AmbiguousScan, "%s %q is not certain: %s; or send the reading that matches the print (see readings)",
			name, httpapi.Printable(text), r.Problems[0].Detail)
		for i := range r.Readings {
			p.Readings = append(p.Readings, spell(&r.Readings[i]))
		}
		return "", gs1.Key{}, p
	default:
		p := httpapi.NewProblem(httpapi.InvalidIdentifier, "%s %q names nothing that can be handled; send a serialised unit or container as scanned, as EPC URN, as Digital Link or as (01)…(21)…", name, httpapi.Printable(text))
		for _, x := range r.Problems {
			p = p.With(httpapi.Fault{Pointer: name, Code: x.Code, Message: x.Detail})
		}
		return "", gs1.Key{}, p
	}
}

// spell writes a reading with its field boundaries, in the form that people and ReadScan both read.
func spell(r *gs1.Reading) string {
	var b strings.Builder
	for _, f := range r.Fields {
		b.WriteString("(" + f.AI + ")" + f.Value)
	}
	if b.Len() == 0 { // it was a URN
		return r.Key.DigitalLink()
	}
	return b.String()
}

// objects reads a list; naming one thing twice is refused, since nobody can tell what was meant.
func (c *Commands) objects(name string, list []string) ([]string, error) {
	out := make([]string, len(list))
	seen := make(map[gs1.Key]int, len(list))
	for i, text := range list {
		at := fmt.Sprintf("%s[%d]", name, i)
		form, key, err := c.identify(at, text)
		if err != nil {
			return nil, err
		}
		if k := key.Kind(); k != gs1.KindSGTIN && k != gs1.KindSSCC {
			return nil, httpapi.NewProblem(httpapi.InvalidIdentifier, "%s %q is a %s; only serialised units (GTIN and serial) and containers (SSCC) can be handled", at, httpapi.Printable(text), k)
		}
		if first, twice := seen[key]; twice {
			return nil, httpapi.NewProblem(httpapi.InvalidIdentifier, "%s names the same thing as %s[%d]: %s; list each thing once", at, name, first, key)
		}
		seen[key] = i
		out[i] = form
	}
	return out, nil
}

func gtin(text string) (gs1.GTIN, error) {
	g, err := gs1.ParseGTIN(text)
	if err != nil {
		return g, httpapi.NewProblem(httpapi.InvalidIdentifier, "gtin %q: %s", text, detail(err))
	}
	return g, nil
}

func (c *Commands) ownGTIN(ctx context.Context, text string) (gs1.GTIN, error) {
	g, err := gtin(text)
	if err != nil {
		return g, err
	}
	f := c.dir.CheckOwner(g)
	if f != nil { // a prefix may have been registered since
		c.dir.Refresh(ctx)
		f = c.dir.CheckOwner(g)
	}
	if f != nil {
		return g, httpapi.NewProblem(httpapi.GTINNotOwned, "%s; nothing was captured. What to do: %s", f.Message, f.Hint)
	}
	return g, nil
}

// recalledGTIN is a GTIN that this party may recall: a regulator any, whose it is the ledger knows better.
func (c *Commands) recalledGTIN(ctx context.Context, text string) (gs1.GTIN, error) {
	if c.cfg.Foreign {
		return gtin(text)
	}
	return c.ownGTIN(ctx, text)
}

// end finds owner and site of the other party.
func (c *Commands) end(ctx context.Context, name string, o otherEnd) (owner, location string, err error) {
	switch {
	case o.Owner != "":
		if owner, err = c.sgln(name+".owner", o.Owner); err != nil {
			return "", "", err
		}
		location = owner
	case o.Party != "":
		if owner = c.dir.Owner(o.Party); owner == "" {
			c.dir.Refresh(ctx)
			owner = c.dir.Owner(o.Party)
		}
		if owner == "" {
			return "", "", httpapi.NewProblem(httpapi.PartyUnknown, "%s.party %q has no GLN that is known here; send %s.owner with its GLN, or one of the party ids that GET /v1/parties of the api service lists", name, o.Party, name)
		}
		location = c.dir.Address(o.Party)
	default:
		return "", "", httpapi.NewProblem(httpapi.MissingParameter, "%s names nobody; send %s.party (a party id) or %s.owner (a GLN)", name, name, name)
	}
	if o.Location != "" {
		location, err = c.sgln(name+".location", o.Location)
	}
	return owner, location, err
}

// own is this party's end of a shipment.
func (c *Commands) own(at epcis.At) (owner, location string) {
	if owner = c.dir.Owner(c.dir.Self()); owner == "" {
		owner = at.ReadPoint
	}
	return owner, at.ReadPoint
}

// papers names business documents: an order is numbered by the buyer, despatch advice and invoice by the seller.
func papers(d Papers, buyer, seller string) (list []epcis.BizTransaction) {
	for _, p := range []struct{ kind, under, number string }{
		{epcis.PurchaseOrder, buyer, d.PurchaseOrder}, {epcis.DespatchAdvice, seller, d.DespatchAdvice}, {epcis.Invoice, seller, d.Invoice},
	} {
		if p.number != "" {
			list = append(list, epcis.BusinessDocument(p.kind, glnOf(p.under), p.number))
		}
	}
	return list
}

func glnOf(id string) string {
	epc, err := gs1.ParseEPC(id)
	if err != nil {
		return ""
	}
	g, _ := epc.Key().GLN()
	return g.String()
}
