package epcisjson

import (
	"bytes"
	"slices"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/extension"
	"verilot.dev/epcis/internal/field"
	"verilot.dev/epcis/internal/reading"
	"verilot.dev/epcis/internal/vocabulary"
	"verilot.dev/epcis/internal/xsd"
)

// Standard fields that are lists or objects.

// epcs reads a list of EPCs. Their texts share one allocation: a list has up to 16,384 of them.
func (p *parser) epcs() (list []string, err error) {
	p.epcText, p.epcEnds = p.epcText[:0], p.epcEnds[:0]
	if p.peek() == '[' {
		// p.array, without two calls for each of thousands
		if err = p.open(); err == nil {
			kind := p.peek()
			for err == nil && kind != ']' {
				err = p.epc(kind)
				kind = p.peek()
			}
			if err == nil {
				err = p.close()
			}
		}
	} else {
		err = p.array(func() error { return p.epc(p.peek()) })
	}
	p.item = -1
	if len(p.epcEnds) == 0 {
		return nil, err
	}
	all, from := string(p.epcText), 0
	list = make([]string, len(p.epcEnds))
	for i, end := range p.epcEnds {
		list[i] = all[from:end]
		from = end
	}
	return list, err
}

func (p *parser) epc(kind jsontext.Kind) error {
	if p.units++; p.units > p.opt.MaxEPCs {
		return reading.ErrEventTooLarge
	}
	id := p.id
	p.item = p.count[id]
	p.count[id]++
	if kind == '"' {
		b, err := p.str()
		if err != nil {
			return err
		}
		if !p.isURI(b) {
			p.refused(ruleURI, b)
			b = xsd.Trim(b)
		}
		p.epcText = append(p.epcText, b...)
	} else {
		s, err := p.text(ruleURI)
		if err != nil {
			return err
		}
		p.epcText = append(p.epcText, s...)
	}
	p.items[id] = append(p.items[id], p.at)
	p.epcEnds = append(p.epcEnds, len(p.epcText))
	return nil
}

// isURI is isURI with the beginning of the last one in mind: in a list, it is the same for thousands.
func (p *parser) isURI(b []byte) bool {
	if n := len(p.uriStart); n > 0 && len(b) > n && string(b[:n]) == p.uriStart {
		return uriRun(b, n, uriPath) == len(b)
	}
	if !isURI(b) {
		return false
	}
	// Up to a point in a URN, or a slash in the path of an address, whatever of a path follows makes a URI again.
	p.uriStart = ""
	i := bytes.LastIndexAny(b, "./")
	start := hasAnyPrefix(b, "urn:epc:")
	if rest, ok := bytes.CutPrefix(b, []byte("https://")); ok {
		path := bytes.IndexByte(rest, '/')
		start = path >= 0 && i >= len(b)-len(rest)+path
	}
	if start && i > 0 && !bytes.ContainsAny(b[:i], "?#") {
		p.uriStart = string(b[:i+1])
	}
	return true
}

// elements reads a list of objects. fn reads one member of an element; done is called behind each element.
func (p *parser) elements(fn func(key *word) error, done func()) error {
	id := p.id
	err := p.array(func() error {
		p.item, p.sub = p.count[id], ""
		p.count[id]++
		if p.single {
			p.item = 0
		}
		if p.peek() != '{' {
			err := p.misfit("an object")
			p.items[id] = append(p.items[id], p.at)
			done()
			return err
		}
		err := p.object(fn)
		p.sub = ""
		done()
		return err
	})
	p.item, p.sub = -1, ""
	if p.count[id] == 0 && err == nil && id != field.None {
		p.warn(epcis.CodeFieldEmpty, "the list is empty", "leave it out; it was read as absent")
	}
	return err
}

var quantityNames = []string{"epcClass", "quantity", "uom"}

