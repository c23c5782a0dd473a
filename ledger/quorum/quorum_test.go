package quorum_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
	"pgregory.net/rapid"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/keys"
	"verilot.dev/ledger/quorum"
)

var update = flag.Bool("update", false, "rewrite the golden vectors")

// testKey is the Ed25519 key whose seed is SHA-256 of a name; the vectors say so.
func testKey(name string) ed25519.PrivateKey {
	seed := sha256.Sum256([]byte("verilot test key " + name))
	return ed25519.NewKeyFromSeed(seed[:])
}

func pub(name string) ed25519.PublicKey { return testKey(name).Public().(ed25519.PublicKey) }

var (
	genesis = sum("verilot test network")
	network = canonical.Network(genesis[:16])
)

func sum(s string) canonical.Hash { return sha256.Sum256([]byte(s)) }

func validators(n int) []quorum.Validator {
	var vs []quorum.Validator
	for i := 1; i <= n; i++ {
		v := fmt.Sprintf("v%d", i)
		vs = append(vs, quorum.Validator{Name: v + ".test.example", Party: v, VoteKey: pub(v + "/vote"), CosignKey: pub(v + "/cosign")})
	}
	return vs
}

func set(tb testing.TB, n int) *quorum.Set {
	tb.Helper()
	s, err := quorum.NewSet(validators(n))
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

func vote(tb testing.TB, who string, v quorum.Vote) quorum.SignedVote {
	tb.Helper()
	sv, err := quorum.SignVote(network, v, testKey(who+"/vote"))
	if err != nil {
		tb.Fatal(err)
	}
	return sv
}

func checkpoint() quorum.Checkpoint {
	return quorum.Checkpoint{Origin: quorum.Origin("test", genesis, 1), Size: 43, Root: sum("root")}
}

func cosign(tb testing.TB, c quorum.Checkpoint, index int, at uint64) quorum.Cosignature {
	tb.Helper()
	sig, err := quorum.Cosign(c, at, testKey(fmt.Sprintf("v%d/cosign", index+1)))
	if err != nil {
		tb.Fatal(err)
	}
	return quorum.Cosignature{Validator: uint16(index), Time: at, Signature: sig}
}

func certificate(tb testing.TB, c quorum.Checkpoint, indexes ...int) quorum.Certificate {
	tb.Helper()
	var cert quorum.Certificate
	for _, i := range indexes {
		cert = append(cert, cosign(tb, c, i, 1767225600+uint64(i)))
	}
	return cert
}

func TestNewSet(t *testing.T) {
	for _, tt := range []struct {
		name string
		n    int
		edit func([]quorum.Validator)
		ok   bool
	}{
		{"a lone developer", 1, nil, true},
		{"two could not lose one", 2, nil, false},
		{"three tolerate no liar", 3, nil, false},
		{"four", 4, nil, true},
		{"seven", 7, nil, true},
		{"nobody", 0, nil, false},
		{"a name with a space", 4, func(v []quorum.Validator) { v[0].Name = "a b" }, false},
		{"a name with a no-break space", 4, func(v []quorum.Validator) { v[0].Name = "a\u00a0b" }, false},
		{"a name with a plus", 4, func(v []quorum.Validator) { v[0].Name = "a+b" }, false},
		{"a name with a line feed", 4, func(v []quorum.Validator) { v[0].Name = "a\nb" }, false},
		{"no name", 4, func(v []quorum.Validator) { v[0].Name = "" }, false},
		{"one name twice", 4, func(v []quorum.Validator) { v[0].Name = v[3].Name }, false},
		{"one organisation twice", 4, func(v []quorum.Validator) { v[0].Party = v[3].Party }, false},
		{"one key for votes and cosignatures", 4, func(v []quorum.Validator) { v[0].VoteKey = v[0].CosignKey }, false},
		{"another validator's key", 4, func(v []quorum.Validator) { v[0].VoteKey = v[1].VoteKey }, false},
		{"a key of small order", 4, func(v []quorum.Validator) { v[0].VoteKey = append([]byte{1}, make([]byte, 31)...) }, false},
		{"a short key", 4, func(v []quorum.Validator) { v[0].VoteKey = v[0].VoteKey[:31] }, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			vs := validators(tt.n)
			if tt.edit != nil {
				tt.edit(vs)
			}
			if _, err := quorum.NewSet(vs); (err == nil) != tt.ok {
				t.Errorf("err = %v, want ok = %v", err, tt.ok)
			}
		})
	}
}

