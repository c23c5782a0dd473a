package demo_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/proof"
	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/edge/signin"
	"verilot.dev/services/internal/localnet"
	"verilot.dev/services/internal/localnet/demo"
	"verilot.dev/services/internal/partner/capture"
	"verilot.dev/services/internal/partner/journal"
)

// TestShortStory plays the story over real products and looks at everything that it must have left behind, before and after the
// whole network was stopped and started again.
func TestShortStory(t *testing.T) {
	products, prefixes := realProducts(t)
	dir := t.TempDir()
	n := start(t, dir, prefixes)
	played := make([]*played, len(products))
	for i, p := range products {
		played[i] = play(t, n, p)
	}
	for _, s := range played {
		t.Run(s.Product.Name, func(t *testing.T) {
			s.n = n
			t.Run("checks at the counter", s.checks)
			t.Run("every unit of the lot is somewhere", s.lot)
			t.Run("the units, one by one", s.units)
			t.Run("the trace of the returned unit", s.trace)
			t.Run("each step is proved", s.proof)
			t.Run("a recalled unit cannot be dispensed", s.dispenseRecalled)
		})
	}
	t.Run("dispensed twice", func(t *testing.T) { dispenseTwice(t, n, products[0]) })
	t.Run("a recall of one unit", func(t *testing.T) { recallOfUnit(t, n, products[0]) })
	t.Run("a recall by the regulator", func(t *testing.T) { recallByRegulator(t, n, products[0]) })
	t.Run("who may change something", func(t *testing.T) { whoMayChange(t, n) })
	t.Run("reads through a partner", func(t *testing.T) { readsThroughPartners(t, n) })
	sessions := signInEverywhere(t, n)

	before := make([]string, len(played))
	for i, s := range played {
		before[i] = s.history(t, n)
	}
	if err := n.Stop(); err != nil {
		t.Fatal(err)
	}
	n = start(t, dir, nil)
	sessions(n)
	if n.Created {
		t.Error("the network was made anew instead of started again")
	}
	for i, s := range played {
		if diff := cmp.Diff(before[i], s.history(t, n)); diff != "" {
			t.Errorf("%s: the trace changed with a restart:\n%s", s.Product.Name, diff)
		}
		s.n = n
		t.Run(s.Product.Name+" after a restart", s.lot)
	}
	if err := n.Stop(); err != nil {
		t.Error(err)
	}
}

// start starts the network; it ends with the test at the latest.
func start(t *testing.T, dir string, prefixes []string) *localnet.Network {
	t.Helper()
	n, err := localnet.Start(t.Context(), localnet.Options{Dir: dir, Validators: 1, SignIn: true, MakerPrefixes: prefixes})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = n.Stop() })
	return n
}

// realProducts chooses two products of the FDA's directory, of labelers with a code of four and of five digits, and the
// company prefixes that their maker needs.
func realProducts(t *testing.T) (products []demo.Product, prefixes []string) {
	t.Helper()
	dir := filepath.Join("..", "..", "..", "..", "..", "shared", "data", "ndc")
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the NDC directory is missing: %v", err)
		}
		t.Logf("the NDC directory is not here, the story is played of an invented product: %v", err)
		return []demo.Product{demo.Invented}, nil
	}
	byNDC := map[string]map[string]string{}
	for row := range rows(t, filepath.Join(dir, "product.tsv")) {
		byNDC[row["PRODUCTNDC"]] = row
	}
	for _, digits := range []int{4, 5} {
		for row := range rows(t, filepath.Join(dir, "package.tsv")) {
			ndc, p := row["NDCPACKAGECODE"], byNDC[row["PRODUCTNDC"]]
			labeler, _, _ := strings.Cut(ndc, "-")
			if len(labeler) != digits || p == nil || p["DOSAGEFORMNAME"] != "CAPSULE" || len(strings.ReplaceAll(ndc, "-", "")) != 10 {
				continue
			}
			content, _, _ := strings.Cut(row["PACKAGEDESCRIPTION"], " (")
			products = append(products, demo.Product{
				GTIN: gtin(t, "0", ndc), CaseGTIN: gtin(t, "5", ndc), NDC: ndc, Name: p["PROPRIETARYNAME"], Form: p["DOSAGEFORMNAME"],
				Strength: p["ACTIVE_NUMERATOR_STRENGTH"] + " " + p["ACTIVE_INGRED_UNIT"], Content: content, Maker: p["LABELERNAME"],
			})
			prefixes = append(prefixes, "03"+labeler)
			break
		}
	}
	if len(products) != 2 {
		t.Fatalf("%d products found, want one of a four-digit and one of a five-digit labeler", len(products))
	}
	return products, prefixes
}

