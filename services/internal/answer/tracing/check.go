package tracing

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/custody"
)

// stale is the age from which on a check cannot be green (docs/design.md section 7).
const stale = 60 * time.Second

// Check is the answer at the counter and at the dock: is this package what it says it is, and may it be dispensed? Is
// anything wrong with this container, or with what is inside it?
type Check struct {
	ID       ID             `json:"id"`
	Colour   string         `json:"colour" enum:"green,amber,red" doc:"green: dispense, or ship; amber: cannot confirm now; red: do not"`
	Verified bool           `json:"verified" doc:"The product identifier is on the ledger as scanned; of a container: its packing, and the birth of everything inside"`
	Fit      bool           `json:"fit" doc:"Verified, and nothing speaks against dispensing; of a container: against dispensing what is inside"`
	Sellable bool           `json:"sellable" doc:"Verified, and nothing speaks against shipping it for sale, however old the answer is"`
	Reasons  []CheckReason  `json:"reasons" doc:"Gravest first"`
	NextStep string         `json:"nextStep"`
	Lot      string         `json:"lot,omitempty"`
	Expiry   string         `json:"expiry,omitempty"`
	State    string         `json:"state,omitempty"`
	Holder   *PartyRef      `json:"holder,omitempty"`
	Contents *CheckContents `json:"contents,omitempty" doc:"Of a container: what is inside, at any depth"`
	Closed   []FindingView  `json:"closed,omitempty" doc:"Findings that were closed: by which record or by whom, and with which outcome"`
	// OtherCase is set beside the reason Case_differs when the serial number itself is what differs.
	OtherCase *ID     `json:"otherCase,omitempty" doc:"The unit on the ledger whose serial number differs from this one in the case of letters only"`
	Chosen    *Chosen `json:"chosen,omitempty" doc:"The scan had several readings, and this is about the only one that is on the ledger"`
	RestsOn   AsOf    `json:"restsOn"`
}

// CheckReason is one thing that speaks against dispensing. Codes follow the DSCSA verification messages where they have a word for it.
type CheckReason struct {
	Code   string       `json:"code"`
	Detail string       `json:"detail"`
	Fault  string       `json:"fault,omitempty" enum:"suspect,recalled,held,unreleased,expired" doc:"Which of the faults of the custody rules it is, if it is one"`
	Where  string       `json:"where,omitempty" enum:"itself,around,inside" doc:"Of a fault: on the thing itself, on a container around it, or inside it"`
	Key    string       `json:"key,omitempty" doc:"Of a fault: the thing, or the container around it that has the fault"`
	Units  uint64       `json:"units,omitempty" doc:"Inside: how many units"`
	Of     uint64       `json:"of,omitempty" doc:"Inside: of how many units"`
	GTIN   string       `json:"gtin,omitempty" doc:"Of what is recalled or expired; inside a container: the first of them"`
	Lot    string       `json:"lot,omitempty"`
	Expiry string       `json:"expiry,omitempty"`
	Recall *CheckRecall `json:"recall,omitempty"`
}

// CheckRecall is the recall behind a reason.
type CheckRecall struct {
	Number         string `json:"number"`
	Classification string `json:"classification,omitempty"`
	Reason         string `json:"reason,omitempty"`
}

// CheckContents is what is inside a container, at any depth.
type CheckContents struct {
	Units uint64     `json:"units"`
	Lots  []CheckLot `json:"lots"`
}

