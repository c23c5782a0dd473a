package proof

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/quorum"
)

// jsonFormat is the first member of a bundle in JSON.
const jsonFormat = "verilot/proof/v1"

// The JSON of spec section 12.3: these types are its member names and their order. []byte travels as standard base64.
type (
	jsonBundle struct {
		Format      string            `json:"format"`
		Genesis     []byte            `json:"genesis"`
		Checkpoint  jsonCheckpoint    `json:"checkpoint"`
		Certificate []jsonCosignature `json:"certificate"`
		Keys        []jsonKey         `json:"keys"`
		LogProof    [][]byte          `json:"logProof"`
		Blocks      []jsonBlock       `json:"blocks"`
	}
	jsonCheckpoint struct {
		Epoch uint32 `json:"epoch"`
		Size  uint64 `json:"size,string"`
		Root  []byte `json:"root"`
	}
	jsonCosignature struct {
		Validator uint16 `json:"validator"`
		Time      uint64 `json:"time,string"`
		Signature []byte `json:"signature"`
	}
	jsonKey struct {
		Genesis   *jsonGenesisKey   `json:"genesis,omitempty"`
		Act       *jsonActKey       `json:"act,omitempty"`
		Authority *jsonAuthorityKey `json:"authority,omitempty"`
	}
	jsonGenesisKey struct {
		Party uint16 `json:"party"`
		Key   uint16 `json:"key"`
	}
	jsonActKey struct {
		Block      uint16 `json:"block"`
		Submission uint16 `json:"submission"`
		Item       uint16 `json:"item"`
		Key        uint16 `json:"key"`
	}
	jsonAuthorityKey struct {
		Index uint16 `json:"index"`
	}
	jsonBlock struct {
		Header        []byte           `json:"header"`
		EntriesProof  [][]byte         `json:"entriesProof"`
		Verdicts      []jsonVerdict    `json:"verdicts"`
		VerdictsProof [][]byte         `json:"verdictsProof"`
		Subjects      []jsonSubject    `json:"subjects"`
		Submissions   []jsonSubmission `json:"submissions"`
	}
	jsonVerdict struct {
		Index uint32 `json:"index"`
		Leaf  []byte `json:"leaf"`
	}
	jsonSubject struct {
		Leaf  uint16   `json:"leaf"`
		Index uint32   `json:"index"`
		Salt  []byte   `json:"salt"`
		Key   string   `json:"key"`
		Proof [][]byte `json:"proof"`
	}
	jsonSubmission struct {
		Sequence   uint64     `json:"sequence,string"`
		Header     []byte     `json:"header"`
		Signature  []byte     `json:"signature"`
		Key        uint16     `json:"key"`
		ItemsProof [][]byte   `json:"itemsProof"`
		Items      []jsonItem `json:"items"`
	}
	jsonItem struct {
		Index      uint16      `json:"index"`
		Kind       uint8       `json:"kind"`
		FieldDepth uint8       `json:"fieldDepth"`
		Fields     []jsonField `json:"fields"`
		FieldProof [][]byte    `json:"fieldProof"`
		UnitDepth  uint8       `json:"unitDepth"`
		Units      []jsonUnit  `json:"units"`
		UnitProof  [][]byte    `json:"unitProof"`
	}
	jsonField struct {
		Leaf uint32 `json:"leaf"`
		Path []byte `json:"path"`
		Salt []byte `json:"salt"`
		Type uint8  `json:"type"`
		Text string `json:"text"`
	}
	jsonUnit struct {
		Leaf uint32 `json:"leaf"`
		Salt []byte `json:"salt"`
		List uint8  `json:"list"`
		Key  string `json:"key"`
		Form string `json:"form"`
	}
)

// JSON is the form of spec section 12.3.
func (b *Bundle) JSON() []byte {
	var w bytes.Buffer
	e := json.NewEncoder(&w)
	e.SetEscapeHTML(false)
	if err := e.Encode(b.toJSON()); err != nil {
		panic(fmt.Errorf("proof: a bundle is only numbers, bytes and strings: %w", err))
	}
	return bytes.TrimSuffix(w.Bytes(), []byte("\n"))
}

