package proof_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/proof"
)

func verified(tb testing.TB, w *world, b *proof.Bundle) *proof.Report {
	tb.Helper()
	r, err := proof.Verify(w.g, b)
	if err != nil {
		tb.Fatal(err)
	}
	return r
}

func TestStoryOfAUnit(t *testing.T) {
	w := story(t, 48)
	b := w.build(w.wants()...)
	r := verified(t, w, b)
	for _, c := range r.Checks {
		t.Log(c.Step + ": " + c.Text)
	}
	if got := strings.Join(r.Signers, " "); got != "v1.test.example v2.test.example v4.test.example" {
		t.Errorf("signers: %s", got)
	}
	if len(r.Steps) != 3 {
		t.Fatalf("%d steps, want the registration, the shipment and the receipt", len(r.Steps))
	}
	act, ship, receive := r.Steps[0], r.Steps[1], r.Steps[2]
	if act.Pos != actAt || act.Party != "board" || act.Verdict != "accepted" || len(act.Fields) != 3 {
		t.Errorf("registration: %+v", act)
	}
	if ship.Pos != shipAt || ship.Party != "acme" || ship.Verdict != "flagged" || ship.Seq != 7 || ship.Time != created+40000 {
		t.Errorf("shipment: %+v", ship)
	}
	if d := cmp.Diff([]proof.Remark{{Code: "NO_HISTORY", Severity: "flag", Count: 3, Subjects: finding[:1]}}, ship.Remarks); d != "" {
		t.Error(d)
	}
	if len(ship.Units) != 1 || ship.Units[0].Form != sgtin(0) || len(ship.Fields) != 20+1 {
		t.Errorf("shipment shows %d units and %d fields", len(ship.Units), len(ship.Fields))
	}
	sealed := false
	for _, f := range ship.Fields {
		sealed = sealed || strings.HasSuffix(f.Text, "PO-77") && len(f.Salt) == 32
	}
	if !sealed {
		t.Error("the sealed purchase order is not shown")
	}
	if receive.Pos != receiveAt || receive.Party != "newco" || len(receive.Fields) != 2 {
		t.Errorf("receipt: %+v", receive)
	}
	if len(r.Amendments) != 1 || r.Amendments[0].Pos != shipAt || r.Amendments[0].OfSubject[0] != finding[0] {
		t.Errorf("amendments: %+v", r.Amendments)
	}
}

var asWire = cmp.Options{cmpopts.EquateEmpty(), cmp.AllowUnexported(gs1.Key{})}

func TestTwoSpellings(t *testing.T) {
	w := story(t, 48)
	b := w.build(w.wants()...)
	fromBinary, err := proof.ParseBinary(b.Binary())
	if err != nil {
		t.Fatal(err)
	}
	fromJSON, err := proof.ParseJSON(append(b.JSON(), '\n'))
	if err != nil {
		t.Fatal(err)
	}
	for name, back := range map[string]*proof.Bundle{"binary": fromBinary, "json": fromJSON} {
		if d := cmp.Diff(b, back, asWire); d != "" {
			t.Errorf("%s: %s", name, d)
		}
		if !bytes.Equal(back.Binary(), b.Binary()) || !bytes.Equal(back.JSON(), b.JSON()) {
			t.Errorf("%s: encodes to other bytes", name)
		}
		verified(t, w, back)
	}
	text := string(b.JSON())
	if !strings.Contains(text, `DA <88> & “1”`) || !strings.Contains(text, `line\u2028separator`) {
		t.Error("<, > and & stand as they are, U+2028 is escaped")
	}
	for _, bad := range badJSON() {
		edited := strings.Replace(text, bad.Old, bad.New, 1) + bad.Append
		if edited == text {
			t.Fatalf("%s: the edit changes nothing", bad.Name)
		}
		if _, err := proof.ParseJSON([]byte(edited)); !isStep(err, proof.StepFormat) {
			t.Errorf("%s: %v", bad.Name, err)
		}
	}
	if _, err := proof.ParseJSON(nil); !isStep(err, proof.StepFormat) {
		t.Errorf("nothing: %v", err)
	}
}

// jsonVector is an edit of a good bundle: the first Old becomes New, then Append follows.
type jsonVector struct {
	Name   string `json:"name"`
	Old    string `json:"old"`
	New    string `json:"new"`
	Append string `json:"append"`
}

func badJSON() []jsonVector {
	return []jsonVector{
		{"white space", `:`, `: `, ""},
		{"two final line feeds", "", "", "\n\n"},
		{"a final carriage return", "", "", "\r\n"},
		{"an unknown member", `{"format"`, `{"x":1,"format"`, ""},
		{"a member twice", `{"format"`, `{"format":"verilot/proof/v1","format"`, ""},
		{"a member in another case", `"genesis"`, `"Genesis"`, ""},
		{"a member missing", `"format":"verilot/proof/v1",`, ``, ""},
		{"members in another order", `"validator":0,"time":"1767225700"`, `"time":"1767225700","validator":0`, ""},
		{"another format", `proof/v1`, `proof/v2`, ""},
		{"null for an empty list", `"units":[]`, `"units":null`, ""},
		{"base64 without padding", `=",`, `",`, ""},
		{"a number as a float", `"epoch":1`, `"epoch":1.0`, ""},
		{"a size as a number", `"size":"5"`, `"size":5`, ""},
		{"a size with a zero before it", `"size":"5"`, `"size":"05"`, ""},
		{"needless escapes", `<88>`, `\u003c88>`, ""},
		{"a raw line separator", `\u2028`, "\u2028", ""},
		{"a second object", "", "", "{}"},
	}
}

