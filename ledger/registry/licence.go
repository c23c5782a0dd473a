package registry

import (
	"fmt"
	"slices"
	"strings"
)

// demand is what makes a party of a role an authorized trading partner: of each group of licence kinds one that is valid
// on the day in question.
type demand struct {
	role  string
	kinds [][]string
	law   string // sections of the Federal Food, Drug, and Cosmetic Act
}

// demands is the table of authorized trading partners (docs/spec.md section 14.11). A licence of any other kind is kept
// and authorizes nothing. The annual report has a first and a last day of its own: a year's report that is not there yet
// leaves its party without, whatever its licence says.
var demands = []demand{
	{"manufacturer", [][]string{{"fda_establishment"}}, "581(2)(A): registered under 510"},
	{"repackager", [][]string{{"fda_establishment"}}, "581(2)(A): registered under 510"},
	{"distributor", [][]string{{"state_wholesale", "federal_wholesale"}, {"fda_annual_report"}}, "581(2)(B): licensed under 503(e) or 583, reports under 503(e)(2)"},
	{"3pl", [][]string{{"state_3pl", "federal_3pl"}, {"fda_annual_report"}}, "581(2)(C): licensed under 584(a), reports under 584(b)"},
	{"dispenser", [][]string{{"state_pharmacy"}}, "581(2)(D): licensed under State law"},
}

// TradingRoles are the roles of trading partners. Regulators, validators and authorities are none.
func TradingRoles() []string {
	list := make([]string, len(demands))
	for i, d := range demands {
		list[i] = d.role
	}
	return list
}

// LicenceKinds are the kinds of licence that a role needs: one of each group. nil is a role that cannot be authorized.
func LicenceKinds(role string) [][]string {
	for _, d := range demands {
		if d.role == role {
			return d.kinds
		}
	}
	return nil
}

// On reports whether the licence is valid on a day, YYYY-MM-DD. Its first and its last day count; without one it is open
// at that end.
func (l Licence) On(day string) bool {
	return l.ValidFrom <= day && (l.ValidTo == "" || day <= l.ValidTo)
}

// Authorized reports whether the party is an authorized trading partner in a role on a day, YYYY-MM-DD, by the licences
// that the ledger has of it. If it is not, why names the licence that lapsed and when, or what is missing.
func (p *Party) Authorized(role, day string) (ok bool, why string) {
	if !p.Has(role) {
		return false, "is not registered as " + role
	}
	groups := LicenceKinds(role)
	if groups == nil {
		return false, "is registered as " + role + ", which is no trading partner"
	}
	var lacks []string
	for _, kinds := range groups {
		if !slices.ContainsFunc(p.Licences, func(l Licence) bool { return slices.Contains(kinds, l.Kind) && l.On(day) }) {
			lacks = append(lacks, p.lacks(kinds, day))
		}
	}
	return len(lacks) == 0, strings.Join(lacks, ", and ")
}

// lacks says why none of the party's licences of some kinds is valid on a day. Of several it names the one that was valid
// last or, if none has begun, the one that will be first.
func (p *Party) lacks(kinds []string, day string) string {
	var ended, begins *Licence
	for i := range p.Licences {
		l := &p.Licences[i]
		switch {
		case !slices.Contains(kinds, l.Kind):
		case l.ValidTo != "" && l.ValidTo < day:
			if ended == nil || l.ValidTo > ended.ValidTo {
				ended = l
			}
		case begins == nil || l.ValidFrom < begins.ValidFrom:
			begins = l
		}
	}
	switch {
	case ended != nil:
		return fmt.Sprintf("licence %s (%s) ended on %s", ended.Number, ended.Kind, ended.ValidTo)
	case begins != nil:
		return fmt.Sprintf("licence %s (%s) begins on %s", begins.Number, begins.Kind, begins.ValidFrom)
	}
	return fmt.Sprintf("has no %s licence on the ledger", strings.Join(kinds, " or "))
}

// AuthorizedIn reports whether the party is authorized on a day in one of some roles. If it is in none, why says so for
// each of them that it is registered in.
func (p *Party) AuthorizedIn(roles []string, day string) (ok bool, why string) {
	var has, reasons []string
	for _, role := range roles {
		if !p.Has(role) {
			continue
		}
		ok, why := p.Authorized(role, day)
		if ok {
			return true, ""
		}
		has, reasons = append(has, role), append(reasons, why)
	}
	switch len(has) {
	case 0:
		return false, "is registered as none of " + strings.Join(roles, ", ")
	case 1:
		return false, reasons[0]
	}
	for i := range reasons {
		reasons[i] = "as " + has[i] + ": " + reasons[i]
	}
	return false, strings.Join(reasons, "; ")
}

// AuthorizedRoles are those of the party's roles in which it is an authorized trading partner on a day.
func (p *Party) AuthorizedRoles(day string) (roles []string) {
	for _, role := range p.Roles {
		if ok, _ := p.Authorized(role, day); ok {
			roles = append(roles, role)
		}
	}
	return roles
}