// ParseJSON reads exactly what JSON wrote; one final line feed is allowed.
func ParseJSON(raw []byte) (*Bundle, error) {
	if len(raw) > MaxSize {
		return nil, newFailure(StepFormat, "too large")
	}
	var j jsonBundle
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return nil, newFailure(StepFormat, err.Error())
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return nil, newFailure(StepFormat, "something follows the object")
	}
	if j.Format != jsonFormat {
		return nil, newFailure(StepFormat, "not a proof bundle of version 1")
	}
	b, err := j.bundle()
	if err == nil {
		err = b.check()
	}
	if err != nil {
		return nil, newFailure(StepFormat, err.Error())
	}
	// Refuses every second spelling: order and case of members, white space, escapes, numbers, base64.
	if !bytes.Equal(b.JSON(), bytes.TrimSuffix(raw, []byte("\n"))) {
		return nil, newFailure(StepFormat, "not the one spelling of this bundle")
	}
	return b, nil
}

// mapList maps a list; the result is never nil, so that an empty list is [] and not null.
func mapList[A, B any](in []A, f func(*A) B) []B {
	out := make([]B, len(in))
	for i := range in {
		out[i] = f(&in[i])
	}
	return out
}

func hashesJSON(hs []canonical.Hash) [][]byte {
	return mapList(hs, func(h *canonical.Hash) []byte { return h[:] })
}

// bytesJSON keeps empty bytes from becoming null.
func bytesJSON(b []byte) []byte { return append([]byte{}, b...) }

func (b *Bundle) toJSON() *jsonBundle {
	return &jsonBundle{
		Format: jsonFormat, Genesis: b.Genesis[:],
		Checkpoint: jsonCheckpoint{b.Epoch, b.Size, b.Root[:]},
		Certificate: mapList(b.Certificate, func(c *quorum.Cosignature) jsonCosignature {
			return jsonCosignature{c.Validator, c.Time, c.Signature[:]}
		}),
		Keys: mapList(b.Keys, func(k *Key) (j jsonKey) {
			if k.Genesis != nil {
				j.Genesis = &jsonGenesisKey{k.Genesis.Party, k.Genesis.Key}
			}
			if k.Act != nil {
				j.Act = &jsonActKey{k.Act.Block, k.Act.Submission, k.Act.Item, k.Act.Key}
			}
			if k.Authority != nil {
				j.Authority = &jsonAuthorityKey{*k.Authority}
			}
			return j
		}),
		LogProof: hashesJSON(b.LogProof),
		Blocks:   mapList(b.Blocks, (*Block).toJSON),
	}
}

func (b *Block) toJSON() jsonBlock {
	return jsonBlock{
		Header: bytesJSON(b.Header), EntriesProof: hashesJSON(b.EntriesProof),
		Verdicts:      mapList(b.Verdicts, func(v *VerdictLeaf) jsonVerdict { return jsonVerdict{v.Index, bytesJSON(v.Leaf)} }),
		VerdictsProof: hashesJSON(b.VerdictsProof),
		Subjects: mapList(b.Subjects, func(s *Subject) jsonSubject {
			return jsonSubject{s.Leaf, s.Index, bytesJSON(s.Salt), s.Key, hashesJSON(s.Proof)}
		}),
		Submissions: mapList(b.Submissions, func(s *Submission) jsonSubmission {
			return jsonSubmission{s.Seq, bytesJSON(s.Header), s.Signature[:], s.Key, hashesJSON(s.ItemsProof), mapList(s.Items, (*Item).toJSON)}
		}),
	}
}

func (it *Item) toJSON() jsonItem {
	return jsonItem{
		Index: it.Index, Kind: it.Kind, FieldDepth: it.FieldDepth,
		Fields: mapList(it.Fields, func(f *commit.OpenField) jsonField {
			return jsonField{f.Leaf, []byte(f.Path), bytesJSON(f.Salt), uint8(f.Type), f.Text}
		}),
		FieldProof: hashesJSON(it.FieldProof), UnitDepth: it.UnitDepth,
		Units: mapList(it.Units, func(u *commit.OpenUnit) jsonUnit {
			return jsonUnit{u.Leaf, bytesJSON(u.Salt), uint8(u.List), u.Key.String(), u.Form}
		}),
		UnitProof: hashesJSON(it.UnitProof),
	}
}

