package query

import (
	"errors"
	"strings"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/epcis/internal/excerpt"
)

// An epcSet is the list of a MATCH_ parameter: instances, classes and patterns.
type epcSet struct {
	written  map[string]struct{}  // as the query writes them: no parsing when the event writes them alike
	keys     map[gs1.Key]struct{} // what is named exactly
	texts    []string             // of keys, when they are few
	gtins    map[string]struct{}  // classes of trade items, 14 digits
	patterns []keyPattern         // the rest
}

// A keyPattern is matched by the keys of some kinds whose text has a literal at a place.
type keyPattern struct {
	kinds   uint32 // bits 1<<gs1.Kind
	at      int
	literal string
}

func kinds(list ...gs1.Kind) (bits uint32) {
	for _, k := range list {
		bits |= 1 << k
	}
	return bits
}

// schemes are those of EPC URNs. prefix is where the company prefix stands in the key text: behind the application
// identifier, the indicator or extension digit, and the zero of a GRAI.
var schemes = map[string]struct {
	kinds  uint32
	prefix int
	parts  int    // of a URN, company prefix included
	dummy  string // parts that make a legal URN of a company prefix and a reference
}{
	"sgtin": {kinds(gs1.KindSGTIN, gs1.KindGTIN, gs1.KindLGTIN), 3, 3, ".0"},
	"lgtin": {kinds(gs1.KindLGTIN), 3, 3, ".0"},
	"upui":  {kinds(gs1.KindUPUI), 3, 3, ".0"},
	"sscc":  {kinds(gs1.KindSSCC), 3, 2, ""},
	"sgln":  {kinds(gs1.KindSGLN), 3, 3, ".0"},
	"pgln":  {kinds(gs1.KindPGLN), 3, 2, ""},
	"grai":  {kinds(gs1.KindGRAI), 5, 3, ".0"},
	"giai":  {kinds(gs1.KindGIAI), 4, 2, ""},
	"gsrn":  {kinds(gs1.KindGSRN), 4, 2, ""},
	"gsrnp": {kinds(gs1.KindGSRNP), 4, 2, ""},
	"gdti":  {kinds(gs1.KindGDTI), 3, 3, ".0"},
	"sgcn":  {kinds(gs1.KindSGCN), 3, 3, ".1"},
	"cpi":   {kinds(gs1.KindCPI), 4, 3, ".1"},
	"ginc":  {kinds(gs1.KindGINC), 3, 2, ""},
	"gsin":  {kinds(gs1.KindGSIN), 3, 2, ""},
	"itip":  {kinds(gs1.KindITIP), 5, 5, ".01.01.0"},
	// Without a GS1 key: their text is compared.
	"gid": {kinds(gs1.KindURI), 0, 3, ""}, "usdod": {kinds(gs1.KindURI), 0, 2, ""}, "adi": {kinds(gs1.KindURI), 0, 3, ""},
	"bic": {kinds(gs1.KindURI), 0, 1, ""}, "imovn": {kinds(gs1.KindURI), 0, 1, ""},
}

// add adds a value of a MATCH_ parameter. The error says what is wrong with it.
func (m *epcSet) add(s string) error {
	if m.written == nil {
		m.written, m.keys, m.gtins = map[string]struct{}{}, map[gs1.Key]struct{}{}, map[string]struct{}{}
	}
	text := s
	if strings.HasPrefix(s, "urn:epc:") {
		if strings.HasSuffix(s, "*") {
			done, err := m.addPattern(s)
			if done || err != nil {
				return err
			}
		} else if rest, ok := strings.CutPrefix(s, "urn:epc:idpat:"); ok { // a pattern without a star is what it names
			text = "urn:epc:id:" + rest
		}
	}
	epc, err := gs1.ParseEPC(text)
	if err != nil {
		if e, ok := errors.AsType[*gs1.Error](err); ok {
			return errors.New(e.Detail)
		}
		return err
	}
	m.written[s] = struct{}{}
	m.addKey(epc.Key())
	return nil
}

