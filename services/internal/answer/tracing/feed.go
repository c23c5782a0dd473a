package tracing

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/gin-gonic/gin"

	"verilot.dev/ledger/canonical"
	"verilot.dev/services/internal/edge/httpapi"
)

// FeedBlock is one message of the feed: a block and what is in it.
type FeedBlock struct {
	Height  uint64     `json:"height,string"`
	Time    time.Time  `json:"time"`
	Hash    string     `json:"hash"`
	LastSeq uint64     `json:"lastSequence,string"`
	Items   []FeedItem `json:"items" doc:"At most 50"`
	More    int        `json:"more,omitempty" doc:"Items that are not listed"`
}

// FeedItem is an event or registration in the feed. Which units it is about is not told.
type FeedItem struct {
	Position canonical.Position `json:"position"`
	Kind     string             `json:"kind"`
	Type     string             `json:"type,omitempty"`
	BizStep  string             `json:"bizStep,omitempty"`
	Party    *PartyRef          `json:"party,omitempty"`
	Verdict  string             `json:"verdict"`
	Code     string             `json:"code,omitempty"`
	Findings []string           `json:"findings,omitempty"`
	Objects  int                `json:"objects"`
}

const (
	eventStream  = "text/event-stream"
	feedItems    = 50
	feedBehind   = 100 // blocks
	feedBeat     = 15 * time.Second
	feedListened = 200
)

// feed tells of every new block until the listener leaves (HTML Living Standard, server-sent events).
func (s *Service) feed(c *gin.Context) error {
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
	changed := s.Copy.Changed()
	head, err := s.height()
	if err != nil {
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
	beat := time.NewTicker(feedBeat)
	defer beat.Stop()
	for {
		for ; from <= head; from++ {
			if err := s.tell(c, from); err != nil {
				return nil // the answer has begun: whoever listens asks again from where it stopped
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
		changed = s.Copy.Changed()
		if head, err = s.height(); err != nil {
			return nil // as above
		}
	}
}

func (s *Service) height() (height uint64, err error) {
	err = s.read(func(r *Reader) error {
		height = r.Head().Height
		return nil
	})
	return height, err
}

func (s *Service) tell(c *gin.Context, height uint64) error {
	var message []byte
	err := s.read(func(r *Reader) error {
		res, err := s.load(height)
		if err != nil {
			return err
		}
		b := FeedBlock{Height: height, Time: time.UnixMilli(res.Header.Time).UTC(), Hash: hex32(res.Hash), LastSeq: res.Header.LastSeq, Items: []FeedItem{}}
		verdicts, err := verdictsOf(res)
		if err != nil {
			return err
		}
		for i := range res.Entries {
			e := entryView(r, res, uint32(i), verdicts)
			for j := range e.Items {
				if len(b.Items) == feedItems {
					b.More++
					continue
				}
				it := &e.Items[j]
				shown := FeedItem{
					Position: it.Position, Kind: it.Kind, Type: it.Type, BizStep: it.BizStep, Party: r.Party(e.Party), Verdict: it.Verdict, Code: it.Code, Objects: it.Units,
				}
				for _, f := range it.Findings {
					shown.Findings = append(shown.Findings, f.Code)
				}
				b.Items = append(b.Items, shown)
			}
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
