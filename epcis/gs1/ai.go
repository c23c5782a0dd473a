package gs1

// An aiFormat is the data format of an application identifier (General Specifications 3.2): some leading digits,
// then up to rest further characters. With rest 0 the length is fixed and no separator is needed to find its end.
type aiFormat struct {
	name   string
	digits int
	rest   int
	set    *set
	date   bool
}

var digitSet = charset("0123456789")

func fixed(name string, n int) aiFormat { return aiFormat{name: name, digits: n} }
func text(name string, n int) aiFormat  { return aiFormat{name: name, rest: n, set: &cset82} }
func number(name string, n int) aiFormat {
	return aiFormat{name: name, rest: n, set: &digitSet}
}
func date(name string) aiFormat { return aiFormat{name: name, digits: 6, date: true} }

// aiFormats are the application identifiers we read (General Specifications 3.2). The measures and amounts whose
// fourth digit is a decimal position are in lookupAI.
var aiFormats = map[string]aiFormat{
	"00": fixed("SSCC", 18), "01": fixed("GTIN", 14), "02": fixed("content GTIN", 14), "03": fixed("made-to-order GTIN", 14),
	"10": text("lot", 20), "11": date("production date"), "12": date("due date"), "13": date("packaging date"),
	"15": date("best-before date"), "16": date("sell-by date"), "17": date("expiry"),
	"20": fixed("variant", 2), "21": text("serial", 20), "22": text("consumer product variant", 20),
	"235": text("third-party serial", 28), "240": text("additional item id", 30), "241": text("customer part number", 30),
	"242": number("made-to-order variation", 6), "243": text("packaging component", 20), "250": text("secondary serial", 30),
	"251": text("source entity reference", 30), "253": {name: "GDTI", digits: 13, rest: 17, set: &cset82},
	"254": text("GLN extension", 20), "255": {name: "coupon number", digits: 13, rest: 12, set: &digitSet},
	"30": number("variable count", 8), "37": number("count", 8),
	"400": text("customer order number", 30), "401": text("GINC", 30), "402": fixed("GSIN", 17), "403": text("routing code", 30),
	"410": fixed("ship-to GLN", 13), "411": fixed("bill-to GLN", 13), "412": fixed("purchased-from GLN", 13),
	"413": fixed("ship-for GLN", 13), "414": fixed("GLN", 13), "415": fixed("invoicing GLN", 13),
	"416": fixed("production GLN", 13), "417": fixed("party GLN", 13),
	"420": text("ship-to postal code", 20), "421": {name: "ship-to postal code", digits: 3, rest: 9, set: &cset82},
	"422": fixed("country of origin", 3), "423": {name: "country of processing", digits: 3, rest: 12, set: &digitSet},
	"424": fixed("country of processing", 3), "425": {name: "country of disassembly", digits: 3, rest: 12, set: &digitSet},
	"426": fixed("country of full process", 3), "427": text("country subdivision", 3),
	"710": text("national number DE", 20), "711": text("national number FR", 20), "712": text("national number ES", 20),
	"713": text("national number BR", 20), "714": text("national number PT", 20), "715": text("national number US (NDC)", 20),
	"716": text("national number IT", 20), "717": text("national number CR", 20),
	"7001": fixed("NATO stock number", 13), "7002": text("UNECE meat cut", 30), "7003": fixed("expiry date and time", 10),
	"7004": number("active potency", 4), "7006": fixed("first freeze date", 6), "7007": {name: "harvest date", digits: 6, rest: 6, set: &digitSet},
	"7020": text("refurbishment lot", 20), "7021": text("functional status", 20), "7022": text("revision status", 20),
	"7023": text("assembly GIAI", 30), "7240": text("protocol id", 20), "7241": fixed("AIDC media type", 2),
	"7242": text("version control number", 25),
	"8001": fixed("roll dimensions", 14), "8002": text("mobile phone id", 20), "8003": {name: "GRAI", digits: 14, rest: 16, set: &cset82},
	"8004": text("GIAI", 30), "8005": fixed("price per unit", 6), "8006": fixed("ITIP", 18), "8007": text("IBAN", 34),
	"8008": {name: "production date and time", digits: 8, rest: 4, set: &digitSet}, "8009": text("sensor indicator", 50),
	"8010": {name: "CPI", rest: 30, set: &cset39}, "8011": number("CPI serial", 12), "8012": text("software version", 20),
	"8013": text("global model number", 25), "8017": fixed("GSRN provider", 18), "8018": fixed("GSRN recipient", 18),
	"8019": number("service relation instance", 10), "8020": text("payment slip", 25), "8026": fixed("content ITIP", 18),
	"8110": text("coupon code", 70), "8112": text("paperless coupon", 70), "8200": text("packaging URL", 70),
	"90": text("mutually agreed", 30), "91": text("company internal", 90), "92": text("company internal", 90),
	"93": text("company internal", 90), "94": text("company internal", 90), "95": text("company internal", 90),
	"96": text("company internal", 90), "97": text("company internal", 90), "98": text("company internal", 90),
	"99": text("company internal", 90),
}

