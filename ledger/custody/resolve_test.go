package custody

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/verdict"
	"verilot.dev/ledger/wire"
)

// Every code that the rules give as a finding can be closed, and only these.
func TestEveryFindingCanBeClosed(t *testing.T) {
	finding := map[verdict.Code]bool{}
	for _, e := range verdict.List() { // an empty severity: as a finding, and as a verdict
		if e.Severity == block.Hold.String() || e.Severity == block.Flag.String() || e.Severity == "" {
			finding[e.Code] = true
			if len(Outcomes(e.Code)) == 0 {
				t.Errorf("%s cannot be closed", e.Code)
			}
		}
	}
	for at, s := range tellAll(t) {
		if slices.ContainsFunc(s.severities, func(s string) bool { return s == block.Hold.String() || s == block.Flag.String() }) && len(Outcomes(at.code)) == 0 {
			t.Errorf("%s, which %s raises, cannot be closed", at.code, s.stories[0])
		}
	}
	used := map[Outcome]bool{}
	for _, code := range resolvable() {
		if !finding[code] {
			t.Errorf("%s can be closed and is no finding", code)
		}
		if !slices.Contains(Closers(code), Regulator) {
			t.Errorf("%s: when all others are gone, nobody closes it", code)
		}
		for _, o := range Outcomes(code) {
			used[o] = true
			if o.Meaning() == "" {
				t.Errorf("%s: the outcome %s has no meaning", code, o)
			}
			if o == Illegitimate && !slices.Contains(Closers(code), Maker) {
				t.Errorf("%s: no maker can say that it is illegitimate", code)
			}
		}
	}
	for _, o := range outcomes {
		if !used[o.word] {
			t.Errorf("%s is no code's outcome", o.word)
		}
	}
}

// docs/spec.md section 14.10 has the table for a second implementation.
func TestSpecSaysWhoMayClose(t *testing.T) {
	text, err := os.ReadFile("../../docs/spec.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range resolvable() {
		row := resolutions[code]
		line := fmt.Sprintf("| `%s` | `%s` | %s |\n", code, strings.ReplaceAll(words(row.outcomes), ", ", "`, `"), words(row.closers))
		if !strings.Contains(string(text), line) {
			t.Errorf("spec.md does not have this row:\n%s", line)
		}
	}
}

// Who may close what, whatever the code: D has u1 of maker M now, W's event raised the finding, X is its other side.
func TestWhoMayClose(t *testing.T) {
	w := newWorld(t)
	w.run("M commissions u1 lot A exp 2028-03-31", "M ships u1 to D", "D receives u1")
	copies := []verdict.Code{verdict.TwoPlaces, verdict.DispenseTwice}
	graced := []verdict.Code{verdict.NotCommissioned, verdict.AggUnknownChild, verdict.ReceiveNoShip, verdict.ShipBeforeCommission}
	for _, code := range resolvable() {
		for _, held := range []bool{false, true} {
			for _, o := range Outcomes(code) {
				var may []string
				for _, p := range parties {
					f := FindingRecord{Code: code, Severity: block.Flag, State: block.Open, By: "w", Other: "x"}
					if held {
						f.State = block.Held
					}
					if MayResolve(w.st, partyID(p.id), key("u1"), &f, o) {
						may = append(may, p.id)
					}
					f.State = block.Closed
					if MayResolve(w.st, partyID(p.id), key("u1"), &f, o) {
						t.Errorf("%s closes %s, which is closed", p.id, code)
					}
				}
				list := strings.Join(may, "")
				switch {
				case !strings.Contains(list, "G"), strings.ContainsAny(list, "NREL"):
					t.Errorf("%s (held: %t) as %s: %s", code, held, o, list)
				case (held || slices.Contains(graced, code)) && strings.Contains(list, "W"):
					t.Errorf("%s (held: %t): its author may close it", code, held)
				case (o == Illegitimate || slices.Contains(copies, code)) && list != "MG":
					t.Errorf("%s as %s: %s, want maker and regulator", code, o, list)
				case strings.Contains(list, "A") != (code == verdict.PartnerNotATP):
					t.Errorf("%s: %s", code, list)
				case slices.Contains(graced, code) && strings.Contains(list, "D"):
					t.Errorf("%s: whoever gets the goods may close it", code)
				}
			}
		}
	}
	// The author of a hold is that, whatever else it is.
	for _, by := range []string{"m", "d", "g", "x"} {
		f := FindingRecord{Code: verdict.LotMismatch, Severity: block.Hold, State: block.Open, By: by, Other: by}
		if MayResolve(w.st, by, key("u1"), &f, Cleared) {
			t.Errorf("%s closes its own hold", by)
		}
	}
	f := FindingRecord{Code: verdict.LotMismatch, Severity: block.Hold, State: block.Open, By: "w"}
	if MayResolve(w.st, "m", key("u1"), &f, GoodsFound) || MayResolve(w.st, "nobody", key("u1"), &f, Cleared) || MayResolve(w.st, "", key("u1"), &f, Cleared) {
		t.Error("an outcome of another code, or an unknown party")
	}
	if w.line("A suspends M"); MayResolve(w.st, "m", key("u1"), &f, Cleared) {
		t.Error("a suspended party")
	}
	// The maker of a container is the owner of its number.
	f.Code = verdict.TwoPlaces
	w.line("A reinstates M")
	if !MayResolve(w.st, "m", key("c1"), &f, Cleared) || MayResolve(w.st, "x", key("c1"), &f, Cleared) {
		t.Error("the owner of an SSCC")
	}
}

