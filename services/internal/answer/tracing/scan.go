package tracing

import (
	"slices"
	"strings"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/custody"
)

// Scan is what a scanned, typed or pasted text means. Every member is always there, so that scripts
// need not test for it.
type Scan struct {
	Verdict     string    `json:"verdict"` // valid, invalid or ambiguous
	Kind        string    `json:"kind"`
	GTIN        string    `json:"gtin"`
	Serial      string    `json:"serial"`
	Lot         string    `json:"lot"`
	Expiry      string    `json:"expiry"` // YYYY-MM-DD
	SSCC        string    `json:"sscc"`
	EPC         string    `json:"epc"`
	DigitalLink string    `json:"digitalLink"`
	Readings    []Reading `json:"readings"`
	Problems    []Remark  `json:"problems"`
	// Notes are what a valid scan lacks or what was odd about it: no lot, a replaced separator, an
	// unknown element.
	Notes []Remark `json:"notes"`
}

// Reading is one way to understand the text.
type Reading struct {
	Kind        string `json:"kind"`
	GTIN        string `json:"gtin"`
	Serial      string `json:"serial"`
	Lot         string `json:"lot"`
	Expiry      string `json:"expiry"`
	SSCC        string `json:"sscc"`
	DigitalLink string `json:"digitalLink"`
	// Text is the reading with its field boundaries, "(01)…(21)…": what to send instead to choose it.
	Text string `json:"text"`

	key gs1.Key
}

// Key is what the reading names; zero when it names nothing.
func (r *Reading) Key() gs1.Key { return r.key }

// Chosen says that a scan had several readings, of which only one is on the ledger.
type Chosen struct {
	Reading Reading   `json:"reading" doc:"The reading that was used"`
	Others  []Reading `json:"others" doc:"The other readings; the ledger knows nothing of them, or something else than the scan says"`
	Why     []Remark  `json:"why" doc:"Why the scan had more than one reading"`
}

// Remark is a remark on the text.
type Remark struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// ReadScan reads text. year is the current one: two-digit years of expiry dates are near it (GS1
// General Specifications 7.12).
func ReadScan(text string, year int) (Scan, gs1.Key) {
	r := gs1.ReadScan(text, year)
	main := reading(&r.Reading)
	a := Scan{
		Verdict: string(r.Verdict), Kind: main.Kind, GTIN: main.GTIN, Serial: main.Serial, Lot: main.Lot, Expiry: main.Expiry,
		SSCC: main.SSCC, DigitalLink: main.DigitalLink, EPC: r.EPC.Captured(), Readings: []Reading{}, Problems: []Remark{}, Notes: []Remark{},
	}
	if a.EPC == "" {
		a.EPC = main.DigitalLink
	}
	for i := range r.Readings {
		a.Readings = append(a.Readings, reading(&r.Readings[i]))
	}
	for _, p := range r.Problems {
		a.Problems = append(a.Problems, Remark{Code: p.Code, Detail: p.Detail})
	}
	for _, p := range r.Warnings {
		a.Notes = append(a.Notes, Remark{Code: p.Code, Detail: p.Detail})
	}
	return a, r.Key
}

// Choose picks the one reading of an ambiguous scan whose unit or container is on the ledger. Where
// several are, it is the one whose lot and expiry are the ledger's too. ok is false when that leaves
// none or more than one: then a person has to compare with the print.
//
// With Caps Lock on, it picks the reading as it was sent when the ledger has the one with its letters
// turned around, and there is no Chosen: the answer is then that letters differ (OtherCase), for the
// next scan would come out wrong as well.
func (s *Snapshot) Choose(scan *Scan) (r *Reading, c *Chosen, ok bool) {
	if scan.Verdict != string(gs1.Ambiguous) {
		return nil, nil, false
	}
	var known, agreeing []int
	for i := range scan.Readings {
		r := &scan.Readings[i]
		if !r.key.IsUnit() && r.key.Kind() != gs1.KindSSCC {
			continue
		}
		u, _, found := custody.Locate(s.View, r.key)
		if !found || u.Provisional {
			continue
		}
		known = append(known, i)
		if (r.Lot == "" || r.Lot == u.Lot) && (r.Expiry == "" || r.Expiry == u.Expiry) {
			agreeing = append(agreeing, i)
		}
	}
	if len(known) > 1 {
		known = agreeing
	}
	if len(known) != 1 {
		return nil, nil, false
	}
	only := known[0]
	if slices.ContainsFunc(scan.Problems, func(p Remark) bool { return p.Code == gs1.ProblemCapsLock }) {
		for i := only + 1; i < len(scan.Readings); i++ { // turned readings come first
			sent, turned := &scan.Readings[i], &scan.Readings[only]
			if sent.GTIN == turned.GTIN && strings.EqualFold(sent.Serial, turned.Serial) {
				return sent, nil, true
			}
		}
	}
	c = &Chosen{Reading: scan.Readings[only], Others: []Reading{}, Why: scan.Problems}
	for i := range scan.Readings {
		if i != only {
			c.Others = append(c.Others, scan.Readings[i])
		}
	}
	return &c.Reading, c, true
}

func reading(r *gs1.Reading) Reading {
	out := Reading{key: r.Key, Kind: r.Kind, GTIN: r.GTIN, Serial: r.Serial, Lot: r.Lot, SSCC: r.SSCC}
	if !r.Expiry.IsZero() {
		out.Expiry = r.Expiry.String()
	}
	if !r.Key.IsZero() {
		out.DigitalLink = r.Key.DigitalLink()
	}
	for _, f := range r.Fields {
		out.Text += "(" + f.AI + ")" + f.Value
	}
	if out.Text == "" { // it was a URN
		out.Text = out.DigitalLink
	}
	return out
}
