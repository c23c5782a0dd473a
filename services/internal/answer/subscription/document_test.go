package subscription

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/epcis/epcisdoc"
	"verilot.dev/services/internal/answer/epcisrest"
)

// answer writes what the api's service writes.
func answer(w io.Writer, name, id string, items []epcisrest.Item, o epcis.WriteOptions) error {
	e, err := epcisdoc.NewEncoder(w, epcis.Head{CreationDate: begin.Format(time.RFC3339), Query: &epcis.QueryResults{Name: name, SubscriptionID: id}}, o)
	if err != nil {
		return err
	}
	for i := range items {
		if err := e.Event(items[i].Event, items[i].RecordTime.Format(time.RFC3339)); err != nil {
			return err
		}
	}
	_, err = e.Close()
	return err
}

// What arrives is an EPCISQueryDocument that the standard's schema takes, with events and without.
func TestDeliveredDocuments(t *testing.T) {
	w := newWorld(t)
	w.svc.o.Answer = answer
	w.query("all")
	r := newReceiver(w, "token")
	path := w.subscribe(r, "all", `"schedule":{"second":"0"},"reportIfEmpty":true`)
	w.run()
	w.engine.block("a1", "a2")
	w.passing(time.Second, "two documents", func() bool { return len(r.deliveries()) >= 2 })
	for i, want := range []int{2, 0} {
		body := r.deliveries()[i].body
		n := 0
		sum, err := epcisdoc.Read(bytes.NewReader(body), epcis.Options{}, epcis.Handler{
			Event:   func(epcis.EventAt) error { n++; return nil },
			Problem: func(p epcis.Problem) error { t.Errorf("%+v in %s", p, body); return nil },
		})
		if err != nil || n != want || sum.SchemaInvalid || sum.Format != epcis.FormatJSON {
			t.Errorf("%d events, %+v, %v: %s", n, sum, err, body)
		}
		var d struct {
			Type      string `json:"type"`
			EPCISBody struct {
				QueryResults struct {
					QueryName      string `json:"queryName"`
					SubscriptionID string `json:"subscriptionID"`
				} `json:"queryResults"`
			} `json:"epcisBody"`
		}
		if err := json.Unmarshal(body, &d); err != nil || d.Type != "EPCISQueryDocument" || d.EPCISBody.QueryResults.QueryName != "all" || filepath.Base(path) != d.EPCISBody.QueryResults.SubscriptionID {
			t.Errorf("%v %+v", err, d)
		}
	}
}

// The folder can be read as it is at any moment: a machine that loses its power loses nothing that was acknowledged.
func TestFolderAtAnyMoment(t *testing.T) {
	w := newWorld(t, func(w *world) { w.limits.Events = 3 })
	w.query("all")
	r := newReceiver(w, "token")
	w.subscribe(r, "all", stream)
	w.run()
	for i := range 12 {
		w.engine.block("a", "b", "c", "d", "e")
		seen := len(r.deliveries())
		copied := t.TempDir()
		copyFolder(t, w.dir, copied)
		s, err := openStore(copied)
		if err != nil {
			t.Fatalf("copy %d: %v", i, err)
		}
		queries, subs, at, err := s.load()
		if err != nil || len(queries) != 1 || len(subs) != 1 || len(at) != 1 {
			t.Errorf("copy %d: %v %v %v %v", i, queries, subs, at, err)
		}
		// Every delivery but the last acknowledged one is noted, since the next is made only then.
		if p := at[subs[0].ID]; p.After == nil && seen > 1 && p.Done == 0 {
			t.Errorf("copy %d: %+v after %d deliveries", i, p, seen)
		}
		if err := s.close(); err != nil {
			t.Error(err)
		}
	}
	w.settled()
}

func copyFolder(t *testing.T, from, to string) {
	t.Helper()
	files, err := os.ReadDir(from)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(from, f.Name()))
		if os.IsNotExist(err) {
			continue // it went meanwhile
		}
		if err != nil {
			t.Fatal(err)
		}
		if f.Name() == "LOCK" {
			continue
		}
		if err := os.WriteFile(filepath.Join(to, f.Name()), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