// rows reads a table with a header line.
func rows(t *testing.T, file string) func(func(map[string]string) bool) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(b)), "\n")
	names := strings.Split(lines[0], "\t")
	return func(yield func(map[string]string) bool) {
		for _, line := range lines[1:] {
			row := map[string]string{}
			for i, cell := range strings.Split(line, "\t") {
				row[names[i]] = strings.TrimSpace(cell)
			}
			if !yield(row) {
				return
			}
		}
	}
}

// gtin is the GTIN-14 of an NDC: indicator, 03, ten digits, check digit.
func gtin(t *testing.T, indicator, ndc string) string {
	t.Helper()
	for check := range 10 {
		if g, err := gs1.ParseGTIN(fmt.Sprint(indicator, "03", strings.ReplaceAll(ndc, "-", ""), check)); err == nil {
			return g.String()
		}
	}
	t.Fatalf("%s has no GTIN", ndc)
	return ""
}

type played struct {
	*demo.ShortStory
	n *localnet.Network
}

func play(t *testing.T, n *localnet.Network, p demo.Product) *played {
	t.Helper()
	s, err := demo.PlayShort(t.Context(), demo.NetworkOf(n), p, demo.ShortSize{Cases: 10, PerCase: 100}, time.Now, func(step string) { t.Log(step) })
	if err != nil {
		t.Fatalf("%s: %v", p.Name, err)
	}
	if s.Units != 1000 || len(s.Cases) != 10 {
		t.Fatalf("%d units in %d cases", s.Units, len(s.Cases))
	}
	return &played{s, n}
}

func codes(c tracing.Check) []string {
	out := []string{}
	for _, r := range c.Reasons {
		out = append(out, r.Code)
	}
	return out
}

func (s *played) checks(t *testing.T) {
	for _, tt := range []struct {
		situation, colour string
		verified, fit     bool
		codes             []string
	}{
		{"before dispensing", "green", true, true, []string{}},
		{"counterfeit", "red", false, false, []string{"No_match_GTIN_Serial"}},
		{"recalled", "red", true, false, []string{"Recalled"}},
	} {
		c := s.Checks[tt.situation]
		if c.Colour != tt.colour || c.Verified != tt.verified || c.Fit != tt.fit || !slices.Equal(codes(c), tt.codes) || c.NextStep == "" {
			t.Errorf("%s: %+v, want %s %v", tt.situation, c, tt.colour, tt.codes)
		}
	}
}

// wantLot is where the thousand units are when the story has been played.
var wantLot = map[string]uint64{
	localnet.DemoPharmacy + " dispensed": 1, localnet.DemoPharmacy + " on_hand": 1,
	localnet.DemoMaker + " unaccounted": 100, localnet.DemoDistributor + " on_hand": 898,
}

func (s *played) lot(t *testing.T) {
	l, err := demo.Lot(t.Context(), s.n.URLs["api"], s.Product.GTIN, s.Lot)
	if err != nil {
		t.Fatal(err)
	}
	got, sum := map[string]uint64{}, uint64(0)
	for _, row := range l.Totals {
		got[row.Party+" "+row.State] = row.Units
		sum += row.Units
	}
	if diff := cmp.Diff(wantLot, got); diff != "" || len(got) != len(l.Totals) {
		t.Errorf("totals (-want +got):\n%s", diff)
	}
	if l.Commissioned != 1000 || sum != l.Commissioned {
		t.Errorf("%d commissioned, the rows add up to %d", l.Commissioned, sum)
	}
	if l.Product == nil || l.Product.Name != s.Product.Name || l.Product.NDC != s.Product.NDC || l.Expiry != s.Expiry || l.Registered == nil || l.Registered.Size != 1000 {
		t.Errorf("product %+v, expiry %s, registered %+v", l.Product, l.Expiry, l.Registered)
	}
	if len(l.Recalls) != 1 || l.Recalls[0].RecallNumber != s.RecallNumber || l.Recalls[0].Party != localnet.DemoMaker {
		t.Errorf("recalls %+v", l.Recalls)
	}
}

