// Command epcisreport compares what verilot finds in every document and hash vector of the shared
// GS1 collection with what is known of them. It is for those who work on Verilot: `make
// epcis-report`.
//
// It asks the program that is shipped, so the report is about what users get, and this module needs
// nothing of ours.
//
// Exit code 0: everything agrees, but for what is known to differ and why. 1: something else does
// not. 2: the report cannot be made.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
)

func main() {
	program := flag.String("verilot", "bin/verilot", "the program to ask")
	markdown := flag.Bool("markdown", false, "print tables of Markdown")
	asJSON := flag.Bool("json", false, "print JSON")
	flag.Parse()
	if flag.NArg() != 1 {
		fmt.Fprintln(os.Stderr, "epcisreport: name the folder of the collection, for example ../shared/gs1")
		os.Exit(2)
	}
	r, err := run(verilot{context.Background(), *program}, flag.Arg(0))
	if err == nil && *asJSON {
		err = json.NewEncoder(os.Stdout).Encode(r)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "epcisreport:", err)
		os.Exit(2)
	}
	if !*asJSON {
		r.Print(os.Stdout, *markdown)
	}
	if len(r.Unexpected) > 0 {
		os.Exit(1)
	}
}
