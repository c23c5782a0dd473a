package partner

import (
	"slices"

	"verilot.dev/ledger/registry"
)

// Profile is what a kind of trading partner may do through its service. The ledger judges by the registered roles;
// the profile only keeps a service from offering what would be rejected there.
type Profile struct {
	Name     string
	commands []string
	// beside another service's own operations: only what is offered is there, the rest is not even refused.
	beside bool
	// foreign: recalls what others made.
	foreign bool
}

var all = []string{
	"products", "lots", "serials", "commission", "pack", "unpack", "ship", "receive", "dispense", "return", "quarantine", "release",
	"recall", "decommission", "destroy",
}

// Manufacturer offers everything but dispensing.
func Manufacturer() Profile {
	return Profile{Name: "manufacturer", commands: slices.DeleteFunc(slices.Clone(all), func(c string) bool { return c == "dispense" })}
}

// Distributor handles what others made.
func Distributor() Profile {
	return Profile{Name: "distributor", commands: []string{"pack", "unpack", "ship", "receive", "return", "quarantine", "release", "decommission", "destroy"}}
}

// Pharmacy receives and dispenses.
func Pharmacy() Profile {
	return Profile{Name: "pharmacy", commands: []string{"unpack", "receive", "dispense", "return", "quarantine", "release", "decommission", "destroy"}}
}

// Regulator recalls what others made, through an api service, and does nothing else.
func Regulator() Profile {
	return Profile{Name: "regulator", commands: []string{"recall"}, beside: true, foreign: true}
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
