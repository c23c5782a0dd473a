// Package capture is the way in for a trading partner: EPCIS documents and business commands become signed submissions in
// a durable outbox, are published in order, and end in jobs that show a certified verdict for every event.
//
// One engine serves three profiles (manufacturer, distributor, pharmacy), which differ only in what they offer. Its
// promise: a request answered with 202 ends in a block with exactly one verdict that is not "duplicate", whatever is
// killed in between. It rests on three rules. Job, outbox row, counter, idempotency record and sealed values are one
// durable write, made before the answer. The same bytes are sent again only while no ack came, or when a certified
// block shows another message at the acknowledged sequence. A row leaves the outbox only with its certified verdict.
//
// States. captured: durable here. accepted: the broker stored it. certified: a quorum of the validators stands behind a
// block with its verdicts, which this package checks itself (it follows headers, certificates and verdicts, not
// bodies). indexed: the api service has applied that block, or, without one, our own follower has. "included" is never
// shown: blocks are published when they are decided, so inclusion and certification are seen in the same instant.
//
// The broker is trusted with nothing but carrying bytes; nor is any caller.
package outbox

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	"github.com/prometheus/client_golang/prometheus"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/state"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/node/bus"
)

// Bus is what the engine needs of the broker. Publish and PublishBatch must not return an ack before the message is
// stored; a batch keeps its order, and its acks are those of its first members that are certain.
type Bus interface {
	LastSeq(ctx context.Context) (uint64, error)
	Publish(ctx context.Context, party string, payload []byte) (bus.Ack, error)
	PublishBatch(ctx context.Context, party string, payloads [][]byte) ([]bus.Ack, error)
	ConsumeBlocks(ctx context.Context, from uint64, handle func(height uint64, record []byte) (bool, error)) error
}

// Clock is where time comes from.
type Clock interface {
	Now() time.Time
	After(d time.Duration) <-chan time.Time
}

type wallClock struct{}

func (wallClock) Now() time.Time                         { return time.Now() }
func (wallClock) After(d time.Duration) <-chan time.Time { return time.After(d) }

// Config of an engine. Dir, Genesis, Profile, Party, Key and Bus are required.
type Config struct {
	Dir     string
	Genesis *genesis.Genesis
	Profile Profile
	Party   string        // whose service this is
	Key     crypto.Signer // the party's event key
	// AuthorityParty and AuthorityKey switch development onboarding on, if the genesis file allows it.
	AuthorityParty string
	AuthorityKey   crypto.Signer
	Bus            Bus
	// Peer asks an api service; nil: the engine knows only what genesis and its own registrations say.
	Peer     Peer
	Clock    Clock
	Log      *slog.Logger
	Registry *prometheus.Registry

	// Spool is the folder of documents that are being received or divided; "spool" in Dir, if left out.
	Spool string

	// free is how many bytes the disk of a folder has left.
	free func(dir string) (uint64, error)
	// partItems is how many items a part of a divided document may have; submission.MaxItems, if left out.
	partItems int
	// step is called between any two steps that a crash could part; an error stops the engine there, as a kill would.
	step func(name string) error
}

// Peer is what an api service can tell.
type Peer interface {
	// Indexed is the height up to which blocks have been applied.
	Indexed(ctx context.Context) (uint64, error)
	// Parties lists the registered parties.
	Parties(ctx context.Context) ([]KnownParty, error)
}

// Engine is one party's capture. Methods may be called concurrently.
type Engine struct {
	cfg     Config
	n       canonical.Network
	st      *store
	dir     *directory
	metrics *metrics

	mu          sync.Mutex
	lanes       map[string]*lane
	event       *lane
	authority   *lane // nil: no onboarding
	followed    uint64
	followedSeq uint64
	lowest      uint64 // first height whose record may be stored
	watchers    map[uuid.UUID]chan struct{}
	inflight    map[canonical.Hash]chan struct{}
	indexed     uint64
	asking      bool
	known       uint64 // registrations stored
	numbers     sync.Mutex
	astray      atomic.Pointer[string] // why nothing is published; nil or empty: it is

	spool     string // folder of documents that are being received or divided
	large     chan struct{}
	spooled   []uuid.UUID // jobs whose document is to be divided, in order
	spoolWake chan struct{}
	whole     map[uuid.UUID]bool // jobs whose file is known to be what was checked
}

