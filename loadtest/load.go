package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The stages of a submission, in order.
var stageNames = []string{"captured", "accepted", "certified", "indexed"}

// A step is one act in a chain of custody. Steps of one party follow each other as captured; a step after a shipment waits
// until the broker has stored the shipment, as the truck would.
type step struct{ kind, at string }

var steps = []step{
	{"commission", "manufacturer"},
	{"pack", "manufacturer"},
	{"ship", "manufacturer"},
	{"receive", "distributor"},
	{"ship", "distributor"},
	{"receive", "pharmacy"},
	{"unpack", "pharmacy"},
	{"dispense", "pharmacy"},
}

var readKinds = []string{"trace", "check", "proof", "lot"}

// chain is one case of units on its way from maker to patient.
type chain struct {
	units  []string
	parent string
	next   int
}

// network is where the services are.
type network struct {
	URLs  map[string]string `json:"urls"`
	Party map[string]string `json:"parties"` // role to party id
}

// job is what is read of a capture job.
type job struct {
	CaptureID string          `json:"captureID"`
	State     string          `json:"state"`
	Success   bool            `json:"success"`
	Errors    json.RawMessage `json:"errors"`
	Result    struct {
		EPCs   []string `json:"epcs"`
		Parent string   `json:"parent"`
	} `json:"result"`
	Verdicts []struct {
		Verdict string `json:"verdict"`
	} `json:"verdicts"`
}

// load is one run. rng is used by whoever holds mu.
type load struct {
	net       network
	tokens    map[string]string // by service; none: the services are open
	c         *http.Client
	s         *stats
	gtin, lot string
	expiry    string
	units     int
	follow    float64
	followers slots

	mu     sync.Mutex
	rng    *rand.Rand
	mix    map[string]int
	ready  [][]*chain // by the step that is next
	known  []string   // units to read about
	errors map[string]int

	wg sync.WaitGroup
}

// pick draws a kind by its weight.
func pick(rng *rand.Rand, mix map[string]int, kinds []string) string {
	total := 0
	for _, k := range kinds {
		total += mix[k]
	}
	if total == 0 {
		return ""
	}
	n := rng.IntN(total)
	for _, k := range kinds {
		if n -= mix[k]; n < 0 {
			return k
		}
	}
	return ""
}

// take chooses the next document: of the kind drawn if a chain is ready for it, else whatever is furthest on its way, else
// new units. substituted says that it is not the kind drawn.
func (l *load) take() (c *chain, substituted bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	var kinds []string
	for _, s := range steps {
		if !slices.Contains(kinds, s.kind) {
			kinds = append(kinds, s.kind)
		}
	}
	kind := pick(l.rng, l.mix, kinds)
	for _, any := range []bool{false, true} {
		for i := len(steps) - 1; i > 0; i-- {
			if q := l.ready[i]; len(q) > 0 && (steps[i].kind == kind || any && l.mix[steps[i].kind] > 0) {
				l.ready[i] = q[1:]
				return q[0], any
			}
		}
		if kind == "commission" {
			break
		}
	}
	return &chain{}, kind != "commission"
}

func (l *load) giveBack(c *chain) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if c.next < len(steps) {
		l.ready[c.next] = append(l.ready[c.next], c)
	}
}

// body is the command of a chain's next step.
func (l *load) body(c *chain) map[string]any {
	from := func(role string) map[string]any { return map[string]any{"party": l.net.Party[role]} }
	switch c.next {
	case 0:
		return map[string]any{"gtin": l.gtin, "lot": l.lot, "expiry": l.expiry, "count": l.units}
	case 1:
		return map[string]any{"children": c.units}
	case 2:
		return map[string]any{"items": []string{c.parent}, "to": from("distributor")}
	case 3:
		return map[string]any{"items": []string{c.parent}, "from": from("manufacturer")}
	case 4:
		return map[string]any{"items": []string{c.parent}, "to": from("pharmacy")}
	case 5:
		return map[string]any{"items": []string{c.parent}, "from": from("distributor")}
	case 6:
		return map[string]any{"parent": c.parent}
	default:
		return map[string]any{"items": c.units}
	}
}

