package main

import (
	"context"
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"verilot.dev/epcis"
	epcisquery "verilot.dev/epcis/query"
)

// mostEvents is how many events one command answers with; whoever wants more narrows the query or takes it in slices of time.
const mostEvents = 10_000

// epcFormats are the words of --epc and what the header GS1-EPC-Format calls them.
var epcFormats = map[string]string{
	"captured": "Never_Translates", "digital-link": "Always_GS1_Digital_Link", "urn": "Always_EPC_URN",
}

func (a *app) queryCommand() *cobra.Command {
	var api, tokenFile, form string
	var limit int
	var list bool
	c := &cobra.Command{
		Use:   "query [PARAMETER=VALUE]...",
		Short: "Ask for EPCIS events by any parameter of the standard",
		Long: `Asks an api service, or the service of a partner for what that partner may see, for events (EPCIS 2.0 SimpleEventQuery).

Several parameters are joined by and; several values, with | between them or as the parameter repeated, by or.
--parameters lists all there are. --json prints the answer as an EPCISQueryDocument.
Exit code 1: no event was found, or the query was refused.`,
		Example: `  verilot query EQ_bizStep=shipping GE_eventTime=2026-11-01T00:00:00Z
  verilot query 'MATCH_anyEPC=urn:epc:id:sgtin:030001.0012345.11' --json
  verilot query 'EQ_bizStep=shipping|receiving' orderBy=eventTime --limit 10
  verilot query eventType=AggregationEvent --api http://localhost:8081`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if list {
				return a.queryParameters()
			}
			values, err := queryValues(args)
			if err != nil {
				return err
			}
			if limit < 1 || limit > mostEvents {
				return unusable("--limit %d: give 1 to %d", limit, mostEvents)
			}
			format, ok := epcFormats[form]
			if !ok {
				return unusable("--epc %s: give %s", form, strings.Join(slices.Sorted(maps.Keys(epcFormats)), ", "))
			}
			cl, err := newClient(api)
			if err != nil {
				return err
			}
			if cl.token, err = findToken(api, tokenFile); err != nil {
				return err
			}
			return a.query(cmd.Context(), cl, values, format, limit)
		},
	}
	apiFlag(c, &api)
	c.Flags().IntVar(&limit, "limit", 100, "show at most this many events")
	c.Flags().StringVar(&form, "epc", "captured", "how identifiers are written: captured, digital-link or urn")
	c.Flags().StringVar(&tokenFile, "token-file", "", "file with the sign-in token of the service (found by itself for a network on this machine)")
	c.Flags().BoolVar(&list, "parameters", false, "list every parameter with what it means, and ask nothing")
	return c
}

// queryValues reads the arguments, and says what is wrong with them before anything is asked.
func queryValues(args []string) (url.Values, error) {
	values := url.Values{}
	for _, arg := range args {
		name, value, ok := strings.Cut(arg, "=")
		if !ok || name == "" {
			return nil, unusable("%q is not PARAMETER=VALUE, for example EQ_bizStep=shipping", arg)
		}
		switch name {
		case "perPage", "nextPageToken":
			return nil, unusable("%s is for programs; here --limit says how many events to show", name)
		}
		values.Add(name, value)
	}
	return values, nil
}

func (a *app) queryParameters() error {
	if a.json {
		return a.printJSON(epcisquery.Parameters())
	}
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	for _, p := range epcisquery.Parameters() {
		_, _ = io.WriteString(w, p.Name+"\t"+string(p.Type)+"\t"+p.Doc+"\n")
	}
	return w.Flush()
}

// queryPage is as much of an EPCISQueryDocument as has to be understood to put pages together.
type queryPage struct {
	Body struct {
		Results struct {
			Results struct {
				Events []json.RawMessage `json:"eventList"`
			} `json:"resultsBody"`
		} `json:"queryResults"`
	} `json:"epcisBody"`
}

func (a *app) query(ctx context.Context, cl *client, values url.Values, format string, limit int) error {
	header := http.Header{"GS1-EPC-Format": {format}}
	if cl.token != "" {
		header.Set("Authorization", "Bearer "+cl.token)
	}
	var events []json.RawMessage
	var first []byte
	var more bool
	for token := ""; ; {
		page := maps.Clone(values)
		page.Set("perPage", strconv.Itoa(min(limit-len(events), 1000)))
		if token != "" {
			page.Set("nextPageToken", token)
		}
		raw, answer, err := cl.do(ctx, http.MethodGet, "/events?"+page.Encode(), header, nil)
		if err != nil {
			return a.refused(err)
		}
		if first == nil {
			first = raw
		}
		var p queryPage
		if err := decode(raw, &p); err != nil {
			return err
		}
		events = append(events, p.Body.Results.Results.Events...)
		token = nextPage(answer)
		if more = token != ""; !more || len(events) >= limit {
			break
		}
	}
	if err := a.showEvents(first, events); err != nil {
		return err
	}
	if more {
		a.note("There are more events; --limit shows up to %d of them.", mostEvents)
	}
	if len(events) == 0 {
		return &exit{code: 1, quiet: true}
	}
	return nil
}

