package epcisjson

import (
	"slices"
	"strings"

	"github.com/go-json-experiment/json/jsontext"

	"verilot.dev/epcis"
	"verilot.dev/epcis/internal/excerpt"
	"verilot.dev/epcis/internal/extension"
)

// members writes extensions as members of an object. standard tells the keys that mean something else there.
func (j *writer) members(list []epcis.Extension, standard func(key string) bool) {
	if len(list) == 0 {
		return
	}
	for _, g := range extension.Grouped(list) {
		key, ok := j.extensionKey(g.Space, g.Name)
		j.In(excerpt.Clip(g.Name))
		switch {
		case !ok || standard(key):
			j.Lost("the key "+excerpt.Quote(key)+" means something else in JSON; it was left out", "put it into a namespace")
		default:
			if standard != nil && !j.isURI(key) && g.Space == "" {
				j.Refused("the key "+excerpt.Quote(key)+" has no namespace", "put it into a namespace")
			} else if !j.isURI(key) {
				j.Refused("the key "+excerpt.Quote(key)+" has characters that JSON does not allow in a key", "rename it")
			}
			j.key(j.Whole(key))
			j.groupValue(g)
		}
		j.Out()
	}
}

// inner writes the members of an extension, where the schema says nothing of keys.
func (j *writer) inner(list []epcis.Extension) {
	for _, g := range extension.Grouped(list) {
		j.In(excerpt.Clip(g.Name))
		if key, ok := j.extensionKey(g.Space, g.Name); !ok {
			j.Lost("the key "+excerpt.Quote(key)+" means something else in JSON; it was left out", "put it into a namespace")
		} else {
			j.key(j.Whole(key))
			j.groupValue(g)
		}
		j.Out()
	}
}

func (j *writer) groupValue(g extension.Group) {
	items, single := g.Spread()
	if single {
		j.value(items[0])
		return
	}
	j.array()
	for _, x := range items {
		j.value(x)
	}
	j.endArray()
}

// extensionKey returns the key of an extension. ok is false when it would be read as something else.
func (j *writer) extensionKey(space, name string) (key string, ok bool) {
	if space == "" {
		return name, name != "" && name[0] != '@' && name != extension.TextName && name != extension.ListName && !strings.ContainsAny(name, ":/#") && !j.DeclaredPrefix(name)
	}
	if prefix := j.Prefix(space); prefix != "" {
		return prefix + ":" + name, name != "" && !strings.HasPrefix(name, "//")
	}
	return space + name, name != "" && !strings.ContainsAny(name, ":/#") && j.IsScheme(space)
}

// value writes the value of an extension.
func (j *writer) value(x *epcis.Extension) {
	if extension.IsArray(x) {
		j.array()
		for i := range x.Children {
			j.value(&x.Children[i])
		}
		j.endArray()
		return
	}
	typed := extension.TypeOf(x)
	attributes := slices.ContainsFunc(x.Attributes, func(a epcis.Extension) bool { return !extension.SaysType(&a, typed, x.Type) })
	if !attributes && len(x.Children) == 0 {
		j.scalar(typed, x.Text)
		return
	}
	j.object()
	var written []string
	for i := range x.Attributes {
		a := &x.Attributes[i]
		if extension.SaysType(a, typed, x.Type) {
			continue
		}
		key, ok := j.attributeKey(a)
		if !ok || slices.Contains(written, key) {
			j.Lost("the attribute "+excerpt.Quote(a.Name)+" cannot be written; it was left out", "rename it")
			continue
		}
		written = append(written, key)
		j.key(j.Whole(key))
		j.value(a)
	}
	text, children := extension.HasText(x.Children), x.Children
	switch {
	case typed == epcis.NoValue || typed == epcis.Empty || typed == epcis.Text && x.Text == "":
	case !text:
		j.key(extension.TextName)
		j.scalar(typed, x.Text)
	default: // text of its own and pieces of text among the children
		children = slices.Insert(slices.Clone(children), 0, epcis.Extension{Name: extension.TextName, Type: typed, Text: x.Text})
	}
	if text {
		children = j.pieces(children)
	}
	j.inner(children)
	j.endObject()
}

// pieces writes the text among child elements, and returns the others.
func (j *writer) pieces(list []epcis.Extension) (others []epcis.Extension) {
	var texts []*epcis.Extension
	for i := range list {
		if extension.IsText(&list[i]) {
			texts = append(texts, &list[i])
		} else {
			others = append(others, list[i])
		}
	}
	if len(others) > 0 {
		j.Lost("text stands among elements; its place among them was not kept", "")
	}
	j.key(extension.TextName)
	j.groupValue(extension.Group{Name: extension.TextName, Items: texts})
	return others
}

func (j *writer) attributeKey(a *epcis.Extension) (string, bool) {
	if a.Namespace == "" {
		return "@" + a.Name, a.Name != "" && a.Name != "context" && !strings.ContainsAny(a.Name, ":/#@")
	}
	key, ok := j.extensionKey(extension.Canonical(a.Namespace), a.Name)
	return "@" + key, ok
}

func (j *writer) scalar(t epcis.ValueType, text string) {
	switch t {
	case epcis.Number:
		if extension.IsNumber(text) {
			j.number(text)
			return
		}
		j.Lost("the number "+excerpt.Quote(text)+" became text", "")
		j.string(text)
	case epcis.Boolean:
		switch text {
		case "true":
			j.token(jsontext.True)
		case "false":
			j.token(jsontext.False)
		default:
			j.Lost("the truth value "+excerpt.Quote(text)+" became text", "")
			j.string(text)
		}
	case epcis.Null:
		j.token(jsontext.Null)
	case epcis.NoValue:
		j.object()
		j.endObject()
	default:
		j.string(text)
	}
}
