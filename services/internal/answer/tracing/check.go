package tracing

import (
	"context"
	"time"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/custody"
	"verilot.dev/services/internal/edge/httpapi"
)

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
	RestsOn  Rest          `json:"restsOn"`
}

// CheckReason is one thing that speaks against dispensing. Codes follow the DSCSA verification messages where they have a word for it.
type CheckReason struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

func (s *Service) check(_ context.Context, in *struct {
	ID     string `query:"id" doc:"What the scanner sent"`
	Lot    string `query:"lot" doc:"Lot on the package, when the scan does not hold it"`
	Expiry string `query:"expiry" doc:"Expiry on the package, YYYY-MM-DD, when the scan does not hold it"`
},
) (out *body[Check], err error) {
	key, answer, err := s.identify(in.ID)
	if err != nil {
		return nil, err
	}
	if !key.IsUnit() {
		return nil, httpapi.NewProblem(httpapi.InvalidIdentifier, "%s is a container; only single packages are dispensed. Scan the package, or ask /v1/trace what is known of the container", key)
	}
	if in.Lot != "" {
		answer.Lot = in.Lot
	}
	if in.Expiry != "" {
		expiry, err := gs1.ParseDate(in.Expiry)
		if err != nil {
			return nil, httpapi.NewProblem(httpapi.InvalidParameter, "expiry %q is not a date; send it like 2028-03-31, or leave it out", clip(in.Expiry))
		}
		answer.Expiry = expiry.String()
	}
	err = s.read(func(r *Reader) error {
		out = &body[Check]{s.checkUnit(r, key, &answer)}
		return nil
	})
	return out, err
}

func (s *Service) checkUnit(r *Reader, key gs1.Key, printed *Scan) Check {
	c := Check{ID: IDOf(key), Colour: "red", Reasons: []CheckReason{}, RestsOn: s.rest(r.Head())}
	against := func(code, detail string) { c.Reasons = append(c.Reasons, CheckReason{Code: code, Detail: detail}) }
	u, _, ok := custody.Locate(r.View, key)
	if !ok || u.Provisional {
		against("No_match_GTIN_Serial", noBirth(ok))
		c.NextStep = "Do not dispense. Set the package aside, treat it as suspect and ask the maker."
		return c
	}
	c.Verified = true
	c.Lot, c.Expiry, c.State, c.Holder = u.Lot, u.Expiry, u.State.String(), r.Party(u.Holder)
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
	for _, rc := range r.RecallsOf(key, u.Lot) {
		against("Recalled", "Recall "+rc.RecallNumber+", class "+rc.Classification+": "+rc.Reason)
	}
	if expiry, err := gs1.ParseDate(u.Expiry); err == nil {
		now := s.Now()
		today, err := gs1.NewDate(now.Year(), int(now.Month()), now.Day())
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
