// Command testtotals turns the stream of `go test -json` into the usual output, quiet about what passed, and ends
// with one plain line, "N passed, N failed". Tests and subtests are counted alike.
//
// Nothing that went wrong may be missing from the count: a package that does not build, panics, races or times out
// outside any failed test counts as one failure. The exit status is non-zero if anything failed or nothing ran.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
)

func main() {
	out := flag.String("o", "", "also write the closing line to this `file`")
	flag.Parse()
	t, err := tally(os.Stdin, os.Stdout)
	if err == nil && *out != "" {
		err = os.WriteFile(*out, []byte(t.String()+"\n"), 0o644)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "testtotals:", err)
		os.Exit(2)
	}
	if t.skipped > 0 {
		fmt.Printf("%d skipped\n", t.skipped)
	}
	fmt.Println(t)
	if t.failed > 0 || t.passed == 0 {
		os.Exit(1)
	}
}

// totals are the results of one run.
type totals struct{ passed, failed, skipped int }

func (t totals) String() string { return fmt.Sprintf("%d passed, %d failed", t.passed, t.failed) }

// event is one line of `go test -json`; the fields are those of `go doc test2json`.
type event struct {
	Action, Package, ImportPath, Test, Output, FailedBuild string
}

// pkg is what a package has said so far. A test's output is kept until the test ends: shown if it failed, dropped
// if it passed.
type pkg struct {
	failed int
	output map[string][]string
	order  []string // tests by first output, so that what is left over prints in the order it came
}

func tally(r io.Reader, w io.Writer) (totals, error) {
	var t totals
	pkgs := map[string]*pkg{}
	in := bufio.NewReader(r)
	for {
		line, err := in.ReadBytes('\n')
		if len(line) > 0 {
			var ev event
			if json.Unmarshal(line, &ev) != nil || ev.Action == "" {
				fmt.Fprintf(w, "%s", line) // not ours: the go command talking
			} else {
				p := pkgs[ev.Package]
				if p == nil {
					p = &pkg{output: map[string][]string{}}
					pkgs[ev.Package] = p
				}
				t.add(ev, p, w)
			}
		}
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return t, fmt.Errorf("read test output: %w", err)
		}
	}
	// A package that started and never ended means the stream was cut short.
	for name, p := range pkgs {
		if len(p.output) > 0 && name != "" {
			t.failed++
			p.print(w)
			fmt.Fprintf(w, "FAIL\t%s [no result]\n", name)
		}
	}
	return t, nil
}

func (t *totals) add(ev event, p *pkg, w io.Writer) {
	switch ev.Action {
	case "build-output":
		fmt.Fprint(w, ev.Output)
	case "start":
		p.keep("", "")
	case "output":
		p.keep(ev.Test, ev.Output)
	case "pass", "skip", "fail":
		if ev.Test == "" {
			t.endPackage(ev, p, w)
			return
		}
		switch ev.Action {
		case "pass":
			t.passed++
		case "skip":
			t.skipped++
		case "fail":
			t.failed++
			p.failed++
			fmt.Fprint(w, strings.Join(p.output[ev.Test], ""))
		}
		delete(p.output, ev.Test)
	}
}

// endPackage prints a package's last word ("ok …", "FAIL …") and, if it failed, everything not yet shown.
func (t *totals) endPackage(ev event, p *pkg, w io.Writer) {
	if ev.Action != "fail" {
		if own := p.output[""]; len(own) > 0 {
			fmt.Fprint(w, own[len(own)-1])
		}
	} else {
		if p.failed == 0 {
			t.failed++
		}
		p.print(w)
	}
	p.output = map[string][]string{}
}

func (p *pkg) keep(test, s string) {
	if _, ok := p.output[test]; !ok {
		p.order = append(p.order, test)
	}
	p.output[test] = append(p.output[test], s)
}

func (p *pkg) print(w io.Writer) {
	for _, test := range p.order {
		if test != "" {
			fmt.Fprint(w, strings.Join(p.output[test], ""))
		}
	}
	fmt.Fprint(w, strings.Join(p.output[""], ""))
}
