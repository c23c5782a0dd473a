package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/partner/capture"
)

// gs1Example is the worked example of GS1 US (DSCSA implementation guideline R1.3, section 2.2.1.1): 12 units, 3 cases, 1
// pallet, shipped.
func gs1Example(t *testing.T) string {
	t.Helper()
	file := filepath.Join("..", "..", "..", "..", "shared", "gs1", "examples", "xml-1.2", "openepcis", "GS1_US_Pharma_Example_2_2_1_1.xml")
	if _, err := os.Stat(file); err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("the GS1 example is missing: %v", err)
		}
		t.Skip("this test reads the GS1 worked example in ../shared, which is not part of the repository")
	}
	return file
}

// exampleLicences make the buyer in the example an authorized trading partner: the document names no licences.
const exampleLicences = `- {party: gs1-drug-distributor, number: WDD-KY-1, kind: state_wholesale, jurisdiction: US-KY, validFrom: 2020-01-01}
- {party: gs1-drug-distributor, number: WDD-KY-1/2023, kind: fda_annual_report, jurisdiction: US, validFrom: 2023-03-31, validTo: 2024-03-31}
`

// cli runs a command in this process and returns its exit code and what it printed.
func cli(t *testing.T, args ...string) (code int, stdout string) {
	t.Helper()
	var out, errs bytes.Buffer
	code = run(t.Context(), args, &out, &errs)
	if errs.Len() > 0 {
		t.Logf("verilot %v: %s", args, errs.String())
	}
	return code, out.String()
}

// TestGS1Example captures the example through the maker's service and, as a relayed document, through the distributor's. Its
// units trace through case and pallet to the shipment, and each proof verifies offline.
func TestGS1Example(t *testing.T) {
	file := gs1Example(t)
	n := startNetwork(t)
	n.up(t)

	licences := filepath.Join(t.TempDir(), "licences.yaml")
	if err := os.WriteFile(licences, []byte(exampleLicences), 0o600); err != nil {
		t.Fatal(err)
	}
	code, out := cli(t, "capture", file, "--to", n.url(1), "--onboard", "--licences", licences, "--wait", "indexed", "--json")
	job := decodeAs[capture.Job](t, out)
	if code != 0 || !job.Success {
		t.Fatalf("capture through the maker: exit %d\n%s", code, out)
	}
	for _, v := range job.Verdicts {
		if v.Verdict != "accepted" {
			t.Errorf("event %v (%s): %s %s %v, want accepted", v.Index, v.BizStep, v.Verdict, v.Code, v.Findings)
		}
	}

	code, out = cli(t, "capture", file, "--to", n.url(2), "--wait", "indexed", "--json")
	relayed := decodeAs[capture.Job](t, out)
	if code != 0 {
		t.Fatalf("capture of the relayed copy: exit %d\n%s", code, out)
	}
	for _, v := range relayed.Verdicts {
		if v.Kind == "event" && (v.Verdict != "duplicate" || v.Code != "RELAYED") {
			t.Errorf("relayed event %d: %s %s, want duplicate RELAYED", *v.Index, v.Verdict, v.Code)
		}
	}

	dir := t.TempDir()
	genesis := filepath.Join(dir, "genesis.json")
	code, out = cli(t, "genesis", "--api", n.url(0))
	if code != 0 {
		t.Fatalf("genesis: exit %d", code)
	}
	if err := os.WriteFile(genesis, []byte(out), 0o600); err != nil {
		t.Fatal(err)
	}

	for serial := 11; serial <= 22; serial++ {
		id := fmt.Sprintf("urn:epc:id:sgtin:030001.0012345.%d", serial)
		bundle := filepath.Join(dir, fmt.Sprint(serial, ".json"))
		code, out = cli(t, "trace", id, "--api", n.url(0), "--json", "--proof", bundle)
		if code != 0 {
			t.Fatalf("trace %s: exit %d\n%s", id, code, out)
		}
		trace := decodeAs[tracing.Trace](t, out)
		var steps []string
		for _, s := range trace.Steps {
			if s.Verdict == "accepted" {
				steps = append(steps, s.Step)
			}
		}
		if want := []string{"commissioning", "packing", "packing", "shipping"}; !slices.Equal(steps, want) {
			t.Errorf("%s: steps %v, want %v", id, steps, want)
		}
		if trace.Lot != "A123" || trace.Expiry != "2025-03-27" || trace.Phase != "in_transit" || len(trace.Containers) != 2 {
			t.Errorf("%s: lot %s expiry %s phase %s inside %v", id, trace.Lot, trace.Expiry, trace.Phase, trace.Containers)
		}
		last := trace.Steps[len(trace.Steps)-1]
		if last.Observed {
			t.Errorf("%s: the shipment names only the pallet, so this step is inferred", id)
		}
		if code, out = cli(t, "verify", bundle, "--genesis", genesis); code != 0 {
			t.Errorf("%s: its proof does not verify: %s", id, out)
		}
	}
	tamper(t, filepath.Join(dir, "11.json"), genesis)
	n.stop(t)
}

// tamper changes one byte in a hundred places of a bundle; each time verification must fail.
func tamper(t *testing.T, bundle, genesis string) {
	t.Helper()
	good, err := os.ReadFile(bundle)
	if err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(t.TempDir(), "tampered.json")
	for i := 1; i < len(good)-1; i += max(1, len(good)/100) {
		b := slices.Clone(good)
		b[i] ^= 1
		if err := os.WriteFile(bad, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if code, out := cli(t, "verify", bad, "--genesis", genesis, "--json"); code != 1 {
			t.Errorf("byte %d changed: exit %d, want 1\n%s", i, code, out)
		}
	}
}

func decodeAs[T any](t *testing.T, s string) T {
	t.Helper()
	var v T
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatalf("%v in %q", err, s)
	}
	return v
}
