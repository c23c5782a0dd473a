package proof

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/merkle"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/registry"
)

// Want selects what to show of one item. Field and Unit may be nil (none).
type Want struct {
	Pos   canonical.Position
	Field func(*commit.Field) bool
	Unit  func(*commit.Unit) bool
	Known []commit.SealedValue
	// Subjects are key texts to show in findings and amendments on this item.
	Subjects []string
	// Amendments are the heights of later blocks that changed findings on this item; what they changed is shown.
	Amendments []uint64

	record bool // wanted for the record of a key: no more than it takes
}

// Source gives a builder the blocks of a node's own copy.
type Source interface {
	// Block returns an executed block as stored.
	Block(height uint64) (*consensus.Result, error)
	// Log is consensus.LogRoot over the newest view.
	Log(size uint64, heights []uint64) (canonical.Hash, []canonical.Hash, error)
	// KeyRecord says where the key of a submission was registered: a genesis index or the position of a party_act.
	KeyRecord(id canonical.Hash) (KeyRecord, error)
}

// KeyRecord locates a key.
type KeyRecord struct {
	Genesis   bool
	Authority bool // of genesis
	Party     int  // genesis party or authority index
	Key       int
	Act       canonical.Position
}

// Build makes the bundle of the wanted items under a certified checkpoint. With every item come its verdict, its findings
// and its count leaf; with every submission its key's record.
func Build(g *genesis.Genesis, src Source, c quorum.Checkpoint, cert quorum.Certificate, wants []Want) (*Bundle, error) {
	p := &builder{g: g, src: src, size: c.Size, blocks: map[uint64]*blockPlan{}, records: map[canonical.Hash]placedKey{}}
	for i := range wants {
		if err := p.want(&wants[i]); err != nil {
			return nil, fmt.Errorf("proof of %s: %w", wants[i].Pos, err)
		}
	}
	b := &Bundle{Genesis: g.Hash, Epoch: g.Epoch, Size: c.Size, Root: c.Root, Certificate: cert}
	heights := sortedKeys(p.blocks)
	root, log, err := src.Log(c.Size, heights)
	if err != nil {
		return nil, fmt.Errorf("proof: header log: %w", err)
	}
	if root != c.Root {
		return nil, errors.New("proof: the checkpoint is not of our header log")
	}
	if b.LogProof = log; len(heights) == 0 {
		b.LogProof = []canonical.Hash{root}
	}
	if err := p.keys(b, heights); err != nil {
		return nil, err
	}
	for _, h := range heights {
		blk, err := p.block(h)
		if err != nil {
			return nil, fmt.Errorf("proof: block %d: %w", h, err)
		}
		b.Blocks = append(b.Blocks, *blk)
	}
	return b, b.check()
}

// A builder first collects everything that must be shown, then writes it in order.
type builder struct {
	g       *genesis.Genesis
	src     Source
	size    uint64
	blocks  map[uint64]*blockPlan
	records map[canonical.Hash]placedKey // by key id
}

type blockPlan struct {
	res     *consensus.Result
	entries map[uint32]map[uint32]*itemPlan // by entry, by item
	leaves  map[uint32]map[string]bool      // shown verdict leaves, by index, with the subjects to show
	decoded []any                           // all verdict leaves
}

// itemPlan is what all wants together show of an item.
type itemPlan struct {
	fields []func(*commit.Field) bool
	units  []func(*commit.Unit) bool
	known  []commit.SealedValue
	count  bool
}

// placedKey is a key's record, with the key's place in the act.
type placedKey struct {
	KeyRecord
	inAct uint16
	at    uint16 // in Bundle.Keys
}

func (p *builder) plan(height uint64) (*blockPlan, error) {
	if b, ok := p.blocks[height]; ok {
		return b, nil
	}
	if height >= p.size {
		return nil, fmt.Errorf("block %d is above the checkpoint", height)
	}
	res, err := p.src.Block(height)
	if err != nil {
		return nil, err
	}
	b := &blockPlan{res: res, entries: map[uint32]map[uint32]*itemPlan{}, leaves: map[uint32]map[string]bool{}}
	for _, raw := range res.Verdicts {
		leaf, err := block.DecodeVerdictLeaf(raw)
		if err != nil {
			return nil, err
		}
		b.decoded = append(b.decoded, leaf)
	}
	p.blocks[height] = b
	return b, nil
}

