package custody

import (
	"cmp"
	"crypto/ed25519"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/custody/books"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/registry/registrytest"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/wire"
)

var update = flag.Bool("update", false, "rewrite the expected lines of the stories and the golden vectors")

// TestStories runs testdata/*.txt. A line at the margin is something that happens or a question; the indented lines
// below it are what the rules say. How to write one is in testdata/README.md.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no stories", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := tell(t, newWorld(t), string(want))
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
				return
			}
			if d := gocmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); d != "" {
				t.Errorf("-story +rules:\n%s", d)
			}
		})
	}
}

func tell(t *testing.T, w *world, story string) string {
	t.Helper()
	var out strings.Builder
	for line := range strings.Lines(story) {
		line = strings.TrimRight(line, "\n")
		switch {
		case strings.HasPrefix(line, "  "): // what we said last time
		case line == "" || strings.HasPrefix(line, "#"):
			out.WriteString(line + "\n")
		default:
			out.WriteString(line + "\n")
			for _, a := range w.line(line) {
				out.WriteString("  " + a + "\n")
			}
		}
	}
	return out.String()
}

// A world is a small network: makers M and N, repackager R, wholesalers W and X, logistics firm L, pharmacies D and E,
// regulator G and authority A. Wholesaler V, pharmacy P and B, a maker that is a wholesaler too, have no licences.
type world struct {
	t      tester
	st     state.Store
	net    canonical.Network
	height uint64
	now    time.Time
	events map[string]*wire.Item
	at     map[string]canonical.Position // of events with a name, once judged
	last   Judgement
	again  func(state.Store) Judgement // judges the last item once more
	judged []judged
	when   Context  // of the last item, or of the block whose timers ran
	lapsed []Lapsed // by the last "later"
}

// judged is an item of a story and what the rules said of it.
type judged struct {
	it *wire.Item
	j  Judgement
}

// tester is what a world needs of testing.TB or rapid.T.
type tester interface {
	Helper()
	Fatal(args ...any)
	Fatalf(format string, args ...any)
	Errorf(format string, args ...any)
}

type cast struct{ id, role, prefix string }

var parties = []cast{
	{"M", "manufacturer", "0399990"},
	{"N", "manufacturer", "0355555"},
	{"R", "repackager", "0366666"},
	{"W", "distributor", "0377777"},
	{"X", "distributor", "0377888"},
	{"L", "3pl", "0388888"},
	{"D", "dispenser", "0311111"},
	{"E", "dispenser", "0322222"},
	{"V", "distributor", "0344444"},
	{"P", "dispenser", "0333333"},
	{"B", "manufacturer distributor", "0399111"},
	{"G", "regulator", ""},
	{"A", "authority", ""},
}

var genesisTime = time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)

func newWorld(t tester) *world {
	t.Helper()
	w := &world{t: t, st: state.NewMemory(), net: canonical.Network{1}, now: genesisTime, events: map[string]*wire.Item{}, at: map[string]canonical.Position{}}
	var acts []registry.Act
	for _, p := range parties {
		a := registry.Act{Party: partyID(p.id), Name: "Party " + p.id, Roles: strings.Fields(p.role)}
		if unlicensed := p.id == "V" || p.id == "P" || p.id == "B"; !unlicensed {
			a.Licences = registrytest.Licences(a.Party, p.role)
		}
		if p.prefix != "" {
			a.Prefixes = []string{p.prefix}
			a.GLNs = []string{gln(p.id)}
		}
		acts = append(acts, a)
	}
	key := ed25519.NewKeyFromSeed(make([]byte, 32)).Public().(ed25519.PublicKey)
	if err := registry.Seed(w.st, acts, []registry.Authority{{Party: partyID("A"), Key: key}}); err != nil {
		t.Fatal(err)
	}
	w.masterData()
	return w
}

func partyID(letter string) string { return strings.ToLower(letter) }

func prefixOf(letter string) string {
	for _, p := range parties {
		if p.id == letter {
			return p.prefix
		}
	}
	return ""
}

func withCheck(d string) string { return d + string(rune(gs1.CheckDigit(d))) }

