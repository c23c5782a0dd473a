package registry

import (
	"slices"
	"testing"
)

func TestAuthorized(t *testing.T) {
	var (
		state    = Licence{"WDD-KY-4471", "state_wholesale", "US-KY", "2020-01-01", "2024-12-31"}
		federal  = Licence{"F-1", "federal_wholesale", "US", "2026-01-01", "2026-12-31"}
		report   = Licence{"AR-26", "fda_annual_report", "US", "2026-02-01", "2027-01-31"}
		open     = Licence{"PH-1", "state_pharmacy", "US-OH", "", ""}
		fei      = Licence{"FEI-1", "fda_establishment", "US", "2026-03-01", ""}
		logistic = Licence{"L-1", "state_3pl", "US-OH", "", "2026-12-31"}
		foreign  = Licence{"GB-1", "mhra_wda", "GB", "", ""}
	)
	for _, tt := range []struct {
		name, role, day string
		licences        []Licence
		why             string // empty: authorized
	}{
		{"a pharmacy", "dispenser", "2026-06-01", []Licence{open}, ""},
		{"a pharmacy without", "dispenser", "2026-06-01", []Licence{federal, report}, "has no state_pharmacy licence on the ledger"},
		{"the day before the first", "manufacturer", "2026-02-28", []Licence{fei}, "licence FEI-1 (fda_establishment) begins on 2026-03-01"},
		{"the first day", "manufacturer", "2026-03-01", []Licence{fei}, ""},
		{"a repackager years later", "repackager", "2036-03-01", []Licence{fei}, ""},
		{"a wholesaler", "distributor", "2026-06-01", []Licence{state, federal, report}, ""},
		{"the last day", "distributor", "2026-12-31", []Licence{federal, report}, ""},
		{"the day after", "distributor", "2027-01-01", []Licence{federal, report}, "licence F-1 (federal_wholesale) ended on 2026-12-31"},
		{"1 January, nothing filed yet", "distributor", "2026-01-01", []Licence{federal, report}, "licence AR-26 (fda_annual_report) begins on 2026-02-01"},
		{"without a report", "distributor", "2026-06-01", []Licence{federal}, "has no fda_annual_report licence on the ledger"},
		{"the licence of 2024", "distributor", "2026-06-01", []Licence{state, report}, "licence WDD-KY-4471 (state_wholesale) ended on 2024-12-31"},
		{"the one that ended last", "distributor", "2027-01-15", []Licence{federal, state, report}, "licence F-1 (federal_wholesale) ended on 2026-12-31"},
		{"nothing at all", "distributor", "2026-06-01", nil, "has no state_wholesale or federal_wholesale licence on the ledger, and has no fda_annual_report licence on the ledger"},
		{"a logistics firm", "3pl", "2026-12-31", []Licence{logistic, report}, ""},
		{"a wholesale licence is none of logistics", "3pl", "2026-06-01", []Licence{federal, report}, "has no state_3pl or federal_3pl licence on the ledger"},
		{"another country's licence", "distributor", "2026-06-01", []Licence{foreign, report}, "has no state_wholesale or federal_wholesale licence on the ledger"},
		{"a regulator", "regulator", "2026-06-01", []Licence{federal, report, open, fei}, "is registered as regulator, which is no trading partner"},
	} {
		p := Party{Roles: []string{tt.role}, Licences: tt.licences}
		ok, why := p.Authorized(tt.role, tt.day)
		if ok != (tt.why == "") || why != tt.why {
			t.Errorf("%s: %t, %q; want %q", tt.name, ok, why, tt.why)
		}
		if got := p.AuthorizedRoles(tt.day); slices.Contains(got, tt.role) != ok {
			t.Errorf("%s: authorized as %v", tt.name, got)
		}
	}
	both := Party{Roles: []string{"distributor", "manufacturer"}, Licences: []Licence{federal, report}}
	if ok, why := both.AuthorizedIn(TradingRoles(), "2026-06-01"); !ok {
		t.Error(why)
	}
	const want = "has no fda_establishment licence on the ledger"
	if ok, why := both.AuthorizedIn([]string{"manufacturer", "repackager"}, "2026-06-01"); ok || why != want {
		t.Errorf("%t, %q", ok, why)
	}
	if ok, why := both.AuthorizedIn([]string{"dispenser"}, "2026-06-01"); ok || why != "is registered as none of dispenser" {
		t.Errorf("%t, %q", ok, why)
	}
	const each = "as manufacturer: has no fda_establishment licence on the ledger; as distributor: licence F-1 (federal_wholesale) ended on 2026-12-31"
	if ok, why := both.AuthorizedIn(TradingRoles(), "2027-01-15"); ok || why != each {
		t.Errorf("%t, %q", ok, why)
	}
	if ok, why := both.Authorized("dispenser", "2026-06-01"); ok || why != "is not registered as dispenser" {
		t.Errorf("%t, %q", ok, why)
	}
}

// Every trading role of the registry has a row, and no other role has one.
func TestTradingRoles(t *testing.T) {
	for _, role := range roles {
		trades := !slices.Contains([]string{"regulator", "validator", "authority"}, role)
		if trades != slices.Contains(TradingRoles(), role) || trades != (LicenceKinds(role) != nil) {
			t.Errorf("%s", role)
		}
	}
	for _, d := range demands {
		if d.law == "" || !slices.Contains(roles, d.role) {
			t.Errorf("%+v", d)
		}
	}
}
