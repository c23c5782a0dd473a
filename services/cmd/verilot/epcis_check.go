package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"verilot.dev/services/cmd/verilot/internal/epcischeck"
)

func (a *app) epcisCheckCommand() *cobra.Command {
	level, show := "", 0
	c := &cobra.Command{
		Use:   "check FILE...",
		Short: "Say what a document holds and what is wrong with it",
		Long: `Reads EPCIS documents and says of each what format it is, how many events and identifiers it holds, and everything that is wrong with it: the place, the rule,
and what to do.

There are three levels. Strict: the official JSON Schema or XSD accepts the document. Tolerant: it deviates from the schema but can only mean one thing; this is what
capture accepts. Refused: the document, or an event of it, is not accepted. In the JSON, "valid" is the verdict of the official schema alone, null for
a root that no schema exists for, such as a single event in XML.

Exit code 0: every document is good enough for --level. 1: one is not. 2: a file cannot be read.

With --json every document gets one line:
{"format","wellFormed","valid","level","events","eventTypes","epcs","errors":[{"line","column","pointer","path","code","severity","schema","message","hint"}]},
and "file" in front when there are several. "errors" has warnings too, see "severity"; "epcs" are as captured, each once.`,
		Example: `  verilot epcis check shipment.xml
  verilot epcis check --level strict outgoing/*.json
  curl -s https://partner.example/events | verilot epcis check - --json | jq '.errors[] | select(.severity == "error")'`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, files []string) error {
			return a.epcisCheck(files, epcischeck.Level(level), show)
		},
	}
	c.Flags().StringVar(&level, "level", string(epcischeck.Tolerant), "strict or tolerant: what is good enough for exit code 0")
	c.Flags().IntVar(&show, "show", 25, "how many problems of a document to print, 0 for all; --json has up to 10,000")
	return c
}

func (a *app) epcisCheck(files []string, level epcischeck.Level, show int) error {
	if level != epcischeck.Strict && level != epcischeck.Tolerant {
		return unusable("--level %q: choose strict or tolerant", level)
	}
	if show < 0 {
		return unusable("--show %d: want a number of problems, 0 for all", show)
	}
	if err := onceStdin(files); err != nil {
		return err
	}
	bad := 0
	for i, file := range files {
		open, err := openDocument(file)
		if err != nil {
			return err
		}
		answer, err := epcischeck.Check(open)
		if err != nil {
			return unusable("%w", err)
		}
		if answer.Level == epcischeck.Refused || level == epcischeck.Strict && answer.Level != epcischeck.Strict {
			bad++
		}
		if a.json {
			if len(files) > 1 {
				answer.File = file
			}
			if err := a.printJSON(answer); err != nil {
				return failed(err)
			}
			continue
		}
		if i > 0 {
			a.printf("\n")
		}
		a.showCheck(file, answer, show)
	}
	if !a.json && len(files) > 1 {
		a.printf("\n%s, %d not %s\n", plural(len(files), "document"), bad, map[epcischeck.Level]string{
			epcischeck.Strict: "strictly valid", epcischeck.Tolerant: "acceptable",
		}[level])
	}
	if bad > 0 {
		return &exit{code: 1, quiet: true}
	}
	return nil
}

// levelWords say what a level means for the sender.
var levelWords = map[epcischeck.Level]string{
	epcischeck.Strict:   "strict: in order",
	epcischeck.Tolerant: "tolerant: it deviates from the standard but is understood",
	epcischeck.Refused:  "refused",
}

func (a *app) showCheck(file string, c *epcischeck.Answer, show int) {
	if file == "-" {
		file = "standard input"
	}
	a.printf("%s\n", file)
	row := func(name, value string) { a.printf("  %-8s%s\n", name, value) }
	format := c.Format
	if format == "" {
		format = "not EPCIS"
	}
	row("format", format)
	switch {
	case !c.WellFormed:
		row("schema", "not well-formed")
	case c.Valid == nil:
		row("schema", "there is none for such a document")
	case *c.Valid:
		row("schema", "valid")
	default:
		row("schema", "not valid")
	}
	row("level", levelWords[c.Level])
	if c.Events > 0 || c.Level != epcischeck.Refused {
		var kinds []string
		for _, kind := range slices.Sorted(maps.Keys(c.EventTypes)) {
			kinds = append(kinds, fmt.Sprintf("%d %s", c.EventTypes[kind], kind))
		}
		events := strconv.Itoa(c.Events)
		if len(kinds) > 0 {
			events += ": " + strings.Join(kinds, ", ")
		}
		row("events", events)
		row("EPCs", strconv.Itoa(len(c.EPCs)))
	}
	for i, f := range c.Errors {
		if show > 0 && i == show {
			a.printf("  … and %d more; --show 0 prints all\n", len(c.Errors)-i)
			break
		}
		a.printf("  %s\n", describe(f))
		if f.Hint != "" {
			a.printf("      %s\n", f.Hint)
		}
	}
}

// describe is a finding in one line: where, how bad, by which rule, what.
func describe(f epcischeck.Finding) string {
	var where []string
	if f.Line > 0 {
		where = append(where, fmt.Sprintf("%d:%d", f.Line, f.Column))
	}
	if f.Pointer != "" {
		where = append(where, f.Pointer)
	} else if f.Path != "" {
		where = append(where, f.Path)
	}
	rule := f.Code
	if f.Schema {
		rule += ", schema"
	}
	return strings.TrimSpace(strings.Join(where, " ") + " " + f.Severity + " (" + rule + "): " + f.Message)
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.Itoa(n) + " " + noun + "s"
}