func gln(letter string) string {
	if prefixOf(letter) == "" {
		return withCheck("099999900000") // nobody's
	}
	return withCheck(prefixOf(letter) + "00001")
}

func place(letter string) string { return "https://id.gs1.org/414/" + gln(letter) }

// gtin is the trade item of a series: u and v are packages of M and N, k are cases of M, r packages of R, b packages of B, o another product of M.
func gtin(series byte) string {
	switch series {
	case 'v':
		return withCheck("0" + prefixOf("N") + "00123")
	case 'k':
		return withCheck("5" + prefixOf("M") + "00123")
	case 'o':
		return withCheck("0" + prefixOf("M") + "00456")
	case 'b':
		return withCheck("0" + prefixOf("B") + "00123")
	case 'r':
		return withCheck("0" + prefixOf("R") + "00123")
	}
	return withCheck("0" + prefixOf("M") + "00123")
}

// key is a thing by its name in a story: c7 is a container, everything else a unit.
func key(nick string) gs1.Key {
	n, err := strconv.Atoi(nick[1:])
	if err != nil {
		panic("story: " + nick + " is not a name like u7")
	}
	text := "01" + gtin(nick[0]) + "21" + strings.ToUpper(nick)
	if nick[0] == 'c' {
		text = "00" + withCheck(fmt.Sprintf("0%s%09d", prefixOf("M"), n))
	}
	k, err := gs1.ParseKey(text)
	if err != nil {
		panic(err)
	}
	return k
}

// nick is the way back.
func nick(k gs1.Key) string {
	if k.Kind() == gs1.KindSSCC {
		n, _ := strconv.Atoi(k.String()[10:19])
		return "c" + strconv.Itoa(n)
	}
	return strings.ToLower(k.Serial())
}

func keysOf(list string) []gs1.Key {
	var keys []gs1.Key
	for part := range strings.SplitSeq(list, ",") {
		first, last, isRange := strings.Cut(part, "..")
		if !isRange {
			keys = append(keys, key(part))
			continue
		}
		a, _ := strconv.Atoi(first[1:])
		b, _ := strconv.Atoi(last[1:])
		for i := a; i <= b; i++ {
			keys = append(keys, key(first[:1]+strconv.Itoa(i)))
		}
	}
	return keys
}

// nicks writes keys short: u1..u3,c1.
func nicks(keys []gs1.Key) string {
	type one struct {
		series string
		n      int
	}
	var list []one
	for _, k := range keys {
		s := nick(k)
		n, _ := strconv.Atoi(s[1:])
		list = append(list, one{s[:1], n})
	}
	slices.SortFunc(list, func(a, b one) int {
		if c := strings.Compare(a.series, b.series); c != 0 {
			return c
		}
		return a.n - b.n
	})
	var out []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] == (one{list[i].series, list[j].n + 1}) {
			j++
		}
		s := fmt.Sprintf("%s%d", list[i].series, list[i].n)
		if j > i {
			s += fmt.Sprintf("..%s%d", list[j].series, list[j].n)
		}
		out = append(out, s)
		i = j + 1
	}
	return strings.Join(out, ",")
}

// line runs one line of a story and returns what the rules say.
func (w *world) line(line string) []string {
	words := strings.Fields(line)
	if words[0] == "?" {
		return w.ask(words[1:])
	}
	if words[0] == "later" {
		return w.later(words[1])
	}
	if words[0] == "mark" { // no event sets this overlay alone
		b := books.Open(w.st, canonical.Position{}, 1)
		b.Silent = true
		for _, k := range keysOf(words[1]) {
			b.SetMark(b.Get(k.String()), 1<<slices.Index(books.OverlayNames, words[2]), true)
		}
		b.Write()
		return nil
	}
	w.now = w.now.Add(time.Minute)
	label := ""
	draft := words[0] == "draft"
	if draft {
		words = words[1:]
	}
	if s, ok := strings.CutSuffix(words[0], ":"); ok {
		label, words = s, words[1:]
	}
	who, verb := words[0], words[1]
	var it *wire.Item
	if verb == "publishes" {
		label = words[2]
		if it = w.events[label]; it == nil {
			w.t.Fatalf("story: no event %q", label)
		}
	} else if verb == "retracts" {
		told := w.events[words[2]]
		if told == nil {
			w.t.Fatalf("story: no event %q", words[2])
		}
		ev := *told.Message.(*epcis.Event)
		ev.ErrorDeclaration = &epcis.ErrorDeclaration{DeclarationTime: w.now.Format(time.RFC3339)}
		it = &wire.Item{Kind: wire.KindEvent, Message: &ev, Committed: told.Committed}
	} else {
		it = w.item(who, verb, words[2:])
	}
	if label != "" {
		w.events[label] = it
	}
	if draft {
		return nil
	}
	w.judged = append(w.judged, judged{it, w.judge(who, it)})
	if _, told := w.at[label]; label != "" && (!told || w.last.Verdict <= block.Flagged) {
		w.at[label] = canonical.Position{Height: w.height}
	}
	return w.say(w.last)
}

