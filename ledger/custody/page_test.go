package custody

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"text/template"

	"github.com/google/go-cmp/cmp"

	"verilot.dev/epcis"
	"verilot.dev/ledger/block"
	"verilot.dev/ledger/verdict"
	"verilot.dev/ledger/wire"
)

const page = "../../docs/custody.md"

// notInStories are findings that no story tells: its words write no malformed identifier, seal no field and register no
// party. The value is the test that shows them.
var notInStories = map[raised]string{
	{everyEvent.title, verdict.SealedField}:              "custody.TestSealedRules",
	{everyEvent.title, verdict.FmtGLN}:                   "custody.TestMalformedIdentifiers",
	{everyEvent.title, verdict.FmtGTIN}:                  "custody.TestMalformedIdentifiers",
	{everyEvent.title, verdict.FmtSSCC}:                  "custody.TestMalformedIdentifiers",
	{everyEvent.title, verdict.FmtSerial}:                "custody.TestMalformedIdentifiers",
	{everyEvent.title, verdict.FmtLot}:                   "custody.TestMalformedIdentifiers",
	{everyEvent.title, verdict.FmtEPC}:                   "custody.TestMalformedIdentifiers",
	{"Shipping", verdict.FmtGLN}:                         "custody.TestMalformedIdentifiers",
	{"Receiving", verdict.FmtGLN}:                        "custody.TestMalformedIdentifiers",
	{kindTitle(wire.KindPartyAct), verdict.BadValue}:     "registry.TestActsThatAreRefusedWriteNothing",
	{kindTitle(wire.KindPartyAct), verdict.MissingField}: "registry.TestActsThatAreRefusedWriteNothing",
	{kindTitle(wire.KindPartyAct), verdict.FmtExpiry}:    "registry.TestActsThatAreRefusedWriteNothing",
	{kindTitle(wire.KindPartyAct), verdict.BadKey}:       "registry.TestActsThatAreRefusedWriteNothing",
	{kindTitle(wire.KindPartyAct), verdict.KeyTaken}:     "registry.TestActsThatAreRefusedWriteNothing",
	{kindTitle(wire.KindPartyAct), verdict.FmtGLN}:       "registry.TestActsThatAreRefusedWriteNothing",
	{kindTitle(wire.KindPartyAct), verdict.FmtEPC}:       "registry.TestActsThatAreRefusedWriteNothing",
	{kindTitle(wire.KindPartyAct), verdict.GLNTaken}:     "registry.TestActsThatAreRefusedWriteNothing",
	{kindTitle(wire.KindPartyAct), verdict.PrefixTaken}:  "registry.TestActsThatAreRefusedWriteNothing",
	{kindTitle(wire.KindProduct), verdict.FmtGTIN}:       "custody.TestMalformedIdentifiers",
	{kindTitle(wire.KindLot), verdict.FmtGTIN}:           "custody.TestMalformedIdentifiers",
	{kindTitle(wire.KindRecall), verdict.FmtGTIN}:        "custody.TestMalformedIdentifiers",
	{kindTitle(wire.KindRecall), verdict.FmtSerial}:      "custody.TestMalformedIdentifiers",
	{kindTitle(wire.KindRecall), verdict.FmtEPC}:         "custody.TestMalformedIdentifiers",
	{kindTitle(wire.KindRecall), verdict.FmtExpiry}:      "custody.TestMalformedIdentifiers",
	{kindTitle(wire.KindRecall), verdict.FmtLot}:         "custody.TestMalformedIdentifiers",
	{kindTitle(wire.KindRecall), verdict.MissingField}:   "custody.TestMalformedIdentifiers",
	{kindTitle(wire.KindResolution), verdict.FmtEPC}:     "custody.TestMalformedIdentifiers",
	{kindTitle(wire.KindResolution), verdict.FmtGTIN}:    "custody.TestMalformedIdentifiers",
	{kindTitle(wire.KindResolution), verdict.FmtSSCC}:    "custody.TestMalformedIdentifiers",
	{kindTitle(wire.KindResolution), verdict.FmtSerial}:  "custody.TestMalformedIdentifiers",
	{kindTitle(wire.KindResolution), verdict.FmtLot}:     "custody.TestMalformedIdentifiers",
	{kindTitle(wire.KindResolution), verdict.FmtGLN}:     "custody.TestMalformedIdentifiers",
}

