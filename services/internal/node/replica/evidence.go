package replica

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/quorum"
	"verilot.dev/services/internal/node/store"
)

// evidenceFile is how a conviction is kept: <height>-<round>-<kind>-<validator>.json. First and second are vote payloads
// (docs/spec.md section 8.1): quorum.Set.OpenEvidence verifies them.
type evidenceFile struct {
	Validator string `json:"validator"`
	Height    uint64 `json:"height"`
	Round     uint32 `json:"round"`
	Kind      string `json:"kind"`
	First     []byte `json:"first"`
	Second    []byte `json:"second"`
}

// keepEvidence writes it durably, once.
func keepEvidence(dir string, g *genesis.Genesis, ev *quorum.Evidence) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	v := &ev.First.Vote
	path := filepath.Join(dir, fmt.Sprintf("%d-%d-%s-%d.json", v.Height, v.Round, v.Kind, ev.Validator))
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	b, err := json.MarshalIndent(evidenceFile{
		Validator: g.Validators.Validators[ev.Validator].Name, Height: v.Height, Round: v.Round, Kind: v.Kind.String(),
		First: ev.First.Payload(), Second: ev.Second.Payload(),
	}, "", "  ")
	if err != nil {
		return err
	}
	f, err := os.Create(path + ".new")
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return errors.Join(os.Rename(path+".new", path), store.SyncDir(dir))
}

// readEvidence returns what is kept in dir and still verifies.
func readEvidence(dir string, g *genesis.Genesis) (out []quorum.Evidence, err error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil {
		return nil, err
	}
	for _, path := range files {
		b, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var f evidenceFile
		if err := json.Unmarshal(b, &f); err != nil {
			return nil, fmt.Errorf("read evidence %s: %w", path, err)
		}
		ev, err := g.Validators.OpenEvidence(g.Network, f.First, f.Second)
		if err != nil {
			return nil, fmt.Errorf("read evidence %s: %w", path, err)
		}
		out = append(out, ev)
	}
	return out, nil
}