func TestQuorumSizes(t *testing.T) {
	for n, want := range map[int][2]int{1: {1, 0}, 4: {3, 1}, 5: {4, 1}, 6: {5, 1}, 7: {5, 2}, 10: {7, 3}, 100: {67, 33}} {
		s := &quorum.Set{Validators: make([]quorum.Validator, n)}
		if s.Quorum() != want[0] || s.Faults() != want[1] {
			t.Errorf("%d validators: quorum %d, faults %d, want %v", n, s.Quorum(), s.Faults(), want)
		}
		if 2*s.Quorum()-n <= s.Faults() {
			t.Errorf("%d validators: two quorums may share liars only", n)
		}
		if s.Quorum() > n-s.Faults() {
			t.Errorf("%d validators: the honest alone are no quorum", n)
		}
	}
}

func TestOpenVote(t *testing.T) {
	s := set(t, 4)
	good := vote(t, "v2", quorum.Vote{Epoch: 1, Height: 7, Round: 2, Kind: quorum.Commit, Header: sum("block")})
	got, i, err := s.OpenVote(network, good.Payload())
	if err != nil || i != 1 || got.Vote != good.Vote {
		t.Fatalf("OpenVote = %+v, %d, %v", got.Vote, i, err)
	}
	for at := range good.Payload() {
		bad := good.Payload()
		bad[at] ^= 1
		if _, _, err := s.OpenVote(network, bad); err == nil {
			t.Errorf("a vote with byte %d changed opens", at)
		}
	}
	if _, _, err := s.OpenVote(canonical.Network{1}, good.Payload()); !errors.Is(err, canonical.ErrTag) {
		t.Errorf("a vote for another network: %v", err)
	}
	stranger := vote(t, "v5", quorum.Vote{Epoch: 1, Height: 7, Kind: quorum.Prepare, Header: sum("block")})
	if _, _, err := s.OpenVote(network, stranger.Payload()); !errors.Is(err, quorum.ErrUnknownKey) {
		t.Errorf("a stranger's vote: %v", err)
	}
	for _, v := range []quorum.Vote{
		{Kind: quorum.Prepare, Nil: true, Header: sum("block")},
		{Kind: quorum.Prepare},
		{Kind: 3, Header: sum("block")},
		{Kind: 0, Header: sum("block")},
	} {
		if _, err := quorum.SignVote(network, v, testKey("v1/vote")); !errors.Is(err, canonical.ErrRange) {
			t.Errorf("signed %+v", v)
		}
	}
}

