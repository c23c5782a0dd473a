package epcisxml

import (
	"slices"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/field"
	"verilot.dev/epcis/internal/reading"
	"verilot.dev/epcis/internal/vocabulary"
	"verilot.dev/epcis/internal/xsd"
)

// epcs reads <epc> elements.
func (p *parser) epcs(id field.ID, list *[]string) error {
	name := field.Names[id]
	path := name + "/epc"
	return p.each(name, func() error {
		if p.std() != "epc" && !p.is("epc", name) {
			return p.stranger(name)
		}
		if p.units++; p.units > p.opt.MaxEPCs {
			return reading.ErrEventTooLarge
		}
		p.items[id] = append(p.items[id], p.at)
		if len(p.attrs) > 0 {
			if err := p.onlyAttrs(nil, path); err != nil {
				return err
			}
		}
		s, err := p.value(path)
		*list = append(*list, s)
		return err
	})
}

// stranger refuses an element in a list of the standard, where the model could not keep it.
func (p *parser) stranger(path string) error {
	p.fault(p.at, epcis.CodeContent, path, "the element <"+excerpt.Clip(p.name.Local)+"> does not belong into "+path, "remove it, or put it behind the standard fields of the event")
	return p.skip()
}

// typed reads a list of values with a type attribute.
func (p *parser) typed(id field.ID, attr string, add func(kind, value string)) error {
	name, item, n := field.Names[id], field.ItemNames[id], 0
	at, path := p.at, name+"/"+item
	err := p.each(name, func() error {
		if !p.is(item, name) {
			return p.stranger(name)
		}
		n++
		p.items[id] = append(p.items[id], p.at)
		if err := p.onlyAttrs(nil, path, attr); err != nil {
			return err
		}
		kind := p.intern([]byte(p.attr(attr)))
		v, err := p.word(path)
		add(kind, v)
		return err
	})
	if n == 0 && err == nil {
		p.empty(at, name)
	}
	return err
}

func (p *parser) quantities(id field.ID, list *[]epcis.Quantity) error {
	name, at := field.Names[id], p.at
	err := p.each(name, func() error {
		if !p.is("quantityElement", name) {
			return p.stranger(name)
		}
		if p.units++; p.units > p.opt.MaxEPCs {
			return reading.ErrEventTooLarge
		}
		p.items[id] = append(p.items[id], p.at)
		path := name + "/quantityElement"
		if err := p.onlyAttrs(nil, path); err != nil {
			return err
		}
		var q epcis.Quantity
		seen := map[string]bool{}
		err := p.each(path, func() error {
			field := p.std()
			for _, want := range quantityFields {
				if field != "" && !slices.Contains(quantityFields, field) && p.is(want, path) {
					field = want
					break
				}
			}
			if seen[field] && field != "" {
				p.fault(p.at, epcis.CodeFieldRepeated, path+"/"+field, field+" stands there twice", "keep one")
				return p.skip()
			}
			seen[field] = true
			if len(p.attrs) > 0 && slices.Contains(quantityFields, field) {
				if err := p.onlyAttrs(nil, path+"/"+field); err != nil {
					return err
				}
			}
			switch field {
			case "epcClass":
				return p.intoWord(&q.EPCClass, path+"/epcClass")
			case "quantity":
				if p.isNil() {
					return p.skip()
				}
				return p.intoWord(&q.Quantity, path+"/quantity")
			case "uom":
				return p.intoWord(&q.UOM, path+"/uom")
			}
			return p.stranger(path)
		})
		*list = append(*list, q)
		return err
	})
	if len(*list) == 0 && err == nil {
		p.empty(at, name)
	}
	return err
}

var quantityFields = []string{"epcClass", "quantity", "uom"}

// location reads a read point or business location.
func (p *parser) location(place **epcis.Place, path string) error {
	*place = &epcis.Place{}
	at, seen := p.at, false
	if err := p.onlyAttrs(&(*place).Extensions, path); err != nil {
		return err
	}
	err := p.foreign(&(*place).Extensions, path, []string{"id"}, func(name string) (bool, error) {
		if name != "id" {
			return false, nil
		}
		if seen {
			p.fault(p.at, epcis.CodeFieldRepeated, path+"/id", "id stands there twice", "keep one")
			return true, p.skip()
		}
		seen = true
		if err := p.onlyAttrs(nil, path+"/id"); err != nil {
			return true, err
		}
		return true, p.intoWord(&(*place).ID, path+"/id")
	})
	if err == nil && !seen {
		p.warn(at, epcis.CodeFieldMissing, path, path+" has no id", "add <id>")
	}
	if err == nil && (*place).ID == "" && len((*place).Extensions) == 0 {
		*place = nil
	}
	return err
}

