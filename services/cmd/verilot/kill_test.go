package main

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/localnet"
	"verilot.dev/services/internal/node/bus"
)

// killRounds is how many kills a test makes, and from which seed: KILL_SEED and KILL_ROUNDS, or the share of a slice of
// test-long, or few.
func killRounds(t *testing.T, short, long int) (seed uint64, rounds int) {
	t.Helper()
	number := func(name string, v uint64) uint64 {
		if s := os.Getenv(name); s != "" {
			n, err := strconv.ParseUint(s, 10, 64)
			if err != nil {
				t.Fatalf("%s=%q: %v", name, s, err)
			}
			return n
		}
		return v
	}
	seed, rounds = 2, short // of TestKillAny, this seed begins with two validators, two again, and the broker with another
	slice := ""
	if os.Getenv("VERILOT_LONG") != "" {
		slice = cmp.Or(os.Getenv("SLICE"), "1/1")
		var i, n int
		if _, err := fmt.Sscanf(slice, "%d/%d", &i, &n); err != nil || i < 1 || i > n {
			t.Fatalf("SLICE=%q, want i/n", slice)
		}
		seed, rounds = 20261120+uint64(i), long*i/n-long*(i-1)/n
	}
	seed, rounds = number("KILL_SEED", seed), int(number("KILL_ROUNDS", uint64(rounds)))
	t.Logf("slice %s: %s, %d rounds with seed %d; again: KILL_SEED=%d KILL_ROUNDS=%d go test ./services/cmd/verilot -run '%s$' -v",
		cmp.Or(slice, "0/0"), t.Name(), rounds, seed, seed, rounds, t.Name())
	return seed, rounds
}

// The broker of a network of processes is this test's own binary, started again with these in its environment.
const (
	brokerDir  = "VERILOT_TEST_BROKER_DIR"
	brokerPort = "VERILOT_TEST_BROKER_PORT"
)

func runBroker(dir, port string) {
	p, err := strconv.Atoi(port)
	if err == nil {
		_, err = bus.Embed(bus.EmbedOptions{Dir: dir, Port: p})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	select {} // until it is killed
}

// TestKillAny kills processes of every kind with SIGKILL at random instants under load, one or two at once or more
// validators than may fail, and starts them again after a while, the next kill often before they have found their feet. In the
// end every document that a partner's service took has its verdicts, once; all validators have the same blocks, byte for
// byte; and the api's index equals a rebuild from its blocks.
func TestKillAny(t *testing.T) {
	seed, rounds := killRounds(t, 3, 200)
	rng := rand.New(rand.NewPCG(seed, 0))
	k := newKillable(t)
	maker := makerLoad(t)
	loads := []*crashLoad{maker}
	for i, p := range []struct{ party, place string }{{localnet.DemoDistributor, localnet.DemoDistributorSGLN}, {localnet.DemoPharmacy, localnet.DemoPharmacySGLN}} {
		l := makerLoad(t)
		l.party, l.service, l.mayRefuse = p.party, 2+i, true
		l.document = func(i int) string { return looked(p.place, p.party, i) }
		loads = append(loads, l)
	}
	var stops []func()
	for _, l := range loads {
		stops = append(stops, l.keepOn(k.n))
	}
	wait := func(from, to int) {
		time.Sleep(time.Duration(from+rng.IntN(to-from)) * time.Millisecond) // the seed fixes when; what the kill meets there is the machine's business
	}
	kills := map[string]int{}
	for round := range rounds {
		wait(50, 900)
		victims := k.victims(rng)
		k.killTogether(victims)
		for _, v := range victims {
			kills[strings.TrimRight(v, "-1234")]++
		}
		before := time.Now()
		for _, i := range rng.Perm(len(victims)) {
			wait(0, 800)
			k.up(victims[i])
		}
		t.Logf("round %d: killed %v, all started again after %v", round+1, victims, time.Since(before).Round(time.Millisecond))
		if round%10 == 9 || round == rounds-1 { // it goes on, and not only in the end
			back := time.Now()
			k.progress(maker)
			t.Logf("blocks and captures go on after %v", time.Since(back).Round(100*time.Millisecond))
		}
	}
	for _, stop := range stops {
		stop()
	}
	k.ready()
	again := time.Now()
	k.abreast(maker)
	t.Logf("all validators are abreast after %v", time.Since(again).Round(100*time.Millisecond))
	for _, l := range loads {
		l.settle(k.n)
		l.checkChain(k.n)
	}
	k.end()
	checkRebuild(t, k.n.dir)
	t.Logf("%d rounds, killed: %v", rounds, kills)
}

// killable is a network in which every process may be killed, the broker too.
type killable struct {
	*processes
	port int
}

var kinds = []string{"validator-1", "validator-2", "validator-3", "validator-4", "api", "manufacturer", "distributor", "pharmacy", "broker"}

func newKillable(t *testing.T) *killable {
	t.Helper()
	k := &killable{processes: newProcesses(t), port: freePorts(t, 1)}
	k.processes.url = fmt.Sprintf("nats://127.0.0.1:%d", k.port)
	k.up("broker")
	for _, name := range kinds[:8] {
		k.up(name)
	}
	k.ready()
	return k
}

func (k *killable) up(name string) {
	k.t.Helper()
	if name != "broker" {
		k.start(name)
		return
	}
	self, err := os.Executable()
	if err != nil {
		k.t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), brokerDir+"="+filepath.Join(k.n.dir, "nats"), brokerPort+"="+strconv.Itoa(k.port))
	k.launch(name, cmd)
}

