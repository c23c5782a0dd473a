// Package heading moves what a document says of itself between the places that the formats have for
// it: the Standard Business Document Header and the transaction statement of DSCSA.
package heading

import (
	"slices"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/extension"
	"verilot.dev/epcis/internal/xmlns"
	"verilot.dev/epcis/internal/xsd"
)

// The Standard Business Document Header. JSON has three flat fields for it: sender, receiver and instanceIdentifier. What
// they do not hold, an authority for one, goes into the header as an extension, sbdh:StandardBusinessDocumentHeader, with the
// names of the XML: so it comes back from JSON as it was.

// SBDHName is the name of its element.
const SBDHName = "StandardBusinessDocumentHeader"

// Constants of an SBDH around EPCIS, which a document in JSON does not repeat.
const (
	sbdhVersion     = "1.0"
	sbdhStandard    = "EPCglobal"
	sbdhTypeVersion = "1.0"
	sbdhType        = "Events"
)

// FilledSBDH is the header's SBDH with its constants. Parties and identifiers are never made up.
func FilledSBDH(h *epcis.Header, creationDate string) *epcis.SBDH {
	if h.SBDH == nil {
		return nil
	}
	b := *h.SBDH
	def := func(s *string, value string) {
		if *s == "" {
			*s = value
		}
	}
	def(&b.HeaderVersion, sbdhVersion)
	def(&b.Standard, sbdhStandard)
	def(&b.TypeVersion, sbdhTypeVersion)
	def(&b.Type, sbdhType)
	def(&b.CreationDateAndTime, creationDate)
	return &b
}

// FlatSBDH reports whether the three fields of JSON say all that b does.
func FlatSBDH(b *epcis.SBDH, creationDate string) bool {
	plain := func(list []epcis.SBDHPartner) bool {
		return len(list) <= 1 && !slices.ContainsFunc(list, func(p epcis.SBDHPartner) bool {
			return p.Authority != "" || len(p.Extensions) > 0 || p.Identifier == ""
		})
	}
	is := func(s, value string) bool { return s == "" || s == value }
	return plain(b.Senders) && plain(b.Receivers) && len(b.Extensions) == 0 && is(b.HeaderVersion, sbdhVersion) && is(b.Standard, sbdhStandard) &&
		is(b.TypeVersion, sbdhTypeVersion) && is(b.Type, sbdhType) && (is(b.CreationDateAndTime, creationDate) || xsd.Moment(b.CreationDateAndTime, "") == xsd.Moment(creationDate, ""))
}

// SBDHExtension writes b as the element that it is in XML.
func SBDHExtension(b *epcis.SBDH) epcis.Extension {
	root := epcis.Extension{Namespace: xmlns.SBDH, Name: SBDHName}
	leaf := func(to *epcis.Extension, name, text string) {
		if text != "" {
			to.Children = append(to.Children, epcis.Extension{Namespace: xmlns.SBDH, Name: name, Type: epcis.Text, Text: text})
		}
	}
	partners := func(name string, list []epcis.SBDHPartner) {
		for _, p := range list {
			x := epcis.Extension{Namespace: xmlns.SBDH, Name: name}
			id := epcis.Extension{Namespace: xmlns.SBDH, Name: "Identifier", Type: epcis.Text, Text: p.Identifier}
			if p.Identifier == "" {
				id.Type = epcis.Empty
			}
			if p.Authority != "" {
				id.Attributes = []epcis.Extension{{Name: "Authority", Type: epcis.Text, Text: p.Authority}}
			}
			x.Children = append([]epcis.Extension{id}, p.Extensions...)
			root.Children = append(root.Children, x)
		}
	}
	leaf(&root, "HeaderVersion", b.HeaderVersion)
	partners("Sender", b.Senders)
	partners("Receiver", b.Receivers)
	doc := epcis.Extension{Namespace: xmlns.SBDH, Name: "DocumentIdentification"}
	leaf(&doc, "Standard", b.Standard)
	leaf(&doc, "TypeVersion", b.TypeVersion)
	leaf(&doc, "InstanceIdentifier", b.InstanceIdentifier)
	leaf(&doc, "Type", b.Type)
	var rest []epcis.Extension
	for _, x := range b.Extensions {
		if x.Name == "MultipleType" && (x.Namespace == xmlns.SBDH || x.Namespace == "") {
			doc.Children = append(doc.Children, x)
		} else {
			rest = append(rest, x)
		}
	}
	leaf(&doc, "CreationDateAndTime", b.CreationDateAndTime)
	root.Children = append(root.Children, doc)
	root.Children = append(root.Children, rest...)
	return root
}

