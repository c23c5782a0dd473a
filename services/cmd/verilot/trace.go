package main

import (
	"context"
	"io"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"verilot.dev/epcis/gs1"
	"verilot.dev/services/internal/answer/tracing"
)

func (a *app) traceCommand() *cobra.Command {
	var api, proofFile string
	c := &cobra.Command{
		Use:   "trace ID",
		Short: "Tell the history of one unit or container, end to end",
		Long: `Tells where a unit has been: its own events, and those of its case and pallet for exactly the time it was inside them.
ID is what is on the package in any form: a scan, a Digital Link, an EPC URN, (01)…(21)… or a key.

--proof writes a proof bundle that "verilot verify" checks without asking any server.
Exit code 1: the ledger has no record of this unit.`,
		Example: `  verilot trace urn:epc:id:sgtin:030001.0012345.11 --api http://localhost:8080
  verilot trace '(01)00300010123455(21)11' --proof unit.proof.json
  verilot trace https://id.gs1.org/01/00300010123455/21/11 --json | jq .holder`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, err := newClient(api)
			if err != nil {
				return err
			}
			return a.trace(cmd.Context(), cl, args[0], proofFile)
		},
	}
	apiFlag(c, &api)
	c.Flags().StringVar(&proofFile, "proof", "", "write the proof bundle to this file (binary if it ends in .bin)")
	return c
}

func (a *app) trace(ctx context.Context, cl *client, id, proofFile string) error {
	q := url.Values{"id": {id}}.Encode()
	var t tracing.Trace
	raw, err := cl.get(ctx, "/v1/trace?"+q, &t)
	if err != nil {
		return a.refused(err)
	}
	if a.json {
		a.printf("%s\n", strings.TrimSpace(string(raw)))
	} else {
		a.showTrace(&t)
		if t.Known && t.Contents > 0 {
			var check tracing.Check
			if _, err := cl.get(ctx, "/v1/verify?"+q, &check); err != nil {
				return a.refused(err)
			}
			a.showInside(&check)
		}
	}
	if proofFile != "" {
		if len(t.Steps) == 0 {
			return no("there is nothing to prove: %s", t.Answer)
		}
		if strings.HasSuffix(proofFile, ".bin") {
			q += "&format=binary"
		}
		b, err := cl.get(ctx, "/v1/proof?"+q, nil)
		if err != nil {
			return a.refused(err)
		}
		if err := os.WriteFile(proofFile, b, 0o644); err != nil {
			return unusable("%w", err)
		}
		if !a.json {
			a.printf("\nProof of %d steps written to %s (%d bytes). Check it: verilot verify %s --genesis FILE\n", len(t.Steps), proofFile, len(b), proofFile)
		}
	}
	if !t.Known {
		return &exit{code: 1, quiet: true}
	}
	return nil
}

func (a *app) showTrace(t *tracing.Trace) {
	var why reasons
	title := t.ID.Key
	if t.ID.GTIN != "" {
		title = "GTIN " + t.ID.GTIN + "  serial " + t.ID.Serial
	} else if t.ID.SSCC != "" {
		title = "SSCC " + t.ID.SSCC
	}
	a.printf("%s\n", title)
	if t.Product != nil {
		a.printf("%s\n", strings.Join(nonEmpty(t.Product.Name, t.Product.Strength, t.Product.DosageForm, t.Product.NetContent, t.Product.Manufacturer), ", "))
	}
	if t.Lot != "" {
		a.printf("lot %s  expiry %s\n", t.Lot, t.Expiry)
	}
	a.printf("%s\n", t.Answer)
	for _, c := range t.Containers {
		a.printf("inside %s\n", container(c))
	}
	if len(t.Overlays) > 0 {
		a.printf("marked: %s\n", strings.Join(t.Overlays, ", "))
	}
	for _, r := range t.Recalls {
		a.printf("RECALL %s class %s: %s\n", r.RecallNumber, r.Classification, r.Reason)
	}
	for _, f := range t.Findings {
		on := ""
		if f.Via != "" {
			on = " on " + container(f.Via)
		}
		a.printf("finding %s (%s, %s) at %s%s%s\n", f.Code, f.Severity, f.State, f.Position, on, closedBy(&f))
		why.code(f.Code)
	}
	for _, g := range t.Gaps {
		a.printf("gap: %s\n", g)
	}
	if len(t.Steps) > 0 {
		a.printf("\n")
		a.showSteps(t.Steps)
		for i := range t.Steps {
			why.code(t.Steps[i].Code)
			for _, f := range t.Steps[i].Findings {
				why.code(f.Code)
			}
		}
	}
	a.showReasons(why)
	a.printf("\nRests on block %d of %s (%s old).\n", t.RestsOn.Height, t.RestsOn.Time.Format(time.RFC3339),
		time.Duration(t.RestsOn.AgeSeconds*float64(time.Second)).Round(time.Second))
}

