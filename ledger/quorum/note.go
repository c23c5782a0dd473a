package quorum

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"verilot.dev/ledger/canonical"
)

// The limits of golang.org/x/mod/sumdb/note, with room for every validator's line.
const (
	maxNote  = 1 << 20
	maxLines = 100 + MaxValidators
)

// sigAlgorithm is C2SP's type byte of timestamped Ed25519 cosignatures.
const sigAlgorithm = 0x04

// KeyHash is the key id in a note line: the first four bytes of SHA-256(name || 0x0A || 0x04 || public key).
func (v *Validator) KeyHash() uint32 {
	b := append([]byte(v.Name), '\n', sigAlgorithm)
	h := sha256.Sum256(append(b, v.CosignKey...))
	return binary.BigEndian.Uint32(h[:])
}

// VerifierKey is the C2SP vkey that witnesses and monitors are configured with: name+hash+key.
func (v *Validator) VerifierKey() string {
	key := base64.StdEncoding.EncodeToString(append([]byte{sigAlgorithm}, v.CosignKey...))
	return fmt.Sprintf("%s+%08x+%s", v.Name, v.KeyHash(), key)
}

// Note is the checkpoint as a C2SP signed note with the certificate's lines.
func (s *Set) Note(c Checkpoint, cert Certificate) string {
	var b strings.Builder
	b.WriteString(c.Text())
	b.WriteByte('\n')
	for _, cs := range cert {
		if int(cs.Validator) >= len(s.Validators) {
			continue // not one of ours: it has no name to write
		}
		v := &s.Validators[cs.Validator]
		sig := canonical.U64(canonical.U32(nil, v.KeyHash()), cs.Time)
		sig = append(sig, cs.Signature[:]...)
		b.WriteString("— " + v.Name + " " + base64.StdEncoding.EncodeToString(sig) + "\n")
	}
	return b.String()
}

// ParseNote reads a checkpoint note and returns it with a certificate that Check accepts. As C2SP signed-note demands,
// lines of unknown keys are skipped (witnesses may add theirs) and one bad line of a known key condemns the note.
func (s *Set) ParseNote(note string) (Checkpoint, Certificate, error) {
	if len(note) > maxNote {
		return Checkpoint{}, nil, errors.New("quorum: note too long")
	}
	text, lines, ok := strings.Cut(note, "\n\n")
	if !ok {
		return Checkpoint{}, nil, errors.New("quorum: note has no signatures")
	}
	c, err := ParseCheckpoint(text + "\n")
	if err != nil {
		return Checkpoint{}, nil, err
	}
	var have []Cosignature
	seen := make([]bool, len(s.Validators))
	for i := 0; lines != ""; i++ {
		var line string
		if line, lines, ok = strings.Cut(lines, "\n"); !ok || i == maxLines {
			return Checkpoint{}, nil, errors.New("quorum: malformed note")
		}
		name, sig, err := parseLine(line)
		if err != nil {
			return Checkpoint{}, nil, err
		}
		at := s.byLine(name, sig)
		if at < 0 {
			continue
		}
		cs := Cosignature{Validator: uint16(at)}
		if len(sig) != 4+8+64 || seen[at] {
			return Checkpoint{}, nil, fmt.Errorf("quorum: bad note line of %s", name)
		}
		seen[at] = true
		cs.Time = binary.BigEndian.Uint64(sig[4:])
		copy(cs.Signature[:], sig[12:])
		have = append(have, cs)
	}
	cert, bad := s.Certify(c, have)
	switch {
	case len(bad) > 0:
		return Checkpoint{}, nil, fmt.Errorf("quorum: cosignature of %s does not verify", s.Validators[bad[0].Validator].Name)
	case cert == nil:
		return Checkpoint{}, nil, fmt.Errorf("quorum: %d cosignatures, want %d", len(have), s.Quorum())
	}
	return c, cert, nil
}

func parseLine(line string) (name string, sig []byte, err error) {
	rest, ok := strings.CutPrefix(line, "— ")
	name, b64, found := strings.Cut(rest, " ")
	if !ok || !found || checkName(name) != nil {
		return "", nil, errors.New("quorum: malformed note line")
	}
	sig, err = base64.StdEncoding.Strict().DecodeString(b64)
	if err != nil || len(sig) < 5 || strings.ContainsAny(b64, "\r\n") {
		return "", nil, errors.New("quorum: malformed note signature")
	}
	return name, sig, nil
}

// byLine finds the validator that a note line names, or -1.
func (s *Set) byLine(name string, sig []byte) int {
	for i := range s.Validators {
		if v := &s.Validators[i]; v.Name == name && v.KeyHash() == binary.BigEndian.Uint32(sig) {
			return i
		}
	}
	return -1
}
