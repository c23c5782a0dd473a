package epcisdoc

import (
	"bufio"
	"fmt"
	"io"
	"reflect"
	"strconv"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/reading"
	"verilot.dev/epcis/internal/writing"
)

// Convert reads a document of any format and writes it in another. Nothing is lost that the format can hold; the problems are
// those of reading, of which Problem.Dropped tells what got lost already, and, with the code not_convertible, what the
// format cannot hold: in which event, on which line or at which pointer of the source, in which field. Events with errors are left out unless opt keeps them.
//
// The source is read in bounded memory. When it can be read twice (io.Seeker), all namespaces are declared at the beginning and
// a header that stands behind the events is found; else the first events alone are looked at for that.
func Convert(r io.Reader, w io.Writer, opt epcis.Options, o epcis.WriteOptions) (epcis.Summary, []epcis.Problem, error) {
	if _, err := writing.New(o); err != nil {
		return epcis.Summary{}, nil, err
	}
	c := &conversion{o: o, w: w, most: reading.Defaults(opt).MaxProblems}
	s, again := r.(io.Seeker)
	if again { // a pipe has the method, but cannot
		_, err := s.Seek(0, io.SeekCurrent)
		again = err == nil
	}
	if again {
		if err := c.survey(r, s, opt); err != nil {
			return epcis.Summary{}, c.problems, err
		}
	} else {
		r = bufio.NewReaderSize(r, reading.ReadAhead)
	}
	sum, err := Read(r, opt, epcis.Handler{Header: c.header, Event: c.event, Problem: c.problem})
	if err == nil {
		err = c.end(sum)
	}
	return sum, c.problems, err
}

type conversion struct {
	o          epcis.WriteOptions
	w          io.Writer
	masterData bool // the source is an EPCISMasterDataDocument

	surveyed *epcis.Header     // of the first reading
	spaces   map[string]string // namespaces found by it

	live   *epcis.Header // being read
	given  *epcis.Header // what the encoder was given
	enc    epcis.Encoder
	told   int // problems of the encoder that were taken over
	held   []epcis.EventAt
	weight int

	problems []epcis.Problem
	most     int
	more     int
}

// survey reads the document for its header, its namespaces and what a query document says, and goes back to its beginning.
func (c *conversion) survey(r io.Reader, s io.Seeker, opt epcis.Options) error {
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
	wr, err := writing.New(c.o)
	if err != nil {
		return err
	}
	found := func(space string) { wr.Declare(space) }
	_, err = Read(r, opt, epcis.Handler{
		Header: func(h *epcis.Header) error {
			c.surveyed = h
			wr.Prefer(h.Prefixes)
			return nil
		},
		Event: func(e epcis.EventAt) error {
			if len(wr.Root) < writing.MaxPreferred {
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

func (c *conversion) header(h *epcis.Header) error {
	c.live = h
	return nil
}

func (c *conversion) problem(p epcis.Problem) error {
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

func (c *conversion) event(e epcis.EventAt) error {
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
			h = &epcis.Header{}
		}
		snapshot := *h
		if h.Query != nil {
			q := *h.Query
			snapshot.Query = &q
		}
		if h.SBDH != nil {
			b := *h.SBDH
			snapshot.SBDH = &b
		}
		c.given = &snapshot
		h = &snapshot
	}
	head := epcis.Head{Header: h, Query: h.Query, Namespaces: c.spaces, MasterData: c.masterData}
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

func (c *conversion) write(e *epcis.EventAt) error {
	if err := c.enc.Event(&e.Event, ""); err != nil {
		return err
	}
	c.take(e)
	return nil
}

// take takes over what the encoder could not hold, with the place in the source.
func (c *conversion) take(e *epcis.EventAt) {
	list := c.enc.Losses()
	for ; c.told < len(list); c.told++ {
		p := list[c.told]
		if e != nil && p.Event >= 0 {
			p.Event, p.Line, p.Column, p.Pointer = e.Index, e.Line, e.Column, e.Pointer
		}
		_ = c.problem(p) // never fails
	}
}

func (c *conversion) end(sum epcis.Summary) error {
	c.masterData = sum.Root == "EPCISMasterDataDocument"
	if err := c.start(); err != nil {
		return err
	}
	c.take(nil)
	_, err := c.enc.Close()
	c.take(nil)
	if err == nil && c.given != nil && c.live != nil && !reflect.DeepEqual(c.given, c.live) {
		_ = c.problem(epcis.Problem{
			Severity: epcis.SeverityWarning, Code: epcis.CodeNotConvertible, Event: -1, Path: "EPCISHeader",
			Message: "the header stands behind the events and came too late for a document that is written as it is read",
			Hint:    "convert from a file, which can be read twice",
		})
	}
	if c.more > 0 {
		c.problems = append(c.problems, epcis.Problem{
			Severity: epcis.SeverityWarning, Code: epcis.CodeTruncated, Event: -1,
			Message: "there are " + strconv.Itoa(c.more) + " more problems", Hint: "repair those above and convert again",
		})
	}
	return err
}
