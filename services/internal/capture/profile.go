package capture

import (
	"slices"

	"verilot.dev/ledger/registry"
)

// Profile is what a kind of trading partner may do through its service. The ledger judges by the registered roles;
// the profile only keeps a service from offering what would be rejected there.
type Profile struct {
	Name     string
	commands []string
}

var all = []string{
	"products", "lots", "serials", "commission", "pack", "unpack", "ship", "receive", "dispense", "return", "quarantine", "release",
	"recall", "decommission", "destroy",
}

// Manufacturer offers everything but dispensing.
func Manufacturer() Profile {
	return Profile{"manufacturer", slices.DeleteFunc(slices.Clone(all), func(c string) bool { return c == "dispense" })}
}

// Distributor handles what others made.
func Distributor() Profile {
	return Profile{"distributor", []string{"pack", "unpack", "ship", "receive", "return", "quarantine", "release", "decommission", "destroy"}}
}

// Pharmacy receives and dispenses.
func Pharmacy() Profile {
	return Profile{"pharmacy", []string{"unpack", "receive", "dispense", "return", "quarantine", "release", "decommission", "destroy"}}
}

func (p Profile) offers(command string) bool { return slices.Contains(p.commands, command) }

// Roles that a step needs (ledger/custody, rule table); what is not listed any trading partner may do.
var (
	makers     = []string{"manufacturer", "repackager"}
	dispensers = []string{"dispenser"}
	traders    = []string{"manufacturer", "repackager", "distributor", "3pl", "dispenser"}
)

// KnownParty is a party as an api service tells it.
type KnownParty struct {
	ID       string           `json:"id"`
	Name     string           `json:"name"`
	Roles    []string         `json:"roles"`
	GLNs     []string         `json:"glns"`
	Prefixes []string         `json:"companyPrefixes"`
	KeyIDs   []string         `json:"keyIDs"`
	Places   []registry.Place `json:"places"`
}
