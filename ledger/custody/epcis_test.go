package custody

import (
	"errors"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/custody/books"
)

// sealing is why a name of epcis needs no vectors that only says what a submitter seals (wire.Openings).
const sealing = "what a submitter seals, which nobody judges"

// relied is what ledger/ uses of module epcis (docs/spec.md section 15): "vectors" says that epcis-consensus.json pins it,
// anything else why it needs none.
var relied = map[string]string{
	"epcis.TermKind.Word": "vectors", "epcis.EventTimeMillis": "vectors", "epcis.EventDay": "vectors", "epcis.IsJudgedILMD": "vectors",
	"epcis.KnownStep": "vectors", "epcis.KnownDisposition": "vectors",
	"epcis.NearestStep": "only in texts for people, which are not hashed", "epcis.NearestDisposition": "only in texts for people, which are not hashed",

	"epcis.IsMDA": sealing, "epcis.NamespaceHC": sealing, "epcis.DispositionPrefix": sealing, "epcis.ReasonPrefix": sealing,
	"epcis.DidNotOccur": sealing, "epcis.IncorrectData": sealing,

	"gs1.ParseEPC": "vectors", "gs1.ParseKey": "vectors", "gs1.SplitEPC": "vectors", "gs1.ParsePrefix": "vectors",
	"gs1.ParseGTIN": "vectors", "gs1.ParseGLN": "vectors", "gs1.ParseSGLN": "vectors", "gs1.NewSGLN": "vectors", "gs1.NewLGTIN": "vectors",
	"gs1.ParseDate": "vectors", "gs1.ParseNDC": "vectors",

	"epcis.StepCommissioning": "vectors", "epcis.StepPacking": "vectors", "epcis.StepUnpacking": "vectors", "epcis.StepShipping": "vectors",
	"epcis.StepVoidShipping": "vectors", "epcis.StepReceiving": "vectors", "epcis.StepDispensing": "vectors", "epcis.StepDecommissioning": "vectors",
	"epcis.StepDestroying": "vectors", "epcis.StepHolding": "vectors", "epcis.StepInspecting": "vectors",
	"epcis.DispActive": "vectors", "epcis.DispNoPedigreeMatch": "a word of CBV", "epcis.DispDamaged": "vectors", "epcis.DispExpired": "vectors", "epcis.DispNonSellable": "vectors",
	"epcis.DispPartiallyDispensed": "vectors", "epcis.DispRecalled": "vectors", "epcis.DispReturned": "vectors", "epcis.DispStolen": "vectors",
	"epcis.DispUnknown": "vectors", "epcis.OwningParty": "vectors", "epcis.PossessingParty": "vectors", "epcis.ReturnAuthorization": "vectors",
	"epcis.TermDisposition": "vectors", "epcis.TermBizTransaction": "vectors", "epcis.TermSourceDest": "vectors",
	"epcis.NoValue": "vectors", "epcis.Null": "vectors", "epcis.Empty": "vectors",
	"gs1.KindInvalid": "vectors", "gs1.KindGTIN": "vectors", "gs1.KindLGTIN": "vectors", "gs1.KindSGLN": "vectors", "gs1.KindPGLN": "vectors",

	"epcis.Event.Step": "TermKind.Word, which the vectors pin", "epcis.Event.Source": "vectors", "epcis.Event.Destination": "vectors",
	"epcis.Event.Lot": "vectors", "epcis.Event.Expiry": "vectors",
	"gs1.EPC.Key": "vectors", "gs1.Prefix.Key": "vectors", "gs1.SGLN.Key": "vectors", "gs1.LGTIN.Key": "vectors", "gs1.LGTIN.String": "vectors",
	"gs1.Key.String": "vectors", "gs1.Key.Kind": "vectors", "gs1.Key.GTIN": "vectors", "gs1.Key.GLN": "vectors", "gs1.Key.IsUnit": "vectors",
	"gs1.NDC.InGTIN": "whether NDC_MISMATCH is found: spec.md 15.2, and the stories show it", "gs1.GTIN.NDC10": "the digits that its sentence names",
	"gs1.GTIN.String": "vectors", "gs1.GLN.String": "vectors", "gs1.Date.String": "vectors",
	"gs1.Date.Before": "the order of days, which the stories with BORN_EXPIRED and DISPENSE_EXPIRED show",
	"gs1.Key.IsZero":  "whether there is a value", "gs1.GTIN.IsZero": "whether there is a value", "gs1.Date.IsZero": "whether there is a value",

	"epcis.Event": "a message of ledger/wire, whose vectors hold its bytes", "epcis.Header": "a message of ledger/wire",
	"epcis.BizTransaction": "a message of ledger/wire", "epcis.ErrorDeclaration": "a message of ledger/wire", "epcis.Extension": "a message of ledger/wire",
	"epcis.PersistentDisposition": "a message of ledger/wire", "epcis.Place": "a message of ledger/wire", "epcis.Quantity": "a message of ledger/wire",
	"epcis.SBDH": "a message of ledger/wire", "epcis.SBDHPartner": "a message of ledger/wire", "epcis.SensorElement": "a message of ledger/wire",
	"epcis.SensorMetadata": "a message of ledger/wire", "epcis.SensorReport": "a message of ledger/wire", "epcis.SourceDest": "a message of ledger/wire",
	"epcis.ValueType": "a message of ledger/wire", "epcis.Vocabulary": "a message of ledger/wire",
	"epcis.VocabularyAttribute": "a message of ledger/wire", "epcis.VocabularyElement": "a message of ledger/wire",
	"gs1.Date": "a type; ParseDate makes its values", "gs1.Error": "a type; its codes stand in the vectors", "gs1.GTIN": "a type; ParseGTIN makes its values",
	"gs1.Key": "a type; ParseEPC and ParseKey make its values", "gs1.Kind": "a type; its values stand in the vectors",
}

