package gs1

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
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
	ProblemUnknownAI   = "UNKNOWN_AI"   // an application identifier we do not know; a warning where its end is known
	ProblemAmbiguous   = "AMBIGUOUS"    // a separator was lost
	ProblemSeparator   = "SEPARATOR"    // something else stands where a separator belongs
	ProblemCapsLock    = "CAPS_LOCK"    // letters are turned around
	ProblemSymbology   = "SYMBOLOGY"    // what stands in front is no symbology identifier, or not GS1's
	ProblemTwoExpiries = "TWO_EXPIRIES" // warning: expiry (17) and expiry time (7003) name two days
	ProblemExcluded    = "EXCLUDED_AI"  // warning: two application identifiers that may not stand together
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
	Expiry    Date   // from 17 or 7003; of two, the earlier
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
	Warnings    []Problem // what a valid scan lacks, or what was odd about it
}

// noting adds what a person should know: to the warnings of a valid scan, else to its problems.
func (s ScanResult) noting(notes ...Problem) ScanResult {
	if s.Verdict == Valid {
		s.Warnings = append(slices.Clone(notes), s.Warnings...)
	} else {
		s.Problems = append(slices.Clone(notes), s.Problems...)
	}
	return s
}

// maxReadings and maxSteps bound the search for readings of a hostile scan.
const (
	maxReadings = 100
	maxSteps    = 50000
)

const gs = '\x1d'

// ReadScan reads what a barcode scanner or a keyboard sent (General Specifications 3 and 7.8, docs/scans.md):
//
//   - a GS1 element string: application identifiers in any order, with variable-length values ended by GS (0x1D);
//     a symbology identifier (]d2, ]C1, ]Q3, ]e0, …), a leading GS or FNC1, trailing GS, and white space around elements
//     are dropped. GS is also accepted as U+241D or as "^]", which no GS1 value can hold;
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
// Other set-ups send something else for GS: "|", "~", a space, "[FNC1]". A sign that no GS1 value can
// hold is read as the separator when that makes every element well formed, with a warning that names
// it. "<GS>" and its like are signs that a serial may have, so then both readings are listed.
//
// An unknown application identifier whose beginning is certain, because a separator or a value of
// fixed length stands in front of it, ends at the next separator, and is a warning.
//
// refYear places two-digit years, see [ParseExpiry].
func ReadScan(scan string, refYear int) ScanResult {
	front, text := cutPrefix(strings.TrimFunc(scan, isBlank))
	text = strings.ReplaceAll(strings.ReplaceAll(text, "\u241d", "\x1d"), "^]", "\x1d")
	switch {
	case front.problem != nil:
		r := readText(text, false, refYear)
		r.Reading.Key = Key{}
		return refuse(r.Reading, *front.problem)
	case front.capsLock:
		return withCapsLock(front.id, text, refYear)
	}
	r := readText(text, front.gs1, refYear)
	if front.id != "" && !front.gs1 && r.Verdict == Valid && isDigit(text[0]) && r.EPC.Form() != FormURN && len(r.Fields) > 1 {
		r = r.noting(Problem{ProblemSymbology, "the symbol is a " + symbologies[front.id[1]] + " that does not say it is GS1's (" + front.id + "): its maker left FNC1 out, so its fields are read on trust"})
	}
	return r
}

// readText reads a scan without its symbology identifier. flagged says that the symbol said it was GS1's.
func readText(text string, flagged bool, refYear int) ScanResult {
	text = unblank(text)
	flagged = flagged || strings.HasPrefix(text, "\x1d")
	text = strings.Trim(text, "\x1d")
	switch {
	case text == "":
		return refuse(Reading{}, Problem{ProblemEmpty, "nothing was scanned"})
	case hasPrefixFold(text, "http://"), hasPrefixFold(text, "https://"):
		return readLinkScan(text, refYear)
	case hasPrefixFold(text, "urn:"):
		return readURNScan(text)
	case text[0] == '(':
		return readBrackets(text, refYear)
	case !flagged && isDigits(text):
		switch len(text) {
		case 18:
			if checkNumber("SSCC", text, 18) == "" {
				return readFields([]Field{{"00", text}}, refYear).conclude()
			}
		case 8, 12, 13, 14:
			return readFields([]Field{{"01", strings.Repeat("0", 14-len(text)) + text}}, refYear).conclude()
		}
	}
	if n, err := ParseNDC(text); err == nil && !flagged && strings.Contains(text, "-") {
		return refuse(Reading{}, Problem{ProblemNDCAsGTIN, "this looks like the NDC " + n.String() + ", which names a product, not a package; scan the 2D barcode"})
	}
	return readElements(text, flagged, refYear)
}

func refuse(r Reading, problems ...Problem) ScanResult {
	return ScanResult{Verdict: Invalid, Reading: r, Problems: problems}
}

// A reader is a reading in the making: its fields, and what was found wrong or odd about them.
type reader struct {
	reading  Reading
	problems []Problem
	unknown  []Problem // elements with an unknown application identifier
	odd      []Problem // what a person should know, though it voids nothing
	refYear  int
}

