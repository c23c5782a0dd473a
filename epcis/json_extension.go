package epcis

import "strings"

// extensionKey reports a member name that the schema refuses: neither a standard one nor a URI.
func (p *jsonParser) extensionKey(key *word, where string, known []string) {
	if key.takes(ruleURI) {
		return
	}
	hint := "write fields of your own as prefix:name; it was kept as an extension"
	if near := Nearest(key.text, known); near != "" {
		hint = "was " + near + " meant? It was kept as an extension"
	}
	p.refuse(CodeFieldUnknown, where+" has no field "+Quote(key.text), hint)
}

// extensionName is the beginning of an extension: its namespace and name.
func (p *jsonParser) extensionName(w *word) Extension {
	p.needContext()
	if w.context == p.ctx {
		return Extension{Namespace: w.name.space, Name: w.name.name}
	}
	key := w.text
	n, declared := p.ctx.name(key)
	if !p.ctxLate {
		w.context, w.name = p.ctx, n
	}
	switch {
	case declared && n.space != "":
	case p.ctxLate:
		p.problem(SeverityError, CodeContext, "the meaning of "+Quote(key)+" depends on @context, which has not come yet",
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
		p.warn(CodeNamespace, "the prefix "+Quote(prefix)+" is not declared in @context", "declare it; "+Quote(n.space)+" was taken as the namespace")
	}
	return Extension{Namespace: n.space, Name: n.name}
}

// extension reads the value of an extension, whose name is x, and appends it to list. judged tells that a list of one
// is the plain value.
func (p *jsonParser) extension(list *[]Extension, x Extension, judged bool) error {
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
	children := append([]Extension(nil), (*list)[start:]...) // nil when there are none
	clear((*list)[start:])
	for i := range children {
		children[i].Namespace, children[i].Name = "", ListName
	}
	*list = append((*list)[:start], asList(x, children))
	return err
}

func asList(x Extension, children []Extension) Extension {
	return Extension{Namespace: x.Namespace, Name: x.Name, Attributes: []Extension{{Name: ListName, Type: Empty}}, Children: children}
}

// siblings reads an array and appends its elements, each with the name of x. plain tells that no element is an array
// or null.
func (p *jsonParser) siblings(list *[]Extension, x Extension) (plain bool, err error) {
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
			var inner []Extension
			_, err = p.siblings(&inner, Extension{Name: ListName})
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
func (p *jsonParser) value(x *Extension) error {
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
		if x.Type = Text; len(b) == 0 {
			x.Type = Empty
		}
		x.Text = p.intern(b)
	case '0':
		x.Type, x.Text = Number, string(b)
	case 't', 'f':
		x.Type, x.Text = Boolean, p.intern(b)
	default:
		x.Type = Null
	}
	return nil
}

// structure reads an object: members are children, and names that begin with @ attributes, as long as they are scalars.
func (p *jsonParser) structure(x *Extension) error {
	outer, sub := p.ctx, p.sub
	err := p.object(func(key *word) error {
		name := key.text
		kind := p.peek()
		switch {
		case name == "@context":
			return p.localContext(false, len(x.Children)+len(x.Attributes))
		case name == TextName:
			return p.extension(&x.Children, Extension{Name: TextName}, false)
		case len(name) > 1 && name[0] == '@' && name[1:] != ListName:
			if kind == '{' || kind == '[' {
				return p.extension(&x.Children, Extension{Name: name}, false)
			}
			a := Extension{Name: name[1:]}
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
		if c := &x.Children[0]; c.Name == TextName && c.Namespace == "" && c.Type != NoValue && len(c.Attributes) == 0 {
			x.Type, x.Text, x.Children = c.Type, c.Text, nil
		}
	}
	return err
}

// nestedName is extensionName inside an extension, where names without a prefix are usual.
func (p *jsonParser) nestedName(w *word) Extension {
	if strings.IndexByte(w.text, ':') >= 0 {
		return p.extensionName(w)
	}
	p.needContext()
	n, _ := p.ctx.name(w.text)
	return Extension{Namespace: n.space, Name: n.name}
}
