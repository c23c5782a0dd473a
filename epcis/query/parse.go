package query

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"verilot.dev/epcis/internal/excerpt"
)

// ParseValues reads the parameters of a URL. A list is one parameter with | between the values, or the parameter again
// and again, or both. ext are the prefixes of extension fields with their namespaces, beside the well-known ones.
func ParseValues(v url.Values, ext map[string]string) (*Query, error) {
	p := parser{ext: ext}
	if len(v) > MaxParameters+2 {
		return nil, errTooMany(len(v))
	}
	for _, name := range slices.Sorted(maps.Keys(v)) {
		switch name {
		case "perPage", "nextPageToken": // of the page, not of the query
			continue
		}
		in := input{url: true}
		for _, s := range v[name] {
			in.items = append(in.items, item{text: s, kind: 'u'})
		}
		p.parameter(name, in)
	}
	return p.query()
}

// ParseJSON reads the query object of POST /queries. A @context in it names prefixes of extension fields, beside ext and
// the well-known ones.
func ParseJSON(raw []byte, ext map[string]string) (*Query, error) {
	if len(raw) > MaxJSON {
		return nil, &Error{Message: "the query has " + itoa(len(raw)) + " bytes, at most " + itoa(MaxJSON) + " are read", Hint: "ask in parts", Kind: KindTooComplex}
	}
	return parseJSON(raw, ext, 0)
}

func parseJSON(raw []byte, ext map[string]string, depth int) (*Query, error) {
	members, err := readObject(raw)
	if err != nil {
		return nil, err
	}
	p := parser{ext: maps.Clone(ext)}
	if p.ext == nil {
		p.ext = map[string]string{}
	}
	for _, m := range members {
		if m.name == "@context" {
			if err := p.context(m.raw, 0); err != nil {
				return nil, err
			}
		}
	}
	var more []*Query
	for _, m := range members {
		switch m.name {
		case "@context":
		case andName:
			list, err := p.and(m.raw, depth)
			if err != nil {
				return nil, err
			}
			more = append(more, list...)
		case "perPage", "nextPageToken":
			return nil, &Error{Param: m.name, Message: "paging is no part of a query", Hint: "send it in the address of the request for events"}
		default:
			in, err := jsonInput(m)
			if p.err != nil {
				return nil, p.err
			}
			if err != nil {
				if _, e := p.resolve(m.name); e != nil { // then the name is what is wrong
					e.Param = m.name
					return nil, e
				}
				return nil, err
			}
			p.parameter(m.name, in)
		}
	}
	q, err := p.query()
	if err != nil {
		return nil, err
	}
	for _, x := range more {
		q = q.And(x)
	}
	if len(q.params) > 4*MaxParameters { // And makes more than a user may ask
		return nil, errTooMany(len(q.params))
	}
	return q, nil
}

func (p *parser) and(raw []byte, depth int) (list []*Query, err error) {
	var parts []json.RawMessage
	if json.Unmarshal(raw, &parts) != nil || len(parts) > MaxParameters || depth > 8 {
		return nil, &Error{Param: andName, Message: "want a short array of queries", Kind: KindValidation}
	}
	for _, part := range parts {
		q, err := parseJSON(part, p.ext, depth+1)
		if err != nil {
			return nil, err
		}
		list = append(list, q)
	}
	return list, nil
}

type member struct {
	name string
	raw  json.RawMessage
}

// readObject reads an object and refuses a member that comes twice, of which encoding/json would drop one.
func readObject(raw []byte) (list []member, err error) {
	invalid := func(err error) error {
		message := "the query is not JSON"
		if s, ok := errors.AsType[*json.SyntaxError](err); ok {
			message += ": at byte " + itoa(int(s.Offset)) + ": " + s.Error()
		}
		return &Error{Message: message, Hint: `write {"EQ_bizStep": ["shipping"]}`, Kind: KindValidation}
	}
	if !json.Valid(raw) {
		return nil, invalid(json.Unmarshal(raw, new(any)))
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, &Error{Message: "the query is not a JSON object", Hint: `write {"EQ_bizStep": ["shipping"]}`, Kind: KindValidation}
	}
	seen := map[string]bool{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, invalid(err)
		}
		m := member{}
		m.name, _ = t.(string)
		if err := d.Decode(&m.raw); err != nil {
			return nil, invalid(err)
		}
		if seen[m.name] {
			return nil, &Error{Param: m.name, Message: "is given twice", Hint: "put all values into one list", Kind: KindValidation}
		}
		seen[m.name] = true
		if list = append(list, m); len(list) > MaxParameters+2 {
			return nil, errTooMany(len(list))
		}
	}
	return list, nil
}