func TestTally(t *testing.T) {
	s := set(t, 4)
	a, b := sum("block A"), sum("block B")
	type ballot struct {
		who    string
		header canonical.Hash // zero: nil
	}
	for _, tt := range []struct {
		name     string
		ballots  []ballot
		quorum   string
		evidence int
	}{
		{"two of four decide nothing", []ballot{{"v1", a}, {"v2", a}}, "none", 0},
		{"three of four decide", []ballot{{"v1", a}, {"v2", a}, {"v4", a}}, "A", 0},
		{"a vote that is sent again counts once", []ballot{{"v1", a}, {"v1", a}, {"v1", a}}, "none", 0},
		{"three votes for two blocks", []ballot{{"v1", a}, {"v2", a}, {"v3", b}}, "none", 0},
		{"three for nil", []ballot{{"v1", canonical.Hash{}}, {"v2", canonical.Hash{}}, {"v3", canonical.Hash{}}}, "nil", 0},
		{"a liar's second vote convicts it and does not count", []ballot{{"v1", a}, {"v2", a}, {"v3", b}, {"v3", a}}, "none", 1},
		{"a liar cannot stop the others", []ballot{{"v3", b}, {"v3", a}, {"v1", a}, {"v2", a}, {"v4", a}}, "A", 1},
		{"nil and a block is lying too", []ballot{{"v3", canonical.Hash{}}, {"v3", a}}, "none", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tally := quorum.NewTally(s, 1, 7, 0, quorum.Prepare)
			evidence := 0
			for _, bl := range tt.ballots {
				sv := vote(t, bl.who, quorum.Vote{Epoch: 1, Height: 7, Kind: quorum.Prepare, Nil: bl.header == canonical.Hash{}, Header: bl.header})
				_, i, err := s.OpenVote(network, sv.Payload())
				if err != nil {
					t.Fatal(err)
				}
				if _, ev := tally.Add(sv, i); ev != nil {
					evidence++
					back, err := s.OpenEvidence(network, ev.First.Payload(), ev.Second.Payload())
					if err != nil || back.Validator != i {
						t.Errorf("evidence does not convict: %v", err)
					}
				}
			}
			got := "none"
			if h, ok := tally.AtLeast(s.Quorum()); ok {
				got = map[canonical.Hash]string{a: "A", b: "B", {}: "nil"}[h]
			}
			if got != tt.quorum || evidence != tt.evidence {
				t.Errorf("quorum for %s with %d convicted, want %s with %d", got, evidence, tt.quorum, tt.evidence)
			}
		})
	}
}

func TestTallyIgnoresOtherSlots(t *testing.T) {
	s := set(t, 4)
	tally := quorum.NewTally(s, 1, 7, 0, quorum.Prepare)
	for _, v := range []quorum.Vote{
		{Epoch: 2, Height: 7, Kind: quorum.Prepare},
		{Epoch: 1, Height: 8, Kind: quorum.Prepare},
		{Epoch: 1, Height: 7, Round: 1, Kind: quorum.Prepare},
		{Epoch: 1, Height: 7, Kind: quorum.Commit},
	} {
		v.Header = sum("block")
		if added, ev := tally.Add(vote(t, "v1", v), 0); added || ev != nil {
			t.Errorf("counted %+v", v)
		}
	}
}