// lookupAI finds the application identifier at the start of s. They are prefix-free, so the first hit is the only
// one.
func lookupAI(s string) (ai string, f aiFormat, ok bool) {
	for n := 2; n <= 4 && n <= len(s); n++ {
		if f, ok := aiFormats[s[:n]]; ok {
			return s[:n], f, true
		}
	}
	if len(s) < 4 || !isDigits(s[:4]) {
		return "", aiFormat{}, false
	}
	ai = s[:4]
	switch family := two(s)*10 + int(s[2]-'0'); {
	case family >= 310 && family <= 369:
		return ai, fixed("measure", 6), true
	case family == 390, family == 392:
		return ai, number("amount", 15), true
	case family == 391, family == 393:
		return ai, aiFormat{name: "amount with currency", digits: 3, rest: 15, set: &digitSet}, true
	case family == 394:
		return ai, fixed("discount", 4), true
	case family == 395:
		return ai, fixed("amount per unit", 6), true
	case family == 703:
		return ai, aiFormat{name: "processor", digits: 3, rest: 27, set: &cset82}, true
	case family == 723:
		return ai, aiFormat{name: "certification", rest: 30, set: &cset82}, true
	case s[:2] == "43":
		return ai, text("ship-to detail", 70), true
	}
	return "", aiFormat{}, false
}

// codeAI is the code of a malformed value that has no code of its own.
const codeAI = "FMT_AI"

// checkField checks one value against its format, its check digit and the calendar. nil means well formed.
func checkField(ai, value string, refYear int) *Problem {
	_, f, _ := lookupAI(ai)
	code := codeOf(ai)
	if code == CodeEPC {
		code = codeAI
	}
	bad := func(detail string) *Problem { return &Problem{code, detail} }
	if f.rest == 0 && len(value) != f.digits {
		return bad(f.name + " (" + ai + ") has " + count(len(value), "character") + ", want " + count(f.digits, "digit"))
	}
	if len(value) < f.digits || f.digits > 0 && !isDigits(value[:f.digits]) {
		return bad(f.name + " (" + ai + ") must begin with " + count(f.digits, "digit"))
	}
	if f.rest > 0 && (f.digits == 0 || len(value) > f.digits) {
		if p := checkText(f.name+" ("+ai+")", value[f.digits:], f.rest, f.set, setName(f.set)); p != "" {
			return bad(p)
		}
	}
	detail := ""
	switch ai {
	case "01", "02", "03":
		_, detail = padGTIN(value)
	case "00", "402", "410", "411", "412", "413", "414", "415", "416", "417", "8017", "8018":
		detail = checkNumber(f.name, value, len(value))
	case "253", "255":
		detail = checkNumber(f.name, value[:13], 13)
	case "8003":
		detail = checkNumber(f.name, value[1:14], 13)
	case "8006", "8026":
		_, detail = padGTIN(value[:14])
	}
	if detail != "" {
		return bad(detail)
	}
	if f.date {
		if _, err := ParseExpiry(value, refYear); err != nil {
			return bad(f.name + " (" + ai + ") " + value + ": " + problemOf(err).Detail)
		}
	}
	return nil
}

func setName(s *set) string {
	switch s {
	case &digitSet:
		return "the digits"
	case &cset39:
		return "GS1 character set 39 (digits, capitals and #-/)"
	}
	return cset82Name
}
