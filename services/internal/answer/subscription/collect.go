package subscription

import (
	"context"
	"errors"
	"net/url"
	"time"

	"verilot.dev/epcis"
	epcisquery "verilot.dev/epcis/query"
	"verilot.dev/ledger/canonical"
	"verilot.dev/services/internal/answer/epcisrest"
)

const (
	// stride is how many blocks are asked for at once, and strides how many times before somebody else gets a turn: a query that
	// matches nothing must not hold a worker for the length of the ledger.
	stride  = 512
	strides = 16
)

// A batch is what is delivered at once.
type batch struct {
	items []epcisrest.Item
	next  cursor // once it is delivered
	more  bool   // there may be more before the end that was asked for
}

var (
	errFull   = errors.New("subscription: the batch is full")
	errBeyond = errors.New("subscription: the batch ends here")
)

// collect reads what comes after from, up to the block to. last, if there is one, is where a batch that was made before ended: it is
// made again with the same events.
func (s *Service) collect(ctx context.Context, c epcisrest.Caller, q *epcisquery.Query, from cursor, to uint64, last *canonical.Position, events, bytes int) (batch, error) {
	b := batch{next: from}
	size := 0
	for range strides {
		if b.next.Done >= to {
			return b, nil
		}
		end := min(b.next.Done+stride, to)
		err := s.o.Engine.Since(ctx, c, q, b.next.Done, end, func(it epcisrest.Item) error {
			if from.After != nil && it.Pos.Compare(*from.After) <= 0 {
				return nil
			}
			if last != nil && it.Pos.Compare(*last) > 0 {
				return errBeyond
			}
			n := estimatedBytes(it.Event)
			if last == nil && len(b.items) > 0 && (len(b.items) >= events || size+n > bytes) {
				return errFull
			}
			size += n
			b.items = append(b.items, it)
			return nil
		})
		switch {
		case errors.Is(err, errFull):
			b.cut(len(b.items))
			return b, nil
		case errors.Is(err, errBeyond):
			return b, nil
		case err != nil:
			return b, err
		}
		b.next = cursor{Done: end}
	}
	b.more = b.next.Done < to
	return b, nil
}

// cut leaves the first n events in the batch.
func (b *batch) cut(n int) {
	b.items = b.items[:n]
	last := b.items[n-1].Pos
	b.next, b.more = cursor{Done: last.Height - 1, After: &last}, true
}

// estimatedBytes is about as many bytes as an event takes; the document is measured when it is
// written.
func estimatedBytes(e *epcis.Event) int {
	n := 400 + 80*(len(e.EPCList)+len(e.ChildEPCs)+len(e.InputEPCList)+len(e.OutputEPCList)) +
		120*(len(e.QuantityList)+len(e.ChildQuantityList)+len(e.InputQuantityList)+len(e.OutputQuantityList)+len(e.BizTransactionList)+len(e.SourceList)+len(e.DestinationList)) +
		extensions(e.ILMD) + extensions(e.Extensions)
	for i := range e.SensorElementList {
		n += 200 + 200*len(e.SensorElementList[i].Reports) + extensions(e.SensorElementList[i].Extensions)
	}
	return n
}

func extensions(list []epcis.Extension) int {
	n := 0
	for i := range list {
		n += 20 + len(list[i].Name) + len(list[i].Text) + extensions(list[i].Attributes) + extensions(list[i].Children)
	}
	return n
}

// since is q for events recorded at t or later.
func since(q *epcisquery.Query, t *time.Time) (*epcisquery.Query, error) {
	if t == nil {
		return q, nil
	}
	bound, err := epcisquery.ParseValues(url.Values{"GE_recordTime": {t.UTC().Format(time.RFC3339Nano)}}, nil)
	if err != nil {
		return nil, err
	}
	return q.And(bound), nil
}