// foreign reads an element that holds extensions beside standard children, which known reads. The wrapper
// <extension> of 1.2 is looked through. names are those of the standard children.
func (p *parser) foreign(list *[]epcis.Extension, path string, names []string, known func(name string) (bool, error)) error {
	return p.each(path, func() error {
		name := p.std()
		if name == "extension" {
			if err := p.onlyAttrs(list, path+"/extension"); err != nil {
				return err
			}
			return p.foreign(list, path, names, known)
		}
		if name != "" {
			if meant := vocabulary.Near(name, names); meant != "" && meant != name {
				p.meant(path+"/"+excerpt.Clip(name), name, meant)
				name = meant
			}
			if known != nil {
				if done, err := known(name); done || err != nil {
					return err
				}
			}
			p.warn(p.at, epcis.CodeFieldUnknown, path+"/"+excerpt.Clip(name), path+" has no field "+excerpt.Quote(name),
				"put fields of your own into a namespace of your own; it was kept as an extension")
		}
		return p.extension(list)
	})
}

func (p *parser) errorDeclaration(e *epcis.Event) error {
	const path = "errorDeclaration"
	d := &epcis.ErrorDeclaration{}
	e.ErrorDeclaration = d
	var declaredAt, reasonAt pos
	at := p.at
	if err := p.onlyAttrs(&d.Extensions, path); err != nil {
		return err
	}
	names := []string{"declarationTime", "reason", "correctiveEventIDs"}
	err := p.foreign(&d.Extensions, path, names, func(name string) (bool, error) {
		if len(p.attrs) > 0 && slices.Contains(names, name) {
			if err := p.onlyAttrs(nil, path+"/"+name); err != nil {
				return true, err
			}
		}
		twice := func(first *pos) bool {
			if first.line == 0 {
				*first = p.at
				return false
			}
			p.fault(p.at, epcis.CodeFieldRepeated, path+"/"+name, name+" stands there twice", "keep one")
			return true
		}
		switch name {
		case "declarationTime":
			if twice(&declaredAt) {
				return true, p.skip()
			}
			return true, p.into(&d.DeclarationTime, path+"/declarationTime")
		case "reason":
			if twice(&reasonAt) {
				return true, p.skip()
			}
			return true, p.intoWord(&d.Reason, path+"/reason")
		case "correctiveEventIDs":
			return true, p.each(path+"/correctiveEventIDs", func() error {
				if !p.is("correctiveEventID", path+"/correctiveEventIDs") {
					return p.stranger(path + "/correctiveEventIDs")
				}
				if err := p.onlyAttrs(nil, path+"/correctiveEventIDs/correctiveEventID"); err != nil {
					return err
				}
				var s string
				err := p.into(&s, path+"/correctiveEventIDs/correctiveEventID")
				if s != "" {
					d.CorrectiveEventIDs = append(d.CorrectiveEventIDs, s)
				}
				return err
			})
		}
		return false, nil
	})
	if err != nil {
		return err
	}
	if d.DeclarationTime == "" {
		p.warn(at, epcis.CodeFieldMissing, path, "declarationTime is missing", "say when the event was declared an error")
	} else if _, bad := xsd.ParseTime(d.DeclarationTime); bad != nil {
		p.warn(declaredAt, epcis.CodeTimeInvalid, path+"/declarationTime", bad.Error(), xsd.TimeHint)
	}
	return nil
}

func (p *parser) persistentDisposition(d *epcis.PersistentDisposition) error {
	const path = "persistentDisposition"
	return p.each(path, func() error {
		list := &d.Set
		switch {
		case p.is("unset", path):
			list = &d.Unset
		case p.is("set", path):
		default:
			return p.stranger(path)
		}
		if err := p.onlyAttrs(nil, path+"/"+p.name.Local); err != nil {
			return err
		}
		var s string
		err := p.intoWord(&s, path+"/"+p.name.Local)
		if s != "" {
			*list = append(*list, s)
		}
		return err
	})
}
