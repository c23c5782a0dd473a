package index

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/custody"
	"verilot.dev/ledger/state"
)

// shelf is a hand-made view: each event takes the next height. Objects go by names: u… are units, everything else containers.
type shelf struct {
	t      *testing.T
	view   *state.Memory
	height uint64
	names  map[gs1.Key]string
}

func newShelf(t *testing.T) *shelf {
	t.Helper()
	return &shelf{t: t, view: state.NewMemory(), names: map[gs1.Key]string{}}
}

func (s *shelf) key(name string) gs1.Key {
	s.t.Helper()
	text := "010039999001234721" + name
	if !strings.HasPrefix(name, "u") {
		// An SSCC whose digits are the name's letters: the check digit decides which one it is.
		digits := "00399990"
		for _, c := range name {
			digits += fmt.Sprintf("%02d", int(c)%100)
		}
		digits += strings.Repeat("0", 17-len(digits))
		for check := range 10 {
			if _, err := gs1.NewSSCC(digits + strconv.Itoa(check)); err == nil {
				text = "00" + digits + strconv.Itoa(check)
			}
		}
	}
	k, err := gs1.ParseKey(text)
	if err != nil {
		s.t.Fatal(err)
	}
	s.names[k] = name
	return k
}

// event records that an event named the objects.
func (s *shelf) event(verdict block.VerdictCode, names ...string) canonical.Position {
	s.t.Helper()
	s.height++
	pos := canonical.Position{Height: s.height}
	for _, name := range names {
		s.view.Put(at(historyPrefix, s.key(name).String(), pos), []byte{byte(verdict), 1})
	}
	return pos
}

// tell plays a script: "pack u1 in A", "unpack u1 from A", "ship A", "reject A" (an event that was rejected), "repeat A" (a duplicate).
func (s *shelf) tell(script ...string) {
	s.t.Helper()
	for _, line := range script {
		w := strings.Fields(line)
		switch w[0] {
		case "pack", "unpack":
			pos := s.event(block.Accepted, w[1], w[3])
			var effect custody.Effect = custody.Packed{Parent: s.key(w[3]).String(), Keys: []string{s.key(w[1]).String()}}
			if w[0] == "unpack" {
				effect = custody.Unpacked{Parent: s.key(w[3]).String(), Keys: []string{s.key(w[1]).String()}}
			}
			o := state.NewOverlay(s.view)
			if err := projectEffect(o, pos, effect.Encode()); err != nil {
				s.t.Fatal(err)
			}
			s.view.Apply(o.WriteSet())
		case "reject":
			s.event(block.Rejected, w[1:]...)
		case "repeat":
			s.event(block.Duplicate, w[1:]...)
		case "flag":
			s.event(block.Flagged, w[1:]...)
		default:
			s.event(block.Accepted, w[1:]...)
		}
	}
}

// history is a unit's history in words: the line of the script, and through which containers.
func (s *shelf) history(name string) []string {
	s.t.Helper()
	touches, _ := History(s.view, s.key(name))
	out := []string{}
	for _, touch := range touches {
		line := strconv.FormatUint(touch.Pos.Height, 10)
		for _, via := range touch.Via {
			line += " in " + s.names[via]
		}
		if touch.Observed() != (touch.Lists != 0) {
			s.t.Errorf("line %s: observed %v, lists %b", line, touch.Observed(), touch.Lists)
		}
		out = append(out, line)
	}
	return out
}

