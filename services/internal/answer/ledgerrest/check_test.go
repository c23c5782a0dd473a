package ledgerrest_test

import (
	"net/url"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"verilot.dev/services/internal/answer/tracing"
)

// A check sees into a container, and out of it.
func TestCheckOfContainers(t *testing.T) {
	w := newWorld(t)
	gtin := w.told.Product.GTIN
	units := w.makeUnits(t, "SEEN-IN", 4)
	packed := func(of ...string) string { t.Helper(); return w.pack(t, "manufacturer", of...) }
	inner := packed(units[:2]...)
	outer := packed(inner, units[2])
	empty := w.told.Cases[0]
	check := func(id string) *tracing.Check { return ask[tracing.Check](t, w, "/v1/verify?id="+url.QueryEscape(id)) }
	reason := func(code, fault, where string, units, of uint64) tracing.CheckReason {
		return tracing.CheckReason{Code: code, Fault: fault, Where: where, Units: units, Of: of}
	}
	same := func(id, colour string, sellable bool, want ...tracing.CheckReason) {
		t.Helper()
		c := check(id)
		if want == nil {
			want = []tracing.CheckReason{}
		}
		ignore := cmpopts.IgnoreFields(tracing.CheckReason{}, "Detail", "Key", "GTIN", "Lot", "Expiry", "Recall")
		if diff := cmp.Diff(want, c.Reasons, ignore); diff != "" || c.Colour != colour || c.Sellable != sellable || c.Fit != (colour == "green") {
			t.Errorf("%s is %s, sellable %v (-want +got):\n%s", id, c.Colour, c.Sellable, diff)
		}
	}
	same(outer, "green", true)
	lots := check(outer).Contents
	if diff := cmp.Diff(&tracing.CheckContents{Units: 3, Lots: []tracing.CheckLot{{GTIN: gtin, Lot: "SEEN-IN", Expiry: "2029-01-31", Units: 3}}}, lots); diff != "" {
		t.Error(diff)
	}
	same(empty, "amber", false, reason("Contents_unknown", "", "", 0, 0))

	// What an event names outside of its container leaves it, so goods are marked before they are packed.
	bad := w.makeUnits(t, "SEEN-IN", 3)
	w.tell(t, "manufacturer", "quarantine", map[string]any{"items": bad[:1], "reason": "damaged"})
	w.tell(t, "manufacturer", "quarantine", map[string]any{"items": bad[1:2], "reason": "stolen"})
	w.tell(t, "manufacturer", "quarantine", map[string]any{"items": bad[2:], "reason": "other"})
	inner = packed(bad...)
	outer = packed(inner, units[3])
	held := []tracing.CheckReason{
		reason("Overlay_damaged", "held", "inside", 1, 4), reason("Overlay_hold", "held", "inside", 1, 4), reason("Overlay_quarantined", "held", "inside", 2, 4),
	}
	same(outer, "red", false, held...)
	same(bad[0], "red", false, reason("Overlay_damaged", "held", "itself", 0, 0))
	same(units[3], "green", true)
	w.tell(t, "manufacturer", "quarantine", map[string]any{"items": []string{outer}, "reason": "other"})
	same(units[3], "red", false, reason("Overlay_quarantined", "held", "around", 0, 0))
	if c := check(units[3]); c.Reasons[0].Detail != "This package is inside "+c.Reasons[0].Key+", which is marked quarantined." {
		t.Errorf("%+v", c.Reasons)
	}
	w.tell(t, "manufacturer", "recall", map[string]any{"recallNumber": "R-SEEN", "gtin": gtin, "lot": "SEEN-IN", "classification": "II", "reason": "Label"})
	want := tracing.CheckReason{
		Code: "Recalled", Detail: "This container contains 4 units, and 4 of them are recalled (R-SEEN, class II: Label).", Fault: "recalled", Where: "inside",
		Key: check(outer).ID.Key, Units: 4, Of: 4, GTIN: gtin, Lot: "SEEN-IN", Recall: &tracing.CheckRecall{Number: "R-SEEN", Classification: "II", Reason: "Label"},
	}
	if diff := cmp.Diff(want, check(outer).Reasons[0]); diff != "" {
		t.Error(diff)
	}
}
