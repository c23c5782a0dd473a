// Package draft is what a request becomes before it is signed: its items, sealed, and how they are
// grouped into submissions.
package draft

import (
	"crypto/sha256"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"verilot.dev/epcis"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/partner/journal"
)

// Draft is a request that passed every local check, ready to be signed.
type Draft struct {
	Kind          string // document, event, or the name of a command
	OnError       submission.OnError
	Events        int // in the request, refused ones included
	RefusedEvents int
	Items         []Item
	Sealed        [][]commit.SealedValue // of the items, if they are sealed and fit one submission
	Size          int                    // of the document; the items are about as large
	Refused       []journal.Fault
	Faults        int // also those that are not kept
	Warnings      []journal.Fault
	Notes         []string
	Result        any       // what a command made
	Authority     bool      // signed with the authority's key
	Job           uuid.UUID // drawn when it is stored, unless it is known before

	// Plan is how a document is divided behind the answer, into Parts submissions that the outbox
	// is given later, instead of Items. It is stored with the job, as JSON, until the last part is.
	// Stored is called as soon as it is durable.
	Plan   any
	Parts  int
	Stored func()
}

// Item is one item of a submission, and what the job remembers of it.
type Item struct {
	wire.Item
	Info journal.ItemInfo
	// Line and Column are its place in the document; 0: it has none.
	Line, Column int
}

// EventItem wraps an event that has an id. index is its place in the request.
func EventItem(ev *epcis.Event, index int) Item {
	return Item{
		Item: wire.Item{Kind: wire.KindEvent, Message: ev},
		Info: journal.ItemInfo{Kind: wire.KindEvent, Event: index, EventID: ev.EventID, Type: ev.Type, Step: ev.Step()},
	}
}

// Registration wraps a message other than an event. subject is what it registers.
func Registration(kind uint8, message any, subject string) Item {
	return Item{Item: wire.Item{Kind: kind, Message: message}, Info: journal.ItemInfo{Kind: kind, Event: -1, Subject: subject}}
}

// EventID is an id for an event of a job that says nothing about the event, nor about the job: a job's id is random.
func EventID(job uuid.UUID, index int) string {
	sum := sha256.Sum256(canonical.U32(append([]byte("verilot/event of a job/v1"), job[:]...), uint32(index)))
	return wire.StandIn([16]byte(sum[:16]))
}

// LimitError says that a draft does not fit.
type LimitError struct {
	OnError submission.OnError // under Proceed it was divided, and does not fit even so
	Item    bool               // a single item does not fit
	What    string             // what it needs, and what there is
}

// Error implements error.
func (e *LimitError) Error() string { return e.What }

// TooLarge makes a LimitError about all of a draft.
func TooLarge(onError submission.OnError, format string, args ...any) error {
	return &LimitError{OnError: onError, What: fmt.Sprintf(format, args...)}
}

const (
	// Headroom is what header and signature of a submission, and the framing of an item, may need.
	Headroom = 1024
	maxParts = 64
	// Items that are smaller than this fit one submission by a wide margin, even with long
	// identifiers, and with every field sealed: a sealed number takes some 70 bytes.
	PlentyUnits = 2048
	PlentyBytes = 64 << 10
)

// Group seals the items and groups them into submissions: one, or under proceed as many as the
// limits ask for.
func (d *Draft) Group(s *Sealer) (parts [][]Item, sealed [][][]commit.SealedValue, err error) {
	switch {
	case len(d.Items) == 0:
		return nil, nil, nil
	case d.Sealed != nil: // measured before
		return [][]Item{d.Items}, [][][]commit.SealedValue{d.Sealed}, nil
	}
	values := make([][]commit.SealedValue, len(d.Items))
	units := make([]int, len(d.Items))
	total := 0
	for i := range d.Items {
		it := &d.Items[i].Item
		if values[i], err = s.Seal(it); err != nil {
			return nil, nil, fmt.Errorf("item %d: %w", i, err)
		}
		units[i] = CountUnits(it)
		total += units[i]
	}
	if len(d.Items) <= submission.MaxItems && total <= PlentyUnits && d.Size <= PlentyBytes {
		return [][]Item{d.Items}, [][][]commit.SealedValue{values}, nil // fits without being measured
	}
	sizes := make([]int, len(d.Items))
	bytes := 0
	for i := range d.Items {
		one := d.Items[i].Item
		b, err := wire.EncodeBody([]wire.Item{one})
		if err != nil {
			return nil, nil, fmt.Errorf("encode item %d: %w", i, err)
		}
		sizes[i] = len(b)
		bytes += len(b)
	}
	if len(d.Items) <= submission.MaxItems && total <= submission.MaxUnits && bytes <= submission.MaxMessage-Headroom {
		return [][]Item{d.Items}, [][][]commit.SealedValue{values}, nil
	}
	if d.OnError == submission.Rollback {
		return nil, nil, TooLarge(d.OnError, "the document needs %d items, %d unit references and %d bytes; one submission holds %d, %d and %d",
			len(d.Items), total, bytes, submission.MaxItems, submission.MaxUnits, submission.MaxMessage)
	}
	var items, refs, size int
	for i := range d.Items {
		if sizes[i] > submission.MaxMessage-Headroom {
			return nil, nil, &LimitError{d.OnError, true, fmt.Sprintf("item %d (line %d) alone has %d bytes and a submission holds %d", i, d.Items[i].Line, sizes[i], submission.MaxMessage)}
		}
		if len(parts) == 0 || items+1 > submission.MaxItems || refs+units[i] > submission.MaxUnits || size+sizes[i] > submission.MaxMessage-Headroom {
			parts, sealed = append(parts, nil), append(sealed, nil)
			items, refs, size = 0, 0, 0
		}
		k := len(parts) - 1
		parts[k], sealed[k] = append(parts[k], d.Items[i]), append(sealed[k], values[i])
		items, refs, size = items+1, refs+units[i], size+sizes[i]
	}
	if len(parts) > maxParts {
		return nil, nil, TooLarge(d.OnError, "the document needs %d submissions, at most %d are made of one", len(parts), maxParts)
	}
	return parts, sealed, nil
}

// CountUnits is how many units and containers an item names.
func CountUnits(it *wire.Item) int {
	switch m := it.Message.(type) {
	case *epcis.Event:
		n := len(m.EPCList) + len(m.ChildEPCs) + len(m.InputEPCList) + len(m.OutputEPCList)
		if m.ParentID != "" {
			n++
		}
		return n
	case *registry.Recall:
		return len(m.Units)
	case *registry.Resolution:
		return len(m.Units)
	}
	return 0
}

// Sized turns what the encoding of items says into a LimitError.
func Sized(onError submission.OnError, err error) error {
	if errors.Is(err, wire.ErrMalformed) || errors.Is(err, wire.ErrItems) || errors.Is(err, wire.ErrUnits) {
		return TooLarge(onError, "the items do not fit one submission (%s)", err.Error())
	}
	return err
}
