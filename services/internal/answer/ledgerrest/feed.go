package ledgerrest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/edge/httpapi"
)

const (
	eventStream  = "text/event-stream"
	feedBehind   = 100 // blocks
	feedBeat     = 15 * time.Second
	feedListened = 200
)

// feed sends every new block until the listener leaves (HTML Living Standard, server-sent events).
func (s *service) feed(c *gin.Context) error {
	from, given := uint64(0), false
	for _, text := range []string{c.Query("after"), c.GetHeader("Last-Event-ID")} {
		if text == "" {
			continue
		}
		n, err := strconv.ParseUint(text, 10, 63)
		if err != nil {
			return httpapi.NewProblem(httpapi.InvalidParameter, "after %q is not a height; send the id of the last message, or nothing", clip(text)).With(httpapi.Fault{Pointer: "query.after"})
		}
		from, given = max(from, n+1), true
	}
	if s.listeners.Add(1) > feedListened {
		s.listeners.Add(-1)
		return httpapi.NewProblem(httpapi.TooManyListeners, "%d listeners follow the feed of this service already; ask /v1/blocks now and then, or try again later", feedListened)
	}
	defer s.listeners.Add(-1)
	var head uint64
	if err := s.read(c.Request.Context(), func(snap *tracing.Snapshot) error {
		head = snap.AsOf().Height
		return nil
	}); err != nil {
		return err
	}
	switch {
	case !given:
		from = head
	case from+feedBehind <= head:
		from = head - feedBehind + 1
	case from > head+1:
		from = head + 1
	}
	c.Header("Content-Type", eventStream)
	c.Header("X-Accel-Buffering", "no")
	c.Status(http.StatusOK)
	if c.Request.Method == http.MethodHead {
		return nil
	}
	beat := time.NewTicker(feedBeat)
	defer beat.Stop()
	for {
		changed := s.Copy.Changed() // before the height, so that no block is missed
		head, err := s.height()
		if err != nil {
			return nil // the answer has begun: the listener asks again from where it stopped
		}
		for ; from <= head; from++ {
			if err := s.send(c, from); err != nil {
				return nil // as above
			}
		}
		c.Writer.Flush()
		select {
		case <-c.Request.Context().Done():
			return nil
		case <-httpapi.Draining(c.Request.Context()):
			return nil
		case <-beat.C:
			if _, err := c.Writer.WriteString(":\n\n"); err != nil {
				return nil // as above
			}
		case <-changed:
		}
	}
}

func (s *service) height() (height uint64, err error) {
	err = s.open().read(func(snap *tracing.Snapshot) error {
		height = snap.AsOf().Height
		return nil
	})
	return height, err
}

// send writes the message about one block.
func (s *service) send(c *gin.Context, height uint64) error {
	var message []byte
	err := s.open().read(func(snap *tracing.Snapshot) error {
		b, err := snap.FeedBlock(height)
		if err != nil {
			return err
		}
		message, err = json.Marshal(b)
		return err
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.Writer, "event: block\nid: %d\ndata: %s\n\n", height, message)
	return err
}
