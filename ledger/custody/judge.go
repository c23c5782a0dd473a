package custody

import (
	"errors"
	"fmt"
	"slices"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/custody/books"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/verdict"
	"verilot.dev/ledger/wire"
)

// Judge applies the rules to one item. It writes to st only when the verdict is accepted or flagged (and the record that
// recognises repeated events).
func Judge(st state.Store, c Context, it *wire.Item) Judgement {
	reg := registry.Registry{View: st}
	publisher, ok := reg.Standing(c.Party)
	switch {
	case !ok:
		return refuse(verdict.ActorNotATP, "party %q is not registered: an authority has to register it first", c.Party)
	case publisher.Suspended:
		return refuse(verdict.ActorNotATP, "party %q is suspended: nothing it publishes counts until an authority lifts the suspension", c.Party)
	}
	if path, bad := sealedRule(it); bad {
		return refuse(verdict.SealedField, "%s is sealed, but the rules judge by it: what is accepted must be what was read", wire.PathName(it.Kind, path))
	}
	switch m := it.Message.(type) {
	case *epcis.Header:
		return Judgement{Verdict: block.Accepted}
	case *epcis.Event:
		return judgeEvent(st, c, &publisher, it, m)
	case *registry.Act:
		if !c.Authority {
			return refuse(verdict.ActorNotAuthority, "parties, keys and prefixes are registered by an authority; party %q signed with a key that is none", c.Party)
		}
		return register(c, RegistryParty, m.Party, registry.ApplyAct(st, m, false))
	case *registry.Product:
		return judgeProduct(st, reg, c, m)
	case *registry.Lot:
		return judgeLot(st, reg, c, m)
	case *registry.Recall:
		return judgeRecall(st, reg, c, &publisher, m)
	case *registry.Resolution:
		return judgeResolution(st, c, &publisher, it, m)
	}
	if it.Kind >= wire.KindGrant && it.Kind <= wire.KindGovernance {
		return refuse(verdict.KindNotActive, "items of kind %d are reserved under rules version 1", it.Kind)
	}
	return refuse(verdict.UnknownKind, "items of kind %d mean nothing under rules version 1", it.Kind)
}

// sealedRule finds a sealed leaf that pretends to be something the rules read. The rules see nothing there; shown later in
// a proof, beside the verdict "accepted", it would look as if they had.
func sealedRule(it *wire.Item) (commit.Path, bool) {
	for i := range it.Sealed {
		path := it.Sealed[i].Path
		p, err := commit.ParsePath(path)
		if err != nil || judgedBy(it, p) {
			return path, true
		}
	}
	return "", false
}

func judgedBy(it *wire.Item, p []commit.Segment) bool {
	ev, ok := it.Message.(*epcis.Event)
	if !ok {
		return it.Kind >= wire.KindPartyAct && it.Kind <= wire.KindResolution
	}
	switch p[0].N {
	case wire.FieldType, wire.FieldEventTime, wire.FieldEventTimeZoneOffset, wire.FieldEventID, wire.FieldAction, wire.FieldBizStep, wire.FieldDisposition,
		wire.FieldSourceList, wire.FieldDestinationList,
		wire.FieldEPCList, wire.FieldParentID, wire.FieldChildEPCs, wire.FieldInputEPCList, wire.FieldOutputEPCList:
		return true
	case wire.FieldErrorDeclaration:
		return ev.ErrorDeclaration == nil
	case wire.FieldReadPoint, wire.FieldBizLocation: // the place itself, but not extensions of it
		return len(p) < 2 || p[1].N == 1
	case wire.FieldBizTransactionList: // its type, but not its value unless that is the number of a return authorisation
		if len(p) < 3 || p[2].N == 1 {
			return true
		}
		i := int(p[1].N)
		return i < len(ev.BizTransactionList) && epcis.TermBizTransaction.Word(ev.BizTransactionList[i].Type) == epcis.ReturnAuthorization
	case wire.FieldILMD:
		return len(p) < 3 || len(p) == 3 && p[2].Kind == commit.NameSegment && epcis.IsJudgedILMD(p[2].Namespace, p[2].Local)
	}
	return false
}

func refuse(code verdict.Code, format string, args ...any) Judgement {
	return Judgement{Verdict: block.Rejected, Code: code, Detail: fmt.Sprintf(format, args...)}
}

