package tracing

import (
	"slices"
	"strings"
	"time"

	"verilot.dev/epcis/gs1"
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
	// OtherCase is set beside the reason Case_differs when the serial number itself is what differs.
	OtherCase *ID  `json:"otherCase,omitempty" doc:"The unit on the ledger whose serial number differs from this one in the case of letters only"`
	RestsOn   AsOf `json:"restsOn"`
}

// CheckReason is one thing that speaks against dispensing. Codes follow the DSCSA verification messages where they have a word for it.
type CheckReason struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// caseDiffers is the reason of a check that fails only because letters came in the wrong case: most
// likely Caps Lock is on, so the package is not called suspect before it was scanned again.
const caseDiffers = "Case_differs"

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
	u, _, ok := custody.Locate(s.View, key)
	if !ok || u.Provisional {
		if other, found := s.otherCase(key); found {
			c.OtherCase = &other
			against(caseDiffers, "The ledger has the serial number "+other.Serial+", which differs in the case of letters only.")
			c.decide()
			return c
		}
		against("No_match_GTIN_Serial", noBirth(ok))
		c.NextStep = "Do not dispense. Set the package aside, treat it as suspect and ask the maker."
		return c
	}
	c.Verified = true
	c.Lot, c.Expiry, c.State, c.Holder = u.Lot, u.Expiry, u.State.String(), s.party(u.Holder)
	if printed.Lot != "" && printed.Lot != u.Lot {
		c.Verified = false
		if strings.EqualFold(printed.Lot, u.Lot) {
			against(caseDiffers, "The lot on the package is "+printed.Lot+", the maker recorded "+u.Lot+": they differ in the case of letters only.")
		} else {
			against("No_match_GTIN_Serial_Lot", "The lot on the package is "+printed.Lot+", the maker recorded "+u.Lot+".")
		}
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
	differs := func(r CheckReason) bool { return strings.HasPrefix(r.Code, "No_match") }
	other := func(r CheckReason) bool { return r.Code != caseDiffers }
	switch {
	case slices.ContainsFunc(c.Reasons, differs):
		c.NextStep = "Do not dispense. Set the package aside, treat it as suspect and ask the maker."
	case slices.ContainsFunc(c.Reasons, other):
		c.NextStep = "Do not dispense. Set the package aside and follow the reason above."
	case len(c.Reasons) > 0:
		c.Colour = "amber"
		c.NextStep = "Turn Caps Lock off and scan again. If the case of letters still differs, do not dispense, and ask the maker."
	case time.Duration(c.RestsOn.AgeSeconds*float64(time.Second)) > stale:
		c.Colour = "amber"
		c.Reasons = append(c.Reasons, CheckReason{Code: "Stale", Detail: "Cannot confirm: the newest certified block is older than a minute, so something newer may be unknown here."})
		c.NextStep = "Wait until the data is up to date and scan again."
	default:
		c.Colour, c.Fit = "green", true
		c.NextStep = "Verified. Dispense."
	}
}

// otherCase finds a unit with a birth record whose serial number differs from the key's in the case of
// letters only. A scanner in keyboard mode swaps the case of every letter while Caps Lock is on. People
// type all letters in one case. Each of the three is one look-up; other mixtures are not searched for.
func (s *Snapshot) otherCase(key gs1.Key) (ID, bool) {
	u, ok := key.AsSGTIN()
	if !ok {
		return ID{}, false
	}
	tried := map[string]bool{u.Serial(): true}
	for _, serial := range []string{swapCase(u.Serial()), strings.ToUpper(u.Serial()), strings.ToLower(u.Serial())} {
		if tried[serial] {
			continue
		}
		tried[serial] = true
		other, err := gs1.NewSGTIN(u.GTIN(), serial)
		if err != nil {
			continue
		}
		if known, _, ok := custody.Locate(s.View, other.Key()); ok && !known.Provisional {
			return idOf(other.Key()), true
		}
	}
	return ID{}, false
}

// swapCase makes small letters of capitals and the reverse. Serial numbers have letters of ASCII only.
func swapCase(text string) string {
	out := []byte(text)
	for i, c := range out {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' {
			out[i] = c ^ 0x20
		}
	}
	return string(out)
}

// noBirth says why a unit cannot be verified: nobody ever named it, or only others than its maker did.
func noBirth(named bool) string {
	if named {
		return "No birth record of this unit: others have reported it, its maker never put this serial number on the ledger."
	}
	return "No record of this unit: its maker never put this serial number on the ledger."
}
