// Package index is the projection of certified blocks that answers questions: which events touched a unit, what was
// inside what and when, and where a key was registered. It holds nothing that the blocks do not: drop it, rebuild
// it, and it answers the same.
//
// It shares the node's key/value store with the rules' own state. Its keys begin with "x/":
//
//	x/h/<key text> 00 <position>   an item names the object: u8 verdict, u8 lists (bit n-1: list n)
//	x/c/<key text> 00 <position>   the object went into (01, str16 parent) or out of (00) a container
//	x/n/<position>                 the rules' sentence on an item, and the earlier item it repeats
//	x/k/<key id>                   the party_act that registered a key: position, u16 index
//	x/r/<position>                 a recall that was accepted
//
// and those of lists.go, aside.go and epcis.go. Version changes with what is written, so that a copy of older make builds its state again.
// A copy may also hold x/s/<submission id>, which version 4 wrote until nothing read it: such keys are harmless and stay.
package index

import (
	"errors"

	"verilot.dev/epcis"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/wire"
)

// Version of the projection.
const Version = 5

const (
	historyPrefix     = "x/h/"
	containmentPrefix = "x/c/"
	notePrefix        = "x/n/"
	keyPrefix         = "x/k/"
	recallPrefix      = "x/r/"
)

func at(prefix, key string, pos canonical.Position) string {
	return prefix + key + "\x00" + string(pos.Append(nil))
}

func positionOf(key string) canonical.Position {
	r := canonical.NewReader([]byte(key[len(key)-16:]))
	return r.Position()
}

// Project returns what the index writes for one executed block. view is the state before it.
func Project(res *consensus.Result, view state.View) (state.WriteSet, error) {
	p := projection{look: state.NewOverlay(view)}
	units := 0
	for i := range res.Entries {
		if s := res.Entries[i].Submission; s != nil {
			units += s.Units
		}
	}
	p.writes = make(state.WriteSet, 0, units+len(res.Entries))
	p.block(res)
	for i := range res.Entries {
		e := &res.Entries[i]
		if e.Submission == nil {
			continue
		}
		pos := canonical.Position{Height: res.Header.Height, Entry: uint32(i)}
		// A submission that was refused as a whole (counter used, counter gap) has no judged items.
		for j := range e.Items {
			pos.Item = uint32(j)
			if err := p.item(pos, e, j); err != nil {
				return nil, err
			}
		}
	}
	p.endEvents(res.Header.Height, res.Header.Time)
	if err := p.setAside(res, view); err != nil {
		return nil, err
	}
	return append(p.writes, p.look.WriteSet()...), nil
}

// projection is what one block adds.
type projection struct {
	look   *state.Overlay // what may be looked up again, or written twice
	writes state.WriteSet // the rest
	events eventPostings
}

func (p *projection) has(key string) bool {
	_, ok := p.look.Get(key)
	return ok
}

func (p *projection) put(key string, value []byte) {
	p.writes = append(p.writes, state.Write{Key: key, Value: value})
}

func (p *projection) item(pos canonical.Position, e *consensus.Entry, j int) error {
	it, judged := &e.Submission.Items[j], &e.Items[j]
	p.named(it.Committed.Units, pos, judged.Verdict)
	for _, effect := range judged.Effects {
		if err := projectEffect(p.look, pos, effect); err != nil {
			return err
		}
	}
	if judged.Detail != "" || judged.Related != nil {
		b := canonical.Str16(nil, judged.Detail)
		if judged.Related != nil {
			b = judged.Related.Append(b)
		}
		p.put(notePrefix+string(pos.Append(nil)), b)
	}
	if judged.Verdict != block.Accepted && judged.Verdict != block.Flagged {
		return nil
	}
	p.list(pos, it.Message, judged.Effects)
	switch m := it.Message.(type) {
	case *epcis.Event:
		p.event(pos, m)
	case *epcis.Header:
		p.masterData(m)
	case *registry.Act:
		for n, k := range m.Keys {
			id := keys.ID(k.Use, k.PublicKey)
			if at := keyPrefix + string(id[:]); !p.has(at) {
				p.look.Put(at, canonical.U16(pos.Append(nil), uint16(n)))
			}
		}
	case *registry.Recall:
		p.put(recallPrefix+string(pos.Append(nil)), []byte{it.Kind})
	}
	return nil
}

// named writes the history of everything that an item names. Values of one kind share their bytes.
func (p *projection) named(units []commit.Unit, pos canonical.Position, verdict block.VerdictCode) {
	if len(units) == 0 {
		return
	}
	where := "\x00" + string(pos.Append(nil))
	value := []byte{byte(verdict), 1 << (units[0].List - 1)}
	if units[0].List == units[len(units)-1].List { // they stand by list, and none twice in one
		for i := range units {
			p.put(historyPrefix+units[i].Key.String()+where, value)
		}
		return
	}
	lists := map[string]byte{}
	for i := range units {
		lists[units[i].Key.String()] |= 1 << (units[i].List - 1)
	}
	for i := range units {
		key := units[i].Key.String()
		if bits := lists[key]; bits != 0 {
			p.put(historyPrefix+key+where, []byte{byte(verdict), bits})
			lists[key] = 0
		}
	}
}

func projectEffect(o *state.Overlay, pos canonical.Position, effect []byte) error {
	r := canonical.NewReader(effect)
	kind := r.U8()
	if kind != custody.EffectPacked && kind != custody.EffectUnpacked {
		return nil
	}
	parent := r.Str16()
	for range r.U32() {
		child := string(r.Str16())
		if r.Err() != nil {
			break
		}
		value := []byte{0}
		if kind == custody.EffectPacked {
			value = canonical.Str16([]byte{1}, parent)
		}
		o.Put(at(containmentPrefix, child, pos), value) // one event may take a thing out and put it in
	}
	if err := r.Done(); err != nil {
		return errors.Join(errors.New("index: effect does not decode"), err)
	}
	return nil
}

// KeyAct finds the party_act that registered a key.
func KeyAct(v state.View, id canonical.Hash) (pos canonical.Position, index int, ok bool) {
	b, ok := v.Get(keyPrefix + string(id[:]))
	if !ok {
		return pos, 0, false
	}
	r := canonical.NewReader(b)
	pos, index = r.Position(), int(r.U16())
	return pos, index, r.Done() == nil
}

// Note returns the rules' sentence on an item and the earlier item that it repeats.
func Note(v state.View, pos canonical.Position) (detail string, related *canonical.Position) {
	b, ok := v.Get(notePrefix + string(pos.Append(nil)))
	if !ok {
		return "", nil
	}
	r := canonical.NewReader(b)
	detail = string(r.Str16())
	if r.Len() > 0 {
		p := r.Position()
		related = &p
	}
	return detail, related
}

// Recalls lists accepted recalls in ledger order.
func Recalls(v state.View, fn func(canonical.Position) bool) {
	v.Scan(recallPrefix, func(key string, value []byte) bool {
		if len(value) != 1 || value[0] != wire.KindRecall {
			return true
		}
		return fn(positionOf(key))
	})
}
