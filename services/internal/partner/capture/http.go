package capture

import (
	"cmp"
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/danielgtaylor/huma/v2/negotiation"
	"github.com/gin-gonic/gin"
	"github.com/google/uuid"

	"verilot.dev/epcis"
	"verilot.dev/ledger/submission"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/partner/draft"
	"verilot.dev/services/internal/partner/journal"
	"verilot.dev/services/internal/partner/outbox"
)

// The EPCIS operations: documents, single events, and discovery (EPCIS 2.0 section 12.6).

// Versions of EPCIS and CBV: what is spoken, and what is read.
const (
	versionMin = "1.0.0"
	versionMax = "2.0.0"
)

var versionHeaders = map[string]string{
	"GS1-EPCIS-Version": versionMax, "GS1-EPCIS-Min": versionMin, "GS1-EPCIS-Max": versionMax,
	"GS1-CBV-Version": versionMax, "GS1-CBV-Min": versionMin, "GS1-CBV-Max": versionMax,
	"GS1-Extensions": httpapi.EPCISExtensions,
}

var limitHeaders = map[string]string{
	"GS1-EPCIS-Capture-Limit": strconv.Itoa(MaxEvents), "GS1-EPCIS-Capture-File-Size-Limit": strconv.Itoa(MaxDocument),
}

// versioned holds requests against the versions that are spoken here, and says which one the answer has.
var versioned = huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
	for _, standard := range []string{"EPCIS", "CBV"} {
		if p := checkVersions(standard, ctx.Header); p != nil {
			p.EPCIS()
			httpapi.Write(humagin.Unwrap(ctx), p)
			return
		}
	}
	ctx.SetHeader("GS1-EPCIS-Version", versionMax)
	ctx.SetHeader("GS1-CBV-Version", versionMax)
	ctx.SetHeader("GS1-Extensions", httpapi.EPCISExtensions)
	next(ctx)
}}

// checkVersions compares the headers of one standard with what is spoken.
func checkVersions(standard string, header func(string) string) *httpapi.Problem {
	least, most := readVersion(versionMin), readVersion(versionMax)
	for _, h := range []struct {
		name string
		bad  func(v []int) bool
	}{
		{"GS1-" + standard + "-Version", func(v []int) bool { return slices.Compare(v, least) < 0 || slices.Compare(v, most) > 0 }},
		{"GS1-" + standard + "-Min", func(v []int) bool { return slices.Compare(v, most) > 0 }},
		{"GS1-" + standard + "-Max", func(v []int) bool { return slices.Compare(v, least) < 0 }},
	} {
		text := strings.TrimSpace(header(h.name))
		if text == "" {
			continue
		}
		v := readVersion(text)
		if v == nil {
			return httpapi.NewProblem(httpapi.InvalidParameter, "%s is %q, which is no version; write it like 2.0.0", h.name, httpapi.Printable(text))
		}
		if h.bad(v) {
			return httpapi.NewProblem(httpapi.NotAcceptable, "%s is %s, and this service speaks %s %s to %s; ask for one of those versions", h.name, text, standard, versionMin, versionMax)
		}
	}
	return nil
}

// readVersion reads the first two numbers: later ones do not change what is spoken. nil: it is no version.
func readVersion(text string) []int {
	v := make([]int, 0, 2)
	for part := range strings.SplitSeq(text, ".") {
		n, err := strconv.ParseUint(part, 10, 16)
		if err != nil {
			return nil
		}
		if len(v) < 2 {
			v = append(v, int(n))
		}
	}
	if len(v) == 1 {
		v = append(v, 0)
	}
	return v
}

func headerParam(name, doc string, schema *huma.Schema) *huma.Param {
	return &huma.Param{Name: name, In: "header", Description: doc, Schema: schema}
}

var versionSchema = &huma.Schema{Type: huma.TypeString, Examples: []any{versionMax}}