// CheckLot is how many units of one lot and expiry are inside a container.
type CheckLot struct {
	GTIN   string            `json:"gtin"`
	Lot    string            `json:"lot,omitempty" doc:"Left out for units without a birth record"`
	Expiry string            `json:"expiry,omitempty"`
	Units  uint64            `json:"units"`
	Marked map[string]uint64 `json:"marked,omitempty" doc:"Units by mark; a recall of the whole lot is among the reasons"`
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

// Check answers whether a package is genuine and may be dispensed, and whether a container and what is inside it may be
// shipped. The custody rules say what speaks against it. The cost grows with the lots inside, not with the units.
func (s *Snapshot) Check(key gs1.Key, printed Printed) *Check {
	c := &Check{ID: idOf(key), Colour: "red", Reasons: []CheckReason{}, RestsOn: s.AsOf()}
	against := func(code, detail string) { c.Reasons = append(c.Reasons, CheckReason{Code: code, Detail: detail}) }
	u, containers, ok := custody.Locate(s.View, key)
	for _, f := range s.findings(key, containers) {
		if f.State == findingState(block.Closed) {
			c.Closed = append(c.Closed, f)
		}
	}
	if !key.IsUnit() {
		s.checkContainer(c, key, &u, ok)
		return c
	}
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
	if s.contents(c, key); c.Contents.Units == 0 {
		c.Contents = nil
	}
	s.faults(c, key)
	c.Sellable = c.Verified && len(c.Reasons) == 0
	c.decide()
	return c
}

const overlayCode = "Overlay_"

// faults adds what the custody rules have against selling or dispensing, gravest first.
func (s *Snapshot) faults(c *Check, key gs1.Key) {
	subject := "This package "
	if !key.IsUnit() {
		subject = "This container "
	}
	add := func(r custody.Reason, code string) {
		reason := CheckReason{
			Code: code, Detail: subject + r.String() + ".", Fault: r.Fault.String(), Where: r.Where.String(), Key: r.Key.String(),
			Units: r.Units, Of: r.All, GTIN: r.GTIN, Lot: r.Lot, Expiry: r.Expiry,
		}
		if r.Recall != nil {
			reason.Recall = &CheckRecall{Number: r.Recall.RecallNumber, Classification: r.Recall.Classification, Reason: r.Recall.Reason}
		}
		c.Reasons = append(c.Reasons, reason)
	}
	for _, r := range custody.Faults(s.View, key, s.Now.Format(time.DateOnly)) {
		switch {
		case r.Recall != nil:
			add(r, "Recalled")
		case r.Expiry != "":
			add(r, "Expired")
		default: // one reason for each mark
			for _, mark := range r.Marks {
				one := r
				one.Marks = []string{mark}
				if n := c.marked(mark); r.Where == custody.Within && n > 0 {
					one.Units = n
				}
				add(one, overlayCode+mark)
			}
		}
	}
}

// marked is how many units inside carry a mark.
func (c *Check) marked(mark string) (units uint64) {
	if c.Contents == nil {
		return 0
	}
	for _, lot := range c.Contents.Lots {
		units += lot.Marked[mark]
	}
	return units
}

// contents adds what is inside, and returns how many of those units have no birth record.
func (s *Snapshot) contents(c *Check, key gs1.Key) (unborn uint64) {
	inside := custody.Inside(s.View, key)
	c.Contents = &CheckContents{Units: inside.Units, Lots: []CheckLot{}}
	for _, x := range inside.Stocks {
		c.Contents.Lots = append(c.Contents.Lots, CheckLot{GTIN: x.GTIN, Lot: x.Lot, Expiry: x.Expiry, Units: x.Units, Marked: x.Marked})
		if x.Lot == "" {
			unborn += x.Units
		}
	}
	return unborn
}

// checkContainer checks a container as far as the ledger sees into it.
func (s *Snapshot) checkContainer(c *Check, key gs1.Key, u *custody.Unit, known bool) {
	against := func(r CheckReason) { c.Reasons = append(c.Reasons, r) }
	unborn := s.contents(c, key)
	c.Verified = known && !u.Provisional && c.Contents.Units > 0 && unborn == 0
	if known {
		c.State, c.Holder = u.State.String(), s.party(u.Holder)
		if u.State != custody.Active {
			against(CheckReason{Code: "Not_active", Detail: "This container was already " + u.State.String() + "."})
		}
	}
	s.faults(c, key)
	if unborn > 0 {
		against(CheckReason{
			Code: "No_match_GTIN_Serial", Where: custody.Within.String(), Units: unborn, Of: c.Contents.Units,
			Detail: fmt.Sprintf("This container contains %d units, and %d of them have no birth record: their maker never put these serial numbers on the ledger.", c.Contents.Units, unborn),
		})
	}
	c.decideContainer(known, u.Provisional)
}

// decideContainer: a container whose contents nobody recorded is amber, since the records may still come.
func (c *Check) decideContainer(known, provisional bool) {
	switch {
	case len(c.Reasons) > 0:
		c.NextStep = "Do not ship it, and dispense nothing of it. Set the container aside and follow the reason above."
		return
	case !c.Verified:
		c.Colour = "amber"
		r := CheckReason{Code: "Contents_unknown", Detail: "Nothing on the ledger names this container."}
		switch {
		case provisional:
			r.Detail = "Others have named this container, but nobody who had it has recorded that it was packed."
		case known:
			r.Detail = "Nothing is recorded inside this container."
		}
		c.Reasons = append(c.Reasons, r)
		c.NextStep = "The ledger cannot see into this container. Scan what is inside."
		return
	}
	c.Sellable = true
	if c.stale() {
		return
	}
	c.Colour, c.Fit = "green", true
	c.NextStep = "Verified. Nothing speaks against this container or what is inside."
}

// stale turns the answer amber if what it rests on is too old.
func (c *Check) stale() bool {
	if time.Duration(c.RestsOn.AgeSeconds*float64(time.Second)) <= stale {
		return false
	}
	c.Colour = "amber"
	c.Reasons = append(c.Reasons, CheckReason{Code: "Stale", Detail: "Cannot confirm: the newest certified block is older than a minute, so something newer may be unknown here."})
	c.NextStep = "Wait until the data is up to date and scan again."
	return true
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
	case c.stale():
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
