package ledgerrest_test

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"verilot.dev/services/internal/answer/tracing"
)

// ask decodes a good answer.
func ask[T any](t *testing.T, w *world, path string) *T {
	t.Helper()
	resp, b := w.call(t, "api", http.MethodGet, path, nil)
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %s", path, resp.StatusCode, b)
	}
	var v T
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return &v
}

// A maker finds its lots and products, and nobody else's.
func TestListsOfAMaker(t *testing.T) {
	w := newWorld(t)
	lots := ask[tracing.Lots](t, w, "/v1/lots?party=lakeside&q="+w.told.Lot)
	if len(lots.Lots) != 1 {
		t.Fatalf("lots %+v, want the story's", lots.Lots)
	}
	l := lots.Lots[0]
	if l.GTIN != w.told.Product.GTIN || l.Lot != w.told.Lot || l.Expiry != w.told.Expiry || l.Size != uint64(w.told.Units) || !l.Registered || !l.Recalled ||
		l.Product == nil || l.Product.Name != w.told.Product.Name || l.Party == nil || l.Party.Name != "Lakeside Pharma" {
		t.Errorf("lot %+v", l)
	}
	if other := ask[tracing.Lots](t, w, "/v1/lots?party=midland"); len(other.Lots) != 0 {
		t.Errorf("a wholesaler's lots: %+v", other.Lots)
	}
	// Pages, one product each: every one once, in the order of the whole list.
	all := ask[tracing.Products](t, w, "/v1/products?limit=200")
	var paged []string
	for next, more := "", true; more; {
		p := ask[tracing.Products](t, w, "/v1/products?limit=1&after="+next)
		for _, x := range p.Products {
			paged = append(paged, x.GTIN)
		}
		next, more = p.Next, p.Next != ""
	}
	var whole []string
	for _, x := range all.Products {
		whole = append(whole, x.GTIN)
	}
	if len(whole) < 2 || !slices.Equal(whole, paged) {
		t.Errorf("pages %v, the list %v", paged, whole)
	}
}

// Whoever receives sees what was sent, what has come, and what has not.
func TestShipmentsOfTheStory(t *testing.T) {
	w := newWorld(t)
	in := ask[tracing.Shipments](t, w, "/v1/shipments?to=midland&from=lakeside")
	if len(in.Shipments) == 0 {
		t.Fatal("no shipments")
	}
	s := in.Shipments[len(in.Shipments)-1] // other tests ship, too: the story's is the oldest
	if s.From.Name != "Lakeside Pharma" || s.To.Name != "Midland Drug" || s.Total != len(w.told.Cases) || s.Open != 1 || s.Return || s.EventTime == "" ||
		!slices.Equal(s.Documents, []string{"po", "desadv"}) {
		t.Errorf("shipment %+v", s)
	}
	open := 0
	for _, it := range s.Items {
		if it.SSCC == "" || it.Open && it.Contents != w.told.Units/len(w.told.Cases) {
			t.Errorf("item %+v", it)
		}
		if it.Open {
			open++
		}
	}
	if open != 1 {
		t.Errorf("%d cases are on their way, want the one that was missing", open)
	}
	if back := ask[tracing.Shipments](t, w, "/v1/shipments?to=midland&from=corner"); len(back.Shipments) != 1 || !back.Shipments[0].Return || back.Shipments[0].Open != 0 {
		t.Errorf("returns %+v", back.Shipments)
	}
	for _, s := range ask[tracing.Shipments](t, w, "/v1/shipments?to=corner&open=true").Shipments { // those of other tests
		for _, it := range s.Items {
			told := func(epc string) bool { return it.ID.Serial != "" && strings.HasSuffix(epc, "."+it.ID.Serial) }
			if slices.ContainsFunc([]string{w.told.Dispensed, w.told.Returned, w.told.InPharmacy}, told) {
				t.Errorf("still on the way to the pharmacy: %+v", s)
			}
		}
	}
}

