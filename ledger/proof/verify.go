package proof

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/merkle"
	"verilot.dev/ledger/quorum"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
)

// Verify checks a bundle against a genesis file. The error is a *Failure.
func Verify(g *genesis.Genesis, b *Bundle) (*Report, error) { return verify(g, b, nil) }

// VerifyPinned checks a bundle whose checkpoint the caller has already verified, for instance with a newer certificate:
// the bundle's must be the same. Its certificate may then be left out, but a wrong one is still refused.
func VerifyPinned(g *genesis.Genesis, b *Bundle, c quorum.Checkpoint) (*Report, error) {
	return verify(g, b, &c)
}

func verify(g *genesis.Genesis, b *Bundle, pinned *quorum.Checkpoint) (*Report, error) {
	v := &verifier{g: g, b: b, pinned: pinned, r: &Report{}}
	for _, s := range []struct {
		step string
		do   func() error
	}{
		{StepFormat, b.check},
		{StepGenesis, v.genesis},
		{StepCheckpoint, v.checkpoint},
		{StepCertificate, v.certificate},
		{StepHeader, v.headers},
		{StepLog, v.log},
		{StepEntries, v.entries},
		{StepVerdicts, v.verdicts},
		{StepSubjects, v.subjects},
		{StepKey, v.keys},
		{StepSignature, v.signatures},
		{StepFields, v.fields},
		{StepUnits, v.units},
		{StepItems, v.items},
		{StepVerdict, v.verdict},
	} {
		v.result = ""
		if err := s.do(); err != nil {
			return nil, newFailure(s.step, err.Error())
		}
		if v.result != "" {
			v.r.Checks = append(v.r.Checks, Check{s.step, v.result})
		}
	}
	return v.r, nil
}

// verifier holds what earlier steps established for later ones.
type verifier struct {
	g       *genesis.Genesis
	b       *Bundle
	pinned  *quorum.Checkpoint
	r       *Report
	result  string
	blocks  []verifiedBlock
	pubkeys [][]byte // by Bundle.Keys
}

type verifiedBlock struct {
	header block.Header
	leaves []any                  // by Block.Verdicts
	shown  map[int][]string       // subjects, by position in Block.Verdicts
	subs   []submission.Header    // by Block.Submissions
	roots  map[*Item]commit.Roots // item hashes
}

func (v *verifier) say(format string, args ...any) { v.result = fmt.Sprintf(format, args...) }

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

func (v *verifier) genesis() error {
	if v.b.Genesis != v.g.Hash {
		return errors.New("the bundle is of another network")
	}
	v.say("network %s, genesis %x", v.g.Name, v.g.Hash[:4])
	return nil
}

func (v *verifier) checkpoint() error {
	b := v.b
	if b.Epoch != v.g.Epoch {
		return fmt.Errorf("epoch %d, the genesis file knows %d", b.Epoch, v.g.Epoch)
	}
	if b.Size < 2 || b.Size > math.MaxInt64 { // block 0 is never cosigned alone
		return fmt.Errorf("size %d", b.Size)
	}
	v.r.Checkpoint = quorum.Checkpoint{Origin: quorum.Origin(v.g.Name, v.g.Hash, b.Epoch), Size: b.Size, Root: b.Root}
	if v.pinned != nil && *v.pinned != v.r.Checkpoint {
		return errors.New("not the pinned checkpoint")
	}
	return nil
}

func (v *verifier) certificate() error {
	if v.pinned != nil && len(v.b.Certificate) == 0 {
		v.say("checkpoint of %d blocks is the one pinned", v.b.Size)
		return nil
	}
	set := &v.g.Validators
	if err := set.Check(v.r.Checkpoint, v.b.Certificate); err != nil {
		return err
	}
	for _, c := range v.b.Certificate {
		v.r.Signers = append(v.r.Signers, set.Validators[c.Validator].Name)
	}
	v.say("%d of %d validators signed the checkpoint of %d blocks", len(v.r.Signers), len(set.Validators), v.b.Size)
	return nil
}

func (v *verifier) headers() error {
	v.blocks = make([]verifiedBlock, len(v.b.Blocks))
	set := v.g.Validators.Hash(v.g.Network)
	for i := range v.b.Blocks {
		h, err := block.DecodeHeader(v.g.Network, v.b.Blocks[i].Header)
		switch {
		case err != nil:
			return err
		case h.Epoch != v.b.Epoch:
			return fmt.Errorf("block %d is of epoch %d", h.Height, h.Epoch)
		case h.Validators != set || h.NextValidators != set:
			return fmt.Errorf("block %d was made by, or announces, other validators than those of the genesis file", h.Height)
		case h.Height >= v.b.Size:
			return fmt.Errorf("block %d is not below the checkpoint's size %d", h.Height, v.b.Size)
		case i > 0 && v.blocks[i-1].header.Height >= h.Height:
			return fmt.Errorf("block %d is out of order or listed twice", h.Height)
		}
		v.blocks[i].header = h
	}
	return nil
}

