package epcisrest

import (
	"context"
	"encoding/base64"
	"errors"
	"math"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	epcisquery "verilot.dev/epcis/query"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/state"
	"verilot.dev/services/internal/answer/index"
	"verilot.dev/services/internal/edge/httpapi"
)

// resource is a top-level resource beside events: the values of one field.
type resource struct {
	name, param, words string
	kind               epcisquery.TermKind // Object: EPCs
	query              string              // the parameter that asks for a value
	identifiers        bool                // its values are identifiers
}

var resources = []resource{
	{"eventTypes", "eventType", "event types", epcisquery.EventType, "eventType", false},
	{"epcs", "epc", "EPCs", epcisquery.Object, "MATCH_anyEPC", true},
	{"bizSteps", "bizStep", "business steps", epcisquery.BizStep, "EQ_bizStep", false},
	{"dispositions", "disposition", "dispositions", epcisquery.Disposition, "EQ_disposition", false},
	{"readPoints", "readPoint", "read points", epcisquery.ReadPoint, "EQ_readPoint", true},
	{"bizLocations", "bizLocation", "business locations", epcisquery.BizLocation, "EQ_bizLocation", true},
}

// eventTypes are known whether they occur or not.
var eventTypes = []string{"AggregationEvent", "AssociationEvent", "ObjectEvent", "TransactionEvent", "TransformationEvent"}

// listCost is what one page of values may cost: a partner's list holds only what stands in events that it may see.
const listCost = pageCost

func (s *Service) list(c *gin.Context, r *resource) error {
	caller, err := s.caller(c)
	if err != nil {
		return err
	}
	f, p := formOf(c.Request, collectionTypes)
	if p != nil {
		return p
	}
	v := c.Request.URL.Query()
	perPage, token, err := paging(v)
	if err != nil {
		return err
	}
	for name := range v {
		return httpapi.NewProblem(httpapi.UnknownParameter, "%s: a list of values takes perPage and nextPageToken; ask /%s/{value}/events for events", clip(name), r.name).With(httpapi.Fault{Pointer: "query." + name})
	}
	after, err := s.listPosition(caller, r, token)
	if err != nil {
		return err
	}
	var members []string
	var next *string
	err = s.read(c.Request.Context(), func(v state.View) error {
		members, next, err = s.values(c.Request.Context(), v, caller, r, f.Write, after, perPage)
		return err
	})
	if err != nil {
		return err
	}
	if next != nil {
		d := digest(caller, "/"+r.name, "")
		s.link(c, perPage, base64.RawURLEncoding.EncodeToString(append(append([]byte{tokenVersion}, d[:]...), *next...)))
	}
	writeCollection(c, f.ContentType, members)
	return nil
}

// listPlace is the value after which a page begins: a token is u8 version, 8 bytes of digest, the value.
func (s *Service) listPosition(caller Caller, r *resource, token string) (*string, error) {
	if token == "" {
		return nil, nil
	}
	d := digest(caller, "/"+r.name, "")
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) < 9 || b[0] != tokenVersion || [8]byte(b[1:9]) != d {
		return nil, httpapi.NewProblem(httpapi.PageTokenInvalid, "nextPageToken is not a token of this list; take the whole address of the next page from the Link header of the page before, or begin again without it")
	}
	after := string(b[9:])
	return &after, nil
}