// The units of a lot by holder and state, as lines and as a table; they add up to the totals.
func TestUnitsOfALot(t *testing.T) {
	w := newWorld(t)
	lot := "/v1/lots/" + w.told.Product.GTIN + "/" + w.told.Lot
	totals := ask[tracing.LotTotals](t, w, lot)
	sum := 0
	for _, total := range totals.Totals {
		q := url.Values{"holder": {total.Party}, "state": {total.State}}
		_, b := w.call(t, "api", http.MethodGet, lot+"/units?"+q.Encode(), nil)
		if n := uint64(strings.Count(string(b), "\n")); n != total.Units {
			t.Errorf("%+v lists %d units", total, n)
		}
		q.Set("format", "csv")
		resp, b := w.call(t, "api", http.MethodGet, lot+"/units?"+q.Encode(), nil)
		rows, err := csv.NewReader(strings.NewReader(string(b))).ReadAll()
		if err != nil || uint64(len(rows)-1) != total.Units || !strings.Contains(resp.Header.Get("Content-Disposition"), w.told.Lot+".csv") {
			t.Errorf("%+v: %d rows, %v, %v", total, len(rows)-1, err, resp.Header)
		}
		sum += len(rows) - 1
	}
	if sum != w.told.Units {
		t.Errorf("%d units in all, want %d", sum, w.told.Units)
	}
	_, b := w.call(t, "api", http.MethodGet, lot+"/units?loose=true", nil)
	loose := strings.Count(string(b), "\n")
	boxes := ask[tracing.LotContainers](t, w, lot+"/containers")
	inside := 0
	for _, c := range boxes.Containers {
		inside += c.Units
	}
	if boxes.Total != len(boxes.Containers) || inside+loose != w.told.Units {
		t.Errorf("%d in %d containers and %d loose, want %d", inside, boxes.Total, loose, w.told.Units)
	}
	if _, b := w.call(t, "api", http.MethodGet, lot+"/units?limit=2", nil); strings.Count(string(b), "\n") != 2 {
		t.Errorf("limit=2 lists %s", b)
	}
	if resp, b := w.call(t, "api", http.MethodGet, lot+"/units?holder=nobody", nil); resp.StatusCode != http.StatusOK || len(b) != 0 {
		t.Errorf("a party without units: %d %q", resp.StatusCode, b)
	}
}

// How far the story's recall has come: every unit is counted once.
func TestRecallEffectiveness(t *testing.T) {
	w := newWorld(t)
	d := ask[tracing.RecallDetail](t, w, "/v1/recalls/"+url.PathEscape(w.told.RecallNumber))
	o := d.Effectiveness.Outcomes
	if sum := o.Dispensed + o.Destroyed + o.Lost + o.InTransit + o.WithMaker + o.Quarantined + o.Remaining; d.Effectiveness.Units != uint64(w.told.Units) || sum != uint64(w.told.Units) {
		t.Errorf("%d units, %+v add up to %d, want %d", d.Effectiveness.Units, o, sum, w.told.Units)
	}
	perCase := uint64(w.told.Units / len(w.told.Cases))
	if o.Dispensed != 1 || o.Lost != perCase || o.WithMaker != 0 || o.Remaining != uint64(w.told.Units)-1-perCase {
		t.Errorf("outcomes %+v", o)
	}
	if d.Status != "open" || d.Party.ID != "lakeside" || len(d.Lots) != 1 || d.Lots[0].Commissioned != uint64(w.told.Units) || d.Lots[0].Expiry != w.told.Expiry {
		t.Errorf("recall %+v", d)
	}
	var held uint64
	for _, h := range d.Effectiveness.Holders {
		held += h.Units
		if h.Units != h.SetAside+h.Remaining || h.Place == nil || h.Place.Name == "" {
			t.Errorf("holder %+v", h)
		}
	}
	if held != o.WithMaker+o.Quarantined+o.Remaining {
		t.Errorf("holders have %d", held)
	}
	_, b := w.call(t, "api", http.MethodGet, "/v1/recalls/"+url.PathEscape(w.told.RecallNumber)+"/units", nil)
	if n := strings.Count(string(b), "\n"); n != w.told.Units {
		t.Errorf("%d units listed, want %d", n, w.told.Units)
	}
}