func isStep(err error, step string) bool {
	f, ok := errors.AsType[*proof.Failure](err)
	return ok && f.Step == step
}

// small is a bundle of a receipt: one field, one unit, a key from a party_act.
func small(w *world) *proof.Bundle {
	return w.build(proof.Want{Pos: receiveAt, Unit: unit(0)})
}

func TestEveryByteCounts(t *testing.T) {
	w := storyOf(t, 1, 3) // one signature to verify for each of ten thousand bundles
	b := w.build(proof.Want{Pos: shipAt, Unit: unit(0), Known: w.known[shipAt], Subjects: finding[:1], Amendments: []uint64{4}},
		proof.Want{Pos: receiveAt, Unit: unit(0)})
	verified(t, w, b)
	for name, form := range map[string]struct {
		raw   []byte
		parse func([]byte) (*proof.Bundle, error)
	}{
		"binary": {b.Binary(), proof.ParseBinary},
		"json":   {b.JSON(), proof.ParseJSON},
	} {
		t.Run(name, func(t *testing.T) {
			t.Logf("%d bytes", len(form.raw))
			for i := range form.raw {
				bad := bytes.Clone(form.raw)
				bad[i] ^= 1 << (i % 8)
				if p, err := form.parse(bad); err == nil {
					if _, err = proof.Verify(w.g, p); err == nil {
						t.Fatalf("byte %d of %d changed to %02x is accepted", i, len(form.raw), bad[i])
					}
				}
				if p, err := form.parse(form.raw[:i]); err == nil {
					t.Fatalf("cut at byte %d it parses: %v", i, p)
				}
			}
		})
	}
}

func TestBuildRefuses(t *testing.T) {
	w := story(t, 3)
	c, cert := w.certified()
	behind := c
	behind.Size = 3
	behind.Root, _, _ = w.Log(3, nil)
	for _, tt := range []struct {
		name string
		want proof.Want
	}{
		{"an entry that did not open", proof.Want{Pos: canonical.Position{Height: 2, Entry: 0}}},
		{"an entry that is not there", proof.Want{Pos: canonical.Position{Height: 2, Entry: 9}}},
		{"an item that is not there", proof.Want{Pos: canonical.Position{Height: 2, Entry: 3, Item: 2}}},
		{"a block above the checkpoint", proof.Want{Pos: canonical.Position{Height: 5}}},
	} {
		if _, err := proof.Build(w.g, w, c, cert, []proof.Want{tt.want}); err == nil {
			t.Errorf("%s: built", tt.name)
		}
	}
	if _, err := proof.Build(w.g, w, behind, cert, []proof.Want{{Pos: receiveAt}}); err == nil {
		t.Error("built a proof under a checkpoint that is too old for it")
	}
	other := c
	other.Root = sum("another root")
	if _, err := proof.Build(w.g, w, other, cert, []proof.Want{{Pos: receiveAt}}); err == nil {
		t.Error("built a proof under another log's checkpoint")
	}
}

func TestWantsMerge(t *testing.T) {
	w := story(t, 8)
	one := w.build(proof.Want{Pos: shipAt, Unit: unit(0)}, proof.Want{Pos: shipAt, Unit: unit(3)}, proof.Want{Pos: shipAt, Field: allFields})
	all := w.build(proof.Want{Pos: shipAt, Field: allFields, Unit: func(u *commit.Unit) bool { return u.Form == sgtin(0) || u.Form == sgtin(3) }})
	if !bytes.Equal(one.Binary(), all.Binary()) {
		t.Error("three wants of one item are not one")
	}
	r := verified(t, w, one)
	if len(r.Steps) != 1 || len(r.Steps[0].Units) != 2 {
		t.Errorf("%+v", r.Steps)
	}
	// A whole entry can be wanted: what is shown is that it stands there, and its verdict if it has one of its own.
	if r := verified(t, w, w.build(proof.Want{Pos: canonical.Position{Height: 2, Entry: 3, Item: canonical.WholeEntry}})); len(r.Steps) != 0 {
		t.Errorf("%+v", r.Steps)
	}
	if r := verified(t, w, w.build()); len(r.Steps) != 0 || r.Checkpoint.Size != 5 {
		t.Errorf("an empty bundle shows the checkpoint: %+v", r)
	}
}

