package tracing

import (
	"time"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/custody"
)

// stale is the age from which on a check cannot be green (docs/design.md section 7).
const stale = 60 * time.Second

// Check is the answer at the counter: is this package what it says it is, and may it be dispensed?
type Check struct {
	ID       ID            `json:"id"`
	Colour   string        `json:"colour" enum:"green,amber,red" doc:"green: dispense; amber: cannot confirm now; red: do not dispense"`
	Verified bool          `json:"verified" doc:"The product identifier is on the ledger as scanned"`
	Fit      bool          `json:"fit" doc:"Verified, and nothing speaks against dispensing"`
	Reasons  []CheckReason `json:"reasons"`
	NextStep string        `json:"nextStep"`
	Lot      string        `json:"lot,omitempty"`
	Expiry   string        `json:"expiry,omitempty"`
	State    string        `json:"state,omitempty"`
	Holder   *PartyRef     `json:"holder,omitempty"`
	Closed   []FindingView `json:"closed,omitempty" doc:"Findings that were closed: by which record or by whom, and with which outcome"`
	RestsOn  AsOf          `json:"restsOn"`
}

// CheckReason is one thing that speaks against dispensing. Codes follow the DSCSA verification messages where they have a word for it.
type CheckReason struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// Printed is what stands on a package beside its serial number, as far as it was read. An empty
// member is not compared.
type Printed struct {
	Lot    string
	Expiry string // YYYY-MM-DD
}

// Check answers whether a package is genuine and may be dispensed.
func (s *Snapshot) Check(key gs1.Key, printed Printed) *Check {
	c := &Check{ID: idOf(key), Colour: "red", Reasons: []CheckReason{}, RestsOn: s.AsOf()}
	against := func(code, detail string) { c.Reasons = append(c.Reasons, CheckReason{Code: code, Detail: detail}) }
	u, containers, ok := custody.Locate(s.View, key)
	for _, f := range s.findings(key, containers) {
		if f.State == findingState(block.Closed) {
			c.Closed = append(c.Closed, f)
		}
	}
	if !ok || u.Provisional {
		against("No_match_GTIN_Serial", noBirth(ok))
		c.NextStep = "Do not dispense. Set the package aside, treat it as suspect and ask the maker."
		return c
	}
	c.Verified = true
	c.Lot, c.Expiry, c.State, c.Holder = u.Lot, u.Expiry, u.State.String(), s.party(u.Holder)
	if printed.Lot != "" && printed.Lot != u.Lot {
		c.Verified = false
		against("No_match_GTIN_Serial_Lot", "The lot on the package is "+printed.Lot+", the maker recorded "+u.Lot+".")
	}
	if printed.Expiry != "" && printed.Expiry != u.Expiry {
		c.Verified = false
		against("No_match_GTIN_Serial_Expiry", "The expiry on the package is "+printed.Expiry+", the maker recorded "+u.Expiry+".")
	}
	if u.State != custody.Active {
		against("Not_active", "This unit was already "+u.State.String()+".")
	}
	for _, rc := range s.recallsOf(key, u.Lot) {
		against("Recalled", "Recall "+rc.RecallNumber+", class "+rc.Classification+": "+rc.Reason)
	}
	if expiry, err := gs1.ParseDate(u.Expiry); err == nil {
		today, err := gs1.NewDate(s.Now.Year(), int(s.Now.Month()), s.Now.Day())
		if err == nil && expiry.Before(today) {
			against("Expired", "This unit expired on "+u.Expiry+".")
		}
	}
	for _, o := range u.Overlays {
		against("Overlay_"+o, "This unit is marked "+o+".")
	}
	c.decide()
	return c
}

func (c *Check) decide() {
	switch {
	case !c.Verified:
		c.NextStep = "Do not dispense. Set the package aside, treat it as suspect and ask the maker."
	case len(c.Reasons) > 0:
		c.NextStep = "Do not dispense. Set the package aside and follow the reason above."
	case time.Duration(c.RestsOn.AgeSeconds*float64(time.Second)) > stale:
		c.Colour = "amber"
		c.Reasons = append(c.Reasons, CheckReason{Code: "Stale", Detail: "Cannot confirm: the newest certified block is older than a minute, so something newer may be unknown here."})
		c.NextStep = "Wait until the data is up to date and scan again."
	default:
		c.Colour, c.Fit = "green", true
		c.NextStep = "Verified. Dispense."
	}
}

// noBirth says why a unit cannot be verified: nobody ever named it, or only others than its maker did.
func noBirth(named bool) string {
	if named {
		return "No birth record of this unit: others have reported it, its maker never put this serial number on the ledger."
	}
	return "No record of this unit: its maker never put this serial number on the ledger."
}
