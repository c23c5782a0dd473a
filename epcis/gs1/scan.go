package gs1

import (
	"cmp"
	"errors"
	"slices"
	"strings"
)

// Verdict is the answer to "can this scan be acted on?".
type Verdict string

// The verdicts. Ambiguous means the text has, or may have, more than one reading; nobody but a person with the
// package in hand can choose.
const (
	Valid     Verdict = "valid"
	Invalid   Verdict = "invalid"
	Ambiguous Verdict = "ambiguous"
)

// Codes of scan [Problem]s beside the FMT_ codes.
const (
	ProblemEmpty       = "EMPTY"        // nothing was scanned
	ProblemNoSerial    = "NO_SERIAL"    // a GTIN without serial: not a DSCSA product identifier
	ProblemNoKey       = "NO_KEY"       // attributes without the key they belong to
	ProblemTwoKeys     = "TWO_KEYS"     // two things in one symbol
	ProblemDuplicateAI = "DUPLICATE_AI" // one application identifier with two values
	ProblemUnknownAI   = "UNKNOWN_AI"   // an application identifier we do not know, so its end is unknown too
	ProblemAmbiguous   = "AMBIGUOUS"    // a separator was lost
	ProblemNDCAsGTIN   = "NDC_AS_GTIN"  // NDC digits where a GTIN belongs
	ProblemNotGS1      = "NOT_GS1"      // a web address or text without a GS1 identifier
	ProblemNoLot       = "NO_LOT"       // warning: a full DSCSA product identifier has a lot
	ProblemNoExpiry    = "NO_EXPIRY"    // warning: a full DSCSA product identifier has an expiry
)

// A Problem is one thing a person should know about a scan.
type Problem struct {
	Code   string // FMT_… or a Problem constant
	Detail string // a sentence
}

// A Field is one application identifier and its decoded value, as read.
type Field struct{ AI, Value string }

// A Reading is one way to understand a scan. The strings are as read, also when they are wrong; Key exists only
// when everything in the reading is well formed and names something.
type Reading struct {
	Kind      string // kind of the key ("sgtin", "sscc", "sgln", …); "gtin" for a trade item without serial; "epc"; or ""
	GTIN      string
	Serial    string
	Lot       string
	ExpiryRaw string // YYMMDD as printed; day 00 is kept here
	Expiry    Date
	SSCC      string
	GLN       string
	NDC       string // application identifier 715
	Key       Key
	Fields    []Field // everything, in the order read
}

// A ScanResult is what [ReadScan] made of a scan. For an ambiguous scan the embedded Reading is empty, because
// choosing would be guessing; for an invalid one it holds what could be read, to show to a person.
type ScanResult struct {
	Verdict Verdict
	Reading
	EPC         EPC       // the identifier as scanned, or its Digital Link when the symbol held an element string
	DigitalLink string    // canonical, "" unless valid
	Readings    []Reading // valid: the one reading; ambiguous: every self-consistent one, likeliest shape first
	Problems    []Problem // why it is not valid
	Warnings    []Problem // what a valid scan lacks
}

// maxReadings and maxSteps bound the search for readings of a hostile scan.
const (
	maxReadings = 100
	maxSteps    = 50000
)

const gs = '\x1d'

