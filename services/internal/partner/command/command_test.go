package command

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"

	"verilot.dev/epcis"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/partner/directory"
	"verilot.dev/services/internal/partner/draft"
	"verilot.dev/services/internal/partner/outbox"
	"verilot.dev/services/internal/partner/outbox/outboxtest"
)

// desk keeps drafts instead of storing them, and numbers from 1.
type desk struct {
	drafts []*draft.Draft
	n      uint64
}

type job struct{ Kind string }

func (d *desk) Submit(ctx context.Context, _ outbox.Request, build func(context.Context) (*draft.Draft, error)) (uuid.UUID, error) {
	x, err := build(ctx)
	if err == nil {
		d.drafts = append(d.drafts, x)
	}
	return uuid.Nil, err
}

func (d *desk) Accepted(uuid.UUID) (string, *job, error) {
	return "/here", &job{d.drafts[len(d.drafts)-1].Kind}, nil
}

func (d *desk) Serials(_ string, count int, draw func() (string, error)) (list []string, err error) {
	for len(list) < count && err == nil {
		var s string
		s, err = draw()
		list = append(list, s)
	}
	return list, err
}

func (d *desk) Next(string) (uint64, error) { d.n++; return d.n, nil }

func mounted(t *testing.T, offer Offer) (*desk, func(path, body string) *httptest.ResponseRecorder) {
	t.Helper()
	now := func() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }
	dir, err := directory.New(directory.Config{
		Genesis: outboxtest.Genesis(t, true), Party: "maker", KeyID: keys.ID(keys.Event, outboxtest.Public("maker/event")), Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{}
	api := httpapi.New(httpapi.Options{})
	Mount[job](api, New(Config{Directory: dir, Numbers: d, Now: now}), offer, d)
	return d, func(path, body string) *httptest.ResponseRecorder {
		req := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
		req.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		api.Engine.ServeHTTP(rec, req)
		return rec
	}
}

// A command is a draft: nothing is signed or stored to make it.
func TestCommandsAreDrafts(t *testing.T) {
	d, post := mounted(t, Offer{By: "manufacturer", Names: Names, Authority: true})
	for _, tt := range []struct {
		path, body string
		kinds      []uint8
		step       string
	}{
		{"/v1/products", `{"gtin":"00399990100013","name":"Testol"}`, []uint8{wire.KindProduct}, ""},
		{"/v1/lots", `{"gtin":"00399990100013","lot":"L1","expiry":"2028-01-31"}`, []uint8{wire.KindLot}, ""},
		{"/v1/serials", `{"gtin":"00399990100013","count":3}`, nil, ""},
		{"/v1/commission", `{"gtin":"00399990100013","lot":"L1","expiry":"2028-01-31","count":3}`, []uint8{wire.KindEvent}, epcis.StepCommissioning},
		{"/v1/pack", `{"children":["urn:epc:id:sgtin:0399990.010001.1"]}`, []uint8{wire.KindEvent, wire.KindEvent}, epcis.StepPacking},
		{"/v1/ship", `{"items":["urn:epc:id:sgtin:0399990.010001.1"],"to":{"party":"dist"}}`, []uint8{wire.KindEvent}, epcis.StepShipping},
		{"/v1/recall", `{"recallNumber":"R-1","gtin":"00399990100013"}`, []uint8{wire.KindRecall}, ""},
		{"/v1/findings/resolve", `{"event":"3/0/0","code":"DOUBLE_SHIP","outcome":"cleared","units":["urn:epc:id:sgtin:0399990.010001.1"]}`, []uint8{wire.KindResolution}, ""},
		{"/v1/parties", `{"id":"new","name":"New"}`, []uint8{wire.KindPartyAct}, ""},
	} {
		rec := post(tt.path, tt.body)
		if rec.Code != http.StatusAccepted || rec.Header().Get("Location") != "/here" {
			t.Errorf("%s: %d %s", tt.path, rec.Code, rec.Body)
			continue
		}
		x := d.drafts[len(d.drafts)-1]
		var kinds []uint8
		step := ""
		for _, it := range x.Items {
			kinds = append(kinds, it.Kind)
			step = it.Info.Step
		}
		if !slices.Equal(kinds, tt.kinds) || step != tt.step || x.OnError != submission.Rollback || x.Authority != (tt.path == "/v1/parties") || x.Sealed != nil {
			t.Errorf("%s: %+v", tt.path, x)
		}
	}
}

// What a service does not offer is refused with a reason, or is not there where only some commands are.
func TestOffer(t *testing.T) {
	d, post := mounted(t, Offer{By: "pharmacy", Names: []string{"dispense"}})
	if rec := post("/v1/pack", `{"children":["urn:epc:id:sgtin:0399990.010001.1"]}`); rec.Code != http.StatusForbidden || !strings.Contains(rec.Body.String(), "a pharmacy does not pack") {
		t.Errorf("%d %s", rec.Code, rec.Body)
	}
	_, post = mounted(t, Offer{By: "regulator", Names: []string{"recall"}, Only: true})
	for _, path := range []string{"/v1/pack", "/v1/parties"} {
		if rec := post(path, `{}`); rec.Code != http.StatusNotFound {
			t.Errorf("%s: %d %s", path, rec.Code, rec.Body)
		}
	}
	if len(d.drafts) > 0 {
		t.Error("a refused command was drafted")
	}
}

// What nobody could accept is refused before anything is signed, and the refusal says what would do.
func TestResolve(t *testing.T) {
	d, post := mounted(t, Offer{By: "distributor", Names: []string{"resolve"}})
	body := func(change string) string {
		fields := map[string]any{"event": "120/4/3", "code": "TWO_PLACES", "outcome": "cleared", "units": []string{"(01)00399990100013(21)A", "urn:epc:id:sscc:0399990.0000000001"}}
		if err := json.Unmarshal([]byte(change), &fields); err != nil {
			t.Fatal(err)
		}
		b, _ := json.Marshal(fields)
		return string(b)
	}
	if rec := post("/v1/findings/resolve", body(`{"note":"looked at both"}`)); rec.Code != http.StatusAccepted {
		t.Fatalf("%d %s", rec.Code, rec.Body)
	}
	want := &registry.Resolution{
		Height: 120, Entry: 4, Item: 3, Code: "TWO_PLACES", Outcome: "cleared", Note: "looked at both",
		Units: []string{"urn:epc:id:sgtin:0399990.010001.A", "urn:epc:id:sscc:0399990.0000000001"},
	}
	if diff := cmp.Diff(want, d.drafts[0].Items[0].Message); diff != "" {
		t.Error(diff)
	}
	if got := d.drafts[0].Items[0].Info.Subject; got != "TWO_PLACES of 120/4/3: cleared" {
		t.Error(got)
	}
	for _, tt := range []struct{ name, change, says string }{
		{"an outcome of another code", `{"outcome":"goods_found"}`, `"code":"illegitimate"`},
		{"a word that is none", `{"outcome":"whatever"}`, `The thing is a copy`},
		{"a code that is no finding", `{"code":"DUP_COMMISSION"}`, "no finding that can be closed"},
		{"no position", `{"event":"tomorrow"}`, "height/entry/item"},
		{"a position that is too large", `{"event":"1/0/99999999999"}`, "height/entry/item"},
		{"no unit", `{"units":["(01)00399990100013"]}`, "units[0]"},
		{"a unit twice", `{"units":["(01)00399990100013(21)A","(01)00399990100013(21)A"]}`, "list each thing once"},
		{"a long note", `{"note":"` + strings.Repeat("\u00e9", 600) + `"}`, "1200 bytes"},
	} {
		if rec := post("/v1/findings/resolve", body(tt.change)); rec.Code != http.StatusBadRequest || !strings.Contains(rec.Body.String(), tt.says) {
			t.Errorf("%s: %d %s", tt.name, rec.Code, rec.Body)
		}
	}
	if len(d.drafts) != 1 {
		t.Error("a refused command was drafted")
	}
}
