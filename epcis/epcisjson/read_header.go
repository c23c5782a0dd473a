package epcisjson

import (
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/xsd"
)

func (p *parser) sbdh() *epcis.SBDH {
	if p.header.SBDH == nil {
		p.header.SBDH = &epcis.SBDH{}
	}
	return p.header.SBDH
}

func (p *parser) partner(list *[]epcis.SBDHPartner) error {
	s, err := p.text(ruleText)
	if s != "" {
		*list = append(*list, epcis.SBDHPartner{Identifier: strings.Trim(s, xsd.Blank)})
	}
	return err
}

// readHeader reads epcisHeader.
func (p *parser) readHeader() error {
	if p.peek() != '{' {
		return p.misfit("an object")
	}
	outer := p.ctx
	err := p.object(func(key *word) error {
		switch key.text {
		case "epcisMasterData":
			return p.masterData()
		case "@context":
			p.refuse(epcis.CodeFieldUnknown, "@context does not belong into epcisHeader", "write it at the beginning of the document")
			return p.localContext(false, len(p.header.Extensions))
		}
		return p.elsewhere(key, "epcisHeader", !key.takes(ruleURI))
	})
	p.restore(outer)
	return err
}

// headerExtension reads a member of the header or the root that is not the standard's. The DSCSA transaction statement
// is told once, as in XML.
func (p *parser) headerExtension(x epcis.Extension) error {
	at := p.at
	var list []epcis.Extension
	if err := p.extension(&list, x, false); err != nil {
		return err
	}
	if x.Namespace != epcis.NamespaceHC || x.Name != "dscsaTransactionStatement" || len(list) != 1 {
		p.header.Extensions = append(p.header.Extensions, list...)
		return nil
	}
	x = list[0]
	var rest []epcis.Extension
	for _, c := range x.Children {
		if c.Namespace == epcis.NamespaceHC && (c.Type == epcis.Text || c.Type == epcis.Boolean) && len(c.Attributes) == 0 {
			switch text := strings.Trim(c.Text, xsd.Blank); {
			case c.Name == "affirmTransactionStatement" && p.header.TransactionStatement == "" && text != "":
				p.header.TransactionStatement = text
				continue
			case c.Name == "legalNotice" && p.header.LegalNotice == "" && text != "":
				p.header.LegalNotice = text
				continue
			}
		}
		rest = append(rest, c)
	}
	p.at = at
	switch p.header.TransactionStatement {
	case "true", "1", "false", "0":
	case "":
		p.warn(epcis.CodeFieldMissing, "the transaction statement is not affirmed", "add affirmTransactionStatement with the value true")
	default:
		p.warn(epcis.CodeFieldInvalid, excerpt.Quote(p.header.TransactionStatement)+" is neither true nor false", "write true or false")
	}
	if x.Children = rest; len(rest) > 0 || len(x.Attributes) > 0 || x.Text != "" {
		p.header.Extensions = append(p.header.Extensions, x)
	}
	return nil
}

func (p *parser) masterData() error {
	if p.peek() != '{' {
		return p.misfit("an object")
	}
	return p.object(func(key *word) error {
		if key.text == "vocabularyList" {
			return p.vocabularies()
		}
		return p.elsewhere(key, "epcisMasterData", false)
	})
}

func (p *parser) vocabularies() error {
	return p.array(func() error {
		if p.peek() != '{' {
			return p.misfit("an object")
		}
		if err := p.node(1); err != nil {
			return err
		}
		var v epcis.Vocabulary
		named, outer, at := false, p.ctx, p.at
		err := p.object(func(key *word) (err error) {
			switch key.text {
			case "type":
				named = true
				v.Type, err = p.text(ruleURI)
			case "vocabularyElementList":
				err = p.array(func() error { return p.vocabularyElement(&v.Elements) })
			case "@context":
				err = p.localContext(false, len(v.Extensions))
			default:
				err = p.extension(&v.Extensions, p.nestedName(key), false)
			}
			return err
		})
		p.restore(outer)
		p.header.Vocabularies = append(p.header.Vocabularies, v)
		p.needs(named || err != nil, at, "the vocabulary has no type")
		return err
	})
}

// needs reports a member that the schema requires.
func (p *parser) needs(ok bool, at pos, message string) {
	if !ok {
		p.at = at
		p.refuse(epcis.CodeFieldMissing, message, "add it")
	}
}

func (p *parser) vocabularyElement(list *[]epcis.VocabularyElement) error {
	if p.peek() != '{' {
		return p.misfit("an object")
	}
	if err := p.node(1); err != nil {
		return err
	}
	var e epcis.VocabularyElement
	named, outer, at := false, p.ctx, p.at
	err := p.object(func(key *word) (err error) {
		switch key.text {
		case "id":
			named = true
			e.ID, err = p.text(ruleURI)
		case "attributes":
			err = p.array(func() error { return p.vocabularyAttribute(&e.Attributes) })
		case "children":
			_, err = p.texts(ruleURI, &e.Children)
		case "@context":
			err = p.localContext(false, len(e.Extensions))
		default:
			err = p.extension(&e.Extensions, p.nestedName(key), false)
		}
		return err
	})
	p.restore(outer)
	*list = append(*list, e)
	p.needs(named || err != nil, at, "the record has no id")
	return err
}

func (p *parser) vocabularyAttribute(list *[]epcis.VocabularyAttribute) error {
	if p.peek() != '{' {
		return p.misfit("an object")
	}
	if err := p.node(1); err != nil {
		return err
	}
	var a epcis.VocabularyAttribute
	named, outer, at := false, p.ctx, p.at
	err := p.object(func(key *word) (err error) {
		switch key.text {
		case "id":
			named = true
			a.ID, err = p.text(ruleURI)
		case "attribute":
			switch p.peek() {
			case '"', '0', '{':
			default:
				p.refuse(epcis.CodeContent, "the value of the attribute is neither a string nor a number nor an object", "write a string")
			}
			var x []epcis.Extension
			if err = p.extension(&x, epcis.Extension{}, false); len(x) == 1 {
				a.Text, a.Children = x[0].Text, x[0].Children
			} else {
				a.Children = x
			}
		default:
			p.drop(epcis.CodeElement, "an attribute has no member "+excerpt.Quote(key.text), "remove it; it was not kept")
			err = p.skip()
		}
		return err
	})
	p.restore(outer)
	*list = append(*list, a)
	p.needs(named || err != nil, at, "the attribute has no id")
	return err
}
