package epcisjson

import (
	"bytes"
	"io"
	"maps"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/field"
	"verilot.dev/epcis/internal/jsonld"
)

// Contexts of JSON-LD, as far as EPCIS needs them: what a prefix stands for, and which other names standard fields
// have. Nothing is loaded from anywhere: of a context given by its address, only the official one is known.

// isOfficialContext reports whether an address is one under which the official context is or was published.
func isOfficialContext(s string) bool {
	s = strings.TrimPrefix(strings.TrimPrefix(s, "https://"), "http://")
	return strings.HasSuffix(s, "epcis-context.jsonld") &&
		(strings.HasPrefix(s, "ref.gs1.org/standards/epcis/") || strings.HasPrefix(s, "gs1.github.io/EPCIS/"))
}

type qname struct{ space, name string }

// context is what is declared at some place of a document. It is not changed after it was made.
type context struct {
	iri   map[string]string // of prefixes and other terms
	std   map[string]string // other names of standard members
	vocab string            // @vocab
	names map[string]qname
}

var baseContext = &context{iri: jsonld.Prefixes}

// extend makes the context that holds where raw, a value of @context, is declared inside c. note is told what is
// unusual about it.
func (c *context) extend(raw []byte, note func(message, hint string)) *context {
	n := &context{iri: maps.Clone(c.iri), std: maps.Clone(c.std), vocab: c.vocab, names: map[string]qname{}}
	n.add(raw, note, true)
	return n
}

func (c *context) add(raw []byte, note func(message, hint string), arrays bool) {
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	switch dec.PeekKind() {
	case '"':
		if s := unquoted(raw); !isOfficialContext(s) {
			note("the context "+excerpt.Quote(s)+" is not read: no document is fetched from elsewhere",
				"declare the prefixes that the document uses in its own @context")
		}
	case '[':
		if !arrays {
			return
		}
		_, _ = dec.ReadToken()
		for dec.PeekKind() != ']' {
			v, err := dec.ReadValue()
			if err != nil {
				return
			}
			c.add(v, note, false)
		}
	case '{':
		c.define(dec, note)
	case 'n': // back to the beginning
		c.iri, c.std, c.vocab = maps.Clone(jsonld.Prefixes), nil, ""
	default: // the schema refuses it
	}
}

// define reads a context object. Terms may be used before they are defined in it, so they are expanded at the end.
func (c *context) define(dec *jsontext.Decoder, note func(message, hint string)) {
	var order []string
	given := map[string]string{}
	_, _ = dec.ReadToken()
	for dec.PeekKind() == '"' {
		raw, err := dec.ReadValue()
		if err != nil {
			return
		}
		key, id, known := unquoted(raw), "", false
		switch dec.PeekKind() {
		case '"':
			raw, _ = dec.ReadValue()
			id, known = unquoted(raw), true
		case '{':
			raw, _ = dec.ReadValue()
			id, known = memberID(raw)
		case 'n':
			_, _ = dec.ReadValue()
			delete(c.iri, key)
			delete(c.std, key)
		default:
			_ = dec.SkipValue()
		}
		switch {
		case key == "@vocab":
			c.vocab = id
		case !known, key == "", key[0] == '@', len(c.iri)+len(given) >= jsonld.MaxTerms:
		case jsonld.Prefixes[key] != "" && jsonld.Prefixes[key] != id && strings.TrimRight(jsonld.Prefixes[key], ":/#") != strings.TrimRight(id, ":/#"):
			note("the context gives the prefix "+excerpt.Quote(key)+" the meaning "+excerpt.Quote(id)+", but the official context protects it",
				"use another prefix, or leave the declaration out; it was read as "+excerpt.Quote(id))
			fallthrough
		default:
			order = append(order, key)
			given[key] = id
		}
	}
	for _, key := range order {
		id := given[key]
		for range 8 { // a chain of prefixes; a circle ends as well
			prefix, rest, ok := strings.Cut(id, ":")
			base := ""
			switch {
			case ok && strings.HasPrefix(rest, "//"):
			case ok:
				if base = given[prefix]; base == "" || prefix == key {
					base = c.iri[prefix]
				}
			default:
				base, rest = given[id], ""
				if base == "" {
					base = c.iri[id]
				}
			}
			if base == "" {
				break
			}
			id = base + rest
		}
		member := strings.TrimPrefix(id, jsonld.Vocabulary)
		switch {
		case id == "@type" && key != "type":
			c.alias(key, "type")
		case id == "@id" && key != "id":
			c.alias(key, "id")
		case id[:min(1, len(id))] == "@":
		case field.IsMember(member) && member != key:
			c.alias(key, member)
		default:
			c.iri[key] = id
		}
	}
}