func (p *builder) want(w *Want) error {
	b, err := p.plan(w.Pos.Height)
	if err != nil {
		return err
	}
	if int(w.Pos.Entry) >= len(b.res.Entries) || b.res.Entries[w.Pos.Entry].Submission == nil {
		return errors.New("no submission stands there")
	}
	sub := b.res.Entries[w.Pos.Entry].Submission
	items := b.entries[w.Pos.Entry]
	if items == nil {
		items = map[uint32]*itemPlan{}
		b.entries[w.Pos.Entry] = items
		if err := p.key(w.Pos, sub.Header.KeyID); err != nil {
			return err
		}
	}
	if w.Pos.Item != canonical.WholeEntry {
		if int(w.Pos.Item) >= len(sub.Items) {
			return errors.New("the submission has no such item")
		}
		it := items[w.Pos.Item]
		if it == nil {
			it = &itemPlan{}
			items[w.Pos.Item] = it
		}
		if w.Field != nil {
			it.fields = append(it.fields, w.Field)
		}
		if w.Unit != nil {
			it.units = append(it.units, w.Unit)
		}
		it.known = append(it.known, w.Known...)
		it.count = it.count || !w.record
	}
	whole := canonical.Position{Height: w.Pos.Height, Entry: w.Pos.Entry, Item: canonical.WholeEntry}
	b.show(w.Subjects, func(leaf any) bool {
		switch l := leaf.(type) {
		case block.Verdict:
			return l.Pos == w.Pos || l.Pos == whole
		case block.Finding:
			return l.Pos == w.Pos
		}
		return false
	})
	for _, h := range w.Amendments {
		later, err := p.plan(h)
		if err != nil {
			return err
		}
		later.show(w.Subjects, func(leaf any) bool {
			a, ok := leaf.(block.Amendment)
			return ok && a.Pos == w.Pos
		})
	}
	return nil
}

// show marks the verdict leaves that match, and the subjects to show in them.
func (b *blockPlan) show(subjects []string, match func(leaf any) bool) {
	for i, leaf := range b.decoded {
		if !match(leaf) {
			continue
		}
		at := uint32(i)
		if b.leaves[at] == nil {
			b.leaves[at] = map[string]bool{}
		}
		for _, s := range subjects {
			b.leaves[at][s] = true
		}
	}
}

// key finds the record of a submission's key, and wants the party_act that registered it.
func (p *builder) key(at canonical.Position, id canonical.Hash) error {
	if _, ok := p.records[id]; ok {
		return nil
	}
	rec, err := p.src.KeyRecord(id)
	if err != nil {
		return fmt.Errorf("key %x: %w", id[:4], err)
	}
	r := placedKey{KeyRecord: rec}
	if rec.Genesis {
		p.records[id] = r
		return nil
	}
	if rec.Act.Compare(at) >= 0 {
		return fmt.Errorf("key %x is registered at %s, after its use", id[:4], rec.Act)
	}
	b, err := p.plan(rec.Act.Height)
	if err != nil {
		return err
	}
	act, err := b.act(rec.Act)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(act.Keys, func(k registry.Key) bool { return keys.ID(k.Use, k.PublicKey) == id })
	if i < 0 {
		return fmt.Errorf("the party_act at %s does not register key %x", rec.Act, id[:4])
	}
	r.inAct = uint16(i)
	p.records[id] = r
	entry := commit.Path("").Field(actKeys).Index(uint32(i))
	show := []commit.Path{commit.Path("").Field(actParty), entry.Field(keyPublicKey), entry.Field(keyUse)}
	return p.want(&Want{Pos: rec.Act, Field: func(f *commit.Field) bool { return slices.Contains(show, f.Path) }, record: true})
}

func (b *blockPlan) act(at canonical.Position) (*registry.Act, error) {
	if int(at.Entry) < len(b.res.Entries) {
		if sub := b.res.Entries[at.Entry].Submission; sub != nil && int(at.Item) < len(sub.Items) {
			if act, ok := sub.Items[at.Item].Message.(*registry.Act); ok {
				return act, nil
			}
		}
	}
	return nil, fmt.Errorf("no party_act stands at %s", at)
}

// keys writes the list of key records, ordered by their bytes as the format demands.
func (p *builder) keys(b *Bundle, heights []uint64) error {
	type numbered struct {
		id  canonical.Hash
		key Key
		raw []byte
	}
	var list []numbered
	for id, r := range p.records {
		k := Key{Genesis: &GenesisKey{uint16(r.Party), uint16(r.Key)}}
		switch {
		case r.Genesis && r.Authority:
			i := uint16(r.Party)
			k = Key{Authority: &i}
		case !r.Genesis:
			block, _ := slices.BinarySearch(heights, r.Act.Height)
			entries := p.blocks[r.Act.Height].entries
			sub, _ := slices.BinarySearch(sortedKeys(entries), r.Act.Entry)
			item, _ := slices.BinarySearch(sortedKeys(entries[r.Act.Entry]), r.Act.Item)
			k = Key{Act: &ActKey{uint16(block), uint16(sub), uint16(item), r.inAct}}
		}
		list = append(list, numbered{id, k, k.append(nil)})
	}
	slices.SortFunc(list, func(a, b numbered) int { return bytes.Compare(a.raw, b.raw) })
	if len(list) > 0xFFFF {
		return errors.New("proof: too many keys")
	}
	for i, n := range list {
		r := p.records[n.id]
		r.at = uint16(i)
		p.records[n.id] = r
		b.Keys = append(b.Keys, n.key)
	}
	return nil
}

