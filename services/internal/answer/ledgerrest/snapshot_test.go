package ledgerrest_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"verilot.dev/ledger/state"
	"verilot.dev/services/internal/answer/index"
	"verilot.dev/services/internal/answer/ledgerrest"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/node/chain"
	"verilot.dev/services/internal/node/chain/chaintest"
)

// racing is a copy that gets a block right after each snapshot of it.
type racing struct {
	*chain.Chain
	t           *testing.T
	taken, held int
}

func (r *racing) Snapshot() (state.View, func(), error) {
	r.t.Helper()
	view, done, err := r.Chain.Snapshot()
	res, cert := chaintest.Block(r.t, r.Genesis(), r.Live(), chaintest.Epoch(r.t, r.Genesis()))
	if err := r.Commit(r.t.Context(), res, cert); err != nil {
		r.t.Fatal(err)
	}
	r.taken++
	r.held++
	return view, func() { r.held--; done() }, err
}

// The headers of an answer and all that it says come from one state of the ledger, however fast
// blocks come, and nothing is held when the request is over.
func TestOneSnapshotPerRequest(t *testing.T) {
	g := chaintest.Genesis(t, 1, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	c, err := chain.Open(t.TempDir(), g, chain.Options{Project: index.Project, ProjectVersion: index.Version})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := &racing{Chain: c, t: t}
	h := httpapi.New(httpapi.Options{})
	ledgerrest.Mount(h, ledgerrest.Options{Genesis: g, Copy: r, Now: time.Now})
	for i, path := range []string{
		"/v1/status", "/v1/parties", "/v1/blocks", "/v1/lots", "/v1/products", "/v1/recalls", "/v1/validators", "/v1/search?q=acme", "/v1/shipments?to=acme",
		"/v1/trace?id=(01)00399990012347(21)1", "/v1/verify?id=(01)00399990012347(21)1", "/v1/nowhere",
	} {
		rec := httptest.NewRecorder()
		h.Engine.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, path, http.NoBody))
		if height := rec.Header().Get("Verilot-Height"); height != strconv.Itoa(i) || r.taken != i+1 || r.held != 0 {
			t.Errorf("%s: height %s, %d snapshots taken, %d held; want height %d of one snapshot", path, height, r.taken-i, r.held, i)
		}
		if path == "/v1/nowhere" {
			continue
		}
		var a struct {
			RestsOn struct {
				Height string `json:"height"`
			} `json:"restsOn"`
		}
		if err := json.Unmarshal(rec.Body.Bytes(), &a); err != nil || a.RestsOn.Height != strconv.Itoa(i) {
			t.Errorf("%s: %v, %s, want it to rest on block %d", path, err, rec.Body, i)
		}
	}
	// What came after the snapshot is not there yet.
	rec := httptest.NewRecorder()
	h.Engine.ServeHTTP(rec, httptest.NewRequest(http.MethodGet, "/v1/blocks/"+strconv.Itoa(r.taken+1), http.NoBody))
	if rec.Code != http.StatusNotFound {
		t.Errorf("a block after the snapshot: %d %s", rec.Code, rec.Body)
	}
}
