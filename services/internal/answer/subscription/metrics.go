package subscription

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

type metrics struct {
	deliveries *prometheus.CounterVec
	events     prometheus.Counter
	took       prometheus.Histogram
	dropped    prometheus.Counter
	height     atomic.Uint64
}

func newMetrics(r *prometheus.Registry, s *Service) *metrics {
	m := &metrics{
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "verilot_webhook_deliveries_total", Help: "Calls of webhooks, by what became of them: ok, failed, too_large."}, []string{"result"}),
		events:     prometheus.NewCounter(prometheus.CounterOpts{Name: "verilot_webhook_events_total", Help: "Events that webhooks have acknowledged."}),
		took: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "verilot_webhook_seconds", Help: "Time of one call of a webhook.", Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30},
		}),
		dropped: prometheus.NewCounter(prometheus.CounterOpts{Name: "verilot_websockets_dropped_total", Help: "WebSockets that did not take a message or answer a ping in time."}),
	}
	gauge := func(name, help string, value func() float64) prometheus.Collector {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, value)
	}
	r.MustRegister(
		m.deliveries, m.events, m.took, m.dropped,
		gauge("verilot_standing_queries", "Named queries.", func() float64 {
			s.mu.Lock()
			defer s.mu.Unlock()
			return float64(len(s.named))
		}),
		gauge("verilot_websockets", "WebSockets that are open.", func() float64 { return float64(s.sockets.count()) }),
		gauge("verilot_standing_lag_blocks", "Blocks that the slowest subscription to a stream is behind.", func() float64 {
			height, lag := m.height.Load(), uint64(0)
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, sub := range s.subs {
				if sub.rec.Stream && height > sub.p.Done {
					lag = max(lag, height-sub.p.Done)
				}
			}
			return float64(lag)
		}),
	)
	for _, state := range []string{stateActive, stateRetrying, stateFailing} {
		r.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
			Name: "verilot_standing_subscriptions", Help: "Subscriptions of webhooks, by how their deliveries go.", ConstLabels: prometheus.Labels{"state": state},
		}, func() float64 {
			now, n := s.o.Clock.Now(), 0
			s.mu.Lock()
			defer s.mu.Unlock()
			for _, sub := range s.subs {
				if s.state(&sub.p, now) == state {
					n++
				}
			}
			return float64(n)
		}))
	}
	return m
}