// fromJSON collects the first error of a conversion.
type fromJSON struct{ err error }

func (c *fromJSON) fill(dst, src []byte) {
	if len(src) != len(dst) && c.err == nil {
		c.err = fmt.Errorf("%d bytes where %d belong", len(src), len(dst))
	}
	copy(dst, src)
}

func (c *fromJSON) hash(b []byte) (h canonical.Hash) {
	c.fill(h[:], b)
	return h
}

func (c *fromJSON) hashes(bs [][]byte) []canonical.Hash {
	return mapList(bs, func(b *[]byte) canonical.Hash { return c.hash(*b) })
}

func (j *jsonBundle) bundle() (*Bundle, error) {
	c := &fromJSON{}
	b := &Bundle{
		Genesis: c.hash(j.Genesis), Epoch: j.Checkpoint.Epoch, Size: j.Checkpoint.Size, Root: c.hash(j.Checkpoint.Root),
		Certificate: mapList(j.Certificate, func(s *jsonCosignature) quorum.Cosignature {
			cs := quorum.Cosignature{Validator: s.Validator, Time: s.Time}
			c.fill(cs.Signature[:], s.Signature)
			return cs
		}),
		Keys: mapList(j.Keys, func(k *jsonKey) (out Key) {
			if k.Genesis != nil {
				out.Genesis = &GenesisKey{k.Genesis.Party, k.Genesis.Key}
			}
			if k.Act != nil {
				out.Act = &ActKey{k.Act.Block, k.Act.Submission, k.Act.Item, k.Act.Key}
			}
			if k.Authority != nil {
				out.Authority = &k.Authority.Index
			}
			return out
		}),
		LogProof: c.hashes(j.LogProof),
		Blocks:   mapList(j.Blocks, c.block),
	}
	return b, c.err
}

func (c *fromJSON) block(j *jsonBlock) Block {
	return Block{
		Header: j.Header, EntriesProof: c.hashes(j.EntriesProof),
		Verdicts:      mapList(j.Verdicts, func(v *jsonVerdict) VerdictLeaf { return VerdictLeaf{v.Index, v.Leaf} }),
		VerdictsProof: c.hashes(j.VerdictsProof),
		Subjects: mapList(j.Subjects, func(s *jsonSubject) Subject {
			return Subject{s.Leaf, s.Index, s.Salt, s.Key, c.hashes(s.Proof)}
		}),
		Submissions: mapList(j.Submissions, func(s *jsonSubmission) Submission {
			out := Submission{Seq: s.Sequence, Header: s.Header, Key: s.Key, ItemsProof: c.hashes(s.ItemsProof), Items: mapList(s.Items, c.item)}
			c.fill(out.Signature[:], s.Signature)
			return out
		}),
	}
}

func (c *fromJSON) item(j *jsonItem) Item {
	return Item{Index: j.Index, Opening: commit.Opening{
		Kind: j.Kind, FieldDepth: j.FieldDepth,
		Fields: mapList(j.Fields, func(f *jsonField) commit.OpenField {
			return commit.OpenField{Leaf: f.Leaf, Path: commit.Path(f.Path), Salt: f.Salt, Type: commit.Type(f.Type), Text: f.Text}
		}),
		FieldProof: c.hashes(j.FieldProof), UnitDepth: j.UnitDepth,
		Units: mapList(j.Units, func(u *jsonUnit) commit.OpenUnit {
			k, err := readUnitKey(u.Key)
			if err != nil && c.err == nil {
				c.err = err
			}
			return commit.OpenUnit{Leaf: u.Leaf, Salt: u.Salt, List: commit.List(u.List), Key: k, Form: u.Form}
		}),
		UnitProof: c.hashes(j.UnitProof),
	}}
}