func readFields(fields []Field, refYear int) reader {
	r := reader{refYear: refYear}
	r.assemble(fields, nil)
	return r
}

// conclude turns a reading into a result.
func (r reader) conclude() ScanResult { return r.concludeAs(EPC{}) }

// concludeAs is conclude for an identifier that was scanned as a URI.
func (r reader) concludeAs(captured EPC) ScanResult {
	return conclude(r.reading, r.problems, captured).noting(slices.Concat(r.unknown, r.odd)...)
}

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
		if turned, ok := capsLockedURN(text); ok {
			return turned
		}
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
	var unknown []Problem
	for _, p := range slices.Concat(l.quals, l.query) {
		switch {
		case isAI(p.AI):
			fields = append(fields, p)
		case looksLikeAI(p.AI):
			unknown = append(unknown, unknownElement(p.AI+"="+p.Value))
		}
	}
	r := readFields(fields, refYear)
	r.unknown = unknown
	captured, err := ParseEPC(text)
	if err != nil && len(r.problems) == 0 {
		r.problems = append(r.problems, problemOf(err))
	}
	return r.concludeAs(captured)
}

// readBrackets reads (ai)value(ai)value. A bracket opens a field only when it holds a known
// application identifier: brackets are legal in serials and lots. Behind a value of digits that has
// its full length they can be no data, so there an unknown one opens a field too. White space and
// separators around a value are no part of it.
func readBrackets(text string, refYear int) ScanResult {
	r := reader{refYear: refYear}
	var fields []Field
	var problem *Problem
	for text != "" {
		ai, rest, ok := bracket(text)
		if !ok {
			head, _, _ := strings.Cut(text[1:], ")")
			problem = &Problem{ProblemUnknownAI, "(" + printable(head) + ") is not an application identifier we know"}
			break
		}
		end, unknown := valueEnd(ai, rest)
		value := strings.TrimFunc(rest[:end], func(c rune) bool { return isBlank(c) || c == gs })
		if aiFormats[ai].digitsOnly() {
			value = strings.Join(strings.FieldsFunc(value, isBlank), "")
		}
		fields = append(fields, Field{ai, value})
		text = rest[end:]
		if unknown > 0 {
			r.unknown = append(r.unknown, unknownElement(text[:unknown]))
			text = text[unknown:]
		}
	}
	r.assemble(fields, problem)
	return r.conclude()
}

// valueEnd finds where the value of an application identifier ends, and how long the unknown element
// behind it is.
func valueEnd(ai, rest string) (end, unknown int) {
	f := aiFormats[ai]
	for i := range len(rest) {
		if rest[i] != '(' {
			continue
		}
		if _, _, opens := bracket(rest[i:]); opens {
			return i, 0
		}
		head, _, closed := strings.Cut(rest[i+1:], ")")
		if closed && looksLikeAI(head) && f.digitsOnly() && len(strings.TrimFunc(rest[:i], isBlank)) == f.max {
			for j := i + 1; j < len(rest); j++ {
				if rest[j] == '(' {
					if _, _, opens := bracket(rest[j:]); opens {
						return i, j - i
					}
				}
			}
			return i, len(rest) - i
		}
	}
	return len(rest), 0
}

func bracket(s string) (ai, rest string, ok bool) {
	end := strings.IndexByte(s, ')')
	if end < 0 {
		return "", "", false
	}
	ai = strings.TrimFunc(s[1:end], isBlank)
	return ai, s[end+1:], isAI(ai)
}