// rangeHeaders describes the versions that a caller accepts.
func rangeHeaders() []*huma.Param {
	return []*huma.Param{
		headerParam("GS1-EPCIS-Min", "Lowest version of EPCIS that the caller takes", versionSchema),
		headerParam("GS1-EPCIS-Max", "Highest version of EPCIS that the caller takes", versionSchema),
	}
}

// contentHeaders describes the versions that the body is of.
func contentHeaders() []*huma.Param {
	return append(rangeHeaders(),
		headerParam("GS1-EPCIS-Version", "Version of EPCIS that the document is of; the document says it too", versionSchema),
		headerParam("GS1-CBV-Version", "Version of the CBV that it uses", versionSchema),
	)
}

// incoming is what of a request huma does not bind.
type incoming struct{ ctx huma.Context }

// Resolve implements huma.Resolver.
func (r *incoming) Resolve(ctx huma.Context) []error { r.ctx = ctx; return nil }

// Upload is a request with a document as its body. It is exported because huma does not look into what is not.
type Upload struct {
	incoming
	IdempotencyKey  string `header:"Idempotency-Key" maxLength:"255" doc:"A repeated request with the same key and document gets the job of the first. Without a key a document captured again is a new job, whose events the ledger recognises (DUP_EVENT)"`
	ErrorBehaviour  string `header:"GS1-Capture-Error-Behaviour" doc:"rollback (default): one bad event refuses the document; proceed: the good ones are recorded"`
	ErrorBehaviour2 string `header:"GS1-EPCIS-Capture-Error-Behaviour" doc:"The same header as some texts spell it"`
}

// Times that a body may take: between two pieces of it, and all of it.
const (
	pieceTimeout = time.Minute
	bodyTimeout  = 15 * time.Minute
)

// deadlineReader extends the read deadline of a request while its body arrives: pieceTimeout per
// piece, bodyTimeout in total.
type deadlineReader struct {
	ctx   huma.Context
	until time.Time
	set   time.Time
}

func (s *deadlineReader) Read(b []byte) (int, error) {
	if now := time.Now(); now.Sub(s.set) > pieceTimeout/10 {
		s.set = now
		end := now.Add(pieceTimeout)
		if end.After(s.until) {
			end = s.until
		}
		_ = s.ctx.SetReadDeadline(end) // the recorder of a test has none
	}
	return s.ctx.BodyReader().Read(b)
}

// receive reads the body of a request.
func (u *Upload) receive(ctx context.Context, s *Service) (*body, error) {
	if err := readable(u.ctx.Header("Content-Type"), u.ctx.Header("Content-Encoding")); err != nil {
		return nil, err
	}
	c := humagin.Unwrap(u.ctx)
	b, err := s.takeIn(ctx, &deadlineReader{ctx: u.ctx, until: time.Now().Add(bodyTimeout)}, c.Request.ContentLength)
	if err != nil {
		return nil, err
	}
	_ = u.ctx.SetReadDeadline(time.Time{}) // one that passes while the document is checked would cancel the request
	if err := b.sameKind(u.ctx.Header("Content-Type")); err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

// takes describes the body of the POST operation at a path, which reads it piece by piece. huma
// reads whole what it knows before.
func takes(h huma.API, path, doc string) {
	b := &huma.RequestBody{Required: true, Description: doc, Content: map[string]*huma.MediaType{}}
	for _, t := range []string{"application/xml", "text/xml"} {
		b.Content[t] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	for _, t := range []string{"application/json", "application/ld+json"} {
		b.Content[t] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeObject}}
	}
	h.OpenAPI().Paths[path].Post.RequestBody = b
}

// Mount adds capturing documents and single events, and what is offered at the EPCIS addresses of a
// service that captures.
func Mount(api *httpapi.API, s *Service) {
	mountCapture(api.Huma, s)
	mountEvents(api.Huma, s)
	writable := maps.Clone(versionHeaders)
	writable["GS1-EPC-Format"], writable["GS1-CBV-XML-Format"] = "No_Preference", "No_Preference"
	offer(api, "/capture", "OPTIONS, GET, POST", writable, limitHeaders, map[string]string{"GS1-Capture-Error-Behaviour": "all"})
	offer(api, "/events", "OPTIONS, GET, POST", writable, limitHeaders)
	offer(api, "/capture/{id}", "OPTIONS, GET", versionHeaders)
}

