package localnet

import (
	"fmt"
	"time"

	"verilot.dev/ledger/registry"
)

// Licences are what makes an invented party an authorized trading partner: a licence of its State or the FDA, and the
// annual reports of wholesalers and logistics firms. They report until 31 March, so the reports of three years, counted
// from the one before last, cover a network's past and at least its first year.
func Licences(role, number, state string, now time.Time) (list []registry.Licence) {
	for _, kinds := range registry.LicenceKinds(role) {
		kind := kinds[0]
		switch kind {
		case "fda_annual_report":
			year := now.UTC().Year()
			if now.UTC().Format("01-02") < "03-31" {
				year--
			}
			for y := year - 1; y <= year+1; y++ {
				list = append(list, registry.Licence{
					Number: fmt.Sprintf("%s/%d", number, y), Kind: kind, Jurisdiction: "US", ValidFrom: fmt.Sprintf("%d-03-31", y), ValidTo: fmt.Sprintf("%d-03-31", y+1),
				})
			}
		case "fda_establishment":
			list = append(list, registry.Licence{Number: number, Kind: kind, Jurisdiction: "US", ValidFrom: "2020-01-01", ValidTo: "2035-12-31"})
		default:
			list = append(list, registry.Licence{Number: number, Kind: kind, Jurisdiction: "US-" + state, ValidFrom: "2020-01-01", ValidTo: "2035-12-31"})
		}
	}
	return list
}