func (w *world) judge(who string, it *wire.Item) Judgement {
	w.height++
	c := w.context(who)
	w.when = c
	w.again = func(st state.Store) Judgement { return Judge(st, c, it) }
	w.last = w.again(w.st)
	return w.last
}

// later lets time pass and makes a block without entries, which a ledger never has: only its timers are of interest.
func (w *world) later(by string) []string {
	w.t.Helper()
	d, err := time.ParseDuration(by)
	if err != nil {
		w.t.Fatal(err)
	}
	w.now = w.now.Add(d)
	w.height++
	c := w.context("")
	c.Pos = block.TimerCause(w.height)
	w.when, w.lapsed = c, Lapse(w.st, c)
	var out []string
	for _, l := range w.lapsed {
		out = append(out, amended(l.Amendment))
		for _, e := range l.Effects {
			if e, err := DecodeEffect(e); err != nil {
				w.t.Fatal(err)
			} else if o, ok := e.(OverlaySet); !ok || !o.Set {
				w.t.Fatalf("a timer has the effect %+v", e)
			}
		}
	}
	if out == nil {
		return []string{"nothing is due"}
	}
	return out
}

var states = []string{"", "open", "held", "closed"}

func amended(a Amendment) string {
	s := fmt.Sprintf("%s of block %d", a.Code, a.Pos.Height)
	if strings.HasPrefix(a.Subjects[0], "event:") {
		return fmt.Sprintf("%s: %s -> %s", s, states[a.Old], states[a.New])
	}
	keys := make([]gs1.Key, len(a.Subjects))
	for i, k := range a.Subjects {
		keys[i] = books.MustKey(k)
	}
	return fmt.Sprintf("%s: %s %s -> %s", s, nicks(keys), states[a.Old], states[a.New])
}

func (w *world) context(who string) Context {
	return Context{
		Network: w.net, Pos: canonical.Position{Height: w.height}, Time: w.now.UnixMilli(), Grace: (24 * time.Hour).Milliseconds(), Party: partyID(who),
		Authority: who == "A", ItemHash: canonical.Hash{byte(w.height)},
	}
}

func (w *world) say(j Judgement) []string {
	s := map[block.VerdictCode]string{block.Accepted: "accepted", block.Flagged: "flagged", block.Rejected: "rejected", block.Duplicate: "duplicate"}[j.Verdict]
	if j.Code != "" {
		s += " " + string(j.Code)
	}
	if j.Related != nil {
		s += fmt.Sprintf(" (see block %d)", j.Related.Height)
	}
	out := []string{s}
	if j.Detail != "" && j.Verdict == block.Rejected {
		out = append(out, "because "+j.Detail)
	}
	for _, f := range j.Findings {
		sev := map[block.Severity]string{block.Reject: "reject", block.Hold: "hold", block.Flag: "flag"}[f.Severity]
		line := sev + " " + string(f.Code)
		if len(f.Subjects) > 0 {
			line += " " + nicks(f.Subjects)
		}
		if j.Verdict != block.Rejected {
			line += ": " + f.Detail
		}
		out = append(out, line)
	}
	for _, a := range j.Amendments {
		out = append(out, amended(a))
	}
	return out
}

