package gs1_test

import (
	"encoding/json"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"verilot.dev/epcis/gs1"
)

var update = flag.Bool("update", false, "rewrite the golden files from their inputs")

// golden reads a vector file, lets each vector be recomputed, and compares; with -update it rewrites the file. The
// files are shared with web/, which must compute the same.
func golden[V comparable](t *testing.T, file string, compute func(V) V) {
	t.Helper()
	path := filepath.Join("testdata", file)
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var want []V
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	got := make([]V, len(want))
	for i, v := range want {
		if got[i] = compute(v); got[i] != v && !*update {
			t.Errorf("vector %d\ngot  %+v\nwant %+v", i, got[i], v)
		}
	}
	if *update && !slices.Equal(got, want) {
		f, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		enc := json.NewEncoder(f)
		enc.SetEscapeHTML(false)
		enc.SetIndent("", "  ")
		if err := errors.Join(enc.Encode(got), f.Close()); err != nil {
			t.Fatal(err)
		}
	}
}

type epcVector struct {
	Captured    string `json:"captured"`
	Key         string `json:"key"`
	Kind        string `json:"kind"`
	Form        string `json:"form"`
	GCPLen      int    `json:"gcpLen"`
	DigitalLink string `json:"digitalLink"`
	URN         string `json:"urn"` // "" when the company-prefix length is unknown
}

func TestGoldenEPC(t *testing.T) {
	golden(t, "epc.json", func(v epcVector) epcVector {
		epc, err := gs1.ParseEPC(v.Captured)
		if err != nil {
			t.Errorf("%s: %v", v.Captured, err)
			return epcVector{Captured: v.Captured}
		}
		k := epc.Key()
		urn, _ := epc.URN() // fails for a Digital Link, and then stays empty
		return epcVector{v.Captured, k.String(), k.Kind().String(), epc.Form().String(), epc.GCPLength(), k.DigitalLink(), urn}
	})
}

type errorVector struct {
	Captured string `json:"captured"`
	Code     string `json:"code"`
	Why      string `json:"why"` // for people: other implementations may word it differently
}

func TestGoldenEPCInvalid(t *testing.T) {
	golden(t, "epc-invalid.json", func(v errorVector) errorVector {
		_, err := gs1.ParseEPC(v.Captured)
		return errorOf(v.Captured, err)
	})
}

func TestGoldenKeyInvalid(t *testing.T) {
	golden(t, "key-invalid.json", func(v errorVector) errorVector {
		_, err := gs1.ParseKey(v.Captured)
		return errorOf(v.Captured, err)
	})
}

func errorOf(captured string, err error) errorVector {
	e, ok := errors.AsType[*gs1.Error](err)
	if !ok {
		return errorVector{Captured: captured, Why: "accepted"}
	}
	return errorVector{captured, e.Code, e.Detail}
}

type expiryVector struct {
	YYMMDD  string `json:"yymmdd"`
	RefYear int    `json:"refYear"`
	Date    string `json:"date"` // "" when it is no date
}

func TestGoldenExpiry(t *testing.T) {
	golden(t, "expiry.json", func(v expiryVector) expiryVector {
		d, _ := gs1.ParseExpiry(v.YYMMDD, v.RefYear) // the zero date prints as ""
		return expiryVector{v.YYMMDD, v.RefYear, d.String()}
	})
}