// showInside says what speaks against a container and what is in it: its state says nothing of that.
func (a *app) showInside(c *tracing.Check) {
	if len(c.Reasons) == 0 {
		return
	}
	a.printf("\nWhat speaks against moving it:\n")
	for _, r := range c.Reasons {
		a.printf("%s\n", wrap(gs1.BracketKeys(r.Detail), 100))
	}
}

// closedBy says how a finding was closed.
func closedBy(f *tracing.FindingView) string {
	if f.State != "closed" || len(f.Changes) == 0 {
		return ""
	}
	c := f.Changes[len(f.Changes)-1]
	switch {
	case c.By == nil && c.Cause == nil:
		return ""
	case c.By == nil:
		return ", closed by the record at " + c.Cause.String()
	}
	s := ", closed by " + nonEmpty(c.By.Name, c.By.ID)[0] + " as " + string(c.Outcome)
	if c.ByAuthor {
		s += " (its author)"
	}
	if c.Note != "" {
		s += ": " + c.Note
	}
	return s
}

// showSteps writes a table that fits most terminals. Containers are named below it, by number: a case has a long name.
func (a *app) showSteps(steps []tracing.Step) {
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	row := func(cells ...string) { _, _ = io.WriteString(w, strings.Join(cells, "\t")+"\n") }
	row("TIME", "STEP", "BY", "WHERE", "SEEN", "BLOCK", "VERDICT")
	var carriers []string
	for i := range steps {
		s := &steps[i]
		seen := "observed"
		if !s.Observed && len(s.Via) > 0 {
			carrier := s.Via[len(s.Via)-1]
			n := slices.Index(carriers, carrier)
			if n < 0 {
				n = len(carriers)
				carriers = append(carriers, carrier)
			}
			seen = "in [" + strconv.Itoa(n+1) + "]"
		}
		row(when(s.EventTime, s.Offset), stepName(s), clip(who(s), 30), clip(where(s), 24), seen, s.Position.String(), verdictOf(s))
	}
	_ = w.Flush()
	for i, c := range carriers {
		a.printf("[%d] inside %s\n", i+1, container(c))
	}
}

// container names what carried a unit as it is printed on it.
func container(key string) string {
	k, err := gs1.ParseKey(key)
	if err != nil {
		return key
	}
	if s, ok := k.AsSSCC(); ok {
		return "SSCC " + s.String()
	}
	if g, ok := k.GTIN(); ok && k.IsUnit() {
		return "case GTIN " + g.String() + " serial " + k.Serial()
	}
	return key
}

// when shows an event's time by the clock of the place where it happened.
func when(eventTime, offset string) string {
	t, err := time.Parse(time.RFC3339Nano, eventTime)
	if err != nil {
		return eventTime
	}
	if zone, err := time.Parse("-07:00", offset); err == nil {
		t = t.In(zone.Location())
	}
	return t.Format("2006-01-02 15:04:05 -07:00")
}

func clip(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return s
}

func nonEmpty(s ...string) []string {
	out := s[:0]
	for _, v := range s {
		if v != "" {
			out = append(out, v)
		}
	}
	return out
}

// stepName names what a step did. An error declaration repeats the event that it is about.
func stepName(s *tracing.Step) string {
	name := s.Step
	if name == "" {
		name = s.Type
	}
	if s.Declaration {
		return name + " (error)"
	}
	return name
}

func who(s *tracing.Step) string {
	switch {
	case s.Source != nil && s.Destination != nil:
		return partyName(s.Source) + " → " + partyName(s.Destination)
	default:
		return partyName(&s.Publisher)
	}
}

func partyName(p *tracing.PartyRef) string {
	if p.Name != "" {
		return p.Name
	}
	return p.ID
}

func where(s *tracing.Step) string {
	for _, p := range []*tracing.PlaceRef{s.ReadPoint, s.BizLocation} {
		if p != nil {
			return nonEmpty(p.Name, p.GLN, p.Key)[0]
		}
	}
	return "-"
}

func verdictOf(s *tracing.Step) string {
	var v strings.Builder
	v.WriteString(s.Verdict)
	if s.Code != "" {
		v.WriteString(" " + s.Code)
	}
	for _, f := range s.Findings {
		v.WriteString(" " + f.Code)
	}
	if s.TakenBack != nil {
		v.WriteString(", taken back by " + s.TakenBack.String())
	}
	return v.String()
}
