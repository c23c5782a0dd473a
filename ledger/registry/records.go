package registry

import (
	"verilot.dev/ledger/canonical"
)

// Storage (package state: free to change, never hashed). Every key starts with "r/".
//
//	r/p/<party>                   name, suspended, roles, prefixes, key ids, licences
//	r/k/<key id, 32 bytes>        party, use, public key, authority, revoked
//	r/g/<gln13>                   party            r/pg/<party>/<gln13>      (index)
//	r/x/<prefix>                  party
//	r/s/<SGLN key>                party, place     r/ps/<party>/<SGLN key>   (index)
//	r/t/<gtin14>                  product
//	r/o/<LGTIN key>               lot
//	r/c/<gtin14>/<lot>\x00<recall number>          recall of a lot, or of all lots (lot empty)
//	r/cu/<unit key>\x00<recall number>             of one unit: position of the recall
//	r/cp/<position>                                recall of units
//	r/cn/<gtin14>                                  how many of these are open, of the GTIN, its lots and units
//
// A party may have thousands of sites, so GLNs and places are not in the record that every event reads.
const (
	partyAt      = "r/p/"
	keyAt        = "r/k/"
	glnAt        = "r/g/"
	partyGLNAt   = "r/pg/"
	prefixAt     = "r/x/"
	placeAt      = "r/s/"
	partyPlaceAt = "r/ps/"
	productAt    = "r/t/"
	lotAt        = "r/o/"
	recallAt     = "r/c/"
	unitRecallAt = "r/cu/"
	recallOfAt   = "r/cp/"
	recallsAt    = "r/cn/"
)

func flag(b bool) uint8 {
	if b {
		return 1
	}
	return 0
}

func putStrings(b []byte, list []string) []byte {
	b = canonical.U32(b, uint32(len(list)))
	for _, s := range list {
		b = canonical.Str32(b, s)
	}
	return b
}

func readStrings(r *canonical.Reader) []string {
	n := int(r.U32())
	if n > r.Len() {
		r.Fail(canonical.ErrShort)
		return nil
	}
	var list []string
	for range n {
		list = append(list, string(r.Str32()))
	}
	return list
}

// must stops the process over a record that does not decode: the store is damaged, and a rule cannot go on
// over half an answer (package state).
func must(r *canonical.Reader, what string) {
	if err := r.Done(); err != nil {
		panic("registry: damaged record " + what + ": " + err.Error())
	}
}

func encodeParty(p *Party) []byte {
	b := canonical.Str32(nil, p.Name)
	b = canonical.U8(b, flag(p.Suspended))
	b = putStrings(b, p.Roles)
	b = putStrings(b, p.Prefixes)
	b = canonical.U32(b, uint32(len(p.Keys)))
	for _, k := range p.Keys {
		b = append(b, k[:]...)
	}
	b = canonical.U32(b, uint32(len(p.Licences)))
	for _, l := range p.Licences {
		for _, s := range []string{l.Number, l.Kind, l.Jurisdiction, l.ValidFrom, l.ValidTo} {
			b = canonical.Str32(b, s)
		}
	}
	return b
}

// decodeParty reads a party, with or without its prefixes and keys.
func decodeParty(id string, b []byte, all bool) Party {
	d := canonical.NewTextReader(string(b)) // one allocation for all its texts
	p := Party{ID: id, Name: d.Text(4), Suspended: d.U8() == 1}
	p.Roles = d.Texts(4, 4)
	if all {
		p.Prefixes = d.Texts(4, 4)
		p.Keys = make([]canonical.Hash, min(int(d.U32()), d.Len()/len(canonical.Hash{})))
		for i := range p.Keys {
			p.Keys[i] = d.Hash()
		}
	} else {
		for n := d.U32(); n > 0 && d.Len() > 0; n-- {
			d.Text(4)
		}
		for n := d.U32(); n > 0 && d.Len() > 0; n-- {
			d.Hash()
		}
	}
	p.Licences = make([]Licence, min(int(d.U32()), d.Len()/20))
	for i := range p.Licences {
		p.Licences[i] = Licence{d.Text(4), d.Text(4), d.Text(4), d.Text(4), d.Text(4)}
	}
	if d.Damaged() {
		panic("registry: damaged record party " + id)
	}
	return p
}

func encodeKey(k KeyInfo) []byte {
	b := canonical.Str32(nil, k.Party)
	b = canonical.Str32(b, k.Use)
	b = canonical.Str32(b, k.Public)
	return append(b, flag(k.Authority), flag(k.Revoked))
}

func decodeKey(b []byte) KeyInfo {
	r := canonical.NewReader(b)
	k := KeyInfo{Party: string(r.Str32()), Use: string(r.Str32()), Public: r.Str32()}
	k.Authority, k.Revoked = r.U8() == 1, r.U8() == 1
	must(r, "key")
	return k
}

// The fields of a record, in stored order.
func placeFields(p *Place) []*string {
	return []*string{&p.ID, &p.Name, &p.StreetOne, &p.StreetTwo, &p.City, &p.State, &p.PostalCode, &p.Country}
}

func productFields(p *Product) []*string {
	return []*string{&p.GTIN, &p.NDC, &p.NDCFormat, &p.Name, &p.Manufacturer, &p.DosageForm, &p.Strength, &p.NetContent, &p.ContainsGTIN}
}

func lotFields(l *Lot) []*string {
	return []*string{&l.GTIN, &l.Lot, &l.Expiry, &l.ManufacturedOn}
}

func recallFields(rc *Recall) []*string {
	return []*string{&rc.RecallNumber, &rc.GTIN, &rc.Lot, &rc.Classification, &rc.Depth, &rc.Reason, &rc.InitiatedOn, &rc.Status}
}

func putFields(b []byte, fields []*string) []byte {
	for _, s := range fields {
		b = canonical.Str32(b, *s)
	}
	return b
}

func readFields(r *canonical.Reader, fields []*string) {
	for _, s := range fields {
		*s = string(r.Str32())
	}
}

func encodeRecall(rec *RecallRecord) []byte {
	b := canonical.Str32(nil, rec.Party)
	b = rec.Pos.Append(b)
	b = putFields(b, recallFields(&rec.Recall))
	return putStrings(b, rec.Units)
}

func decodeRecall(b []byte) RecallRecord {
	r := canonical.NewReader(b)
	rec := RecallRecord{Party: string(r.Str32()), Pos: r.Position()}
	readFields(r, recallFields(&rec.Recall))
	rec.Units = readStrings(r)
	must(r, "recall")
	return rec
}