// nextPage is the token in the link to the next page, "" on the last one (RFC 8288).
func nextPage(h http.Header) string {
	for _, link := range h.Values("Link") {
		target, rest, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(link), "<"), ">")
		if !ok || !strings.Contains(rest, `rel="next"`) {
			continue
		}
		if u, err := url.Parse(target); err == nil {
			return u.Query().Get("nextPageToken")
		}
	}
	return ""
}

func (a *app) showEvents(first []byte, events []json.RawMessage) error {
	if a.json {
		return a.showDocument(first, events)
	}
	if len(events) == 0 {
		a.printf("No event matches.\n")
		return nil
	}
	w := tabwriter.NewWriter(a.out, 0, 4, 2, ' ', 0)
	_, _ = io.WriteString(w, "TIME\tTYPE\tSTEP\tDISPOSITION\tWHERE\tWHAT\n")
	for _, raw := range events {
		var e shownEvent
		if err := decode(raw, &e); err != nil {
			return err
		}
		_, _ = io.WriteString(w, strings.Join([]string{
			when(e.EventTime, e.Offset), e.kind(), orDash(epcis.TermBizStep.Word(e.BizStep)), orDash(epcis.TermDisposition.Word(e.Disposition)), clip(e.where(), 40), e.what(),
		}, "\t")+"\n")
	}
	_ = w.Flush()
	a.printf("%d events\n", len(events))
	return nil
}

// showDocument writes the first page's document with the events of all pages.
func (a *app) showDocument(first []byte, events []json.RawMessage) error {
	type object = map[string]json.RawMessage
	var doc, body, results, list object
	inner := []*object{&doc, &body, &results, &list}
	names := []string{"epcisBody", "queryResults", "resultsBody"}
	raw := json.RawMessage(first)
	for i, o := range inner {
		if err := decode(raw, o); err != nil {
			return err
		}
		if i < len(names) {
			raw = (*o)[names[i]]
		}
	}
	if events == nil {
		events = []json.RawMessage{}
	}
	var err error
	if list["eventList"], err = json.Marshal(events); err != nil {
		return failed(err)
	}
	for i := range slices.Backward(names) {
		if (*inner[i])[names[i]], err = json.Marshal(*inner[i+1]); err != nil {
			return failed(err)
		}
	}
	return a.printJSON(doc)
}

// shownEvent is what a line of the table tells.
type shownEvent struct {
	Type        string            `json:"type"`
	EventTime   string            `json:"eventTime"`
	Offset      string            `json:"eventTimeZoneOffset"`
	Action      string            `json:"action"`
	BizStep     string            `json:"bizStep"`
	Disposition string            `json:"disposition"`
	ReadPoint   *idOnly           `json:"readPoint"`
	BizLocation *idOnly           `json:"bizLocation"`
	EPCList     []string          `json:"epcList"`
	ParentID    string            `json:"parentID"`
	ChildEPCs   []string          `json:"childEPCs"`
	Inputs      []string          `json:"inputEPCList"`
	Outputs     []string          `json:"outputEPCList"`
	Quantities  []json.RawMessage `json:"quantityList"`
	Error       json.RawMessage   `json:"errorDeclaration"`
}

type idOnly struct {
	ID string `json:"id"`
}

// kind is the type without what all have in common, with the action where it says something.
func (e *shownEvent) kind() string {
	k := strings.TrimSuffix(e.Type, "Event")
	if e.Action != "" {
		k += " " + e.Action
	}
	if len(e.Error) > 0 {
		k += " (withdrawn)"
	}
	return k
}

func (e *shownEvent) where() string {
	for _, p := range []*idOnly{e.ReadPoint, e.BizLocation} {
		if p != nil && p.ID != "" {
			return p.ID
		}
	}
	return "-"
}

// what names the first thing of an event, and how many more there are.
func (e *shownEvent) what() string {
	all := slices.Concat(e.EPCList, e.ChildEPCs, e.Inputs, e.Outputs)
	name, others := e.ParentID, len(all)
	if name == "" && len(all) > 0 {
		name, others = all[0], len(all)-1
	}
	switch {
	case name == "" && len(e.Quantities) > 0:
		return strconv.Itoa(len(e.Quantities)) + " by quantity"
	case name == "":
		return "-"
	case others > 0:
		return name + " +" + strconv.Itoa(others)
	}
	return name
}

func orDash(s string) string { return nonEmpty(s, "-")[0] }
