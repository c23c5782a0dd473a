package main

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"
	"time"
)

// Report is what a run found, and the conditions it ran under. README.md documents it; Version changes when a member does.
type Report struct {
	Version    int            `json:"version"`
	StartedAt  time.Time      `json:"startedAt"`
	Settings   Settings       `json:"settings"`
	Conditions Conditions     `json:"conditions"`
	Stages     []Stage        `json:"stages"`   // of documents
	Requests   []Stage        `json:"requests"` // the same requests by kind, reads, and how late they were sent
	Counts     map[string]int `json:"counts"`
	Backlog    Backlog        `json:"backlog"`
	Errors     map[string]int `json:"errors,omitempty"`
	Targets    []Target       `json:"targets"`
	Met        bool           `json:"met"`
}

// Settings are what was asked for.
type Settings struct {
	Rate      float64        `json:"rate"`
	Reads     float64        `json:"reads"`
	Units     int            `json:"units"`
	Mix       map[string]int `json:"mix"`
	Warmup    string         `json:"warmup"`
	Duration  string         `json:"duration"`
	Seed      uint64         `json:"seed"`
	InFlight  int            `json:"inFlight"`
	Follow    float64        `json:"follow"`
	Followers int            `json:"followers"`
	Network   network        `json:"network"`
	Self      bool           `json:"self"`
}

// Conditions are what the figures depend on besides the code.
type Conditions struct {
	Cores      int     `json:"cores"`
	LoadBefore string  `json:"loadAverageBefore"`
	LoadAfter  string  `json:"loadAverageAfter"`
	FsyncP50   float64 `json:"fsyncMedianMs"`
	FsyncP99   float64 `json:"fsyncP99Ms"`
	FsyncDir   string  `json:"fsyncDirectory"`
	Git        string  `json:"git"`
	Go         string  `json:"go"`
	Validators int     `json:"validators"`
}

// Stage is one stage or kind of request.
type Stage struct {
	Name      string  `json:"name"`
	PerSecond float64 `json:"perSecond"`
	Latency   Latency `json:"latencyMs"`
	Over      []Point `json:"over"`
}

// Backlog is what the stream held that the api had not judged, when the last request was due and after the wait that followed.
type Backlog struct {
	AtEnd         uint64  `json:"messagesAtEnd"`
	AfterDrain    uint64  `json:"messagesAfterDrain"`
	DrainSeconds  float64 `json:"drainSeconds"`
	Indexed       uint64  `json:"streamMessagesIndexed"`
	IndexedPerSec float64 `json:"streamMessagesIndexedPerSecond"`
}

// Target is one figure that was asked for.
type Target struct {
	Name string `json:"name"`
	Want string `json:"want"`
	Got  string `json:"got"`
	Met  bool   `json:"met"`
}

// judge fills in what was reached. A latency that was never measured is missed.
func (r *Report) judge(p50, p99 map[string]time.Duration, minRate, maxFailed float64) {
	all := append(append([]Stage{}, r.Stages...), r.Requests...)
	quantile := func(name string, limits map[string]time.Duration, of func(Latency) float64) {
		for _, s := range all {
			limit, ok := limits[s.Name]
			if !ok {
				continue
			}
			t := Target{Name: name + " of " + s.Name, Want: "≤ " + limit.String(), Got: "not measured"}
			if s.Latency.Count > 0 {
				t.Got, t.Met = ms(of(s.Latency)), of(s.Latency) <= float64(limit)/float64(time.Millisecond)
			}
			r.Targets = append(r.Targets, t)
			delete(limits, s.Name)
		}
		for stage, limit := range limits {
			r.Targets = append(r.Targets, Target{Name: name + " of " + stage, Want: "≤ " + limit.String(), Got: "not measured"})
		}
	}
	quantile("p50", p50, func(l Latency) float64 { return l.P50 })
	quantile("p99", p99, func(l Latency) float64 { return l.P99 })
	if minRate > 0 {
		got := 0.0
		for _, s := range r.Stages {
			if s.Name == "captured" {
				got = s.PerSecond
			}
		}
		r.Targets = append(r.Targets, Target{Name: "documents captured per second", Want: fmt.Sprintf("≥ %g", minRate), Got: fmt.Sprintf("%.1f", got), Met: got >= minRate})
	}
	bad := r.Counts["failed"] + r.Counts["could not send"] + r.Counts["unfinished"] + r.Counts["rejected"]
	share := float64(bad) / math.Max(1, float64(r.Counts["due"]))
	r.Targets = append(r.Targets, Target{
		Name: "failed, unsent, unfinished or rejected", Want: fmt.Sprintf("≤ %g %%", maxFailed*100), Got: fmt.Sprintf("%d of %d (%.2f %%)", bad, r.Counts["due"], share*100), Met: share <= maxFailed,
	})
	r.Met = true
	for _, t := range r.Targets {
		r.Met = r.Met && t.Met
	}
}