// LiftSBDH returns h with an SBDH that stands among its extensions, as JSON has it, put where it
// belongs. h is not changed.
func LiftSBDH(h *epcis.Header) *epcis.Header {
	i := slices.IndexFunc(h.Extensions, func(x epcis.Extension) bool { return x.Namespace == xmlns.SBDH && x.Name == SBDHName })
	if i < 0 {
		return h
	}
	lifted := *h
	lifted.Extensions = slices.Delete(slices.Clone(h.Extensions), i, i+1)
	b := &epcis.SBDH{}
	for _, x := range h.Extensions[i].Children {
		if x.Namespace != xmlns.SBDH && x.Namespace != "" {
			b.Extensions = append(b.Extensions, x)
			continue
		}
		switch x.Name {
		case "HeaderVersion":
			b.HeaderVersion = x.Text
		case "Sender":
			b.Senders = append(b.Senders, liftPartner(x))
		case "Receiver":
			b.Receivers = append(b.Receivers, liftPartner(x))
		case "DocumentIdentification":
			for _, c := range x.Children {
				switch c.Name {
				case "Standard":
					b.Standard = c.Text
				case "TypeVersion":
					b.TypeVersion = c.Text
				case "InstanceIdentifier":
					b.InstanceIdentifier = c.Text
				case "Type":
					b.Type = c.Text
				case "CreationDateAndTime":
					b.CreationDateAndTime = c.Text
				default:
					b.Extensions = append(b.Extensions, c)
				}
			}
		default:
			b.Extensions = append(b.Extensions, x)
		}
	}
	lifted.SBDH = b
	return &lifted
}

func liftPartner(x epcis.Extension) (p epcis.SBDHPartner) {
	for _, c := range x.Children {
		if c.Name != "Identifier" || p.Identifier != "" {
			p.Extensions = append(p.Extensions, c)
			continue
		}
		p.Identifier = c.Text
		for _, a := range c.Attributes {
			if a.Name == "Authority" {
				p.Authority = a.Text
			}
		}
	}
	return p
}

const (
	dscsaStatement = "dscsaTransactionStatement"
	dscsaAffirm    = "affirmTransactionStatement"
	dscsaNotice    = "legalNotice"
)

// Extensions are the extensions of a header with the DSCSA statement as the element that it is in a
// document.
func Extensions(h *epcis.Header) []epcis.Extension {
	if h.TransactionStatement == "" && h.LegalNotice == "" {
		return h.Extensions
	}
	var parts []epcis.Extension
	if h.TransactionStatement != "" {
		parts = append(parts, epcis.Extension{Namespace: epcis.NamespaceHC, Name: dscsaAffirm, Type: epcis.Text, Text: h.TransactionStatement})
	}
	if h.LegalNotice != "" {
		parts = append(parts, epcis.Extension{Namespace: epcis.NamespaceHC, Name: dscsaNotice, Type: epcis.Text, Text: h.LegalNotice})
	}
	list := []epcis.Extension{{Namespace: epcis.NamespaceHC, Name: dscsaStatement, Children: parts}}
	for _, x := range h.Extensions {
		if x.Namespace == epcis.NamespaceHC && x.Name == dscsaStatement && (len(x.Children) > 0 || len(x.Attributes) > 0 || x.Text != "") {
			// What the statement says beside its two parts belongs into the same element.
			s := &list[0]
			s.Attributes = append(s.Attributes, x.Attributes...)
			if x.Text != "" && len(x.Children) == 0 {
				s.Children = append(s.Children, epcis.Extension{Name: extension.TextName, Type: epcis.Text, Text: x.Text})
			}
			s.Children = append(s.Children, x.Children...)
			continue
		}
		list = append(list, x)
	}
	return list
}
