package tracing

import (
	"bufio"
	"context"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/custody"
	"verilot.dev/services/internal/edge/httpapi"
)

const (
	ndjson  = "application/x-ndjson"
	textCSV = "text/csv"
)

// unitFilter is what a list of units is asked for.
type unitFilter struct {
	holder, state string
	loose         bool
	limit         int
	csv           bool
}

// unitStates are the states that custody.StateName knows. Another word would find no unit, and look like an answer.
var unitStates = []string{"on_hand", "in_transit", "unaccounted", "dispensed", "destroyed", "decommissioned", "lost", "stolen", "unknown"}

// unitQueries are the parameters of every list of units.
func unitQueries() []*huma.Param {
	text := func(name, doc string) *huma.Param {
		return &huma.Param{Name: name, In: "query", Description: doc, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	state := text("state", "Only units in this state, as the totals name it")
	for _, s := range unitStates {
		state.Schema.Enum = append(state.Schema.Enum, s)
	}
	format := text("format", "ndjson, if left out")
	format.Schema.Enum = []any{"ndjson", "csv"}
	return []*huma.Param{
		text("holder", "Only what this party holds"), state,
		{Name: "loose", In: "query", Description: "Only units that are in no container", Schema: &huma.Schema{Type: huma.TypeBoolean}},
		{Name: "limit", In: "query", Description: "At most so many; all, if left out", Schema: &huma.Schema{Type: huma.TypeInteger}},
		format,
	}
}

func readUnitFilter(c *gin.Context) (f unitFilter, err error) {
	q := c.Request.URL.Query()
	f.holder, f.state = q.Get("holder"), q.Get("state")
	bad := func(name, want string) error {
		return httpapi.NewProblem(httpapi.InvalidParameter, "%s %q: send %s, or leave it out", name, clip(q.Get(name)), want).With(httpapi.Fault{Pointer: "query." + name})
	}
	if f.state != "" && !slices.Contains(unitStates, f.state) {
		return f, bad("state", "one of "+strings.Join(unitStates, ", "))
	}
	switch q.Get("loose") {
	case "", "false":
	case "true":
		f.loose = true
	default:
		return f, bad("loose", "true or false")
	}
	if text := q.Get("limit"); text != "" {
		if f.limit, err = strconv.Atoi(text); err != nil || f.limit < 1 {
			return f, bad("limit", "a number from 1")
		}
	}
	switch q.Get("format") {
	case "", "ndjson":
		f.csv = !strings.Contains(c.GetHeader("Accept"), ndjson) && strings.Contains(c.GetHeader("Accept"), textCSV)
	case "csv":
		f.csv = true
	default:
		return f, bad("format", "ndjson or csv")
	}
	return f, nil
}

func (f *unitFilter) wants(u *custody.Unit, state string) bool {
	return (f.holder == "" || u.Holder == f.holder) && (f.state == "" || state == f.state) && (!f.loose || u.Parent.IsZero())
}

// unitWriter writes units of any number in constant memory.
type unitWriter struct {
	c    *gin.Context
	f    *unitFilter
	name string // of the file
	buf  *bufio.Writer
	json *json.Encoder
	csv  *csv.Writer
	n    int
}

func newUnitWriter(c *gin.Context, f *unitFilter, name string) *unitWriter {
	return &unitWriter{c: c, f: f, name: name}
}

var unitColumns = []string{"gtin", "serial", "lot", "expiry", "state", "holder", "owner", "to", "place", "parent", "marks", "digital_link"}

func (w *unitWriter) begin() {
	w.buf = bufio.NewWriterSize(w.c.Writer, 64<<10)
	if w.f.csv {
		w.c.Header("Content-Type", textCSV+"; charset=utf-8; header=present")
		w.c.Header("Content-Disposition", `attachment; filename="`+fileName(w.name)+`.csv"`)
		w.csv = csv.NewWriter(w.buf)
		_ = w.csv.Write(unitColumns) // an error stays until Flush
	} else {
		w.c.Header("Content-Type", ndjson)
		w.json = json.NewEncoder(w.buf)
		w.json.SetEscapeHTML(false)
	}
	w.c.Status(http.StatusOK)
}

// fileName keeps what every file system and header takes.
func fileName(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 128 && (r >= '0' && r <= '9' || r|0x20 >= 'a' && r|0x20 <= 'z' || r == '-' || r == '.') {
			return r
		}
		return '_'
	}, s)
}

// cell keeps a spreadsheet from taking a text for a formula (OWASP, CSV injection).
func cell(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}