func units(list commit.List, keys []gs1.Key) []commit.Unit {
	var out []commit.Unit
	for _, k := range keys {
		out = append(out, commit.Unit{List: list, Key: k, Form: k.DigitalLink()})
	}
	return out
}

// verbs are the steps a story knows: bizStep, default action and disposition.
var verbs = map[string][3]string{
	"commissions":   {"commissioning", "ADD", "active"},
	"packs":         {"packing", "ADD", "in_progress"},
	"unpacks":       {"unpacking", "DELETE", "in_progress"},
	"ships":         {"shipping", "OBSERVE", "in_transit"},
	"voids":         {"void_shipping", "OBSERVE", "in_progress"},
	"receives":      {"receiving", "OBSERVE", "in_progress"},
	"dispenses":     {"dispensing", "OBSERVE", "dispensed"},
	"decommissions": {"decommissioning", "DELETE", "inactive"},
	"destroys":      {"destroying", "DELETE", "destroyed"},
	"holds":         {"holding", "OBSERVE", "non_sellable_other"},
	"inspects":      {"inspecting", "OBSERVE", "active"},
	"counts":        {"stock_taking", "OBSERVE", "unknown"},
	"transports":    {"transporting", "OBSERVE", "in_transit"},
	"teleports":     {"teleporting", "OBSERVE", ""},
}

