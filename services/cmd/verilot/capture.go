package main

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"verilot.dev/ledger/verdict"
	"verilot.dev/services/internal/partner/capture"
	"verilot.dev/services/internal/partner/journal"
	"verilot.dev/services/internal/partner/onboard"
)

type captureOptions struct {
	to, wait, onError, key string
	tokenFile              string
	timeout                time.Duration
	onboard                bool
	licences               string
}

func (a *app) captureCommand() *cobra.Command {
	var o captureOptions
	c := &cobra.Command{
		Use:   "capture FILE --to URL",
		Short: "Send an EPCIS document to a partner service and show what became of each event",
		Long: `Sends an EPCIS document (XML of any version, or JSON; "-" reads standard input) to a manufacturer, distributor or pharmacy service, waits for the
verdicts, and prints one line per event.

Exit code 0: everything was recorded. 1: something was refused or rejected. 3: the verdicts did not come in time; the document is safe
in the service's outbox, and its job can be asked again.

The service asks who sends: a token, from --token-file or the environment variable VERILOT_TOKEN. Of a network that "verilot up" runs on this machine it is
found without either.`,
		Example: `  verilot capture shipment.xml --to http://localhost:8081
  verilot capture shipment.xml --to http://localhost:8081 --onboard --licences licences.yaml --wait indexed
  verilot capture big.xml --to http://localhost:8082 --on-error proceed --json | jq '.verdicts[] | select(.verdict == "rejected")'`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return a.capture(cmd.Context(), args[0], &o) },
	}
	c.Flags().StringVar(&o.to, "to", "http://localhost:8081", "address of the partner service")
	c.Flags().StringVar(&o.wait, "wait", "certified", "wait until the job is captured, accepted, certified or indexed")
	c.Flags().DurationVar(&o.timeout, "timeout", 30*time.Second, "how long to wait")
	c.Flags().BoolVar(&o.onboard, "onboard", false, "first register the parties, places, prefixes, products and lots that the document names (development networks only)")
	c.Flags().StringVar(&o.licences, "licences", "", "with --onboard: file with the licences of parties, a YAML or JSON list of {party, number, kind, jurisdiction, validFrom, validTo}; party is an id or a GLN")
	c.Flags().StringVar(&o.onError, "on-error", "rollback", "rollback: one bad event refuses the document; proceed: the good events go through")
	c.Flags().StringVar(&o.key, "idempotency-key", "", "the same key and document again is the same job")
	c.Flags().StringVar(&o.tokenFile, "token-file", "", "file with the service's sign-in token (default: $VERILOT_TOKEN, else that of the network that verilot up runs on this machine)")
	return c
}

