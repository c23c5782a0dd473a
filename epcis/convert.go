package epcis

import (
	"bufio"
	"bytes"
	"encoding/xml"
	"fmt"
	"io"
	"reflect"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Convert reads a document of any format and writes it in another. Nothing is lost that the format can hold; the problems are
// those of reading, and, with the code not_convertible, what the format cannot hold: in which event, on which line or at
// which pointer of the source, in which field. Events with errors are left out unless opt keeps them.
//
// The source is read in bounded memory. When it can be read twice (io.Seeker), all namespaces are declared at the beginning and
// a header that stands behind the events is found; else the first events alone are looked at for that.
func Convert(r io.Reader, w io.Writer, opt Options, o WriteOptions) (Summary, []Problem, error) {
	if _, err := New(o); err != nil {
		return Summary{}, nil, err
	}
	c := &conversion{o: o, w: w, most: Defaults(opt).MaxProblems}
	s, again := r.(io.Seeker)
	if again { // a pipe has the method, but cannot
		_, err := s.Seek(0, io.SeekCurrent)
		again = err == nil
	}
	if again {
		if err := c.survey(r, s, opt); err != nil {
			return Summary{}, c.problems, err
		}
	} else {
		in := bufio.NewReaderSize(r, ReadAhead)
		head, _ := in.Peek(ReadAhead) // a read error comes again
		c.query = queryResults(head)
		r = in
	}
	sum, err := Read(r, opt, Handler{Header: c.header, Event: c.event, Problem: c.problem})
	if err == nil {
		err = c.end(sum)
	}
	return sum, c.problems, err
}

type conversion struct {
	o     WriteOptions
	w     io.Writer
	query *QueryResults

	masterData bool // the source is an EPCISMasterDataDocument

	surveyed *Header           // of the first reading
	spaces   map[string]string // namespaces found by it

	live   *Header // being read
	given  *Header // what the encoder was given
	enc    Encoder
	told   int // problems of the encoder that were taken over
	held   []EventAt
	weight int

	problems []Problem
	most     int
	more     int
}

// survey reads the document for its header, its namespaces and what a query document says, and goes back to its beginning.
func (c *conversion) survey(r io.Reader, s io.Seeker, opt Options) error {
	start, err := s.Seek(0, io.SeekCurrent)
	if err != nil {
		return fmt.Errorf("read EPCIS document: %w", err)
	}
	back := func() error {
		if _, err := s.Seek(start, io.SeekStart); err != nil {
			return fmt.Errorf("read EPCIS document again: %w", err)
		}
		return nil
	}
	head := make([]byte, ReadAhead)
	n, _ := io.ReadFull(r, head) // a read error comes again
	c.query = queryResults(head[:n])
	if err := back(); err != nil {
		return err
	}
	wr, err := New(c.o)
	if err != nil {
		return err
	}
	found := func(space string) { wr.Declare(space) }
	_, err = Read(r, opt, Handler{
		Header: func(h *Header) error {
			c.surveyed = h
			wr.Prefer(h.Prefixes)
			return nil
		},
		Event: func(e EventAt) error {
			if len(wr.Root) < MaxPreferred {
				wr.EventNamespaces(&e.Event, found)
			}
			return nil
		},
		Problem: c.problem,
	})
	if err != nil {
		return err
	}
	c.problems, c.more = nil, 0 // they come again
	c.spaces = map[string]string{}
	for _, d := range wr.Root {
		c.spaces[d.Prefix] = d.Space
	}
	return back()
}

func (c *conversion) header(h *Header) error {
	c.live = h
	return nil
}

func (c *conversion) problem(p Problem) error {
	if len(c.problems) < c.most {
		c.problems = append(c.problems, p)
	} else {
		c.more++
	}
	return nil
}

// Events held back, so that what they need can be declared at the beginning.
const (
	maxHeld       = 64
	maxHeldWeight = 4096 // in EPCs and extensions
)

func (c *conversion) event(e EventAt) error {
	if c.enc == nil && c.surveyed == nil {
		c.held = append(c.held, e)
		c.weight += len(e.Event.EPCList) + len(e.Event.ChildEPCs) + len(e.Event.InputEPCList) + len(e.Event.OutputEPCList) + 1
		if len(c.held) < maxHeld && c.weight < maxHeldWeight {
			return nil
		}
		return c.start()
	}
	if err := c.start(); err != nil {
		return err
	}
	return c.write(&e)
}

// start begins the document and writes the events that were held back.
func (c *conversion) start() (err error) {
	if c.enc != nil {
		return nil
	}
	h := c.surveyed
	if h == nil {
		if h = c.live; h == nil {
			h = &Header{}
		}
		snapshot := *h
		if h.SBDH != nil {
			b := *h.SBDH
			snapshot.SBDH = &b
		}
		c.given = &snapshot
		h = &snapshot
	}
	head := Head{Header: h, Query: c.query, Namespaces: c.spaces, MasterData: c.masterData}
	if c.spaces == nil {
		for i := range c.held {
			head.Declare = append(head.Declare, &c.held[i].Event)
		}
	}
	if c.enc, err = NewEncoder(c.w, head, c.o); err != nil {
		return err
	}
	for i := range c.held {
		if err = c.write(&c.held[i]); err != nil {
			return err
		}
	}
	c.held = nil
	return nil
}

func (c *conversion) write(e *EventAt) error {
	if err := c.enc.Event(&e.Event, ""); err != nil {
		return err
	}
	c.take(e)
	return nil
}

// take takes over what the encoder could not hold, with the place in the source.
func (c *conversion) take(e *EventAt) {
	list := c.enc.Losses()
	for ; c.told < len(list); c.told++ {
		p := list[c.told]
		if e != nil && p.Event >= 0 {
			p.Event, p.Line, p.Column, p.Pointer = e.Index, e.Line, e.Column, e.Pointer
		}
		_ = c.problem(p) // never fails
	}
}

func (c *conversion) end(sum Summary) error {
	c.masterData = sum.Root == "EPCISMasterDataDocument"
	if err := c.start(); err != nil {
		return err
	}
	c.take(nil)
	_, err := c.enc.Close()
	c.take(nil)
	if err == nil && c.given != nil && c.live != nil && !reflect.DeepEqual(c.given, c.live) {
		_ = c.problem(Problem{
			Severity: SeverityWarning, Code: CodeNotConvertible, Event: -1, Path: "EPCISHeader",
			Message: "the header stands behind the events and came too late for a document that is written as it is read",
			Hint:    "convert from a file, which can be read twice",
		})
	}
	if c.more > 0 {
		c.problems = append(c.problems, Problem{
			Severity: SeverityWarning, Code: CodeTruncated, Event: -1,
			Message: "there are " + strconv.Itoa(c.more) + " more problems", Hint: "repair those above and convert again",
		})
	}
	return err
}

// queryResults looks at the beginning of a document for what a query document says beside its events. The readers do not keep
// it, since it is about the question, not about events.
func queryResults(head []byte) *QueryResults {
	head = bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xEF\xBB\xBF")), Blank)
	if len(head) > 0 && head[0] == '{' {
		return jsonQueryResults(head)
	}
	d := xml.NewDecoder(bytes.NewReader(head))
	var q *QueryResults
	for {
		t, err := d.RawToken()
		if err != nil {
			return q
		}
		start, ok := t.(xml.StartElement)
		if !ok {
			continue
		}
		switch start.Name.Local {
		case "EPCISQueryDocument", "QueryResults":
			if q == nil {
				q = &QueryResults{}
			}
		case "queryName", "subscriptionID":
			if q == nil {
				continue
			}
			if text, err := d.RawToken(); err == nil {
				if s, ok := text.(xml.CharData); ok && start.Name.Local == "queryName" {
					q.Name = Trimmed(string(s))
				} else if ok {
					q.SubscriptionID = Trimmed(string(s))
				}
			}
		case "EventList", "VocabularyList", "EPCISDocument", "EPCISMasterDataDocument":
			return q
		}
	}
}

func jsonQueryResults(head []byte) *QueryResults {
	d := jsontext.NewDecoder(bytes.NewReader(head))
	q := &QueryResults{}
	found := false
	for {
		t, err := d.ReadToken()
		if err != nil {
			break
		}
		if t.Kind() != '"' {
			continue
		}
		if _, n := d.StackIndex(d.StackDepth()); n%2 == 0 { // a value
			continue
		}
		switch key := t.String(); key {
		case "type", "isA":
			if v, err := d.ReadToken(); err == nil && v.Kind() == '"' && d.StackDepth() == 1 {
				found = found || v.String() == "EPCISQueryDocument"
				if v.String() == "EPCISDocument" {
					return nil
				}
			}
		case "queryName", "subscriptionID":
			if v, err := d.ReadToken(); err == nil && v.Kind() == '"' && d.StackDepth() == 3 {
				found = true
				if key == "queryName" {
					q.Name = v.String()
				} else {
					q.SubscriptionID = v.String()
				}
			}
		case "eventList", "epcisHeader", "@context":
			_ = d.SkipValue() // what is wrong with it comes again with the next token
		}
	}
	if !found {
		return nil
	}
	return q
}