// raised is a code that a story shows, in one chapter of the page: a step's title, or an item's.
type raised struct {
	chapter string
	code    verdict.Code
}

// shown is where and how: the stories in order, and the severities.
type shown struct{ stories, severities []string }

// chapterOf is the chapter of the page that an item belongs to.
func chapterOf(it *wire.Item) string {
	if ev, ok := it.Message.(*epcis.Event); ok {
		if r := byStep[ev.Step()]; r != nil && ev.ErrorDeclaration == nil {
			return r.title
		}
		return everyEvent.title
	}
	return kindTitle(it.Kind)
}

// kindTitle is the chapter of the items of a kind other than event.
func kindTitle(kind uint8) string {
	for _, c := range otherItems {
		if strings.HasSuffix(c.title, fmt.Sprintf(" (kind %d)", kind)) {
			return c.title
		}
	}
	return otherItems[len(otherItems)-1].title
}

// tellAll runs every story and notes which codes it shows.
func tellAll(t *testing.T) map[raised]*shown {
	t.Helper()
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no stories", err)
	}
	out := map[raised]*shown{}
	for _, file := range files {
		story, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		w := newWorld(t)
		tell(t, w, string(story))
		for _, x := range w.judged {
			note := func(code verdict.Code, severity string) {
				at := raised{chapterOf(x.it), code}
				if at.chapter != everyEvent.title && slices.Contains(everyEvent.raises, code) && !claims(at.chapter, code) {
					at.chapter = everyEvent.title
				}
				if out[at] == nil {
					out[at] = &shown{}
				}
				if s := out[at]; !slices.Contains(s.stories, filepath.Base(file)) {
					s.stories = append(s.stories, filepath.Base(file))
				}
				if s := out[at]; !slices.Contains(s.severities, severity) {
					s.severities = append(s.severities, severity)
				}
			}
			switch x.j.Verdict {
			case block.Rejected:
				note(x.j.Code, block.Reject.String())
			case block.Duplicate:
				note(x.j.Code, block.Duplicate.String())
			default:
				for _, f := range x.j.Findings {
					note(f.Code, f.Severity.String())
				}
			}
		}
	}
	return out
}

// claims says whether the table lists a code in a chapter.
func claims(title string, code verdict.Code) bool {
	for _, c := range chapters() {
		if c.title == title && slices.Contains(c.raises, code) {
			return true
		}
	}
	return false
}

// chapters are all parts of the page with codes.
func chapters() []chapter {
	list := []chapter{everyEvent}
	for i := range rules {
		r := &rules[i]
		list = append(list, chapter{title: r.title, needs: r.needs, changes: r.changes, raises: r.raises})
	}
	return append(list, otherItems...)
}

var quoted = regexp.MustCompile("`([A-Z]+(?:_[A-Z]+)+)`")

// Loading and unloading share rule and stories with packing and unpacking.
func sharesRule(title string) string {
	return map[string]string{"Loading": "Packing", "Unloading": "Unpacking"}[title]
}

