// Package epcisquery is a stand-in until branch query is merged; delete this file then.
package epcisquery

import (
	"net/url"
	"time"

	"verilot.dev/ledger/epcis"
)

type Query struct{}

type Record struct {
	Event      *epcis.Event
	RecordTime time.Time
	Hash       string
}

type Vocabulary interface {
	Descendants(id string) []string
	Attribute(id, name string) []string
}

type Kind uint8

const (
	Parameter Kind = iota
	Validation
	TooComplex
)

type Error struct {
	Param, Message, Hint string
	Kind                 Kind
}

func (e *Error) Error() string { return e.Message }

type TermKind byte

const (
	EventType TermKind = iota + 1
	Action
	BizStep
	Disposition
	ReadPoint
	BizLocation
	BizTransaction
	EventID
	TransformationID
	Object
	GTIN
	Class
)

type Term struct {
	Kind   TermKind
	Values []string
}

type Order struct {
	By         string
	Ascending  bool
	Limit, Max int
}

func ParseValues(v url.Values, ext map[string]string) (*Query, error)      { return &Query{}, nil }
func ParseJSON(raw []byte, ext map[string]string) (*Query, error)          { return &Query{}, nil }
func (q *Query) JSON() []byte                                              { return nil }
func (q *Query) And(p *Query) *Query                                       { return q }
func (q *Query) Match(r *Record, v Vocabulary) bool                        { return true }
func (q *Query) Terms(v Vocabulary) []Term                                 { return nil }
func TermsOf(e *epcis.Event, fn func(kind TermKind, value string))         {}
func (q *Query) RecordTime() (from, before time.Time)                      { return }
func (q *Query) EventTime() (from, before time.Time)                       { return }
func (q *Query) Order() Order                                              { return Order{By: "eventTime"} }
func (q *Query) Less(a, b *Record) bool                                    { return false }
