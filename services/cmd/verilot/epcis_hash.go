package main

import (
	"bufio"
	"strings"

	"github.com/spf13/cobra"

	"verilot.dev/services/cmd/verilot/internal/epcischeck"
)

func (a *app) epcisHashCommand() *cobra.Command {
	prehash := false
	c := &cobra.Command{
		Use:   "hash FILE...",
		Short: "Print the event hash ID (CBV 2.0) of every event",
		Long: `Prints one line for every event of the documents, in their order: its index, from 0, and its hash ID as CBV 2.0 section 8.9 defines it. The ID does not depend on how the
event is written, and it names an event that has no eventID. docs/event-hash.md says what is hashed, and where other programs differ.

With --json a line is {"index","hash","prehash"}; prehash is the text that was hashed with SHA-256. Behind more than one file name, lines begin with the file.

Events are hashed whether or not they are valid. An event without a readable time has no hash. Exit code 1: there is such an event. 2: a document cannot be read.`,
		Example: `  verilot epcis hash shipment.xml
  verilot epcis hash --prehash shipment.json
  verilot epcis hash --json shipment.xml | jq -r .prehash | head -1 | tr -d '\n' | sha256sum`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, files []string) error { return a.epcisHash(files, prehash) },
	}
	c.Flags().BoolVar(&prehash, "prehash", false, "print what was hashed too; line breaks in it are shown as \\n")
	return c
}

type hashLine struct {
	File    string `json:"file,omitempty"`
	Index   int    `json:"index"`
	Hash    string `json:"hash"`
	Prehash string `json:"prehash"`
	Error   string `json:"error,omitempty"`
}

func (a *app) epcisHash(files []string, prehash bool) error {
	if err := onceStdin(files); err != nil {
		return err
	}
	out := bufio.NewWriter(a.out)
	old := a.out
	a.out = out
	defer func() {
		_ = out.Flush()
		a.out = old
	}()
	breaks := strings.NewReplacer("\r", `\r`, "\n", `\n`)
	missing := 0
	for _, file := range files {
		open, err := openDocument(file)
		if err != nil {
			return err
		}
		name := ""
		if len(files) > 1 {
			name = file
		}
		err = epcischeck.Hashes(open, func(index int, id string, text []byte, err error) error {
			line := hashLine{File: name, Index: index, Hash: id, Prehash: string(text)}
			if err != nil {
				missing++
				line.Error = err.Error()
			}
			if a.json {
				return a.printJSON(&line)
			}
			if name != "" {
				a.printf("%s ", name)
			}
			switch {
			case err != nil:
				a.printf("%d - %s\n", index, line.Error)
			case prehash:
				a.printf("%d %s %s\n", index, id, breaks.Replace(line.Prehash))
			default:
				a.printf("%d %s\n", index, id)
			}
			return nil
		})
		if err != nil {
			if file == "-" {
				file = "standard input"
			}
			return unusable("%s: %w", file, err)
		}
	}
	if missing > 0 {
		return &exit{code: 1, quiet: true}
	}
	return nil
}
