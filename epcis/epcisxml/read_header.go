package epcisxml

import (
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/xmlns"
	"verilot.dev/epcis/internal/xsd"
)

// readHeader reads EPCISHeader. The DSCSA transaction statement is told once: its two parts are
// Header.TransactionStatement and Header.LegalNotice, and the element is not among Header.Extensions, unless it
// holds more than them; then it is there with the rest alone. Every other foreign element is in Header.Extensions.
func (p *parser) readHeader() error {
	at := p.at
	err := p.headerFields()
	if err == nil && p.header.SBDH == nil && p.version == 1 {
		p.warn(at, epcis.CodeSBDH, "EPCISHeader", "the header has no StandardBusinessDocumentHeader", "add one: EPCIS 1.2 requires it")
	}
	return err
}

func (p *parser) headerFields() error {
	const path = "EPCISHeader"
	if err := p.onlyAttrs(&p.header.Extensions, path); err != nil {
		return err
	}
	return p.each(path, func() error {
		switch {
		case p.name.Space == xmlns.SBDH && p.name.Local == "StandardBusinessDocumentHeader" && p.header.SBDH == nil:
			p.header.SBDH = &epcis.SBDH{}
			return p.sbdh(p.header.SBDH)
		case p.name.Space == epcis.NamespaceHC && p.name.Local == "dscsaTransactionStatement":
			return p.statement()
		}
		switch p.std() {
		case "":
			return p.extension(&p.header.Extensions)
		case "extension":
			return p.headerFields()
		case "EPCISMasterData":
			return p.masterData(path + "/extension/EPCISMasterData")
		}
		return p.stray(path)
	})
}

func (p *parser) masterData(path string) error {
	if err := p.onlyAttrs(&p.header.Extensions, path); err != nil {
		return err
	}
	return p.each(path, func() error {
		switch {
		case p.is("VocabularyList", path):
			return p.vocabularies(path + "/VocabularyList")
		case p.std() == "extension":
			return p.extensions(path + "/extension")
		}
		return p.unknown(&p.header.Extensions, path)
	})
}