// The other side of a finding, as it is recorded.
func TestOtherSide(t *testing.T) {
	for _, tt := range []struct {
		name, story, last, thing string
		code                     verdict.Code
		want                     string
	}{
		{"a claim: the holder", "M commissions u1 lot A exp 2028-03-31", "X ships u1 to D", "u1", verdict.ShipByNonHolder, "m"},
		{"a claim of something inside", "M commissions u1 lot A exp 2028-03-31|M packs u1 into c1", "X dispenses u1|D dispenses u1", "u1", verdict.DispenseByNonHolder, "m"},
		{"a shipment: the addressee", "M commissions u1 lot A exp 2028-03-31|M packs u1 into c1", "M ships u1 to W", "u1", verdict.ShipChildOutsideParent, "w"},
		{"a second shipment: its addressee", "M commissions u1 lot A exp 2028-03-31|M ships u1 to W", "M ships u1 to X", "u1", verdict.DoubleShip, "x"},
		{"a receipt: the sender", "M commissions u1 lot A exp 2028-03-31|M ships u1 to W", "X receives u1", "u1", verdict.WrongReceiver, "m"},
		{"what is missing of a shipment", "M commissions u1..u2 lot A exp 2028-03-31|M ships u1..u2 to W", "W receives u1", "u2", verdict.QtyShort, "m"},
		{"never shipped: the holder", "M commissions u1 lot A exp 2028-03-31", "W receives u1", "u1", verdict.ReceiveNoShip, "m"},
		{"a copy: who has it", "M commissions u1 lot A exp 2028-03-31|M ships u1 to D|D receives u1|E receives u1", "D dispenses u1", "u1", verdict.TwoPlaces, "e"},
		{"hearsay: the actor", "", "W commissions u1 lot A exp 2028-03-31 via M", "", verdict.Relayed, "m"},
		{"nobody else", "", "W holds u1", "u1", verdict.NotCommissioned, ""},
		{"its own", "M commissions u1 lot A exp 2028-03-31|M packs u1 into c1", "M holds u1", "u1", verdict.ChildEventWhilePacked, ""},
	} {
		w := newWorld(t)
		for line := range strings.SplitSeq(tt.story+"|"+tt.last, "|") {
			if line != "" {
				w.line(line)
			}
		}
		on := w.context("").Pos
		f, ok := readFinding(w.st, block.EventSubject(on), on, tt.code)
		if tt.thing != "" {
			f, ok = FindingOf(w.st, key(tt.thing), on, tt.code)
		}
		by := partyID(strings.Fields(tt.last[strings.LastIndex(tt.last, "|")+1:])[0])
		if !ok || f.By != by || f.Other != tt.want {
			t.Errorf("%s: %t, by %q, other side %q, want %q", tt.name, ok, f.By, f.Other, tt.want)
		}
	}
}

// What a resolution says is kept, and a note has a limit.
func TestNote(t *testing.T) {
	w := newWorld(t)
	w.run("W holds u1") // NOT_COMMISSIONED
	resolution := func(note string) *wire.Item {
		return &wire.Item{Kind: wire.KindResolution, Message: &registry.Resolution{
			Height: 1, Code: "NOT_COMMISSIONED", Outcome: "cleared", Note: note, Units: []string{key("u1").DigitalLink(), key("u1").DigitalLink()},
		}}
	}
	for _, note := range []string{strings.Repeat("x", MaxNote+1), "a\x00b"} {
		if j := w.judge("M", resolution(note)); j.Code != verdict.BadValue {
			t.Errorf("a note of %d bytes: %s", len(note), j.Code)
		}
	}
	note := strings.Repeat("x", MaxNote)
	if j := w.judge("M", resolution(note)); j.Verdict != block.Accepted || len(j.Amendments) != 1 || len(j.Amendments[0].Subjects) != 1 {
		t.Error(j)
	}
	r, ok := ResolvedAt(w.st, w.context("").Pos)
	if want := (Resolved{By: "m", Outcome: Cleared, Note: note}); !ok || r != want {
		t.Errorf("%t %+v", ok, r)
	}
	if _, ok := ResolvedAt(w.st, block.TimerCause(1)); ok {
		t.Error("a timer resolves nothing")
	}
}
