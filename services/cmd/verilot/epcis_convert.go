package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"verilot.dev/epcis"
	"verilot.dev/epcis/diff"
	"verilot.dev/epcis/epcisdoc"
	"verilot.dev/services/cmd/verilot/internal/epcischeck"
)

type convertOptions struct {
	to, epc, cbv, prefixes, out string
	strict, compact             bool
}

func (a *app) epcisConvertCommand() *cobra.Command {
	var o convertOptions
	c := &cobra.Command{
		Use:   "convert FILE --to FORMAT",
		Short: "Write a document in another format, and say what that format cannot hold",
		Long: `Reads an EPCIS document of any format and writes it as JSON-LD 2.0, XML 2.0 or XML 1.2. The document goes to standard output or to the file of -o; what the format
cannot hold, and what could not be kept when it was read, is told, with its place in the source, on standard error. Nothing else is lost. Events with errors are converted as far as they can be read, and named.

Identifiers stay as captured unless --epc asks for a form; XML 1.2, which is older than Digital Links, always asks for URNs. A Digital Link can be an EPC URN only when the length of its company
prefix is known: nothing is guessed. GS1 publishes the lengths as gcpprefixformatlist.json; give it with --prefix-lengths.

With --json the report is {"format","to","events","lossless","losses":[...]}, on standard output if the document goes to a file, else on standard error.

Exit code 0: converted, with losses or without. 1: with --strict, something was lost or faulty. 2: the document cannot be read.`,
		Example: `  verilot epcis convert --to jsonld shipment.xml > shipment.json
  verilot epcis convert --to xml-1.2 --epc urn --prefix-lengths gcpprefixformatlist.json events.json -o events.xml
  cat shipment.xml | verilot epcis convert --to xml-2.0 --epc digital-link --strict -`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error { return a.epcisConvert(args[0], &o) },
	}
	c.Flags().StringVar(&o.to, "to", "", "jsonld, xml-2.0 or xml-1.2")
	c.Flags().StringVar(&o.epc, "epc", "as-captured", "how identifiers are written: as-captured, digital-link or urn")
	c.Flags().StringVar(&o.cbv, "cbv", "default", "how XML writes standard values: default (as partners expect), web-uri, urn or as-captured")
	c.Flags().StringVar(&o.prefixes, "prefix-lengths", "", "file of GS1 with the lengths of company prefixes (gcpprefixformatlist.json)")
	c.Flags().StringVarP(&o.out, "out", "o", "", "file to write, as a whole or not at all (default: standard output)")
	c.Flags().BoolVar(&o.strict, "strict", false, "exit with 1 when something was lost, or an event has errors")
	c.Flags().BoolVar(&o.compact, "compact", false, "write without line breaks")
	return c
}

// Words of the command line.
var (
	convertFormats = map[string]epcis.Format{
		"jsonld": epcis.FormatJSON, "jsonld-2.0": epcis.FormatJSON, "json": epcis.FormatJSON,
		"xml-2.0": epcis.FormatXML2, "xml-1.2": epcis.FormatXML12,
	}
	convertEPCs = map[string]epcis.EPCForm{"as-captured": epcis.AsCaptured, "digital-link": epcis.DigitalLink, "urn": epcis.URN}
	convertCBV  = map[string]epcis.CBVForm{
		"default": epcis.CBVDefault, "web-uri": epcis.CBVWebURI, "urn": epcis.CBVURN, "as-captured": epcis.CBVAsCaptured,
	}
)

func (o *convertOptions) writing() (w epcis.WriteOptions, err error) {
	w = epcis.WriteOptions{Indent: !o.compact, CreationDate: time.Now().UTC().Format(time.RFC3339)}
	var ok bool
	if w.Format, ok = convertFormats[o.to]; !ok {
		return w, unusable("--to %q: choose jsonld, xml-2.0 or xml-1.2", o.to)
	}
	if w.EPC, ok = convertEPCs[o.epc]; !ok {
		return w, unusable("--epc %q: choose as-captured, digital-link or urn", o.epc)
	}
	if w.CBV, ok = convertCBV[o.cbv]; !ok {
		return w, unusable("--cbv %q: choose default, web-uri, urn or as-captured", o.cbv)
	}
	if o.prefixes != "" {
		table, err := readPrefixLengths(o.prefixes)
		if err != nil {
			return w, unusable("--prefix-lengths: %w", err)
		}
		w.PrefixLength = table.of
	}
	return w, nil
}

type conversion struct {
	Format   string               `json:"format"`
	To       string               `json:"to"`
	Events   int                  `json:"events"`
	Lossless bool                 `json:"lossless"`
	Losses   []epcischeck.Finding `json:"losses"`
}

