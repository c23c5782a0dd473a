package consensus_test

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"

	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/state"
)

// clusterHelp: commands of a script; validators are counted from 1, times are ms.
//
//	submit [n]                     n submissions reach every history of the stream
//	garbage n [size=bytes]         a message that only history n holds (0 is the first)
//	wait <ms>
//	net [delay=a..b] [drop=%] [dup=%] [hold=%]   hold: this many more of commits, quorums and cosignatures are lost
//	disk <ms>                      syncs take up to this long
//	hush <v>                       all commits, quorums and cosignatures of v are lost; 0: of nobody
//	deliver drop=<n>               the next n messages between validators are lost
//	part 1 2 | 3 4                 no messages between the groups; heal: all links work again, nothing is lost
//	crash <v> [power] [in=<actions>]   power: what is not synced is lost; in: before its n-th action from now
//	start <v>
//	deaf <v>, hear <v>             the stream does not reach v; it does again
//	liar <v>, silent <v>, clock <v> <ms ahead>
//	fork <v>… [lose=n]             these see another history from now on, without the last n messages
//	move <v> <n>                   v sees history n from now on
//	lose <n>                       the stream loses its last n messages; their numbers are used again
//	reconnect <v>                  reads the stream again from its newest block on
//	status
//	finish [limit]                 starts and heals everything; in a healthy stream all that was submitted must be decided
func (s *sim) command(line string) {
	words := strings.Fields(line)
	opts := map[string]string{}
	var args []string
	for _, w := range words[1:] {
		if k, v, ok := strings.Cut(w, "="); ok {
			opts[k] = v
		} else {
			args = append(args, w)
		}
	}
	number := func(text string, otherwise int) int {
		if text == "" {
			return otherwise
		}
		v, err := strconv.Atoi(text)
		if err != nil {
			s.tb.Fatalf("%q: %v", line, err)
		}
		return v
	}
	arg := func(i, otherwise int) int {
		if i >= len(args) {
			return otherwise
		}
		return number(args[i], 0)
	}
	node := func() *simNode { return s.nodes[arg(0, 1)-1] }
	switch words[0] {
	case "submit":
		for range arg(0, 1) {
			s.submit()
		}
	case "garbage":
		text := fmt.Appendf(nil, "garbage %d %d", s.now, arg(0, 0))
		text = append(text, make([]byte, number(opts["size"], 0))...)
		s.append(s.logs[arg(0, 0)%len(s.logs)], text)
	case "wait":
		s.run(s.now+int64(arg(0, 0)), nil)
	case "net":
		if d, ok := opts["delay"]; ok {
			a, b, _ := strings.Cut(d, "..")
			s.delayFrom, s.delayTo = number(a, 1), number(b, 1)
		}
		s.dropPercent, s.dupPercent = number(opts["drop"], s.dropPercent), number(opts["dup"], s.dupPercent)
		s.holdPercent = number(opts["hold"], s.holdPercent)
	case "deliver":
		s.loseNext = number(opts["drop"], 1)
	case "part":
		s.part(args)
	case "heal":
		s.heal()
	case "crash":
		if in := number(opts["in"], 0); in > 0 {
			node().crashIn, node().power = in, slices.Contains(args, "power")
		} else {
			s.crash(node(), slices.Contains(args, "power"))
		}
	case "start":
		if !node().up {
			s.start(node())
		}
	case "disk":
		s.disk = arg(0, 8)
	case "hush":
		s.hushed = arg(0, 0)
	case "deaf":
		node().deaf = true
	case "hear":
		node().deaf = false
		s.pump(node())
	case "liar":
		node().liar = true
	case "silent":
		node().silent = true
	case "clock":
		node().clock = int64(arg(1, 0))
	case "fork":
		s.fork(args, number(opts["lose"], 0))
	case "move":
		s.healthy = false
		n := node()
		n.log = s.logs[arg(1, 0)%len(s.logs)]
		if n.up {
			n.cursor = int(n.core.Head().Header.LastSeq)
			s.pump(n)
		}
	case "lose":
		s.healthy = false
		log := s.logs[0]
		log.messages = slices.Clone(log.messages[:max(min(1, len(log.messages)), len(log.messages)-arg(0, 1))])
		for _, n := range s.nodes {
			if n.log == log {
				n.cursor = min(n.cursor, len(log.messages)) // consumers go on behind the new end
				if n.up && n.core.Head().Header.LastSeq <= uint64(n.cursor) {
					n.cursor = int(n.core.Head().Header.LastSeq)
				}
				s.pump(n)
			}
		}
	case "reconnect":
		if n := node(); n.up {
			n.cursor = int(n.core.Head().Header.LastSeq)
			s.pump(n)
		}
	case "status":
		s.status()
	case "finish":
		s.finish(int64(arg(0, 120_000)))
	default:
		s.tb.Fatalf("unknown command %q", line)
	}
}