// document sends one document and follows it if it is in the sample.
func (l *load) document(ctx context.Context, c *chain, due time.Time) {
	st := steps[c.next]
	l.s.record("send delay", due, time.Now())
	j, err := l.command(ctx, st.at, st.kind, l.body(c))
	at := time.Now()
	if err != nil {
		l.failed(st.kind, err, due)
		return
	}
	l.s.record("captured", due, at)
	l.s.record(st.kind, due, at)
	l.s.count("unit-events captured", l.units, due)
	switch c.next {
	case 0:
		c.units = j.Result.EPCs
	case 1:
		c.parent = j.Result.Parent
	}
	l.mu.Lock()
	sampled := l.rng.Float64() < l.follow
	l.mu.Unlock()
	if sampled && !l.followers.try(func() { l.followJob(ctx, l.net.URLs[st.at], j.CaptureID, due) }, &l.wg) {
		l.s.count("followers busy", 1, due)
	}
	if st.kind == "ship" {
		// Not measured: only so that the receiver's document comes after it. One waiting request, answered once.
		if _, err := l.wait(ctx, l.net.URLs[st.at], j.CaptureID, "accepted"); err != nil {
			l.failed("ship accepted", err, due)
			return
		}
	}
	c.next++
	l.giveBack(c)
}

// followJob measures the later stages. Each is one waiting request, answered when the job is there.
func (l *load) followJob(ctx context.Context, base, id string, due time.Time) {
	l.s.count("followed", 1, due)
	for _, name := range stageNames[1:] {
		j, err := l.wait(ctx, base, id, name)
		if err != nil {
			l.s.count("unfinished", 1, due)
			l.note("follow to "+name, err)
			return
		}
		l.s.record(name, due, time.Now())
		if name != "indexed" {
			continue
		}
		for _, v := range j.Verdicts {
			l.s.count("verdict "+v.Verdict, 1, due)
		}
		if !j.Success {
			l.s.count("rejected", 1, due)
			l.note("rejected", fmt.Errorf("%.200s", j.Errors))
		}
		if len(j.Result.EPCs) > 0 {
			l.mu.Lock()
			l.known = append(l.known, j.Result.EPCs[0])
			l.mu.Unlock()
		}
	}
}

func (l *load) wait(ctx context.Context, base, id, state string) (*job, error) {
	for {
		var j job
		if err := l.get(ctx, base+"/capture/"+id+"?timeout=20s&wait="+state, &j); err != nil {
			return nil, err
		}
		if slices.Index(stageNames, j.State) >= slices.Index(stageNames, state) {
			return &j, nil
		}
	}
}

// read sends one question about a unit that the api is known to have.
func (l *load) read(ctx context.Context, due time.Time) {
	l.mu.Lock()
	kind := pick(l.rng, l.mix, readKinds)
	unit := l.known[l.rng.IntN(len(l.known))]
	l.mu.Unlock()
	path := "/v1/" + map[string]string{"trace": "trace", "check": "verify", "proof": "proof"}[kind] + "?" + url.Values{"id": {unit}}.Encode()
	if kind == "lot" {
		path = "/v1/lots/" + l.gtin + "/" + l.lot
	}
	l.s.record("send delay", due, time.Now())
	if err := l.get(ctx, l.net.URLs["api"]+path, nil); err != nil {
		l.failed(kind, err, due)
		return
	}
	l.s.record(kind, due, time.Now())
}

func (l *load) failed(kind string, err error, due time.Time) {
	l.s.count("failed", 1, due)
	l.note(kind, err)
}

// note keeps what went wrong, once per text, for the report. Ids differ every time and are cut off.
func (l *load) note(kind string, err error) {
	text := err.Error()
	if len(text) > 300 {
		text = text[:300] + "…"
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.errors) < 20 || l.errors[kind+": "+text] > 0 {
		l.errors[kind+": "+text]++
	}
}

