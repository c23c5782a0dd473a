// Package extension says what extensions mean. JSON and XML say some things in different ways:
//
//	JSON                      XML
//	10, 1.5, 1e5, true        xsi:type xsd:integer, xsd:decimal, xsd:double, xsd:boolean
//	null                      xsi:nil="true"
//	["a", null]               the element twice
//	["a"], [], [["a"]]        nothing like it
//	{}                        nothing like it: an empty element is ""
//
// One form is written as the other, and package diff takes both for one.
package extension

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/xmlns"
	"verilot.dev/epcis/internal/xsd"
)

// IsMarker reports whether an attribute marks an array: see the comment of package epcisjson.
func IsMarker(a *epcis.Extension) bool {
	return a.Name == ListName && a.Namespace == "" && a.Type == epcis.Empty
}

// IsAttribute reports whether an extension of an element of the standard is an attribute of it.
func IsAttribute(x *epcis.Extension) bool { return len(x.Name) > 1 && x.Name[0] == '@' }

// IsArray reports whether x is an array that is one Extension; its elements are x.Children.
func IsArray(x *epcis.Extension) bool { return len(x.Attributes) > 0 && IsMarker(&x.Attributes[0]) }

// TypeOf is the type of the value of x: what xsi:type and xsi:nil say, when that says all, else
// what x says.
func TypeOf(x *epcis.Extension) epcis.ValueType {
	for i := range x.Attributes {
		a := &x.Attributes[i]
		if a.Namespace != xmlns.XSI {
			continue
		}
		switch {
		case a.Name == "type" && x.Type == epcis.Text:
			if t, name := Literal(x.Text); t != epcis.Text && name == a.Text {
				return t
			}
		case a.Name == "nil" && x.Type == epcis.Empty && a.Text == "true":
			return epcis.Null
		}
	}
	if x.Type == epcis.Text && x.Text == "" && len(x.Children) == 0 {
		return epcis.Empty
	}
	return x.Type
}

// Literal tells what a text is in JSON, and the XML Schema type that says so.
func Literal(s string) (t epcis.ValueType, xsdType string) {
	switch {
	case s == "true" || s == "false":
		return epcis.Boolean, "xsd:boolean"
	case !IsNumber(s):
		return epcis.Text, ""
	case strings.ContainsAny(s, "eE"):
		return epcis.Number, "xsd:double"
	case strings.Contains(s, "."):
		return epcis.Number, "xsd:decimal"
	}
	return epcis.Number, "xsd:integer"
}

// IsNumber reports whether s is a number as JSON writes it.
func IsNumber(s string) bool {
	if s == "" || s[0] != '-' && (s[0] < '0' || s[0] > '9') || s[len(s)-1] <= ' ' {
		return false
	}
	return jsontext.Value(s).IsValid()
}

// Number writes a decimal or double of XML Schema as JSON does: without plus sign and leading zeros, with digits on both sides
// of the point. ok is false for what is no number there, such as INF.
func Number(s string) (n string, ok bool) {
	s = strings.Trim(s, xsd.Blank)
	if IsNumber(s) {
		return s, true
	}
	sign := ""
	switch {
	case strings.HasPrefix(s, "-"):
		sign, s = "-", s[1:]
	case strings.HasPrefix(s, "+"):
		s = s[1:]
	}
	mantissa, exponent := s, ""
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		mantissa, exponent = s[:i], s[i:]
	}
	whole, fraction, point := strings.Cut(mantissa, ".")
	if whole == "" && fraction == "" {
		return "", false
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	n = sign + whole
	if point && fraction != "" {
		n += "." + fraction
	}
	n += exponent
	return n, IsNumber(n)
}

// Decimal writes a number without an exponent, as xsd:decimal wants it.
func Decimal(s string) (string, bool) {
	i := strings.IndexAny(s, "eE")
	if i < 0 || !IsNumber(s) {
		return s, true
	}
	mantissa, sign := s[:i], ""
	if strings.HasPrefix(mantissa, "-") {
		sign, mantissa = "-", mantissa[1:]
	}
	digitsOf := strings.TrimPrefix(s[i+1:], "+")
	negative := strings.HasPrefix(digitsOf, "-")
	exp, ok := xsd.Digits(strings.TrimPrefix(digitsOf, "-"))
	if !ok || len(digitsOf) > 4 || exp > 40 {
		return s, false
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	if negative {
		all := strings.Repeat("0", exp) + whole
		fraction = all[len(all)-exp:] + fraction
		whole = all[:len(all)-exp]
	} else {
		all := fraction + strings.Repeat("0", max(exp-len(fraction), 0))
		whole, fraction = whole+all[:exp], all[exp:]
	}
	if whole = strings.TrimLeft(whole, "0"); whole == "" {
		whole = "0"
	}
	if fraction != "" {
		whole += "." + fraction
	}
	return sign + whole, true
}

// Group is what JSON has under one key.
type Group struct {
	Space, Name string
	Items       []*epcis.Extension
}

// Spread returns the elements of a group, those of an array among several siblings too. single tells that JSON has a value there
// and no array.
func (g *Group) Spread() (items []*epcis.Extension, single bool) {
	if len(g.Items) == 1 && !IsArray(g.Items[0]) {
		return g.Items, true
	}
	for _, x := range g.Items {
		if !IsArray(x) {
			items = append(items, x)
			continue
		}
		for i := range x.Children {
			items = append(items, &x.Children[i])
		}
	}
	return items, false
}

// Grouped puts extensions of one name together, in the order of the first of each.
func Grouped(list []epcis.Extension) []Group {
	groups := make([]Group, 0, len(list))
	var index map[[2]string]int
	if len(list) > 16 {
		index = make(map[[2]string]int, len(list))
	}
next:
	for i := range list {
		space, name := Canonical(list[i].Namespace), list[i].Name
		if index != nil {
			if j, ok := index[[2]string{space, name}]; ok {
				groups[j].Items = append(groups[j].Items, &list[i])
				continue
			}
			index[[2]string{space, name}] = len(groups)
		} else {
			for j := range groups {
				if groups[j].Name == name && groups[j].Space == space {
					groups[j].Items = append(groups[j].Items, &list[i])
					continue next
				}
			}
		}
		groups = append(groups, Group{space, name, []*epcis.Extension{&list[i]}})
	}
	return groups
}

// TextName is the name of a piece of text between child elements; no element can have it.
const TextName = "#text"

// ListName is the name of the elements of an array that cannot be written as siblings, and of the attribute that marks
// the extension around them.
const ListName = "[]"

// Canonical is the spelling of a namespace that is written.
func Canonical(space string) string {
	if epcis.IsMDA(space) {
		return epcis.NamespaceMDA
	}
	return space
}

// IsText reports whether a child is a piece of text.
func IsText(c *epcis.Extension) bool { return c.Namespace == "" && c.Name == TextName }

// HasText reports whether one of the children is.
func HasText(list []epcis.Extension) bool {
	return slices.ContainsFunc(list, func(c epcis.Extension) bool { return IsText(&c) })
}

// SaysType reports whether an attribute is in the value of JSON already, or is a marker.
func SaysType(a *epcis.Extension, typed, own epcis.ValueType) bool {
	return IsMarker(a) || typed != own && a.Namespace == xmlns.XSI && (typed == epcis.Null && a.Name == "nil" || typed != epcis.Null && a.Name == "type")
}
