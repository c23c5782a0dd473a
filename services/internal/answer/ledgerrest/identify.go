package ledgerrest

import (
	"errors"
	"strconv"

	"verilot.dev/epcis/gs1"
	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/edge/httpapi"
)

// A named thing is what an identifier names: one key, or several readings of which the ledger may have one.
type named struct {
	key    gs1.Key
	scan   tracing.Scan
	chosen *tracing.Chosen // set by in, for a scan with several readings
	doubt  error           // why none of the readings may be taken before the ledger was looked at
}

// in looks into the ledger for the one reading that it has.
func (n *named) in(snap *tracing.Snapshot) error {
	if n.doubt == nil {
		return nil
	}
	r, chosen, ok := snap.Choose(&n.scan)
	if !ok {
		return n.doubt
	}
	n.key, n.chosen = r.Key(), chosen
	n.scan.Lot, n.scan.Expiry, n.scan.EPC = r.Lot, r.Expiry, r.DigitalLink
	return nil
}

// identify reads an identifier in any form, or says why it cannot.
func (s *service) identify(text string) (*named, error) {
	if text == "" {
		return nil, httpapi.NewProblem(httpapi.MissingParameter, "id is missing; send what is on the package: a scan, a Digital Link, an EPC URN or (01)…(21)…")
	}
	// A ledger key needs no form of its own: it is a scan without separators, and as ambiguous as one.
	scan, key := tracing.ReadScan(text, s.Now().Year())
	switch {
	case scan.Verdict == "ambiguous":
		return &named{scan: scan, doubt: ambiguous(&scan)}, nil
	case scan.Verdict != "valid" || key.IsZero():
		why := "it names no unit or container"
		if len(scan.Problems) > 0 {
			why = scan.Problems[0].Detail
		}
		p := httpapi.NewProblem(httpapi.InvalidIdentifier, "%q cannot be read: %s. Send what is on the package: a scan, a Digital Link, an EPC URN or (01)…(21)…", clip(text), why)
		for _, x := range scan.Problems {
			p.Errors = append(p.Errors, httpapi.Fault{Pointer: "query.id", Code: x.Code, Message: x.Detail})
		}
		return nil, p
	case !key.IsUnit() && key.Kind() != gs1.KindSSCC:
		return nil, httpapi.NewProblem(httpapi.InvalidIdentifier, "%q names a %s; only serialised units (GTIN and serial) and containers (SSCC) have a history. Scan the barcode on the package or the container", clip(text), key.Kind())
	}
	return &named{key: key, scan: scan}, nil
}

// ambiguous is the problem of a scan with several readings of which the ledger has none, or more than one.
func ambiguous(scan *tracing.Scan) *httpapi.Problem {
	ways := "several ways"
	if len(scan.Readings) == 1 {
		ways = "one way, which is not certain"
	}
	p := httpapi.NewProblem(httpapi.AmbiguousScan, "the scan can be read in %s: %s; or choose the reading that is printed on the package", ways, scan.Problems[0].Detail)
	for _, r := range scan.Readings {
		p.Readings = append(p.Readings, r.Text)
	}
	for _, x := range scan.Problems {
		p.Errors = append(p.Errors, httpapi.Fault{Pointer: "query.id", Code: x.Code, Message: x.Detail})
	}
	return p
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}

// LotInput names a lot in an address.
type LotInput struct {
	GTIN string `path:"gtin" doc:"GTIN-14 of the unit, or its NDC's GTIN"`
	Lot  string `path:"lot" doc:"Lot, exactly as printed"`
}

func (in *LotInput) parse() (g gs1.GTIN, err error) {
	g, err = parseGTIN(in.GTIN)
	if err != nil {
		return g, err
	}
	if _, err = gs1.NewLGTIN(g, in.Lot); err != nil {
		return g, malformed("lot", in.Lot, err, "send the lot exactly as it is printed after (10) or LOT")
	}
	return g, nil
}

// parseGTIN refuses what is no GTIN, and tells those who have something else in hand where to find one.
func parseGTIN(text string) (gs1.GTIN, error) {
	g, err := gs1.ParseGTIN(text)
	if err == nil {
		return g, nil
	}
	if n, ndcErr := gs1.ParseNDC(text); ndcErr == nil {
		p := httpapi.NewProblem(httpapi.InvalidIdentifier, "%q looks like an NDC, not a GTIN; send the 14 digits after (01) on the package", clip(text))
		if digits, ok := n.NDC10(); ok {
			if like, ok := unitGTIN(digits); ok {
				p.Detail += ", for a single package of this NDC usually " + like.String()
			}
		}
		return g, p.With(httpapi.Fault{Pointer: "path.gtin", Code: gs1.CodeGTIN, Message: "looks like an NDC, not a GTIN"})
	}
	return g, malformed("gtin", text, err, "send the 14 digits after (01) on the package")
}

// unitGTIN is the GTIN that a labeler usually gives to the each of an NDC: 0, 03, the ten digits,
// check digit.
func unitGTIN(ndc10 string) (gs1.GTIN, bool) {
	for check := range 10 {
		if g, err := gs1.ParseGTIN("003" + ndc10 + strconv.Itoa(check)); err == nil {
			return g, true
		}
	}
	return gs1.GTIN{}, false
}

// malformed is the problem of one identifier in the address that cannot be read.
func malformed(name, text string, err error, todo string) *httpapi.Problem {
	fault := httpapi.Fault{Pointer: "path." + name, Message: err.Error()}
	if g, ok := errors.AsType[*gs1.Error](err); ok {
		fault.Code, fault.Message = g.Code, g.Detail
	}
	return httpapi.NewProblem(httpapi.InvalidIdentifier, "%s %q: %s; %s", name, clip(text), fault.Message, todo).With(fault)
}