// context reads prefixes. An address in it is not fetched: the official ones say what is known already.
func (p *parser) context(raw json.RawMessage, depth int) error {
	invalid := &Error{
		Param: "@context", Message: "want an address, an object of prefixes, or an array of them",
		Hint: `write {"example": "https://ns.example.com/epcis/"}`, Kind: KindValidation,
	}
	switch raw[0] {
	case '"', 'n':
		return nil
	case '[':
		var list []json.RawMessage
		if json.Unmarshal(raw, &list) != nil || depth > 0 || len(list) > MaxParameters {
			return invalid
		}
		for _, x := range list {
			if err := p.context(x, depth+1); err != nil {
				return err
			}
		}
		return nil
	case '{':
		var object map[string]json.RawMessage
		if json.Unmarshal(raw, &object) != nil {
			return invalid
		}
		for name, value := range object {
			var iri string
			if json.Unmarshal(value, &iri) != nil {
				var long struct {
					ID string `json:"@id"`
				}
				if json.Unmarshal(value, &long) != nil {
					continue
				}
				iri = long.ID
			}
			if !strings.HasPrefix(name, "@") && iri != "" && len(p.ext) < 1000 {
				p.ext[name] = iri
			}
		}
		return nil
	}
	return invalid
}

func jsonInput(m member) (in input, err error) {
	add := func(raw json.RawMessage) error {
		x := item{text: string(raw)}
		switch raw[0] {
		case '"':
			x.kind = 's'
			if err := json.Unmarshal(raw, &x.text); err != nil {
				return &Error{Param: m.name, Message: "is not a JSON string", Kind: KindValidation}
			}
		case 't', 'f':
			x.kind = 'b'
		case 'n':
			x.kind = '0'
		case '{', '[':
			return &Error{Param: m.name, Message: "want a text, a number, true or false, or a flat array of them", Kind: KindValidation}
		default:
			x.kind = 'n'
		}
		in.items = append(in.items, x)
		return nil
	}
	if m.raw[0] != '[' {
		return in, add(m.raw)
	}
	in.list = true
	var list []json.RawMessage
	if err := json.Unmarshal(m.raw, &list); err != nil {
		return in, &Error{Param: m.name, Message: "is not a JSON array", Kind: KindValidation}
	}
	for _, raw := range list {
		if err := add(raw); err != nil {
			return in, err
		}
	}
	return in, nil
}

// An item is one value as given. Its kind is u in a URL, where all are texts, and s, n, b or 0 (null) in JSON.
type item struct {
	text string
	kind byte
}

type input struct {
	items []item
	url   bool
	list  bool // a JSON array
}

type parser struct {
	ext    map[string]string
	params []param
	given  map[string]string // canonical name → name as given
	err    *Error            // the first
}

func (p *parser) fail(e *Error) {
	if p.err == nil {
		p.err = e
	}
}

func errTooMany(n int) *Error {
	return &Error{Message: "the query has " + itoa(n) + " parameters, at most " + itoa(MaxParameters) + " are read", Hint: "ask in parts", Kind: KindTooComplex}
}

// parameter reads one parameter.
func (p *parser) parameter(name string, in input) {
	switch {
	case p.err != nil:
		return
	case len(name) > MaxText:
		p.fail(&Error{Param: name, Message: "the name has " + itoa(len(name)) + " bytes, at most " + itoa(MaxText) + " are read", Kind: KindTooComplex})
		return
	}
	if !utf8.ValidString(name) {
		p.fail(&Error{Param: name, Message: "the name is not UTF-8"})
		return
	}
	s, e := p.resolve(name)
	if e != nil {
		e.Param = name
		p.fail(e)
		return
	}
	if len(s.name) > MaxText {
		p.fail(&Error{Param: name, Message: "the name is too long with its prefix written in full", Kind: KindTooComplex})
		return
	}
	if before, ok := p.given[s.name]; ok {
		p.fail(&Error{Param: name, Message: "is the same parameter as " + excerpt.Clip(before), Hint: "put all values into one"})
		return
	}
	if p.given == nil {
		p.given = map[string]string{}
	}
	p.given[s.name] = name
	v, e := p.value(s.typ, in)
	if e == nil {
		var c *cond
		if c, e = s.build(p, &v); e == nil {
			p.params = append(p.params, param{name: s.name, value: v, cond: c})
			return
		}
	}
	e.Param = name
	p.fail(e)
}

