package ledgerrest

import (
	"bufio"
	"encoding/csv"
	"encoding/json"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/gin-gonic/gin"

	"verilot.dev/ledger/custody"
	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/edge/httpapi"
)

const (
	ndjson  = "application/x-ndjson"
	textCSV = "text/csv"
)

// unitRequest is what a list of units is asked for.
type unitRequest struct {
	tracing.UnitFilter
	limit int // 0: all
	csv   bool
}

// unitQueries are the parameters of every list of units.
func unitQueries() []*huma.Param {
	text := func(name, doc string) *huma.Param {
		return &huma.Param{Name: name, In: "query", Description: doc, Schema: &huma.Schema{Type: huma.TypeString}}
	}
	state := text("state", "Only units in this state, as the totals name it")
	for _, s := range custody.UnitStates() {
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

func readUnits(c *gin.Context) (f unitRequest, err error) {
	q := c.Request.URL.Query()
	f.Holder, f.State = q.Get("holder"), q.Get("state")
	bad := func(name, want string) error {
		return httpapi.NewProblem(httpapi.InvalidParameter, "%s %q: send %s, or leave it out", name, clip(q.Get(name)), want).With(httpapi.Fault{Pointer: "query." + name})
	}
	if f.State != "" && !slices.Contains(custody.UnitStates(), f.State) {
		return f, bad("state", "one of "+strings.Join(custody.UnitStates(), ", "))
	}
	switch q.Get("loose") {
	case "", "false":
	case "true":
		f.Loose = true
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

// unitWriter writes units of any number in constant memory.
type unitWriter struct {
	c    *gin.Context
	f    *unitRequest
	name string // of the file
	buf  *bufio.Writer
	json *json.Encoder
	csv  *csv.Writer
	n    int
}

func newUnitWriter(c *gin.Context, f *unitRequest, name string) *unitWriter {
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
func (w *unitWriter) write(u custody.Unit, state string) bool {
	if !w.f.Wants(&u, state) {
		return w.c.Request.Context().Err() == nil
	}
	if w.n == 0 {
		w.begin()
	}
	w.n++
	var err error
	line := tracing.LotUnitOf(&u, state)
	if w.csv != nil {
		g, _ := u.Key.GTIN()
		row := []string{
			g.String(), line.Serial, u.Lot, u.Expiry, state, u.Holder, u.Owner, u.To, u.Place, line.Parent, strings.Join(u.Overlays, " "), line.DigitalLink,
		}
		for i := range row {
			row[i] = cell(row[i])
		}
		err = w.csv.Write(row)
	} else {
		err = w.json.Encode(line)
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

func (s *service) lotUnits(c *gin.Context) error {
	in := LotInput{GTIN: c.Param("gtin"), Lot: c.Param("lot")}
	g, err := in.parse()
	if err != nil {
		return err
	}
	f, err := readUnits(c)
	if err != nil {
		return err
	}
	return s.read(c.Request.Context(), func(snap *tracing.Snapshot) error {
		w := newUnitWriter(c, &f, "lot-"+g.String()+"-"+in.Lot)
		if err := snap.LotUnits(g, in.Lot, w.write); err != nil {
			return lotProblem(err, g, in.Lot)
		}
		return w.end()
	})
}

func (s *service) recallUnits(c *gin.Context) error {
	f, err := readUnits(c)
	if err != nil {
		return err
	}
	number := c.Param("number")
	return s.read(c.Request.Context(), func(snap *tracing.Snapshot) error {
		w := newUnitWriter(c, &f, "recall-"+number)
		if err := snap.RecallUnits(number, w.write); err != nil {
			return recallProblem(err, number)
		}
		return w.end()
	})
}