// readElements reads an element string (General Specifications 7.8.6).
func readElements(text string, flagged bool, refYear int) ScanResult {
	asIs := readSeparated(text, flagged, refYear)
	if strings.IndexByte(text, gs) >= 0 {
		return asIs.conclude()
	}
	respelled, others, why := readRespelled(text, flagged, asIs)
	if respelled != nil {
		return *respelled
	}
	r, problems := asIs.reading, asIs.problems
	search := search{text: text, refYear: refYear, strict: len(problems) == 0}
	search.from(0, false)
	cut := search.steps > maxSteps || len(search.found) >= maxReadings
	if len(search.found)+len(others) == 0 && !(cut && len(problems) == 0) { // when the search was cut, silence proves nothing
		return asIs.conclude()
	}
	readings := distinct(others, search.found)
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
	return ScanResult{Verdict: Ambiguous, Readings: readings, Problems: append(why, Problem{ProblemAmbiguous, detail})}
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

// readSeparated reads the text as it stands: variable-length values run to the next GS or to the end.
// Where a text has separators, or its symbol said that it was GS1's, an unknown application identifier
// at the beginning of an element is an element of its own, up to the next GS.
func readSeparated(text string, flagged bool, refYear int) reader {
	r := reader{refYear: refYear}
	var fields []Field
	var problem *Problem
	bounded := flagged // an element begins here for certain
	trusted := flagged || strings.IndexByte(text, gs) >= 0
	for pos := 0; pos < len(text); {
		if text[pos] == gs { // also after fixed-length values, where it is superfluous but common
			pos, bounded = pos+1, true
			continue
		}
		toGS := strings.IndexByte(text[pos:], gs)
		if toGS < 0 {
			toGS = len(text) - pos
		}
		ai, f, ok := lookupAI(text[pos:])
		if !ok && bounded && trusted && toGS >= 2 && isDigits(text[pos:pos+2]) {
			r.unknown = append(r.unknown, unknownElement(text[pos:pos+toGS]))
			pos += toGS
			continue
		}
		if !ok {
			problem = &Problem{ProblemUnknownAI, "at character " + itoa(pos+1) + ": " + quoteStart(text[pos:]) + " is not an application identifier we know"}
			break
		}
		value := text[pos+len(ai) : max(pos+toGS, pos+len(ai))]
		if bounded = f.fixed(); bounded {
			value = value[:min(len(value), f.max)]
		}
		fields = append(fields, Field{ai, value})
		pos += len(ai) + len(value)
	}
	r.assemble(fields, problem)
	return r
}

func unknownElement(text string) Problem {
	return Problem{ProblemUnknownAI, quoteStart(text) + " begins with no application identifier we know; the element " + printable(text) + " was left out"}
}

func quoteStart(s string) string { return "\"" + strings.ToValidUTF8(s[:min(4, len(s))], "?") + "\"" }

// printable shortens a text for a message.
func printable(s string) string {
	if len(s) > 40 {
		s = s[:40] + "…"
	}
	return strconv.Quote(s)
}

func quoteRune(c rune) string { return fmt.Sprintf("U+%04X", c) }

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
		r := readFields(slices.Clone(s.fields), s.refYear)
		if len(r.problems) == 0 && (!s.strict || r.reading.Kind == "sgtin" && !r.reading.Expiry.IsZero()) {
			s.found = append(s.found, r.reading)
		}
		return
	}
	ai, f, ok := lookupAI(s.text[pos:])
	if !ok || slices.ContainsFunc(s.fields, func(had Field) bool { return had.AI == ai }) {
		return
	}
	pos += len(ai)
	for n := f.min; n <= f.max && pos+n <= len(s.text); n++ {
		value := s.text[pos : pos+n]
		if checkField(ai, value, s.refYear) != nil {
			continue
		}
		s.fields = append(s.fields, Field{ai, value})
		s.from(pos+n, lost || !f.fixed() && pos+n < len(s.text))
		s.fields = s.fields[:len(s.fields)-1]
	}
}

// assemble checks fields, finds the key among them and spells the reading.
func (r *reader) assemble(fields []Field, problem *Problem) {
	reading, problems := &r.reading, r.problems
	defer func() { r.problems = problems }()
	reading.Fields = fields
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
			reading.SSCC = f.Value
		case "01":
			reading.GTIN = f.Value
		case "21":
			reading.Serial = f.Value
		case "10":
			reading.Lot = f.Value
		case "17":
			reading.ExpiryRaw = f.Value
		case "414", "417":
			reading.GLN = f.Value
		case "715":
			reading.NDC = f.Value
		}
		if p := checkField(f.AI, f.Value, r.refYear); p != nil {
			problems = append(problems, *p)
		}
	}
	r.expiry(had)
	if ai, beside, ok := excluded(had); ok {
		r.odd = append(r.odd, Problem{ProblemExcluded, "(" + beside + ") may not stand beside (" + ai + "): the label was made wrong, or two symbols were scanned as one"})
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
		reading.Kind = p.kind.String()
		if p.kind == KindGTIN {
			problems = append(problems, serialProblem(*reading)...)
		}
		if len(problems) == 0 {
			k, bad := makeKey(p, "")
			if bad != nil {
				problems = append(problems, Problem{bad.Code, bad.Detail})
			}
			reading.Key = k
		}
	}
}

// expiry sets the expiry from the day (17) and from day and time (7003); checkField reports what is
// wrong with either. Of two days the earlier counts: nobody should dispense what may have expired.
func (r *reader) expiry(had map[string]string) {
	reading := &r.reading
	reading.Expiry, _ = ParseExpiry(had["17"], r.refYear)
	timed, ok := had["7003"]
	if !ok || checkField("7003", timed, r.refYear) != nil {
		return
	}
	day, _ := ParseExpiry(timed[:6], r.refYear)
	month, whole := strings.CutSuffix(reading.ExpiryRaw, "00")
	whole = whole && strings.HasPrefix(timed, month)
	if !reading.Expiry.IsZero() && day != reading.Expiry && !whole {
		r.odd = append(r.odd, Problem{ProblemTwoExpiries, "expiry (17) says " + reading.Expiry.String() + ", but expiry date and time (7003) says " + day.String() + "; the earlier day counts"})
	}
	if reading.Expiry.IsZero() || day.Before(reading.Expiry) {
		reading.Expiry = day
	}
	if reading.ExpiryRaw == "" {
		reading.ExpiryRaw = timed[:6]
	}
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