func TestHistory(t *testing.T) {
	for _, tt := range []struct {
		name   string
		script []string
		of     string
		want   []string
	}{
		{"never seen", nil, "u1", []string{}},
		{"its own events", []string{"make u1", "make u2", "ship u1"}, "u1", []string{"1", "3"}},
		{"what a pallet did before packing is not inherited", []string{"make A", "ship A", "pack u1 in A", "ship A"}, "u1", []string{"3", "4 in A"}},
		{"what a pallet did after unpacking is not inherited", []string{"pack u1 in A", "ship A", "unpack u1 from A", "ship A"}, "u1", []string{"1", "2 in A", "3"}},
		{"out and in again", []string{"pack u1 in A", "ship A", "unpack u1 from A", "ship A", "pack u1 in A", "ship A"}, "u1", []string{"1", "2 in A", "3", "5", "6 in A"}},
		{"from one case to another", []string{"pack u1 in A", "pack u2 in B", "ship A B", "pack u1 in B", "ship A", "ship B"}, "u1", []string{"1", "3 in A", "4", "6 in B"}},
		{"case on a pallet", []string{"pack u1 in C", "pack C in P", "ship P", "unpack C from P", "ship P", "ship C"}, "u1", []string{"1", "2 in C", "3 in C in P", "4 in C", "6 in C"}},
		{"a case that was on the pallet first", []string{"pack C in P", "ship P", "pack u1 in C", "ship P", "unpack u1 from C", "ship P"}, "u1", []string{"3", "4 in C in P", "5"}},
		{"a container's rejected event is not inherited", []string{"pack u1 in A", "reject A", "ship A"}, "u1", []string{"1", "3 in A"}},
		{"nor is a copy of one", []string{"pack u1 in A", "ship A", "repeat A"}, "u1", []string{"1", "2 in A"}},
		{"a flagged one is", []string{"pack u1 in A", "flag A"}, "u1", []string{"1", "2 in A"}},
		{"its own rejected event is shown", []string{"make u1", "reject u1"}, "u1", []string{"1", "2"}},
		{"an event that names unit and case is observed", []string{"pack u1 in A", "ship A u1"}, "u1", []string{"1", "2"}},
		{"an event that names case and pallet is in the case", []string{"pack u1 in A", "pack A in P", "ship P A"}, "u1", []string{"1", "2 in A", "3 in A"}},
		{"the pallet does not inherit from what is in it", []string{"pack u1 in P", "ship u1", "ship P"}, "P", []string{"1", "3"}},
		{"two containers in each other", []string{"pack A in B", "pack B in A", "pack u1 in A", "ship B", "ship A"}, "u1", []string{"3", "4 in A in B", "5 in A"}},
		{"a container in itself", []string{"pack A in A", "pack u1 in A", "ship A"}, "u1", []string{"2", "3 in A"}},
		{"the history of one of a circle", []string{"pack A in B", "pack B in A", "ship B"}, "A", []string{"1", "2", "3 in B"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newShelf(t)
			s.tell(tt.script...)
			if diff := cmp.Diff(tt.want, s.history(tt.of)); diff != "" {
				t.Errorf("history of %s (-want +got):\n%s", tt.of, diff)
			}
		})
	}
}

func TestStays(t *testing.T) {
	s := newShelf(t)
	s.tell("pack u1 in A", "ship A", "unpack u1 from A", "pack u1 in B", "pack u1 in C")
	var got []string
	for _, stay := range Stays(s.view, s.key("u1")) {
		until := "now"
		if stay.Until != nil {
			until = strconv.FormatUint(stay.Until.Height, 10)
		}
		got = append(got, fmt.Sprintf("%s %d to %s", s.names[stay.Parent], stay.From.Height, until))
	}
	if want := []string{"A 1 to 3", "B 4 to 5", "C 5 to now"}; !slices.Equal(got, want) {
		t.Errorf("stays %v, want %v", got, want)
	}
}

// A chain of containers is followed as deep as the trace says, and only a deeper one is reported as cut.
func TestHistoryDepth(t *testing.T) {
	for _, levels := range []int{maxDepth, maxDepth + 1} {
		s := newShelf(t)
		name := func(i int) string { return string(rune('A' + i)) }
		s.tell("pack u1 in A")
		for i := 1; i < levels; i++ {
			s.tell("pack " + name(i-1) + " in " + name(i))
		}
		s.tell("ship " + name(levels-1))
		touches, cut := History(s.view, s.key("u1"))
		if deeper := levels > maxDepth; cut != deeper {
			t.Errorf("%d levels: cut is %v", levels, cut)
		}
		if last := touches[len(touches)-1]; cut == (len(last.Via) == levels) {
			t.Errorf("%d levels: the last event came through %d containers", levels, len(last.Via))
		}
	}
}

