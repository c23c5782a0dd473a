package subscription

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
)

func (w *world) tryOpen() error {
	o := w.options
	o.Dir, o.Engine, o.Clock, o.Registry, o.Limits = w.dir, w.engine, w.clock, prometheus.NewRegistry(), &w.limits
	s, err := Open(o)
	if err != nil {
		return err
	}
	return s.Close()
}

// A folder that cannot be read in full is refused, with what to do; nothing is served from the half of it.
func TestDamagedFolder(t *testing.T) {
	for _, tt := range []struct {
		name   string
		damage func(t *testing.T, w *world)
		want   string
	}{
		{"tables overwritten", func(t *testing.T, w *world) {
			t.Helper()
			tables, err := filepath.Glob(filepath.Join(w.dir, "*.sst"))
			if err != nil || len(tables) == 0 {
				t.Fatalf("no tables: %v", err)
			}
			for _, f := range tables {
				b, err := os.ReadFile(f)
				if err != nil {
					t.Fatal(err)
				}
				for i := range b {
					b[i] ^= 0x5A
				}
				if err := os.WriteFile(f, b, 0o600); err != nil {
					t.Fatal(err)
				}
			}
		}, "open the standing queries in"},
		{"one bit of a table", func(t *testing.T, w *world) {
			t.Helper()
			tables, _ := filepath.Glob(filepath.Join(w.dir, "*.sst"))
			b, err := os.ReadFile(tables[0])
			if err != nil {
				t.Fatal(err)
			}
			b[20] ^= 1
			if err := os.WriteFile(tables[0], b, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "checksum"},
		{"the list of tables is lost", func(t *testing.T, w *world) {
			t.Helper()
			if err := os.Truncate(filepath.Join(w.dir, "MANIFEST"), 3); err != nil {
				t.Fatal(err)
			}
		}, "open the standing queries in"},
		{"the list of tables is cut off", func(t *testing.T, w *world) {
			t.Helper()
			if err := os.Truncate(filepath.Join(w.dir, "MANIFEST"), 8); err != nil {
				t.Fatal(err)
			}
		}, "its records are lost"},
		{"a table of zeros", func(t *testing.T, w *world) {
			t.Helper()
			tables, _ := filepath.Glob(filepath.Join(w.dir, "*.sst"))
			if err := os.WriteFile(tables[0], make([]byte, 500), 0o600); err != nil {
				t.Fatal(err)
			}
		}, "it is no table"},
		{"an empty table", func(t *testing.T, w *world) {
			t.Helper()
			tables, _ := filepath.Glob(filepath.Join(w.dir, "*.sst"))
			if err := os.Truncate(tables[0], 0); err != nil {
				t.Fatal(err)
			}
		}, "it is no table"},
		{"a table is lost", func(t *testing.T, w *world) {
			t.Helper()
			tables, _ := filepath.Glob(filepath.Join(w.dir, "*.sst"))
			if err := os.Remove(tables[0]); err != nil {
				t.Fatal(err)
			}
		}, "open the standing queries in"},
		{"another layout", func(t *testing.T, w *world) {
			t.Helper()
			w.poke(map[string]any{versionKey: 7})
		}, `its layout is version "7", and this program reads 1`},
		{"something else's folder", func(t *testing.T, w *world) {
			t.Helper()
			w.poke(map[string]any{"x": 7})
		}, `read the record "x": it is no record of this program`},
		{"a query of another shape", func(t *testing.T, w *world) {
			t.Helper()
			w.poke(map[string]any{queryKey("", "all"): "text"})
		}, "read the record"},
		{"a subscription without its query", func(t *testing.T, w *world) {
			t.Helper()
			w.poke(map[string]any{queryKey("", "all"): nil})
		}, "has lost its query"},
		{"progress of nothing", func(t *testing.T, w *world) {
			t.Helper()
			w.poke(map[string]any{progressKeys + "0123456789abcdef": progress{}})
		}, "have lost what they are about"},
		{"progress under a name", func(t *testing.T, w *world) {
			t.Helper()
			w.poke(map[string]any{progressKeys + "x": progress{}})
		}, "read the record"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			w := newWorld(t)
			w.query("all")
			w.subscribe(newReceiver(w, ""), "all", stream)
			w.close()
			if err := w.tryOpen(); err != nil {
				t.Fatal(err)
			}
			tt.damage(t, w)
			err := w.tryOpen()
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "put the folder back") || !strings.Contains(err.Error(), w.dir) {
				t.Errorf("%v, want %s", err, tt.want)
			}
		})
	}
}

