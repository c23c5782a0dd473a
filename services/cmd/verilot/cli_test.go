package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/genesis"
	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/localnet"
	"verilot.dev/services/internal/localnet/demo"
)

// demoNetwork is a running network with a small story, in this process, for all tests that only ask.
type demoNetwork struct {
	n    *localnet.Network
	told *demo.ShortStory
	stop func() error
}

var demoOnce = sync.OnceValues(func() (d *demoNetwork, err error) {
	dir, err := os.MkdirTemp("", "verilot-cli-")
	if err != nil {
		return nil, err
	}
	n, err := localnet.Start(context.Background(), localnet.Options{Dir: dir, Validators: 1, SignIn: true})
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	d = &demoNetwork{n: n, stop: func() error { return errors.Join(n.Stop(), os.RemoveAll(dir)) }}
	atEnd = append(atEnd, d.stop)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	d.told, err = demo.PlayShort(ctx, demo.NetworkOf(n), demo.Invented, demo.ShortSize{Cases: 2, PerCase: 3}, time.Now, func(string) {})
	return d, err
})

func newDemo(t *testing.T) *demoNetwork {
	t.Helper()
	d, err := demoOnce()
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// verilot runs a command in this process, with both of its outputs.
func verilot(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)
	return code, out.String(), errs.String()
}

// All shared scans read as expected, and the JSON has exactly the members that scripts rely on.
func TestScanOfSharedScans(t *testing.T) {
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "..", "shared", "data", "scans", "scans.tsv"))
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the shared scans are missing: %v", err)
		}
		t.Skip("this test reads ../shared/data/scans, which is not part of the repository")
	}
	members := []string{"digitalLink", "epc", "expiry", "gtin", "kind", "lot", "notes", "problems", "readings", "serial", "sscc", "verdict"}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	names := strings.Split(lines[0], "\t")
	if len(lines) != 41 {
		t.Errorf("%d scans, want 40", len(lines)-1)
	}
	for _, line := range lines[1:] {
		row := map[string]string{}
		for i, cell := range strings.Split(line, "\t") {
			row[names[i]] = cell
		}
		t.Run(row["id"]+" "+row["verdict"], func(t *testing.T) {
			code, out, _ := verilot(t, "scan", row["scan"], "--json")
			if want := map[bool]int{true: 0, false: 1}[row["verdict"] == "valid"]; code != want {
				t.Errorf("exit %d, want %d", code, want)
			}
			if got := slices.Sorted(maps.Keys(decodeAs[map[string]json.RawMessage](t, out))); !slices.Equal(got, members) {
				t.Errorf("members %v, want %v", got, members)
			}
			a := decodeAs[tracing.Scan](t, out)
			if a.Verdict != row["verdict"] {
				t.Errorf("verdict %s, want %s: %s", a.Verdict, row["verdict"], out)
			}
			if a.Verdict == "valid" {
				want := []string{row["gtin"], row["serial"], row["lot"], row["expiry"]}
				if got := []string{a.GTIN, a.Serial, a.Lot, a.Expiry}; !slices.Equal(got, want) {
					t.Errorf("read %v, want %v", got, want)
				}
			}
			if (a.Verdict == "ambiguous") != (len(a.Readings) > 1) || (a.Verdict == "valid") != (len(a.Problems) == 0) {
				t.Errorf("%s with %d readings and problems %v", a.Verdict, len(a.Readings), a.Problems)
			}
		})
	}
}

