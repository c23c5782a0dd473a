package gs1_test

import (
	"strings"
	"testing"

	"verilot.dev/epcis/gs1"
)

// year is the reference year of the tests.
const year = 2026

func controls(s string) string {
	return strings.NewReplacer("<GS>", "\x1d", "<CR>", "\r", "<LF>", "\n").Replace(s)
}

// said writes a reading in one line.
func said(r gs1.Reading) string {
	return "gtin=" + r.GTIN + " serial=" + r.Serial + " lot=" + r.Lot + " expiry=" + r.Expiry.String()
}

func codes(ps []gs1.Problem) string {
	var out []string
	for _, p := range ps {
		out = append(out, p.Code)
	}
	return strings.Join(out, " ")
}

// The forty scans of the shared data: every expected value must come out.
func TestSharedScans(t *testing.T) {
	rows := table(shared(t, "data/scans/scans.tsv"))
	if len(rows) != 40 {
		t.Fatalf("%d scans, want 40", len(rows))
	}
	problem := map[string]string{
		"nogs": "AMBIGUOUS", "badcheck": "FMT_GTIN", "noserial": "NO_SERIAL", "badmonth": "FMT_EXPIRY",
		"longlot": "FMT_LOT", "ndc_as_gtin": "NDC_AS_GTIN",
	}
	// One padded NDC passes the check digit by chance, the other does not.
	also := map[string]string{"S039": "FMT_GTIN "}
	for _, row := range rows {
		t.Run(row["id"]+"_"+row["form"], func(t *testing.T) {
			got := gs1.ReadScan(controls(row["scan"]), year)
			want := "gtin=" + row["gtin"] + " serial=" + row["serial"] + " lot=" + row["lot"] + " expiry=" + row["expiry"]
			if string(got.Verdict) != row["verdict"] || strings.TrimPrefix(codes(got.Problems), also[row["id"]]) != problem[row["form"]] {
				t.Errorf("verdict %s %v, want %s %s", got.Verdict, got.Problems, row["verdict"], problem[row["form"]])
			}
			if got.Verdict == gs1.Ambiguous {
				found := false
				for _, r := range got.Readings {
					found = found || said(r) == want
					t.Log(said(r), r.Fields)
				}
				if !found || said(got.Reading) != "gtin= serial= lot= expiry=" {
					t.Errorf("%s is not among the readings, or one was chosen: %v", want, got.Readings)
				}
				return
			}
			if said(got.Reading) != want {
				t.Errorf("got  %s\nwant %s", said(got.Reading), want)
			}
			if got.Verdict == gs1.Valid {
				if got.Kind != "sgtin" || got.EPC.Key() != got.Key || got.DigitalLink != "https://id.gs1.org/01/"+row["gtin"]+"/21/"+got.DigitalLink[len("https://id.gs1.org/01//21/")+14:] {
					t.Errorf("kind %s, EPC %s, link %s", got.Kind, got.EPC, got.DigitalLink)
				}
				if got.ExpiryRaw != row["ai17"] || len(got.Warnings) > 0 {
					t.Errorf("raw expiry %s, warnings %v", got.ExpiryRaw, got.Warnings)
				}
			}
		})
	}
}

