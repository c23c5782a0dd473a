package ledgerrest_test

import (
	"net/url"
	"slices"
	"strconv"
	"testing"

	"verilot.dev/services/internal/answer/tracing"
)

// The best hit comes first, and lesser ones do not crowd it out.
func TestSearchIsBestFirst(t *testing.T) {
	w := newWorld(t)
	for i := range 3 {
		w.tell(t, "manufacturer", "lots", map[string]any{"gtin": w.told.Product.GTIN, "lot": "CROWD" + strconv.Itoa(i), "expiry": "2029-01-31"})
	}
	w.tell(t, "manufacturer", "lots", map[string]any{"gtin": w.told.Product.GTIN, "lot": "BEST", "expiry": "2029-01-31"})
	w.tell(t, "manufacturer", "recall", map[string]any{"recallNumber": "R-BEST-1", "gtin": w.told.Product.GTIN, "lot": "CROWD0", "reason": "Not the best"})
	for _, tt := range []struct{ name, text, kind, member string }{
		{"a GTIN is a product", w.told.Product.GTIN, "product", w.told.Product.GTIN},
		{"an NDC is a product", w.told.Product.NDC, "product", w.told.Product.GTIN},
		{"an NDC as it is billed", "99990-0012-34", "product", w.told.Product.GTIN},
		{"the same without hyphens", "99990001234", "product", w.told.Product.GTIN},
		{"a lot, though a recall speaks of it", "BEST", "lot", "BEST"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			found := ask[tracing.Found](t, w, "/v1/search?limit=2&q="+url.QueryEscape(tt.text))
			named := func(h tracing.Hit) bool { return h.Kind == tt.kind && (h.Lot == tt.member || h.GTIN == tt.member) }
			if len(found.Hits) == 0 || found.Hits[0].Kind != tt.kind || !slices.ContainsFunc(found.Hits, named) {
				t.Errorf("hits %+v", found.Hits)
			}
		})
	}
	if found := ask[tracing.Found](t, w, "/v1/search?q=-"); slices.ContainsFunc(found.Hits, func(h tracing.Hit) bool { return h.Kind == "product" }) {
		t.Errorf("a hyphen finds products: %+v", found.Hits)
	}
}

// An event is found by its position; a text that only looks like one finds nothing.
func TestSearchOfAPosition(t *testing.T) {
	w := newWorld(t)
	nothing := ask[tracing.Found](t, w, "/v1/search?q=1%2F0%2F99")
	s := ask[tracing.Shipments](t, w, "/v1/shipments?to=midland&from=lakeside").Shipments[0]
	event := ask[tracing.Found](t, w, "/v1/search?q="+url.QueryEscape(s.ID))
	if len(nothing.Hits) != 0 || len(event.Hits) != 1 || event.Hits[0].Kind != "event" || event.Hits[0].Detail != "ObjectEvent shipping" || event.Hits[0].Party != "lakeside" {
		t.Errorf("%+v, %+v", nothing.Hits, event.Hits)
	}
}

// The messages of the feed and the lines of a list of units are in the document, for whoever makes types of it.
func TestStreamsAreDescribed(t *testing.T) {
	w := newWorld(t)
	doc := w.document(t, "api")
	for name, member := range map[string]string{"FeedBlock": "height", "LotUnit": "serial"} {
		s := doc.Components.Schemas[name]
		if s == nil || s.Value.Properties[member] == nil || !s.Value.Properties[member].Value.Type.Is("string") {
			t.Errorf("%s is not described: %+v", name, s)
		}
	}
}
