package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/localnet"
	"verilot.dev/services/internal/node/chain"
)

// The outcomes of a code are listed without a service, for people and for scripts.
func TestOutcomes(t *testing.T) {
	code, out, _ := verilot(t, "resolve", "--outcomes", "TWO_PLACES")
	for _, want := range []string{"by maker, regulator", "cleared", "illegitimate", "It is marked illegitimate and stays so."} {
		if code != 0 || !strings.Contains(out, want) {
			t.Errorf("exit %d, no %q:\n%s", code, want, out)
		}
	}
	code, out, _ = verilot(t, "resolve", "--outcomes", "--json")
	var list []closable
	if err := json.Unmarshal([]byte(out), &list); err != nil || code != 0 || len(list) < 20 {
		t.Fatalf("exit %d, %d codes: %v", code, len(list), err)
	}
	for _, c := range list {
		if len(c.Outcomes) == 0 || len(c.Closers) == 0 {
			t.Errorf("%+v", c)
		}
	}
}

// A trace says of a closed finding who closed it.
func TestClosedBy(t *testing.T) {
	const at = `"cause":{"height":"7","entry":0,"item":0}`
	for finding, want := range map[string]string{
		`{"state":"open"}`: "",
		`{"state":"held","changes":[{"state":"held"}]}`:                                                                     "",
		`{"state":"closed","changes":[{},{` + at + `}]}`:                                                                    ", closed by the record at 7/0/0",
		`{"state":"closed","changes":[{` + at + `,"by":{"id":"w"},"byAuthor":true,"outcome":"acknowledged"}]}`:              ", closed by w as acknowledged (its author)",
		`{"state":"closed","changes":[{` + at + `,"by":{"id":"w","name":"Midland"},"outcome":"cleared","note":"counted"}]}`: ", closed by Midland as cleared: counted",
	} {
		var f tracing.FindingView
		if err := json.Unmarshal([]byte(finding), &f); err != nil {
			t.Fatal(err)
		}
		if got := closedBy(&f); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A trace names the container that a finding is about: the finding is closed for the container, and not for what is inside.
func TestFindingOfContainer(t *testing.T) {
	var out bytes.Buffer
	(&app{out: &out}).showTrace(&tracing.Trace{Findings: []tracing.FindingView{{Code: "DOUBLE_SHIP", Severity: "hold", State: "open", Via: "00003999900000000122"}}})
	if want := "finding DOUBLE_SHIP (hold, open) at 0/0/0 on SSCC 003999900000000122\n"; !strings.Contains(out.String(), want) {
		t.Errorf("%s\nwant %s", out.String(), want)
	}
}

// A trace of a container says what is recalled inside, in the words of a check.
func TestTraceSeesInside(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/v1/verify" {
			_, _ = io.WriteString(w, `{"colour":"red","reasons":[{"code":"Recalled","detail":"3 of 3 units inside are recalled (R-1)"}]}`)
			return
		}
		_, _ = io.WriteString(w, `{"id":{"key":"00003999900000000122"},"known":true,"contents":3,"answer":"Active"}`)
	}))
	defer srv.Close()
	var out bytes.Buffer
	cl, err := newClient(srv.URL)
	if err == nil {
		err = (&app{out: &out}).trace(t.Context(), cl, "00003999900000000122", "")
	}
	if err != nil || !strings.Contains(out.String(), "3 of 3 units inside are recalled (R-1)") {
		t.Errorf("%v: %s", err, out.String())
	}
}

// A service whose data folder it refuses is not started again.
func TestRefusedFolderIsFinal(t *testing.T) {
	e, ok := errors.AsType[*exit](ended(fmt.Errorf("open chain: %w: of another network", chain.ErrRefused)))
	if !ok || !localnet.Final(e.code) {
		t.Errorf("%+v", e)
	}
}

// A trace says of an event that it was taken back, and of the declaration that it is one.
func TestTakenBackForPeople(t *testing.T) {
	var s tracing.Step
	if err := json.Unmarshal([]byte(`{"bizStep":"dispensing","verdict":"accepted","takenBack":{"height":"53","entry":0,"item":0}}`), &s); err != nil {
		t.Fatal(err)
	}
	if got, want := stepName(&s)+" "+verdictOf(&s), "dispensing accepted, taken back by 53/0/0"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := stepName(&tracing.Step{Step: "dispensing", Declaration: true}), "dispensing (error)"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A refusal for one reason says it once.
func TestRefusedOnce(t *testing.T) {
	for answer, want := range map[string]string{
		`{"code":"c","detail":"It is recalled. Nothing was captured. What to do: set it aside","errors":[{"message":"It is recalled","hint":"set it aside"}]}`: "c: It is recalled. Nothing was captured. What to do: set it aside",
		`{"code":"c","detail":"It is recalled.","errors":[{"message":"It is recalled","hint":"set it aside"}]}`:                                                "c: It is recalled.\n  It is recalled (set it aside)",
		`{"code":"c","detail":"Bad.","errors":[{"message":"Bad","line":3,"column":7}]}`:                                                                        "c: Bad.\n  line 3, column 7: Bad",
	} {
		var p problem
		if err := json.Unmarshal([]byte(answer), &p); err != nil {
			t.Fatal(err)
		}
		if got := p.Error(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// A declaration that the ledger recorded and that undid nothing is no success.
func TestTakeBackBlocked(t *testing.T) {
	for findings, want := range map[string]int{`[]`: 0, `[{"code":"FUTURE_EVENT","severity":"flag","count":1}]`: 0, `[{"code":"ERRDECL_BREAKS_CHAIN","severity":"flag","count":1}]`: 1} {
		service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "/capture/7")
			w.WriteHeader(http.StatusAccepted)
			_, _ = io.WriteString(w, `{"captureID":"7","state":"indexed","success":true,"events":1,"verdicts":[{"index":0,"kind":"event","verdict":"flagged","findings":`+findings+`}]}`)
		}))
		if code, _, errs := verilot(t, "take-back", "1/0/0", "--to", service.URL); code != want {
			t.Errorf("%s: exit %d, want %d %s", findings, code, want, errs)
		}
		service.Close()
	}
}
