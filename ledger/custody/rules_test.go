package custody

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"verilot.dev/epcis"
	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/verdict"
	"verilot.dev/ledger/wire"
)

// run plays lines that must all take effect.
func (w *world) run(lines ...string) {
	w.t.Helper()
	for _, l := range lines {
		w.last = Judgement{}
		w.line(l)
		if w.last.Verdict == block.Rejected {
			w.t.Fatalf("%s: rejected, %s", l, w.last.Detail)
		}
	}
}

// A wholesaler sends its customer the maker's commissioning and packing inside its own file. Whether the maker's own
// copies or the relayed ones come first must not show in the end.
func TestRelayedOrderDoesNotMatter(t *testing.T) {
	const (
		birth  = "draft birth: M commissions u1..u6 lot A exp 2028-03-31"
		boxes  = "draft boxes: M commissions c1"
		pack   = "draft pack: M packs u1..u6 into c1"
		ship   = "draft ship: M ships c1 to W"
		arrive = "draft arrive: W receives c1"
		onward = "draft onward: W ships c1 to D"
	)
	maker := []string{"M publishes birth", "M publishes boxes", "M publishes pack", "M publishes ship"}
	relayed := []string{"W publishes birth", "W publishes boxes", "W publishes pack"}
	relayedShip := []string{"W publishes ship"}
	own := []string{"W publishes arrive", "W publishes onward"}
	join := slices.Concat[[]string]
	orders := map[string][]string{
		"maker first":                       join(maker, own, relayed, relayedShip),
		"maker first, nothing relayed":      join(maker, own),
		"relayed first":                     join(relayed, maker, own),
		"relayed with its shipment first":   join(relayed, relayedShip, maker, own),
		"maker's copies come last":          join(relayed, own, maker),
		"and after a relayed shipment":      join(relayed, relayedShip, own, maker),
		"the wholesaler's steps even first": join(own, relayed, maker),
	}
	var want []string
	for _, order := range []string{
		"maker first", "maker first, nothing relayed", "relayed first", "relayed with its shipment first",
		"maker's copies come last", "and after a relayed shipment", "the wholesaler's steps even first",
	} {
		w := newWorld(t)
		w.run(birth, boxes, pack, ship, arrive, onward)
		for _, l := range orders[order] {
			w.run(l)
			for _, f := range w.last.Findings {
				if !slices.Contains([]verdict.Code{verdict.Relayed, verdict.NotCommissioned, verdict.ReceiveNoShip, verdict.AggAfterShip}, f.Code) {
					t.Errorf("%s: %s: finding %s", order, l, f.Code)
				}
			}
		}
		got := slices.Concat(w.line("? u1..u6"), w.line("? c1"), w.line("? lot A"))
		if want == nil {
			want = got
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s: final custody differs (-maker first):\n%s", order, d)
		}
	}
}

func TestSealedPalletMovesAsOneThing(t *testing.T) {
	writes := func(units int) []string {
		w := newWorld(t)
		w.run(fmt.Sprintf("M commissions u1..u%d lot A exp 2028-03-31", units), fmt.Sprintf("M packs u1..u%d into c1", units), "M packs c1 into c2")
		var counts []string
		for _, l := range []string{"M ships c2 to W", "W receives c2", "W holds c2", "W inspects c2", "W ships c2 to D", "W voids c2"} {
			over := state.NewOverlay(w.st)
			base := w.st
			w.st = over
			w.run(l)
			ws := over.WriteSet()
			counts = append(counts, fmt.Sprintf("%s: %d keys, %d bytes", l, len(ws), len(ws.Encode())))
			mem := base.(*state.Memory)
			mem.Apply(ws)
			w.st = mem
		}
		return counts
	}
	if d := cmp.Diff(writes(10), writes(10_000)); d != "" {
		t.Errorf("moving 10 and 10,000 units differs:\n%s", d)
	}
}