func TestScanForPeople(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{
			"(01)00399990012347(21)A1(17)280331(10)L1",
			"VALID\n  kind         sgtin\n  GTIN         00399990012347\n  serial       A1\n  lot          L1\n  expiry       2028-03-31\n" +
				"  Digital Link https://id.gs1.org/01/00399990012347/21/A1\n",
		},
		{
			"01003999900123472128A|1728033110L1",
			"VALID\n  kind         sgtin\n  GTIN         00399990012347\n  serial       28A\n  lot          L1\n  expiry       2028-03-31\n" +
				"  Digital Link https://id.gs1.org/01/00399990012347/21/28A\n" +
				"  note SEPARATOR: the scanner sends | in place of the separator (GS); set it up to send GS, so that no scan can be misread\n",
		},
		{"(01)00399990012348(21)A1", "INVALID\n  kind         sgtin\n  GTIN         00399990012348\n  serial       A1\n  FMT_GTIN: GTIN fails its check digit: it ends in 8, the other digits give 7; scan or type it again\n"},
	} {
		var out bytes.Buffer
		answer, _ := tracing.ReadScan(tt.text, 2026)
		(&app{out: &out}).showScan(&answer)
		if diff := cmp.Diff(tt.want, out.String()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.text, diff)
		}
	}
}

func TestVerify(t *testing.T) {
	d := newDemo(t)
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	write := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(at(name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"unit.json", "unit.bin"} {
		if code, _, errs := verilot(t, "trace", d.told.Returned, "--api", d.n.URLs["api"], "--proof", at(name)); code != 0 {
			t.Fatalf("trace: %d %s", code, errs)
		}
	}
	_, file, _ := verilot(t, "genesis", "--api", d.n.URLs["api"])
	write("genesis.json", []byte(file))
	g, err := genesis.Parse([]byte(file))
	if err != nil {
		t.Fatal(err)
	}
	g.Name = "another"
	other, err := genesis.Format(g)
	if err != nil {
		t.Fatal(err)
	}
	write("other.json", other)
	write("garbage", []byte("once upon a time"))
	write("empty", nil)
	write("brace.json", []byte("{}"))
	good, err := os.ReadFile(at("unit.bin"))
	if err != nil {
		t.Fatal(err)
	}
	write("short.bin", good[:len(good)-1])
	write("long.bin", append(slices.Clone(good), 0))

	for _, tt := range []struct {
		name, bundle, genesis string
		code                  int
		step                  string // that fails
		says                  string // for people
	}{
		{"JSON", "unit.json", "genesis.json", 0, "", "VALID on"},
		{"binary", "unit.bin", "genesis.json", 0, "", "VALID on"},
		{"no such file", "none", "genesis.json", 2, "", "no such file"},
		{"garbage", "garbage", "genesis.json", 2, "", "not a proof bundle"},
		{"nothing in it", "empty", "genesis.json", 2, "", "not a proof bundle"},
		{"a genesis file is no bundle", "genesis.json", "genesis.json", 1, "format", "INVALID"},
		{"braces", "brace.json", "genesis.json", 1, "format", "INVALID"},
		{"cut off", "short.bin", "genesis.json", 1, "format", "INVALID"},
		{"a byte too many", "long.bin", "genesis.json", 1, "format", "INVALID"},
		{"no genesis", "unit.json", "", 2, "", "--genesis is missing"},
		{"no such genesis", "unit.json", "none", 2, "", "no such file"},
		{"garbage as genesis", "unit.json", "garbage", 2, "", "not a genesis file"},
		{"genesis of another network", "unit.json", "other.json", 1, "genesis", "INVALID"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			args := []string{"verify", at(tt.bundle)}
			if tt.genesis != "" {
				args = append(args, "--genesis", at(tt.genesis))
			}
			code, out, errs := verilot(t, args...)
			if code != tt.code || !strings.Contains(out+errs, tt.says) {
				t.Errorf("exit %d, want %d and %q:\n%s%s", code, tt.code, tt.says, out, errs)
			}
			if tt.code == 2 {
				return
			}
			code, out, _ = verilot(t, append(args, "--json")...)
			a := decodeAs[verifyAnswer](t, out)
			if code != tt.code || a.Valid != (code == 0) || a.Step != tt.step || (a.Reason == "") != a.Valid {
				t.Errorf("exit %d: %s", code, out)
			}
			if a.Valid && (len(a.Steps) != 9 || len(a.Signers) != 1) {
				t.Errorf("%d steps signed by %v", len(a.Steps), a.Signers)
			}
		})
	}
	t.Run("any byte of the binary form changed", func(t *testing.T) {
		for i := 0; i < len(good); i += max(1, len(good)/150) {
			b := slices.Clone(good)
			b[i] ^= 0x20
			write("tampered.bin", b)
			want := 1
			if i < 4 {
				want = 2 // it no longer says that it is a bundle
			}
			code, out, _ := verilot(t, "verify", at("tampered.bin"), "--genesis", at("genesis.json"), "--json")
			if code != want || code == 1 && decodeAs[verifyAnswer](t, out).Step == "" {
				t.Errorf("byte %d: exit %d %s", i, code, out)
			}
		}
	})
}