func TestSearchFindsAnything(t *testing.T) {
	w := newWorld(t)
	block := ask[tracing.Block](t, w, "/v1/blocks/3")
	scanned := w.told.InPharmacy
	tests := []struct{ name, text, kind, member string }{
		{"a scanned unit", scanned, "unit", ""},
		{"a case", w.told.Cases[0], "container", ""},
		{"a lot", w.told.Lot, "lot", w.told.Lot},
		{"part of a lot, other case", strings.ToLower(w.told.Lot[:5]), "lot", w.told.Lot},
		{"a GTIN", w.told.Product.GTIN, "product", w.told.Product.GTIN},
		{"an NDC", w.told.Product.NDC, "product", w.told.Product.GTIN},
		{"a product's name", "lakesid", "product", w.told.Product.GTIN},
		{"a party", "midland", "party", "midland"},
		{"a party's city", "Louisville", "party", "midland"},
		{"a GLN", "0399991000015", "party", "midland"},
		{"a block", "3", "block", "3"},
		{"a block's hash", block.Hash, "block", "3"},
		{"a recall", w.told.RecallNumber, "recall", w.told.RecallNumber},
		{"why it was recalled", "dissolution", "recall", w.told.RecallNumber},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			found := ask[tracing.Found](t, w, "/v1/search?q="+url.QueryEscape(tt.text))
			if !slices.ContainsFunc(found.Hits, func(h tracing.Hit) bool {
				return h.Kind == tt.kind && (tt.member == "" || slices.Contains([]string{h.Lot, h.GTIN, h.Party, h.Height, h.Number}, tt.member))
			}) {
				t.Errorf("hits %+v", found.Hits)
			}
		})
	}
	for _, nothing := range []string{"zzzz nothing", "  ", "%", "☤"} {
		if found := ask[tracing.Found](t, w, "/v1/search?q="+url.QueryEscape(nothing)); len(found.Hits) != 0 {
			t.Errorf("%q finds %+v", nothing, found.Hits)
		}
	}
}

// A listener hears of every block, from where it left off.
func TestFeed(t *testing.T) {
	w := newWorld(t)
	head := ask[tracing.Status](t, w, "/v1/status").Height
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.n.URLs["api"]+"/v1/feed?after="+strconv.FormatUint(head-3, 10), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if got := resp.Header.Get("Content-Type"); resp.StatusCode != http.StatusOK || got != "text/event-stream" {
		t.Fatalf("%d %s", resp.StatusCode, got)
	}
	lines := bufio.NewScanner(resp.Body)
	lines.Buffer(nil, 1<<20)
	next := func() *tracing.FeedBlock {
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				var b tracing.FeedBlock
				if err := json.Unmarshal([]byte(data), &b); err != nil {
					t.Fatal(err)
				}
				return &b
			}
		}
		t.Fatalf("the feed ended: %v", lines.Err())
		return nil
	}
	for want := head - 2; want <= head; want++ {
		if b := next(); b.Height != want || b.Hash == "" {
			t.Fatalf("block %d, want %d", b.Height, want)
		}
	}
	if ok, err := storyCommand(t, w, "lots", map[string]any{"gtin": w.told.Product.GTIN, "lot": "FEED1", "expiry": "2029-01-31"}); err != nil || !ok {
		t.Fatalf("lot: %v %v", ok, err)
	}
	for {
		b := next()
		if slices.ContainsFunc(b.Items, func(i tracing.FeedItem) bool {
			return i.Kind == "lot" && i.Verdict == "accepted" && i.Party != nil && *i.Party == tracing.PartyRef{ID: "lakeside", Name: "Lakeside Pharma"}
		}) {
			break
		}
	}
	if resp, b := w.call(t, "api", http.MethodGet, "/v1/feed?after=x", nil); resp.StatusCode != http.StatusBadRequest {
		t.Errorf("after=x: %d %s", resp.StatusCode, b)
	}
}