// values lists what the caller may know of, after one value; next is the last one looked at if there may be more.
func (s *Service) values(ctx context.Context, v state.View, caller Caller, r *resource, o epcis.WriteOptions, after *string, perPage int) (members []string, next *string, err error) {
	o.PrefixLength = prefixLengths(v)
	if r.kind == epcisquery.EventType && after == nil {
		members = slices.Clone(eventTypes) // before what extends them, and all on the first page
	}
	spent, last := 0, ""
	head, _ := headOf(v)
	took := 0
	take := func(value, shown string, known func() (bool, int, error)) bool {
		if after != nil && value == *after {
			return true
		}
		if err = ctx.Err(); err != nil {
			return false
		}
		if took == perPage || spent > listCost {
			next = &last
			return false
		}
		ok, cost, e := known()
		if e != nil {
			err = e
			return false
		}
		if spent += 20 + cost; ok && !slices.Contains(members, shown) {
			members = append(members, shown)
			took++
		}
		last = value
		return true
	}
	from := ""
	if after != nil {
		from = *after
	}
	if r.kind == epcisquery.Object {
		blocks := blockCache{open: s.Copy.Opened}
		index.Objects(v, from, func(key string) bool {
			shown, cost, e := showObject(v, &blocks, key, o)
			if e != nil {
				err = e
				return false
			}
			spent += cost
			return take(key, shown, func() (bool, int, error) { return s.occurs(ctx, v, caller, r, shown, head) })
		})
		return members, next, err
	}
	index.Values(v, r.kind, from, func(value, captured string) bool {
		if r.kind == epcisquery.EventType && slices.Contains(eventTypes, captured) {
			return true
		}
		return take(value, shownValue(r, captured, o), func() (bool, int, error) { return s.occurs(ctx, v, caller, r, captured, head) })
	})
	return members, next, err
}

// shownValue is a value as JSON has it.
func shownValue(r *resource, captured string, o epcis.WriteOptions) string {
	if r.identifiers {
		return shownID(captured, o)
	}
	switch r.kind {
	case epcisquery.BizStep:
		if epcis.KnownStep(captured) {
			return epcis.TermBizStep.Word(captured)
		}
	case epcisquery.Disposition:
		if epcis.KnownDisposition(captured) {
			return epcis.TermDisposition.Word(captured)
		}
	default:
	}
	return captured
}

// shownID is an identifier in the form that is asked for.
func shownID(id string, o epcis.WriteOptions) string {
	epc, err := gs1.ParseEPC(id)
	if err != nil {
		return id
	}
	switch o.EPC {
	case epcis.DigitalLink:
		if dl := epc.Key().DigitalLink(); dl != "" {
			return dl
		}
	case epcis.URN:
		if urn, err := epc.URN(); err == nil {
			return urn
		}
		if n, ok := o.PrefixLength(epc.Key()); ok {
			if urn, err := epc.Key().URN(n); err == nil {
				return urn
			}
		}
	case epcis.AsCaptured:
	}
	return id
}

// occurs reports whether a value stands in an event that the caller may see.
func (s *Service) occurs(ctx context.Context, v state.View, caller Caller, r *resource, value string, to uint64) (ok bool, cost int, err error) {
	if caller.All {
		return true, 0, nil
	}
	q, err := with(r.query, value, nil)
	if err != nil {
		return false, 0, nil //nolint:nilerr // a value that cannot be asked for is not listed
	}
	sc := s.newScan(ctx, v, caller, q, 0, to)
	found, err := sc.any()
	return found, sc.cost, err
}

// any reports whether anything matches, as far as one page may look.
func (sc *scan) any() (bool, error) {
	for p, candidate := range sc.inLedgerOrder(nil, false) {
		if err := sc.ctx.Err(); err != nil {
			return false, context.Cause(sc.ctx)
		}
		if candidate {
			item, _, err := sc.load(p.pos)
			if item != nil || err != nil {
				return item != nil, err
			}
		}
		if sc.cost > listCost {
			break
		}
	}
	return false, nil
}

// asked is the query for the value in the address.
func (r *resource) asked(c *gin.Context, ext map[string]string) (value string, q *epcisquery.Query, err error) {
	value = c.Param(r.param)
	if value == "" {
		return "", nil, httpapi.NewProblem(httpapi.UnknownValue, "the value is empty; put it, percent-encoded, after /%s/", r.name)
	}
	if q, err = with(r.query, value, ext); err != nil {
		if e, ok := errors.AsType[*epcisquery.Error](err); ok { // nothing has such a value
			err = httpapi.NewProblem(httpapi.UnknownValue, "%q: %s; /%s lists the %s there are", clip(value), e.Message, r.name, r.words)
		}
	}
	return value, q, err
}

