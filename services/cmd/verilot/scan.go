package main

import (
	"strings"
	"time"

	"github.com/spf13/cobra"

	"verilot.dev/services/internal/answer/tracing"
)

func (a *app) scanCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "scan TEXT",
		Short: "Read what a barcode scanner sent",
		Long: `Reads an element string, a GS1 Digital Link or an EPC URN and says what it names.

A separator (FNC1) arrives as the control character GS, 1D hexadecimal; where a shell makes that hard to type,
{GS} and <GS> stand for it. When a separator was lost and more than one reading is possible, all readings are listed and
none is chosen. Something else in the separator's place, an unknown element or a second expiry is named in a note.
docs/scans.md has the rules. Exit code 0: valid, 1: invalid or ambiguous.`,
		Example: `  verilot scan ']d2010036330445830521N48NJ20H12PA{GS}1727053010VBPM1GC'
  verilot scan '(01)00354868662413(21)6F2DGGC8SR1S27U9MEJQ(17)280401(10)ETPPBET2' --json
  verilot scan https://id.gs1.org/01/00367296060812/10/X47RW1/21/5F98BVF6BQH77SAZVKN9?17=281112`,
		Args: cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			text := strings.NewReplacer("{GS}", "\x1d", "<GS>", "\x1d", "<CR>", "\r", "<LF>", "\n").Replace(args[0])
			answer, _ := tracing.ReadScan(text, time.Now().Year())
			if a.json || !terminal(a.out) {
				if err := a.printJSON(answer); err != nil {
					return failed(err)
				}
			} else {
				a.showScan(&answer)
			}
			if answer.Verdict != "valid" {
				return &exit{code: 1, quiet: true}
			}
			return nil
		},
	}
}

func (a *app) showScan(s *tracing.Scan) {
	a.printf("%s\n", strings.ToUpper(s.Verdict))
	row := func(name, value string) {
		if value != "" {
			a.printf("  %-13s%s\n", name, value)
		}
	}
	row("kind", s.Kind)
	row("GTIN", s.GTIN)
	row("serial", s.Serial)
	row("lot", s.Lot)
	row("expiry", s.Expiry)
	row("SSCC", s.SSCC)
	row("Digital Link", s.DigitalLink)
	if s.Verdict == "ambiguous" {
		for i, r := range s.Readings {
			a.printf("  reading %d: GTIN %s serial %s lot %s expiry %s\n", i+1, r.GTIN, r.Serial, r.Lot, r.Expiry)
		}
	}
	for _, p := range s.Problems {
		a.printf("  %s: %s\n", p.Code, p.Detail)
	}
	for _, p := range s.Notes {
		a.printf("  note %s: %s\n", p.Code, p.Detail)
	}
}