// ReadScan reads what a barcode scanner or a keyboard sent (General Specifications 3 and 7.8, docs/dscsa.md section 3):
//
//   - a GS1 element string: application identifiers in any order, with variable-length values ended by GS (0x1D);
//     a symbology identifier (]d2, ]C1, ]Q3, ]e0, …), a leading GS or FNC1, and trailing GS, CR, LF, TAB are dropped.
//     GS is also accepted as U+241D or as "^]", which no GS1 value can hold;
//   - the human-readable form (01)…(21)…;
//   - a Digital Link on any host, its query attributes (17, 10, …) included;
//   - an EPC URN or another URI;
//   - bare digits that are not flagged as GS1: 18 with a right check digit are an SSCC; 8, 12, 13 or 14 are a GTIN,
//     hence without serial; everything else is an element string.
//
// A trade item is valid only with a GTIN and a serial, because a GTIN alone is not a DSCSA product identifier.
//
// Some keyboards and scanner set-ups swallow GS. When a text holds no GS between its fields, a variable-length
// value may have run into the next field. Then every way to end the values is tried, and the scan is ambiguous when
// the text as it stands is no valid product identifier but some such reading is (even if it is just one: the
// separator was still invented), or when it is one but another reading has a serial and an expiry too. A lot alone
// does not count against a text that is valid as it stands: any "10" inside a serial would. A text with a GS inside
// comes from a scanner that sends it, and is taken at its word.
//
// refYear places two-digit years, see [ParseExpiry].
func ReadScan(scan string, refYear int) ScanResult {
	text := strings.TrimRight(scan, "\r\n\t")
	symbol := ""
	if len(text) >= 3 && text[0] == ']' {
		symbol, text = text[:3], text[3:]
	}
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\u241d", "\x1d"), "^]", "\x1d")
	flagged := strings.HasPrefix(text, "\x1d")
	switch symbol {
	case "]d2", "]C1", "]Q3", "]e0", "]J1":
		flagged = true
	}
	text = strings.Trim(text, "\x1d")
	switch {
	case text == "":
		return refuse(Reading{}, Problem{ProblemEmpty, "nothing was scanned"})
	case hasPrefixFold(text, "http://"), hasPrefixFold(text, "https://"):
		return readLinkScan(text, refYear)
	case hasPrefixFold(text, "urn:"):
		return readURNScan(text)
	case text[0] == '(':
		fields, problem := splitBrackets(text)
		r, problems := assemble(fields, problem, refYear)
		return conclude(r, problems, EPC{})
	case !flagged && isDigits(text):
		switch len(text) {
		case 18:
			if checkNumber("SSCC", text, 18) == "" {
				r, problems := assemble([]Field{{"00", text}}, nil, refYear)
				return conclude(r, problems, EPC{})
			}
		case 8, 12, 13, 14:
			r, problems := assemble([]Field{{"01", strings.Repeat("0", 14-len(text)) + text}}, nil, refYear)
			return conclude(r, problems, EPC{})
		}
	}
	if n, err := ParseNDC(text); err == nil && !flagged && strings.Contains(text, "-") {
		return refuse(Reading{}, Problem{ProblemNDCAsGTIN, "this looks like the NDC " + n.String() + ", which names a product, not a package; scan the 2D barcode"})
	}
	return readElements(text, refYear)
}

func refuse(r Reading, problems ...Problem) ScanResult {
	return ScanResult{Verdict: Invalid, Reading: r, Problems: problems}
}

// conclude turns a reading into a result.
func conclude(r Reading, problems []Problem, captured EPC) ScanResult {
	if len(problems) > 0 {
		r.Key = Key{}
		return refuse(r, problems...)
	}
	res := ScanResult{Verdict: Valid, Reading: r, DigitalLink: r.Key.DigitalLink(), Readings: []Reading{r}, EPC: captured}
	if captured.IsZero() || captured.Key() != r.Key {
		// our own Digital Link of a key always parses; were it not to, the EPC would stay zero
		res.EPC, _ = ParseEPC(res.DigitalLink)
	}
	if r.Kind == "sgtin" && captured.Form() != FormURN {
		if r.Lot == "" {
			res.Warnings = append(res.Warnings, Problem{ProblemNoLot, "no lot (10): a DSCSA product identifier has one"})
		}
		if r.Expiry.IsZero() {
			res.Warnings = append(res.Warnings, Problem{ProblemNoExpiry, "no expiry (17): a DSCSA product identifier has one"})
		}
	}
	return res
}

func readURNScan(text string) ScanResult {
	epc, err := ParseEPC(text)
	if err != nil {
		return refuse(Reading{}, problemOf(err))
	}
	r := readingOf(epc.Key())
	return conclude(r, serialProblem(r), epc)
}

func problemOf(err error) Problem {
	if e, ok := errors.AsType[*Error](err); ok {
		return Problem{e.Code, e.Detail}
	}
	return Problem{CodeEPC, err.Error()}
}

// readingOf spells a key as a reading.
func readingOf(k Key) Reading {
	r := Reading{Kind: k.Kind().String(), Key: k}
	p := k.split()
	switch p.kind {
	case KindSGTIN, KindUPUI:
		r.GTIN, r.Serial = p.id, p.tail
	case KindGTIN:
		r.GTIN = p.id
	case KindLGTIN:
		r.Kind, r.GTIN, r.Lot = "gtin", p.id, p.tail
	case KindSSCC:
		r.SSCC = p.id
	case KindSGLN, KindPGLN:
		r.GLN = p.id
	case KindURI:
		r.Kind = "epc"
	default: // the key says it all
	}
	return r
}

func serialProblem(r Reading) []Problem {
	if r.Kind != "gtin" {
		return nil
	}
	return []Problem{{ProblemNoSerial, "GTIN " + r.GTIN + " names a product, not a package: there is no serial (21); scan the 2D barcode of the package"}}
}

func readLinkScan(text string, refYear int) ScanResult {
	l, found, bad := parseLink(text)
	if bad != nil {
		return refuse(Reading{}, Problem{bad.Code, bad.Detail})
	}
	if !found {
		return refuse(Reading{}, Problem{ProblemNotGS1, "this is a web address without a GS1 identifier; scan the package's own barcode"})
	}
	value := l.key0.Value
	if l.key0.AI == "01" && len(value) < 14 {
		value = strings.Repeat("0", 14-len(value)) + value
	}
	fields := []Field{{l.key0.AI, value}}
	for _, p := range slices.Concat(l.quals, l.query) {
		if ai, _, ok := lookupAI(p.AI); ok && ai == p.AI {
			fields = append(fields, p)
		}
	}
	r, problems := assemble(fields, nil, refYear)
	captured, err := ParseEPC(text)
	if err != nil && len(problems) == 0 {
		problems = append(problems, problemOf(err))
	}
	return conclude(r, problems, captured)
}

// splitBrackets reads (ai)value(ai)value. A bracket opens a field only when it holds a known application identifier:
// brackets are legal in serials and lots.
func splitBrackets(text string) (fields []Field, problem *Problem) {
	for text != "" {
		ai, rest, ok := bracket(text)
		if !ok {
			head, _, _ := strings.Cut(text[1:], ")")
			return fields, &Problem{ProblemUnknownAI, "(" + head + ") is not an application identifier we know"}
		}
		end := len(rest)
		for i := range len(rest) {
			if rest[i] == '(' {
				if _, _, opens := bracket(rest[i:]); opens {
					end = i
					break
				}
			}
		}
		fields = append(fields, Field{ai, rest[:end]})
		text = rest[end:]
	}
	return fields, nil
}

func bracket(s string) (ai, rest string, ok bool) {
	end := strings.IndexByte(s, ')')
	if end < 3 || end > 5 {
		return "", "", false
	}
	ai, _, ok = lookupAI(s[1:end])
	return ai, s[end+1:], ok && ai == s[1:end]
}

// readElements reads an element string (General Specifications 7.8.6).
func readElements(text string, refYear int) ScanResult {
	fields, problem := splitElements(text)
	r, problems := assemble(fields, problem, refYear)
	if strings.IndexByte(text, gs) >= 0 {
		return conclude(r, problems, EPC{})
	}
	search := search{text: text, refYear: refYear, strict: len(problems) == 0}
	search.from(0, false)
	cut := search.steps > maxSteps || len(search.found) >= maxReadings
	if len(search.found) == 0 && !(cut && len(problems) == 0) { // when the search was cut, silence proves nothing
		return conclude(r, problems, EPC{})
	}
	readings := search.found
	if len(problems) == 0 || len(serialProblem(r)) > 0 && len(problems) == 1 && problems[0].Code == ProblemNoSerial {
		readings = append(readings, r) // as it stands, the text is also a well-formed reading
	}
	slices.SortStableFunc(readings, func(a, b Reading) int {
		return cmp.Or(cmp.Compare(b.completeness(), a.completeness()), cmp.Compare(len(a.Fields), len(b.Fields)))
	})
	detail := "a separator (GS) was lost: the text can be read in " + count(len(readings), "way") + "; scan again with a scanner that sends GS, or compare with the printed text"
	if cut {
		detail += " (the list is cut)"
	}
	return ScanResult{Verdict: Ambiguous, Readings: readings, Problems: []Problem{{ProblemAmbiguous, detail}}}
}