// lane is the ordered way of one key's submissions to the broker. Guarded by Engine.mu.
type lane struct {
	id      string
	party   string
	keyID   canonical.Hash
	signer  crypto.Signer // nil: an earlier key, whose rows are still sent but not signed again
	counter uint64        // the highest given out
	rows    map[uint64]*row
	bySeq   map[uint64]*row
	queue   []*row // not acknowledged, by counter
	wake    chan struct{}
	delay   time.Duration // before the next send
}

// row is a submission that has no certified verdict yet.
type row struct {
	lane    *lane
	counter uint64
	job     uuid.UUID
	part    uint16
	base    uint64 // height followed when it was captured: no block up to it can hold it
	seq     uint64 // where the broker says it is; 0: not acknowledged
	signed  []byte
	sig     [ed25519.SignatureSize]byte
	size    int
	file    string     // of the spool, with the message; "": the outbox row holds it
	rec     partRecord // as stored
	queued  bool
}

// Open opens the store and reads what is outstanding. Run does the work.
func Open(cfg Config) (*Engine, error) {
	if cfg.Clock == nil {
		cfg.Clock = wallClock{}
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Registry == nil {
		cfg.Registry = prometheus.NewRegistry()
	}
	if cfg.step == nil {
		cfg.step = func(string) error { return nil }
	}
	if cfg.free == nil {
		cfg.free = freeSpace
	}
	if cfg.partItems == 0 {
		cfg.partItems = submission.MaxItems
	}
	if cfg.Spool == "" {
		cfg.Spool = filepath.Join(cfg.Dir, "spool")
	}
	st, err := openStore(cfg.Dir)
	if err != nil {
		return nil, err
	}
	e := &Engine{
		cfg: cfg, n: cfg.Genesis.Network, st: st, lanes: map[string]*lane{}, watchers: map[uuid.UUID]chan struct{}{},
		inflight: map[canonical.Hash]chan struct{}{}, spool: cfg.Spool, large: make(chan struct{}, maxLarge), spoolWake: make(chan struct{}, 1),
		whole: map[uuid.UUID]bool{},
	}
	if err := e.load(); err != nil {
		return nil, errors.Join(err, st.close())
	}
	e.metrics = newMetrics(cfg.Registry, e)
	return e, nil
}

// Close releases the store; Run must have returned.
func (e *Engine) Close() error { return e.st.close() }

func (e *Engine) load() error {
	var err error
	if e.event, err = e.newLane(e.cfg.Party, keys.Event, e.cfg.Key); err != nil {
		return err
	}
	if e.dir, err = newDirectory(e.cfg.Genesis, e.cfg.Party); err != nil {
		return err
	}
	err = e.st.scan(actKeys, "", true, false, func(_ string, v []byte) bool {
		e.known++
		err = e.dir.learnJSON(v)
		return err == nil
	})
	if err != nil {
		return err
	}
	if e.cfg.AuthorityKey != nil && e.cfg.Genesis.Development {
		if e.authority, err = e.newLane(e.cfg.AuthorityParty, keys.Authority, e.cfg.AuthorityKey); err != nil {
			return err
		}
	}
	ov := state.NewOverlay(lightView{e.st})
	chain, err := consensus.NewLightChain(e.cfg.Genesis, ov)
	if err != nil {
		return fmt.Errorf("open light chain: %w", err)
	}
	w := &write{}
	for _, c := range ov.WriteSet() {
		w.put(lightKeys+c.Key, c.Value)
	}
	e.st.submit(w)
	if err := w.wait(); err != nil {
		return err
	}
	head := chain.Head().Header
	e.followed, e.followedSeq = head.Height, head.LastSeq
	e.lowest = e.followed + 1
	if err := e.st.scan(blockKeys, "", false, false, func(k string, _ []byte) bool {
		e.lowest = u64([]byte(k[len(blockKeys):]))
		return false
	}); err != nil {
		return err
	}
	if err := e.loadOutbox(); err != nil {
		return err
	}
	return e.loadSpool()
}

func (e *Engine) newLane(party, use string, key crypto.Signer) (*lane, error) {
	pub, ok := key.Public().(ed25519.PublicKey)
	if !ok {
		return nil, fmt.Errorf("key of party %s is not Ed25519", party)
	}
	id := keys.ID(use, pub)
	l := e.lane(hex.EncodeToString(id[:8]), party)
	l.signer, l.keyID = key, id
	b, err := e.st.get(laneKeys + l.id)
	if err != nil && !errors.Is(err, errNotFound) {
		return nil, err
	}
	l.counter = u64(b)
	return l, nil
}

func (e *Engine) lane(id, party string) *lane {
	l := e.lanes[id]
	if l == nil {
		l = &lane{id: id, party: party, rows: map[uint64]*row{}, bySeq: map[uint64]*row{}, wake: make(chan struct{}, 1)}
		e.lanes[id] = l
	}
	return l
}

func (e *Engine) loadOutbox() error {
	var bad error
	err := e.st.scan(outKeys, "", true, false, func(k string, v []byte) bool {
		bad = e.loadRow(k, v)
		return bad == nil
	})
	return errors.Join(err, bad)
}

func (e *Engine) loadRow(k string, v []byte) error {
	name := k[len(outKeys) : len(k)-9]
	job, part, payload, err := decodeOut(v)
	if err != nil {
		return fmt.Errorf("outbox row %q: %w", k, err)
	}
	var p partRecord
	if err := e.st.getJSON(partKey(job, part), &p); err != nil {
		return err
	}
	file, size := "", len(payload)
	if size == 0 {
		if payload, size, err = e.readHead(partName(job, part)); err != nil {
			return err
		}
		file = partName(job, part)
	}
	r, err := e.newRow(e.lane(name, p.Party), u64([]byte(k[len(k)-8:])), job, part, payload)
	if err != nil {
		return err
	}
	r.file, r.size = file, size
	r.base, r.seq, r.rec = p.Base, p.Seq, p
	r.lane.rows[r.counter] = r
	r.lane.counter = max(r.lane.counter, r.counter)
	if r.seq == 0 {
		r.lane.enqueue(r)
		return nil
	}
	r.lane.bySeq[r.seq] = r
	return nil
}

func (e *Engine) newRow(l *lane, counter uint64, job uuid.UUID, part uint16, payload []byte) (*row, error) {
	_, raw, err := submission.DecodeHeader(e.n, payload)
	if err != nil || len(payload) < len(raw)+ed25519.SignatureSize {
		return nil, fmt.Errorf("outbox holds an unreadable message of job %s: %w", job, errors.Join(err, canonical.ErrShort))
	}
	r := &row{lane: l, counter: counter, job: job, part: part, size: len(payload), signed: slices.Clone(raw)}
	copy(r.sig[:], payload[len(raw):])
	return r, nil
}

// An outbox value is job 16, part u16, message.
func encodeOut(job uuid.UUID, part uint16, payload []byte) []byte {
	b := make([]byte, 0, 18+len(payload))
	return append(canonical.U16(append(b, job[:]...), part), payload...)
}

func decodeOut(b []byte) (job uuid.UUID, part uint16, payload []byte, err error) {
	r := canonical.NewReader(b)
	copy(job[:], r.Bytes(16))
	part = r.U16()
	payload = r.Rest()
	return job, part, payload, r.Done()
}

func (l *lane) enqueue(r *row) {
	if r.queued {
		return
	}
	r.queued = true
	i, _ := slices.BinarySearchFunc(l.queue, r.counter, func(q *row, c uint64) int {
		switch {
		case q.counter < c:
			return -1
		case q.counter > c:
			return 1
		}
		return 0
	})
	l.queue = slices.Insert(l.queue, i, r)
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

func (l *lane) dequeue(r *row) {
	if !r.queued {
		return
	}
	r.queued = false
	if len(l.queue) > 0 && l.queue[0] == r {
		l.queue = l.queue[1:]
		return
	}
	if i := slices.Index(l.queue, r); i >= 0 {
		l.queue = slices.Delete(l.queue, i, i+1)
	}
}

// draft is a request that passed every local check, ready to be signed.
type draft struct {
	kind    string
	onError submission.OnError
	events  int
	items   []draftItem
	refused []httpapi.Fault
	warns   []httpapi.Fault
	result  any
	notes   []string
	lane    *lane
	size    int // of the document; the items are about as large

	job           uuid.UUID // drawn when it is captured, unless it is known before
	refusedEvents int
	faults        int                    // also those that are not kept
	values        [][]commit.SealedValue // of the items, if they are sealed and fit one submission
	plan          *plan                  // how body is divided, instead of items
	body          *body
}

type draftItem struct {
	item wire.Item
	meta itemMeta
	at   place // in the document
}

type place struct{ line, column int }

// once answers a repeated request with the job of the first. request identifies what is asked, byte for byte.
func (e *Engine) once(ctx context.Context, key string, request canonical.Hash, build func(ctx context.Context) (*draft, error)) (uuid.UUID, error) {
	if key == "" {
		d, err := build(ctx)
		if err != nil {
			return uuid.Nil, err
		}
		return e.capture(d, "", canonical.Hash{})
	}
	h := sha256.Sum256([]byte(key))
	release, err := e.hold(ctx, h)
	if err != nil {
		return uuid.Nil, err
	}
	defer release()
	b, err := e.st.get(idemKeys + string(h[:]))
	switch {
	case errors.Is(err, errNotFound):
	case err != nil:
		return uuid.Nil, err
	default:
		r := canonical.NewReader(b)
		was, job := r.Hash(), uuid.UUID(r.Bytes(16))
		if was != request {
			return uuid.Nil, httpapi.NewProblem(httpapi.IdempotencyKeyReused,
				"the Idempotency-Key was already used for another request, whose job is /capture/%s; take a new key for a new request, or repeat the first request unchanged", job)
		}
		return job, nil
	}
	d, err := build(ctx)
	if err != nil {
		return uuid.Nil, err
	}
	return e.capture(d, idemKeys+string(h[:]), request)
}

// hold lets one request at a time use an idempotency key.
func (e *Engine) hold(ctx context.Context, h canonical.Hash) (release func(), err error) {
	for {
		e.mu.Lock()
		busy := e.inflight[h]
		if busy == nil {
			done := make(chan struct{})
			e.inflight[h] = done
			e.mu.Unlock()
			return func() {
				e.mu.Lock()
				delete(e.inflight, h)
				e.mu.Unlock()
				close(done)
			}, nil
		}
		e.mu.Unlock()
		select {
		case <-busy:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
}

// capture makes everything about a draft durable at once: signed, or, if it needs several submissions, with the plan of how it is divided.
func (e *Engine) capture(d *draft, idem string, request canonical.Hash) (uuid.UUID, error) {
	if d.job == (uuid.UUID{}) {
		var err error
		if d.job, err = uuid.NewV7(); err != nil {
			return uuid.Nil, fmt.Errorf("draw a job id: %w", err)
		}
	}
	if d.lane == nil {
		d.lane = e.event
	}
	parts, sealed, err := e.divide(d)
	if err != nil {
		return uuid.Nil, err
	}
	now := e.cfg.Clock.Now().UTC()
	rec := jobRecord{
		Kind: d.kind, OnError: d.onError, CreatedAt: now, Events: d.events, Warnings: d.warns, Notes: d.notes,
		RefusedEvents: d.refusedEvents, Faults: d.faults,
	}
	if d.result != nil {
		if rec.Result, err = json.Marshal(d.result); err != nil {
			return uuid.Nil, fmt.Errorf("encode result: %w", err)
		}
	}
	w := &write{}
	rec.Refused = d.refused[:min(len(d.refused), maxFaults)]
	for rest := range slices.Chunk(d.refused[len(rec.Refused):], faultsPerChunk) {
		w.putJSON(faultKey(d.job, rec.FaultChunks), rest)
		rec.FaultChunks++
	}
	s := &signing{lane: d.lane, job: d.job, onError: d.onError, at: now, group: len(parts)}
	if d.plan != nil {
		if err := e.captureDivided(d, &rec, w); err != nil {
			return uuid.Nil, err
		}
		s.durable = func() { d.body.file = "" } // the job's now
	}
	for i, items := range parts {
		if err := e.signPart(s, w, uint16(i), items, sealed[i], false); err != nil {
			s.forget(e)
			return uuid.Nil, err
		}
		rec.Parts = append(rec.Parts, partMeta{Submission: s.rows[i].rec.Submission, Items: metas(items)})
	}
	w.putJSON(jobKey(d.job), &rec)
	if idem != "" {
		w.put(idem, append(request[:], d.job[:]...))
	}
	switch err := e.store(s, w, "capture"); {
	case errors.Is(err, errTooBig):
		return uuid.Nil, httpapi.NewProblem(httpapi.CaptureLimitExceeded, "the request is larger than the service stores at once; send it in parts")
	case errors.Is(err, errNotStored):
		return uuid.Nil, httpapi.NewProblem(httpapi.Unavailable, "the request could not be stored, so nothing of it was captured; send it again with the same Idempotency-Key").Because(err)
	case err != nil:
		return uuid.Nil, err
	}
	if d.plan != nil {
		e.divideLater(d)
	}
	e.metrics.captured.WithLabelValues(d.kind).Inc()
	return d.job, nil
}

// sign takes the lane's next counter. The row is outstanding from here on, so that blocks are kept for it.
func (e *Engine) sign(l *lane, h submission.Header, items []draftItem, job uuid.UUID, part uint16) (*row, []byte, error) {
	e.mu.Lock()
	l.counter++
	counter, base := l.counter, e.followed
	l.rows[counter] = &row{lane: l, counter: counter, base: base}
	e.mu.Unlock()
	drop := func() {
		e.mu.Lock()
		delete(l.rows, counter)
		e.mu.Unlock()
	}
	h.Counter, h.KeyID = counter, l.keyID
	list := make([]wire.Item, len(items))
	for i := range items {
		list[i] = items[i].item
	}
	payload, err := submission.Sign(e.n, h, list, l.signer)
	if err != nil {
		drop()
		return nil, nil, sized(h.OnError, fmt.Errorf("sign: %w", err))
	}
	if len(payload) > submission.MaxMessage {
		drop()
		return nil, nil, tooLarge(h.OnError, "the submission has %d bytes, at most %d are allowed", len(payload), submission.MaxMessage)
	}
	r, err := e.newRow(l, counter, job, part, payload)
	if err != nil {
		drop()
		return nil, nil, err
	}
	r.base = base
	e.mu.Lock()
	l.rows[counter] = r
	e.mu.Unlock()
	return r, payload, nil
}

func tooLarge(onError submission.OnError, format string, args ...any) error {
	p := httpapi.NewProblem(httpapi.CaptureLimitExceeded, format, args...)
	if onError == submission.Rollback {
		p.Detail += "; nothing was stored. A document that is rolled back as a whole must fit one submission: send fewer events, or GS1-Capture-Error-Behaviour: proceed, under which it is divided"
	} else {
		p.Detail += "; nothing was stored. Send fewer events at a time"
	}
	return p
}

// headroom is what header and signature of a submission, and the framing of an item, may need.
const (
	headroom = 1024
	maxParts = 64
	// What is smaller than this fits one submission by a wide margin, even with long identifiers.
	plentyUnits = 2048
	plentyBytes = 256 << 10
)

// divide seals the items and groups them into submissions: one, or under proceed as many as the limits ask for.
func (e *Engine) divide(d *draft) (parts [][]draftItem, sealed [][][]commit.SealedValue, err error) {
	switch {
	case len(d.items) == 0:
		return nil, nil, nil
	case d.values != nil: // measured before
		return [][]draftItem{d.items}, [][][]commit.SealedValue{d.values}, nil
	}
	values := make([][]commit.SealedValue, len(d.items))
	units := make([]int, len(d.items))
	total := 0
	for i := range d.items {
		it := &d.items[i].item
		if it.Salt, err = salt(); err != nil {
			return nil, nil, err
		}
		if values[i], err = wire.Seal(e.n, it, wire.DefaultSealed, mustSalt); err != nil {
			return nil, nil, fmt.Errorf("seal item %d: %w", i, err)
		}
		units[i] = countUnits(it)
		total += units[i]
	}
	if len(d.items) <= submission.MaxItems && total <= plentyUnits && d.size <= plentyBytes {
		return [][]draftItem{d.items}, [][][]commit.SealedValue{values}, nil // fits without being measured
	}
	sizes := make([]int, len(d.items))
	bytes := 0
	for i := range d.items {
		one := d.items[i].item
		b, err := wire.EncodeBody([]wire.Item{one})
		if err != nil {
			return nil, nil, fmt.Errorf("encode item %d: %w", i, err)
		}
		sizes[i] = len(b)
		bytes += len(b)
	}
	if len(d.items) <= submission.MaxItems && total <= submission.MaxUnits && bytes <= submission.MaxMessage-headroom {
		return [][]draftItem{d.items}, [][][]commit.SealedValue{values}, nil
	}
	if d.onError == submission.Rollback {
		return nil, nil, tooLarge(d.onError, "the document needs %d items, %d unit references and %d bytes; one submission holds %d, %d and %d",
			len(d.items), total, bytes, submission.MaxItems, submission.MaxUnits, submission.MaxMessage)
	}
	var items, refs, size int
	for i := range d.items {
		if sizes[i] > submission.MaxMessage-headroom {
			return nil, nil, httpapi.NewProblem(httpapi.EventTooLarge, "item %d (line %d) alone has %d bytes and a submission holds %d; nothing was stored. Split the event",
				i, d.items[i].at.line, sizes[i], submission.MaxMessage)
		}
		if len(parts) == 0 || items+1 > submission.MaxItems || refs+units[i] > submission.MaxUnits || size+sizes[i] > submission.MaxMessage-headroom {
			parts, sealed = append(parts, nil), append(sealed, nil)
			items, refs, size = 0, 0, 0
		}
		k := len(parts) - 1
		parts[k], sealed[k] = append(parts[k], d.items[i]), append(sealed[k], values[i])
		items, refs, size = items+1, refs+units[i], size+sizes[i]
	}
	if len(parts) > maxParts {
		return nil, nil, tooLarge(d.onError, "the document needs %d submissions, at most %d are made of one", len(parts), maxParts)
	}
	return parts, sealed, nil
}

func salt() (s [32]byte, err error) {
	if _, err := rand.Read(s[:]); err != nil {
		return s, fmt.Errorf("draw a salt: %w", err)
	}
	return s, nil
}

// mustSalt is salt for wire.Seal, which takes no error; crypto/rand itself crashes the program rather than fail.
func mustSalt() [32]byte {
	s, err := salt()
	if err != nil {
		panic(err)
	}
	return s
}

// Sealed returns the values that this service keeps of a submission, per item.
func (e *Engine) Sealed(sub uuid.UUID) (map[uint16][]commit.SealedValue, error) {
	b, err := e.st.get(sealedKeys + string(sub[:]))
	if errors.Is(err, errNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return decodeSealed(b)
}

func leafOf(n canonical.Network, r *row, seq uint64) []byte {
	return block.EntryLeaf(n, seq, block.Submission, r.signed, r.sig)
}
