package consensus_test

import (
	"bytes"
	"cmp"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"verilot.dev/ledger/consensus"
)

var seedFlag = flag.Int64("seed", -1, "run this schedule of TestSchedules alone and print its story")

// hostileSchedule draws the script that is worst for agreement: as many liars as may be, two histories of the stream with half of
// the others each, and a network that loses much.
func hostileSchedule(seed uint64) string {
	rng := rand.New(rand.NewPCG(seed, 0))
	n := []int{4, 4, 5, 7}[rng.IntN(4)]
	f := (n - 1) / 3
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	say("cluster %d seed %d", n, seed)
	perm := rng.Perm(n)
	if i := slices.Index(perm, 2); rng.IntN(2) == 0 { // a liar coordinates round 1 of height 1
		perm[0], perm[i] = perm[i], perm[0]
	}
	for _, v := range perm[:f] {
		say("liar %d", v+1)
	}
	say("wait 50")
	words := []string{"fork"}
	for _, v := range perm[f : f+(n-f)/2] {
		words = append(words, fmt.Sprint(v+1))
	}
	say("%s", strings.Join(words, " "))
	for range 2 + rng.IntN(3) {
		victim := perm[n-1-rng.IntN(n-f-(n-f)/2)] + 1 // not of those who see the other history
		if rng.IntN(3) > 0 {
			say("hush %d", victim)
			say("net delay=1..%d drop=%d dup=5 hold=0", 10+rng.IntN(100), rng.IntN(10))
		} else {
			say("hush 0")
			say("net delay=1..%d drop=%d dup=5 hold=%d", 10+rng.IntN(200), rng.IntN(20), 40+rng.IntN(55))
		}
		say("disk %d", 8+rng.IntN(200))
		other := perm[f+rng.IntN(n-f)] + 1
		if rng.IntN(3) > 0 {
			say("crash %d power in=%d", other, 1+rng.IntN(8))
		}
		say("garbage 1")
		say("submit 1")
		say("wait %d", 50+rng.IntN(300))
		if rng.IntN(2) == 0 {
			say("crash %d power", victim)
			say("move %d %d", victim, rng.IntN(2))
		}
		if rng.IntN(2) == 0 { // it comes back to the other history
			say("move %d %d", other, rng.IntN(2))
		}
		say("start %d", other)
		say("wait %d", 500+rng.IntN(6000))
		say("start %d", victim)
	}
	say("finish 60000")
	return b.String()
}

// schedule draws a script: who is at fault, what the stream does, and a dozen misfortunes.
func schedule(seed uint64) string {
	if seed%3 == 0 {
		return hostileSchedule(seed)
	}
	rng := rand.New(rand.NewPCG(seed, 0))
	n := []int{4, 4, 5, 7}[rng.IntN(4)]
	f := (n - 1) / 3
	var b strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	pick := func() int { return 1 + rng.IntN(n) }
	say("cluster %d seed %d", n, seed)
	for _, v := range rng.Perm(n)[:rng.IntN(f+1)] {
		switch rng.IntN(5) {
		case 0:
			say("silent %d", v+1)
		case 1:
			say("clock %d %d", v+1, rng.IntN(200_000)-100_000)
		default:
			say("liar %d", v+1)
		}
	}
	healthy := rng.IntN(2) == 0
	say("wait %d", rng.IntN(200))
	for range 4 + rng.IntN(10) {
		switch rng.IntN(15) {
		case 11:
			say("disk %d", 1+rng.IntN(300))
		case 12:
			say("hush %d", rng.IntN(n+1))
		case 0:
			from := rng.IntN(50)
			say("net delay=%d..%d drop=%d dup=%d hold=%d", from, from+1+rng.IntN(300), rng.IntN(40), rng.IntN(30), rng.IntN(2)*rng.IntN(90))
		case 1, 2:
			say("crash %d%s in=%d", pick(), []string{"", " power"}[rng.IntN(2)], 1+rng.IntN(12))
		case 3:
			say("crash %d%s", pick(), []string{"", " power"}[rng.IntN(2)])
		case 4, 5:
			say("start %d", pick())
		case 6:
			perm := rng.Perm(n)
			k := 1 + rng.IntN(n-1)
			words := []string{"part"}
			for i, v := range perm {
				if i == k {
					words = append(words, "|")
				}
				words = append(words, fmt.Sprint(v+1))
			}
			say("%s", strings.Join(words, " "))
		case 7:
			say("heal")
		case 8:
			say("%s %d", []string{"deaf", "hear", "reconnect"}[rng.IntN(3)], pick())
		case 9, 10:
			if healthy {
				break
			}
			switch rng.IntN(3) {
			case 0:
				say("lose %d", 1+rng.IntN(4))
			case 1:
				say("garbage %d", rng.IntN(3))
			default:
				words := []string{"fork"}
				for _, v := range rng.Perm(n)[:1+rng.IntN(n-1)] {
					words = append(words, fmt.Sprint(v+1))
				}
				say("%s lose=%d", strings.Join(words, " "), rng.IntN(4))
				say("garbage %d", rng.IntN(3))
			}
		default:
		}
		say("submit %d", 1+rng.IntN(2))
		say("wait %d", []int{5, 30, 100, 600, 2000}[rng.IntN(5)])
	}
	say("finish 60000")
	return b.String()
}