func (m *epcSet) addKey(k gs1.Key) {
	m.keys[k] = struct{}{}
	if len(m.texts) < manyKeys {
		m.texts = append(m.texts, k.String())
	}
	switch kind := k.Kind(); kind {
	case gs1.KindGTIN:
		g, _ := k.GTIN()
		m.gtins[g.String()] = struct{}{}
	case gs1.KindGRAI, gs1.KindGDTI, gs1.KindSGCN, gs1.KindCPI, gs1.KindITIP: // without a serial they are classes
		if k.Serial() != "" {
			return
		}
		text := k.String()
		switch kind {
		case gs1.KindCPI:
			text += "8011"
		case gs1.KindITIP:
			text += "21"
		default: // the number has a fixed length
		}
		m.patterns = append(m.patterns, keyPattern{kinds(kind), 0, text})
	default:
	}
}

// addPattern reads urn:epc:idpat:scheme:… and urn:epc:class:lgtin:… that end in stars. done is false for what is no
// pattern after all.
func (m *epcSet) addPattern(s string) (done bool, err error) {
	form, rest, _ := strings.Cut(s[len("urn:epc:"):], ":")
	name, body, ok := strings.Cut(rest, ":")
	scheme, known := schemes[name]
	switch {
	case !ok || !known:
		return false, nil // ParseEPC says what is wrong
	case form == "id" && scheme.parts > 1:
		return false, errors.New("urn:epc:id: names one thing; a pattern is written urn:epc:idpat:" + rest)
	case form != "idpat" && (form != "class" || name != "lgtin"):
		return false, nil
	}
	parts := strings.SplitN(body, ".", scheme.parts)
	if len(parts) != scheme.parts {
		return false, errors.New("a pattern of " + name + " has " + itoa(scheme.parts) + " parts with a dot between them")
	}
	literals := 0
	for i, part := range parts {
		switch {
		case part == "*":
		case literals < i:
			return false, errors.New("behind a * only * may stand")
		case part == "" || strings.Contains(part, "*"):
			return false, errors.New("a part of a pattern is a text or a * alone")
		default:
			literals++
		}
	}
	if scheme.kinds == kinds(gs1.KindURI) {
		text := "uri:urn:epc:id:" + name + ":" + strings.Join(parts[:literals], ".")
		if literals > 0 {
			text += "."
		}
		m.patterns = append(m.patterns, keyPattern{scheme.kinds, 0, text})
		return true, nil
	}
	gcp := parts[0]
	switch {
	case literals == 0:
		m.patterns = append(m.patterns, keyPattern{kinds: scheme.kinds})
		return true, nil
	case !isDigits(gcp) || len(gcp) < 6 || len(gcp) > 12:
		return false, errors.New(excerpt.Quote(gcp) + " is not a company prefix: want 6 to 12 digits")
	case literals == 1:
		m.patterns = append(m.patterns, keyPattern{scheme.kinds, scheme.prefix, gcp})
		return true, nil
	}
	// Company prefix and reference: all of one number. gs1 reads it as the number with any serial.
	example := "urn:epc:id:" + name + ":" + gcp + "." + parts[1] + scheme.dummy
	if name == "lgtin" {
		example = "urn:epc:class:lgtin:" + gcp + "." + parts[1] + scheme.dummy
	}
	if name == "itip" && literals == 4 {
		example = "urn:epc:id:itip:" + strings.Join(parts[:4], ".") + ".0"
	} else if name == "itip" && literals == 3 {
		return false, errors.New("give piece and total both, or neither")
	}
	epc, err := gs1.ParseEPC(example)
	if err != nil {
		if e, ok := errors.AsType[*gs1.Error](err); ok {
			return false, errors.New(e.Detail)
		}
		return false, err
	}
	k := epc.Key()
	switch name {
	case "sgtin":
		g, _ := k.GTIN()
		m.addKey(g.Key())
		m.written[s] = struct{}{}
	case "lgtin", "upui":
		m.patterns = append(m.patterns, keyPattern{scheme.kinds, 0, k.String()[:16]}) // 01 and the GTIN
	case "itip":
		n := len("8006") + 14
		if literals == 4 {
			n += 4
		}
		m.patterns = append(m.patterns, keyPattern{scheme.kinds, 0, k.String()[:n]})
	case "sgln":
		m.patterns = append(m.patterns, keyPattern{scheme.kinds, 0, k.String()[:len("414")+13]})
	case "cpi":
		m.addKey(class(k))
	default: // GRAI, GDTI, SGCN: the number, its class included
		m.patterns = append(m.patterns, keyPattern{scheme.kinds, 0, strings.TrimSuffix(k.String(), k.Serial())})
	}
	return true, nil
}