// A pile of containers ends somewhere, whichever end it is built from, and cannot be closed to a ring.
func TestDepth(t *testing.T) {
	for _, order := range []string{"from inside", "from outside"} {
		w := newWorld(t)
		for i := 1; i < 100; i++ {
			inner := i
			if order == "from outside" {
				inner = 100 - i
			}
			w.line(fmt.Sprintf("M packs c%d into c%d", inner, inner+1))
			if deep := w.last.Code == "AGG_TOO_DEEP"; deep != (i == maxNesting+1) && i <= maxNesting+1 {
				t.Errorf("%s: container %d: %s", order, i, w.last.Code)
			}
		}
		for i := 1; i <= 100; i++ {
			if _, containers, ok := Locate(w.st, key(fmt.Sprintf("c%d", i))); ok && len(containers) > maxNesting {
				t.Errorf("%s: c%d is inside %d containers", order, i, len(containers))
			}
		}
	}
	// What was emptied may be packed again: old height does not count.
	w := newWorld(t)
	for i := range maxNesting {
		w.run(fmt.Sprintf("M packs c%d into c%d", i+1, i+2))
	}
	w.run(fmt.Sprintf("M unpacks c%d from c%d", maxNesting, maxNesting+1), fmt.Sprintf("M packs c%d into c90", maxNesting+1))
}

// A container may be emptied without naming its contents, up to a point and up to what is left for the submission.
func TestUnpackUnnamed(t *testing.T) {
	for _, tt := range []struct {
		inside, left int
		code         verdict.Code
	}{{MaxContents, MaxContents, ""}, {MaxContents + 1, 5000, verdict.UnpackUnnamed}, {3, 2, verdict.UnpackUnnamed}, {3, 3, ""}} {
		w := newWorld(t)
		w.run(fmt.Sprintf("M packs u1..u%d into c1", tt.inside))
		it := w.item("M", "unpacks", strings.Fields("all from c1"))
		if !TakesAll(it) {
			t.Fatal("not the event that is meant")
		}
		left := tt.left
		c := w.context("M")
		c.Contents = &left
		j := Judge(w.st, c, it)
		want := tt.left - tt.inside
		if tt.code != "" {
			want = tt.left
		}
		if j.Code != tt.code || left != want {
			t.Errorf("%d inside: %q (%s), %d left", tt.inside, j.Code, j.Detail, left)
		}
	}
}

// What the rules read cannot be sealed: a proof would show beside "accepted" what nobody accepted.
func TestSealedRules(t *testing.T) {
	w := newWorld(t)
	for _, tt := range []struct {
		name string
		path commit.Path
		bad  bool
	}{
		{"disposition", wire.FieldPath(wire.FieldDisposition), true},
		{"destination", wire.FieldPath(wire.FieldDestinationList).Index(0).Field(2), true},
		{"read point", wire.FieldPath(wire.FieldReadPoint).Field(1), true},
		{"read point, extension", wire.FieldPath(wire.FieldReadPoint).Field(2).Index(0).Name("urn:x", "note"), false},
		{"lot", wire.FieldPath(wire.FieldILMD).Index(7).Name("urn:epcglobal:cbv:mda", "lotNumber"), true},
		{"attribute of a lot", wire.FieldPath(wire.FieldILMD).Index(0).Name("urn:epcglobal:cbv:mda", "lotNumber").Field(5).Index(0).Name("urn:x", "a"), false},
		{"another lot", wire.FieldPath(wire.FieldILMD).Index(7).Name("urn:x", "lotNumber"), false},
		{"declared an error", wire.FieldPath(wire.FieldErrorDeclaration).Field(2), true},
		{"purchase order", wire.BizTransactionValue(0), false},
		{"kind of document", wire.FieldPath(wire.FieldBizTransactionList).Index(0).Field(1), true},
		{"unit", wire.FieldPath(wire.FieldEPCList).Index(0), true},
		{"event id", wire.FieldPath(wire.FieldEventID), true},
	} {
		it := w.item("M", "commissions", strings.Fields("u1 lot A exp 2028-03-31"))
		it.Sealed = []commit.Sealed{{Path: tt.path}}
		if j := Judge(state.NewOverlay(w.st), w.context("M"), it); (j.Code == "SEALED_FIELD") != tt.bad {
			t.Errorf("%s: %s (%s)", tt.name, j.Code, j.Detail)
		}
	}
	lot := &wire.Item{Kind: wire.KindLot, Message: &registry.Lot{}, Sealed: []commit.Sealed{{Path: wire.FieldPath(2)}}}
	if j := Judge(w.st, w.context("M"), lot); j.Code != "SEALED_FIELD" {
		t.Errorf("a lot without number: %s", j.Code)
	}
	note := &wire.Item{Kind: wire.KindResolution, Message: &registry.Resolution{}, Sealed: []commit.Sealed{{Path: wire.FieldPath(6)}}}
	if j := Judge(w.st, w.context("M"), note); j.Code != "SEALED_FIELD" {
		t.Errorf("a resolution with a secret note: %s", j.Code)
	}
}