// nowhere is an address that nobody answers at.
const nowhere = "http://127.0.0.1:1"

// Every way to be told no has its exit code and says what is wrong.
func TestExitCodes(t *testing.T) {
	d := newDemo(t)
	api, maker := d.n.URLs["api"], d.n.URLs["manufacturer"]
	token := " --token-file " + d.n.TokenFile("manufacturer")
	foreign := filepath.Join(t.TempDir(), "foreign.xml")
	if err := os.WriteFile(foreign, []byte(strings.ReplaceAll(document(localnet.DemoMakerPrefix, localnet.DemoMakerSGLN, 0), localnet.DemoMakerPrefix+".0", "0614141.0")), 0o600); err != nil {
		t.Fatal(err)
	}
	key := filepath.Join(t.TempDir(), "k.pem")
	for _, tt := range []struct {
		args string // fields; ␠ stands for a space
		code int
		says string
	}{
		{"trace (01)00399990012347(21)NEVERMADE --api " + api, 1, "No record of this unit"},
		{"trace (01)00399990012347(21)NEVERMADE --json --api " + api, 1, `"known":false`},
		{"trace (01)00399990012347(21)NEVERMADE --proof " + key + " --api " + api, 1, "nothing to prove"},
		{"trace hello --api " + api, 1, "Send what is on the package"},
		{"trace hello --json --api " + api, 1, `"code":"invalid_identifier"`},
		{"trace 010039999001234721CMQTY98L1QF20J45NA0817280204105WPGHPR --api " + api, 1, "(21)CMQTY98L1QF"},
		{"trace " + d.told.Returned + " --api " + nowhere, 3, "no answer from " + nowhere},
		{"trace " + d.told.Returned + " --api localhost", 2, "http://localhost:8080"},
		{"trace", 2, "accepts 1 arg"},
		{"trace a b", 2, "accepts 1 arg"},
		{"trace a --fast", 2, "unknown flag: --fast"},
		{"lot 00399990012347 NONE --api " + api, 1, "upper and lower case matter"},
		{"lot 0399990012347 NONE --api " + api, 1, "of GTIN 00399990012347"},
		{"lot 99990-012-34 NONE --api " + api, 1, "usually 00399990012347"},
		{"lot 00399990012348 NONE --api " + api, 1, "check digit"},
		{"lot 00399990012347 A␠1 --api " + api, 1, "as it is printed"},
		{"lot 00399990012347 NONE --units --api " + api, 1, "upper and lower case matter"},
		{"lot 00399990012347 NONE --units --api " + nowhere, 3, "no answer"},
		{"lot 00399990012347", 2, "accepts 2 arg"},
		{"block 999999 --api " + api, 1, "/v1/status"},
		{"block newest --api " + api, 2, "not a height"},
		{"block 1 --api " + nowhere, 3, "no answer"},
		{"genesis --api " + nowhere, 3, "no answer"},
		{"scan hello", 1, `"verdict":"invalid"`},
		{"capture none.xml --to " + maker, 2, "no such file"},
		{"capture " + foreign + token + " --to " + maker, 1, "gtin_not_owned"},
		{"capture " + foreign + token + " --json --to " + maker, 1, `"code":"gtin_not_owned"`},
		{"capture " + foreign + " --to " + maker, 1, "sign_in_required"},
		{"capture " + foreign + " --to " + maker + " --token-file " + d.n.TokenFile("pharmacy"), 1, "sign_in_failed"},
		{"capture " + foreign + " --to " + maker + " --token-file " + key, 2, "no such file"},
		{"capture " + foreign + " --to " + maker + " --token-file " + foreign, 2, "32 random bytes"},
		{"capture " + foreign + " --to " + nowhere, 3, "no answer"},
		{"capture " + foreign + " --wait done --to " + maker, 2, "captured, accepted, certified or indexed"},
		{"capture " + foreign + " --on-error stop --to " + maker, 2, "rollback or proceed"},
		{"resolve 1/0/0 DOUBLE_SHIP cleared c --to " + nowhere, 3, "no answer"},
		{"resolve 1/0/0 DOUBLE_SHIP" + token + " --to " + maker, 2, "requires at least 3 arg"},
		{"resolve 1/0/0 DOUBLE_SHIP gone" + token + " --to " + maker, 1, "goods_returned"},
		{"resolve 1/0/0 DOUBLE_SHIP gone" + token + " --json --to " + maker, 1, `"code":"goods_returned"`},
		{"resolve first DOUBLE_SHIP cleared" + token + " --to " + maker, 1, "height/entry/item"},
		{"resolve 1/0/0 DOUBLE_SHIP cleared --wait done --to " + maker, 2, "captured, accepted, certified or indexed"},
		{"resolve 1/0/0 DOUBLE_SHIP cleared --to " + maker, 1, "sign_in_required"},
		{"resolve 1/0/0 DOUBLE_SHIP cleared (01)00399990012347(21)NONE" + token + " --to " + maker, 1, "FINDING_UNKNOWN"},
		{"take-back 1/0/0 --to " + nowhere, 3, "no answer"},
		{"take-back --to " + maker, 2, "accepts 1 arg"},
		{"take-back 999999/0/0" + token + " --to " + maker, 1, "unknown_event"},
		{"take-back 1/0/0 --reason tired" + token + " --to " + maker, 1, "did_not_occur"},
		{"resolve --outcomes DUP_EVENT", 1, "no finding that can be closed"},
		{"resolve --outcomes DUP_EVENT CBV_UNKNOWN", 2, "accepts at most 1 arg"},
		{"keygen --use house --out " + key, 2, "event, vote, cosign or authority"},
		{"verify", 2, "accepts 1 arg"},
		{"up --demo --empty", 2, "demo empty"},
		{"up --validators 3", 2, "no cluster"},
		{"fly", 2, "unknown command"},
	} {
		t.Run(tt.args, func(t *testing.T) {
			args := strings.Fields(tt.args)
			for i := range args {
				args[i] = strings.ReplaceAll(args[i], "␠", " ")
			}
			code, out, errs := verilot(t, args...)
			if code != tt.code || !strings.Contains(out+errs, tt.says) {
				t.Errorf("exit %d, want %d and %q:\n%s%s", code, tt.code, tt.says, out, errs)
			}
			if slices.Contains(args, "--json") && !json.Valid([]byte(out)) {
				t.Errorf("no JSON: %s", out)
			}
		})
	}
	if _, err := os.Stat(key); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a command that failed left %s: %v", key, err)
	}
}