// completeness counts the four parts of a DSCSA product identifier.
func (r Reading) completeness() (n int) {
	for _, has := range []bool{r.GTIN != "", r.Serial != "", r.Lot != "", !r.Expiry.IsZero()} {
		if has {
			n++
		}
	}
	return n
}

// splitElements reads the text as it stands: variable-length values run to the next GS or to the end.
func splitElements(text string) (fields []Field, problem *Problem) {
	for pos := 0; pos < len(text); {
		if text[pos] == gs { // also after fixed-length values, where it is superfluous but common
			pos++
			continue
		}
		ai, f, ok := lookupAI(text[pos:])
		if !ok {
			return fields, &Problem{ProblemUnknownAI, "at character " + itoa(pos+1) + ": " + quoteStart(text[pos:]) + " is not an application identifier we know"}
		}
		pos += len(ai)
		end := strings.IndexByte(text[pos:], gs)
		if end < 0 {
			end = len(text) - pos
		}
		if f.rest == 0 {
			end = min(end, f.digits)
		}
		fields = append(fields, Field{ai, text[pos : pos+end]})
		pos += end
	}
	return fields, nil
}

func quoteStart(s string) string { return "\"" + strings.ToValidUTF8(s[:min(4, len(s))], "?") + "\"" }

// A search tries every way to end the variable-length values of a text without separators.
type search struct {
	text    string
	refYear int
	strict  bool // the text is valid as it stands: accept only readings with an expiry
	steps   int
	fields  []Field
	found   []Reading
}

// from reads fields from pos to the end. lost says that a value already ended without a separator.
func (s *search) from(pos int, lost bool) {
	if s.steps++; s.steps > maxSteps || len(s.found) >= maxReadings {
		return
	}
	if pos == len(s.text) {
		if !lost {
			return // the text as it stands
		}
		r, problems := assemble(slices.Clone(s.fields), nil, s.refYear)
		if len(problems) == 0 && (!s.strict || r.Kind == "sgtin" && !r.Expiry.IsZero()) {
			s.found = append(s.found, r)
		}
		return
	}
	ai, f, ok := lookupAI(s.text[pos:])
	if !ok || slices.ContainsFunc(s.fields, func(had Field) bool { return had.AI == ai }) {
		return
	}
	pos += len(ai)
	shortest, longest := f.digits, f.digits+f.rest
	if f.digits == 0 {
		shortest = 1
	}
	for n := shortest; n <= longest && pos+n <= len(s.text); n++ {
		value := s.text[pos : pos+n]
		if checkField(ai, value, s.refYear) != nil {
			continue
		}
		s.fields = append(s.fields, Field{ai, value})
		s.from(pos+n, lost || f.rest > 0 && pos+n < len(s.text))
		s.fields = s.fields[:len(s.fields)-1]
	}
}

