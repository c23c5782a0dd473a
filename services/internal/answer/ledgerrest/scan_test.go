package ledgerrest_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"verilot.dev/services/internal/answer/tracing"
)

// A scan with several readings is about the only one that is on the ledger, and says so.
func TestScanWithSeveralReadings(t *testing.T) {
	w := newWorld(t)
	gtin := w.told.Product.GTIN
	w.tell(t, "manufacturer", "commission", map[string]any{"gtin": gtin, "lot": "TWICE", "expiry": "2029-01-31", "serials": []string{"ABC1234", "ABC1234;10TWICE", "XYZ10TWICE"}})
	begin := "01" + gtin + "17290131"
	for _, tt := range []struct {
		name, scan string
		serial     string // of the unit that the answers are about; "" for a refusal
		others     int
		why        string
	}{
		{"separator lost", "01" + gtin + "21ABC12341729013110TWICE", "ABC1234", 3, "AMBIGUOUS"},
		{"separator that may be data", begin + "21XYZ10TWICE%1D10TWICE", "XYZ10TWICE", 3, "SEPARATOR"},
		{"as it stands", begin + "21XYZ10TWICE", "XYZ10TWICE", 1, "AMBIGUOUS"},
		{"both are there, and one has no lot: the ledger cannot tell", begin + "21ABC1234;10TWICE", "", 0, ""},
		{"nobody made any", "01" + gtin + "21NEVER1729013110TWICE", "", 0, ""},
		{"bar for the separator", begin + "21ABC1234|10TWICE", "ABC1234", 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			id := "?id=" + url.QueryEscape(tt.scan)
			if tt.serial == "" {
				for _, path := range []string{"/v1/verify", "/v1/trace", "/v1/proof"} {
					if resp, b := w.call(t, "api", http.MethodGet, path+id, nil); resp.StatusCode != http.StatusUnprocessableEntity || !strings.Contains(string(b), `"readings":["(01)`) {
						t.Errorf("%s: %d %s", path, resp.StatusCode, b)
					}
				}
				return
			}
			check, trace := ask[tracing.Check](t, w, "/v1/verify"+id), ask[tracing.Trace](t, w, "/v1/trace"+id)
			if check.ID.Serial != tt.serial || check.Colour != "green" || trace.ID.Serial != tt.serial || !trace.Known {
				t.Errorf("%+v\n%+v", check, trace)
			}
			for _, c := range []*tracing.Chosen{check.Chosen, trace.Chosen} {
				if tt.others == 0 {
					if c != nil {
						t.Errorf("chosen: %+v", c)
					}
					continue
				}
				if c == nil || c.Reading.Serial != tt.serial || len(c.Others) != tt.others || c.Why[0].Code != tt.why {
					t.Fatalf("chosen: %+v", c)
				}
				w.checkReadings(t, append([]string{c.Reading.Text}, c.Others[0].Text))
			}
			if resp, b := w.call(t, "api", http.MethodGet, "/v1/proof"+id, nil); resp.StatusCode != http.StatusOK {
				t.Errorf("proof: %d %s", resp.StatusCode, b)
			}
			found := ask[tracing.Found](t, w, "/v1/search?q="+url.QueryEscape(tt.scan))
			if len(found.Hits) == 0 || !strings.Contains(found.Hits[0].Title, tt.serial) {
				t.Errorf("found %+v", found.Hits)
			}
		})
	}
}