// What the history says is what anyone would say who followed the goods event by event; whatever is packed into whatever.
func TestHistoryOfRandomScripts(t *testing.T) {
	names := []string{"u1", "u2", "A", "B", "C", "D"}
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 1))
		s := newShelf(t)
		inside := map[string]string{}
		want := map[string][]string{}
		for range 30 {
			who, where := names[rng.IntN(len(names))], names[2+rng.IntN(4)]
			verb := []string{"pack", "pack", "unpack", "ship", "flag", "reject"}[rng.IntN(6)]
			line, named := verb+" "+who, []string{who}
			switch verb {
			case "pack":
				line, named = line+" in "+where, append(named, where)
			case "unpack":
				if inside[who] == "" {
					continue
				}
				line, named = line+" from "+inside[who], append(named, inside[who])
			}
			for _, n := range names {
				if told, ok := inherit(n, inside, named, verb == "reject", s.height+1); ok {
					want[n] = append(want[n], told)
				}
			}
			s.tell(line)
			switch verb {
			case "pack":
				inside[who] = where
			case "unpack":
				delete(inside, who)
			}
		}
		for _, n := range names {
			if diff := cmp.Diff(want[n], s.history(n)); diff != "" && len(want[n])+len(s.history(n)) > 0 {
				t.Fatalf("seed %d: history of %s (-want +got):\n%s", seed, n, diff)
			}
		}
	}
}

// inherit says how an event reaches an object: by its own name, or through the containers that it is inside of at that moment.
func inherit(name string, inside map[string]string, named []string, rejected bool, height uint64) (string, bool) {
	line := strconv.FormatUint(height, 10)
	if slices.Contains(named, name) {
		return line, true
	}
	passed := []string{name}
	for c := inside[name]; c != "" && !slices.Contains(passed, c) && !rejected; c = inside[c] {
		passed = append(passed, c)
		line += " in " + c
		if slices.Contains(named, c) {
			return line, true
		}
	}
	return "", false
}

// A store with rubbish in it makes a poorer history, not a panic.
func TestHistoryOfRubbish(t *testing.T) {
	s := newShelf(t)
	s.tell("pack u1 in A", "ship A")
	rng := rand.New(rand.NewPCG(7, 7))
	for range 2000 {
		view := state.NewMemory()
		s.view.Scan("", func(k string, v []byte) bool {
			key, value := []byte(k), slices.Clone(v)
			if rng.IntN(3) == 0 && len(value) > 0 {
				value[rng.IntN(len(value))] ^= byte(1 << rng.IntN(8))
			}
			if rng.IntN(3) == 0 {
				value = value[:rng.IntN(len(value)+1)]
			}
			if rng.IntN(4) == 0 {
				key = append(key, byte(rng.IntN(256)))
			}
			view.Put(string(key), value)
			return true
		})
		History(view, s.key("u1"))
		Stays(view, s.key("u1"))
	}
}

// An effect that does not decode is an error of ours and stops the projection; it is not skipped.
func TestProjectEffect(t *testing.T) {
	good := custody.Packed{Parent: "00003999900000000016", Keys: []string{"010039999001234721u1"}}.Encode()
	for n := 1; n < len(good); n++ {
		if err := projectEffect(state.NewOverlay(state.NewMemory()), canonical.Position{}, good[:n]); err == nil {
			t.Errorf("an effect cut to %d of %d bytes was taken", n, len(good))
		}
	}
	if err := projectEffect(state.NewOverlay(state.NewMemory()), canonical.Position{}, append(good, 0)); err == nil {
		t.Error("an effect with a byte too many was taken")
	}
	o := state.NewOverlay(state.NewMemory())
	if err := projectEffect(o, canonical.Position{}, custody.StateSet{State: custody.Active, Keys: []string{"x"}}.Encode()); err != nil || len(o.WriteSet()) != 0 {
		t.Errorf("an effect that is not ours to read: %v, %d writes", err, len(o.WriteSet()))
	}
}