func TestOpenEvidence(t *testing.T) {
	s := set(t, 4)
	v := func(who string, round uint32, block string) []byte {
		return vote(t, who, quorum.Vote{Epoch: 1, Height: 7, Round: round, Kind: quorum.Commit, Header: sum(block)}).Payload()
	}
	for _, tt := range []struct {
		name          string
		first, second []byte
		ok            bool
	}{
		{"two blocks in one slot", v("v1", 0, "a"), v("v1", 0, "b"), true},
		{"the same twice", v("v1", 0, "a"), v("v1", 0, "a"), false},
		{"two validators", v("v1", 0, "a"), v("v2", 0, "b"), false},
		{"two rounds", v("v1", 0, "a"), v("v1", 1, "b"), false},
		{"nonsense", v("v1", 0, "a"), []byte("nonsense"), false},
	} {
		if _, err := s.OpenEvidence(network, tt.first, tt.second); (err == nil) != tt.ok {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}

func TestCheckCertificate(t *testing.T) {
	s, c := set(t, 4), checkpoint()
	other := c
	other.Size++
	for _, tt := range []struct {
		name string
		cert quorum.Certificate
		ok   bool
	}{
		{"a quorum", certificate(t, c, 0, 1, 3), true},
		{"one short", certificate(t, c, 0, 1), false},
		{"one more than a quorum", certificate(t, c, 0, 1, 2, 3), false},
		{"out of order", certificate(t, c, 0, 3, 1), false},
		{"one twice", certificate(t, c, 0, 1, 1), false},
		{"a validator that is not in the set", certificate(t, c, 0, 1, 4), false},
		{"one of another checkpoint", append(certificate(t, c, 0, 1), certificate(t, other, 3)...), false},
		{"nothing", nil, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := s.Check(c, tt.cert); (err == nil) != tt.ok {
				t.Errorf("err = %v, want ok = %v", err, tt.ok)
			}
			back, err := readCertificate(tt.cert.Encode())
			if err != nil || !bytes.Equal(back.Encode(), tt.cert.Encode()) {
				t.Errorf("decode(encode(x)): %v", err)
			}
		})
	}
}

func TestCertify(t *testing.T) {
	s, c := set(t, 4), checkpoint()
	forged := cosign(t, c, 2, 1)
	forged.Time++
	have := []quorum.Cosignature{cosign(t, c, 3, 5), forged, cosign(t, c, 0, 7), cosign(t, c, 0, 8)}
	if cert, bad := s.Certify(c, have); cert != nil || len(bad) != 1 {
		t.Errorf("two good ones made a certificate, or the forgery was not named: %v, %d bad", cert, len(bad))
	}
	cert, _ := s.Certify(c, append(have, cosign(t, c, 1, 9), cosign(t, c, 2, 10)))
	if err := s.Check(c, cert); err != nil {
		t.Fatal(err)
	}
	if cert[0].Time != 7 || cert[2].Validator != 2 {
		t.Error("the first of one validator and the lowest indexes must be kept")
	}
}

// verifier lets golang.org/x/mod/sumdb/note verify cosignatures: an implementation that is not ours.
type verifier struct{ v *quorum.Validator }

func (v verifier) Name() string    { return v.v.Name }
func (v verifier) KeyHash() uint32 { return v.v.KeyHash() }
func (v verifier) Verify(msg, sig []byte) bool {
	if len(sig) != 72 {
		return false
	}
	var t uint64
	for _, b := range sig[:8] {
		t = t<<8 | uint64(b)
	}
	return ed25519.Verify(v.v.CosignKey, fmt.Appendf(nil, "cosignature/v1\ntime %d\n%s", t, msg), sig[8:])
}

func TestNoteInterop(t *testing.T) {
	s, c := set(t, 4), checkpoint()
	text := s.Note(c, certificate(t, c, 0, 1, 3))
	n, err := note.Open([]byte(text), note.VerifierList(verifier{&s.Validators[0]}, verifier{&s.Validators[1]}, verifier{&s.Validators[3]}))
	if err != nil || len(n.Sigs) != 3 || n.Text != c.Text() {
		t.Fatalf("sumdb/note opens %+v, %v", n, err)
	}
	// tlog's tree note is the same three lines under another origin.
	tree, err := tlog.ParseTree([]byte(strings.Replace(c.Text(), c.Origin, "go.sum database tree", 1)))
	if err != nil || uint64(tree.N) != c.Size || canonical.Hash(tree.Hash) != c.Root {
		t.Errorf("tlog reads %+v, %v", tree, err)
	}
	// A plain log signature of sumdb/note beside ours is skipped.
	skey, _, err := note.GenerateKey(bytes.NewReader(bytes.Repeat([]byte{7}, 64)), "api.test.example")
	if err != nil {
		t.Fatal(err)
	}
	signer, err := note.NewSigner(skey)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := note.Sign(&note.Note{Text: c.Text()}, signer)
	if err != nil {
		t.Fatal(err)
	}
	both := string(signed) + strings.TrimPrefix(text, c.Text()+"\n")
	back, cert, err := s.ParseNote(both)
	if err != nil || back != c || len(cert) != 3 {
		t.Errorf("with a log signature: %v", err)
	}
}

func TestParseNote(t *testing.T) {
	s, c := set(t, 4), checkpoint()
	good := s.Note(c, certificate(t, c, 0, 1, 3))
	lines := strings.SplitAfter(strings.TrimPrefix(good, c.Text()+"\n"), "\n")
	for _, tt := range []struct{ name, note string }{
		{"one line short", strings.TrimSuffix(good, lines[2])},
		{"a line twice", good + lines[0]},
		{"no blank line", strings.Replace(good, "\n\n", "\n", 1)},
		{"no final line feed", strings.TrimSuffix(good, "\n")},
		{"an extension line", strings.Replace(good, "\n\n", "\nextra\n\n", 1)},
		{"another size", strings.Replace(good, "\n43\n", "\n44\n", 1)},
		{"a size with a zero before it", strings.Replace(good, "\n43\n", "\n043\n", 1)},
		{"a line under another validator's name", strings.Replace(good, "— v1.", "— v2.", 1)},
		{"a hyphen for the dash", strings.Replace(good, "—", "-", 1)},
		{"a line that is cut short", strings.Replace(good, "=\n— v2", "\n— v2", 1)},
	} {
		if strings.Count(good, tt.note) == 1 && good == tt.note {
			t.Fatalf("%s: the edit changes nothing", tt.name)
		}
		if _, _, err := s.ParseNote(tt.note); err == nil {
			t.Errorf("%s: parsed", tt.name)
		}
	}
	everybody := s.Note(c, certificate(t, c, 0, 1, 2, 3))
	if _, cert, err := s.ParseNote(everybody); err != nil || s.Check(c, cert) != nil {
		t.Errorf("four lines hold a certificate of three: %v", err)
	}
}

func TestCheckpointText(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := quorum.Checkpoint{
			Origin: quorum.Origin("net", sum("g"), rapid.Uint32().Draw(t, "epoch")),
			Size:   rapid.Uint64Range(0, 1<<63-1).Draw(t, "size"),
			Root:   sum(rapid.String().Draw(t, "root")),
		}
		if back, err := quorum.ParseCheckpoint(c.Text()); err != nil || back != c {
			t.Fatalf("%+v, %v", back, err)
		}
	})
}