func (w *world) item(who, verb string, rest []string) *wire.Item {
	arg := map[string]string{}
	var main []string
	for i := 0; i < len(rest); i++ {
		switch rest[i] {
		case "lot", "exp", "into", "from", "to", "as", "at", "action", "type", "step", "via", "gtin", "number", "size", "of", "publisher", "for", "under", "about", "id", "seller", "ndc", "with":
			arg[rest[i]] = rest[i+1]
			i++
		default:
			main = append(main, rest[i])
		}
	}
	switch verb {
	case "registers":
		return &wire.Item{Kind: wire.KindLot, Message: &registry.Lot{GTIN: gtin(seriesOf(arg["of"])), Lot: arg["lot"], Expiry: arg["exp"], Size: 1000}}
	case "describes":
		return &wire.Item{Kind: wire.KindProduct, Message: &registry.Product{GTIN: gtin(seriesOf(arg["of"])), NDC: arg["ndc"], Name: "Examplin"}}
	case "recalls", "ends":
		rc := &registry.Recall{RecallNumber: "D-1-2026", GTIN: gtin('u'), Lot: arg["lot"], Classification: "II", Reason: "fails dissolution", Status: "open"}
		if of := arg["of"]; of != "" {
			rc.GTIN = gtin(seriesOf(of))
		}
		if verb == "ends" {
			rc.Status = "ended"
		}
		for _, m := range main {
			if m == "everything" {
				continue
			}
			for _, k := range keysOf(m) {
				rc.Units = append(rc.Units, k.DigitalLink())
			}
		}
		return &wire.Item{Kind: wire.KindRecall, Message: rc}
	case "suspends", "reinstates":
		return &wire.Item{Kind: wire.KindPartyAct, Message: &registry.Act{Party: partyID(main[0]), Suspended: strconv.FormatBool(verb == "suspends")}}
	case "licenses":
		from, to, _ := strings.Cut(main[2], "..")
		return &wire.Item{Kind: wire.KindPartyAct, Message: &registry.Act{Party: partyID(main[0]), Licences: []registry.Licence{
			{Number: main[0] + "-" + from[:4], Kind: main[1], Jurisdiction: "US", ValidFrom: from, ValidTo: to},
		}}}
	case "resolves":
		m := &registry.Resolution{Outcome: arg["as"]}
		if len(main) > 0 {
			m.Code = main[0]
			m.Note = strings.Join(main[1:], " ")
		}
		pos, ok := w.at[arg["of"]]
		if !ok { // no name: the number of a block
			height, err := strconv.ParseUint(arg["of"], 10, 64)
			if err != nil {
				w.t.Fatalf("story: no event %q", arg["of"])
			}
			pos.Height = height
		}
		m.Height, m.Entry, m.Item = pos.Height, pos.Entry, pos.Item
		if arg["about"] != "" {
			for _, k := range keysOf(arg["about"]) {
				m.Units = append(m.Units, k.DigitalLink())
			}
		}
		return &wire.Item{Kind: wire.KindResolution, Message: m}
	case "anchors":
		return &wire.Item{Kind: wire.KindAnchor, Message: &registry.Anchor{}}
	case "mumbles":
		return &wire.Item{Kind: 42, Opaque: []byte{1}}
	case "introduces":
		return &wire.Item{Kind: wire.KindDocumentHeader, Message: &epcis.Header{}}
	}
	v, ok := verbs[verb]
	if !ok {
		w.t.Fatalf("story: what is %q?", verb)
	}
	ev := &epcis.Event{
		Type: "ObjectEvent", EventTime: w.now.Format(time.RFC3339), EventTimeZoneOffset: "+00:00",
		BizStep: epcis.StepPrefix + v[0], Action: v[1],
	}
	if v[2] != "" {
		ev.Disposition = epcis.DispositionPrefix + v[2]
	}
	if d := arg["as"]; d != "" {
		ev.Disposition = epcis.DispositionPrefix + d
	}
	if at := arg["at"]; at != "" {
		ev.EventTime = at
		if zone := at[len(at)-6:]; zone[3] == ':' && !strings.HasSuffix(at, "Z") {
			ev.EventTimeZoneOffset = zone
		}
	}
	if a := arg["action"]; a != "" {
		ev.Action = a
	}
	if arg["via"] != "nowhere" {
		where := who
		if arg["via"] != "" {
			where = arg["via"]
		}
		ev.ReadPoint = &epcis.Place{ID: place(where)}
		if verb != "ships" {
			ev.BizLocation = ev.ReadPoint
		}
	}
	owner := epcis.SDTPrefix + epcis.OwningParty
	if to := arg["to"]; to != "" {
		ev.SourceList = []epcis.SourceDest{{Type: owner, Value: place(who)}}
		ev.DestinationList = []epcis.SourceDest{{Type: owner, Value: place(to)}}
	}
	switch seller := arg["seller"]; seller {
	case "":
	case "nobody":
		ev.SourceList = nil
	default:
		ev.SourceList = []epcis.SourceDest{{Type: owner, Value: place(seller)}}
	}
	ev.EventID = arg["id"]
	if from := arg["of"]; from != "" { // a receiver that names its seller
		ev.SourceList = []epcis.SourceDest{{Type: owner, Value: place(from)}}
		ev.DestinationList = []epcis.SourceDest{{Type: owner, Value: place(who)}}
	}
	if to := arg["for"]; to != "" { // received by a logistics firm for its owner
		ev.DestinationList = []epcis.SourceDest{
			{Type: owner, Value: place(to)}, {Type: epcis.SDTPrefix + epcis.PossessingParty, Value: place(who)},
		}
	}
	if holder := arg["with"]; holder != "" { // received by its owner, and kept by another
		ev.DestinationList = []epcis.SourceDest{
			{Type: owner, Value: place(who)}, {Type: epcis.SDTPrefix + epcis.PossessingParty, Value: place(holder)},
		}
	}
	if number := arg["under"]; number != "" || slices.Contains(main, "rma") {
		ev.BizTransactionList = []epcis.BizTransaction{{Type: epcis.BTTPrefix + "rma", Value: "urn:epcglobal:cbv:bt:" + gln("M") + ":" + cmp.Or(number, "R1")}}
	}
	for _, f := range [][2]string{{"lotNumber", arg["lot"]}, {"itemExpirationDate", arg["exp"]}} {
		if f[1] != "" {
			ev.ILMD = append(ev.ILMD, epcis.Extension{Namespace: epcis.NamespaceMDA, Name: f[0], Type: epcis.Text, Text: f[1]})
		}
	}
	if slices.Contains(main, "declared-wrong") {
		ev.ErrorDeclaration = &epcis.ErrorDeclaration{DeclarationTime: ev.EventTime}
	}
	it := &wire.Item{Kind: wire.KindEvent, Message: ev}
	var named []gs1.Key
	for _, m := range main {
		if m != "rma" && m != "all" && m != "nothing" && m != "declared-wrong" {
			named = append(named, keysOf(m)...)
		}
	}
	switch verb {
	case "packs", "unpacks":
		ev.Type = "AggregationEvent"
		if parent := arg["into"] + arg["from"]; parent != "" {
			it.Committed.Units = units(commit.ParentID, keysOf(parent))
		}
		it.Committed.Units = append(it.Committed.Units, units(commit.ChildEPCs, named)...)
	default:
		it.Committed.Units = units(commit.EPCList, named)
	}
	if ty := arg["type"]; ty != "" {
		ev.Type = ty
	}
	return it
}