func (p *parser) quantities() (list []epcis.Quantity, err error) {
	var q epcis.Quantity
	named := false
	err = p.elements(func(key *word) (err error) {
		switch p.sub = key.text; p.nearMember(p.sub, quantityNames) {
		case "epcClass":
			if p.units++; p.units > p.opt.MaxEPCs {
				return reading.ErrEventTooLarge
			}
			named = true
			q.EPCClass, err = p.text(ruleURI)
		case "quantity":
			if q.Quantity, err = p.number(); err == nil {
				q.Quantity = plainDecimal(q.Quantity)
			}
		case "uom":
			q.UOM, err = p.text(ruleUOM)
		default:
			err = p.stranger(key.text, "epcClass", "quantity", "uom")
		}
		return err
	}, func() {
		if !named {
			p.sub = "epcClass"
			p.refuse(epcis.CodeFieldMissing, "epcClass is missing", "say of what class the quantity is")
			p.sub = ""
		}
		list = append(list, q)
		q, named = epcis.Quantity{}, false
	})
	return list, err
}

// stranger refuses a member in an object of the standard, where the model could not keep it.
func (p *parser) stranger(name string, known ...string) error {
	hint := "remove it, or put it into the event as an extension"
	if near := epcis.Nearest(name, known); near != "" {
		hint = "was " + near + " meant?"
	}
	p.fault(epcis.CodeContent, "the member "+excerpt.Quote(name)+" does not belong here", hint)
	return p.skip()
}

// typed reads a list of values with a type.
func (p *parser) typed(member string, r rule, add func(kind, value string)) error {
	var kind, value string
	hasKind, hasValue := false, false
	needsKind := r == ruleSDT
	names := []string{"type", member}
	return p.elements(func(key *word) (err error) {
		switch p.sub = key.text; p.nearMember(p.sub, names) {
		case "type":
			hasKind = true
			kind, err = p.text(r)
		case member:
			hasValue = true
			value, err = p.text(ruleURI)
		default:
			err = p.stranger(key.text, "type", member)
		}
		return err
	}, func() {
		if !hasKind && needsKind {
			p.sub = "type"
			p.refuse(epcis.CodeFieldMissing, "the type is missing", "add owning_party, possessing_party or location")
		}
		if !hasValue {
			p.sub = member
			p.refuse(epcis.CodeFieldMissing, member+" is missing", "add it")
		}
		p.sub = ""
		add(kind, value)
		kind, value, hasKind, hasValue = "", "", false, false
	})
}

// number reads a standard value that is a number, as its text.
func (p *parser) number() (string, error) {
	switch p.peek() {
	case '0':
		b, err := p.raw()
		if err != nil {
			return "", err
		}
		return p.intern(b), nil
	case '"':
		b, err := p.str()
		if err != nil {
			return "", err
		}
		s := strings.Trim(string(b), xsd.Blank)
		if s == "" {
			p.refused(ruleText, b)
			return "", nil
		}
		p.refuse(epcis.CodeContent, "the text "+excerpt.Quote(s)+" stands where a number should", "leave the quotes out")
		return s, nil
	case 'n':
		return p.text(ruleText)
	default:
		return "", p.misfit("a number")
	}
}