type setVector struct {
	Validators []validatorVector `json:"validators"`
	PreImage   string            `json:"preImageHex"`
	Hash       string            `json:"hash"`
}

type validatorVector struct {
	Name      string `json:"name"`
	Party     string `json:"party"`
	VoteKey   string `json:"voteKey"`
	CosignKey string `json:"cosignKey"`
	VoteKeyID string `json:"voteKeyId"`
	NoteHash  string `json:"noteKeyHash"`
	VKey      string `json:"vkey"`
}

type voteVector struct {
	Name      string `json:"name"`
	Epoch     uint32 `json:"epoch"`
	Height    uint64 `json:"height,string"`
	Round     uint32 `json:"round"`
	Kind      uint8  `json:"kind"`
	Nil       bool   `json:"nil"`
	Header    string `json:"header"`
	KeyID     string `json:"keyId"`
	PreImage  string `json:"signedHex"`
	Signature string `json:"signature"`
}

type refusedVector struct {
	Name string `json:"name"`
	Hex  string `json:"hex"`
}

type certVector struct {
	Name string `json:"name"`
	Hex  string `json:"hex"`
	OK   bool   `json:"ok"`
	Note string `json:"note,omitempty"`
}

type cosignVector struct {
	Validator int    `json:"validator"`
	Time      uint64 `json:"time,string"`
	Message   string `json:"message"`
	Signature string `json:"signature"`
}

