package epcisjson

import (
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/extension"
)

// extensionKey reports a member name that the schema refuses: neither a standard one nor a URI.
func (p *parser) extensionKey(key *word, where string, known []string) {
	if key.takes(ruleURI) {
		return
	}
	hint := "write fields of your own as prefix:name; it was kept as an extension"
	if near := epcis.Nearest(key.text, known); near != "" {
		hint = "was " + near + " meant? It was kept as an extension"
	}
	p.refuse(epcis.CodeFieldUnknown, where+" has no field "+excerpt.Quote(key.text), hint)
}

// extensionName is the beginning of an extension: its namespace and name.
func (p *parser) extensionName(w *word) epcis.Extension {
	p.needContext()
	if w.context == p.ctx {
		return epcis.Extension{Namespace: w.name.space, Name: w.name.name}
	}
	key := w.text
	n, declared := p.ctx.name(key)
	if !p.ctxLate {
		w.context, w.name = p.ctx, n
	}
	switch {
	case declared && n.space != "":
	case p.ctxLate:
		p.problem(epcis.SeverityError, epcis.CodeContext, "the meaning of "+excerpt.Quote(key)+" depends on @context, which has not come yet",
			"write @context at the beginning of the document; so large a document is not read twice", false)
	case !declared:
		prefix, _, _ := strings.Cut(key, ":")
		if p.undeclared[prefix] || len(p.undeclared) >= maxWords {
			break // told once for the document
		}
		if p.undeclared == nil {
			p.undeclared = map[string]bool{}
		}
		p.undeclared[prefix] = true
		p.warn(epcis.CodeNamespace, "the prefix "+excerpt.Quote(prefix)+" is not declared in @context", "declare it; "+excerpt.Quote(n.space)+" was taken as the namespace")
	}
	return epcis.Extension{Namespace: n.space, Name: n.name}
}

// extension reads the value of an extension, whose name is x, and appends it to list. judged tells that a list of one
// is the plain value.
func (p *parser) extension(list *[]epcis.Extension, x epcis.Extension, judged bool) error {
	if p.peek() != '[' {
		err := p.value(&x)
		*list = append(*list, x)
		return err
	}
	start := len(*list)
	plain, err := p.siblings(list, x)
	n := len(*list) - start
	if err == nil && plain && (n > 1 || n == 1 && judged) {
		return nil
	}
	children := append([]epcis.Extension(nil), (*list)[start:]...) // nil when there are none
	clear((*list)[start:])
	for i := range children {
		children[i].Namespace, children[i].Name = "", extension.ListName
	}
	*list = append((*list)[:start], asList(x, children))
	return err
}

func asList(x epcis.Extension, children []epcis.Extension) epcis.Extension {
	return epcis.Extension{Namespace: x.Namespace, Name: x.Name, Attributes: []epcis.Extension{{Name: extension.ListName, Type: epcis.Empty}}, Children: children}
}

// siblings reads an array and appends its elements, each with the name of x. plain tells that no element is an array
// or null.
func (p *parser) siblings(list *[]epcis.Extension, x epcis.Extension) (plain bool, err error) {
	plain = true
	if err := p.node(1); err != nil {
		return plain, err
	}
	if err := p.open(); err != nil {
		return plain, err
	}
	for {
		e := x
		switch p.peek() {
		case ']':
			return plain, p.close()
		case '[':
			plain = false
			var inner []epcis.Extension
			_, err = p.siblings(&inner, epcis.Extension{Name: extension.ListName})
			e = asList(x, inner)
		case 'n':
			plain = false
			err = p.value(&e)
		default:
			err = p.value(&e)
		}
		*list = append(*list, e)
		if err != nil {
			return plain, err
		}
	}
}

// value reads a scalar or an object into x.
func (p *parser) value(x *epcis.Extension) error {
	if err := p.node(1); err != nil {
		return err
	}
	kind := p.peek()
	if kind == '{' {
		return p.structure(x)
	}
	b, err := p.raw()
	if err != nil {
		return err
	}
	switch kind {
	case '"':
		if b, err = p.unquote(b); err != nil {
			return err
		}
		if x.Type = epcis.Text; len(b) == 0 {
			x.Type = epcis.Empty
		}
		x.Text = p.intern(b)
	case '0':
		x.Type, x.Text = epcis.Number, string(b)
	case 't', 'f':
		x.Type, x.Text = epcis.Boolean, p.intern(b)
	default:
		x.Type = epcis.Null
	}
	return nil
}

// structure reads an object: members are children, and names that begin with @ attributes, as long as they are scalars.
func (p *parser) structure(x *epcis.Extension) error {
	outer, sub := p.ctx, p.sub
	err := p.object(func(key *word) error {
		name := key.text
		kind := p.peek()
		switch {
		case name == "@context":
			return p.localContext(false, len(x.Children)+len(x.Attributes))
		case name == extension.TextName:
			return p.extension(&x.Children, epcis.Extension{Name: extension.TextName}, false)
		case len(name) > 1 && name[0] == '@' && name[1:] != extension.ListName:
			if kind == '{' || kind == '[' {
				return p.extension(&x.Children, epcis.Extension{Name: name}, false)
			}
			a := epcis.Extension{Name: name[1:]}
			if strings.Contains(a.Name, ":") {
				a = p.extensionName(p.word([]byte(a.Name)))
			}
			err := p.value(&a)
			x.Attributes = append(x.Attributes, a)
			return err
		}
		return p.extension(&x.Children, p.nestedName(key), false)
	})
	p.restore(outer)
	p.sub = sub
	if len(x.Children) == 1 && len(x.Attributes) > 0 {
		if c := &x.Children[0]; c.Name == extension.TextName && c.Namespace == "" && c.Type != epcis.NoValue && len(c.Attributes) == 0 {
			x.Type, x.Text, x.Children = c.Type, c.Text, nil
		}
	}
	return err
}

// nestedName is extensionName inside an extension, where names without a prefix are usual.
func (p *parser) nestedName(w *word) epcis.Extension {
	if strings.IndexByte(w.text, ':') >= 0 {
		return p.extensionName(w)
	}
	p.needContext()
	n, _ := p.ctx.name(w.text)
	return epcis.Extension{Namespace: n.space, Name: n.name}
}
