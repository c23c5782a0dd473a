package epcisrest

import (
	"strings"

	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/services/internal/answer/index"
)

// masterData is what WD_, HASATTR_ and EQATTR_ parameters ask: the master data of captured documents, and of places what the
// registry has.
type masterData struct{ view state.View }

// descendants bounds what one identifier is widened to.
const descendants = 10_000

// Descendants implements epcisquery.Vocabulary.
func (m masterData) Descendants(id string) []string {
	seen := map[string]bool{index.MasterID(id): true}
	var out []string
	for next := []string{id}; len(next) > 0; {
		at := next[0]
		next = next[1:]
		index.MasterChildren(m.view, at, func(child string) bool {
			if !seen[child] {
				seen[child] = true
				out, next = append(out, child), append(next, child)
			}
			return len(out) < descendants
		})
		if len(out) >= descendants {
			break
		}
	}
	return out
}

// Attribute implements epcisquery.Vocabulary. An attribute may be asked for as urn:epcglobal:cbv:mda#city, cbvmda:city and
// https://…/city; captured master data has the first.
func (m masterData) Attribute(id, name string) []string {
	if out := index.MasterAttribute(m.view, id, name); out != nil {
		return out
	}
	local := name[strings.LastIndexAny(name, "#/:")+1:]
	if local != name {
		for _, spelling := range []string{"urn:epcglobal:cbv:mda#", "urn:epcglobal:cbv:mda:"} {
			if out := index.MasterAttribute(m.view, id, spelling+local); out != nil {
				return out
			}
		}
	}
	p, ok := (registry.Registry{View: m.view}).Place(index.MasterID(id))
	if !ok {
		return nil
	}
	for _, f := range []struct{ name, value string }{
		{"name", p.Name},
		{"streetAddressOne", p.StreetOne},
		{"streetAddressTwo", p.StreetTwo},
		{"city", p.City},
		{"state", p.State},
		{"postalCode", p.PostalCode},
		{"countryCode", p.Country},
	} {
		if f.name == local && f.value != "" {
			return []string{f.value}
		}
	}
	return nil
}