func TestVectors(t *testing.T) {
	s, c := set(t, 4), checkpoint()
	var v struct {
		Comment      string          `json:"comment"`
		KeysFrom     string          `json:"keysFrom"`
		Network      string          `json:"network"`
		Genesis      string          `json:"genesisHash"`
		Set          setVector       `json:"set"`
		Quorums      map[string]int  `json:"quorums"`
		Votes        []voteVector    `json:"votes"`
		VotesRefused []refusedVector `json:"votesRefused"`
		Checkpoint   struct {
			Network string `json:"networkName"`
			Epoch   uint32 `json:"epoch"`
			Size    uint64 `json:"size,string"`
			Root    string `json:"root"`
			Text    string `json:"text"`
		} `json:"checkpoint"`
		Cosignature  cosignVector `json:"cosignature"`
		Certificates []certVector `json:"certificates"`
	}
	v.Comment = "docs/spec.md section 8. Bytes are hex; signedHex is what is signed, preImageHex what is hashed. A certificate with ok false decodes but certifies nothing."
	v.KeysFrom = `seed = SHA-256("verilot test key " + name), names v1/vote, v1/cosign, …; network = first 16 bytes of genesisHash = SHA-256("verilot test network")`
	v.Network, v.Genesis = hex.EncodeToString(network[:]), hex.EncodeToString(genesis[:])

	pre := canonical.U32(canonical.AppendTag(nil, network, "validators"), 4)
	for i := range s.Validators {
		x := &s.Validators[i]
		pre = append(append(canonical.Str8(canonical.Str8(pre, x.Name), x.Party), x.VoteKey...), x.CosignKey...)
		id := keys.ID(keys.Vote, x.VoteKey)
		v.Set.Validators = append(v.Set.Validators, validatorVector{
			x.Name, x.Party, hex.EncodeToString(x.VoteKey), hex.EncodeToString(x.CosignKey), hex.EncodeToString(id[:]),
			fmt.Sprintf("%08x", x.KeyHash()), x.VerifierKey(),
		})
	}
	h := s.Hash(network)
	if sha256.Sum256(pre) != h {
		t.Error("set hash is not that of its pre-image")
	}
	v.Set.PreImage, v.Set.Hash = hex.EncodeToString(pre), hex.EncodeToString(h[:])
	v.Quorums = map[string]int{"1": 1, "4": 3, "5": 4, "6": 5, "7": 5, "10": 7, "100": 67}

	for _, x := range []struct {
		name string
		v    quorum.Vote
	}{
		{"prepare a block", quorum.Vote{Epoch: 1, Height: 42, Round: 0, Kind: quorum.Prepare, Header: sum("block")}},
		{"commit a block in round 3", quorum.Vote{Epoch: 1, Height: 42, Round: 3, Kind: quorum.Commit, Header: sum("block")}},
		{"commit nil", quorum.Vote{Epoch: 4294967295, Height: 18446744073709551615, Round: 4294967295, Kind: quorum.Commit, Nil: true}},
	} {
		sv := vote(t, "v1", x.v)
		v.Votes = append(v.Votes, voteVector{
			x.name, sv.Vote.Epoch, sv.Vote.Height, sv.Vote.Round, uint8(sv.Vote.Kind), sv.Vote.Nil,
			hex.EncodeToString(sv.Vote.Header[:]), hex.EncodeToString(sv.Vote.KeyID[:]), hex.EncodeToString(sv.Raw), hex.EncodeToString(sv.Signature[:]),
		})
	}
	good := vote(t, "v1", quorum.Vote{Epoch: 1, Height: 42, Kind: quorum.Prepare, Header: sum("block")})
	resign := func(edit func([]byte)) []byte {
		raw := bytes.Clone(good.Raw)
		edit(raw)
		return append(raw, ed25519.Sign(testKey("v1/vote"), raw)...)
	}
	tag := len(canonical.AppendTag(nil, network, "vote"))
	v.VotesRefused = []refusedVector{
		{"nil flag beside a header", hex.EncodeToString(resign(func(b []byte) { b[tag+17] = 1 }))},
		{"nil flag 2", hex.EncodeToString(resign(func(b []byte) { b[tag+17] = 2 }))},
		{"kind 3", hex.EncodeToString(resign(func(b []byte) { b[tag+16] = 3 }))},
		{"header of zeros that is not nil", hex.EncodeToString(resign(func(b []byte) { clear(b[tag+18 : tag+50]) }))},
		{"version 2", hex.EncodeToString(resign(func(b []byte) { b[tag-17] = 2 }))},
		{"a stranger's key", hex.EncodeToString(vote(t, "v5", good.Vote).Payload())},
		{"a trailing byte", hex.EncodeToString(func() []byte {
			raw := append(bytes.Clone(good.Raw), 0)
			return append(raw, ed25519.Sign(testKey("v1/vote"), raw)...)
		}())},
		{"another's signature", hex.EncodeToString(append(bytes.Clone(good.Raw), ed25519.Sign(testKey("v2/vote"), good.Raw)...))},
		{"cut short", hex.EncodeToString(good.Payload()[:150])},
	}
	for _, r := range v.VotesRefused {
		raw, _ := hex.DecodeString(r.Hex)
		if _, _, err := s.OpenVote(network, raw); err == nil {
			t.Errorf("vote with %s opens", r.Name)
		}
	}

	v.Checkpoint.Network, v.Checkpoint.Epoch, v.Checkpoint.Size = "test", 1, c.Size
	v.Checkpoint.Root, v.Checkpoint.Text = hex.EncodeToString(c.Root[:]), c.Text()
	cs := cosign(t, c, 0, 1767225600)
	v.Cosignature = cosignVector{0, cs.Time, string(c.Message(cs.Time)), hex.EncodeToString(cs.Signature[:])}
	flipped := certificate(t, c, 0, 1, 3)
	flipped[1].Signature[63] ^= 0x10
	for _, x := range []struct {
		name string
		cert quorum.Certificate
	}{
		{"a quorum", certificate(t, c, 0, 1, 3)},
		{"one short", certificate(t, c, 0, 1)},
		{"one more than a quorum", certificate(t, c, 0, 1, 2, 3)},
		{"out of order", certificate(t, c, 0, 3, 1)},
		{"one twice", certificate(t, c, 0, 1, 1)},
		{"validator 4 of 0 to 3", certificate(t, c, 0, 1, 4)},
		{"a bit of a signature flipped", flipped},
	} {
		ok := s.Check(c, x.cert) == nil
		cv := certVector{Name: x.name, Hex: hex.EncodeToString(x.cert.Encode()), OK: ok}
		if ok {
			cv.Note = s.Note(c, x.cert)
		}
		v.Certificates = append(v.Certificates, cv)
	}
	golden(t, "quorum.json", v)
}

