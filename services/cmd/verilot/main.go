// Command verilot is the one binary: every service, a whole network on one machine, and the client commands.
//
// Exit codes: 0 done and the answer is yes; 1 the answer is no (invalid, rejected, unknown); 2 unusable input or a wrong
// command line; 3 a service did not answer, or not in time; 4 a service halted on purpose, and starting it again does not help.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Version is set when a release is built.
var version = "development"

// exit is an error that knows its exit code. A quiet one has been told to the user already.
type exit struct {
	code  int
	err   error
	quiet bool
}

func (e *exit) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.err.Error()
}

func (e *exit) Unwrap() error { return e.err }

func no(format string, args ...any) error { return &exit{code: 1, err: fmt.Errorf(format, args...)} }

func unusable(format string, args ...any) error {
	return &exit{code: 2, err: fmt.Errorf(format, args...)}
}

func noAnswer(format string, args ...any) error {
	return &exit{code: 3, err: fmt.Errorf(format, args...)}
}

// app is what commands share.
type app struct {
	out, err io.Writer
	json     bool
	ended    map[string]bool // processes that ended once, of up --processes
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	a := &app{out: stdout, err: stderr}
	root := &cobra.Command{
		Use:   "verilot",
		Short: "Track and trace for the US drug supply chain, with proofs anyone can check",
		Long: `Verilot tracks every package of medicine by its serial number, from the maker to the pharmacy counter.

Start a whole network on this machine with "verilot up", then follow one serial with "verilot trace".`,
		SilenceUsage:  true,
		SilenceErrors: true,
	}
	root.SetOut(stdout)
	root.SetErr(stderr)
	root.SetArgs(args)
	root.PersistentFlags().BoolVar(&a.json, "json", false, "print the answer as JSON")
	root.AddCommand(
		a.upCommand(), a.demoCommand(), a.captureCommand(), a.traceCommand(), a.verifyCommand(), a.genesisCommand(), a.lotCommand(),
		a.blockCommand(), a.validatorsCommand(), a.streamCommand(), a.scanCommand(), a.keygenCommand(), a.versionCommand(),
		a.initCommand(), a.queryCommand(), a.credsCommand(), a.healthcheckCommand(), a.epcisCommand(), a.resolveCommand(), a.takeBackCommand(),
	)
	root.AddCommand(a.serviceCommands()...)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return unusable("%w\nSee \"%s --help\"", err, c.CommandPath())
	})
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	var e *exit
	if !errors.As(err, &e) {
		// Cobra reports unknown commands and wrong argument counts as plain errors.
		e = &exit{code: 2, err: err}
	}
	if !e.quiet && e.err != nil {
		_, _ = fmt.Fprintln(stderr, "verilot: "+e.Error())
	}
	return e.code
}

// printf writes to standard output. A broken pipe is not worth a message.
func (a *app) printf(format string, args ...any) { _, _ = fmt.Fprintf(a.out, format, args...) }

// note writes to standard error.
func (a *app) note(format string, args ...any) { _, _ = fmt.Fprintf(a.err, format+"\n", args...) }

// printJSON writes one line of JSON.
func (a *app) printJSON(v any) error {
	e := json.NewEncoder(a.out)
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

// terminal reports whether w is one, so that progress is drawn for people only.
func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

// failed is the exit for work that went wrong rather than input that was.
func failed(err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*exit](err); ok {
		return err
	}
	return &exit{code: 3, err: err}
}

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  verilot version\n  verilot version --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if a.json {
				return a.printJSON(map[string]string{"version": version})
			}
			a.printf("verilot %s\n", version)
			return nil
		},
	}
}
