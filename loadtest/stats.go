package main

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// longest is the largest latency that a histogram tells apart from larger ones; those are counted as this.
const longest = 10 * time.Minute

// stage collects latencies of one stage or kind of request, counted from the due time, in all and by the time it was due.
type stage struct {
	all  *hdrhistogram.Histogram
	over []*hdrhistogram.Histogram // latency by due time
	done []int                     // completions by the time they were completed
}

// stats collects what is measured. Methods may be called concurrently.
type stats struct {
	mu      sync.Mutex
	start   time.Time // of what counts: the warm-up is over
	end     time.Time
	bucket  time.Duration
	buckets int
	stages  map[string]*stage
	counts  map[string]int
}

func newStats(start time.Time, d time.Duration) *stats {
	bucket := max(time.Second, (d / 60).Round(time.Second))
	return &stats{start: start, end: start.Add(d), bucket: bucket, buckets: int((d + bucket - 1) / bucket), stages: map[string]*stage{}, counts: map[string]int{}}
}

// measured says whether a request that was due then counts; those of the warm-up do not.
func (s *stats) measured(due time.Time) bool { return !due.Before(s.start) }

func (s *stats) record(name string, due, at time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stages[name]
	if st == nil {
		st = &stage{all: hdrhistogram.New(1, longest.Microseconds(), 3), over: make([]*hdrhistogram.Histogram, s.buckets), done: make([]int, s.buckets)}
		s.stages[name] = st
	}
	// What was completed in the window is throughput, also if it was due in the warm-up.
	if i := int(at.Sub(s.start) / s.bucket); !at.Before(s.start) && at.Before(s.end) && i < s.buckets {
		st.done[i]++
	}
	if !s.measured(due) {
		return
	}
	us := min(max(at.Sub(due), time.Microsecond), longest).Microseconds()
	_ = st.all.RecordValue(us) // clamped to its range just above
	if i := int(due.Sub(s.start) / s.bucket); i >= 0 && i < s.buckets {
		if st.over[i] == nil {
			st.over[i] = hdrhistogram.New(1, longest.Microseconds(), 2)
		}
		_ = st.over[i].RecordValue(us)
	}
}

// count counts something about a request, unless it belongs to the warm-up.
func (s *stats) count(what string, n int, due time.Time) {
	if !s.measured(due) {
		return
	}
	s.mu.Lock()
	s.counts[what] += n
	s.mu.Unlock()
}

func (s *stats) get(what string) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.counts[what]
}

// Latency is a histogram in milliseconds.
type Latency struct {
	Count int64   `json:"count"`
	P50   float64 `json:"p50"`
	P90   float64 `json:"p90"`
	P99   float64 `json:"p99"`
	P999  float64 `json:"p999"`
	Max   float64 `json:"max"`
	Mean  float64 `json:"mean"`
}

func summary(h *hdrhistogram.Histogram) Latency {
	ms := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) / 1000 }
	return Latency{Count: h.TotalCount(), P50: ms(50), P90: ms(90), P99: ms(99), P999: ms(99.9), Max: float64(h.Max()) / 1000, Mean: h.Mean() / 1000}
}

// Point is one interval of the charts. Latencies are of requests due in it; Done counts completions in it.
type Point struct {
	At   float64 `json:"at"` // seconds since the start of what counts
	Done float64 `json:"donePerSecond"`
	N    int64   `json:"count"`
	P50  float64 `json:"p50"`
	P99  float64 `json:"p99"`
}

// stageReport is nothing for a name that was never recorded.
func (s *stats) stageReport(name string) (Stage, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := s.stages[name]
	if st == nil {
		return Stage{}, false
	}
	out := Stage{Name: name, Latency: summary(st.all)}
	total, window := 0, s.end.Sub(s.start).Seconds()
	for i := range s.buckets {
		width := min(s.bucket.Seconds(), window-float64(i)*s.bucket.Seconds())
		p := Point{At: float64(i) * s.bucket.Seconds(), Done: float64(st.done[i]) / width}
		if h := st.over[i]; h != nil {
			p.N, p.P50, p.P99 = h.TotalCount(), float64(h.ValueAtQuantile(50))/1000, float64(h.ValueAtQuantile(99))/1000
		}
		total += st.done[i]
		out.Over = append(out.Over, p)
	}
	out.PerSecond = float64(total) / window
	return out, true
}
