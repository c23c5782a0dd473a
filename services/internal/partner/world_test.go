package partner

import (
	"context"
	"net/http"
	"testing"

	"go.uber.org/goleak"

	"verilot.dev/services/internal/clock/clocktest"
	"verilot.dev/services/internal/partner/outbox/outboxtest"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/golang/glog.(*fileSink).flushDaemon"))
}

// The documents of the tests.
const (
	eventTime = outboxtest.EventTime
	ilmd      = outboxtest.ILMD
	jsonType  = "application/json"
)

var (
	event      = outboxtest.Event
	document   = outboxtest.Document
	sgtins     = outboxtest.SGTINs
	manyEvents = outboxtest.ManyEvents
)

var xmlType = map[string]string{"Content-Type": "application/xml"}

// proceed is the header of a document that may be divided.
func proceed(key string) map[string]string {
	return map[string]string{"Content-Type": "text/xml", "GS1-Capture-Error-Behaviour": "proceed", "Idempotency-Key": key}
}

// world is one service over a ledger; kill and restart keep only what is on disk.
type world struct {
	tb      testing.TB
	ledger  *outboxtest.Ledger
	clock   *clocktest.Fake
	dir     string
	profile Profile
	party   string
	peer    Peer

	s         *Service
	handler   http.Handler
	handlerOf *Service
	stop      context.CancelFunc
	done      chan error
}

func newWorld(tb testing.TB, profile Profile, party string) *world {
	tb.Helper()
	w := &world{
		tb: tb, ledger: outboxtest.NewLedger(tb, outboxtest.Genesis(tb, true)), dir: tb.TempDir(), profile: profile, party: party,
		clock: outboxtest.NewClock(),
	}
	w.start()
	tb.Cleanup(func() { w.kill() })
	return w
}

func (w *world) config() Config {
	return Config{
		Dir: w.dir, Genesis: w.ledger.G, Profile: w.profile, Party: w.party, Key: outboxtest.Key(w.party + "/event"), Bus: w.ledger, Clock: w.clock,
		AuthorityParty: "board", AuthorityKey: outboxtest.Key("board/authority"), Peer: w.peer,
	}
}

func (w *world) start() {
	w.tb.Helper()
	s, err := Open(w.config())
	if err != nil {
		w.tb.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	w.s, w.stop, w.done = s, stop, done
}

// kill ends the service; what it had not made durable is gone.
func (w *world) kill() {
	w.tb.Helper()
	if w.s == nil {
		return
	}
	w.stop()
	if err := <-w.done; err != nil {
		w.tb.Errorf("run: %v", err)
	}
	if err := w.s.Close(); err != nil {
		w.tb.Error(err)
	}
	w.s = nil
}

func (w *world) restart() {
	w.tb.Helper()
	w.kill()
	w.start()
}