// write reports whether to go on.
func (w *unitWriter) write(u *custody.Unit, state string) bool {
	if !w.f.wants(u, state) {
		return w.c.Request.Context().Err() == nil
	}
	if w.n == 0 {
		w.begin()
	}
	w.n++
	parent := ""
	if !u.Parent.IsZero() {
		parent = u.Parent.String()
	}
	var err error
	if w.csv != nil {
		g, _ := u.Key.GTIN()
		row := []string{
			g.String(), u.Key.Serial(), u.Lot, u.Expiry, state, u.Holder, u.Owner, u.To, u.Place, parent, strings.Join(u.Overlays, " "), u.Key.DigitalLink(),
		}
		for i := range row {
			row[i] = cell(row[i])
		}
		err = w.csv.Write(row)
	} else {
		err = w.json.Encode(LotUnit{
			Serial: u.Key.Serial(), DigitalLink: u.Key.DigitalLink(), State: state, Holder: u.Holder, Owner: u.Owner, To: u.To,
			Place: u.Place, Parent: parent, Overlays: u.Overlays, Provisional: u.Provisional,
		})
	}
	return err == nil && w.c.Request.Context().Err() == nil && (w.f.limit == 0 || w.n < w.f.limit)
}

func (w *unitWriter) end() error {
	if w.n == 0 {
		w.begin() // an empty list is an answer
	}
	if w.csv != nil {
		w.csv.Flush()
	}
	return w.buf.Flush()
}

func (s *Service) lotUnits(c *gin.Context) error {
	in := LotInput{GTIN: c.Param("gtin"), Lot: c.Param("lot")}
	g, err := in.parse()
	if err != nil {
		return err
	}
	f, err := readUnitFilter(c)
	if err != nil {
		return err
	}
	return s.read(func(r *Reader) error {
		w := newUnitWriter(c, &f, "lot-"+g.String()+"-"+in.Lot)
		some := false
		custody.LotUnits(r.View, g, in.Lot, func(u custody.Unit, state string) bool {
			some = true
			return w.write(&u, state)
		})
		if _, announced := r.Registry().Lot(g, in.Lot); !some && !announced {
			return unknownLot(r, g, in.Lot)
		}
		return w.end()
	})
}

// LotContainer is an outermost container that holds units of a lot.
type LotContainer struct {
	ID
	State    string    `json:"state" doc:"As the totals name it"`
	Holder   *PartyRef `json:"holder,omitempty"`
	To       *PartyRef `json:"to,omitempty"`
	Units    int       `json:"units" doc:"Units of the lot inside, at any depth"`
	Contents int       `json:"contents" doc:"Things directly inside"`
	Overlays []string  `json:"overlays,omitempty"`
}

// LotContainers are the outermost containers of a lot's units.
type LotContainers struct {
	Containers []LotContainer `json:"containers"`
	Total      int            `json:"total" doc:"How many there are; at most limit are listed"`
	LooseUnits int            `json:"looseUnits" doc:"Units that are in none"`
	RestsOn    Rest           `json:"restsOn"`
}

func (s *Service) lotContainers(_ context.Context, in *struct {
	LotInput
	Holder string `query:"holder" maxLength:"32" doc:"Only what this party holds"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"200"`
},
) (out *body[LotContainers], err error) {
	g, err := in.parse()
	if err != nil {
		return nil, err
	}
	err = s.read(func(r *Reader) error {
		out = &body[LotContainers]{LotContainers{Containers: []LotContainer{}, RestsOn: s.rest(r.Head())}}
		at := map[gs1.Key]int{}
		top := map[gs1.Key]gs1.Key{}
		some := false
		custody.LotUnits(r.View, g, in.Lot, func(u custody.Unit, state string) bool {
			some = true
			if in.Holder != "" && u.Holder != in.Holder {
				return true
			}
			if u.Parent.IsZero() {
				if u.State == custody.Active {
					out.Body.LooseUnits++
				}
				return true
			}
			outer, ok := top[u.Parent]
			if !ok {
				outer = u.Parent
				if _, around, ok := custody.Locate(r.View, u.Parent); ok && len(around) > 0 {
					outer = around[len(around)-1]
				}
				top[u.Parent] = outer
			}
			i, ok := at[outer]
			if !ok {
				i = len(at)
				at[outer] = i
				if i < in.Limit {
					c := LotContainer{ID: IDOf(outer), State: state, Holder: r.Party(u.Holder), To: r.Party(u.To)}
					if o, _, ok := custody.Locate(r.View, outer); ok {
						c.Overlays = o.Overlays
					}
					custody.Children(r.View, outer, func(gs1.Key) bool { c.Contents++; return true })
					out.Body.Containers = append(out.Body.Containers, c)
				}
			}
			if i < in.Limit {
				out.Body.Containers[i].Units++
			}
			return true
		})
		out.Body.Total = len(at)
		if _, announced := r.Registry().Lot(g, in.Lot); !some && !announced {
			return unknownLot(r, g, in.Lot)
		}
		return nil
	})
	return out, err
}