func mountCapture(h huma.API, s *Service) {
	huma.Register(h, huma.Operation{
		OperationID: "capture", Method: http.MethodPost, Path: "/capture", Summary: "Capture an EPCIS document", Tags: []string{"EPCIS"},
		Description:   "Checks the whole document, then answers with a job. A document that needs several submissions is divided behind the answer, under proceed.",
		DefaultStatus: http.StatusAccepted,
		Errors:        []int{400, 403, 406, 408, 409, 413, 415, 503, 507}, Metadata: documentFormats, Middlewares: versioned, Parameters: contentHeaders(),
		Responses: jobResponse(h, http.StatusAccepted, "The job that the document became"),
	}, func(ctx context.Context, in *Upload) (*writtenJob, error) {
		onError, err := onErrorOf(in.ErrorBehaviour, in.ErrorBehaviour2)
		if err != nil {
			return nil, err
		}
		id, err := s.upload(ctx, in, "capture "+behaviour(onError), func(ctx context.Context, b *body) (*draft.Draft, error) {
			return s.document(ctx, b, onError)
		})
		if err != nil {
			return nil, announced(err)
		}
		j, err := s.cfg.Jobs.Job(id)
		if err != nil {
			return nil, err
		}
		return in.write(http.StatusAccepted, j)
	})
	takes(h, "/capture", "An EPCISDocument or EPCISQueryDocument: EPCIS 1.0 to 2.0 as XML, also in a SOAP envelope, or EPCIS 2.0 as JSON")
}

// MountDocument adds an operation whose body is an EPCIS document, which is received as one that is
// captured.
func MountDocument[O any](api *httpapi.API, s *Service, op huma.Operation, doc string, fn func(context.Context, io.Reader) (*O, error)) {
	op.Metadata = map[string]any{httpapi.ChecksContentType: true}
	huma.Register(api.Huma, op, func(ctx context.Context, in *Upload) (*struct{ Body *O }, error) {
		b, err := in.receive(ctx, s)
		if err != nil {
			return nil, announced(err)
		}
		defer b.close()
		r, err := b.open()
		if err != nil {
			return nil, err
		}
		defer r.Close()
		out, err := fn(ctx, r)
		if err != nil {
			if _, ok := errors.AsType[*epcis.ParseError](err); ok {
				err = unreadable(err)
			}
			return nil, err
		}
		return &struct{ Body *O }{out}, nil
	})
	takes(api.Huma, op.Path, doc)
}

// offer answers what can be done at an address.
func offer(api *httpapi.API, path, allow string, headers ...map[string]string) {
	ginPath := strings.NewReplacer("{", ":", "}", "").Replace(path)
	op := &huma.Operation{
		OperationID: "options" + strings.NewReplacer("/", "-", "{", "", "}", "").Replace(path), Method: http.MethodOptions, Path: path, Tags: []string{"EPCIS"},
		Summary: "Versions and formats that are offered here", Responses: map[string]*huma.Response{"204": {Description: "Done"}},
	}
	if strings.Contains(path, "{id}") {
		op.Parameters = []*huma.Param{{Name: "id", In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}}
	}
	api.Describe(op)
	api.Engine.OPTIONS(ginPath, func(c *gin.Context) {
		for _, standard := range []string{"EPCIS", "CBV"} {
			if p := checkVersions(standard, c.GetHeader); p != nil {
				p.EPCIS()
				httpapi.Write(c, p)
				return
			}
		}
		c.Header("Allow", allow)
		for _, list := range headers {
			for k, v := range list {
				c.Header(k, v)
			}
		}
		c.Status(http.StatusNoContent)
	})
}