// Every command explains itself with examples that work.
func TestHelp(t *testing.T) {
	_, out, _ := verilot(t, "--help")
	_, list, _ := strings.Cut(out, "Available Commands:\n")
	list, _, _ = strings.Cut(list, "\n\n")
	commands := map[string]bool{}
	for line := range strings.SplitSeq(list, "\n") {
		commands[strings.Fields(line)[0]] = true
	}
	for _, want := range []string{"up", "capture", "trace", "verify", "genesis", "lot", "block", "scan", "keygen", "version", "manufacturer", "distributor", "pharmacy", "validator", "api"} {
		if !commands[want] {
			t.Errorf("there is no command %s", want)
		}
	}
	digits := regexp.MustCompile(`\b[0-9]{14}\b`)
	for name := range commands {
		if name == "help" || name == "completion" {
			continue
		}
		code, out, _ := verilot(t, name, "--help")
		_, examples, found := strings.Cut(out, "Examples:\n")
		examples, _, _ = strings.Cut(examples, "\n\n")
		if code != 0 || !found || !strings.Contains(examples, "verilot "+name) || !strings.Contains(out, "--json") {
			t.Errorf("%s --help: exit %d\n%s", name, code, out)
		}
		for _, g := range digits.FindAllString(examples, -1) {
			if _, err := gs1.ParseGTIN(g); err != nil {
				t.Errorf("%s: the example would be refused: %v", name, err)
			}
		}
		for line := range strings.SplitSeq(examples, "\n") {
			if utf8.RuneCountInString(line) > 160 {
				t.Errorf("%s: a long example: %s", name, line)
			}
		}
	}
}