// query checks what parameters demand of each other.
func (p *parser) query() (*Query, error) {
	if p.err != nil {
		return nil, p.err
	}
	if len(p.params) > MaxParameters {
		return nil, errTooMany(len(p.params))
	}
	limit, limited := p.given["eventCountLimit"]
	_, capped := p.given["maxEventCount"]
	_, ordered := p.given["orderBy"]
	switch {
	case limited && capped:
		return nil, &Error{Param: limit, Message: "eventCountLimit and maxEventCount exclude each other", Hint: "keep the one that is meant: the first cuts the result, the second refuses one that is too large"}
	case limited && !ordered:
		return nil, &Error{Param: limit, Message: "the first events of what order?", Hint: "add orderBy=eventTime or orderBy=recordTime"}
	}
	// Of sensor times an event has many; no two parameters contradict each other there.
	for _, what := range [...]string{"eventTime", "recordTime", "errorDeclarationTime"} {
		from, before := p.find("GE_"+what), p.find("LT_"+what)
		if from != nil && before != nil && from.value.time.After(before.value.time) {
			return nil, &Error{Param: p.given["GE_"+what], Message: "begins after LT_" + what + " ends, so that nothing can match", Hint: "exchange the two times"}
		}
	}
	return newQuery(p.params), nil
}

func (p *parser) find(name string) *param {
	for i := range p.params {
		if p.params[i].name == name {
			return &p.params[i]
		}
	}
	return nil
}

// The kinds of values a query holds after parsing.
type valueKind uint8

const (
	kindTexts valueKind = iota
	kindNumbers
	kindNumber
	kindTime
	kindFlag
	kindOrder // orderBy, orderDirection, eventCountLimit, maxEventCount
)

type value struct {
	kind    valueKind
	texts   []string
	numbers []decimal
	time    time.Time
	n       int
	flag    bool
	field   field             // orderBy
	context map[string]string // prefixes in the name of the parameter that stand for more than they say
}

func (v *value) equal(o *value) bool {
	a, errA := json.Marshal(v.json())
	b, errB := json.Marshal(o.json())
	return errA == nil && errB == nil && bytes.Equal(a, b)
}

func (v *value) json() any {
	switch v.kind {
	case kindNumbers:
		list := make([]json.Number, len(v.numbers))
		for i, n := range v.numbers {
			list[i] = json.Number(n.String())
		}
		return list
	case kindNumber:
		return json.Number(v.numbers[0].String())
	case kindTime:
		return formatTime(v.time)
	case kindFlag:
		return v.flag
	case kindOrder:
		if len(v.texts) > 0 {
			return v.texts[0]
		}
		return v.n
	case kindTexts:
	}
	return v.texts
}

