package ledgerrest

import (
	"context"
	"strconv"
	"sync"
	"time"

	"github.com/gin-gonic/gin"

	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/edge/httpapi"
)

// current is the snapshot that one request is answered from, or why there is none.
type current struct {
	snap *tracing.Snapshot
	done func() // releases it; may be called more than once
	err  error
}

type currentKey struct{}

func (s *service) open() *current {
	view, done, err := s.Copy.Snapshot()
	if err != nil {
		return &current{done: func() {}, err: err}
	}
	return &current{
		snap: &tracing.Snapshot{Genesis: s.Genesis, View: view, Log: s.Copy, Now: s.Now()},
		done: sync.OnceFunc(done),
	}
}

// snapshot takes a snapshot for each request and puts on its answer, problems and streams included,
// the newest certified block of that snapshot and its age. The answers of this package come from
// the same snapshot; those of other packages rest on that block or a newer one.
func (s *service) snapshot(c *gin.Context) {
	now := s.open()
	defer now.done()
	if now.err == nil { // else the answer itself says so
		a := now.snap.AsOf()
		c.Header("Verilot-Height", strconv.FormatUint(a.Height, 10))
		c.Header("Verilot-Block-Time", a.Time.Format(time.RFC3339Nano))
		c.Header("Verilot-Age-Seconds", strconv.FormatFloat(a.AgeSeconds, 'f', 3, 64))
	}
	if s.paths[c.FullPath()] {
		c.Request = c.Request.WithContext(context.WithValue(c.Request.Context(), currentKey{}, now))
	} else {
		now.done() // it may be a WebSocket, and stay for days
	}
	c.Next()
}

// read runs fn over the snapshot of a request and releases it: no slow reader of the answer holds a
// state of the ledger. A request reads once.
func (s *service) read(ctx context.Context, fn func(*tracing.Snapshot) error) error {
	now, ok := ctx.Value(currentKey{}).(*current)
	if !ok {
		now = s.open()
	}
	return now.read(fn)
}

func (c *current) read(fn func(*tracing.Snapshot) error) error {
	if c.err != nil {
		return httpapi.NewProblem(httpapi.Unavailable, "this copy of the ledger cannot be read now; try again in a moment").Because(c.err)
	}
	defer c.done()
	return fn(c.snap)
}