func (s *played) units(t *testing.T) {
	b := get(t, s.n, "/v1/lots/"+s.Product.GTIN+"/"+s.Lot+"/units")
	got, seen := map[string]uint64{}, map[string]string{}
	lines := bufio.NewScanner(bytes.NewReader(b))
	for lines.Scan() {
		var u tracing.LotUnit
		if err := json.Unmarshal(lines.Bytes(), &u); err != nil {
			t.Fatalf("%v: %s", err, lines.Bytes())
		}
		got[u.Holder+" "+u.State]++
		seen[u.Serial] = u.State
	}
	if len(seen) != 1000 || !maps.Equal(got, wantLot) {
		t.Errorf("%d serials, %v, want %v", len(seen), got, wantLot)
	}
	for id, want := range map[string]string{s.Dispensed: "dispensed", s.Returned: "on_hand", s.InPharmacy: "on_hand"} {
		if serial := id[strings.LastIndexByte(id, '.')+1:]; seen[serial] != want {
			t.Errorf("%s is %s, want %s", id, seen[serial], want)
		}
	}
}

func (s *played) trace(t *testing.T) {
	tr, err := demo.Trace(t.Context(), s.n.URLs["api"], s.Returned)
	if err != nil {
		t.Fatal(err)
	}
	packed := key(t, s.Cases[0])
	var got []string
	for _, step := range tr.Steps {
		seen := "observed"
		if !step.Observed {
			seen = "in " + strings.Join(step.Via, " in ")
		}
		got = append(got, strings.Join([]string{step.Publisher.ID, step.Step, seen, step.Verdict}, ", "))
	}
	want := []string{
		"lakeside, commissioning, observed, accepted",
		"lakeside, packing, observed, accepted",
		"lakeside, shipping, in " + packed + ", accepted",
		"midland, receiving, in " + packed + ", flagged", // a case of the shipment is missing
		"midland, unpacking, in " + packed + ", accepted",
		"midland, shipping, observed, accepted",
		"corner, receiving, observed, accepted",
		"corner, shipping, observed, accepted",
		"midland, receiving, observed, accepted",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("steps (-want +got):\n%s", diff)
	}
	if tr.State != "active" || tr.Holder == nil || tr.Holder.ID != localnet.DemoDistributor || tr.Owner == nil || tr.Owner.ID != localnet.DemoDistributor || len(tr.Containers) != 0 {
		t.Errorf("state %s, holder %+v, owner %+v, inside %v", tr.State, tr.Holder, tr.Owner, tr.Containers)
	}
	if tr.Lot != s.Lot || tr.Expiry != s.Expiry || tr.Product == nil || tr.Product.Strength != s.Product.Strength || tr.ID.EPC != s.Returned || len(tr.Recalls) != 1 {
		t.Errorf("lot %s, expiry %s, product %+v, EPC %s, recalls %v", tr.Lot, tr.Expiry, tr.Product, tr.ID.EPC, tr.Recalls)
	}
	still, err := demo.Trace(t.Context(), s.n.URLs["api"], s.Cases[9])
	if err != nil {
		t.Fatal(err)
	}
	if still.Phase != "in_transit" || still.To == nil || still.To.ID != localnet.DemoDistributor || still.Contents != 100 {
		t.Errorf("the missing case: %s to %+v with %d units", still.Phase, still.To, still.Contents)
	}
}

func key(t *testing.T, epc string) string {
	t.Helper()
	e, err := gs1.ParseEPC(epc)
	if err != nil {
		t.Fatal(err)
	}
	return e.Key().String()
}