// victims draws who is killed at once: mostly one, of any kind; sometimes two; sometimes two to four validators, so that the
// chain has to stand still until they are back.
func (k *killable) victims(rng *rand.Rand) []string {
	switch x := rng.IntN(10); {
	case x < 6:
		return []string{kinds[rng.IntN(len(kinds))]}
	case x < 7:
		return []string{"broker"}
	case x < 9:
		i := rng.IntN(len(kinds))
		return []string{kinds[i], kinds[(i+1+rng.IntN(len(kinds)-1))%len(kinds)]}
	default:
		var some []string
		for _, i := range rng.Perm(4)[:2+rng.IntN(3)] {
			some = append(some, kinds[i])
		}
		if rng.IntN(3) == 0 {
			some = append(some, "broker")
		}
		return some
	}
}

func (k *killable) killTogether(names []string) {
	k.t.Helper()
	for _, name := range names {
		select {
		case <-k.run[name].done:
			k.t.Errorf("%s ended by itself: %v\n%s", name, k.run[name].cmd.ProcessState, tail(k.run[name].log.String(), 3000))
		default:
		}
	}
	var wg sync.WaitGroup
	for _, name := range names {
		wg.Go(func() { k.kill(name) })
	}
	wg.Wait()
}

func (k *killable) ready() {
	k.t.Helper()
	for i := range 4 {
		k.eventually(k.n.url(i)+" is ready", func() bool { return ready(k.n.url(i)) })
	}
}

// progress waits for two more documents and two more blocks, with everybody up.
func (k *killable) progress(l *crashLoad) {
	k.t.Helper()
	k.ready()
	height, docs := k.height(), l.count()
	k.eventually("blocks and captures go on", func() bool { return k.height() >= height+2 && l.count() >= docs+2 })
}

// abreast waits until the api has heard every validator vote for its newest block or the one after, and has something to vote on.
func (k *killable) abreast(l *crashLoad) {
	k.t.Helper()
	var v tracing.Validators
	var next time.Time // one that is behind gets blocks one by one: leave it time
	k.eventually("all validators are abreast", func() bool {
		if time.Now().After(next) {
			l.one(k.n)
			next = time.Now().Add(time.Second)
		}
		return fetch(k.n.url(0)+"/v1/validators", &v) == nil && !slices.ContainsFunc(v.Validators, func(s tracing.Validator) bool {
			return s.Lag == nil || *s.Lag > 1
		})
	})
}

// end stops everybody in good order, the broker last.
func (k *killable) end() {
	k.t.Helper()
	for _, name := range kinds[:8] {
		_ = k.run[name].cmd.Process.Signal(os.Interrupt)
	}
	for _, name := range kinds[:8] {
		select {
		case <-k.run[name].done:
			if code := k.run[name].cmd.ProcessState.ExitCode(); code != 0 {
				k.t.Errorf("%s ended with %d: %s", name, code, tail(k.run[name].log.String(), 1000))
			}
		case <-time.After(30 * time.Second):
			k.t.Errorf("%s does not stop", name)
		}
	}
	k.kill("broker")
}

// keepOn captures until stop, whatever becomes of the service meanwhile.
func (l *crashLoad) keepOn(n *running) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() {
		for ctx.Err() == nil {
			l.one(n)
			select {
			case <-ctx.Done():
			case <-time.After(30 * time.Millisecond): // what is captured must also be looked at in the end
			}
		}
	})
	return func() { cancel(); wg.Wait() }
}

// looked is two events that any partner may capture: units are inspected, and put on a shelf.
func looked(place, who string, i int) string {
	var events strings.Builder
	for _, step := range []string{"inspecting", "storing"} {
		fmt.Fprintf(&events, `<ObjectEvent><eventTime>2026-11-01T08:00:00Z</eventTime><eventTimeZoneOffset>-05:00</eventTimeZoneOffset>`+
			`<epcList><epc>urn:epc:id:sgtin:%s.%06d.%s%d</epc></epcList><action>OBSERVE</action><bizStep>urn:epcglobal:cbv:bizstep:%s</bizStep>`+
			`<readPoint><id>%s</id></readPoint><bizLocation><id>%s</id></bizLocation></ObjectEvent>`, localnet.DemoMakerPrefix, 12345, who, i, step, place, place)
	}
	return `<?xml version="1.0" encoding="UTF-8"?>
<epcis:EPCISDocument xmlns:epcis="urn:epcglobal:epcis:xsd:1" schemaVersion="1.2" creationDate="2026-11-01T08:00:00Z"><EPCISBody><EventList>` +
		events.String() + `</EventList></EPCISBody></epcis:EPCISDocument>`
}