func (s *sim) submit() {
	if s.submitted == mostSubmissions {
		return
	}
	payload := s.w.submissions[s.submitted]
	s.submitted++
	for _, log := range s.logs {
		s.append(log, payload)
	}
}

func (s *sim) part(args []string) {
	group, at := make([]int, len(s.nodes)), 1
	for _, a := range args {
		if a == "|" {
			at++
			continue
		}
		i, err := strconv.Atoi(a)
		if err != nil {
			s.tb.Fatal(err)
		}
		group[i-1] = at
	}
	for i := range s.cut {
		for j := range s.cut {
			s.cut[i][j] = group[i] != group[j]
		}
	}
}

func (s *sim) heal() {
	for i := range s.cut {
		clear(s.cut[i])
	}
	s.dropPercent, s.dupPercent, s.holdPercent, s.loseNext, s.hushed = 0, 0, 0, 0, 0
	s.delayFrom, s.delayTo, s.disk = 1, 20, 8
}

func (s *sim) fork(args []string, lose int) {
	s.healthy = false
	var log *simLog
	for _, a := range args {
		i, err := strconv.Atoi(a)
		if err != nil {
			s.tb.Fatal(err)
		}
		n := s.nodes[i-1]
		if log == nil {
			m := n.log.messages
			log = &simLog{slices.Clone(m[:max(min(1, len(m)), len(m)-lose)])}
			s.logs = append(s.logs, log)
		}
		n.log = log
		if n.up {
			n.cursor = int(n.core.Head().Header.LastSeq)
			s.pump(n)
		}
	}
}

func (s *sim) status() {
	for _, n := range s.nodes {
		if !n.up {
			s.say("%s is down", n.name())
			continue
		}
		h, r := consensus.Round(n.core)
		s.say("%s is at height %d, round %d", n.name(), h, r)
	}
}

// finish is the liveness promise: with everything working again, and fewer than a third at fault, all ends well.
func (s *sim) finish(limit int64) {
	s.heal()
	for _, n := range s.nodes {
		n.crashIn = 0
		if n.deaf {
			n.deaf = false
			s.pump(n)
		}
		if !n.up {
			s.start(n)
		}
	}
	since := s.now
	done := func() bool {
		if len(s.chain) == 0 || s.chain[len(s.chain)-1].subs < s.submitted {
			return false
		}
		for _, n := range s.nodes {
			if !n.liar && !n.silent && int(n.core.Head().Header.Height) < len(s.chain) {
				return false
			}
		}
		return true
	}
	if !s.healthy {
		limit = min(limit, 15_000)
	}
	if done() || s.run(s.now+limit, done) {
		s.slowest = s.now - since
		s.say("everything is decided")
	} else if s.healthy {
		heights := ""
		for _, n := range s.nodes {
			h, r := consensus.Round(n.core)
			heights += fmt.Sprintf(" %s %d/%d", n.name(), h, r)
		}
		subs := 0
		if len(s.chain) > 0 {
			subs = s.chain[len(s.chain)-1].subs
		}
		s.fail("not everything is decided after %d s: %d of %d submissions, height/round%s", limit/1000, subs, s.submitted, heights)
	}
}

// replay follows the decided chain from nothing.
func (s *sim) replay() error {
	st := state.NewMemory()
	st.Apply(s.w.zero)
	for _, b := range s.chain {
		res, err := consensus.Follow(s.g, st, b.record, b.messages)
		if err != nil {
			return err
		}
		if res.Hash != b.header {
			return errors.New("replay gives another header")
		}
		st.Apply(res.Writes)
	}
	return nil
}

// play runs a script.
func play(tb testing.TB, script string, fast bool, sabotage string) *sim {
	tb.Helper()
	var s *sim
	for line := range strings.Lines(script) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "|") {
			continue
		}
		if s != nil {
			s.out.WriteString(line + "\n")
		}
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if s == nil {
			var n int
			var seed uint64
			if _, err := fmt.Sscanf(line, "cluster %d seed %d", &n, &seed); err != nil {
				tb.Fatalf("%q: %v", line, err)
			}
			s = newSim(tb, n, seed, fast, sabotage)
			s.out.WriteString(line + "\n")
			continue
		}
		s.command(line)
		if s.violation != nil {
			fmt.Fprintf(&s.out, "| BROKEN: %v\n", s.violation)
			return s
		}
	}
	if err := s.replay(); err != nil {
		s.fail("the chain cannot be followed: %v", err)
	}
	return s
}