func (v *verifier) log() error {
	at := make([]uint64, len(v.blocks))
	leaves := make([]canonical.Hash, len(v.blocks))
	for i := range v.blocks {
		at[i] = v.blocks[i].header.Height
		leaves[i] = block.HeaderHash(v.b.Blocks[i].Header)
	}
	if err := checkRoot(v.b.Root, v.b.Size, at, leaves, v.b.LogProof); err != nil {
		return err
	}
	v.say("%s in the header log", plural(len(at), "block"))
	return nil
}

func checkRoot(want canonical.Hash, size uint64, at []uint64, leaves, proof []canonical.Hash) error {
	got, err := merkle.RootFromProof(size, at, leaves, proof)
	if err == nil && got != want {
		err = errors.New("the proof leads to another root")
	}
	return err
}

func (v *verifier) entries() error {
	total := 0
	for i := range v.blocks {
		h, subs := &v.blocks[i].header, v.b.Blocks[i].Submissions
		at := make([]uint64, len(subs))
		leaves := make([]canonical.Hash, len(subs))
		for j := range subs {
			s := &subs[j]
			if h.Entries() == 0 || s.Seq < h.FirstSeq || s.Seq > h.LastSeq {
				return fmt.Errorf("sequence %d is not in block %d", s.Seq, h.Height)
			}
			at[j] = s.Seq - h.FirstSeq
			leaves[j] = merkle.LeafHash(block.EntryLeaf(v.g.Network, s.Seq, block.Submission, s.Header, s.Signature))
		}
		if err := checkRoot(h.EntriesRoot, h.Entries(), at, leaves, v.b.Blocks[i].EntriesProof); err != nil {
			return fmt.Errorf("block %d: %w", h.Height, err)
		}
		total += len(subs)
	}
	v.say("%s in these blocks", plural(total, "submission"))
	return nil
}

func (v *verifier) verdicts() error {
	for i := range v.blocks {
		vb, shown := &v.blocks[i], v.b.Blocks[i].Verdicts
		at := make([]uint64, len(shown))
		leaves := make([]canonical.Hash, len(shown))
		vb.leaves = make([]any, len(shown))
		for j, l := range shown {
			leaf, err := block.DecodeVerdictLeaf(l.Leaf)
			if err != nil {
				return err
			}
			if block.LeafHeight(leaf) != vb.header.Height {
				return fmt.Errorf("block %d holds a leaf of block %d", vb.header.Height, block.LeafHeight(leaf))
			}
			vb.leaves[j], at[j], leaves[j] = leaf, uint64(l.Index), merkle.LeafHash(l.Leaf)
		}
		if err := checkRoot(vb.header.VerdictsRoot, uint64(vb.header.VerdictLeaves), at, leaves, v.b.Blocks[i].VerdictsProof); err != nil {
			return fmt.Errorf("block %d: %w", vb.header.Height, err)
		}
	}
	return nil
}

func (v *verifier) subjects() error {
	for i := range v.blocks {
		vb := &v.blocks[i]
		vb.shown = map[int][]string{}
		for _, s := range v.b.Blocks[i].Subjects {
			var root canonical.Hash
			var count uint32
			switch l := vb.leaves[s.Leaf].(type) {
			case block.Finding:
				root, count = l.Subjects, l.Count
			case block.Amendment:
				root, count = l.Subjects, l.Count
			default:
				return fmt.Errorf("block %d: a verdict has no subjects", vb.header.Height)
			}
			leaf := merkle.LeafHash(block.SubjectLeaf(v.g.Network, s.Salt, s.Key))
			if err := checkRoot(root, uint64(count), []uint64{uint64(s.Index)}, []canonical.Hash{leaf}, s.Proof); err != nil {
				return fmt.Errorf("block %d: subject %s: %w", vb.header.Height, s.Key, err)
			}
			vb.shown[int(s.Leaf)] = append(vb.shown[int(s.Leaf)], s.Key)
		}
	}
	return nil
}

// Fields of a party_act that register a key (proto/verilot/v1/item.proto).
const (
	actParty     = 1
	actKeys      = 4
	keyPublicKey = 1
	keyUse       = 2
)