func BenchmarkJudge(b *testing.B) {
	prepare := func(n int) (*world, []*wire.Item) {
		w := newWorld(b)
		items := make([]*wire.Item, n)
		return w, items
	}
	units48 := func(i int) string { return fmt.Sprintf("u%d..u%d", i*48+1, i*48+48) }
	b.Run("commission 48 units", func(b *testing.B) {
		w, items := prepare(b.N)
		for i := range items {
			items[i] = w.item("M", "commissions", []string{units48(i), "lot", "A", "exp", "2028-03-31"})
		}
		benchmark(b, w, items)
	})
	b.Run("pack 48 units", func(b *testing.B) {
		w, items := prepare(b.N)
		for i := range items {
			w.judge("M", w.item("M", "commissions", []string{units48(i), "lot", "A", "exp", "2028-03-31"}))
			items[i] = w.item("M", "packs", []string{units48(i), "into", fmt.Sprintf("c%d", i+1)})
		}
		benchmark(b, w, items)
	})
	for _, n := range []int{10, 10_000} {
		b.Run(fmt.Sprintf("ship a sealed pallet of %d", n), func(b *testing.B) {
			w, _ := prepare(0)
			w.run(fmt.Sprintf("M commissions u1..u%d lot A exp 2028-03-31", n), fmt.Sprintf("M packs u1..u%d into c1", n))
			it := w.item("M", "ships", []string{"c1", "to", "W"})
			base, c := w.st, w.context("M")
			b.ReportAllocs()
			for b.Loop() {
				over := state.NewOverlay(base)
				if j := Judge(over, c, it); j.Verdict != block.Accepted {
					b.Fatal(j.Code, j.Detail)
				}
				over.WriteSet()
			}
		})
	}
}

// What a lot's totals cost, and its recall, whatever its size.
func BenchmarkLot(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000, 1_000_000} {
		w := newWorld(b)
		for i := 0; i < n; i += 10_000 {
			w.run(fmt.Sprintf("M commissions u%d..u%d lot A exp 2028-03-31", i+1, min(i+10_000, n)))
		}
		g, _ := gs1.ParseGTIN(gtin('u'))
		b.Run(fmt.Sprintf("totals of %d units", n), func(b *testing.B) {
			for b.Loop() {
				if _, sum := LotTotals(w.st, g, "A"); sum != uint64(n) {
					b.Fatal(sum)
				}
			}
		})
		it, base, c := w.item("M", "recalls", []string{"lot", "A"}), w.st, w.context("M")
		b.Run(fmt.Sprintf("recall of %d units", n), func(b *testing.B) {
			for b.Loop() {
				over := state.NewOverlay(base)
				if j := Judge(over, c, it); j.Verdict != block.Accepted {
					b.Fatal(j.Code, j.Detail)
				}
			}
		})
	}
}

func benchmark(b *testing.B, w *world, items []*wire.Item) {
	b.Helper()
	over := state.NewOverlay(w.st)
	w.st = over
	units := 0
	b.ReportAllocs()
	b.ResetTimer()
	for _, it := range items {
		if j := w.judge("M", it); j.Verdict == block.Rejected {
			b.Fatal(j.Detail)
		}
		units += len(it.Committed.Units)
	}
	b.ReportMetric(float64(units)/b.Elapsed().Seconds(), "units/s")
}

// A place is written into the record of every unit of the event, so its key has a limit.
func TestLongPlace(t *testing.T) {
	w := newWorld(t)
	it := w.item("M", "commissions", strings.Fields("u1 lot A exp 2028-03-31"))
	for n, code := range map[int]verdict.Code{wire.MaxUnitKey - 6: "", wire.MaxUnitKey - 5: verdict.FmtEPC} {
		it.Message.(*epcis.Event).ReadPoint = &epcis.Place{ID: "x:" + strings.Repeat("y", n)}
		if j := Judge(state.NewOverlay(w.st), w.context("M"), it); j.Code != code {
			t.Errorf("key of %d bytes: %q (%s)", n+6, j.Code, j.Detail)
		}
	}
}