// class is the key of a CPI without its serial 1.
func class(k gs1.Key) gs1.Key {
	c, err := gs1.ParseKey(strings.TrimSuffix(k.String(), "80111"))
	if err != nil {
		return k
	}
	return c
}

func (m *epcSet) hasKey(k gs1.Key) bool {
	if _, ok := m.keys[k]; ok {
		return true
	}
	if len(m.gtins) > 0 {
		if text := k.String(); len(text) >= 16 && text[:2] == "01" {
			if _, ok := m.gtins[text[2:16]]; ok {
				return true
			}
		}
	}
	if len(m.patterns) == 0 {
		return false
	}
	kind, text := uint32(1)<<k.Kind(), k.String()
	for _, p := range m.patterns {
		if p.kinds&kind != 0 && len(text) >= p.at+len(p.literal) && text[p.at:p.at+len(p.literal)] == p.literal {
			return true
		}
	}
	return false
}

// A walk goes through one list of identifiers.
type walk struct {
	keys keyReader
	// head is the beginning of identifiers of trade items that no class or pattern of the list matches; "" when there is none.
	head string
}

func (m *epcSet) hasAny(list []string) bool {
	var w walk
	for _, s := range list {
		if m.has(s, &w) {
			return true
		}
	}
	return false
}

func (m *epcSet) hasClass(list []epcis.Quantity) bool {
	var w walk
	for i := range list {
		if m.has(list[i].EPCClass, &w) {
			return true
		}
	}
	return false
}

// has reads only identifiers that can match: an event may name thousands of units, and a query usually asks for others.
func (m *epcSet) has(s string, w *walk) bool {
	if _, ok := m.written[s]; ok {
		return true
	}
	head, tail := gs1.SplitEPC(s)
	if (len(m.gtins)+len(m.patterns) == 0 || head != "" && head == w.head) && isSerial(head, tail) && !m.endsIn(tail) {
		return false
	}
	k, ok := w.keys.key(s, head, tail)
	switch {
	case !ok:
		return false
	case m.hasKey(k):
		return true
	case k.IsUnit(): // the GTIN is in the head, and classes look no further
		w.head = head
	}
	return false
}

// isSerial reports whether tail ends the key of head+tail as it stands.
func isSerial(head, tail string) bool {
	switch {
	case strings.HasPrefix(head, "urn:epc:id:sgtin:"):
	case strings.HasSuffix(head, "/21/") && strings.HasPrefix(head, "http") && !strings.ContainsAny(head, "?#"):
	default:
		return false
	}
	for i := range len(tail) {
		if c := tail[i]; (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return false
		}
	}
	return tail != ""
}

// endsIn reports whether a key ends in tail, or may: with many keys it is quicker to read the identifier.
func (m *epcSet) endsIn(tail string) bool {
	for _, text := range m.texts {
		if strings.HasSuffix(text, tail) {
			return true
		}
	}
	return len(m.keys) > manyKeys
}

const manyKeys = 16

// A keyReader reads one identifier after the other, faster for a run of one prefix. It begins to read by prefix when
// a prefix comes again: reading a prefix costs more than reading an identifier.
type keyReader struct {
	last   string
	prefix gs1.Prefix
	ready  bool // prefix is that of last
}

// key reads s, which gs1.SplitEPC cut into head and tail.
func (r *keyReader) key(s, head, tail string) (gs1.Key, bool) {
	switch {
	case head != r.last || head == "":
		r.last, r.ready = head, false
	case r.ready:
		k, err := r.prefix.Key(tail)
		return k, err == nil
	default:
		if p, err := gs1.ParsePrefix(head); err == nil {
			r.prefix, r.ready = p, true
			k, err := p.Key(tail)
			return k, err == nil
		}
	}
	epc, err := gs1.ParseEPC(s)
	return epc.Key(), err == nil
}
