package replica

import (
	"fmt"
	"slices"
	"sort"
	"sync"
	"testing"
	"time"

	"verilot.dev/services/internal/answer/index"
	"verilot.dev/services/internal/node/chain/chaintest"
)

// BenchmarkThroughput: pre-signed submissions from the bus to certified by every one of n validators in this process, beside
// each other on one machine; with an api's follower that indexes too when it says so. This is the first and third row of the
// docs/design.md section 12.
func BenchmarkThroughput(b *testing.B) {
	for _, validators := range []int{1, 4, 7} {
		for _, units := range []int{1, 48} {
			for _, indexed := range []bool{false, true} {
				b.Run(fmt.Sprintf("validators=%d/units=%d/api=%t", validators, units, indexed), func(b *testing.B) {
					w := newWorld(b, validators)
					w.auditEvery = time.Hour
					c := w.connect()
					all := w.cluster(c)
					if indexed {
						w.options.Project = index.Project
						all = append(all, w.follower("api"))
					}
					benchmarkBus(b, w, units, all...)
				})
			}
		}
	}
}

// BenchmarkLatency: submissions of one event at a steady rate, sent when they are due whether or not earlier ones are done, from
// the moment each was due to the moment when the first validator has its block certified. 300/s is the row of docs/design.md section 12.
func BenchmarkLatency(b *testing.B) {
	for _, validators := range []int{1, 4, 7} {
		for _, rate := range []int{30, 300, 1000} {
			b.Run(fmt.Sprintf("validators=%d/rate=%d", validators, rate), func(b *testing.B) {
				w := newWorld(b, validators)
				w.auditEvery = time.Hour
				c := w.connect()
				all := w.cluster(c)
				const seconds = 10
				n := rate * seconds
				payloads := make([][]byte, n)
				for i := range payloads {
					payloads[i] = chaintest.Commission(b, w.g, uint64(i+1), i, 1)
				}
				for b.Loop() {
					type reached struct {
						at  time.Time
						seq uint64
					}
					var line []reached
					stop, watched := make(chan struct{}), make(chan struct{})
					go func() {
						defer close(watched)
						tick := time.NewTicker(500 * time.Microsecond)
						defer tick.Stop()
						for {
							select {
							case <-stop:
								return
							case <-tick.C:
							}
							if s := all[0].chain.Head().Header.LastSeq; len(line) == 0 || line[len(line)-1].seq != s {
								line = append(line, reached{time.Now(), s})
							}
						}
					}()
					due, seqs := make([]time.Time, n), make([]uint64, n)
					start := time.Now()
					var sending sync.WaitGroup
					for i, p := range payloads {
						due[i] = start.Add(time.Duration(i) * time.Second / time.Duration(rate))
						time.Sleep(time.Until(due[i]))
						sending.Go(func() {
							ack, err := c.Publish(b.Context(), "acme", p)
							if err != nil {
								b.Error(err)
							}
							seqs[i] = ack.Seq
						})
					}
					sending.Wait()
					all[0].waitSeq(slices.Max(seqs))
					time.Sleep(5 * time.Millisecond) // the watcher's last look
					close(stop)
					<-watched
					took := make([]time.Duration, n)
					for i, s := range seqs {
						at := sort.Search(len(line), func(k int) bool { return line[k].seq >= s })
						took[i] = line[at].at.Sub(due[i])
					}
					slices.Sort(took)
					b.ReportMetric(float64(took[n/2].Microseconds())/1000, "p50-ms")
					b.ReportMetric(float64(took[n*99/100].Microseconds())/1000, "p99-ms")
					b.ReportMetric(float64(n)/line[len(line)-1].at.Sub(start).Seconds(), "events/s")
				}
			})
		}
	}
}