func TestKeygen(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key.pem")
	code, out, _ := verilot(t, "keygen", "--out", file, "--json")
	made := decodeAs[map[string]string](t, out)
	if code != 0 || len(made["publicKey"]) != 64 || len(made["keyID"]) != 64 || made["use"] != "event" || made["file"] != file {
		t.Errorf("exit %d: %s", code, out)
	}
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v %v", info.Mode(), err)
	}
	if strings.Contains(out, string(before)) {
		t.Error("the private key was printed")
	}
	code, _, errs := verilot(t, "keygen", "--out", file)
	after, err := os.ReadFile(file)
	if code != 2 || !strings.Contains(errs, "never overwritten") || err != nil || !bytes.Equal(before, after) {
		t.Errorf("exit %d, the file changed: %v: %s", code, !bytes.Equal(before, after), errs)
	}
}

func TestVersion(t *testing.T) {
	if code, out, _ := verilot(t, "version"); code != 0 || out != "verilot "+version+"\n" {
		t.Errorf("exit %d %q", code, out)
	}
	if code, out, _ := verilot(t, "version", "--json"); code != 0 || decodeAs[map[string]string](t, out)["version"] != version {
		t.Errorf("exit %d %q", code, out)
	}
}

// plain takes out of human output what differs from run to run, and the width of columns.
func (d *demoNetwork) plain(s string) string {
	for _, x := range []struct{ re, to string }{
		{`20\d\d-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d`, "TIME"},
		{`block \d+`, "block N"},
		{`of 20\d\d-\d\d-\d\dT[0-9:]+Z \(\d+s old\)`, "of TIME"},
		{`\b\d+/0/`, "N/0/"},
		{`dev-20\d{6}-[0-9a-f]{6}`, "NETWORK"},
		{d.told.Returned[strings.LastIndexByte(d.told.Returned, '.')+1:], "SERIAL"},
		{d.told.Lot, "LOT"},
		{d.told.Expiry, "EXPIRY"},
		{d.told.RecallNumber, "RECALL"},
		{` +\n`, "\n"},
		{`  +`, "  "},
	} {
		s = regexp.MustCompile(x.re).ReplaceAllString(s, x.to)
	}
	return s
}

