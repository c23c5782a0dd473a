package quorum

import (
	"crypto"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"

	"verilot.dev/ledger/canonical"
)

// Checkpoint is the head of the header log.
type Checkpoint struct {
	Origin string
	Size   uint64
	Root   canonical.Hash
}

// Text is the three lines of spec section 8.2.
func (c Checkpoint) Text() string {
	return c.Origin + "\n" + strconv.FormatUint(c.Size, 10) + "\n" + base64.StdEncoding.EncodeToString(c.Root[:]) + "\n"
}

// ParseCheckpoint reads exactly what Text wrote: no extension lines, no second spelling of the number or the root.
func ParseCheckpoint(text string) (Checkpoint, error) {
	lines := strings.SplitAfter(text, "\n")
	if len(lines) != 4 || lines[3] != "" || len(text) > maxNote {
		return Checkpoint{}, errors.New("quorum: a checkpoint has three lines")
	}
	c := Checkpoint{Origin: strings.TrimSuffix(lines[0], "\n")}
	size, err := strconv.ParseInt(strings.TrimSuffix(lines[1], "\n"), 10, 64)
	if err != nil {
		return Checkpoint{}, errors.New("quorum: bad checkpoint size")
	}
	c.Size = uint64(size)
	root, err := base64.StdEncoding.DecodeString(strings.TrimSuffix(lines[2], "\n"))
	if err != nil || copy(c.Root[:], root) != len(root) {
		return Checkpoint{}, errors.New("quorum: bad checkpoint root")
	}
	if c.Origin == "" || size < 0 || c.Text() != text {
		return Checkpoint{}, errors.New("quorum: checkpoint is not in its one spelling")
	}
	return c, nil
}

// Origin builds the origin line.
func Origin(network string, genesis canonical.Hash, epoch uint32) string {
	return "verilot/" + network + "/" + hex.EncodeToString(genesis[:4]) + "/" + strconv.FormatUint(uint64(epoch), 10)
}

// Cosignature is one validator's signature of a checkpoint.
type Cosignature struct {
	Validator uint16
	Time      uint64 // seconds
	Signature [64]byte
}

const cosignatureSize = 2 + 8 + 64

// Certificate is exactly a quorum of cosignatures in validator order.
type Certificate []Cosignature

// Encode is the binary form of spec section 8.2.
func (c Certificate) Encode() []byte {
	b := canonical.U16(make([]byte, 0, 2+len(c)*cosignatureSize), uint16(len(c)))
	for _, s := range c {
		b = canonical.U64(canonical.U16(b, s.Validator), s.Time)
		b = append(b, s.Signature[:]...)
	}
	return b
}

// ReadCertificate reads what Encode wrote. Whether it certifies anything is for Check to say.
func ReadCertificate(r *canonical.Reader) Certificate {
	count := int(r.U16())
	if count*cosignatureSize > r.Len() {
		r.Fail(canonical.ErrShort)
		return nil
	}
	c := make(Certificate, count)
	for i := range c {
		c[i].Validator, c[i].Time = r.U16(), r.U64()
		copy(c[i].Signature[:], r.Bytes(64))
		if c[i].Time > math.MaxInt64 {
			r.Fail(canonical.ErrRange)
		}
	}
	return c
}

// Message is what a cosignature of c at time t signs (C2SP cosignature/v1).
func (c Checkpoint) Message(t uint64) []byte {
	return []byte("cosignature/v1\ntime " + strconv.FormatUint(t, 10) + "\n" + c.Text())
}

// Cosign signs c at time t (seconds).
func Cosign(c Checkpoint, t uint64, key crypto.Signer) ([64]byte, error) {
	if t > math.MaxInt64 || c.Size > math.MaxInt64 {
		return [64]byte{}, canonical.ErrRange
	}
	return sign(key, c.Message(t))
}

// VerifyCosignature verifies one validator's cosignature of c.
func (s *Set) VerifyCosignature(c Checkpoint, cs Cosignature) error {
	if int(cs.Validator) >= len(s.Validators) {
		return fmt.Errorf("quorum: cosignature of validator %d of %d", cs.Validator, len(s.Validators))
	}
	v := &s.Validators[cs.Validator]
	if cs.Time > math.MaxInt64 || !s.verify(v.CosignKey, c.Message(cs.Time), cs.Signature[:]) {
		return fmt.Errorf("quorum: cosignature of %s does not verify", v.Name)
	}
	return nil
}

// Check verifies that cert is a certificate of c: exactly a quorum, ascending, every signature good.
func (s *Set) Check(c Checkpoint, cert Certificate) error {
	if len(cert) != s.Quorum() {
		return fmt.Errorf("quorum: %d cosignatures, want exactly %d", len(cert), s.Quorum())
	}
	for i, cs := range cert {
		if i > 0 && cs.Validator <= cert[i-1].Validator {
			return errors.New("quorum: cosignatures are not in ascending validator order")
		}
		if err := s.VerifyCosignature(c, cs); err != nil {
			return err
		}
	}
	return nil
}

// Certify makes a certificate of c from whatever cosignatures came in: bad ones are dropped and returned, each validator
// counts once, and of more than a quorum those with the lowest indexes are kept. It is nil while there is no quorum.
func (s *Set) Certify(c Checkpoint, have []Cosignature) (cert Certificate, bad []Cosignature) {
	good := make([]*Cosignature, len(s.Validators))
	for _, cs := range have {
		if s.VerifyCosignature(c, cs) != nil {
			bad = append(bad, cs)
		} else if good[cs.Validator] == nil {
			good[cs.Validator] = &cs
		}
	}
	for _, cs := range good {
		if cs != nil && len(cert) < s.Quorum() {
			cert = append(cert, *cs)
		}
	}
	if len(cert) < s.Quorum() {
		return nil, bad
	}
	return cert, bad
}