func (c *context) alias(key, field string) {
	if c.std == nil {
		c.std = map[string]string{}
	}
	c.std[key] = field
}

func unquoted(raw []byte) string {
	b, err := jsontext.AppendUnquote(nil, raw)
	if err != nil {
		return ""
	}
	return string(b)
}

// memberID is the member @id of an expanded term definition.
func memberID(raw []byte) (string, bool) {
	dec := jsontext.NewDecoder(bytes.NewReader(raw))
	_, _ = dec.ReadToken()
	for dec.PeekKind() == '"' {
		key, err := dec.ReadValue()
		if err != nil {
			break
		}
		isID := string(key) == `"@id"`
		if dec.PeekKind() != '"' || !isID {
			_ = dec.SkipValue()
			continue
		}
		v, err := dec.ReadValue()
		return unquoted(v), err == nil
	}
	return "", false
}

// name splits the key of an extension into namespace and name. declared is false for a prefix of which nothing is known.
func (c *context) name(key string) (n qname, declared bool) {
	if n, ok := c.names[key]; ok {
		return n, true
	}
	prefix, rest, ok := strings.Cut(key, ":")
	declared = true
	switch iri := c.iri[prefix]; {
	case ok && rest != "" && iri != "" && !strings.HasPrefix(rest, "//"):
		n = qname{iri, rest}
	case ok:
		n.space, n.name = jsonld.SplitURI(key)
		declared = strings.HasPrefix(rest, "//") || strings.EqualFold(prefix, "urn") || n.space == ""
	case c.iri[key] != "" && jsonld.Prefixes[key] == "":
		n.space, n.name = jsonld.SplitURI(c.iri[key])
	case c.vocab != "":
		n = qname{c.vocab, key}
	default:
		n = qname{"", key}
	}
	if c.names != nil && len(c.names) < jsonld.MaxTerms {
		c.names[key] = n
	}
	return n, declared
}

// declared are the prefixes, and other names of URIs, that are not the official context's.
func (c *context) declared() map[string]string {
	m := map[string]string{}
	for k, v := range c.iri {
		if jsonld.Prefixes[k] != v {
			m[k] = v
		}
	}
	return m
}

// contextsOf collects what is declared above the event list of a document, from the outside in, wherever it stands.
// Every error is left to the reading proper.
func contextsOf(r io.Reader, opt *epcis.Options) (found [4][]byte) {
	s := newScanner(r, opt)
	s.in.keep = false
	var object func() error
	object = func() error {
		if err := s.open(); err != nil {
			return err
		}
		for s.peek() == '"' {
			b, err := s.str()
			if err != nil {
				return err
			}
			key := string(b)
			kind := s.peek()
			switch {
			case key == "@context":
				v, err := s.whole()
				if err != nil {
					return err
				}
				found[s.depth-1] = bytes.Clone(v)
			case kind == '{' && s.depth < len(found) && (key == "epcisBody" || key == "queryResults" || key == "resultsBody"):
				err = object()
			default:
				err = s.skip()
			}
			if err != nil {
				return err
			}
		}
		return s.close()
	}
	if s.peek() == '{' {
		_ = object()
	}
	return found
}
