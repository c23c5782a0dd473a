package outbox

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	captured *prometheus.CounterVec
	acks     prometheus.Counter
	verdicts *prometheus.CounterVec
	seconds  prometheus.Histogram
	height   prometheus.Gauge
}

func newMetrics(r *prometheus.Registry, o *Outbox) *metrics {
	m := &metrics{
		captured: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "verilot_capture_jobs_total", Help: "Requests captured durably, by kind."}, []string{"kind"}),
		acks:     prometheus.NewCounter(prometheus.CounterOpts{Name: "verilot_capture_acks_total", Help: "Submissions that the broker acknowledged."}),
		verdicts: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "verilot_capture_verdicts_total", Help: "Certified verdicts on own items."}, []string{"verdict", "code"}),
		seconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "verilot_capture_certified_seconds", Help: "Time from capture to the certified verdict.",
			Buckets: []float64{.01, .02, .04, .08, .15, .25, .5, 1, 2, 5, 15, 60, 600, 3600},
		}),
		height: prometheus.NewGauge(prometheus.GaugeOpts{Name: "verilot_capture_height", Help: "Newest certified height that was checked."}),
	}
	depth := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "verilot_capture_outbox_rows", Help: "Submissions without a certified verdict."}, func() float64 {
		n, _ := o.outstanding()
		return float64(n)
	})
	age := prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "verilot_capture_outbox_age_seconds", Help: "Age of the oldest submission without a certified verdict."}, func() float64 {
		_, oldest := o.outstanding()
		if oldest.IsZero() {
			return 0
		}
		return o.cfg.Clock.Now().Sub(oldest).Seconds()
	})
	r.MustRegister(m.captured, m.acks, m.verdicts, m.seconds, m.height, depth, age)
	return m
}

// outstanding counts the outbox and finds its oldest row.
func (o *Outbox) outstanding() (n int, oldest time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, q := range o.queues {
		n += len(q.rows)
		for _, r := range q.rows {
			if at := r.rec.At; !at.IsZero() && (oldest.IsZero() || at.Before(oldest)) {
				oldest = at
			}
		}
	}
	return n, oldest
}