// What people see of a trace: no keys, times with their offset, and lines that fit.
func TestTraceForPeople(t *testing.T) {
	d := newDemo(t)
	code, out, errs := verilot(t, "trace", d.told.Returned, "--api", d.n.URLs["api"])
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	want := `GTIN 00399990012347  serial SERIAL
Lakesidol, 100 mg, TABLET, 30 TABLET in 1 BOTTLE, Lakeside Pharma
lot LOT  expiry EXPIRY
Known: active, with Midland Drug, RECALLED.
marked: returned
RECALL RECALL class II: Out of specification: dissolution

TIME  STEP  BY  WHERE  SEEN  BLOCK  VERDICT
TIME  commissioning  Lakeside Pharma  Lakeside Pharma, Plant 1  observed  N/0/0  accepted
TIME  packing  Lakeside Pharma  Lakeside Pharma, Plant 1  observed  N/0/1  accepted
TIME  shipping  Lakeside Pharma → Midland Drug  Lakeside Pharma, Plant 1  in [1]  N/0/0  accepted
TIME  receiving  Lakeside Pharma → Midland Drug  Midland Drug, Louisvill…  in [1]  N/0/0  flagged QTY_SHORT
TIME  unpacking  Midland Drug  Midland Drug, Louisvill…  in [1]  N/0/0  accepted
TIME  shipping  Midland Drug → Corner Pharmacy  Midland Drug, Louisvill…  observed  N/0/0  accepted
TIME  receiving  Midland Drug → Corner Pharmacy  Corner Pharmacy  observed  N/0/0  accepted
TIME  shipping  Corner Pharmacy → Midland Drug  Corner Pharmacy  observed  N/0/0  accepted
TIME  receiving  Corner Pharmacy → Midland Drug  Midland Drug, Louisvill…  observed  N/0/0  accepted
[1] inside SSCC 003999900000000016

QTY_SHORT
  Less was received than was shipped: the rest counts as missing with the sender. Look for the rest,
  and receive it when it comes. Otherwise the sender cancels that part of the shipment
  (void_shipping) or reports it lost or stolen.

Rests on block N of TIME.
`
	if diff := cmp.Diff(want, d.plain(out)); diff != "" {
		t.Errorf("trace (-want +got):\n%s", diff)
	}
	for line := range strings.SplitSeq(out, "\n") {
		if n := utf8.RuneCountInString(line); n > 140 {
			t.Errorf("%d characters wide: %s", n, line)
		}
	}
}

func TestLotForPeople(t *testing.T) {
	d := newDemo(t)
	for _, gtin := range []string{d.told.Product.GTIN, d.told.Product.GTIN[1:]} {
		code, out, errs := verilot(t, "lot", gtin, d.told.Lot, "--api", d.n.URLs["api"])
		want := `00399990012347 Lakesidol
lot LOT  expiry EXPIRY  6 units commissioned
RECALL RECALL class II: Out of specification: dissolution
PARTY  STATE  UNITS
Corner Pharmacy  dispensed  1
Corner Pharmacy  on_hand  1
Lakeside Pharma  unaccounted  3
Midland Drug  on_hand  1
Rests on block N.
`
		if diff := cmp.Diff(want, d.plain(out)); code != 0 || diff != "" {
			t.Errorf("lot: exit %d %s (-want +got):\n%s", code, errs, diff)
		}
	}
	code, out, _ := verilot(t, "lot", d.told.Product.GTIN, d.told.Lot, "--units", "--api", d.n.URLs["api"])
	if n := strings.Count(out, "\n"); code != 0 || n != 6 {
		t.Errorf("exit %d, %d units", code, n)
	}
}

func TestContainerAndWhen(t *testing.T) {
	for key, want := range map[string]string{
		"00003999900000000016":          "SSCC 003999900000000016",
		"015039999001234221CASE1":       "case GTIN 50399990012342 serial CASE1",
		"something else":                "something else",
		"4140399990000016":              "4140399990000016",
		"010039999001234721A/B\"weird*": "case GTIN 00399990012347 serial A/B\"weird*",
	} {
		if got := container(key); got != want {
			t.Errorf("%s: %s, want %s", key, got, want)
		}
	}
	for _, tt := range []struct{ eventTime, offset, want string }{
		{"2026-11-21T00:28:20.892Z", "-06:00", "2026-11-20 18:28:20 -06:00"},
		{"2026-11-21T00:28:20+01:00", "", "2026-11-21 00:28:20 +01:00"},
		{"2026-11-21", "", "2026-11-21"},
	} {
		if got := when(tt.eventTime, tt.offset); got != tt.want {
			t.Errorf("%s %s: %s, want %s", tt.eventTime, tt.offset, got, tt.want)
		}
	}
	if got := fmt.Sprint(clip("Zürich", 6), clip("Zürich", 4)); got != "ZürichZür…" {
		t.Error(got)
	}
}
