package ledgerrest_test

import (
	"net/url"
	"testing"

	"verilot.dev/services/internal/answer/tracing"
)

// A recall that another party has ended is ended for everybody: the list, the counter and the detail say so alike.
func TestRecallEndedByAnother(t *testing.T) {
	w := newWorld(t)
	units := w.makeUnits(t, "OTHER", 1)
	body := map[string]any{"recallNumber": "R-OTHER", "gtin": w.told.Product.GTIN, "lot": "OTHER", "classification": "II", "reason": "Label"}
	w.tell(t, "manufacturer", "recall", body)
	body["status"] = "ended"
	w.tell(t, "api", "recall", body)
	d := ask[tracing.RecallDetail](t, w, "/v1/recalls/R-OTHER")
	lots := ask[tracing.Lots](t, w, "/v1/lots?q=OTHER")
	c := ask[tracing.Check](t, w, "/v1/verify?id="+url.QueryEscape(units[0]))
	if lots.Lots[0].Recalled || c.Colour != "green" || d.Status != "ended" {
		t.Errorf("lot recalled %v, check %s, recall %s", lots.Lots[0].Recalled, c.Colour, d.Status)
	}
}

// A single unit under the recall is not counted to a lot that only has the same name.
func TestRecallOfUnitBesideALotOfThatName(t *testing.T) {
	w := newWorld(t)
	w.makeUnits(t, "TWIN", 2)
	other := w.tell(t, "manufacturer", "commission", map[string]any{"gtin": w.told.Product.CaseGTIN, "lot": "TWIN", "expiry": "2029-01-31", "count": 1})
	w.tell(t, "manufacturer", "recall", map[string]any{"recallNumber": "R-TWIN", "gtin": w.told.Product.GTIN, "lot": "TWIN", "reason": "Label"})
	w.tell(t, "manufacturer", "recall", map[string]any{"recallNumber": "R-TWIN", "units": other, "reason": "Label"})
	d := ask[tracing.RecallDetail](t, w, "/v1/recalls/R-TWIN")
	if len(d.Lots) != 1 || d.Lots[0].Commissioned != 2 || d.Effectiveness.Units != 3 || d.Effectiveness.Outcomes.WithMaker != 3 || len(d.Scope) != 2 {
		t.Errorf("%+v", d)
	}
}