// tellSeed runs one schedule; the story is for the reader.
func tellSeed(t *testing.T, seed uint64, sabotage string, quiet bool) *sim {
	t.Helper()
	return play(t, schedule(seed), true, sabotage)
}

// Random schedules, 300 of them, or all of a slice with VERILOT_LONG=1 SLICE=i/n.
func TestSchedules(t *testing.T) {
	from, to := uint64(1), uint64(300)
	if os.Getenv("VERILOT_LONG") != "" {
		to = 12_000
		if slice := os.Getenv("SLICE"); slice != "" {
			var i, n uint64
			if _, err := fmt.Sscanf(slice, "%d/%d", &i, &n); err != nil || i < 1 || i > n {
				t.Fatalf("SLICE=%q, want i/n", slice)
			}
			from, to = to*(i-1)/n+1, to*i/n
		}
		t.Logf("slice %s: schedules with seeds %d to %d; one again: go test ./ledger/consensus -run 'TestSchedules$' -seed N -v", cmp.Or(os.Getenv("SLICE"), "1/1"), from, to)
	}
	if testing.Short() {
		to = 60
	}
	if *seedFlag >= 0 {
		from, to = uint64(*seedFlag), uint64(*seedFlag)
	}
	var blocks, healthy int
	var slowest int64
	for seed := from; seed <= to; seed++ {
		s := tellSeed(t, seed, "", *seedFlag < 0)
		if *seedFlag >= 0 {
			t.Log("\n" + s.out.String())
			for _, n := range s.nodes {
				t.Logf("%s up %v cursor %d of %d, liar %v silent %v: %s", n.name(), n.up, n.cursor, len(n.log.messages), n.liar, n.silent, consensus.Dump(n.core))
			}
		}
		if s.violation != nil {
			t.Fatalf("seed %d: %v\nreplay: go test ./ledger/consensus -run 'TestSchedules$' -seed %d -v\n%s", seed, s.violation, seed, s.out.String())
		}
		if seed%20 == 0 { // the same script gives the same bytes
			if again := tellSeed(t, seed, "", true); !bytes.Equal(again.trace.Sum(nil), s.trace.Sum(nil)) {
				t.Fatalf("seed %d: a second run differs", seed)
			}
		}
		blocks += len(s.chain)
		if s.healthy {
			healthy++
			slowest = max(slowest, s.slowest)
		}
	}
	t.Logf("%d schedules, %d blocks; %d with a healthy stream, all decided at most %.1f s after it ended well", to-from+1, blocks, healthy, float64(slowest)/1000)
}

// The checks can fail: with one rule broken, schedules find out.
func TestBrokenRulesAreFound(t *testing.T) {
	for _, tt := range []struct {
		rule  string
		seeds uint64
		want  string // what is broken by it
	}{
		{"lock", 900, "cosign different headers"},
		{"sync", 900, "votes twice"},
		{"quorum", 900, "cosign different headers"},
	} {
		t.Run(tt.rule, func(t *testing.T) {
			for seed := uint64(3); seed <= tt.seeds; seed += 3 { // hostile ones
				if s := tellSeed(t, seed, tt.rule, true); s.violation != nil {
					if !strings.Contains(s.violation.Error(), tt.want) {
						t.Errorf("want: %s", tt.want)
					}
					t.Logf("seed %d: %v", seed, s.violation)
					if testing.Verbose() && *seedFlag == 0 {
						t.Log(s.out.String())
					}
					return
				}
			}
			t.Errorf("not found within %d seeds", tt.seeds)
		})
	}
}

// Stories of a cluster: the script with what happens (lines with "|") is the file. See clusterHelp.
func TestClusterStories(t *testing.T) {
	files, err := filepath.Glob("testdata/cluster/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no stories", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			s := play(t, string(want), false, "")
			if s.violation != nil {
				t.Errorf("%v", s.violation)
			}
			got := s.out.String()
			if got == string(want) {
				return
			}
			if !*update {
				t.Fatalf("%s: got\n%s", file, got)
			}
			if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		})
	}
}