// assemble checks fields, finds the key among them and spells the reading.
func assemble(fields []Field, problem *Problem, refYear int) (r Reading, problems []Problem) {
	r.Fields = fields
	had := make(map[string]string, len(fields))
	for _, f := range fields {
		if v, dup := had[f.AI]; dup {
			if v != f.Value {
				problems = append(problems, Problem{ProblemDuplicateAI, "application identifier " + f.AI + " occurs with two values"})
			}
			continue
		}
		had[f.AI] = f.Value
		switch f.AI {
		case "00":
			r.SSCC = f.Value
		case "01":
			r.GTIN = f.Value
		case "21":
			r.Serial = f.Value
		case "10":
			r.Lot = f.Value
		case "17":
			r.ExpiryRaw = f.Value
			r.Expiry, _ = ParseExpiry(f.Value, refYear) // checkField reports the failure
		case "414", "417":
			r.GLN = f.Value
		case "715":
			r.NDC = f.Value
		}
		if p := checkField(f.AI, f.Value, refYear); p != nil {
			problems = append(problems, *p)
		}
	}
	if p := ndcAsGTIN(had); p != nil {
		problems = append(problems, *p)
	}
	if problem != nil {
		problems = append(problems, *problem)
	}
	p, ok := keyOf(had)
	_, item := had["01"]
	_, box := had["00"]
	_, piece := had["8006"]
	switch {
	case item && (box || piece):
		problems = append(problems, Problem{ProblemTwoKeys, "the scan names two things at once; scan one symbol at a time"})
	case !ok:
		if len(problems) == 0 {
			problems = append(problems, Problem{ProblemNoKey, "the scan holds attributes but no GTIN (01), SSCC (00) or other key they belong to; scan the whole symbol"})
		}
	default:
		r.Kind = p.kind.String()
		if p.kind == KindGTIN {
			problems = append(problems, serialProblem(r)...)
		}
		if len(problems) == 0 {
			k, bad := makeKey(p, "")
			if bad != nil {
				problems = append(problems, Problem{bad.Code, bad.Detail})
			}
			r.Key = k
		}
	}
	return r, problems
}

// ndcAsGTIN finds NDC digits padded with zeros on the left where a GTIN belongs. One in ten of them passes the check
// digit, so on a serialised item four leading zeros are enough: GTINs of US drugs have 03 in second place, and
// nothing else under DSCSA carries a serial. Without a serial it may be a plain GTIN-8, so then the check digit
// decides.
func ndcAsGTIN(had map[string]string) *Problem {
	gtin := had["01"]
	if len(gtin) != 14 || !isDigits(gtin) || !strings.HasPrefix(gtin, "000") {
		return nil
	}
	_, problem := padGTIN(gtin)
	digits, four := strings.CutPrefix(gtin, "0000")
	if problem == "" && (!four || had["21"] == "") {
		return nil
	}
	if g, err := GTINFromNDC(0, digits); four && err == nil {
		return &Problem{ProblemNDCAsGTIN, "this looks like the NDC digits " + digits + " padded with zeros; their GTIN with indicator 0 would be " + g.String() + ", which has to be looked up, not assumed"}
	}
	return &Problem{ProblemNDCAsGTIN, "this looks like an NDC padded with zeros; a GTIN of a drug is an indicator digit, 03, ten NDC digits and a check digit"}
}

// keyOf picks the key among application identifiers; a logistic unit comes first, then trade items, then the rest.
func keyOf(had map[string]string) (p parts, ok bool) {
	for _, ai := range []string{"00", "01", "8006", "8003", "8004", "8010", "8017", "8018", "253", "255", "414", "417", "402", "401"} {
		value, found := had[ai]
		if !found {
			continue
		}
		p = parts{kind: linkKeys[ai].kind, id: value}
		if l := splitAt(p.kind); l > 0 && len(value) > l {
			p.id, p.tail = value[:l], value[l:]
		}
		switch ai {
		case "01":
			if serial, ok := had["21"]; ok {
				p.kind, p.tail = KindSGTIN, serial
			} else if serial, ok := had["235"]; ok {
				p.kind, p.tail = KindUPUI, serial
			}
		case "8006":
			p.tail = had["21"]
		case "8010":
			p.tail = had["8011"]
		case "414":
			p.tail = had["254"]
		}
		return p, true
	}
	return parts{}, false
}

// splitAt is where the serial begins in an element string that holds number and serial together, 0 for none.
func splitAt(k Kind) int {
	switch k {
	case KindGRAI:
		return 14
	case KindGDTI, KindSGCN:
		return 13
	default:
		return 0
	}
}