// The table, its prose and the stories say the same: a code that the table claims for a step is raised by a story, a code
// that a story raises is in the table, and the prose names each.
func TestTableSaysWhatHappens(t *testing.T) {
	seen := tellAll(t)
	listed := map[verdict.Code]bool{verdict.RolledBack: true} // each item, by package consensus
	for _, code := range wholeMessages {
		listed[code] = true
	}
	for _, c := range chapters() {
		prose := strings.Join(c.needs, " ") + strings.Join(c.changes, " ")
		for _, code := range c.raises {
			listed[code] = true
			_, shown := seen[raised{c.title, code}]
			if other := sharesRule(c.title); !shown && other != "" {
				_, shown = seen[raised{other, code}]
			}
			if elsewhere := notInStories[raised{c.title, code}] != ""; shown == elsewhere {
				t.Errorf("%s: %s is shown by a story: %t, by another test: %t", c.title, code, shown, elsewhere)
			}
			if !strings.Contains(prose, "`"+string(code)+"`") && !(strings.HasPrefix(string(code), "FMT_") && strings.Contains(prose, "of the `FMT_` codes")) {
				t.Errorf("%s: the prose does not name %s", c.title, code)
			}
		}
		for _, m := range quoted.FindAllStringSubmatch(prose, -1) {
			code := verdict.Code(m[1])
			if _, ok := verdict.Explain(code); !ok {
				t.Errorf("%s: the prose names %s, which is no code", c.title, code)
			}
		}
	}
	for at := range seen {
		if !claims(at.chapter, at.code) {
			t.Errorf("%s: a story (%s) shows %s, which the table does not have", at.chapter, seen[at].stories[0], at.code)
		}
	}
	for _, e := range verdict.List() {
		if !listed[e.Code] {
			t.Errorf("%s is in no chapter", e.Code)
		}
	}
	for at, test := range notInStories {
		pkg, name, _ := strings.Cut(test, ".")
		if !hasTest(t, filepath.Join("..", pkg), name) || !claims(at.chapter, at.code) {
			t.Errorf("%s, %s: there is no %s, or no such claim", at.chapter, at.code, test)
		}
	}
}

// hasTest says whether a package has a test of this name.
func hasTest(t *testing.T, dir, name string) bool {
	t.Helper()
	files, err := filepath.Glob(dir + "/*_test.go")
	if err != nil {
		t.Fatal(err)
	}
	return slices.ContainsFunc(files, func(file string) bool {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(b), "func "+name+"(")
	})
}

// A severity of the list of codes is that of every story.
func TestSeverities(t *testing.T) {
	for at, s := range tellAll(t) {
		e, ok := verdict.Explain(at.code)
		if !ok {
			t.Errorf("%s is not explained", at.code)
		}
		if e.Severity != "" && !slices.Equal(s.severities, []string{e.Severity}) {
			t.Errorf("%s: the list of codes says %s, the stories (%v) %v", at.code, e.Severity, s.stories, s.severities)
		}
	}
}

type pageRow struct {
	Code            verdict.Code
	Severity, Shown string
}

type pageChapter struct {
	Title, Names, Event, Otherwise, Who, Licence, Hearsay string
	SameAs, Anchor                                        string
	Needs, Changes                                        []string
	Rows                                                  []pageRow
}

type pageOutcome struct {
	Word    Outcome
	Meaning string
}

type pageClosing struct {
	Code              verdict.Code
	Outcomes, Closers string
}

func pageOf(c chapter, seen map[raised]*shown) pageChapter {
	p := pageChapter{Title: c.title, Who: c.who, Needs: c.needs, Changes: c.changes}
	for _, code := range c.raises {
		e, _ := verdict.Explain(code)
		row := pageRow{Code: code, Severity: e.Severity}
		s := seen[raised{c.title, code}]
		if s == nil {
			s = seen[raised{sharesRule(c.title), code}]
		}
		if s != nil {
			row.Severity = strings.Join(s.severities, ", ")
			var links []string
			for _, story := range s.stories[:min(3, len(s.stories))] {
				links = append(links, fmt.Sprintf("[%s](../ledger/custody/testdata/%s)", strings.TrimSuffix(story, ".txt"), story))
			}
			row.Shown = strings.Join(links, ", ")
		} else {
			row.Shown = "`" + notInStories[raised{c.title, code}] + "`"
		}
		p.Rows = append(p.Rows, row)
	}
	return p
}

