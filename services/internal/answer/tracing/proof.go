package tracing

import (
	"fmt"
	"slices"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/proof"
	"verilot.dev/ledger/quorum"
	"verilot.dev/services/internal/answer/index"
)

// source gives the proof builder what it needs of one consistent view.
type source struct{ s *Snapshot }

func (src source) Block(height uint64) (*consensus.Result, error) { return src.s.Log.Block(height) }

func (src source) Log(size uint64, heights []uint64) (canonical.Hash, []canonical.Hash, error) {
	return consensus.LogRoot(src.s.View, size, heights)
}

func (src source) KeyRecord(id canonical.Hash) (proof.KeyRecord, error) { return src.s.keyRecord(id) }

// Proof proves every step of a unit's trace. Of each event it shows all open fields, the unit
// itself (or, in an inherited step, the container that carried it), the container it was packed
// into, and nothing of the other units. Without an event there is nothing to prove: ErrNoEvents.
func (s *Snapshot) Proof(key gs1.Key) (*proof.Bundle, error) {
	touches, _ := index.History(s.View, key)
	if len(touches) == 0 {
		return nil, ErrNoEvents
	}
	cp, cert, err := s.Checkpoint()
	if err != nil {
		return nil, err
	}
	wants := make([]proof.Want, len(touches))
	for i, t := range touches {
		shown := map[string]bool{key.String(): true}
		subjects := []string{key.String()}
		for _, via := range t.Via {
			shown[via.String()] = true
			subjects = append(subjects, via.String())
		}
		wants[i] = proof.Want{
			Pos:      t.Pos,
			Field:    func(*commit.Field) bool { return true },
			Unit:     func(u *commit.Unit) bool { return u.List == commit.ParentID || shown[u.Key.String()] },
			Subjects: subjects,
		}
		if wants[i].Amendments, err = s.amendments(&t, key); err != nil {
			return nil, err
		}
		if len(wants[i].Amendments) > 0 { // RELAYED is about the event itself
			wants[i].Subjects = append(wants[i].Subjects, block.EventSubject(t.Pos))
		}
	}
	return proof.Build(s.Genesis, source{s}, cp, cert, wants)
}

// amendments are the blocks that changed what was found about a unit by one event.
func (s *Snapshot) amendments(touch *index.Touch, key gs1.Key) ([]uint64, error) {
	res, err := s.Log.Block(touch.Pos.Height)
	if err != nil {
		return nil, err
	}
	_, findings, err := remarksOn(res, touch.Pos)
	if err != nil {
		return nil, err
	}
	var heights []uint64
	for _, f := range findings {
		if now, ok := s.findingNow(touch, key, f.Code); ok {
			for _, c := range now.Changes {
				if !slices.Contains(heights, c.Cause.Height) {
					heights = append(heights, c.Cause.Height)
				}
			}
		}
	}
	return heights, nil
}

// Checkpoint returns the checkpoint of the snapshot's head and its certificate; ErrNotCertified if
// there is none yet.
func (s *Snapshot) Checkpoint() (cp quorum.Checkpoint, cert quorum.Certificate, err error) {
	head, ok := consensus.ReadHead(s.View)
	if !ok || head.Header.Height == 0 {
		return cp, nil, ErrNotCertified
	}
	size := head.Header.Height + 1
	root, _, err := consensus.LogRoot(s.View, size, nil)
	if err != nil {
		return cp, nil, fmt.Errorf("header log of size %d: %w", size, err)
	}
	cert, err = s.Log.Certificate(head.Header.Height)
	if err != nil {
		return cp, nil, fmt.Errorf("certificate of block %d: %w", head.Header.Height, err)
	}
	return quorum.Checkpoint{Origin: s.Genesis.Origin(), Size: size, Root: root}, cert, nil
}

// keyRecord says where a key was registered: in the genesis file, or by which party_act.
func (s *Snapshot) keyRecord(id canonical.Hash) (proof.KeyRecord, error) {
	for i, p := range s.Genesis.Parties {
		for j, k := range p.Keys {
			if keys.ID(k.Use, k.PublicKey) == id {
				return proof.KeyRecord{Genesis: true, Party: i, Key: j}, nil
			}
		}
	}
	for i, a := range s.Genesis.Authorities {
		if keys.ID(keys.Authority, a.Key) == id {
			return proof.KeyRecord{Genesis: true, Authority: true, Party: i}, nil
		}
	}
	if pos, n, ok := index.KeyAct(s.View, id); ok {
		return proof.KeyRecord{Key: n, Act: pos}, nil
	}
	return proof.KeyRecord{}, fmt.Errorf("key %x is not registered", id[:8])
}