// keys finds the public key of every submission and checks that its party may use it.
func (v *verifier) keys() error {
	type owner struct {
		party, use string
		pub        []byte
	}
	owners := make([]owner, len(v.b.Keys))
	for i := range v.b.Keys {
		switch k := &v.b.Keys[i]; {
		case k.Genesis != nil:
			if int(k.Genesis.Party) >= len(v.g.Parties) || int(k.Genesis.Key) >= len(v.g.Parties[k.Genesis.Party].Keys) {
				return fmt.Errorf("key %d is not in the genesis file", i)
			}
			p := &v.g.Parties[k.Genesis.Party]
			owners[i] = owner{p.Party, p.Keys[k.Genesis.Key].Use, p.Keys[k.Genesis.Key].PublicKey}
		case k.Authority != nil:
			if int(*k.Authority) >= len(v.g.Authorities) {
				return fmt.Errorf("key %d is not in the genesis file", i)
			}
			a := v.g.Authorities[*k.Authority]
			owners[i] = owner{a.Party, keys.Authority, a.Key}
		default:
			party, use, pub, err := v.registered(k.Act)
			if err != nil {
				return fmt.Errorf("key %d: %w", i, err)
			}
			owners[i] = owner{party, use, pub}
		}
		if u := owners[i].use; u != keys.Event && u != keys.Authority {
			return fmt.Errorf("key %d is for %q, not for submissions", i, u)
		}
		v.pubkeys = append(v.pubkeys, owners[i].pub)
	}
	for i := range v.blocks {
		for j := range v.b.Blocks[i].Submissions {
			s := &v.b.Blocks[i].Submissions[j]
			h, raw, err := submission.DecodeHeader(v.g.Network, s.Header)
			if err != nil {
				return err
			}
			o := &owners[s.Key]
			switch {
			case len(raw) != len(s.Header):
				return fmt.Errorf("sequence %d: bytes follow the header", s.Seq)
			case h.Epoch != v.b.Epoch:
				return fmt.Errorf("sequence %d: epoch %d", s.Seq, h.Epoch)
			case h.Party != o.party:
				return fmt.Errorf("sequence %d: submitted as %s, the key is %s's", s.Seq, h.Party, o.party)
			case h.KeyID != keys.ID(o.use, o.pub):
				return fmt.Errorf("sequence %d: signed with another key", s.Seq)
			}
			if k := v.b.Keys[s.Key].Act; k != nil && (int(k.Block) > i || int(k.Block) == i && int(k.Submission) >= j) {
				return fmt.Errorf("sequence %d: the key was registered later", s.Seq)
			}
			v.blocks[i].subs = append(v.blocks[i].subs, h)
		}
	}
	return nil
}

// registered reads a key out of the fields of a shown party_act. That the fields are the act's is for later steps to say.
func (v *verifier) registered(k *ActKey) (party, use string, pub []byte, err error) {
	it := v.b.item(k)
	s := &v.b.Blocks[k.Block].Submissions[k.Submission]
	if it.Kind != wire.KindPartyAct {
		return "", "", nil, fmt.Errorf("an item of kind %d registers no key", it.Kind)
	}
	if v.b.Keys[s.Key].Authority == nil {
		return "", "", nil, errors.New("the party_act is not signed by an authority key of the genesis file")
	}
	switch verdict, _ := v.verdictOf(int(k.Block), s.Seq, it.Index); verdict {
	case block.Accepted, block.Flagged:
	default:
		return "", "", nil, errors.New("the party_act has no verdict here that lets it count")
	}
	entry := commit.Path("").Field(actKeys).Index(uint32(k.Key))
	for _, f := range it.Fields {
		if f.Path == commit.Path("").Field(actParty) {
			party = f.Text
		} else if f.Path == entry.Field(keyPublicKey) && f.Type == commit.Bytes {
			pub = unhex32(f.Text)
		} else if f.Path == entry.Field(keyUse) {
			use = f.Text
		}
	}
	if party == "" || use == "" || pub == nil {
		return "", "", nil, errors.New("the party_act does not show party, key and use")
	}
	return party, use, pub, nil
}

func (v *verifier) signatures() error {
	total := 0
	for i := range v.b.Blocks {
		for j := range v.b.Blocks[i].Submissions {
			s := &v.b.Blocks[i].Submissions[j]
			if !keys.Verify(v.pubkeys[s.Key], s.Header, s.Signature[:]) {
				return fmt.Errorf("the signature of sequence %d does not verify", s.Seq)
			}
			total++
		}
	}
	v.say("%s verified", plural(total, "submitter signature"))
	return nil
}