func pageOfRule(r *rule, seen map[raised]*shown) pageChapter {
	p := pageOf(chapter{title: r.title, needs: r.needs, changes: r.changes, raises: r.raises}, seen)
	p.Names = "`" + strings.Join(r.steps, "`, `") + "`"
	p.Event = r.event + ", " + strings.Join(r.actions, " or ")
	p.Otherwise = "rejected (`STEP_MISMATCH`)"
	if r.loose {
		p.Otherwise = "an observation, which changes nothing"
	}
	p.Who = strings.Join(r.roles, ", ")
	if r.makers != nil {
		p.Who = "units: " + strings.Join(r.makers, ", ") + "; containers: " + p.Who
	}
	p.Licence = r.licence.String()
	p.Hearsay = "counts for things of which the actor has recorded nothing"
	if r.own {
		p.Hearsay = "recorded, changes nothing"
	}
	if other := sharesRule(r.title); other != "" {
		p.SameAs, p.Anchor = other, strings.ToLower(other)
	}
	return p
}

var blankLines = regexp.MustCompile(`\n{3,}`)

// listItem is an item of a Markdown list, wrapped at 100 columns.
func listItem(mark, text string) string {
	const width = 100
	indent := strings.Repeat(" ", len(mark)+1)
	out, line := "", mark
	for word := range strings.FieldsSeq(text) {
		if len(line)+1+len(word) > width {
			out, line = out+line+"\n", indent+word
		} else {
			line += " " + word
		}
	}
	return out + line
}

// docs/custody.md is written from the table, the codes and the stories; `make golden` rewrites it.
func TestPage(t *testing.T) {
	seen := tellAll(t)
	data := struct {
		Every    pageChapter
		Steps    []pageChapter
		Items    []pageChapter
		Messages []verdict.Code
		Codes    []verdict.Explanation
		Outcomes []pageOutcome
		Closing  []pageClosing
	}{Every: pageOf(everyEvent, seen), Messages: wholeMessages, Codes: verdict.List()}
	for _, o := range outcomes {
		data.Outcomes = append(data.Outcomes, pageOutcome{o.word, o.meaning})
	}
	for _, code := range resolvable() {
		row := resolutions[code]
		data.Closing = append(data.Closing, pageClosing{code, "`" + strings.ReplaceAll(words(row.outcomes), ", ", "`, `") + "`", words(row.closers)})
	}
	for i := range rules {
		data.Steps = append(data.Steps, pageOfRule(&rules[i], seen))
	}
	for _, c := range otherItems {
		data.Items = append(data.Items, pageOf(c, seen))
	}
	text, err := template.New("custody.md.tmpl").Funcs(template.FuncMap{"item": listItem}).ParseFiles("testdata/custody.md.tmpl")
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := text.Execute(&out, data); err != nil {
		t.Fatal(err)
	}
	want := strings.TrimRight(blankLines.ReplaceAllString(out.String(), "\n\n"), "\n") + "\n"
	if *update {
		if err := os.WriteFile(page, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	have, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(string(have), want); d != "" {
		t.Errorf("docs/custody.md is not what the rules say: run make golden and look at the difference:\n%s", d)
	}
}

// docs/spec.md section 14.3 has the same table for a second implementation.
func TestSpecTable(t *testing.T) {
	text, err := os.ReadFile("../../docs/spec.md")
	if err != nil {
		t.Fatal(err)
	}
	yes := map[bool]string{true: "yes", false: ""}
	licences := map[licensing]string{
		licensedAlways: "yes", licensedToSell: "to sell", licensedToFree: "to release", licensedOrHeld: "or held", licensedNever: "",
	}
	for i := range rules {
		r := &rules[i]
		who := strings.Join(r.roles, ", ")
		if slices.Equal(r.roles, traders) {
			who = "any trader"
		}
		want := []string{r.event + " " + strings.Join(r.actions, " or "), who, licences[r.licence], yes[r.loose], yes[r.own]}
		for _, step := range r.steps {
			found := false
			for line := range strings.Lines(string(text)) {
				cells := strings.Split(strings.TrimSpace(line), "|")
				if len(cells) != 9 || !strings.Contains(cells[1], "`"+step+"`") {
					continue
				}
				found = true
				for k, w := range want {
					if got := strings.TrimSpace(cells[k+2]); got != w {
						t.Errorf("%s: spec.md says %q, the table of rules %q", step, got, w)
					}
				}
			}
			if !found {
				t.Errorf("spec.md has no row of %s", step)
			}
		}
	}
}