// upload captures the body of a request.
func (s *Service) upload(ctx context.Context, in *Upload, what string, build func(context.Context, *body) (*draft.Draft, error)) (uuid.UUID, error) {
	b, err := in.receive(ctx, s)
	if err != nil {
		return uuid.Nil, err
	}
	defer b.close()
	var divided bool
	id, err := s.cfg.Jobs.Submit(ctx, outbox.NewRequest(in.IdempotencyKey, what, b.sum), func(ctx context.Context) (*draft.Draft, error) {
		d, err := build(ctx, b)
		if err != nil {
			return nil, err
		}
		if divided = d.Plan != nil; divided {
			return d, nil // asked about before it was spooled
		}
		return d, s.cfg.Rules.Check(ctx, d)
	})
	if err == nil && divided {
		s.divideLater(id)
	}
	return id, err
}

// announced adds the headers that belong to a refusal.
func announced(err error) error {
	p, ok := errors.AsType[*httpapi.Problem](err)
	if !ok {
		return err
	}
	h := http.Header{}
	switch {
	case p.Status == http.StatusRequestEntityTooLarge:
		for k, v := range limitHeaders {
			h.Set(k, v)
		}
	case p.Code == httpapi.CaptureBusy:
		h.Set("Retry-After", "10")
	default:
		return err
	}
	return huma.ErrorWithHeaders(p, h)
}

// mountEvents offers capturing a single event, which waits for its verdict.
func mountEvents(h huma.API, s *Service) {
	type input struct {
		Upload
		Timeout string `query:"timeout" doc:"How long to wait for the verdict, like 5s or 500ms; at most 60s, 10s if left out"`
	}
	type output struct {
		Status   int
		Location string `header:"Location"`
		Link     string `header:"Link"`
		Type     string `header:"Content-Type"`
		Body     any
	}
	responses := map[string]*huma.Response{
		"201": {Description: "The event is recorded; Location is its address", Headers: map[string]*huma.Param{"Location": {Schema: &huma.Schema{Type: huma.TypeString}}}},
		"202": {Description: "The event is captured, and its verdict did not come in time; Location is its job", Content: jobContent(h)},
	}
	huma.Register(h, huma.Operation{
		OperationID: "capture-event", Method: http.MethodPost, Path: "/events", Summary: "Capture one event and wait for its verdict", Tags: []string{"EPCIS"},
		Description:   "201 means that the network has recorded the event. An event that it rejects is answered with 400 and the ledger's code, one that is recorded already with 409.",
		DefaultStatus: http.StatusCreated,
		Errors:        []int{400, 403, 406, 408, 409, 413, 415, 503, 507}, Metadata: documentFormats, Middlewares: versioned, Parameters: contentHeaders(), Responses: responses,
	}, func(ctx context.Context, in *input) (*output, error) {
		timeout, err := waitOf(journal.Certified, in.Timeout)
		if err != nil {
			return nil, err
		}
		id, err := s.upload(ctx, &in.Upload, "event", s.oneEvent)
		if err != nil {
			return nil, announced(err)
		}
		j, err := s.cfg.Jobs.awaited(ctx, id, journal.Certified, timeout)
		if err != nil {
			return nil, err
		}
		if j.Running {
			w, err := in.write(http.StatusAccepted, j)
			if err != nil {
				return nil, err
			}
			return &output{Status: w.Status, Location: w.Location, Type: w.ContentType, Body: w.Body}, nil
		}
		v, err := recorded(j)
		if err != nil {
			return nil, err
		}
		return &output{Status: http.StatusCreated, Location: "/events/" + url.PathEscape(cmp.Or(v.LedgerID, v.EventID)), Link: "<" + jobPath(id) + `>; rel="describedby"`, Body: []byte{}}, nil
	})
	takes(h, "/events", "One event: JSON with its own @context, or the XML element of an event")
}

