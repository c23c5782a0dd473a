package consensus_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"verilot.dev/epcis"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
)

var update = flag.Bool("update", false, "rewrite stories and vectors")

// A story is a script of one validator and its partners; lines with "|" are what the validator then does. Commands:
//
//	submit <party> [counter=n] [key=name] [epoch=n] [proceed] [other-network] [tamper] : <item>; <item> …
//	    items: commission <unit>… [lot=L]; pack <container> <unit>…; ship <unit> to <party>; receive <unit> from <party>;
//	    product <owner>; lot <name>; register <party> key=<name>; header
//	start, or first <text>   the stream is empty, or begins with this message
//	garbage <text>
//	epoch
//	pulse <signer> cut|tick|heartbeat [height=n] [clock=+s] [counter=n] [epoch=n] [tamper]
//	wait <ms>
//	back <ms>     the machine's clock is set back
//	restart       the validator starts again from its store and journal
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no stories", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txt"), func(t *testing.T) {
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := tell(t, string(want))
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

// tell runs a script and returns it with what happened.
func tell(t *testing.T, script string) string {
	t.Helper()
	var stream [][]byte
	if strings.Contains(script, "\nfirst ") {
		_, first, _ := strings.Cut(script, "\nfirst ")
		first, _, _ = strings.Cut(first, "\n")
		stream = append(stream, []byte(first))
	}
	s := storyteller{world: newWorld(t, testGenesis(t, 1), stream...), counters: map[string]uint64{}}
	var out strings.Builder
	blocks, published, halted := 0, 0, false
	for line := range strings.Lines(script) {
		line = strings.TrimRight(line, "\n")
		if strings.HasPrefix(line, "|") {
			continue
		}
		out.WriteString(line + "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		s.run(line)
		for _, k := range s.published[published:] {
			fmt.Fprintf(&out, "| publishes: %s\n", k)
		}
		for _, d := range s.blocks[blocks:] {
			for l := range strings.Lines(describe(d.Result)) {
				out.WriteString("| " + l)
			}
		}
		if s.halt != nil && !halted {
			fmt.Fprintf(&out, "| halts: %v\n", s.halt)
		}
		blocks, published, halted = len(s.blocks), len(s.published), s.halt != nil
	}
	return out.String()
}

type storyteller struct {
	*world
	counters map[string]uint64
}

func (s *storyteller) run(line string) {
	s.tb.Helper()
	head, items, _ := strings.Cut(line, " : ")
	words := strings.Fields(head)
	opts := map[string]string{}
	var args []string
	for _, w := range words[1:] {
		if k, v, ok := strings.Cut(w, "="); ok {
			opts[k] = v
		} else {
			args = append(args, w)
		}
	}
	has := func(flag string) bool { return slices.Contains(args, flag) }
	switch words[0] {
	case "first", "start":
	case "submit":
		m := message{party: args[0], key: opts["key"], epoch: uint32(s.number(opts, "epoch", 0)), onError: submission.Rollback}
		if m.key == "" {
			m.key = m.party + "/event"
		}
		m.counter = s.number(opts, "counter", s.counters[m.key]+1)
		s.counters[m.key] = max(s.counters[m.key], m.counter)
		if has("proceed") {
			m.onError = submission.Proceed
		}
		if has("other-network") {
			m.network = &canonical.Network{1}
		}
		for item := range strings.SplitSeq(items, ";") {
			m.items = append(m.items, s.item(m.party, strings.Fields(item)))
		}
		s.publish(tampered(sign(s.tb, s.g, m), has("tamper")))
	case "garbage":
		s.publish([]byte(strings.TrimPrefix(line, "garbage ")))
	case "epoch":
		s.publish(epochRecord(s.tb, s.g))
	case "pulse":
		p := block.Pulse{
			Epoch: uint32(s.number(opts, "epoch", 1)), Height: s.number(opts, "height", 0),
			Counter: s.number(opts, "counter", uint64(s.now)+uint64(len(s.stream))), Clock: s.now,
		}
		switch args[1] {
		case "cut":
			p.What = block.Cut
		case "tick":
			p.What = block.Tick
		case "heartbeat":
			p.What = block.Heartbeat
		}
		if c, ok := opts["clock"]; ok {
			sec, err := strconv.ParseFloat(c, 64)
			if err != nil {
				s.tb.Fatal(err)
			}
			p.Clock = created + int64(sec*1000)
		}
		s.publish(tampered(pulse(s.tb, s.g, args[0], p), has("tamper")))
	case "wait":
		s.wait(int64(s.number(map[string]string{"": args[0]}, "", 0)))
	case "back":
		s.now -= int64(s.number(map[string]string{"": args[0]}, "", 0))
		s.step(nil)
	case "restart":
		s.boot()
	default:
		s.tb.Fatalf("unknown command %q", line)
	}
}

func tampered(b []byte, yes bool) []byte {
	if yes { // the signature follows the signed header
		b = append([]byte(nil), b...)
		i := len(b) - 1
		if n := submissionSignature(b); n > 0 {
			i = n
		}
		b[i] ^= 1
	}
	return b
}

// submissionSignature is where the signature of a submission begins, 0 for other messages.
func submissionSignature(b []byte) int {
	if !strings.Contains(string(b[:min(len(b), 32)]), "verilot/submission") {
		return 0
	}
	var n canonical.Network
	copy(n[:], b[1+len("verilot/submission")+2:])
	_, raw, err := submission.DecodeHeader(n, b)
	if err != nil {
		return 0
	}
	return len(raw)
}

func (s *storyteller) number(opts map[string]string, name string, otherwise uint64) uint64 {
	s.tb.Helper()
	v, ok := opts[name]
	if !ok {
		return otherwise
	}
	n, err := strconv.ParseUint(v, 10, 64)
	if err != nil {
		s.tb.Fatal(err)
	}
	return n
}

func (s *storyteller) item(party string, words []string) wire.Item {
	s.tb.Helper()
	lot, key := "A", ""
	var args []string
	for _, w := range words {
		if v, ok := strings.CutPrefix(w, "lot="); ok {
			lot = v
		} else if v, ok := strings.CutPrefix(w, "key="); ok {
			key = v
		} else {
			args = append(args, w)
		}
	}
	when := at(party, s.now)
	switch args[0] {
	case "commission":
		if strings.HasPrefix(args[1], "c") {
			return event(epcis.Commission(when, epcsOf(args[1:]), "", ""))
		}
		return event(epcis.Commission(when, epcsOf(args[1:]), lot, "2028-12-31"))
	case "pack":
		return event(epcis.Pack(when, epcOf(args[1]), epcsOf(args[2:])))
	case "ship":
		return event(epcis.Ship(when, epcsOf(args[1:2]), sale(party, args[3])))
	case "receive":
		return event(epcis.Receive(when, epcsOf(args[1:2]), sale(args[3], party)))
	case "product":
		return product(args[1])
	case "lot":
		return lotOf(party, args[1])
	case "register":
		return wire.Item{Kind: wire.KindPartyAct, Message: &registry.Act{
			Party: args[1], Name: args[1], Roles: []string{"dispenser"}, Keys: []registry.Key{{PublicKey: testPub(key), Use: "event"}},
		}}
	case "header":
		return wire.Item{Kind: wire.KindDocumentHeader, Message: &epcis.Header{SchemaVersion: "2.0", TransactionStatement: "true"}}
	}
	s.tb.Fatalf("unknown item %q", words)
	return wire.Item{}
}