func (a *app) capture(ctx context.Context, file string, o *captureOptions) error {
	switch o.wait {
	case "captured", "accepted", "certified", "indexed":
	default:
		return unusable("--wait %q: wait for captured, accepted, certified or indexed", o.wait)
	}
	if o.onError != "rollback" && o.onError != "proceed" {
		return unusable("--on-error %q: choose rollback or proceed", o.onError)
	}
	var licences []onboard.LicenceEntry
	if o.licences != "" {
		if !o.onboard {
			return unusable("--licences goes with --onboard")
		}
		var err error
		if licences, err = readLicences(o.licences); err != nil {
			return err
		}
	}
	cl, err := newClient(o.to)
	if err != nil {
		return err
	}
	if cl.token, err = findToken(o.to, o.tokenFile); err != nil {
		return err
	}
	var doc []byte
	if file == "-" {
		doc, err = io.ReadAll(os.Stdin)
	} else {
		doc, err = os.ReadFile(file)
	}
	if err != nil {
		return unusable("%w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	header := http.Header{"Content-Type": {contentType(doc)}}
	if o.onboard {
		if err := a.onboard(ctx, cl, header, doc, licences); err != nil {
			return err
		}
	}
	header.Set("GS1-Capture-Error-Behaviour", o.onError)
	if o.key != "" {
		header.Set("Idempotency-Key", o.key)
	}
	raw, answer, err := cl.do(ctx, http.MethodPost, "/capture", header, bytes.NewReader(doc))
	if err != nil {
		return a.refused(err)
	}
	var job capture.Job
	if err := decode(raw, &job); err != nil {
		return err
	}
	return a.finish(ctx, cl, answer.Get("Location"), o.wait, o.to, o.timeout, raw, job, nil)
}

// finish waits for a job and prints what became of it. undone, if not nil, says of a job that was recorded that it changed nothing.
func (a *app) finish(ctx context.Context, cl *client, location, wait, to string, timeout time.Duration, raw []byte, job capture.Job, undone func(*capture.Job) bool) error {
	raw, job, err := a.await(ctx, cl, location, wait, raw, job)
	if err != nil {
		return a.refused(err)
	}
	if a.json {
		a.printf("%s\n", strings.TrimSpace(string(raw)))
	} else {
		a.showJob(&job)
	}
	switch {
	case rank(job.State) < rank(journal.State(wait)):
		return noAnswer("job %s is %s after %s, not yet %s; ask again at %s%s", job.CaptureID, job.State, timeout, wait, to, location)
	case !job.Success, undone != nil && undone(&job):
		return &exit{code: 1, quiet: true}
	}
	return nil
}

func contentType(doc []byte) string {
	if b := bytes.TrimLeft(doc, " \t\r\n\ufeff"); len(b) > 0 && b[0] == '{' {
		return "application/ld+json"
	}
	return "application/xml"
}

func rank(s journal.State) int {
	for i, x := range []journal.State{journal.Captured, journal.Accepted, journal.Certified, journal.Indexed} {
		if s == x {
			return i
		}
	}
	return -1
}

// await polls the job with the service's own long poll until it is as far as wanted or the time is up.
func (a *app) await(ctx context.Context, cl *client, location, want string, raw []byte, job capture.Job) ([]byte, capture.Job, error) {
	progress := terminal(a.err) && !a.json
	for rank(job.State) < rank(journal.State(want)) && ctx.Err() == nil {
		left := 30 * time.Second
		if d, ok := ctx.Deadline(); ok {
			left = min(left, time.Until(d))
		}
		// Ask for a little less than is left, so that the answer arrives and says how far the job is.
		left = max(left-200*time.Millisecond, 50*time.Millisecond)
		q := url.Values{"wait": {want}, "timeout": {strconv.FormatInt(left.Milliseconds(), 10) + "ms"}}
		b, err := cl.get(ctx, location+"?"+q.Encode(), &job)
		if err != nil {
			if ctx.Err() == nil {
				return nil, job, err
			}
			break // out of time: what is known is the answer
		}
		raw = b
		if progress {
			a.note("job %s: %s", job.CaptureID, job.State)
		}
	}
	return raw, job, nil
}

func (a *app) showJob(j *capture.Job) {
	a.printf("job %s: %s, %d events\n", j.CaptureID, j.State, j.Events)
	var why reasons
	if len(j.Verdicts) > 0 {
		w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
		_, _ = io.WriteString(w, "EVENT\tWHAT\tVERDICT\tWHY\tPOSITION\n")
		for _, v := range j.Verdicts {
			index, pos := "-", "-"
			if v.Index != nil {
				index = strconv.Itoa(*v.Index)
			}
			if v.Position != nil {
				pos = v.Position.String()
			}
			_, _ = io.WriteString(w, strings.Join([]string{index, strings.Join(nonEmpty(v.Kind, v.BizStep, v.Subject), " "), v.Verdict, why.of(&v, index), pos}, "\t")+"\n")
		}
		_ = w.Flush()
	}
	a.showReasons(why)
	if len(why) > 0 {
		a.printf("\n")
	}
	for _, n := range j.Notes {
		a.printf("note: %s\n", n)
	}
	for _, x := range j.Warnings {
		a.printf("warning: line %d: %s\n", x.Line, x.Message)
	}
}

// reasons are the codes of a table, each with what it means: below the table, once, not in every line.
type reasons []reason

type reason struct{ title, detail string }

// of is the cell of the table: each code once, a finding's with its severity and how many things it is about.
func (r *reasons) of(v *capture.Verdict, index string) string {
	var cell []string
	if v.Code != "" && !slices.ContainsFunc(v.Findings, func(f journal.Finding) bool { return f.Code == v.Code }) {
		cell = append(cell, v.Code)
	}
	title := v.Code
	if v.Verdict == "refused" { // by the service: what it says is about this event alone
		title += ", event " + index
	}
	r.note(title, v.Detail)
	for _, f := range v.Findings {
		cell = append(cell, f.Code+" ("+f.Severity+", "+strconv.FormatUint(uint64(f.Count), 10)+")")
		r.note(f.Code, f.Detail)
	}
	return strings.Join(cell, ", ")
}

func (r *reasons) note(title, detail string) {
	if x := (reason{title, detail}); detail != "" && !slices.Contains(*r, x) {
		*r = append(*r, x)
	}
}

// code notes a code of the ledger by itself; one that this version does not know stays unexplained.
func (r *reasons) code(code string) {
	if e, ok := verdict.Explain(verdict.Code(code)); ok {
		r.note(code, e.Meaning+" "+e.Todo)
	}
}

func (a *app) showReasons(why reasons) {
	for _, r := range why {
		a.printf("\n%s\n%s\n", r.title, wrap(r.detail, 100))
	}
}

// wrap breaks text into indented lines of at most width characters; longer words stay whole.
func wrap(text string, width int) string {
	const indent = "  "
	var out, line strings.Builder
	for word := range strings.FieldsSeq(text) {
		if line.Len() > 0 && len(indent)+line.Len()+1+len(word) > width {
			out.WriteString(indent + line.String() + "\n")
			line.Reset()
		}
		if line.Len() > 0 {
			line.WriteByte(' ')
		}
		line.WriteString(word)
	}
	out.WriteString(indent + line.String())
	return out.String()
}
