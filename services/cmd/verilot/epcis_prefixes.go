package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"

	"verilot.dev/epcis/gs1"
)

func itoa(n int) string { return strconv.Itoa(n) }

// prefixLengths are the lengths of company prefixes by how a number begins. The longest beginning wins; 0 says that such
// numbers have no company prefix.
type prefixLengths map[string]int

// readPrefixLengths reads GS1's gcpprefixformatlist.json.
func readPrefixLengths(file string) (prefixLengths, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var doc struct {
		List struct {
			Entry []struct {
				Prefix    string `json:"prefix"`
				GCPLength int    `json:"gcpLength"`
			} `json:"entry"`
		} `json:"GCPPrefixFormatList"`
	}
	if err := json.Unmarshal(b, &doc); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	if len(doc.List.Entry) == 0 {
		return nil, errors.New(file + " has no GCPPrefixFormatList.entry: take the JSON form of the list that GS1 publishes")
	}
	table := make(prefixLengths, len(doc.List.Entry))
	for _, e := range doc.List.Entry {
		if e.Prefix == "" || len(e.Prefix) > 12 || e.GCPLength != 0 && (e.GCPLength < 4 || e.GCPLength > 12) {
			return nil, fmt.Errorf("%s: a prefix %q with length %d cannot be", file, e.Prefix, e.GCPLength)
		}
		table[e.Prefix] = e.GCPLength
	}
	return table, nil
}

// of is the length of a key's company prefix. URNs know prefixes of 6 digits and more only.
func (t prefixLengths) of(k gs1.Key) (int, bool) {
	lead := 0 // what stands in front of the company prefix: the application identifier, and an indicator, extension or filler digit
	switch k.Kind() {
	case gs1.KindGTIN, gs1.KindSGTIN, gs1.KindLGTIN, gs1.KindUPUI, gs1.KindSSCC:
		lead = 2 + 1
	case gs1.KindSGLN, gs1.KindPGLN, gs1.KindGDTI, gs1.KindSGCN, gs1.KindGINC, gs1.KindGSIN:
		lead = 3
	case gs1.KindGIAI, gs1.KindCPI, gs1.KindGSRN, gs1.KindGSRNP:
		lead = 4
	case gs1.KindGRAI, gs1.KindITIP:
		lead = 4 + 1
	case gs1.KindInvalid, gs1.KindURI:
		return 0, false
	}
	digits := k.String()
	if len(digits) <= lead {
		return 0, false
	}
	digits = digits[lead:]
	for n := min(12, len(digits)); n > 0; n-- {
		if length, ok := t[digits[:n]]; ok {
			return length, length >= 6
		}
	}
	return 0, false
}