func TestPinnedCheckpoint(t *testing.T) {
	w := story(t, 3)
	b := small(w)
	c, _ := w.certified()
	if _, err := proof.VerifyPinned(w.g, b, c); err != nil {
		t.Error(err)
	}
	b.Certificate = nil
	if _, err := proof.VerifyPinned(w.g, b, c); err != nil {
		t.Errorf("without a certificate: %v", err)
	}
	if _, err := proof.Verify(w.g, b); !isStep(err, proof.StepCertificate) {
		t.Errorf("nothing pinned and no certificate: %v", err)
	}
	other := *w.g
	other.Validators.Validators = slices.Clone(w.g.Validators.Validators)
	slices.Reverse(other.Validators.Validators)
	if _, err := proof.VerifyPinned(&other, b, c); !isStep(err, proof.StepHeader) {
		t.Errorf("headers of another validator set: %v", err)
	}
	c.Root = sum("another root")
	if _, err := proof.VerifyPinned(w.g, b, c); !isStep(err, proof.StepCheckpoint) {
		t.Errorf("another checkpoint: %v", err)
	}
}

// TestSize holds the figure of docs/design.md section 12: one step of an event with some 20 fields and one of 48 units, 4 validators.
func TestSize(t *testing.T) {
	w := story(t, 48)
	for len(w.results) < 64 {
		w.block(w.noise("more"))
	}
	for _, tt := range []struct {
		name  string
		want  proof.Want
		limit int
	}{
		{"key of genesis", proof.Want{Pos: shipAt, Field: allFields, Unit: unit(0), Known: w.known[shipAt]}, 6 << 10},
		{"key of a party_act", proof.Want{Pos: receiveAt, Field: allFields, Unit: unit(0)}, 6 << 10},
	} {
		b := w.build(tt.want)
		verified(t, w, b)
		t.Logf("%s: %d bytes binary, %d JSON", tt.name, len(b.Binary()), len(b.JSON()))
		if n := len(b.Binary()); n > tt.limit {
			t.Errorf("%s: %d bytes, want at most %d", tt.name, n, tt.limit)
		}
	}
}

func FuzzParseBinary(f *testing.F) {
	w := story(f, 3)
	f.Add(small(w).Binary())
	f.Add(w.build(w.wants()...).Binary())
	f.Add(w.build().Binary())
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := proof.ParseBinary(raw)
		if err != nil {
			return
		}
		if !bytes.Equal(b.Binary(), raw) {
			t.Fatal("a bundle has two spellings")
		}
		again, err := proof.ParseJSON(b.JSON())
		if err != nil || !bytes.Equal(again.Binary(), raw) {
			t.Fatalf("JSON and back: %v", err)
		}
		_, _ = proof.Verify(w.g, b)
		c, _ := w.certified()
		_, _ = proof.VerifyPinned(w.g, b, c)
	})
}

func FuzzParseJSON(f *testing.F) {
	w := story(f, 3)
	f.Add(small(w).JSON())
	f.Add(w.build().JSON())
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := proof.ParseJSON(raw)
		if err != nil {
			return
		}
		if !bytes.Equal(b.JSON(), bytes.TrimSuffix(raw, []byte("\n"))) {
			t.Fatal("a bundle has two spellings")
		}
		if again, err := proof.ParseBinary(b.Binary()); err != nil || !bytes.Equal(again.JSON(), b.JSON()) {
			t.Fatalf("binary and back: %v", err)
		}
		_, _ = proof.Verify(w.g, b)
	})
}

// FuzzVerify lets a liar certify: what the checkpoint covers is hostile, so the steps behind the certificate are reached.
func FuzzVerify(f *testing.F) {
	w := story(f, 3)
	f.Add(small(w).Binary(), uint16(300), byte(1))
	f.Add(w.build(w.wants()...).Binary(), uint16(2000), byte(0x80))
	f.Fuzz(func(t *testing.T, raw []byte, at uint16, flip byte) {
		if len(raw) > 0 {
			raw = bytes.Clone(raw)
			raw[int(at)%len(raw)] ^= flip
		}
		b, err := proof.ParseBinary(raw)
		if err != nil {
			return
		}
		proof.VerifySteps(w.g, b)
	})
}

func BenchmarkVerify(b *testing.B) {
	w := story(b, 48)
	for name, want := range map[string]proof.Want{
		"genesisKey": {Pos: shipAt, Field: allFields, Unit: unit(0), Known: w.known[shipAt]},
		"actKey":     {Pos: receiveAt, Field: allFields, Unit: unit(0)},
	} {
		bundle := w.build(want)
		c, _ := w.certified()
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := proof.Verify(w.g, bundle); err != nil {
					b.Fatal(err)
				}
			}
		})
		bare := *bundle
		bare.Certificate = nil
		b.Run(name+"/pinned", func(b *testing.B) {
			for b.Loop() {
				if _, err := proof.VerifyPinned(w.g, &bare, c); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParseBinary(b *testing.B) {
	w := story(b, 48)
	raw := w.build(w.wants()[0]).Binary()
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := proof.ParseBinary(raw); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBuild(b *testing.B) {
	w := story(b, 48)
	c, cert := w.certified()
	wants := w.wants()[:1]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := proof.Build(w.g, w, c, cert, wants); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(w.build(wants...).Binary())), "bytes/proof")
}
