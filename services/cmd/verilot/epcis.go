package main

import (
	"io"
	"os"

	"github.com/spf13/cobra"

	"verilot.dev/services/cmd/verilot/internal/epcischeck"
)

func (a *app) epcisCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "epcis",
		Short: "Check, hash, convert and compare EPCIS documents",
		Long: `Commands about EPCIS documents: JSON-LD 2.0, XML 2.0, XML 1.2 and the older 1.0 and 1.1, query results and single events. The format is told by the
content. They need no network and no running service; "-" reads standard input.`,
		Example: "  verilot epcis check shipment.xml\n  verilot epcis convert --to jsonld shipment.xml",
	}
	c.AddCommand(a.epcisCheckCommand(), a.epcisHashCommand(), a.epcisConvertCommand(), a.epcisDiffCommand())
	return c
}

// maxStream bounds what is kept of input that cannot be read twice.
const maxStream = 1 << 30

// openDocument is a file or, for "-", standard input. What is no regular file, as in <(command), is kept too.
func openDocument(file string) (epcischeck.Source, error) {
	name, in := "standard input", io.Reader(os.Stdin)
	if file != "-" {
		info, err := os.Stat(file)
		if err != nil {
			return nil, unusable("%w", err)
		}
		if info.IsDir() {
			return nil, unusable("%s is a folder: name the documents in it, for example %s/*", file, file)
		}
		if info.Mode().IsRegular() {
			return func() (io.ReadSeekCloser, error) { return os.Open(file) }, nil
		}
		f, err := os.Open(file)
		if err != nil {
			return nil, unusable("%w", err)
		}
		defer func() { _ = f.Close() }()
		name, in = file, f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxStream+1))
	if err != nil {
		return nil, unusable("%s: %w", name, err)
	}
	if len(b) > maxStream {
		return nil, unusable("%s has more than %d MiB: write it to a file first", name, maxStream>>20)
	}
	return epcischeck.Memory(b), nil
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