func register(c Context, what uint8, id string, err error) Judgement {
	if err != nil {
		if e, ok := errors.AsType[*registry.Error](err); ok {
			return Judgement{Verdict: block.Rejected, Code: e.Code, Detail: e.Detail}
		}
		return refuse(verdict.BadValue, "%v", err)
	}
	return Judgement{Verdict: block.Accepted, Effects: [][]byte{Registered{What: what, ID: id, Hash: c.ItemHash}.Encode()}}
}

// owned says whether the publisher's company prefix covers a GTIN; the Judgement is for when it does not.
func owned(reg registry.Registry, party, gtin string) (gs1.GTIN, *Judgement) {
	g, err := gs1.ParseGTIN(gtin)
	if err != nil {
		j := refuseFormat(err)
		return g, &j
	}
	if owner, ok := reg.OwnerOfGTIN(g); !ok || owner != party {
		j := refuse(verdict.GTINNotOwned, "GTIN %s is %s, not %s's: only its owner may say this", g, ownerName(owner, ok), party)
		return g, &j
	}
	return g, nil
}

func ownerName(owner string, ok bool) string {
	if !ok {
		return "under no registered company prefix"
	}
	return owner + "'s"
}

func refuseFormat(err error) Judgement {
	return refuse(verdict.OfIdentifier(err), "%v", err)
}

func judgeProduct(st state.Store, reg registry.Registry, c Context, p *registry.Product) Judgement {
	g, no := owned(reg, c.Party, p.GTIN)
	if no != nil {
		return *no
	}
	return remarkNDC(st, c, register(c, RegistryProduct, g.String(), registry.ApplyProduct(st, p)), g, p)
}

func judgeLot(st state.Store, reg registry.Registry, c Context, l *registry.Lot) Judgement {
	g, no := owned(reg, c.Party, l.GTIN)
	if no != nil {
		return *no
	}
	if before, ok := reg.Lot(g, l.Lot); ok {
		if before.Expiry != l.Expiry && hasUnits(st, g, l.Lot) {
			return refuse(verdict.ExpiryMismatch, "lot %s is registered with expiry %s and has units that carry it: a lot's expiry cannot change any more", short(l.Lot), before.Expiry)
		}
		kept := *l // what the new registration does not say stays
		if kept.Size == 0 {
			kept.Size = before.Size
		}
		if kept.ManufacturedOn == "" {
			kept.ManufacturedOn = before.ManufacturedOn
		}
		l = &kept
	}
	return register(c, RegistryLot, books.LGTIN(g.String(), l.Lot), registry.ApplyLot(st, l))
}

func hasUnits(v state.View, g gs1.GTIN, lot string) bool {
	_, n := LotTotals(v, g, lot)
	return n > 0
}

func judgeRecall(st state.Store, reg registry.Registry, c Context, publisher *registry.Party, rc *registry.Recall) Judgement {
	if !publisher.Has("regulator") {
		gtins := []string{}
		if rc.GTIN != "" || len(rc.Units) == 0 {
			gtins = append(gtins, rc.GTIN)
		}
		for _, s := range rc.Units {
			epc, err := gs1.ParseEPC(s)
			if err != nil {
				return refuseFormat(err)
			}
			if g, ok := epc.Key().GTIN(); ok && !slices.Contains(gtins, g.String()) {
				gtins = append(gtins, g.String())
			}
		}
		for _, g := range gtins {
			if _, no := owned(reg, c.Party, g); no != nil {
				return *no
			}
		}
	}
	out := register(c, RegistryRecall, rc.RecallNumber, registry.ApplyRecall(st, c.Party, c.Pos, rc))
	if out.Verdict == block.Accepted {
		nameUnits(st, reg, c, rc)
	}
	return out
}

// nameUnits lets the containers around units that a recall names know of it. A recall of a lot is read from the lot.
func nameUnits(st state.Store, reg registry.Registry, c Context, rc *registry.Recall) {
	if len(rc.Units) == 0 {
		return
	}
	b := books.Open(st, c.Pos, len(rc.Units))
	b.Silent = true
	for _, s := range rc.Units {
		epc, err := gs1.ParseEPC(s)
		if err != nil {
			continue
		}
		if r := b.Get(epc.Key().String()); r != nil {
			b.SetMark(r, books.NamedByRecall, reg.UnitRecalled(epc.Key()))
		}
	}
	b.Write()
}
