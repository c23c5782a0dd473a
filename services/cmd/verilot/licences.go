package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"verilot.dev/epcis/gs1"
	"verilot.dev/services/internal/partner/onboard"
)

// licence is an entry of a file of licences: a YAML or JSON list.
type licence struct {
	Party        string `yaml:"party"`
	Number       string `yaml:"number"`
	Kind         string `yaml:"kind"`
	Jurisdiction string `yaml:"jurisdiction"`
	ValidFrom    string `yaml:"validFrom"`
	ValidTo      string `yaml:"validTo"`
}

// readLicences reads a file of licences. Errors name the line.
func readLicences(file string) ([]onboard.LicenceEntry, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, unusable("%w", err)
	}
	list, err := parseLicences(text)
	if err != nil {
		return nil, unusable("%s: %w", file, err)
	}
	return list, nil
}

const licenceShape = "a list of {party, number, kind, jurisdiction, validFrom, validTo}"

func parseLicences(text []byte) ([]onboard.LicenceEntry, error) {
	tree, err := parser.ParseBytes(text, 0)
	if err != nil {
		return nil, atLine(err)
	}
	if len(tree.Docs) == 0 || tree.Docs[0].Body == nil {
		return nil, errors.New("line 1: the file is empty; it must be " + licenceShape)
	}
	root, ok := tree.Docs[0].Body.(*ast.SequenceNode)
	if !ok || len(tree.Docs) > 1 {
		return nil, fmt.Errorf("line %d: the file must be %s", line(tree.Docs[len(tree.Docs)-1].Body), licenceShape)
	}
	list := make([]onboard.LicenceEntry, 0, len(root.Values))
	for _, node := range root.Values {
		var l licence
		if err := yaml.NodeToValue(node, &l, yaml.Strict(), yaml.DisallowUnknownField()); err != nil {
			return nil, atLine(err)
		}
		if err := l.check(); err != nil {
			return nil, fmt.Errorf("line %d: %w", line(node), err)
		}
		list = append(list, onboard.LicenceEntry(l))
	}
	if len(list) == 0 {
		return nil, errors.New("line 1: the list is empty")
	}
	return list, nil
}

// line is where the text of a node begins.
func line(n ast.Node) int {
	switch n := n.(type) {
	case *ast.MappingNode:
		if len(n.Values) > 0 {
			return line(n.Values[0])
		}
	case *ast.MappingValueNode:
		return n.Key.GetToken().Position.Line
	case nil:
		return 1
	}
	return n.GetToken().Position.Line
}

// atLine makes "line 3: …" of an error that draws a picture of its place.
func atLine(err error) error {
	var y yaml.Error
	if errors.As(err, &y) && y.GetToken() != nil {
		return fmt.Errorf("line %d: %s", y.GetToken().Position.Line, y.GetMessage())
	}
	return err
}

func (l *licence) check() error {
	for _, f := range [][2]string{{"party", l.Party}, {"number", l.Number}, {"kind", l.Kind}} {
		if strings.TrimSpace(f[1]) == "" {
			return fmt.Errorf("the licence has no %s", f[0])
		}
	}
	for _, f := range [][2]string{{"validFrom", l.ValidFrom}, {"validTo", l.ValidTo}} {
		if f[1] == "" {
			continue
		}
		if _, err := gs1.ParseDate(f[1]); err != nil {
			return fmt.Errorf("%s is %q: write a day as YYYY-MM-DD", f[0], f[1])
		}
	}
	if l.ValidTo != "" && l.ValidTo < l.ValidFrom {
		return fmt.Errorf("licence %s ends on %s, before it begins on %s", l.Number, l.ValidTo, l.ValidFrom)
	}
	return nil
}

// license registers licences and returns the parties that have some of them.
func (a *app) license(ctx context.Context, cl *client, list []onboard.LicenceEntry) ([]string, error) {
	body, err := json.Marshal(list)
	if err != nil {
		return nil, err
	}
	b, _, err := cl.do(ctx, http.MethodPost, "/v1/onboarding/licences", http.Header{"Content-Type": {"application/json"}}, bytes.NewReader(body))
	if err != nil {
		return nil, a.refused(err)
	}
	var o onboard.Onboarding
	if err := decode(b, &o); err != nil {
		return nil, err
	}
	for _, n := range o.Notes {
		a.note("onboarding: %s", n)
	}
	return o.Parties, nil
}

// onboard registers what a document names, and licences, and says which parties have none.
func (a *app) onboard(ctx context.Context, cl *client, header http.Header, doc []byte, licences []onboard.LicenceEntry) error {
	b, _, err := cl.do(ctx, http.MethodPost, "/v1/onboarding", header, bytes.NewReader(doc))
	if err != nil {
		return a.refused(err)
	}
	var o onboard.Onboarding
	if err := decode(b, &o); err != nil {
		return err
	}
	for _, n := range o.Notes {
		a.note("onboarding: %s", n)
	}
	var licensed []string
	if len(licences) > 0 {
		if licensed, err = a.license(ctx, cl, licences); err != nil {
			return err
		}
	}
	for _, p := range o.Unlicensed {
		if !slices.Contains(licensed, p) {
			a.note("onboarding: %s was registered without a licence: what it sells or dispenses is refused, what it buys is on hold; register its licences with --licences FILE", p)
		}
	}
	return nil
}
