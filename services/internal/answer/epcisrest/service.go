package epcisrest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/epcis/epcisdoc"
	"verilot.dev/epcis/gs1"
	epcisquery "verilot.dev/epcis/query"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/node/chain"
)

// Copy is a node's own verified copy of the ledger: a *chain.Chain.
type Copy interface {
	// Snapshot is a consistent view; the function releases it.
	Snapshot() (state.View, func(), error)
	// Opened is a block to read single events of.
	Opened(height uint64) (*chain.Opened, error)
	// Changed is closed when there is a newer block.
	Changed() <-chan struct{}
}

// Options of the service. All but Version are required.
type Options struct {
	Genesis *genesis.Genesis
	Copy    Copy
	Now     func() time.Time
	// Callers says who asks, or why it cannot be told.
	Callers func(*http.Request) (Caller, *httpapi.Problem)
	// Version is announced as GS1-Vendor-Version.
	Version string
}

// Service answers EPCIS queries over one copy. It implements Engine.
type Service struct {
	Options
	slots chan struct{} // scans under way
}

// New makes the service; Mount gives it its addresses.
func New(o Options) *Service {
	if o.Version == "" {
		o.Version = "verilot"
	}
	return &Service{Options: o, slots: make(chan struct{}, 2*runtime.GOMAXPROCS(0)+2)}
}

var _ Engine = (*Service)(nil)

// Changed implements Engine.
func (s *Service) Changed() <-chan struct{} { return s.Copy.Changed() }

// Head implements Engine.
func (s *Service) Head(ctx context.Context) (height uint64, at time.Time, err error) {
	err = s.read(ctx, func(v state.View) error {
		height, at = headOf(v)
		return nil
	})
	return height, at, err
}

func headOf(v state.View) (height uint64, at time.Time) {
	head, _ := consensus.ReadHead(v)
	return head.Header.Height, time.UnixMilli(head.Header.Time).UTC()
}

