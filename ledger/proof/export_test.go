package proof

import (
	"verilot.dev/ledger/genesis"
)

// VerifySteps runs every step even after one failed, as far as later steps do not rest on what it establishes: a panic
// anywhere behind the certificate is found without having to forge one.
func VerifySteps(g *genesis.Genesis, b *Bundle) {
	v := &verifier{g: g, b: b, r: &Report{}}
	_ = v.genesis()
	_ = v.checkpoint()
	_ = v.certificate()
	if v.headers() != nil {
		return
	}
	_ = v.log()
	_ = v.entries()
	if v.verdicts() != nil {
		// Leaves that did not decode stay nil; later steps must bear that they are what they are.
		return
	}
	_ = v.subjects()
	if v.keys() != nil {
		return
	}
	_ = v.signatures()
	if v.fields() != nil || v.units() != nil {
		return
	}
	_ = v.items()
	_ = v.verdict()
}
