package journal

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/submission"
)

// TestJournalKilledWhileAFileIsMade: kill -9 between the making of a file of the store and its
// first byte.
func TestJournalKilledWhileAFileIsMade(t *testing.T) {
	dir := t.TempDir()
	for range 2 {
		s, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{"00099.mem", "000099.vlog"} {
			if err := os.WriteFile(filepath.Join(dir, name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// What is on disk stays as it is: these are the keys and values of a data folder from before this
// package was one.
func TestBytesOnDisk(t *testing.T) {
	job, sub := uuid.MustParse("01a1fb68-fb49-7594-aac6-cf35fb24f6a9"), uuid.MustParse("01a1fb68-fb49-7594-aac6-cf35fb24f6aa")
	at, event := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC), 3
	w := &Write{}
	w.PutJob(job, &Job{
		Kind: "document", OnError: submission.Proceed, CreatedAt: at, Events: 2, Notes: []string{"n"}, Result: json.RawMessage(`{"a":1}`),
		Parts:    []PartItems{{Submission: sub, Items: []ItemInfo{{Kind: 11, Event: 0, EventID: "e", Type: "ObjectEvent", Step: "shipping"}, {Kind: 14, Event: -1, Subject: "lot"}}}},
		Refused:  []Fault{{Pointer: "p", Line: 1, Column: 2, Event: &event, Code: "c", Message: "m", Hint: "h"}},
		Warnings: []Fault{{Message: "<w>"}}, RefusedEvents: 1, Faults: 2, FaultChunks: 1, Divided: 3,
	})
	w.PutFaults(job, 1, []Fault{{Message: "m"}})
	w.PutPart(job, 258, &Part{
		Lane: "l", Party: "maker", Counter: 7, Base: 5, At: at, State: Certified, Seq: 9, Height: 6, Entry: 1, DoneAt: at, Code: "X", Submission: sub, Count: 2, Events: 1,
		Items: []ItemVerdict{{Verdict: block.Flagged, Code: "Y", Findings: []Finding{{Code: "Z", Severity: "flag", Count: 4}}}},
		Alone: true, Tally: &Tally{Counts: Counts{Accepted: 1}, Failed: 1},
	})
	w.PutRow("0102030405060708", 7, job, 2, []byte{0xaa})
	w.PutCounter("0102030405060708", 7)
	w.PutRequest(canonical.Hash{1}, canonical.Hash{2}, job)
	w.PutSealed(sub, [][]commit.SealedValue{nil, {{Path: "p", Salt: [32]byte{3}, Type: commit.Text, Text: "t"}}})
	w.PutBlock(6, []byte{0xbb})
	w.PutPlan(job, map[string]int{"size": 1})
	const id, sid = "01a1fb68fb497594aac6cf35fb24f6a9", "01a1fb68fb497594aac6cf35fb24f6aa"
	zeros := func(n int) string { return hex.EncodeToString(make([]byte, n)) }
	want := []string{
		"j/" + id, `{"kind":"document","onError":2,"createdAt":"2026-11-20T12:00:00Z","events":2,"parts":[{"submission":"01a1fb68-fb49-7594-aac6-cf35fb24f6aa","items":[{"k":11,"e":0,"i":"e","t":"ObjectEvent","s":"shipping"},{"k":14,"e":-1,"n":"lot"}]}],"refused":[{"pointer":"p","line":1,"column":2,"event":3,"code":"c","message":"m","hint":"h"}],"warnings":[{"message":"\u003cw\u003e"}],"notes":["n"],"result":{"a":1},"refusedEvents":1,"faults":2,"faultChunks":1,"divided":3}`,
		"f/" + id + "00000001", `[{"message":"m"}]`,
		"r/" + id + "0102", `{"lane":"l","party":"maker","counter":7,"base":5,"at":"2026-11-20T12:00:00Z","state":"certified","seq":9,"height":6,"entry":1,"doneAt":"2026-11-20T12:00:00Z","code":"X","items":[{"v":2,"c":"Y","f":[{"code":"Z","severity":"flag","count":4}]}],"submission":"01a1fb68-fb49-7594-aac6-cf35fb24f6aa","count":2,"events":1,"alone":true,"tally":{"accepted":1,"flagged":0,"duplicate":0,"rejected":0,"refused":0,"failed":1}}`,
		"o/" + hex.EncodeToString([]byte("0102030405060708/")) + "0000000000000007", id + "0002" + "aa",
		"c/" + hex.EncodeToString([]byte("0102030405060708")), "0000000000000007",
		"i/01" + zeros(31), "02" + zeros(31) + id,
		"s/" + sid, "00000001" + "0001" + "000170" + "03" + zeros(31) + fmt.Sprintf("%02x", uint8(commit.Text)) + "0000000174",
		"b/0000000000000006", "bb",
		"p/" + id, `{"size":1}`,
	}
	for i, key := range w.keys {
		k := key[:2] + hex.EncodeToString([]byte(key[2:]))
		v := string(w.values[i])
		if len(v) == 0 || v[0] != '{' && v[0] != '[' {
			v = hex.EncodeToString(w.values[i])
		}
		if k != want[2*i] || v != want[2*i+1] {
			t.Errorf("%s = %s\nwant %s = %s", k, v, want[2*i], want[2*i+1])
		}
	}
	if len(w.keys)*2 != len(want) {
		t.Errorf("%d records", len(w.keys))
	}
}

func TestNumbersAreGivenOutOnce(t *testing.T) {
	dir := t.TempDir()
	seen := map[uint64]bool{}
	serials := map[string]bool{}
	for range 2 {
		s, err := Open(dir)
		if err != nil {
			t.Fatal(err)
		}
		i := 0
		draw := func() (string, error) { i++; return fmt.Sprint("S", i/2), nil } // every candidate twice
		for range 3 {
			n, err := s.Next("sscc/0399990")
			if err != nil || seen[n] {
				t.Errorf("%d %v", n, err)
			}
			seen[n] = true
			list, err := s.Serials("00399990100013", 10, draw)
			if err != nil {
				t.Fatal(err)
			}
			for _, x := range list {
				if serials[x] {
					t.Errorf("serial %s was given out twice", x)
				}
				serials[x] = true
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(seen) != 6 || !seen[6] || len(serials) != 60 {
		t.Errorf("%v, %d serials", seen, len(serials))
	}
}

func TestRegistrationsStayInOrder(t *testing.T) {
	s, err := Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for i := range 3 {
		if err := s.Register([][]byte{fmt.Append(nil, 2*i), fmt.Append(nil, 2*i+1)}); err != nil {
			t.Fatal(err)
		}
	}
	got := ""
	if err := s.Registrations(func(b []byte) error { got += string(b); return nil }); err != nil || got != "012345" {
		t.Errorf("%q %v", got, err)
	}
}

func BenchmarkSyncedWrite(b *testing.B) {
	s, err := Open(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for i := range b.N {
		w := &Write{}
		w.put(fmt.Sprint("x/", i), make([]byte, 1000))
		if err := s.Put(w); err != nil {
			b.Fatal(err)
		}
	}
}
