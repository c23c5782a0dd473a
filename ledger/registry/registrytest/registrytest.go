// Package registrytest licenses the parties of tests.
package registrytest

import "verilot.dev/ledger/registry"

// Licences are those that make a party of these roles an authorized trading partner, valid from 2020 to 2040. Roles that
// are no trading partners need none.
func Licences(party string, roles ...string) (list []registry.Licence) {
	for _, role := range roles {
		for _, kinds := range registry.LicenceKinds(role) {
			list = append(list, registry.Licence{
				Number: party + "-" + kinds[0], Kind: kinds[0], Jurisdiction: "US", ValidFrom: "2020-01-01", ValidTo: "2040-12-31",
			})
		}
	}
	return list
}