// reliedOn type-checks ledger/ and returns what it uses of module epcis: names of its packages, as epcis.KnownStep, and
// methods, as gs1.Key.GTIN. Fields are those of messages, whose bytes the vectors of ledger/wire hold.
func reliedOn(t *testing.T) map[string]bool {
	t.Helper()
	const format = `{{.ImportPath}}|{{.Export}}|{{.Dir}}|{{join .GoFiles ","}}`
	list, err := exec.Command("go", "list", "-deps", "-export", "-f", format, "verilot.dev/ledger/...").Output()
	if err != nil {
		t.Fatal(err)
	}
	packages := map[string][]string{} // import path -> export data, folder, sources
	for line := range strings.Lines(string(list)) {
		path, rest, _ := strings.Cut(strings.TrimSpace(line), "|")
		packages[path] = strings.Split(rest, "|")
	}
	set := token.NewFileSet()
	conf := types.Config{Importer: importer.ForCompiler(set, "gc", func(path string) (io.ReadCloser, error) { return os.Open(packages[path][0]) })}
	used := map[string]bool{}
	for path, p := range packages {
		if !strings.HasPrefix(path, "verilot.dev/ledger/") {
			continue
		}
		var files []*ast.File
		for name := range strings.SplitSeq(p[2], ",") {
			file, err := parser.ParseFile(set, filepath.Join(p[1], name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, file)
		}
		info := &types.Info{Uses: map[*ast.Ident]types.Object{}}
		pkg, err := conf.Check(path, set, files, info)
		if err != nil {
			t.Fatal(err)
		}
		for _, to := range pkg.Imports() {
			if to := to.Path(); strings.HasPrefix(to, "verilot.dev/epcis/") && to != "verilot.dev/epcis/gs1" {
				t.Errorf("%s imports %s: the ledger relies on verilot.dev/epcis and epcis/gs1 only", path, to)
			}
		}
		for _, o := range info.Uses {
			if o.Pkg() == nil || !strings.HasPrefix(o.Pkg().Path(), "verilot.dev/epcis") {
				continue
			}
			if fn, ok := o.(*types.Func); ok && fn.Signature().Recv() != nil {
				recv := types.TypeString(fn.Signature().Recv().Type(), (*types.Package).Name)
				used[strings.TrimPrefix(recv, "*")+"."+o.Name()] = true
			} else if o.Parent() == o.Pkg().Scope() {
				used[o.Pkg().Name()+"."+o.Name()] = true
			}
		}
	}
	return used
}

// Whoever makes the ledger rely on more of module epcis says here, and in docs/spec.md section 15, on what.
func TestWhatIsReliedOn(t *testing.T) {
	used := reliedOn(t)
	page, err := os.ReadFile("../../docs/spec.md")
	if err != nil {
		t.Fatal(err)
	}
	for name := range used {
		if relied[name] == "" {
			t.Errorf("ledger/ uses %s: list it here and, if a value of it is judged or hashed, pin it with vectors and in docs/spec.md section 15", name)
		}
	}
	for name, why := range relied {
		if !used[name] {
			t.Errorf("ledger/ does not use %s any more", name)
		}
		if _, short, _ := strings.Cut(name, "."); why == "vectors" && strings.HasPrefix(short, "Parse") && !strings.Contains(string(page), "`"+short+"`") {
			t.Errorf("docs/spec.md section 15 does not name %s", short)
		}
	}
}

// A value, or the code of what cannot be read.
func valueOr(value string, err error) string {
	if err == nil {
		return value
	}
	if e, ok := errors.AsType[*gs1.Error](err); ok {
		return "error " + e.Code
	}
	return "error"
}

// The words of CBV 2.0.
var (
	cbvSteps = strings.Fields(`accepting arriving assembling collecting commissioning consigning creating_class_instance
		cycle_counting decommissioning departing destroying disassembling dispensing encoding entering_exiting holding
		inspecting installing killing loading other packing picking receiving removing repackaging repairing replacing
		reserving retail_selling sampling sensor_reporting shipping staging_outbound stock_taking stocking storing
		transporting unloading unpacking void_shipping`)
	cbvDispositions = strings.Fields(`active available completeness_inferred completeness_verified conformant
		container_closed container_open damaged destroyed dispensed disposed encoded expired in_progress in_transit
		inactive mismatch_class mismatch_instance mismatch_quantity needs_replacement no_pedigree_match non_conformant
		non_sellable_other partially_dispensed recalled reserved retail_sold returned sellable_accessible
		sellable_not_accessible stolen unavailable unknown`)
)

var epcSpellings = []string{
	"urn:epc:id:sgtin:0399990.001234.A1", "urn:epc:id:sgtin:039999.0001234.A1", "URN:EPC:ID:SGTIN:0399990.001234.A1", "urn:epc:id:SGTIN:0399990.001234.A1",
	"urn:epc:id:sgtin:0399990.001234.A%2F1", "urn:epc:id:sgtin:0399990.001234.A%2f1", "urn:epc:id:sgtin:0399990.001234.A/1", "urn:epc:id:sgtin:0399990.001234.a1",
	"urn:epc:id:sgtin:0399990.001234.%41", "urn:epc:id:sgtin:0399990.001234.", "urn:epc:id:sgtin:0399990.001234", "urn:epc:id:sgtin:0399990.00123.A1",
	"urn:epc:id:sgtin:0399990.001234.A.1", "urn:epc:id:sgtin:0399990.001234.A 1", "urn:epc:id:sgtin:0399990.001234.0", "urn:epc:id:sgtin:0399990.001234.00",
	"urn:epc:id:sgtin:0399990.001234." + strings.Repeat("A", 20), "urn:epc:id:sgtin:0399990.001234." + strings.Repeat("A", 21), "urn:epc:id:sgtin:0399990.001234.é",
	"urn:epc:idpat:sgtin:0399990.001234.*", "urn:epc:idpat:sgtin:0399990.001234.A", "urn:epc:idpat:sgtin:0399990.*.*", "urn:epc:class:lgtin:0399990.001234.LOT/1",
	"urn:epc:class:lgtin:0399990.001234.LOT%2F1", "urn:epc:id:sscc:0399990.5000000001", "urn:epc:id:sscc:0399990.500000001", "urn:epc:id:sgln:0399990.00001.0",
	"urn:epc:id:sgln:0399990.00001.dock%2F4", "urn:epc:id:sgln:0399990.00001", "urn:epc:id:pgln:0399990.00001", "urn:epc:id:grai:0399990.00001.7",
	"urn:epc:id:giai:0399990.X7", "urn:epc:id:gdti:0399990.00001.7", "urn:epc:id:sgcn:0399990.00001.7", "urn:epc:id:gsrn:0399990.0000000001",
	"urn:epc:id:gsrnp:0399990.0000000001", "urn:epc:id:cpi:0399990.AB.7", "urn:epc:id:ginc:0399990.X7", "urn:epc:id:gsin:0399990.000000001",
	"urn:epc:id:itip:0399990.001234.01.02.A1", "urn:epc:id:upui:0399990.001234.A1", "urn:epc:id:gid:95100000.12345.400", "urn:epc:id:nosuch:1.2.3",
	"https://id.gs1.org/01/00399990012347/21/A1", "http://id.gs1.org/01/00399990012347/21/A1", "HTTPS://ID.GS1.ORG/01/00399990012347/21/A1",
	"https://example.com/some/path/01/00399990012347/21/A1", "https://example.com/01/00399990012347/10/LOT/21/A1", "https://example.com/01/00399990012347/10/LOT",
	"https://example.com/01/399990012347/21/A1", "https://example.com/gtin/00399990012347/ser/A1", "https://example.com/01/00399990012347/21/A%2F1",
	"https://example.com/01/00399990012347/21/A1?17=280331", "https://example.com/01/00399990012347/21/A1/", "https://example.com/01/00399990012347/21/",
	"https://example.com/01/00399990012347", "https://example.com/01/00399990012340/21/A1", "https://example.com/01/0039999001234/21/A1",
	"https://example.com/00/503999900000000011", "https://example.com/00/003999905000000010", "https://example.com/414/0399990000016",
	"https://example.com/414/0399990000016/254/dock", "https://example.com/414/0399990000016/254/0", "https://example.com/414/0399990000017", "https://example.com/417/0399990000016",
	"https://example.com/8003/00399990000016X7", "https://example.com/8004/0399990X7", "https://example.com/8006/003999900123470102/21/A1",
	"https://example.com/8010/0399990AB/8011/7", "https://example.com/", "https://example.com/about", "urn:uuid:0192e3f0-0000-7000-8000-000000000000", "urn:jaif:id:obj:37SUN321456789A001",
	"tag:example.com,2026:x", "mailto:a@example.com", "x:", "x:y", "u1", "", " urn:epc:id:sgtin:0399990.001234.A1", "urn:epc:id:sgtin:0399990.001234.A1 ", "00399990012347", "(01)00399990012347(21)A1",
	"x:" + strings.Repeat("y", 2046), "x:" + strings.Repeat("y", 2047),
}

func TestEPCISVectors(t *testing.T) {
	type value struct {
		In  string `json:"in"`
		Out string `json:"out"`
	}
	table := func(inputs []string, fn func(string) string) (out []value) {
		for _, in := range inputs {
			out = append(out, value{in, fn(in)})
		}
		return out
	}
	yes := map[bool]string{true: "yes", false: "no"}

	type when struct {
		Time   string `json:"eventTime"`
		Offset string `json:"offset"`
		Millis string `json:"millis"`
		Day    string `json:"day"`
	}
	var times []when
	for _, x := range [][2]string{
		{"2026-03-02T09:30:00.123-05:00", "-05:00"},
		{"2026-03-02T09:30:00.1239-05:00", "+00:00"},
		{"2026-03-02T14:30:00.123Z", "-05:00"},
		{"2026-03-02T14:30:00Z", ""},
		{"2026-03-02T09:30:00", "-05:00"},
		{"2026-03-02T09:30:00", ""},
		{"2026-03-02T09:30:00", "Z"},
		{"2026-03-02T09:30:00", " +01:00 "},
		{"2026-03-02T09:30:00", "+14:00"},
		{"2026-03-02T09:30:00", "+14:01"},
		{"2026-03-02T09:30:00", "-0500"},
		{" 2026-03-02T14:30:00Z\n", "+00:00"},
		{"2026-03-02T14:30:00z", "+00:00"},
		{"2026-03-02t14:30:00Z", "+00:00"},
		{"2026-03-02 14:30:00Z", "+00:00"},
		{"2026-03-02T14:30Z", "+00:00"},
		{"2026-03-02", "+00:00"},
		{"2026-03-02T24:00:00Z", "+00:00"},
		{"2026-03-02T24:00:00.0Z", "+00:00"},
		{"2026-03-02T24:00:00.1Z", "+00:00"},
		{"2026-03-02T24:00:01Z", "+00:00"},
		{"2026-03-02T23:59:60Z", "+00:00"},
		{"2026-02-29T00:00:00Z", "+00:00"},
		{"2028-02-29T00:00:00Z", "+00:00"},
		{"2100-02-29T00:00:00Z", "+00:00"},
		{"1969-12-31T23:59:59.9999Z", "+00:00"},
		{"0001-01-01T00:00:00Z", "+00:00"},
		{"0000-01-01T00:00:00Z", "+00:00"},
		{"9999-12-31T23:59:59.999Z", "+00:00"},
		{"10000-01-01T00:00:00Z", "+00:00"},
		{"-0001-01-01T00:00:00Z", "+00:00"},
		{"2026-03-02T14:30:00.Z", "+00:00"},
		{"2026-03-02T14:30:00,5Z", "+00:00"},
		{"2026-03-02T14:30:00+0000", "+00:00"},
		{"2026-03-02T14:30:00-14:00", "+00:00"},
		{"2026-03-02T14:30:00+14:59", "+00:00"},
		{"", "+00:00"},
		{"yesterday", "+00:00"},
		{"2026-12-31T23:30:00-05:00", "-05:00"},
		{"2026-12-31T23:30:00-05:00", "+00:00"},
		{"2027-01-01T04:30:00Z", "-05:00"},
		{"2026-12-31T23:30:00-05:00", ""},
		{"2026-12-31T23:30:00-05:00", "Z"},
		{"2026-12-31T23:30:00", "-05:00"},
		{"2026-12-31T24:00:00Z", "+00:00"},
		{"9999-12-31T23:59:59.999Z", "+14:00"},
		{"0001-01-01T00:00:00Z", "-14:00"},
	} {
		ev := &epcis.Event{EventTime: x[0], EventTimeZoneOffset: x[1]}
		ms, err := epcis.EventTimeMillis(ev)
		day, noDay := epcis.EventDay(ev)
		if (err == nil) != (noDay == nil) {
			t.Errorf("%q: time %v, day %v", x, err, noDay)
		}
		times = append(times, when{x[0], x[1], valueOr(strconv.FormatInt(ms, 10), err), valueOr(day, noDay)})
	}

	type element struct {
		Namespace string `json:"namespace"`
		Name      string `json:"name"`
		Judged    bool   `json:"judged"`
	}
	var elements []element
	for _, x := range [][2]string{
		{"urn:epcglobal:cbv:mda", "lotNumber"},
		{"urn:epcglobal:cbv:mda:", "lotNumber"},
		{"urn:epcglobal:cbv:mda#", "itemExpirationDate"},
		{"http://epcis.gs1us.org/hc/ns", "lotNumber"},
		{"http://epcis.gs1us.org/hc/ns", "itemExpirationDate"},
		{"urn:epcglobal:cbv:mda/", "lotNumber"},
		{"URN:EPCGLOBAL:CBV:MDA", "lotNumber"},
		{"", "lotNumber"},
		{"https://ref.gs1.org/cbv/", "lotNumber"},
		{"urn:epcglobal:cbv:mda", "lotnumber"},
		{"urn:epcglobal:cbv:mda", "bestBeforeDate"},
		{"http://epcis.gs1us.org/hc/ns/", "lotNumber"},
	} {
		elements = append(elements, element{x[0], x[1], epcis.IsJudgedILMD(x[0], x[1])})
	}

	type ilmd struct {
		Texts  [][3]string `json:"texts"` // namespace, name, text
		Lot    string      `json:"lot"`
		Expiry string      `json:"expiry"`
	}
	var births []ilmd
	const mda, hc = "urn:epcglobal:cbv:mda", "http://epcis.gs1us.org/hc/ns"
	for _, texts := range [][][3]string{
		{{mda, "lotNumber", "A"}, {mda, "itemExpirationDate", "2028-03-31"}},
		{{hc, "lotNumber", " A\t"}, {mda + "#", "itemExpirationDate", "\n2028-03-31"}},
		{{mda, "lotNumber", "A"}, {mda, "lotNumber", "B"}, {hc, "itemExpirationDate", ""}, {mda, "itemExpirationDate", "2028-03-31"}},
		{{"urn:x", "lotNumber", "A"}, {mda, "lotNumber", " "}, {mda, "itemExpirationDate", "\u00a02028-03-31"}},
	} {
		ev := &epcis.Event{}
		for _, x := range texts {
			ev.ILMD = append(ev.ILMD, epcis.Extension{Namespace: x[0], Name: x[1], Type: epcis.Text, Text: x[2]})
		}
		births = append(births, ilmd{texts, ev.Lot(), ev.Expiry()})
	}

	type parties struct {
		List       [][2]string `json:"list"` // type, value
		Owning     string      `json:"owningParty"`
		Possessing string      `json:"possessingParty"`
	}
	var typed []parties
	for _, list := range [][][2]string{
		{{"urn:epcglobal:cbv:sdt:possessing_party", "p"}, {"urn:epcglobal:cbv:sdt:owning_party", "o"}, {"owning_party", "second"}},
		{{"https://ref.gs1.org/cbv/SDT-owning_party", "o"}, {"OWNING_PARTY", "second"}},
		{{"urn:epcglobal:cbv:sdt:location", "l"}, {"urn:epcglobal:cbv:sdt:owning_party", ""}, {"owning_party", "second"}},
	} {
		ev := &epcis.Event{}
		for _, x := range list {
			ev.DestinationList = append(ev.DestinationList, epcis.SourceDest{Type: x[0], Value: x[1]})
		}
		ev.SourceList = ev.DestinationList
		typed = append(typed, parties{list, ev.Destination(epcis.OwningParty), ev.Destination(epcis.PossessingParty)})
		if ev.Source(epcis.OwningParty) != ev.Destination(epcis.OwningParty) {
			t.Error("sources are read otherwise than destinations")
		}
	}

	type epc struct {
		In   string `json:"in"`
		Key  string `json:"key"`
		Kind string `json:"kind,omitempty"`
		GTIN string `json:"gtin,omitempty"`
		GLN  string `json:"gln,omitempty"`
		Cut  int    `json:"cut"` // bytes of the prefix that SplitEPC cuts off
	}
	var epcs []epc
	var keys []string
	for _, in := range epcSpellings {
		prefix, tail := gs1.SplitEPC(in)
		x := epc{In: in, Cut: len(prefix)}
		e, err := gs1.ParseEPC(in)
		x.Key = valueOr(e.Key().String(), err)
		if err == nil {
			k := e.Key()
			x.Kind = k.Kind().String()
			if g, ok := k.GTIN(); ok {
				x.GTIN = g.String()
			}
			if g, ok := k.GLN(); ok {
				x.GLN = g.String()
			}
			if k.IsUnit() != (k.Kind() == gs1.KindSGTIN) || k.IsUnit() != books.IsUnit(k.String()) {
				t.Errorf("%s: unit or not", in)
			}
			if !slices.Contains(keys, k.String()) {
				keys = append(keys, k.String())
			}
		}
		epcs = append(epcs, x)
		// A run of EPCs is read from its prefix and gives the same.
		if p, err := gs1.ParsePrefix(prefix); err == nil {
			k, err := p.Key(tail)
			if got := valueOr(k.String(), err); got != x.Key {
				t.Errorf("%q: read in a run %s, alone %s", in, got, x.Key)
			}
		} else if !strings.HasPrefix(x.Key, "error") {
			t.Errorf("%q: not readable in a run: %v", in, err)
		}
	}

	words := map[string][]string{
		"steps": {
			epcis.StepCommissioning, epcis.StepPacking, epcis.StepUnpacking, epcis.StepShipping, epcis.StepVoidShipping, epcis.StepReceiving, epcis.StepDispensing,
			epcis.StepDecommissioning, epcis.StepDestroying, epcis.StepHolding, epcis.StepInspecting,
		},
		"dispositions": {
			epcis.DispNonSellable, epcis.DispUnknown, epcis.DispDamaged, epcis.DispExpired, epcis.DispRecalled, epcis.DispReturned, epcis.DispStolen, epcis.DispActive,
			epcis.DispPartiallyDispensed,
		},
		"types": {epcis.OwningParty, epcis.PossessingParty, epcis.ReturnAuthorization},
	}
	// A word more or less in either list judges events otherwise, whether a vector has it or not.
	if d := cmp.Diff(cbvSteps, epcis.Steps()); d != "" {
		t.Errorf("KnownStep knows other steps than the vectors list: a fork\n%s", d)
	}
	if d := cmp.Diff(cbvDispositions, epcis.Dispositions()); d != "" {
		t.Errorf("KnownDisposition knows other dispositions than the vectors list: a fork\n%s", d)
	}
	gtinOfVector, _ := gs1.ParseGTIN("00399990012347")
	glnOfVector, _ := gs1.ParseGLN("0399990000016")

	golden(t, "epcis-consensus.json", struct {
		Comment      string              `json:"comment"`
		Times        []when              `json:"eventTimeMillis"`
		Names        map[string][]value  `json:"word"`
		Steps        []value             `json:"knownStep"`
		Dispositions []value             `json:"knownDisposition"`
		Words        map[string][]string `json:"words"`
		ValueTypes   map[string]uint8    `json:"valueTypes"`
		Judged       []element           `json:"judgedILMD"`
		ILMD         []ilmd              `json:"lotAndExpiry"`
		Parties      []parties           `json:"sourcesAndDestinations"`
		EPCs         []epc               `json:"epcs"`
		Keys         []value             `json:"keyTexts"`
		GTINs        []value             `json:"gtins"`
		GLNs         []value             `json:"glns"`
		SGLNs        []value             `json:"sglns"`
		Extensions   []value             `json:"sglnExtensions"`
		Lots         []value             `json:"lots"`
		Dates        []value             `json:"dates"`
		NDCs         []value             `json:"ndcsInGTIN"`
	}{
		Comment: "docs/spec.md section 15: what the validators read with module epcis. A change of any value here is a fork. \"error CODE\" is what cannot be read, and its verdict.",
		Times:   times,
		Names: map[string][]value{
			"bizStep": table([]string{
				"urn:epcglobal:cbv:bizstep:shipping", "https://ref.gs1.org/cbv/BizStep-shipping", "http://ref.gs1.org/cbv/BizStep-Void_Shipping", "https://ns.gs1.org/cbv/BizStep-shipping",
				"cbv:BizStep-shipping", "shipping", " Shipping\n", "SHIPPING", "\u00a0shipping", "URN:EPCGLOBAL:CBV:BizStep:Shipping", "urn:epcglobal:cbv:bizstep:Teleporting", "Teleporting",
				"urn:acme:bizstep:shipping", "urn:epcglobal:cbv:disp:shipping", "https://example.com/cbv/BizStep-shipping", "https://ref.gs1.org/cbv/shipping", "https://ref.gs1.org/cbv/BizStep-",
				"https://ref.gs1.org/cbv/BizStep-a-b", "urn:epcglobal:cbv:bizstep:", "a:b:c", "", "\u0130STANBUL", "ref.gs1.org/cbv/BizStep-shipping",
			}, epcis.TermBizStep.Word),
			"disposition": table([]string{
				"urn:epcglobal:cbv:disp:in_transit", "https://ref.gs1.org/cbv/Disp-in_transit", "cbv:Disp-in_transit", "In_Transit", "urn:acme:disp:recalled", "urn:epcglobal:cbv:bizstep:recalled",
			}, epcis.TermDisposition.Word),
			"bizTransaction": table([]string{"urn:epcglobal:cbv:btt:rma", "https://ref.gs1.org/cbv/BTT-rma", "cbv:BTT-rma", "RMA", "urn:acme:btt:rma"}, epcis.TermBizTransaction.Word),
			"sourceDest":     table([]string{"urn:epcglobal:cbv:sdt:owning_party", "https://ref.gs1.org/cbv/SDT-owning_party", "cbv:SDT-owning_party", "Owning_Party", "urn:acme:sdt:owning_party"}, epcis.TermSourceDest.Word),
		},
		Steps:        table(append(slices.Clone(cbvSteps), "urn:epcglobal:cbv:bizstep:Shipping", "teleporting", "ship", "retail_sale", "urn:acme:bizstep:shipping", "cbv:BizStep-shipping", ""), func(s string) string { return yes[epcis.KnownStep(s)] }),
		Dispositions: table(append(slices.Clone(cbvDispositions), "https://ref.gs1.org/cbv/Disp-in_transit", "lost", "in transit", "urn:acme:disp:expired", ""), func(s string) string { return yes[epcis.KnownDisposition(s)] }),
		Words:        words,
		ValueTypes: map[string]uint8{
			"none": uint8(epcis.NoValue), "text": uint8(epcis.Text), "number": uint8(epcis.Number), "boolean": uint8(epcis.Boolean), "null": uint8(epcis.Null), "empty": uint8(epcis.Empty),
		},
		Judged: elements, ILMD: births, Parties: typed, EPCs: epcs,
		Keys: table(append(keys, "0100399990012340"+"21A", "01"+"00399990012347"+"21", "414"+"0399990000016"+"2540", "uri:urn:epc:id:sgtin:0399990.001234.A1", "uri:", "99", ""), func(s string) string {
			k, err := gs1.ParseKey(s)
			return valueOr(k.Kind().String(), err)
		}),
		GTINs: table([]string{"00399990012347", "399990012347", "0399990012347", "12345670", "00399990012340", "0039999001234", "", "0039999001234A", " 00399990012347", "００３９９９９００１２３４７"}, func(s string) string {
			g, err := gs1.ParseGTIN(s)
			return valueOr(g.String(), err)
		}),
		GLNs: table([]string{"0399990000016", "0399990000017", "399990000016", "0399990000016 ", ""}, func(s string) string {
			g, err := gs1.ParseGLN(s)
			return valueOr(g.String(), err)
		}),
		SGLNs: table([]string{"4140399990000016", "4140399990000016254dock", "urn:epc:id:sgln:0399990.00001.0", "https://id.gs1.org/414/0399990000016/254/dock", "urn:epc:id:pgln:0399990.00001", "0399990000016", "nowhere"}, func(s string) string {
			g, err := gs1.ParseSGLN(s)
			return valueOr(g.Key().String(), err)
		}),
		Extensions: table([]string{"", "0", "00", "dock 4", "dock/4", strings.Repeat("X", 20), strings.Repeat("X", 21)}, func(s string) string {
			g, err := gs1.NewSGLN(glnOfVector, s)
			return valueOr(g.Key().String(), err)
		}),
		Lots: table([]string{"A", "a", "0", "LOT/1", "LOT 1", "LOT#1", "", strings.Repeat("A", 20), strings.Repeat("A", 21), "é", `!"%&'()*+,-./:;<=>?_`}, func(s string) string {
			g, err := gs1.NewLGTIN(gtinOfVector, s)
			return valueOr(g.Key().String(), err)
		}),
		Dates: table([]string{"2028-03-31", "2028-02-29", "2027-02-29", "2028-03-00", "2028-13-01", "0001-01-01", "0000-01-01", "9999-12-31", "28-03-31", "2028-3-31", "20280331", "2028-03-31Z", " 2028-03-31", ""}, func(s string) string {
			d, err := gs1.ParseDate(s)
			return valueOr(d.String(), err)
		}),
		NDCs: table([]string{
			"99990-012-34", "9999001234", "99990-0012-34", "99990001234", "099990-0012-34", "099990001234", "99990-012-35", "9999-0012-34", "999900-12-34", "99990-12-34", "199990-0012-34", " 99990-012-34", "",
		}, func(s string) string {
			n, err := gs1.ParseNDC(s)
			return valueOr(yes[n.InGTIN(gtinOfVector)], err)
		}),
	})
}
