package tracing

import "verilot.dev/epcis/gs1"

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
		SSCC: main.SSCC, DigitalLink: main.DigitalLink, EPC: r.EPC.Captured(), Readings: []Reading{}, Problems: []Remark{},
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
	return a, r.Key
}

func reading(r *gs1.Reading) Reading {
	out := Reading{Kind: r.Kind, GTIN: r.GTIN, Serial: r.Serial, Lot: r.Lot, SSCC: r.SSCC}
	if !r.Expiry.IsZero() {
		out.Expiry = r.Expiry.String()
	}
	if !r.Key.IsZero() {
		out.DigitalLink = r.Key.DigitalLink()
	}
	for _, f := range r.Fields {
		out.Text += "(" + f.AI + ")" + f.Value
	}
	return out
}
