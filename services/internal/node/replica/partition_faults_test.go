package replica

import (
	"crypto/sha256"
	"math/rand/v2"
	"testing"
	"time"
)

func sum(b []byte) [32]byte { return sha256.Sum256(b) }

// TestCutTwoTwo: two hosts on each side. No side has three validators, so nothing is decided; the side that has two of the
// three copies of the stream takes submissions all the same (once it has a leader), the other side's wait. Healed, all go on.
func TestCutTwoTwo(t *testing.T) {
	t.Parallel()
	forSeeds(t, 2, func(h *hosts, rng *rand.Rand) {
		stopA, stopB := h.load(0), h.load(3)
		h.eventually("some blocks", 30*time.Second, func() bool { return h.heights()[0] >= 2 })
		perm := rng.Perm(hostCount)
		side := func(i int) int { return map[bool]int{true: 0, false: 1}[i == perm[0] || i == perm[1]] }
		how := []mode{closed, swallow, held}[rng.IntN(3)]
		h.t.Logf("v%d and v%d | the others, %v", perm[0]+1, perm[1]+1, how)
		h.cut(how, side)
		time.Sleep(2 * time.Second) // what was said before the cut may decide one more block
		h.still(8 * time.Second)
		h.noFork()
		h.t.Logf("%d submissions stored under the cut so far", h.stored())
		h.wires.heal()
		top := h.top()
		h.eventually("blocks again", 60*time.Second, func() bool { return h.heights()[0] > top })
		stopA()
		stopB()
		h.agree()
	})
}

// TestCutThreeOne: three hosts have a quorum of the validators, three of four servers, and at least two of three copies of the
// streams, so they must go on, after new leaders were elected if the old ones are behind the cut (four to nine seconds each). The
// fourth decides nothing. Healed, it catches up.
func TestCutThreeOne(t *testing.T) {
	t.Parallel()
	forSeeds(t, 2, func(h *hosts, rng *rand.Rand) {
		alone := rng.IntN(hostCount)
		stop := h.load((alone + 1) % hostCount)
		stopAlone := h.load(alone)
		h.eventually("some blocks", 30*time.Second, func() bool { return h.heights()[0] >= 2 })
		side := func(i int) int { return map[bool]int{true: 1, false: 0}[i == alone] }
		how := []mode{closed, swallow, held}[rng.IntN(3)]
		h.t.Logf("v%d | the others, %v", alone+1, how)
		top := h.top()
		h.cut(how, side)
		time.Sleep(2 * time.Second)
		before := h.heights()
		for i, n := range h.nodes {
			if i != alone {
				h.eventually("the three go on", 60*time.Second, func() bool { return n.chain.Head().Header.Height >= before[i]+3 })
			}
		}
		if now := h.heights()[alone]; now > top+1 { // one may have been said before the cut
			h.t.Errorf("v%d decided %d blocks alone", alone+1, now-top)
		}
		h.noFork()
		h.wires.heal()
		// Under load it may stay behind on a slow machine: it gets missed blocks one by one, about as fast as small ones are made.
		stop()
		stopAlone()
		h.agree()
	})
}

// TestCutOneWay: what one host sends is lost, or what is sent to it, while the connections stay open. Brokers with such a wire
// may elect leaders in vain, so nothing is promised while it lasts but that nobody forks. Healed, all go on.
func TestCutOneWay(t *testing.T) {
	t.Parallel()
	forSeeds(t, 2, func(h *hosts, rng *rand.Rand) {
		victim, mute := rng.IntN(hostCount), rng.IntN(2) == 0
		stop := h.load((victim + 1) % hostCount)
		stopVictim := h.load(victim)
		h.eventually("some blocks", 30*time.Second, func() bool { return h.heights()[0] >= 2 })
		how := []mode{swallow, held}[rng.IntN(2)]
		h.t.Logf("v%d is %s, %v", victim+1, map[bool]string{true: "mute", false: "deaf"}[mute], how)
		h.wires.set(func(from, to int) mode {
			if mute && from == victim || !mute && to == victim {
				return how
			}
			return pass
		})
		before := h.heights()
		time.Sleep(10 * time.Second)
		for i, now := range h.heights() {
			h.t.Logf("v%d decided %d blocks meanwhile", i+1, now-before[i])
		}
		h.noFork()
		h.wires.heal()
		stop()
		stopVictim()
		h.agree()
	})
}

func (h *hosts) top() (top uint64) {
	for _, x := range h.heights() {
		top = max(top, x)
	}
	return top
}

// cut separates the sides, and makes sure that they are.
func (h *hosts) cut(how mode, side func(int) int) {
	h.t.Helper()
	h.wires.set(func(from, to int) mode {
		if side(from) != side(to) {
			return how
		}
		return pass
	})
	if how == closed {
		h.checkCut(side)
	}
	var before [hostCount][hostCount]int64
	for pass := range 2 {
		for i := range hostCount {
			for j := range hostCount {
				if n := h.wires.bytes(i, j); pass == 0 {
					before[i][j] = n
				} else if side(i) != side(j) && n != before[i][j] {
					h.t.Errorf("%d bytes from n%d to n%d over a cut wire", n-before[i][j], i+1, j+1)
				}
			}
		}
		time.Sleep(200 * time.Millisecond)
	}
}
