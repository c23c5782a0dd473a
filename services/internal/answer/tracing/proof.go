package tracing

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/proof"
	"verilot.dev/services/internal/answer/index"
	"verilot.dev/services/internal/edge/httpapi"
)

// source gives the proof builder what it needs of one consistent view.
type source struct {
	s *Service
	r *Reader
}

func (src source) Block(height uint64) (*consensus.Result, error) { return src.s.Copy.Block(height) }

func (src source) Log(size uint64, heights []uint64) (canonical.Hash, []canonical.Hash, error) {
	return consensus.LogRoot(src.r.View, size, heights)
}

func (src source) KeyRecord(id canonical.Hash) (proof.KeyRecord, error) { return src.r.KeyRecord(id) }

func (s *Service) proof(c *gin.Context) error {
	format := c.DefaultQuery("format", "json")
	if format != "json" && format != "binary" {
		return httpapi.NewProblem(httpapi.InvalidParameter, "format %q is unknown; ask for json or binary", clip(format))
	}
	key, _, err := s.identify(c.Query("id"))
	if err != nil {
		return err
	}
	return s.read(func(r *Reader) error {
		b, err := s.bundle(r, key)
		if err != nil {
			return err
		}
		if format == "binary" {
			c.Data(http.StatusOK, "application/octet-stream", b.Binary())
			return nil
		}
		c.Data(http.StatusOK, "application/json", b.JSON())
		return nil
	})
}

// bundle proves every step of a unit's trace. Of each event it shows all open fields, the unit itself (or, in an inherited
// step, the container that carried it), the container it was packed into, and nothing of the other units.
func (s *Service) bundle(r *Reader, key gs1.Key) (*proof.Bundle, error) {
	touches, _ := index.History(r.View, key)
	if len(touches) == 0 {
		return nil, httpapi.NewProblem(httpapi.ProofUnavailable, "no event on the ledger names %s, so there is nothing to prove", key)
	}
	cp, cert, err := s.certified(r)
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
		if wants[i].Amendments, err = s.amendments(r, &t, key); err != nil {
			return nil, err
		}
		if len(wants[i].Amendments) > 0 { // RELAYED is about the event itself
			wants[i].Subjects = append(wants[i].Subjects, block.EventSubject(t.Pos))
		}
	}
	return proof.Build(s.Genesis, source{s, r}, cp, cert, wants)
}

// amendments are the blocks that changed what was found about a unit by one event.
func (s *Service) amendments(r *Reader, touch *index.Touch, key gs1.Key) ([]uint64, error) {
	res, err := s.load(touch.Pos.Height)
	if err != nil {
		return nil, err
	}
	_, findings, err := Remarks(res, touch.Pos)
	if err != nil {
		return nil, err
	}
	var heights []uint64
	for _, f := range findings {
		if now, ok := FindingNow(r.View, touch, key, f.Code); ok {
			for _, c := range now.Changes {
				if !slices.Contains(heights, c.Cause.Height) {
					heights = append(heights, c.Cause.Height)
				}
			}
		}
	}
	return heights, nil
}
