package epcisxml

import (
	"encoding/xml"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/extension"
	"verilot.dev/epcis/internal/xmlns"
	"verilot.dev/epcis/internal/xsd"
)

// extension reads an element of any content, without loss, and appends it to list.
func (p *parser) extension(list *[]epcis.Extension) error {
	if err := p.node(1 + len(p.attrs)); err != nil {
		return err
	}
	x := epcis.Extension{Namespace: p.name.Space, Name: p.name.Local}
	for _, a := range p.attrs {
		x.Attributes = append(x.Attributes, p.attribute(a))
	}
	err := p.content(&x)
	*list = append(*list, x)
	return err
}

// attribute keeps an attribute. The prefix in an xsi:type is the only prefix with a meaning, and only the document knows
// it: XML Schema's is written xsd, another is replaced by its namespace in braces.
func (p *parser) attribute(a xml.Attr) epcis.Extension {
	x := epcis.Extension{Namespace: a.Name.Space, Name: a.Name.Local, Type: epcis.Text, Text: a.Value}
	if a.Name.Space == xmlns.XSI && a.Name.Local == "type" {
		x.Text = strings.Trim(x.Text, xsd.Blank)
		if prefix, local, ok := strings.Cut(x.Text, ":"); ok {
			switch space, declared := p.lookup(prefix); {
			case declared && space == xmlns.XSD:
				x.Text = "xsd:" + local
			case declared:
				x.Text = "{" + space + "}" + local
			}
		}
	}
	if x.Text == "" {
		x.Type = epcis.Empty
	}
	return x
}

// content reads text and children into x. A leaf keeps its text exactly, white space included. White space between
// children is dropped; other text between children becomes a child named #text, so that its place is kept.
func (p *parser) content(x *epcis.Extension) error {
	var text []byte // not p.buf: this recurses
	flush := func() {
		if !xsd.IsBlank(text) {
			x.Children = append(x.Children, epcis.Extension{Name: extension.TextName, Type: epcis.Text, Text: string(text)})
		}
		text = text[:0]
	}
	for {
		if err := p.next(); err != nil {
			return err
		}
		switch p.kind {
		case tokenText:
			text = append(text, p.text...)
		case tokenStart:
			flush()
			if err := p.extension(&x.Children); err != nil {
				return err
			}
		default:
			switch {
			case len(x.Children) > 0:
				flush()
			case len(text) > 0:
				x.Type, x.Text = epcis.Text, string(text)
			default:
				x.Type = epcis.Empty
			}
			return nil
		}
	}
}