// golden compares v with a vector file, or rewrites it under -update.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("..", "testdata", "vectors", name)
	if *update {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, b.Bytes()) {
		t.Errorf("%s differs from the golden file; a changed old vector is a fork", name)
	}
}

func FuzzOpenVote(f *testing.F) {
	s := set(f, 4)
	good := vote(f, "v1", quorum.Vote{Epoch: 1, Height: 42, Kind: quorum.Prepare, Header: sum("block")})
	f.Add(good.Payload())
	f.Add(vote(f, "v1", quorum.Vote{Kind: quorum.Commit, Nil: true}).Payload())
	f.Fuzz(func(t *testing.T, b []byte) {
		if v, _, err := s.OpenVote(network, b); err == nil && !bytes.Equal(v.Payload(), b) {
			t.Fatal("a vote has two spellings")
		}
	})
}

// readCertificate reads a certificate that stands alone.
func readCertificate(b []byte) (quorum.Certificate, error) {
	r := canonical.NewReader(b)
	c := quorum.ReadCertificate(r)
	return c, r.Done()
}

func FuzzReadCertificate(f *testing.F) {
	f.Add(certificate(f, checkpoint(), 0, 1, 3).Encode())
	f.Add([]byte{0xff, 0xff})
	f.Fuzz(func(t *testing.T, b []byte) {
		if c, err := readCertificate(b); err == nil && !bytes.Equal(c.Encode(), b) {
			t.Fatal("a certificate has two spellings")
		}
	})
}

func FuzzParseNote(f *testing.F) {
	s, c := set(f, 4), checkpoint()
	f.Add(s.Note(c, certificate(f, c, 0, 1, 3)))
	f.Add(c.Text() + "\n— a b\n")
	f.Fuzz(func(t *testing.T, text string) {
		back, cert, err := s.ParseNote(text)
		if err == nil && s.Check(back, cert) != nil {
			t.Fatal("a parsed note does not check")
		}
		if p, err := quorum.ParseCheckpoint(text); err == nil && p.Text() != text {
			t.Fatal("a checkpoint has two spellings")
		}
	})
}

func BenchmarkOpenVote(b *testing.B) {
	s := set(b, 4)
	p := vote(b, "v4", quorum.Vote{Epoch: 1, Height: 42, Kind: quorum.Prepare, Header: sum("block")}).Payload()
	for b.Loop() {
		if _, _, err := s.OpenVote(network, p); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	s, c := set(b, 4), checkpoint()
	cert := certificate(b, c, 0, 1, 3)
	for b.Loop() {
		if err := s.Check(c, cert); err != nil {
			b.Fatal(err)
		}
	}
}
