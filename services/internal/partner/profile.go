package partner

import (
	"slices"

	"verilot.dev/services/internal/partner/command"
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

// Manufacturer offers everything but dispensing.
func Manufacturer() Profile {
	return Profile{Name: "manufacturer", commands: slices.DeleteFunc(slices.Clone(command.Names), func(c string) bool { return c == "dispense" })}
}

// Distributor handles what others made.
func Distributor() Profile {
	return Profile{Name: "distributor", commands: []string{"pack", "unpack", "ship", "receive", "return", "quarantine", "release", "decommission", "destroy", "resolve", "take-back"}}
}

// Pharmacy receives and dispenses.
func Pharmacy() Profile {
	return Profile{Name: "pharmacy", commands: []string{"unpack", "receive", "dispense", "return", "quarantine", "release", "decommission", "destroy", "resolve", "take-back"}}
}

// Regulator recalls what others made and closes findings, through an api service, and does nothing else.
func Regulator() Profile {
	return Profile{Name: "regulator", commands: []string{"recall", "resolve"}, beside: true, foreign: true}
}

func (p Profile) offers(name string) bool { return slices.Contains(p.commands, name) }