func (l *load) command(ctx context.Context, service, command string, body any) (*job, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", command, err)
	}
	var j job
	return &j, l.send(ctx, http.MethodPost, l.net.URLs[service]+"/v1/"+command, l.tokens[service], b, http.StatusAccepted, &j)
}

func (l *load) get(ctx context.Context, address string, v any) error {
	return l.send(ctx, http.MethodGet, address, "", nil, http.StatusOK, v)
}

func (l *load) send(ctx context.Context, method, address, token string, body []byte, want int, v any) error {
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := l.c.Do(req)
	if err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%s: answer broke off: %w", method, err)
	}
	if resp.StatusCode != want {
		return fmt.Errorf("%s: %.200s", resp.Status, b)
	}
	if v == nil {
		return nil
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("read answer: %w", err)
	}
	return nil
}

// prepare registers product and lot, and takes one case all the way: what the run asks must be possible before it is timed.
func (l *load) prepare(ctx context.Context) error {
	for _, r := range []struct {
		command string
		body    map[string]any
	}{
		{"products", map[string]any{"gtin": l.gtin, "name": "Load test", "manufacturer": "Load test"}},
		{"lots", map[string]any{"gtin": l.gtin, "lot": l.lot, "expiry": l.expiry}},
	} {
		if _, err := l.through(ctx, "manufacturer", r.command, r.body); err != nil {
			return err
		}
	}
	c := &chain{}
	for c.next < len(steps) {
		st := steps[c.next]
		j, err := l.through(ctx, st.at, st.kind, l.body(c))
		if err != nil {
			return err
		}
		switch c.next {
		case 0:
			c.units = j.Result.EPCs
		case 1:
			c.parent = j.Result.Parent
		}
		c.next++
	}
	l.known = append(l.known, c.units...)
	return nil
}

func (l *load) through(ctx context.Context, service, command string, body any) (*job, error) {
	j, err := l.command(ctx, service, command, body)
	if err != nil {
		return nil, fmt.Errorf("prepare, %s: %w", command, err)
	}
	result := j.Result
	if j, err = l.wait(ctx, l.net.URLs[service], j.CaptureID, "indexed"); err != nil {
		return nil, fmt.Errorf("prepare, %s: %w", command, err)
	}
	if !j.Success {
		return nil, fmt.Errorf("prepare, %s: the ledger refused it: %.300s", command, j.Errors)
	}
	j.Result = result
	return j, nil
}

// waiting asks how many stream messages the api has not judged yet.
func (l *load) waiting(ctx context.Context) (waiting, last uint64, err error) {
	var s struct {
		Waiting string `json:"messagesWaiting"`
		Last    string `json:"lastSequence"`
	}
	if err := l.get(ctx, l.net.URLs["api"]+"/v1/status", &s); err != nil {
		return 0, 0, err
	}
	waiting, _ = strconv.ParseUint(s.Waiting, 10, 64) // left out when there is none
	last, err = strconv.ParseUint(s.Last, 10, 64)
	return waiting, last, err
}

// parseMix reads kind=weight,… over the default mix; a kind that is not named keeps its weight.
func parseMix(text string) (map[string]int, error) {
	mix := map[string]int{"commission": 1, "pack": 1, "ship": 2, "receive": 2, "unpack": 1, "dispense": 1, "trace": 4, "check": 4, "proof": 1, "lot": 1}
	for part := range strings.SplitSeq(text, ",") {
		if part == "" {
			continue
		}
		kind, weight, _ := strings.Cut(part, "=")
		n, err := strconv.Atoi(weight)
		if _, ok := mix[kind]; !ok || err != nil || n < 0 || n > 1000 {
			return nil, fmt.Errorf("%q is not kind=weight with a weight of 0 to 1000; kinds are %s", part, strings.Join(slices.Sorted(maps.Keys(mix)), ", "))
		}
		mix[kind] = n
	}
	return mix, nil
}