// oneEvent checks a request's single event.
func (s *Service) oneEvent(ctx context.Context, b *body) (*draft.Draft, error) {
	n, err := s.check(ctx, b, submission.Rollback)
	if err != nil {
		return nil, err
	}
	if !n.bare() {
		return nil, httpapi.NewProblem(httpapi.MalformedDocument, "the body is an %s, and /events takes one event by itself; send the event, or the document to /capture", n.sum.Root)
	}
	n.d.Kind = kindEvent
	return n.draft(b)
}

// recorded is the verdict on a job's only event, if it is recorded.
func recorded(j *Job) (*Verdict, error) {
	i := slices.IndexFunc(j.Verdicts, func(v Verdict) bool { return v.Kind == "event" })
	if i < 0 {
		return nil, fmt.Errorf("job %s has no verdict on its event", j.CaptureID)
	}
	v := &j.Verdicts[i]
	faults := []httpapi.Fault{{Event: v.Index, Code: v.Code, Message: v.Detail}}
	for _, f := range v.Findings {
		if f.Code != v.Code {
			faults = append(faults, httpapi.Fault{Event: v.Index, Code: f.Code, Message: f.Detail})
		}
	}
	switch v.Verdict {
	case "rejected":
		return nil, httpapi.NewProblem(httpapi.EventRejected, "the network rejected the event at position %s with %s. %s (job /capture/%s)", v.Position, v.Code, v.Detail, j.CaptureID).With(faults...)
	case "duplicate":
		return nil, httpapi.NewProblem(httpapi.EventExists, "the event is recorded already, so it was not recorded again (%s at position %s). %s (job /capture/%s)", v.Code, v.Position, v.Detail, j.CaptureID).With(faults...)
	}
	return v, nil
}

// The formats that answers are written in, for httpapi.
var (
	jobFormats      = map[string]any{"epcis": true, httpapi.Produces: []string{"application/xml", "text/xml"}}
	documentFormats = map[string]any{"epcis": true, httpapi.Produces: []string{"application/xml", "text/xml"}, httpapi.ChecksContentType: true}
	lineFormats     = map[string]any{"epcis": true, httpapi.Produces: []string{"application/x-ndjson"}}
)

// writtenJob is a job in the format that was asked for.
type writtenJob struct {
	Status      int
	Location    string `header:"Location"`
	ContentType string `header:"Content-Type"`
	Body        any
}

func jobContent(h huma.API) map[string]*huma.MediaType {
	schema := huma.SchemaFromType(h.OpenAPI().Components.Schemas, reflect.TypeFor[*Job]())
	inXML := &huma.Schema{Type: huma.TypeString, Description: "epcis:EPCISCaptureJob"}
	return map[string]*huma.MediaType{"application/json": {Schema: schema}, "application/xml": {Schema: inXML}, "text/xml": {Schema: inXML}}
}

func jobResponse(h huma.API, status int, doc string) map[string]*huma.Response {
	return map[string]*huma.Response{strconv.Itoa(status): {Description: doc, Content: jobContent(h)}}
}

// write writes a job as Accept asks.
func (r *incoming) write(status int, j *Job) (*writtenJob, error) {
	out := &writtenJob{Status: status, Body: j}
	if status == http.StatusAccepted {
		out.Location = "/capture/" + j.CaptureID
	}
	out.ContentType = negotiation.SelectQValueFast(r.ctx.Header("Accept"), []string{"application/json", "application/xml", "text/xml"})
	if !strings.HasSuffix(out.ContentType, "/xml") {
		out.ContentType = ""
		return out, nil
	}
	b, err := j.xml()
	out.Body = b
	return out, err
}