// read runs fn over one consistent view, beside a bounded number of others.
func (s *Service) read(ctx context.Context, fn func(state.View) error) error {
	select {
	case s.slots <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	defer func() { <-s.slots }()
	v, done, err := s.Copy.Snapshot()
	if err != nil {
		return httpapi.NewProblem(httpapi.Unavailable, "this copy of the ledger cannot be read now; try again in a moment").Because(err)
	}
	defer done()
	return chain.Guard(func() error { return fn(v) })
}

// sinceBlocks is how many blocks Since goes through before it lets others have their turn.
const sinceBlocks = 256

// Since implements Engine.
func (s *Service) Since(ctx context.Context, caller Caller, q *epcisquery.Query, after, to uint64, fn func(Item) error) error {
	for after < to {
		done := false
		err := s.read(ctx, func(v state.View) error {
			head, _ := headOf(v)
			if to > head {
				to = head
			}
			if done = after >= to; done {
				return nil
			}
			end := min(to, after+sinceBlocks)
			sc := s.newScan(ctx, v, caller, q, after+1, end)
			after = end
			for p, candidate := range sc.inLedgerOrder(nil, true) {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				if !candidate {
					continue
				}
				item, _, err := sc.load(p.pos)
				if err != nil {
					return err
				}
				if item == nil {
					continue
				}
				if err := fn(*item); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || done {
			return err
		}
	}
	return nil
}

// timeForm is how times are written that this service makes.
const timeForm = "2006-01-02T15:04:05.000Z07:00"

// Answer writes an EPCISQueryDocument. What a format cannot hold is left out of it.
func (s *Service) Answer(w io.Writer, queryName, subscriptionID string, items []Item, o epcis.WriteOptions) error {
	var b bytes.Buffer // nobody's slow reading holds a view
	err := s.read(context.Background(), func(v state.View) error {
		if o.PrefixLength == nil {
			o.PrefixLength = prefixLengths(v)
		}
		return s.encode(&b, queryName, subscriptionID, items, o)
	})
	if err != nil {
		return err
	}
	_, err = b.WriteTo(w)
	return err //nolint:wrapcheck // the writer's own
}

func (s *Service) encode(w io.Writer, queryName, subscriptionID string, items []Item, o epcis.WriteOptions) error {
	e, err := epcisdoc.NewEncoder(w, epcis.Head{
		CreationDate: s.Now().UTC().Format(timeForm), Query: &epcis.QueryResults{Name: queryName, SubscriptionID: subscriptionID},
	}, o)
	if err != nil {
		return fmt.Errorf("write query document: %w", err)
	}
	for i := range items {
		if err := e.Event(items[i].Event, items[i].RecordTime.UTC().Format(timeForm)); err != nil {
			return fmt.Errorf("write event %s: %w", items[i].Pos, err)
		}
	}
	if _, err = e.Close(); err != nil {
		return fmt.Errorf("write query document: %w", err)
	}
	return nil
}

// prefixLengths says how long the company prefix in an identifier is, by the registered products and company prefixes: without it no
// URN can be made of a Digital Link. Nothing is guessed.
func prefixLengths(v state.View) func(gs1.Key) (int, bool) {
	reg := registry.Registry{View: v}
	return func(k gs1.Key) (int, bool) {
		if g, ok := k.GTIN(); ok {
			if p, ok := reg.Product(g); ok && p.CompanyPrefixLength > 0 {
				return int(p.CompanyPrefixLength), true
			}
		}
		return reg.PrefixLength(companyDigits(k))
	}
}

// companyDigits are the digits of an identifier that begin with its company prefix.
func companyDigits(k gs1.Key) string {
	if g, ok := k.GTIN(); ok {
		return g.String()[1:13]
	}
	if g, ok := k.GLN(); ok {
		return g.String()[:12]
	}
	if c, ok := k.AsSSCC(); ok {
		return c.String()[1:17]
	}
	return ""
}

// problemOf says what went wrong with a query.
func problemOf(err error) *httpapi.Problem {
	if p, ok := errors.AsType[*httpapi.Problem](err); ok {
		return p
	}
	if e, ok := errors.AsType[*epcisquery.Error](err); ok {
		return queryProblem(e)
	}
	if t, ok := errors.AsType[*tooManyError](err); ok {
		return httpapi.NewProblem(httpapi.QueryTooLarge, "more than %d events match, and maxEventCount says that an answer must not have more; ask more narrowly, raise maxEventCount, or leave it out and follow the pages", t.most)
	}
	switch {
	case errors.Is(err, errTooComplex):
		return httpapi.NewProblem(httpapi.QueryTooComplex, "all matching events must be found before the first can be answered (orderBy a field, or maxEventCount), and there are too many to look at; ask more narrowly, by an identifier, a step or a time, or order by eventTime or recordTime")
	case errors.Is(err, errGone):
		return httpapi.NewProblem(httpapi.PageTokenInvalid, "the event after which this page begins is not to be seen any more; begin again without nextPageToken")
	case errors.Is(err, chain.ErrClosed):
		return httpapi.NewProblem(httpapi.Unavailable, "this service is stopping; try again in a moment").Because(err)
	}
	return httpapi.NewProblem(httpapi.Internal, "the service met a fault of its own; give the operator the request id").Because(err)
}

func queryProblem(e *epcisquery.Error) *httpapi.Problem {
	code := httpapi.InvalidParameter
	switch e.Kind {
	case epcisquery.KindValidation:
		code = httpapi.InvalidQuery
	case epcisquery.KindTooComplex:
		code = httpapi.QueryTooComplex
	default:
	}
	detail := e.Message
	if e.Param != "" {
		detail = e.Param + ": " + detail
	}
	if e.Hint != "" {
		detail += "; " + e.Hint
	}
	p := httpapi.NewProblem(code, "%s", detail)
	if e.Param != "" {
		p = p.With(httpapi.Fault{Pointer: "query." + e.Param, Code: string(code), Message: e.Message, Hint: e.Hint})
	}
	return p
}
