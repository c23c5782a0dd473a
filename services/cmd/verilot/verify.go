package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"verilot.dev/ledger/genesis"
	"verilot.dev/ledger/proof"
)

// verifyAnswer is what verify prints as JSON.
type verifyAnswer struct {
	Valid      bool         `json:"valid"`
	Step       string       `json:"failedStep,omitempty"`
	Reason     string       `json:"reason,omitempty"`
	Network    string       `json:"network,omitempty"`
	Checkpoint string       `json:"checkpoint,omitempty"`
	Signers    []string     `json:"signers,omitempty"`
	Steps      []verifyStep `json:"steps,omitempty"`
}

type verifyStep struct {
	Position string            `json:"position"`
	Time     time.Time         `json:"blockTime"`
	Party    string            `json:"party"`
	Verdict  string            `json:"verdict"`
	Findings []string          `json:"findings,omitempty"`
	Units    []string          `json:"units,omitempty"`
	Fields   map[string]string `json:"fields,omitempty"`
}

func (a *app) verifyCommand() *cobra.Command {
	var genesisFile string
	c := &cobra.Command{
		Use:   "verify FILE",
		Short: "Check a proof bundle, offline",
		Long: `Checks a proof bundle (JSON or binary) against the genesis file of its network. Nothing is asked of any server.

Exit code 0: valid. 1: invalid, and the step that failed is named. 2: the input cannot be used at all.`,
		Example: "  verilot genesis --api http://localhost:8080 > genesis.json\n  verilot verify proof.json --genesis genesis.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return a.verify(args[0], genesisFile)
		},
	}
	c.Flags().StringVar(&genesisFile, "genesis", "", "the network's genesis file (required)")
	return c
}

func (a *app) verify(file, genesisFile string) error {
	if genesisFile == "" {
		return unusable("--genesis is missing: without the genesis file there is nothing to check against")
	}
	raw, err := os.ReadFile(genesisFile)
	if err != nil {
		return unusable("%w", err)
	}
	g, err := genesis.Parse(raw)
	if err != nil {
		return unusable("%s is not a genesis file: %w", genesisFile, err)
	}
	in, err := os.Open(file)
	if err != nil {
		return unusable("%w", err)
	}
	defer func() { _ = in.Close() }()
	data, err := io.ReadAll(io.LimitReader(in, 256<<20))
	if err != nil {
		return unusable("%w", err)
	}
	if !looksLikeBundle(data) {
		return unusable("%s is not a proof bundle: it starts neither with { nor with VLTP", file)
	}
	answer := verifyAnswer{Network: g.Name}
	report, err := checkBundle(g, data)
	var failure *proof.Failure
	switch {
	case errors.As(err, &failure):
		answer.Step, answer.Reason = failure.Step, failure.Reason
	case err != nil:
		return failed(err)
	default:
		answer.fill(report)
	}
	if a.json {
		if err := a.printJSON(answer); err != nil {
			return failed(err)
		}
	} else {
		a.showVerify(&answer)
	}
	if !answer.Valid {
		return &exit{code: 1, quiet: true}
	}
	return nil
}

func checkBundle(g *genesis.Genesis, data []byte) (*proof.Report, error) {
	parse := proof.ParseJSON
	if data[0] != '{' {
		parse = proof.ParseBinary
	}
	b, err := parse(data)
	if err != nil {
		return nil, err
	}
	return proof.Verify(g, b)
}

func looksLikeBundle(data []byte) bool {
	return strings.HasPrefix(string(data[:min(len(data), 4)]), "VLTP") || len(data) > 0 && data[0] == '{'
}

func (v *verifyAnswer) fill(r *proof.Report) {
	v.Valid = true
	v.Checkpoint = r.Checkpoint.Text()
	v.Signers = r.Signers
	for i := range r.Steps {
		s := &r.Steps[i]
		step := verifyStep{
			Position: s.Pos.String(), Time: time.UnixMilli(s.Time).UTC(), Party: s.Party, Verdict: s.Verdict, Findings: s.Findings,
			Fields: map[string]string{},
		}
		if s.Code != "" {
			step.Verdict += " " + s.Code
		}
		for _, u := range s.Units {
			step.Units = append(step.Units, u.Form)
		}
		for _, f := range s.Fields {
			step.Fields[f.Path.String()] = f.Text
		}
		v.Steps = append(v.Steps, step)
	}
}

func (a *app) showVerify(v *verifyAnswer) {
	if !v.Valid {
		a.printf("INVALID at step %q: %s\n", v.Step, v.Reason)
		return
	}
	size := strings.Split(v.Checkpoint, "\n")
	a.printf("VALID on %s: %d signed steps under the checkpoint of size %s, cosigned by %s\n",
		v.Network, len(v.Steps), size[min(1, len(size)-1)], strings.Join(v.Signers, ", "))
	for _, s := range v.Steps {
		a.printf("  %-12s %s  %-14s %-10s %s\n", s.Position, s.Time.Format(time.RFC3339), s.Party, s.Verdict, strings.Join(s.Units, " "))
		if len(s.Findings) > 0 {
			a.printf("  %12s findings: %s\n", "", strings.Join(s.Findings, ", "))
		}
	}
	a.printf("%s\n", fmt.Sprintf("Every step was checked up to height %s; what came later is not in this file.", heightOf(size)))
}

func heightOf(checkpoint []string) string {
	if len(checkpoint) < 2 {
		return "?"
	}
	var size uint64
	if _, err := fmt.Sscan(checkpoint[1], &size); err != nil || size == 0 {
		return "?"
	}
	return fmt.Sprint(size - 1)
}