func (r *resource) unknown(value string) error {
	return httpapi.NewProblem(httpapi.UnknownValue, "%q is in no event that is recorded and that you may see; /%s lists the %s there are", clip(value), r.name, r.words)
}

func (s *Service) resource(c *gin.Context, r *resource) error {
	caller, err := s.caller(c)
	if err != nil {
		return err
	}
	f, p := formOf(c.Request, collectionTypes)
	if p != nil {
		return p
	}
	query := c.Request.URL.Query()
	if _, _, err := paging(query); err != nil {
		return err
	}
	for name := range query {
		return httpapi.NewProblem(httpapi.UnknownParameter, "%s: query parameters belong to /%s/{value}/events", clip(name), r.name).With(httpapi.Fault{Pointer: "query." + name})
	}
	value, q, err := r.asked(c, f.Extensions)
	if err != nil {
		return err
	}
	if err := s.mustOccur(c.Request.Context(), caller, r, value, q); err != nil {
		return err
	}
	writeCollection(c, f.ContentType, []string{"events"})
	return nil
}

func (s *Service) mustOccur(ctx context.Context, caller Caller, r *resource, value string, q *epcisquery.Query) error {
	if r.kind == epcisquery.EventType && slices.Contains(eventTypes, value) {
		return nil
	}
	return s.read(ctx, func(v state.View) error {
		head, _ := headOf(v)
		found, err := s.newScan(ctx, v, caller, q, 0, head).any()
		if err == nil && !found {
			err = r.unknown(value)
		}
		return err
	})
}

func (s *Service) resourceEvents(c *gin.Context, r *resource) error {
	if _, err := s.caller(c); err != nil {
		return err
	}
	f, p := formOf(c.Request, documentTypes)
	if p != nil {
		return p
	}
	value, of, err := r.asked(c, f.Extensions)
	if err != nil {
		return err
	}
	v := c.Request.URL.Query()
	q, err := epcisquery.ParseValues(v, f.Extensions)
	if err != nil {
		return err
	}
	return s.Events(c, simpleQuery, q.And(of), func(ctx context.Context, caller Caller) error {
		return s.mustOccur(ctx, caller, r, value, of)
	})
}

// showObject is an object's identifier in the form that is asked for. As it was captured, the first event that names it says.
func showObject(v state.View, blocks *blockCache, text string, o epcis.WriteOptions) (shown string, cost int, err error) {
	if uri, ok := strings.CutPrefix(text, "uri:"); ok {
		return uri, 0, nil
	}
	key, err := gs1.ParseKey(text)
	if err != nil {
		return text, 0, nil // not one of ours: as it stands in the index
	}
	switch o.EPC {
	case epcis.DigitalLink:
		if link := key.DigitalLink(); link != "" {
			return link, 0, nil
		}
	case epcis.URN:
		if n, ok := o.PrefixLength(key); ok {
			if urn, err := key.URN(n); err == nil {
				return urn, 0, nil
			}
		}
	case epcis.AsCaptured:
	}
	for height, refs := range index.TermEvents(epcisquery.Object, text).Blocks(v, 0, math.MaxUint64) {
		b, err := blocks.at(height)
		if err != nil {
			return "", 0, err
		}
		sub, err := b.Submission(refs[0].Entry)
		if err != nil {
			return "", 0, err
		}
		units := sub.Items[refs[0].Item].Committed.Units
		if i := slices.IndexFunc(units, func(u commit.Unit) bool { return u.Key == key }); i >= 0 {
			return units[i].Form, costOpen + len(units), nil
		}
	}
	return key.DigitalLink(), 0, nil
}