// proof checks the bundle of every unit that somebody touched, and of one in a case that stayed closed, in both spellings.
func (s *played) proof(t *testing.T) {
	for _, id := range []string{s.Dispensed, s.Returned, s.InPharmacy, s.Cases[9]} {
		tr, err := demo.Trace(t.Context(), s.n.URLs["api"], id)
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, step := range tr.Steps {
			want = append(want, step.Position.String()+" "+step.Verdict)
		}
		for format, parse := range map[string]func([]byte) (*proof.Bundle, error){"json": proof.ParseJSON, "binary": proof.ParseBinary} {
			b, err := parse(get(t, s.n, "/v1/proof?"+url.Values{"id": {id}, "format": {format}}.Encode()))
			if err != nil {
				t.Fatalf("%s as %s: %v", id, format, err)
			}
			report, err := proof.Verify(s.n.Genesis, b)
			if err != nil {
				t.Fatalf("%s as %s: %v", id, format, err)
			}
			var got []string
			for _, step := range report.Steps {
				got = append(got, step.Pos.String()+" "+step.Verdict)
				if len(step.Units) == 0 {
					t.Errorf("%s as %s: step %s shows neither the unit nor what carried it", id, format, step.Pos)
				}
			}
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("%s as %s: the trace's steps and the proof's (-trace +proof):\n%s", id, format, diff)
			}
		}
	}
}

func (s *played) dispenseRecalled(t *testing.T) {
	_, err := demo.NetworkOf(s.n).At("pharmacy").Command(t.Context(), "dispense", map[string]any{"items": []string{s.InPharmacy}})
	if err == nil || !strings.Contains(err.Error(), `"code":"goods_recalled"`) || !strings.Contains(err.Error(), s.RecallNumber) {
		t.Errorf("%v", err)
	}
	tr, err := demo.Trace(t.Context(), s.n.URLs["api"], s.InPharmacy)
	if err != nil {
		t.Fatal(err)
	}
	if last := tr.Steps[len(tr.Steps)-1]; tr.State != "active" || last.Step == "dispensing" {
		t.Errorf("something was captured: state %s, last step %+v", tr.State, last)
	}
}

// only returns the verdict of a job's one event.
func only(t *testing.T, job *capture.Job) capture.Verdict {
	t.Helper()
	var events []capture.Verdict
	for _, v := range job.Verdicts {
		if v.Kind == "event" {
			events = append(events, v)
		}
	}
	if len(events) != 1 {
		t.Fatalf("%d events: %+v", len(events), job.Verdicts)
	}
	return events[0]
}

// dispenseTwice takes a unit of a lot of its own to the pharmacy and dispenses it there again and again.
func dispenseTwice(t *testing.T, n *localnet.Network, p demo.Product) {
	t.Helper()
	do := func(service, command string, body map[string]any) *capture.Job {
		t.Helper()
		job, err := demo.NetworkOf(n).At(service).Command(t.Context(), command, body)
		if err != nil {
			t.Fatal(err)
		}
		return job
	}
	job := do("manufacturer", "commission", map[string]any{"gtin": p.GTIN, "lot": "TWICE", "expiry": "2029-01-31", "count": 1})
	var made struct {
		EPCs []string `json:"epcs"`
	}
	if err := json.Unmarshal(job.Result, &made); err != nil || len(made.EPCs) != 1 {
		t.Fatalf("%v: %s", err, job.Result)
	}
	unit := made.EPCs
	do("manufacturer", "ship", map[string]any{"items": unit, "to": map[string]any{"party": localnet.DemoPharmacy}})
	do("pharmacy", "receive", map[string]any{"items": unit, "from": map[string]any{"party": localnet.DemoMaker}})
	if v := only(t, do("pharmacy", "dispense", map[string]any{"items": unit})); v.Verdict != "accepted" {
		t.Errorf("dispensed once: %+v", v)
	}
	if _, err := demo.NetworkOf(n).At("pharmacy").Command(t.Context(), "dispense", map[string]any{"items": unit}); err == nil || !strings.Contains(err.Error(), "goods_used_up") {
		t.Errorf("dispensed twice: %v", err)
	}
	tr, err := demo.Trace(t.Context(), n.URLs["api"], unit[0])
	if err != nil {
		t.Fatal(err)
	}
	if tr.State != "dispensed" {
		t.Errorf("state %s", tr.State)
	}
	if c, err := demo.Check(t.Context(), n.URLs["api"], unit[0]); err != nil || c.Colour != "red" || !slices.Contains(codes(*c), "Not_active") {
		t.Errorf("check of a dispensed unit: %+v %v", c, err)
	}
	if len(tr.Findings) != 1 || tr.Findings[0].Code != "LOT_UNREGISTERED" { // nobody registered the lot TWICE
		t.Errorf("findings of the unit: %+v", tr.Findings)
	}
}

