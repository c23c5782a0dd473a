package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os/exec"
	"strings"
)

// verilot is the program that is asked.
type verilot struct {
	ctx  context.Context // of the whole report
	path string
}

// answer is a line of verilot epcis check --json, as far as it is compared.
type answer struct {
	File       string         `json:"file"`
	Format     string         `json:"format"`
	WellFormed bool           `json:"wellFormed"`
	Valid      *bool          `json:"valid"`
	Level      string         `json:"level"`
	EventTypes map[string]int `json:"eventTypes"`
	EPCs       []string       `json:"epcs"`
}

// check asks what documents are found to be, all at once.
func (v verilot) check(files []string) ([]answer, error) {
	out, _, err := v.run(append([]string{"epcis", "check", "--json"}, files...)...)
	if err != nil {
		return nil, err
	}
	list, err := lines[answer](out)
	if err != nil {
		return nil, err
	}
	for i := range files {
		if i == len(list) || list[i].File != files[i] && len(files) > 1 {
			return nil, fmt.Errorf("verilot epcis check: no answer about %s", files[i])
		}
	}
	return list, nil
}

// hashes asks for the hash IDs of a document's events; none if it cannot be read.
func (v verilot) hashes(file string) ([]string, error) {
	out, readable, err := v.run("epcis", "hash", "--json", file)
	if err != nil || !readable {
		return nil, err
	}
	list, err := lines[struct{ Hash string }](out)
	ids := make([]string, len(list))
	for i := range list {
		ids[i] = list[i].Hash
	}
	return ids, err
}

// run returns what the program prints, and whether it could read what it was asked about: exit
// codes 0 and 1.
func (v verilot) run(args ...string) (out []byte, readable bool, err error) {
	cmd := exec.CommandContext(v.ctx, v.path, args...) //nolint:gosec // the developer names the program
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err = cmd.Output()
	var exit *exec.ExitError
	switch {
	case err == nil:
		return out, true, nil
	case errors.As(err, &exit) && exit.ExitCode() == 1:
		return out, true, nil
	case errors.As(err, &exit) && exit.ExitCode() == 2:
		return out, false, nil
	}
	return nil, false, fmt.Errorf("%s %s: %w: %s", v.path, strings.Join(args[:2], " "), err, stderr.String())
}

// lines decodes one value per line.
func lines[T any](out []byte) ([]T, error) {
	var list []T
	for d := json.NewDecoder(bytes.NewReader(out)); d.More(); {
		var v T
		if err := d.Decode(&v); err != nil {
			return nil, fmt.Errorf("read what verilot printed: %w", err)
		}
		list = append(list, v)
	}
	return list, nil
}
