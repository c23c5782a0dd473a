package localnet

import (
	"testing"
	"time"

	"verilot.dev/ledger/registry"
)

// An invented party is authorized from a year before its network was made until a year after.
func TestLicences(t *testing.T) {
	for _, role := range registry.TradingRoles() {
		for _, made := range []string{"2026-11-30", "2027-01-01", "2027-03-30", "2027-03-31", "2028-02-29"} {
			now, err := time.Parse(time.DateOnly, made)
			if err != nil {
				t.Fatal(err)
			}
			p := registry.Party{Roles: []string{role}, Licences: Licences(role, "N-1", "OH", now)}
			for _, day := range []string{now.AddDate(-1, 0, 0).Format(time.DateOnly), made, now.AddDate(1, 0, 0).Format(time.DateOnly)} {
				if ok, why := p.Authorized(role, day); !ok {
					t.Errorf("%s, made %s, on %s: %s", role, made, day, why)
				}
			}
		}
	}
	if l := Licences("regulator", "N-1", "OH", time.Time{}); l != nil {
		t.Errorf("a regulator with %v", l)
	}
}