// xmlJob is a job as the schema of EPCIS 2.0 has it; what is ours comes behind, in a namespace of its own.
type xmlJob struct {
	XMLName    xml.Name      `xml:"epcis:EPCISCaptureJob"`
	EPCIS      string        `xml:"xmlns:epcis,attr"`
	Verilot    string        `xml:"xmlns:verilot,attr"`
	Running    bool          `xml:"running,attr"`
	Success    bool          `xml:"success,attr"`
	CaptureID  string        `xml:"captureID,attr"`
	Behaviour  string        `xml:"captureErrorBehaviour"`
	CreatedAt  time.Time     `xml:"createdAt"`
	FinishedAt *time.Time    `xml:"finishedAt"`
	Errors     *[]xmlError   `xml:"errors>error"`
	ErrorFile  string        `xml:"errorFile,omitempty"`
	State      journal.State `xml:"verilot:state"`
	Events     int           `xml:"verilot:events"`
	Submitted  int           `xml:"verilot:submitted"`
	Judged     int           `xml:"verilot:judged"`
}

type xmlError struct {
	Type   string `xml:"type"`
	Title  string `xml:"title"`
	Status int    `xml:"status"`
	Detail string `xml:"detail"`
	Code   string `xml:"verilot:code"`
}

func (j *Job) xml() ([]byte, error) {
	x := xmlJob{
		EPCIS: "urn:epcglobal:epcis:xsd:2", Verilot: "urn:verilot:capture", Running: j.Running, Success: j.Success, CaptureID: j.CaptureID,
		Behaviour: j.CaptureErrorBehaviour, CreatedAt: j.CreatedAt, FinishedAt: j.FinishedAt, ErrorFile: j.ErrorFile, State: j.State,
		Events: j.Events, Submitted: j.Submitted, Judged: j.Judged,
	}
	if len(j.Errors) > 0 && j.ErrorFile == "" { // the schema has one or the other
		list := make([]xmlError, len(j.Errors))
		for i, e := range j.Errors {
			list[i] = xmlError{Type: e.Type, Title: e.Title, Status: e.Status, Detail: e.Detail, Code: e.Code}
		}
		x.Errors = &list
	}
	b, err := xml.Marshal(&x)
	if err != nil {
		return nil, fmt.Errorf("write job as XML: %w", err)
	}
	return append([]byte(xml.Header), b...), nil
}

// mountOutcomes offers everything that became of a job's events, line by line: a job of many thousand events lists only some.
func mountOutcomes(h huma.API, s *Jobs) {
	list := func(name, summary string, line func(v *Verdict, f *JobError) any) {
		huma.Register(h, huma.Operation{
			OperationID: "capture-job-" + name, Method: http.MethodGet, Path: "/capture/{id}/" + name, Summary: summary, Tags: []string{"EPCIS"},
			Errors: []int{400, 404, 406}, Metadata: lineFormats, Middlewares: versioned,
			Responses: map[string]*huma.Response{"200": {Description: "One JSON object a line", Content: map[string]*huma.MediaType{"application/x-ndjson": {Schema: &huma.Schema{Type: huma.TypeString}}}}},
		}, func(_ context.Context, in *struct {
			ID string `path:"id"`
		},
		) (*huma.StreamResponse, error) {
			id, err := jobID(in.ID)
			if err != nil {
				return nil, err
			}
			rec, err := s.record(id)
			if err != nil {
				return nil, err
			}
			parts, _, err := s.journal.Parts(id, rec)
			if err != nil {
				return nil, err
			}
			return &huma.StreamResponse{Body: func(ctx huma.Context) {
				ctx.SetHeader("Content-Type", "application/x-ndjson")
				to := json.NewEncoder(ctx.BodyWriter())
				err := s.outcomes(id, rec, parts, name == "errors", func(v *Verdict, f *JobError) error {
					if l := line(v, f); l != nil {
						return to.Encode(l)
					}
					return nil
				})
				if err != nil { // half an answer must not look whole
					s.log.Warn("a listing of a job ended early", "job", id, "err", err)
					panic(http.ErrAbortHandler)
				}
			}}, nil
		})
	}
	list("errors", "Every error of a capture job, one a line", func(_ *Verdict, f *JobError) any {
		if f == nil {
			return nil
		}
		return f
	})
	list("verdicts", "What became of each event of a capture job, one a line", func(v *Verdict, _ *JobError) any {
		if v == nil {
			return nil
		}
		return v
	})
}