// value reads the values of a parameter by its type.
func (p *parser) value(typ Type, in input) (v value, e *Error) {
	if typ == TypeFlag {
		return readFlag(in)
	}
	items := in.items
	if isList := typ == TypeTexts || typ == TypeNumbers || typ == TypeValue; isList {
		if in.url {
			items = nil
			for _, x := range in.items {
				for s := range strings.SplitSeq(x.text, "|") {
					if items = append(items, item{s, 'u'}); len(items) > MaxValues {
						break
					}
				}
			}
		}
		if len(items) > MaxValues {
			return v, &Error{Message: "the list has more than " + itoa(MaxValues) + " values", Hint: "ask in parts", Kind: KindTooComplex}
		}
	} else if in.list || len(items) > 1 {
		return v, &Error{Message: "takes one value, not a list"}
	}
	if len(items) == 0 {
		return v, &Error{Message: "has no value", Hint: "leave it out, or give it a value"}
	}
	numbers := 0
	for i := range items {
		x := &items[i]
		switch {
		case len(x.text) > MaxText:
			return v, &Error{Message: "a value has " + itoa(len(x.text)) + " bytes, at most " + itoa(MaxText) + " are read", Kind: KindTooComplex}
		case !utf8.ValidString(x.text):
			return v, &Error{Message: "a value is not UTF-8", Hint: "encode it as UTF-8 before percent-encoding it"}
		case x.kind == '0', trim(x.text) == "":
			return v, &Error{Message: "a value is empty", Hint: "leave it out"}
		case x.kind == 'n':
			numbers++
		}
		x.text = trim(x.text)
	}
	first := items[0]
	switch typ {
	case TypeTexts:
		for _, x := range items {
			if x.kind == 'n' || x.kind == 'b' {
				return v, &Error{Message: "want texts, not " + x.text, Hint: "put it between quotation marks"}
			}
			v.texts = append(v.texts, x.text)
		}
	case TypeValue:
		if numbers > 0 {
			if numbers < len(items) {
				return v, &Error{Message: "numbers and texts are mixed", Hint: "give texts, or one number"}
			}
			v.kind = kindNumbers
			return v, v.addNumbers(items)
		}
		for _, x := range items {
			v.texts = append(v.texts, x.text)
		}
	case TypeNumbers, TypeNumber:
		if v.kind = kindNumbers; typ == TypeNumber {
			v.kind = kindNumber
		}
		return v, v.addNumbers(items)
	case TypeTime:
		v.kind = kindTime
		v.time, e = readTime(first, false)
		return v, e
	case TypeBound:
		if first.kind != 'b' {
			if _, ok := parseDecimal(first.text); ok {
				v.kind = kindNumber
				return v, v.addNumbers(items)
			}
			if v.time, e = readTime(first, true); e == nil {
				v.kind = kindTime
				return v, nil
			}
		}
		return v, &Error{Message: excerpt.Quote(first.text) + " is neither a number nor a time", Hint: "write 12.5, 2026-11-20 or 2026-11-20T13:15:00Z"}
	case TypeInteger:
		v.kind = kindOrder
		n, err := strconv.Atoi(first.text)
		if err != nil || n < 1 || first.kind == 'b' {
			return v, &Error{Message: excerpt.Quote(first.text) + " is not a whole number above 0"}
		}
		v.n = n
	case TypeBoolean:
		switch first.text {
		case "true", "false":
		default:
			return v, &Error{Message: excerpt.Quote(first.text) + " is neither true nor false"}
		}
		v.kind, v.flag = kindFlag, first.text == "true"
	case TypeOrder:
		v.kind, v.texts = kindOrder, []string{first.text}
	case TypeFlag:
	}
	return v, nil
}

func (v *value) addNumbers(items []item) *Error {
	for _, x := range items {
		n, ok := parseDecimal(x.text)
		if !ok || len(x.text) > 64 || n.point > 400 || n.point < -400 {
			return &Error{Message: excerpt.Quote(x.text) + " is not a number", Hint: "write it as 12.5"}
		}
		v.numbers = append(v.numbers, n)
	}
	return nil
}

// readFlag reads the value of an EXISTS_ parameter. The standard ignores it, its OpenAPI has a boolean whose false asks for
// nothing, its JSON schema has a number or null.
func readFlag(in input) (v value, e *Error) {
	v.kind, v.flag = kindFlag, true
	if in.list || len(in.items) > 1 {
		return v, &Error{Message: "takes one value, not a list", Hint: "write true"}
	}
	if len(in.items) == 1 {
		switch x := in.items[0]; {
		case x.text == "false":
			v.flag = false
		case x.kind == 'n', x.kind == '0', x.text == "", x.text == "true", isDigits(x.text):
		default:
			return v, &Error{Message: excerpt.Quote(x.text) + " is not true", Hint: "write true"}
		}
	}
	return v, nil
}

// readTime reads a time with a zone, or where dates are allowed a date.
func readTime(x item, date bool) (time.Time, *Error) {
	s := x.text
	if n := len(s) - len(" 01:00"); x.kind == 'u' && n > 0 && s[n] == ' ' { // + in a URL means a space
		s = s[:n] + "+" + s[n+1:]
	}
	t, ok := instant(s, "")
	if !ok && date {
		t, ok = instantOrDate(s)
	}
	if !ok || x.kind == 'n' || x.kind == 'b' || len(s) > 64 || t.UTC().Year() < 1 || t.UTC().Year() > 9999 {
		hint := "write it as 2026-11-20T13:15:00.000-05:00, in a URL with + as %2B"
		if _, zoned := instant(s+"Z", ""); zoned {
			hint = "add the zone: " + s + "Z, or an offset such as -05:00"
		}
		return t, &Error{Message: excerpt.Quote(x.text) + " is not a date and time with a zone", Hint: hint}
	}
	return t, nil
}

func itoa(n int) string { return strconv.Itoa(n) }
