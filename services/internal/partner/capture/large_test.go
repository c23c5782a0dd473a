package capture

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"verilot.dev/services/internal/clock"
	"verilot.dev/services/internal/node/bus"
	"verilot.dev/services/internal/partner/journal"
)

// hole is a broker that acknowledges everything and keeps nothing.
type hole struct{ n atomic.Uint64 }

func (h *hole) LastSeq(context.Context) (uint64, error) { return h.n.Load() + 1, nil }

func (h *hole) Publish(context.Context, string, []byte) (bus.Ack, error) {
	return bus.Ack{Seq: h.n.Add(1) + 1}, nil
}

func (h *hole) PublishBatch(_ context.Context, _ string, payloads [][]byte) ([]bus.Ack, error) {
	acks := make([]bus.Ack, len(payloads))
	for i := range acks {
		acks[i].Seq = h.n.Add(1) + 1
	}
	return acks, nil
}

func (h *hole) ConsumeBlocks(ctx context.Context, _ uint64, _ func(uint64, []byte) (bool, error)) error {
	<-ctx.Done()
	return context.Cause(ctx)
}

// memory is a line of /proc/self/status in MiB.
func memory(t *testing.T, name string) int {
	t.Helper()
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if f := strings.Fields(line); len(f) > 1 && f[0] == name+":" {
			n, err := strconv.Atoi(f[1])
			if err != nil {
				t.Fatal(err)
			}
			return n >> 10
		}
	}
	t.Fatalf("no %s", name)
	return 0
}

// endless writes a document of about size bytes.
func endless(to io.Writer, size int64, format string) (events int, err error) {
	w := bufio.NewWriterSize(to, 1<<16)
	whole, end, between, one := document(), "</EventList>", "", func(i int) string {
		return event(eventTime, "commissioning", "ADD", ilmd, fmt.Sprintf("urn:epc:id:sgtin:0399990.010001.L%d", i))
	}
	if format == isJSON {
		whole, end, between, one = jsonDocument(), "]}}", ",\n", func(i int) string {
			return jsonEvent(eventTime, "ADD", fmt.Sprintf("urn:epc:id:sgtin:0399990.010001.L%d", i))
		}
	}
	at := strings.Index(whole, end)
	head, foot := whole[:at], whole[at:]
	written := int64(0)
	put := func(s string) {
		n, e := w.WriteString(s)
		if written += int64(n); err == nil {
			err = e
		}
	}
	put(head)
	for ; written < size-2000 && err == nil; events++ {
		if events > 0 {
			put(between)
		}
		put(one(events))
	}
	put(foot)
	if err == nil {
		err = w.Flush()
	}
	return events, err
}

// A document of 200 MB is captured in bounded memory: so large with VERILOT_LONG=1, else of 4 MB. VERILOT_LARGE says another number of MB.
func TestLargeDocument(t *testing.T) {
	if runtime.GOOS != "linux" || testing.Short() {
		t.Skip("reads /proc, and takes a while")
	}
	size := int64(4)
	if os.Getenv("VERILOT_LONG") == "1" {
		size = 200
	}
	if s := os.Getenv("VERILOT_LARGE"); s != "" {
		var err error
		if size, err = strconv.ParseInt(s, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	for _, format := range []string{isXML, isJSON} {
		t.Run(format, func(t *testing.T) {
			w := newWorld(t)
			w.kill()
			w.dir, w.time, w.bus = t.TempDir(), clock.System(), &hole{}
			w.start()
			srv := httptest.NewServer(w.handler)
			defer srv.Close()

			debug.FreeOSMemory()
			before := memory(t, "VmRSS")
			if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil { // the peak counts from here
				t.Skip(err)
			}
			body, in := io.Pipe()
			events := make(chan int, 1)
			go func() {
				n, err := endless(in, size<<20, format)
				events <- n
				in.CloseWithError(err)
			}()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, srv.URL+"/capture", body)
			if err != nil {
				t.Fatal(err)
			}
			req.Header.Set("Content-Type", map[string]string{isXML: "application/xml", isJSON: "application/json"}[format])
			req.Header.Set("GS1-Capture-Error-Behaviour", "proceed")
			began := time.Now()
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			answer, err := io.ReadAll(resp.Body)
			if resp.Body.Close(); err != nil {
				t.Fatal(err)
			}
			answered, sent := time.Since(began), <-events
			var j Job
			if err := json.NewDecoder(bytes.NewReader(answer)).Decode(&j); err != nil || resp.StatusCode != http.StatusAccepted || j.Events != sent {
				t.Fatalf("%v %d %s", err, resp.StatusCode, answer)
			}
			checked := memory(t, "VmHWM")
			k, err := w.s.cfg.Jobs.awaited(t.Context(), uuid.MustParse(j.CaptureID), journal.Accepted, 20*time.Minute)
			if err != nil || k.State != journal.Accepted || k.Submitted != sent || !k.Success {
				t.Fatalf("%v: %s, %d of %d submitted, %+v", err, k.State, k.Submitted, sent, k.Errors)
			}
			peak := memory(t, "VmHWM")
			t.Logf("%d MiB, %d events, %d parts: answered after %.1f s, all parts acknowledged after %.1f s; resident before %d MiB, at the answer at most %d, at the end at most %d: it grew by %d MiB",
				size, sent, len(k.Parts), answered.Seconds(), time.Since(began).Seconds(), before, checked, peak, peak-before)
			if peak-before > 300 {
				t.Errorf("it grew by %d MiB", peak-before)
			}
		})
	}
}