// No byte of a table can be wrong without being noticed.
func TestEveryByteOfATable(t *testing.T) {
	w := newWorld(t)
	w.query("all")
	w.subscribe(newReceiver(w, ""), "all", stream)
	w.close()
	tables, _ := filepath.Glob(filepath.Join(w.dir, "*.sst"))
	good, err := os.ReadFile(tables[0])
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(good); i += 11 {
		bad := slices.Clone(good)
		bad[i] ^= 0xFF
		if err := os.WriteFile(tables[0], bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := w.tryOpen(); err == nil {
			t.Errorf("byte %d of %d", i, len(good))
		}
	}
	if err := os.WriteFile(tables[0], good, 0o600); err != nil {
		t.Fatal(err)
	}
	// What a crash leaves behind is no damage: a table that is half written, and in no list.
	if err := os.WriteFile(filepath.Join(w.dir, "000900.sst"), good[:50], 0o600); err != nil {
		t.Fatal(err)
	}
	if err := w.tryOpen(); err != nil {
		t.Error(err)
	}
}

// poke changes the folder while nobody serves it.
func (w *world) poke(values map[string]any) {
	w.t.Helper()
	s, err := openStore(w.dir)
	if err != nil {
		w.t.Fatal(err)
	}
	if err := s.write(values); err != nil {
		w.t.Fatal(err)
	}
	if err := s.close(); err != nil {
		w.t.Fatal(err)
	}
}

// Two services never share a folder, and others than its owner cannot read the tokens in it.
func TestFolderIsOurs(t *testing.T) {
	w := newWorld(t, func(w *world) { w.dir = filepath.Join(w.dir, "standing") })
	if err := w.tryOpen(); err == nil || !strings.Contains(err.Error(), "lock") {
		t.Errorf("a second service: %v", err)
	}
	if st, err := os.Stat(w.dir); err != nil || st.Mode().Perm() != 0o700 {
		t.Errorf("%v %v", st.Mode(), err)
	}
}

// Everything that callers make is bounded, for each owner and for all, and what is deleted makes room.
func TestBounds(t *testing.T) {
	w := newWorld(t, func(w *world) {
		w.limits.Queries, w.limits.QueriesPerOwner = 4, 3
		w.limits.Subscriptions, w.limits.SubscriptionsPerOwner, w.limits.SubscriptionsPerQuery = 4, 3, 2
	})
	create := func(name, who string) int {
		return w.call("POST", "/queries", `{"name":"`+name+`","query":{}}`, "X-Who: "+who).status
	}
	for i := range 3 {
		if s := create(fmt.Sprintf("q%d", i), "a"); s != 201 {
			t.Fatal(s)
		}
	}
	if s := create("q3", "a"); s != 403 {
		t.Errorf("a fourth of one owner: %d", s)
	}
	if s := create("q0", "b"); s != 201 {
		t.Errorf("the same name of another owner: %d", s)
	}
	if s := create("q1", "b"); s != 403 {
		t.Errorf("a fifth of all: %d", s)
	}
	subscribe := func(name, who string) (int, string) {
		r := w.call("POST", "/queries/"+name+"/subscriptions", `{"dest":"https://client.example.com/","stream":true}`, "X-Who: "+who)
		return r.status, r.header.Get("Location")
	}
	_, first := subscribe("q0", "a")
	for _, tt := range []struct {
		name, who string
		want      int
	}{{"q0", "a", 201}, {"q0", "a", 403}, {"q1", "a", 201}, {"q1", "a", 403}, {"q0", "b", 201}, {"q0", "b", 403}} {
		if s, _ := subscribe(tt.name, tt.who); s != tt.want {
			t.Errorf("%+v: %d", tt, s)
		}
	}
	if r := w.call("DELETE", first, "", "X-Who: a"); r.status != 204 {
		t.Fatal(r.status)
	}
	if s, _ := subscribe("q0", "b"); s != 201 {
		t.Errorf("with room again: %d", s)
	}
	var long struct{ Query struct{ EQ []string } }
	long.Query.EQ = []string{strings.Repeat("x", maxBody)}
	b, _ := json.Marshal(long)
	if r := w.call("POST", "/queries", string(b), "X-Who: b"); r.status != 413 {
		t.Errorf("%d %s", r.status, r.body)
	}
}
