package capture

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// BenchmarkCapture is one document of one event through HTTP handler, checks, sealing, signature and durable outbox, with
// many callers at once; the ledger behind it only stores. Beside it stands what one synced write costs here.
func BenchmarkCapture(b *testing.B) {
	w := newWorld(b)
	w.ledger.Auto(false)
	h := w.handler
	var n atomic.Int64
	b.SetParallelism(32)
	start := time.Now()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			doc := document(event("2026-11-20T06:00:00-05:00", "commissioning", "ADD", ilmd, fmt.Sprintf("urn:epc:id:sgtin:0399990.010001.%d", n.Add(1))))
			req := httptest.NewRequest(http.MethodPost, "/capture", strings.NewReader(doc))
			req.Header.Set("Content-Type", "application/xml")
			rec := httptest.NewRecorder()
			if h.ServeHTTP(rec, req); rec.Code != http.StatusAccepted {
				b.Error(rec.Body)
			}
		}
	})
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "captures/s")
}

// BenchmarkCaptureTen is one document of ten events at a time: what its sender waits for.
func BenchmarkCaptureTen(b *testing.B) {
	w := newWorld(b)
	w.ledger.Auto(false)
	h := w.handler
	took := make([]time.Duration, 0, b.N)
	for i := range b.N {
		list := make([]string, 10)
		for k := range list {
			list[k] = event("2026-11-20T06:00:00-05:00", "commissioning", "ADD", ilmd, fmt.Sprintf("urn:epc:id:sgtin:0399990.010001.%d", 10*i+k))
		}
		doc := document(list...)
		start := time.Now()
		req := httptest.NewRequest(http.MethodPost, "/capture", strings.NewReader(doc))
		req.Header.Set("Content-Type", "application/xml")
		rec := httptest.NewRecorder()
		if h.ServeHTTP(rec, req); rec.Code != http.StatusAccepted {
			b.Fatal(rec.Body)
		}
		took = append(took, time.Since(start))
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Microseconds())/1000, "p50-ms")
}