func ms(v float64) string {
	switch {
	case v >= 10_000:
		return fmt.Sprintf("%.1f s", v/1000)
	case v < 1:
		return fmt.Sprintf("%.2f ms", v)
	case v >= 100:
		return fmt.Sprintf("%.0f ms", v)
	default:
		return fmt.Sprintf("%.1f ms", v)
	}
}

//go:embed report.html.tmpl
var page string

// html writes one file that asks for nothing from anywhere.
func (r *Report) html(w io.Writer) error {
	t, err := template.New("report").Funcs(template.FuncMap{
		"ms": ms, "join": strings.Join,
		"latency": func(q string) template.HTML {
			return chart("Latency in ms, by the time the document was due", r.Stages, func(p Point) (float64, bool) {
				if q == "p50" {
					return p.P50, p.N > 0
				}
				return p.P99, p.N > 0
			})
		},
		"throughput": func() template.HTML {
			return chart("Documents per second", r.Stages, func(p Point) (float64, bool) { return p.Done, true })
		},
	}).Parse(page)
	if err != nil {
		return fmt.Errorf("read the page's template: %w", err)
	}
	if err := t.Execute(w, r); err != nil {
		return fmt.Errorf("write the page: %w", err)
	}
	return nil
}

// niceTop rounds up to 1, 2 or 5 times a power of ten.
func niceTop(v float64) float64 {
	if v <= 0 {
		return 1
	}
	base := math.Pow(10, math.Floor(math.Log10(v)))
	for _, m := range []float64{1, 2, 5, 10} {
		if v <= m*base {
			return m * base
		}
	}
	return 10 * base
}

// Lines differ by dashes as well as by colour, so that they can be told apart in print.
var strokes = []struct{ colour, dash string }{{"#1b5e9e", ""}, {"#a34b00", "7 3"}, {"#1c7a43", "2 3"}, {"#7a2a8c", "9 3 2 3"}}

func chart(title string, stages []Stage, value func(Point) (float64, bool)) template.HTML {
	const w, h, left, top, bottom = 720.0, 240.0, 56.0, 34.0, 34.0
	top1, last := 0.0, 1.0
	for _, s := range stages {
		for _, p := range s.Over {
			if v, ok := value(p); ok {
				top1 = math.Max(top1, v)
			}
			last = math.Max(last, p.At)
		}
	}
	high := niceTop(top1)
	x := func(at float64) float64 { return left + at/last*(w-left-12) }
	y := func(v float64) float64 { return top + (1-v/high)*(h-top-bottom) }
	var b strings.Builder
	fmt.Fprintf(&b, `<svg viewBox="0 0 %g %g" role="img" aria-label="%s">`, w, h, template.HTMLEscapeString(title))
	for i := range 6 {
		v := high * float64(i) / 5
		fmt.Fprintf(&b, `<line x1="%g" x2="%g" y1="%.1f" y2="%.1f" class="grid"/><text x="%g" y="%.1f" text-anchor="end">%.3g</text>`, left, w-12, y(v), y(v), left-6, y(v)+4, v)
	}
	for i, every := 0, niceTop(last/6); float64(i)*every <= last; i++ {
		at := float64(i) * every
		fmt.Fprintf(&b, `<text x="%.1f" y="%g" text-anchor="middle">%.3g s</text>`, x(at), h-bottom+18, at)
	}
	for i, s := range stages {
		k := strokes[i%len(strokes)]
		var pts []string
		for _, p := range s.Over {
			if v, ok := value(p); ok {
				pts = append(pts, fmt.Sprintf("%.1f,%.1f", x(p.At), y(v)))
			}
		}
		lx := left + float64(i)*130
		fmt.Fprintf(&b, `<polyline points="%s" fill="none" stroke="%s" stroke-width="2" stroke-dasharray="%s"/>`, strings.Join(pts, " "), k.colour, k.dash)
		fmt.Fprintf(&b, `<line x1="%g" x2="%g" y1="14" y2="14" stroke="%s" stroke-width="2" stroke-dasharray="%s"/><text x="%g" y="18">%s</text>`, lx, lx+28, k.colour, k.dash, lx+34, template.HTMLEscapeString(s.Name))
	}
	b.WriteString("</svg>")
	return template.HTML(b.String()) //nolint:gosec // numbers and escaped names only
}