// recallOfUnit recalls one of two units by its serial: it says so, it is proved, and the other is not concerned.
func recallOfUnit(t *testing.T, n *localnet.Network, p demo.Product) {
	t.Helper()
	var made struct {
		EPCs []string `json:"epcs"`
	}
	job, err := demo.NetworkOf(n).At("manufacturer").Command(t.Context(), "commission", map[string]any{"gtin": p.GTIN, "lot": "ONE", "expiry": "2029-01-31", "count": 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(job.Result, &made); err != nil || len(made.EPCs) != 2 {
		t.Fatalf("%v: %s", err, job.Result)
	}
	job, err = demo.NetworkOf(n).At("manufacturer").Command(t.Context(), "recall", map[string]any{"recallNumber": "R-ONE", "units": made.EPCs[:1], "classification": "I", "reason": "Wrong label"})
	if err != nil || !job.Success {
		t.Fatalf("%v: %+v", err, job)
	}
	for i, want := range []string{"Recalled", ""} {
		c, err := demo.Check(t.Context(), n.URLs["api"], made.EPCs[i])
		if err != nil || strings.Join(codes(*c), " ") != want {
			t.Errorf("check of unit %d: %+v %v", i, c, err)
		}
	}
	tr, err := demo.Trace(t.Context(), n.URLs["api"], made.EPCs[0])
	if err != nil {
		t.Fatal(err)
	}
	if last := tr.Steps[len(tr.Steps)-1]; len(tr.Steps) != 2 || last.Type != "Recall" || last.Publisher.ID != localnet.DemoMaker || len(tr.Recalls) != 1 {
		t.Errorf("steps %+v, recalls %+v", tr.Steps, tr.Recalls)
	}
	b, err := proof.ParseJSON(get(t, n, "/v1/proof?"+url.Values{"id": {made.EPCs[0]}}.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if report, err := proof.Verify(n.Genesis, b); err != nil || len(report.Steps) != 2 {
		t.Errorf("proof: %v %+v", err, report)
	}
}

// recallByRegulator: the regulator recalls through the api what the maker made; the counter turns red, and the job says so.
func recallByRegulator(t *testing.T, n *localnet.Network, p demo.Product) {
	t.Helper()
	job, err := demo.NetworkOf(n).At("manufacturer").Command(t.Context(), "commission", map[string]any{"gtin": p.GTIN, "lot": "TWO", "expiry": "2029-01-31", "count": 1})
	if err != nil {
		t.Fatal(err)
	}
	var made struct {
		EPCs []string `json:"epcs"`
	}
	if err := json.Unmarshal(job.Result, &made); err != nil || len(made.EPCs) != 1 {
		t.Fatalf("%v: %s", err, job.Result)
	}
	colour := func() string {
		t.Helper()
		c, err := demo.Check(t.Context(), n.URLs["api"], made.EPCs[0])
		if err != nil {
			t.Fatal(err)
		}
		return c.Colour + " " + strings.Join(codes(*c), " ")
	}
	if was := colour(); strings.HasPrefix(was, "red") {
		t.Errorf("before the recall the check is %s", was)
	}
	regulator := demo.NetworkOf(n).At("api")
	recall := map[string]any{"recallNumber": "FDA-1", "gtin": p.GTIN, "lot": "TWO", "classification": "I", "reason": "Contamination"}
	job, err = regulator.Command(t.Context(), "recall", recall)
	if err != nil || !job.Success || job.State != journal.Indexed {
		t.Fatalf("%v: %+v", err, job)
	}
	if is := colour(); is != "red Recalled" {
		t.Errorf("after the recall the check is %s", is)
	}
	tr, err := demo.Trace(t.Context(), n.URLs["api"], made.EPCs[0])
	if err != nil || len(tr.Recalls) != 1 || tr.Recalls[0].Party != localnet.DemoRegulator {
		t.Errorf("%v: %+v", err, tr)
	}
	var jobs []capture.Job
	if err := json.Unmarshal(get(t, n, "/capture"), &jobs); err != nil || len(jobs) != 1 || jobs[0].CaptureID != job.CaptureID {
		t.Errorf("jobs of the regulator: %v %+v", err, jobs)
	}
	for _, command := range []string{"lots", "ship", "onboarding"} {
		if _, err := regulator.Command(t.Context(), command, recall); err == nil || !strings.Contains(err.Error(), "40") {
			t.Errorf("%s at the api: %v", command, err)
		}
	}
	recall["status"] = "ended"
	if job, err = regulator.Command(t.Context(), "recall", recall); err != nil || !job.Success {
		t.Fatalf("%v: %+v", err, job)
	}
	if is := colour(); strings.HasPrefix(is, "red") {
		t.Errorf("after the end of the recall the check is %s", is)
	}
}

// whoMayChange: each service takes its own token only, and says whose it is.
func whoMayChange(t *testing.T, n *localnet.Network) {
	t.Helper()
	for name, url := range n.URLs {
		for _, token := range []string{"", n.Tokens[map[string]string{"api": "pharmacy"}[name]], n.Tokens["api"] + "x"} {
			if _, err := (demo.Service{URL: url, Token: token}).Command(t.Context(), "recall", map[string]any{"recallNumber": "NO"}); err == nil || !strings.Contains(err.Error(), "sign_in_") {
				t.Errorf("%s with %q: %v", name, token, err)
			}
		}
		var app struct {
			Service, Network, Party, PartyName string
			Development                        bool
		}
		if err := demo.Get(t.Context(), url+"/app.json", &app); err != nil || app.Service != name || app.Network != n.Genesis.Name || app.Party == "" || app.PartyName == "" || app.PartyName == app.Party || !app.Development {
			t.Errorf("%v: %+v", err, app)
		}
		if n.SignInLinks()[name] != url+"/sign-in#"+n.Tokens[name] {
			t.Errorf("link %s", n.SignInLinks()[name])
		}
	}
}

// readsThroughPartners: what a partner service passes on is the api's answer, byte for byte.
func readsThroughPartners(t *testing.T, n *localnet.Network) {
	t.Helper()
	for _, path := range []string{"/v1/genesis", "/v1/blocks/1", "/v1/blocks/7"} {
		want := get(t, n, path)
		for _, name := range []string{"manufacturer", "distributor", "pharmacy"} {
			if got := getFrom(t, n, name, path); !bytes.Equal(got, want) {
				t.Errorf("%s at the %s: %.200s\nthe api: %.200s", path, name, got, want)
			}
		}
	}
}

// signInEverywhere signs a person in at every service, in one browser, as its cookies of one host are shared by all ports. The function
// it returns looks whether the sessions are still there.
func signInEverywhere(t *testing.T, n *localnet.Network) (check func(*localnet.Network)) {
	t.Helper()
	var cookies []string
	for name := range n.URLs {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.URLs[name]+"/v1/session", strings.NewReader(`{"token":"`+n.Tokens[name]+`"}`))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", "application/json")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		for _, c := range resp.Cookies() {
			cookies = append(cookies, c.Name+"="+c.Value)
		}
	}
	check = func(n *localnet.Network) {
		t.Helper()
		for name := range n.URLs {
			var s signin.Session
			req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.URLs[name]+"/v1/session", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Cookie", strings.Join(cookies, "; "))
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			err = json.NewDecoder(resp.Body).Decode(&s)
			_ = resp.Body.Close()
			if err != nil || !s.SignedIn || s.Service != name || s.Kind != "development" || !s.Required {
				t.Errorf("%s: %v %+v", name, err, s)
			}
		}
	}
	check(n)
	return check
}

// history is the trace of the units with a story, without what it rests on, which grows older.
func (s *played) history(t *testing.T, n *localnet.Network) string {
	t.Helper()
	var out strings.Builder
	for _, id := range []string{s.Dispensed, s.Returned, s.InPharmacy, s.Cases[0], s.Cases[9]} {
		tr, err := demo.Trace(t.Context(), n.URLs["api"], id)
		if err != nil {
			t.Fatal(err)
		}
		tr.RestsOn = tracing.AsOf{}
		b, err := json.MarshalIndent(tr, "", " ")
		if err != nil {
			t.Fatal(err)
		}
		out.Write(b)
	}
	return out.String()
}

func get(t *testing.T, n *localnet.Network, path string) []byte {
	t.Helper()
	return getFrom(t, n, "api", path)
}

func getFrom(t *testing.T, n *localnet.Network, service, path string) []byte {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, n.URLs[service]+path, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s %v: %s", path, resp.Status, err, b)
	}
	return b
}