func (p *builder) block(height uint64) (*Block, error) {
	plan := p.blocks[height]
	res := plan.res
	b := &Block{Header: res.Raw}

	var at []uint64
	for _, e := range sortedKeys(plan.entries) {
		s, err := p.submission(&res.Entries[e], plan.entries[e])
		if err != nil {
			return nil, fmt.Errorf("entry %d: %w", e, err)
		}
		b.Submissions = append(b.Submissions, *s)
		at = append(at, uint64(e))
	}
	leaves := make([]canonical.Hash, len(res.Entries))
	for i := range res.Entries {
		leaves[i] = merkle.LeafHash(res.Entries[i].Leaf)
	}
	b.EntriesProof = merkle.Prove(leaves, at)

	at = nil
	for _, i := range sortedKeys(plan.leaves) {
		b.Verdicts = append(b.Verdicts, VerdictLeaf{i, res.Verdicts[i]})
		at = append(at, uint64(i))
		shown, err := p.subjects(res, i, uint16(len(b.Verdicts)-1), plan.leaves[i])
		if err != nil {
			return nil, err
		}
		b.Subjects = append(b.Subjects, shown...)
	}
	leaves = make([]canonical.Hash, len(res.Verdicts))
	for i := range res.Verdicts {
		leaves[i] = merkle.LeafHash(res.Verdicts[i])
	}
	b.VerdictsProof = merkle.Prove(leaves, at)
	return b, nil
}

// subjects shows the wanted subjects of one leaf.
func (p *builder) subjects(res *consensus.Result, leaf uint32, shownAs uint16, want map[string]bool) ([]Subject, error) {
	i := slices.IndexFunc(res.Subjects, func(s consensus.SubjectSet) bool { return s.Leaf == leaf })
	if i < 0 || len(want) == 0 {
		return nil, nil
	}
	set := &res.Subjects[i]
	tree := make([]canonical.Hash, len(set.Keys))
	for k := range set.Keys {
		if int(set.Index[k]) >= len(tree) {
			return nil, errors.New("stored subjects are damaged")
		}
		tree[set.Index[k]] = merkle.LeafHash(block.SubjectLeaf(p.g.Network, set.Salts[k], set.Keys[k]))
	}
	var out []Subject
	for k, key := range set.Keys {
		if want[key] {
			at := set.Index[k]
			out = append(out, Subject{shownAs, at, set.Salts[k], key, merkle.Prove(tree, []uint64{uint64(at)})})
		}
	}
	slices.SortFunc(out, func(a, b Subject) int { return cmp.Compare(a.Index, b.Index) })
	return out, nil
}

func (p *builder) submission(e *consensus.Entry, items map[uint32]*itemPlan) (*Submission, error) {
	sub := e.Submission
	s := &Submission{Seq: e.Seq, Header: sub.RawHeader, Signature: sub.Signature, Key: p.records[sub.Header.KeyID].at}
	var at []uint64
	for _, i := range sortedKeys(items) {
		it := items[i]
		o, err := commit.Open(p.g.Network, &sub.Items[i].Committed, anyOf(it.fields), anyOf(it.units), it.count, it.known)
		if err != nil {
			return nil, fmt.Errorf("item %d: %w", i, err)
		}
		s.Items = append(s.Items, Item{uint16(i), o})
		at = append(at, uint64(i))
	}
	leaves := make([]canonical.Hash, len(sub.Hashes))
	for i := range sub.Hashes {
		leaves[i] = merkle.LeafHash(sub.Hashes[i][:])
	}
	s.ItemsProof = merkle.Prove(leaves, at)
	return s, nil
}

// anyOf selects what one of several wants selects.
func anyOf[T any](list []func(*T) bool) func(*T) bool {
	if len(list) == 0 {
		return nil
	}
	return func(x *T) bool { return slices.ContainsFunc(list, func(f func(*T) bool) bool { return f(x) }) }
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K {
	out := make([]K, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	slices.Sort(out)
	return out
}

// unhex32 reads 32 bytes of lower-case hex, or returns nil.
func unhex32(s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != 32 || hex.EncodeToString(b) != s {
		return nil
	}
	return b
}
