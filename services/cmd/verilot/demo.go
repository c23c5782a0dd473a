package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"
	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"

	"verilot.dev/services/internal/localnet"
	"verilot.dev/services/internal/localnet/demo"
)

// nationalStory is how demo is asked for.
type nationalStory struct {
	size string
	seed uint64
}

var sizes = map[string]demo.Size{"small": demo.Small, "national": demo.National}

func (a *app) demoCommand() *cobra.Command {
	o := upOptions{national: &nationalStory{}}
	c := &cobra.Command{
		Use:   "demo",
		Short: "Start a whole network and play a national story on it",
		Long: `Starts a network on this machine as "verilot up" does and, the first time, plays a national story on it: makers, two wholesalers and dozens of pharmacies,
each signing with a key of its own, move lots of thousands of packages in cases and pallets; a case goes missing, goods are returned, one breaks, some are stolen,
a delivery goes to the wrong door, a counterfeit is scanned at a counter, and a lot is recalled.

Products are real ones of the FDA's NDC Directory and most pharmacies are of CMS's register. What happens is invented.

Then it prints what is worth looking at, and the links that sign people in. Kept in the data folder: start it again, and everything is there.`,
		Example: `  verilot demo
  verilot demo --size small --ephemeral
  verilot demo --data ./data/network --ports-base 9000 --json`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, ok := sizes[o.national.size]; !ok {
				return unusable("--size %q: choose small or national", o.national.size)
			}
			return a.up(cmd.Context(), &o)
		},
	}
	c.Flags().StringVar(&o.data, "data", filepath.Join("data", "network"), "folder of the network")
	c.Flags().StringVar(&o.national.size, "size", "national", "small, or national")
	c.Flags().Uint64Var(&o.national.seed, "seed", 1, "another seed makes other choices")
	c.Flags().IntVar(&o.validators, "validators", 0, "validators of a new network: 1, or 4 and more (default 4; a network keeps its number)")
	c.Flags().BoolVar(&o.ephemeral, "ephemeral", false, "keep nothing when it stops")
	c.Flags().IntVar(&o.portsBase, "ports-base", 8080, "port of the api; the partner services follow")
	c.Flags().StringVar(&o.ndc, "ndc", "", "folder of the FDA's NDC Directory, to search in (default a small selection)")
	c.Flags().StringVar(&o.logLevel, "log-level", "warn", "debug, info, warn or error")
	c.MarkFlagsMutuallyExclusive("data", "ephemeral")
	return c
}

const demoFile = "demo.json"

// playNational plays the story once in the life of a data folder, and says what to look at every time.
func (a *app) playNational(ctx context.Context, n *localnet.Network, o *upOptions) error {
	file := filepath.Join(o.data, demoFile)
	var h demo.Highlights
	b, err := os.ReadFile(file)
	switch {
	case err == nil:
		if err := json.Unmarshal(b, &h); err != nil {
			return fmt.Errorf("read %s: %w", file, err)
		}
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("read what the story was: %w", err)
	default:
		start := time.Now()
		say, end := a.progress()
		told, err := demo.PlayNational(ctx, n, demo.Options{Size: sizes[o.national.size], Seed: o.national.seed, Now: start, Progress: say})
		end(err == nil)
		if err != nil {
			return err
		}
		h = *told
		if b, err = json.MarshalIndent(h, "", "  "); err != nil {
			return fmt.Errorf("write %s: %w", file, err)
		}
		if err := demo.MarkPlayed(o.data, h.Unit); err != nil {
			return err
		}
		if err := os.WriteFile(file, append(b, '\n'), 0o644); err != nil {
			return fmt.Errorf("write what the story was: %w", err)
		}
		if !a.json {
			a.printf("The story is told (%s): %d packages, %d events and registrations, %d parties. Everything in it is invented but products and most pharmacies.\n",
				time.Since(start).Round(100*time.Millisecond), h.Units, h.Events, h.Parties)
		}
	}
	if a.json {
		return a.printJSON(map[string]any{"story": h})
	}
	a.highlights(n, &h)
	return nil
}

// progress draws a bar on a terminal, and prints lines elsewhere.
func (a *app) progress() (say func(step string, done, steps int), end func(ok bool)) {
	switch {
	case a.json:
		return func(string, int, int) {}, func(bool) {}
	case !terminal(a.err):
		return func(step string, done, steps int) { a.printf("  %3d/%d  %s\n", done, steps, step) }, func(bool) {}
	}
	p := mpb.New(mpb.WithOutput(a.err), mpb.WithWidth(32), mpb.WithRefreshRate(100*time.Millisecond))
	var current atomic.Pointer[string]
	current.Store(new(string))
	bar := p.New(1, mpb.BarStyle(), mpb.AppendDecorators(decor.CountersNoUnit(" %d/%d  "), decor.Any(func(decor.Statistics) string { return clip(*current.Load(), 70) })))
	return func(step string, done, steps int) {
			current.Store(&step)
			bar.SetTotal(int64(steps), false)
			bar.SetCurrent(int64(done))
		}, func(ok bool) {
			if ok {
				bar.SetTotal(-1, true)
			} else {
				bar.Abort(true)
			}
			p.Wait()
		}
}

func (a *app) highlights(n *localnet.Network, h *demo.Highlights) {
	a.printf(`
Worth a look
  a pallet's way through the country    %[1]s/trace/%[2]s
  a package that reached a patient      %[1]s/trace/%[3]s
  a recall, and how far it has come     %[1]s/recalls/%[4]s
  the recalled lot, everywhere          %[1]s/lot/%[5]s/%[6]s
  a stolen package that turned up       %[1]s/trace/%[7]s
  a case at the wrong door              %[1]s/trace/%[8]s
At the pharmacy's counter (%[9]s), scan or paste
  good       %[10]s
  recalled   %[11]s
  expired    %[12]s
  fake       %[13]s
`, n.URLs["api"], h.Pallet, h.Unit, h.RecalledBy, h.GTIN, h.Lot, h.Stolen, h.WrongDoor, n.URLs["pharmacy"], h.Good, h.Recalled, h.OldUnit, h.Counterfeit)
}