func TestReadScan(t *testing.T) {
	for _, tt := range []struct{ name, scan, verdict, kind, said, problems string }{
		{"nothing", "<CR><LF>", "invalid", "", "gtin= serial= lot= expiry=", "EMPTY"},
		{"package without lot and expiry", "010039999001234721A1", "valid", "sgtin", "gtin=00399990012347 serial=A1 lot= expiry=", ""},
		{"serial that holds a 10 stands as it is", "010039999001234721A10B", "valid", "sgtin", "gtin=00399990012347 serial=A10B lot= expiry=", ""},
		{"serial that holds 17 and a date may have lost its separator", "010039999001234721A17280331", "ambiguous", "", "gtin= serial= lot= expiry=", "AMBIGUOUS"},
		{"lot that runs into the serial", "01003999900123471728033110AB21CD", "ambiguous", "", "gtin= serial= lot= expiry=", "AMBIGUOUS"},
		{"the same with its separator", "01003999900123471728033110AB<GS>21CD", "valid", "sgtin", "gtin=00399990012347 serial=CD lot=AB expiry=2028-03-31", ""},
		{"superfluous separators after fixed fields", "0100399990012347<GS>17280331<GS>10AB<GS>21CD<GS>", "valid", "sgtin", "gtin=00399990012347 serial=CD lot=AB expiry=2028-03-31", ""},
		{"separator shown as a symbol", "010039999001234721CD\u241d17280331", "valid", "sgtin", "gtin=00399990012347 serial=CD lot= expiry=2028-03-31", ""},
		{"pallet", "00503999900000000011", "valid", "sscc", "gtin= serial= lot= expiry=", ""},
		{"pallet with a bad check digit", "00503999900000000012", "invalid", "sscc", "gtin= serial= lot= expiry=", "FMT_SSCC"},
		{"pallet in a linear barcode", "]C100503999900000000011", "valid", "sscc", "gtin= serial= lot= expiry=", ""},
		{"eighteen bare digits are a pallet", "503999900000000011", "valid", "sscc", "gtin= serial= lot= expiry=", ""},
		{"fourteen bare digits are a product", "00399990012347", "invalid", "gtin", "gtin=00399990012347 serial= lot= expiry=", "NO_SERIAL"},
		{"the UPC on the carton", "399990012347", "invalid", "gtin", "gtin=00399990012347 serial= lot= expiry=", "NO_SERIAL"},
		{"an NDC typed in", "0002-3228-30", "invalid", "", "gtin= serial= lot= expiry=", "NDC_AS_GTIN"},
		{"a shelf", "(414)0399990000016(254)A1", "valid", "sgln", "gtin= serial= lot= expiry=", ""},
		{"brackets are legal in a serial", "(01)00399990012347(21)A(x)B(17)280331", "valid", "sgtin", "gtin=00399990012347 serial=A(x)B lot= expiry=2028-03-31", ""},
		{"unknown application identifier", "0100399990012347058", "invalid", "gtin", "gtin=00399990012347 serial= lot= expiry=", "UNKNOWN_AI NO_SERIAL"},
		{"serial without product", "21ABC", "invalid", "", "gtin= serial=ABC lot= expiry=", "NO_KEY"},
		{"two lots", "010039999001234710A<GS>10B<GS>21C", "invalid", "sgtin", "gtin=00399990012347 serial=C lot=A expiry=", "DUPLICATE_AI"},
		{"a box and a package at once", "005039999000000000110100399990012347" + "21A", "invalid", "", "gtin=00399990012347 serial=A lot= expiry=", "TWO_KEYS"},
		{"space in the serial", "010039999001234721A B", "invalid", "sgtin", "gtin=00399990012347 serial=A B lot= expiry=", "FMT_SERIAL"},
		{"GTIN cut short", "0100399990", "invalid", "gtin", "gtin=00399990 serial= lot= expiry=", "FMT_GTIN NO_SERIAL"},
		{"an RFID tag", "urn:epc:id:sgtin:0399990.001234.7QX4M81K2", "valid", "sgtin", "gtin=00399990012347 serial=7QX4M81K2 lot= expiry=", ""},
		{"a lot label", "urn:epc:class:lgtin:0399990.001234.AB", "invalid", "gtin", "gtin=00399990012347 serial= lot=AB expiry=", "NO_SERIAL"},
		{"Digital Link with attributes in the query", "https://x.example/01/00399990012347/21/A%2FB?17=280300&10=L1&utm=z", "valid", "sgtin", "gtin=00399990012347 serial=A/B lot=L1 expiry=2028-03-31", ""},
		{"Digital Link with short names", "https://x.example/gtin/399990012347/ser/A?exp=280331&lot=L1", "valid", "sgtin", "gtin=00399990012347 serial=A lot=L1 expiry=2028-03-31", ""},
		{"Digital Link with a bad check digit", "https://id.gs1.org/01/00399990012348/21/A", "invalid", "sgtin", "gtin=00399990012348 serial=A lot= expiry=", "FMT_GTIN"},
		{"the leaflet's web page", "https://drug.example/leaflet", "invalid", "", "gtin= serial= lot= expiry=", "NOT_GS1"},
		{"national number of the label", "010039999001234721A<GS>715999900123", "valid", "sgtin", "gtin=00399990012347 serial=A lot= expiry=", ""},
		{"free text", "hello", "invalid", "", "gtin= serial= lot= expiry=", "UNKNOWN_AI"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := gs1.ReadScan(controls(tt.scan), year)
			if string(got.Verdict) != tt.verdict || got.Kind != tt.kind || said(got.Reading) != tt.said || codes(got.Problems) != tt.problems {
				t.Errorf("got  %s %q %s %v\nwant %s %q %s %s", got.Verdict, got.Kind, said(got.Reading), got.Problems, tt.verdict, tt.kind, tt.said, tt.problems)
			}
		})
	}
}