// plainDecimal writes a number without exponent: the model's quantity is a decimal, which has none.
func plainDecimal(s string) string {
	mantissa, exponent, ok := strings.Cut(strings.ToLower(s), "e")
	if !ok {
		return s
	}
	n, err := strconv.Atoi(exponent)
	if err != nil || n < -30 || n > 30 {
		return s
	}
	sign := ""
	if strings.HasPrefix(mantissa, "-") {
		sign, mantissa = "-", mantissa[1:]
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if n >= 0 {
		fraction += strings.Repeat("0", max(n-len(fraction), 0))
		whole, fraction = whole+fraction[:n], fraction[n:]
	} else {
		whole = strings.Repeat("0", max(-n-len(whole), 0)) + whole
		whole, fraction = whole[:len(whole)+n], whole[len(whole)+n:]+fraction
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if fraction = strings.TrimRight(fraction, "0"); fraction != "" {
		fraction = "." + fraction
	}
	return sign + whole + fraction
}

// boolean reads a standard value that is true or false, as its text.
func (p *parser) boolean() (string, error) {
	switch p.peek() {
	case 't', 'f':
		b, err := p.raw()
		return string(b), err
	case '"':
		b, err := p.str()
		if err != nil {
			return "", err
		}
		s := strings.Trim(string(b), xsd.Blank)
		p.refuse(epcis.CodeContent, "the text "+excerpt.Quote(s)+" stands where true or false should", "leave the quotes out")
		return s, nil
	case 'n':
		return p.text(ruleText)
	default:
		return "", p.misfit("true or false")
	}
}

// place reads a read point or business location.
func (p *parser) place() (*epcis.Place, error) {
	if p.peek() != '{' {
		if p.peek() == '[' || p.peek() == 'n' {
			_, err := p.text(ruleURI)
			return nil, err
		}
		s, err := p.text(ruleURI)
		p.refuse(epcis.CodeContent, "a place is written as an object", `write {"id": `+excerpt.Quote(s)+"}")
		if s == "" || err != nil {
			return nil, err
		}
		return &epcis.Place{ID: s}, nil
	}
	l := &epcis.Place{}
	seen, outer := "", p.ctx
	err := p.object(func(key *word) (err error) {
		switch p.sub = key.text; p.sub {
		case "ID", "Id", "iD":
			p.warn(epcis.CodeFieldUnknown, excerpt.Quote(p.sub)+" is no member of a place", "was id meant? It was read as id")
			fallthrough
		case "id", "@id":
			if seen != "" {
				p.fault(epcis.CodeFieldRepeated, "id stands there twice", "keep one")
				return p.skip()
			}
			seen = p.sub
			l.ID, err = p.text(ruleURI)
			return err
		case "@context":
			return p.localContext(false, len(l.Extensions))
		}
		return p.extension(&l.Extensions, p.extensionName(key), false)
	})
	p.restore(outer)
	p.sub = ""
	if err != nil {
		return l, err
	}
	if seen != "id" {
		p.missing(epcis.SeverityWarning, epcis.CodeFieldMissing, p.id, field.Names[p.id]+" has no id", "add it", !p.aliased)
	}
	if l.ID == "" && len(l.Extensions) == 0 {
		return nil, nil
	}
	return l, nil
}

func (p *parser) certificationInfo(e *epcis.Event) error {
	add := func() error {
		s, err := p.text(ruleURI)
		if s != "" {
			e.CertificationInfo = append(e.CertificationInfo, s)
		}
		return err
	}
	if p.peek() != '[' {
		return add()
	}
	return p.array(add)
}

// texts reads a list of strings.
func (p *parser) texts(r rule, list *[]string) (n int, err error) {
	err = p.array(func() error {
		n++
		if err := p.node(1); err != nil {
			return err
		}
		s, err := p.text(r)
		if s != "" {
			*list = append(*list, s)
		}
		return err
	})
	return n, err
}

var declarationNames = []string{"declarationTime", "reason", "correctiveEventIDs"}

func (p *parser) errorDeclaration() (*epcis.ErrorDeclaration, error) {
	if p.peek() != '{' {
		return nil, p.misfit("an object")
	}
	d := &epcis.ErrorDeclaration{}
	dated, outer := false, p.ctx
	err := p.object(func(key *word) (err error) {
		switch p.sub = key.text; p.nearMember(p.sub, declarationNames) {
		case "declarationTime":
			dated = true
			if d.DeclarationTime, err = p.text(ruleTime); err == nil && d.DeclarationTime != "" && p.told(epcis.CodeTimeInvalid) == 0 {
				if _, bad := xsd.ParseTime(d.DeclarationTime); bad != nil {
					p.warn(epcis.CodeTimeInvalid, bad.Error(), xsd.TimeHint)
				}
			}
		case "reason":
			d.Reason, err = p.text(ruleReason)
		case "correctiveEventIDs":
			_, err = p.texts(ruleURI, &d.CorrectiveEventIDs)
		case "@context":
			p.refuse(epcis.CodeFieldUnknown, "@context does not belong into errorDeclaration", "write it at the beginning of the document")
			err = p.localContext(false, len(d.Extensions))
		default:
			p.extensionKey(key, "errorDeclaration", declarationNames)
			err = p.extension(&d.Extensions, p.extensionName(key), false)
		}
		return err
	})
	p.restore(outer)
	p.sub = ""
	if err == nil && !dated {
		p.missing(epcis.SeverityWarning, epcis.CodeFieldMissing, p.id, "declarationTime is missing", "say when the event was declared an error", !p.aliased)
	}
	return d, err
}

// told is how many problems of the current member have a code.
func (p *parser) told(code string) (n int) {
	for i := range p.findings {
		if f := &p.findings[i]; f.Code == code && f.id == p.id && f.sub == p.sub {
			n++
		}
	}
	return n
}

func (p *parser) persistentDisposition() (*epcis.PersistentDisposition, error) {
	if p.peek() != '{' {
		return nil, p.misfit("an object")
	}
	d := &epcis.PersistentDisposition{}
	members := 0
	err := p.object(func(key *word) error {
		var list *[]string
		switch p.sub = key.text; p.nearMember(p.sub, []string{"set", "unset"}) {
		case "set":
			list = &d.Set
		case "unset":
			list = &d.Unset
		default:
			return p.stranger(key.text, "set", "unset")
		}
		members++
		n, err := p.texts(ruleDisposition, list)
		if err != nil {
			return err
		}
		if n == 0 {
			p.refuse(epcis.CodeFieldEmpty, p.sub+" is empty", "leave it out")
		}
		for i, s := range *list {
			if slices.Index(*list, s) < i {
				p.refuse(epcis.CodeFieldRepeated, excerpt.Quote(s)+" stands there twice", "name it once")
				break
			}
		}
		return nil
	})
	p.sub = ""
	if err == nil && members == 0 {
		p.missing(epcis.SeverityWarning, epcis.CodeFieldMissing, p.id, "persistentDisposition has neither set nor unset", "add one, or leave it out", !p.aliased)
	}
	return d, err
}

func (p *parser) ilmd(e *epcis.Event) error {
	switch p.peek() {
	case '{':
	case 'n':
		_, err := p.text(ruleText)
		return err
	default:
		return p.misfit("an object")
	}
	outer := p.ctx
	e.ILMD = make([]epcis.Extension, 0, 2) // lot and expiry
	err := p.object(func(key *word) error {
		p.sub = key.text
		if p.sub == "@context" {
			p.refuse(epcis.CodeFieldUnknown, "@context does not belong into ilmd", "write it at the beginning of the document")
			return p.localContext(false, len(e.ILMD))
		}
		p.extensionKey(key, "ilmd", []string{"cbvmda:" + vocabulary.LotNumber, "cbvmda:" + vocabulary.ExpirationDate})
		x := p.extensionName(key)
		return p.extension(&e.ILMD, x, epcis.IsJudgedILMD(x.Namespace, x.Name))
	})
	if len(e.ILMD) == 0 {
		e.ILMD = nil
	}
	p.restore(outer)
	p.sub = ""
	extension.RepairILMD(e.ILMD, func(name, meant string, twice bool) {
		if twice {
			p.problem(epcis.SeverityError, epcis.CodeFieldRepeated, excerpt.Quote(name)+" stands beside "+meant+" and says something else", "was "+meant+" meant? Keep one", false)
			return
		}
		p.warn(epcis.CodeFieldUnknown, "CBV has no element "+excerpt.Quote(name), "was "+meant+" meant? It was read as "+meant)
	})
	return err
}
