package eventhash

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"verilot.dev/epcis"
	"verilot.dev/epcis/epcisdoc"
	"verilot.dev/epcis/internal/sample"
)

// An event has one hash in every format: converting a shared example changes no hash, unless the format could not hold the
// event, and then converting said so.
func TestHashOfConvertedExamples(t *testing.T) {
	compared, lost := 0, 0
	for _, path := range examplePaths(t) {
		doc := sample.File(t, path)
		before, err := hashesOf(doc)
		if err != nil {
			continue
		}
		for _, to := range []epcis.Format{epcis.FormatJSON, epcis.FormatXML2, epcis.FormatXML12} {
			var out bytes.Buffer
			_, problems, err := epcisdoc.Convert(bytes.NewReader(doc), &out, epcis.Options{KeepFaulty: true}, epcis.WriteOptions{Format: to})
			if err != nil {
				t.Errorf("%s to %s: %v", path, to, err)
				continue
			}
			changed := map[int]bool{} // events that lost something
			for _, p := range problems {
				if p.Code == epcis.CodeNotConvertible && !p.Schema || p.Severity == epcis.SeverityError {
					changed[p.Event] = true
				}
			}
			after, err := hashesOf(out.Bytes())
			if err != nil || len(after) != len(before) {
				t.Errorf("%s to %s: %d events of %d, %v", path, to, len(after), len(before), err)
				continue
			}
			for i := range before {
				switch {
				case before[i] == after[i]:
					compared++
				case changed[i]:
					lost++
				default:
					t.Errorf("%s to %s, event %d\n%s\n%s", path, to, i, before[i], after[i])
				}
			}
		}
	}
	t.Logf("%d hashes kept, %d of events that lost something", compared, lost)
	if compared < 500 || lost > 100 {
		t.Errorf("%d hashes kept, %d of events that lost something", compared, lost)
	}
}

// hashesOf are the pre-hashes of a document's events, "" for one that has none.
func hashesOf(doc []byte) (list []string, err error) {
	var h Hasher
	_, err = epcisdoc.Read(bytes.NewReader(doc), epcis.Options{KeepFaulty: true}, epcis.Handler{
		Event: func(e epcis.EventAt) error {
			_, prehash, err := h.Hash(&e.Event)
			if err != nil {
				prehash = nil
			}
			list = append(list, string(prehash))
			return nil
		},
	})
	return list, err
}

// GS1 shows one event written in seven ways. In six of them it is one here; the second has another eventTimeZoneOffset, and
// where an event happened, in local time, is part of it.
func TestHashOfGS1sOneEvent(t *testing.T) {
	const dir = "examples/xml-2.0/gs1/event_with_identical_hash_id_"
	want, err := hashesOf(sample.File(t, dir+"1.xml"))
	if err != nil || len(want) != 1 {
		t.Fatal(want, err)
	}
	for _, path := range []string{dir + "3.xml", dir + "4.xml", dir + "5.xml", dir + "6.xml", "examples/jsonld-2.0/gs1/event_with_identical_hash_id_7.json"} {
		if got, err := hashesOf(sample.File(t, path)); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v\n got %s\nwant %s", path, err, got, want)
		}
	}
	got, err := hashesOf(sample.File(t, dir+"2.xml"))
	if err != nil || len(got) != 1 || strings.Replace(got[0], "eventTimeZoneOffset=-05:00", "eventTimeZoneOffset=-06:00", 1) != want[0] {
		t.Errorf("number 2: %v, %v", got, err)
	}
}