func (a *app) epcisConvert(file string, o *convertOptions) error {
	w, err := o.writing()
	if err != nil {
		return err
	}
	open, err := openDocument(file)
	if err != nil {
		return err
	}
	in, err := open()
	if err != nil {
		return unusable("%w", err)
	}
	defer func() { _ = in.Close() }()

	report := conversion{To: string(w.Format), Losses: []epcischeck.Finding{}}
	var problems []epcis.Problem
	write := func(out io.Writer) error {
		var summary epcis.Summary
		var err error
		summary, problems, err = epcisdoc.Convert(in, out, epcischeck.Limits, w)
		report.Format, report.Events = string(summary.Format), summary.Events
		return err
	}
	if o.out == "" {
		err = buffered(a.out, write)
	} else {
		err = replaceFile(o.out, write)
	}
	if e, ok := errors.AsType[*epcis.ParseError](err); ok {
		return unusable("%s: %w", file, e)
	} else if err != nil {
		return unusable("%w", err)
	}
	for _, p := range problems {
		if p.Code == epcis.CodeNotConvertible || p.Severity == epcis.SeverityError || p.Code == epcis.CodeTruncated || p.Dropped {
			report.Losses = append(report.Losses, epcischeck.FindingOf(p))
		}
	}
	report.Lossless = len(report.Losses) == 0
	if a.json {
		if o.out == "" {
			a.out = a.err
		}
		if err := a.printJSON(&report); err != nil {
			return failed(err)
		}
	} else {
		for _, f := range report.Losses {
			a.note("%s", describe(f))
			if f.Hint != "" {
				a.note("    %s", f.Hint)
			}
		}
		if o.out != "" {
			a.note("%s: %s, %s", o.out, report.To, plural(report.Events, "event"))
		}
	}
	if o.strict && !report.Lossless {
		return &exit{code: 1, quiet: true}
	}
	return nil
}

func buffered(w io.Writer, write func(io.Writer) error) error {
	b := bufio.NewWriterSize(w, 64<<10)
	if err := write(b); err != nil {
		_ = b.Flush() // what was read before the mistake
		return err
	}
	return b.Flush()
}

// replaceFile writes a file beside its place and moves it there when it is whole.
func replaceFile(name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = f.Close()
			_ = os.Remove(f.Name())
		}
	}()
	if err = buffered(f, write); err != nil {
		return err
	}
	if err = f.Chmod(0o644); err != nil {
		return err
	}
	if err = f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), name)
}

func (a *app) epcisDiffCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "diff A B",
		Short: "Say what two documents mean differently",
		Long: `Compares two EPCIS documents of any format by what they mean. The order of lists and of events, the form of identifiers (URN or Digital Link), the spelling of standard values, prefixes, the
spelling of numbers and times, and the format itself make no difference.

One line per difference: the event (its index in A, from 0), the field, and what each says. With --json: {"equal","differences":[{"event","path","a","b"}]}; event is -1 for
the header.

Exit code 0: they mean the same. 1: they do not. 2: one of them cannot be read.`,
		Example: `  verilot epcis diff shipment.xml shipment.json
  verilot epcis convert --to xml-2.0 shipment.xml | verilot epcis diff shipment.xml -`,
		Args: cobra.ExactArgs(2),
		RunE: func(_ *cobra.Command, args []string) error { return a.epcisDiff(args) },
	}
}

func (a *app) epcisDiff(files []string) error {
	if err := onceStdin(files); err != nil {
		return err
	}
	var docs []*epcis.Document
	for _, file := range files {
		open, err := openDocument(file)
		if err != nil {
			return err
		}
		in, err := open()
		if err != nil {
			return unusable("%w", err)
		}
		doc, err := epcisdoc.Parse(in, epcischeck.Limits)
		_ = in.Close()
		if err != nil {
			return unusable("%s: %w", file, err)
		}
		docs = append(docs, doc)
	}
	list := diff.Documents(docs[0], docs[1])
	if a.json {
		answer := struct {
			Equal       bool              `json:"equal"`
			Differences []diff.Difference `json:"differences"`
		}{len(list) == 0, append([]diff.Difference{}, list...)}
		if err := a.printJSON(&answer); err != nil {
			return failed(err)
		}
	} else {
		for _, d := range list {
			a.printf("%s\n", difference(d))
		}
		if len(list) == 0 {
			a.printf("equal: %s\n", plural(len(docs[0].Events), "event"))
		}
	}
	if len(list) > 0 {
		return &exit{code: 1, quiet: true}
	}
	return nil
}

func difference(d diff.Difference) string {
	var b strings.Builder
	if d.Event < 0 {
		b.WriteString("header")
	} else {
		b.WriteString("event " + itoa(d.Event))
	}
	if d.Path != "" {
		b.WriteString(" " + d.Path)
	}
	switch {
	case d.B == "":
		b.WriteString(": only A has " + oneLine(d.A))
	case d.A == "":
		b.WriteString(": only B has " + oneLine(d.B))
	default:
		b.WriteString(": " + oneLine(d.A) + " / " + oneLine(d.B))
	}
	return b.String()
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }
