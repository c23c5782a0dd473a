package index

import (
	"strings"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
)

// Lists of what a party made, sent and was sent, newest first: the positions in these keys are complemented.
//
//	x/l/<newest first><gtin> 00 <lot>   a lot was first registered, or first commissioned
//	x/g/<gtin> 00 <lot>                 the same, by GTIN
//	x/p/<newest first>                  a product was first registered: its GTIN
//	x/q/<gtin>                          that it was
//	x/to/<party> 00 <newest first>      a shipment to a party
//	x/fr/<party> 00 <newest first>      a shipment from a party
//	x/b/<block hash>                    the height of a block: u64
const (
	lotPrefix         = "x/l/"
	lotOfPrefix       = "x/g/"
	productPrefix     = "x/p/"
	productOfPrefix   = "x/q/"
	shippedToPrefix   = "x/to/"
	shippedFromPrefix = "x/fr/"
	blockPrefix       = "x/b/"
)

// newestFirst is a position so written that later ones sort first.
func newestFirst(p canonical.Position) string {
	b := p.Append(nil)
	for i := range b {
		b[i] = ^b[i]
	}
	return string(b)
}

const positionSize = 16

func positionFrom(newestFirst string) canonical.Position {
	b := []byte(newestFirst[:positionSize])
	for i := range b {
		b[i] = ^b[i]
	}
	r := canonical.NewReader(b)
	return r.Position()
}

// list adds what an accepted item brings to the lists.
func (p *projection) list(pos canonical.Position, message any, effects [][]byte) {
	switch m := message.(type) {
	case *registry.Lot:
		p.lot(pos, fourteen(m.GTIN), m.Lot)
	case *registry.Product:
		gtin := fourteen(m.GTIN)
		if at := productOfPrefix + gtin; !p.has(at) {
			p.look.Put(at, []byte{1})
			p.put(productPrefix+newestFirst(pos), []byte(gtin))
		}
	}
	for _, raw := range effects {
		switch raw[0] {
		case custody.EffectCommissioned:
			r := canonical.NewReader(raw[1:])
			gtin, lot := string(r.Str8()), string(r.Str8())
			if r.Err() == nil && gtin != "" && lot != "" {
				p.lot(pos, gtin, lot)
			}
		case custody.EffectMoved:
			r := canonical.NewReader(raw[1:])
			phase := custody.Phase(r.U8())
			if phase != custody.InTransit {
				continue
			}
			from := string(r.Str8())
			r.Str8()
			r.Str16()
			to := string(r.Str8())
			if at := r.Position(); r.Err() != nil || at != pos {
				continue // it joins a shipment that another event began
			}
			for _, at := range []string{shippedToPrefix + to, shippedFromPrefix + from} {
				p.look.Put(at+"\x00"+newestFirst(pos), []byte{1}) // one event may bring several effects
			}
		}
	}
}

// fourteen writes a GTIN as the rules do: a message may have it in 8, 12 or 13 digits, effects never.
func fourteen(gtin string) string {
	if g, err := gs1.ParseGTIN(gtin); err == nil {
		return g.String()
	}
	return gtin // not of an accepted item
}

func (p *projection) lot(pos canonical.Position, gtin, lot string) {
	if at := lotOfPrefix + gtin + "\x00" + lot; !p.has(at) {
		p.look.Put(at, []byte{1})
		p.put(lotPrefix+newestFirst(pos)+gtin+"\x00"+lot, []byte{1})
	}
}

// LotRef names a lot, and where the ledger first heard of it.
type LotRef struct {
	GTIN, Lot string
	First     canonical.Position
}

// Lots lists lots, those that the ledger heard of last first.
func Lots(v state.View, fn func(LotRef) bool) {
	v.Scan(lotPrefix, func(key string, _ []byte) bool {
		rest := key[len(lotPrefix):]
		gtin, lot, _ := strings.Cut(rest[positionSize:], "\x00")
		return fn(LotRef{GTIN: gtin, Lot: lot, First: positionFrom(rest)})
	})
}

// LotsOf lists the lots of a GTIN by name.
func LotsOf(v state.View, gtin string, fn func(lot string) bool) {
	at := lotOfPrefix + gtin + "\x00"
	v.Scan(at, func(key string, _ []byte) bool { return fn(key[len(at):]) })
}

// Products lists the GTINs of registered products, newest first.
func Products(v state.View, fn func(gtin string, first canonical.Position) bool) {
	v.Scan(productPrefix, func(key string, value []byte) bool { return fn(string(value), positionFrom(key[len(productPrefix):])) })
}

// ShipmentsTo and ShipmentsFrom list shipments by the position of their shipping event, newest first.
func ShipmentsTo(v state.View, party string, fn func(canonical.Position) bool) {
	shipments(v, shippedToPrefix+party+"\x00", fn)
}

// ShipmentsFrom lists what a party sent; see ShipmentsTo.
func ShipmentsFrom(v state.View, party string, fn func(canonical.Position) bool) {
	shipments(v, shippedFromPrefix+party+"\x00", fn)
}

func shipments(v state.View, at string, fn func(canonical.Position) bool) {
	v.Scan(at, func(key string, _ []byte) bool { return fn(positionFrom(key[len(at):])) })
}

// BlockByHash finds the height of a block.
func BlockByHash(v state.View, hash canonical.Hash) (uint64, bool) {
	b, ok := v.Get(blockPrefix + string(hash[:]))
	if !ok {
		return 0, false
	}
	r := canonical.NewReader(b)
	return r.U64(), true
}

func (p *projection) block(res *consensus.Result) {
	p.put(blockPrefix+string(res.Hash[:]), canonical.U64(nil, res.Header.Height))
}
