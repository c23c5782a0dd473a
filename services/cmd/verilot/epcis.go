package main

import (
	"bytes"
	"io"
	"os"

	"github.com/spf13/cobra"

	"verilot.dev/services/internal/epcisreport"
)

func (a *app) epcisCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "epcis",
		Short: "Check, hash, convert and compare EPCIS documents",
		Long: `Commands about EPCIS documents: JSON-LD 2.0, XML 2.0, XML 1.2 and the older 1.0 and 1.1, query results and single events. The format is told by the
content. They need no network and no running service; "-" reads standard input.`,
		Example: "  verilot epcis check shipment.xml\n  verilot epcis convert --to jsonld shipment.xml",
	}
	c.AddCommand(a.epcisCheckCommand(), a.epcisHashCommand(), a.epcisReportCommand())
	return c
}

// maxStdin bounds what is kept of standard input, which cannot be read twice.
const maxStdin = 1 << 30

// document is a file or, for "-", standard input, which is kept.
func document(file string) (epcisreport.Source, error) {
	if file != "-" {
		info, err := os.Stat(file)
		if err != nil {
			return nil, unusable("%w", err)
		}
		if info.IsDir() {
			return nil, unusable("%s is a folder: name the documents in it, for example %s/*", file, file)
		}
		return func() (io.ReadCloser, error) { return os.Open(file) }, nil
	}
	b, err := io.ReadAll(io.LimitReader(os.Stdin, maxStdin+1))
	if err != nil {
		return nil, unusable("standard input: %w", err)
	}
	if len(b) > maxStdin {
		return nil, unusable("standard input has more than %d MiB: write it to a file first", maxStdin>>20)
	}
	return func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(b)), nil }, nil
}

// onceStdin refuses a list of files that names standard input twice.
func onceStdin(files []string) error {
	n := 0
	for _, f := range files {
		if f == "-" {
			n++
		}
	}
	if n > 1 {
		return unusable("standard input can be read once: name - once")
	}
	return nil
}
