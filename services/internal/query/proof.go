package query

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/enc"
	"verilot.dev/ledger/gs1"
	"verilot.dev/ledger/proof"
	"verilot.dev/services/internal/httpapi"
	"verilot.dev/services/internal/index"
)

// source gives the proof builder what it needs of one consistent view.
type source struct {
	s *Service
	r *index.Reader
}

func (src source) Block(height uint64) (*consensus.Result, error) { return src.s.Copy.Block(height) }

func (src source) Log(size uint64, heights []uint64) (enc.Hash, []enc.Hash, error) {
	return consensus.LogRoot(src.r.View, size, heights)
}

func (src source) KeyRecord(id enc.Hash) (proof.KeyRecord, error) { return src.r.KeyRecord(id) }

func (s *Service) proof(c *gin.Context) error {
	format := c.DefaultQuery("format", "json")
	if format != "json" && format != "binary" {
		return httpapi.NewProblem(httpapi.InvalidParameter, "format %q is unknown; ask for json or binary", clip(format))
	}
	key, _, err := s.identify(c.Query("id"))
	if err != nil {
		return err
	}
	return s.read(func(r *index.Reader) error {
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
func (s *Service) bundle(r *index.Reader, key gs1.Key) (*proof.Bundle, error) {
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
	}
	return proof.Build(s.Genesis, source{s, r}, cp, cert, wants)
}