// statement reads dscsaTransactionStatement.
func (p *parser) statement() error {
	const path = "EPCISHeader/dscsaTransactionStatement"
	at := p.at
	var list []epcis.Extension
	if err := p.extension(&list); err != nil {
		return err
	}
	x := list[0]
	var rest []epcis.Extension
	for _, c := range x.Children {
		if c.Namespace == epcis.NamespaceHC && c.Type == epcis.Text && len(c.Attributes) == 0 {
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
	switch p.header.TransactionStatement {
	case "true", "1", "false", "0":
	case "":
		p.warn(at, epcis.CodeFieldMissing, path+"/affirmTransactionStatement", "the transaction statement is not affirmed", "add affirmTransactionStatement with the value true")
	default:
		p.warn(at, epcis.CodeFieldInvalid, path+"/affirmTransactionStatement", excerpt.Quote(p.header.TransactionStatement)+" is neither true nor false", "write true or false")
	}
	if x.Children = rest; len(rest) > 0 || len(x.Attributes) > 0 || x.Text != "" {
		p.header.Extensions = append(p.header.Extensions, x)
	}
	return nil
}

func (p *parser) sbdh(h *epcis.SBDH) error {
	const path = "EPCISHeader/StandardBusinessDocumentHeader"
	at := p.at
	err := p.each(path, func() error {
		switch p.sbdhName() {
		case "HeaderVersion":
			return p.once(&h.HeaderVersion, path)
		case "Sender":
			return p.partner(&h.Senders, path+"/Sender")
		case "Receiver":
			return p.partner(&h.Receivers, path+"/Receiver")
		case "DocumentIdentification":
			return p.each(path+"/DocumentIdentification", func() error {
				path := path + "/DocumentIdentification"
				switch p.sbdhName() {
				case "Standard":
					return p.once(&h.Standard, path)
				case "TypeVersion":
					return p.once(&h.TypeVersion, path)
				case "InstanceIdentifier":
					return p.once(&h.InstanceIdentifier, path)
				case "Type":
					return p.once(&h.Type, path)
				case "CreationDateAndTime":
					at := p.at
					if err := p.once(&h.CreationDateAndTime, path); err != nil || h.CreationDateAndTime == "" {
						return err
					}
					if t, bad := xsd.ParseTime(h.CreationDateAndTime); bad != nil {
						p.warn(at, epcis.CodeTimeInvalid, path+"/CreationDateAndTime", bad.Error(), xsd.TimeHint)
					} else if !t.Zoned {
						p.warn(at, epcis.CodeZoneless, path+"/CreationDateAndTime", "the time has no zone", "add one, for example Z")
					}
					return nil
				}
				return p.extension(&h.Extensions)
			})
		}
		return p.extension(&h.Extensions)
	})
	if err != nil {
		return err
	}
	var missing []string
	for _, f := range []struct {
		name string
		ok   bool
	}{
		{"HeaderVersion", h.HeaderVersion != ""},
		{"Sender", len(h.Senders) > 0},
		{"Receiver", len(h.Receivers) > 0},
		{"Standard", h.Standard != ""},
		{"TypeVersion", h.TypeVersion != ""},
		{"InstanceIdentifier", h.InstanceIdentifier != ""},
		{"Type", h.Type != ""},
		{"CreationDateAndTime", h.CreationDateAndTime != ""},
	} {
		if !f.ok {
			missing = append(missing, f.name)
		}
	}
	if missing != nil {
		p.warn(at, epcis.CodeSBDH, path, "the header lacks "+strings.Join(missing, ", "), "add what is missing")
	}
	return nil
}

func (p *parser) sbdhName() string {
	if p.name.Space == xmlns.SBDH || p.name.Space == "" {
		return p.name.Local
	}
	return ""
}

// once reads a header value; a second one is reported and dropped.
func (p *parser) once(s *string, path string) error {
	at, name := p.at, p.name.Local
	v, err := p.value(path + "/" + name)
	if *s != "" {
		p.drop(at, epcis.CodeFieldRepeated, path+"/"+name, name+" stands there twice", "keep one; the first was read")
		return err
	}
	*s = v
	return err
}

func (p *parser) partner(list *[]epcis.SBDHPartner, path string) error {
	var b epcis.SBDHPartner
	err := p.each(path, func() error {
		if p.sbdhName() != "Identifier" || b.Identifier != "" {
			return p.extension(&b.Extensions)
		}
		b.Authority = p.attr("Authority")
		var err error
		b.Identifier, err = p.value(path + "/Identifier")
		return err
	})
	*list = append(*list, b)
	return err
}

func (p *parser) vocabularies(path string) error {
	if err := p.onlyAttrs(&p.header.Extensions, path); err != nil {
		return err
	}
	return p.each(path, func() error {
		if !p.is("Vocabulary", path) {
			return p.unknown(&p.header.Extensions, path)
		}
		path := path + "/Vocabulary"
		v := epcis.Vocabulary{Type: p.attr("type")}
		if err := p.onlyAttrs(&v.Extensions, path, "type"); err != nil {
			return err
		}
		err := p.foreign(&v.Extensions, path, []string{"VocabularyElementList"}, func(name string) (bool, error) {
			if name != "VocabularyElementList" {
				return false, nil
			}
			return true, p.each(path+"/"+name, func() error {
				if !p.is("VocabularyElement", path+"/"+name) {
					return p.unknown(&v.Extensions, path+"/"+name)
				}
				return p.vocabularyElement(&v.Elements, path+"/"+name+"/VocabularyElement")
			})
		})
		p.header.Vocabularies = append(p.header.Vocabularies, v)
		return err
	})
}

func (p *parser) vocabularyElement(list *[]epcis.VocabularyElement, path string) error {
	e := epcis.VocabularyElement{ID: p.attr("id")}
	if e.ID == "" {
		p.warn(p.at, epcis.CodeFieldMissing, path, "the record has no id", "add the attribute id")
	}
	if err := p.onlyAttrs(&e.Extensions, path, "id"); err != nil {
		return err
	}
	err := p.foreign(&e.Extensions, path, []string{"attribute", "children"}, func(name string) (bool, error) {
		switch name {
		case "attribute":
			a := epcis.VocabularyAttribute{ID: p.intern([]byte(p.attr("id")))}
			if err := p.onlyAttrs(nil, path+"/attribute", "id"); err != nil {
				return true, err
			}
			var x epcis.Extension
			err := p.content(&x)
			a.Text, a.Children = x.Text, x.Children
			e.Attributes = append(e.Attributes, a)
			return true, err
		case "children":
			return true, p.each(path+"/children", func() error {
				if !p.is("id", path+"/children") {
					return p.unknown(&e.Extensions, path+"/children")
				}
				if err := p.onlyAttrs(nil, path+"/children/id"); err != nil {
					return err
				}
				id, err := p.value(path + "/children/id")
				e.Children = append(e.Children, id)
				return err
			})
		}
		return false, nil
	})
	*list = append(*list, e)
	return err
}