func (w *world) ask(words []string) []string {
	if words[0] == "lot" {
		g, _ := gs1.ParseGTIN(gtin('u'))
		totals, n := LotTotals(w.st, g, words[1])
		var out []string
		var sum uint64
		for _, t := range totals {
			out = append(out, fmt.Sprintf("%s %s %d", strings.ToUpper(t.Party), t.State, t.Units))
			sum += t.Units
		}
		if sum != n {
			w.t.Errorf("totals of lot %s add up to %d of %d", words[1], sum, n)
		}
		return append(out, fmt.Sprintf("commissioned %d", n))
	}
	var out []string
	for _, k := range keysOf(words[0]) {
		if len(words) > 1 && words[1] == "inside" {
			out = append(out, w.inside(k)...)
			continue
		}
		out = append(out, w.describe(k))
		if len(words) > 1 && words[1] == "findings" {
			for _, f := range Findings(w.st, k) {
				line := fmt.Sprintf("%s, block %d, open", f.Code, f.Pos.Height)
				for _, c := range f.Changes {
					line += fmt.Sprintf(" -> %s at block %d", states[c.State], c.Cause.Height)
					if r, ok := ResolvedAt(w.st, c.Cause); ok {
						line += fmt.Sprintf(" by %s: %s", strings.ToUpper(r.By), r.Outcome)
						if r.By == f.By {
							line += ", its author"
						}
					}
				}
				out = append(out, line)
			}
		}
	}
	return out
}

// inside writes what a container says of its contents.
func (w *world) inside(k gs1.Key) (out []string) {
	c := Inside(w.st, k)
	marked := func(list map[string]uint64) (s string) {
		for _, name := range books.OverlayNames {
			if n := list[name]; n > 0 {
				s += fmt.Sprintf(", %d %s", n, name)
			}
		}
		return s
	}
	out = append(out, fmt.Sprintf("%d units", c.Units)+marked(c.Things))
	for _, s := range c.Stocks {
		out = append(out, fmt.Sprintf("%d of lot %s exp %s", s.Units, s.Lot, s.Expiry)+marked(s.Marked))
	}
	for _, r := range Faults(w.st, k, w.now.Format("2006-01-02")) {
		out = append(out, r.Fault.String()+": "+r.String())
	}
	return out
}

func (w *world) describe(k gs1.Key) string {
	u, containers, ok := Locate(w.st, k)
	if !ok {
		return "unknown"
	}
	s := u.State.String()
	switch {
	case u.Phase == InTransit:
		s += ", on its way from " + strings.ToUpper(u.Holder)
		if u.To != "" {
			s += " to " + strings.ToUpper(u.To)
		}
	case u.Holder != "":
		s += ", with " + strings.ToUpper(u.Holder)
	default:
		s += ", with nobody known"
	}
	if where, ok := strings.CutPrefix(u.Place, "414"); ok {
		for _, p := range parties {
			if gln(p.id) == where {
				s += ", at " + p.id
				break
			}
		}
	} else {
		s += ", nowhere known"
	}
	if u.Owner != "" && u.Owner != u.Holder {
		s += ", owned by " + strings.ToUpper(u.Owner)
	}
	if len(containers) > 0 {
		var list []string
		for _, c := range containers {
			list = append(list, nick(c))
		}
		s += ", in " + strings.Join(list, " in ")
	}
	if u.Lot != "" {
		s += ", lot " + u.Lot + " exp " + u.Expiry
	}
	if u.Provisional {
		s += ", provisional"
	}
	if len(u.Overlays) > 0 {
		s += ", " + strings.Join(u.Overlays, "+")
	}
	return s
}