// eachItem calls f for every shown item.
func (v *verifier) eachItem(f func(block, sub int, it *Item) error) error {
	for i := range v.b.Blocks {
		for j := range v.b.Blocks[i].Submissions {
			for k := range v.b.Blocks[i].Submissions[j].Items {
				it := &v.b.Blocks[i].Submissions[j].Items[k]
				if err := f(i, j, it); err != nil {
					return fmt.Errorf("sequence %d, item %d: %w", v.b.Blocks[i].Submissions[j].Seq, it.Index, err)
				}
			}
		}
	}
	return nil
}

// fields computes all roots, and blames the fields only if they alone fail too.
func (v *verifier) fields() error {
	shown := 0
	err := v.eachItem(func(i, _ int, it *Item) error {
		shown += len(it.Fields)
		roots, err := it.Opening.Roots(v.g.Network)
		if err != nil {
			alone := it.Opening
			alone.UnitDepth, alone.Units, alone.UnitProof = commit.NoUnits, nil, nil
			_, err = alone.Roots(v.g.Network)
			return err
		}
		if v.blocks[i].roots == nil {
			v.blocks[i].roots = map[*Item]commit.Roots{}
		}
		v.blocks[i].roots[it] = roots
		return nil
	})
	v.say("%s opened", plural(shown, "field"))
	return err
}

func (v *verifier) units() error {
	shown := 0
	err := v.eachItem(func(i, _ int, it *Item) error {
		shown += len(it.Units)
		if _, ok := v.blocks[i].roots[it]; ok {
			return nil
		}
		if _, err := it.Opening.Roots(v.g.Network); err != nil {
			return err
		}
		return errors.New("the units give no root")
	})
	v.say("%s opened", plural(shown, "unit"))
	return err
}

func (v *verifier) items() error {
	for i := range v.b.Blocks {
		for j := range v.b.Blocks[i].Submissions {
			s := &v.b.Blocks[i].Submissions[j]
			at := make([]uint64, len(s.Items))
			leaves := make([]canonical.Hash, len(s.Items))
			for k := range s.Items {
				at[k] = uint64(s.Items[k].Index)
				item := v.blocks[i].roots[&s.Items[k]].Item
				leaves[k] = merkle.LeafHash(item[:])
			}
			h := &v.blocks[i].subs[j]
			if err := checkRoot(h.ItemsRoot, uint64(h.ItemCount), at, leaves, s.ItemsProof); err != nil {
				return fmt.Errorf("sequence %d: %w", s.Seq, err)
			}
		}
	}
	return nil
}

// verdictOf finds the shown verdict of an item, or else of its whole entry; zero if none is shown.
func (v *verifier) verdictOf(i int, seq uint64, item uint16) (block.VerdictCode, string) {
	vb := &v.blocks[i]
	var whole block.Verdict
	for _, l := range vb.leaves {
		if vl, ok := l.(block.Verdict); ok && uint64(vl.Pos.Entry) == seq-vb.header.FirstSeq {
			switch vl.Pos.Item {
			case uint32(item):
				return vl.Verdict, string(vl.Code)
			case canonical.WholeEntry:
				whole = vl
			}
		}
	}
	return whole.Verdict, string(whole.Code)
}

func (v *verifier) verdict() error {
	err := v.eachItem(func(i, j int, it *Item) error {
		vb, s := &v.blocks[i], &v.b.Blocks[i].Submissions[j]
		verdict, code := v.verdictOf(i, s.Seq, it.Index)
		if verdict == 0 {
			return errors.New("its verdict is not shown")
		}
		step := Step{
			Pos: canonical.Position{Height: vb.header.Height, Entry: uint32(s.Seq - vb.header.FirstSeq), Item: uint32(it.Index)},
			Seq: s.Seq, Time: vb.header.Time, CreatedAt: vb.subs[j].CreatedAt, Party: vb.subs[j].Party, Kind: it.Kind,
			Verdict: verdict.String(), Code: code, Fields: it.Fields, Units: it.Units,
		}
		for k, l := range vb.leaves {
			if f, ok := l.(block.Finding); ok && f.Pos == step.Pos {
				step.Findings = append(step.Findings, string(f.Code))
				step.Remarks = append(step.Remarks, Remark{string(f.Code), f.Severity.String(), f.Count, vb.shown[k]})
			}
		}
		v.r.Steps = append(v.r.Steps, step)
		return nil
	})
	if err != nil {
		return err
	}
	for i := range v.blocks {
		for k, l := range v.blocks[i].leaves {
			if a, ok := l.(block.Amendment); ok {
				v.r.Amendments = append(v.r.Amendments, Amended{a, v.blocks[i].header.Time, v.blocks[i].shown[k]})
			}
		}
	}
	v.say("verdict of %s shown", plural(len(v.r.Steps), "item"))
	return nil
}
