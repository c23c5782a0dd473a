package store

import (
	"reflect"
	"testing"

	"verilot.dev/ledger/consensus"
	"verilot.dev/ledger/quorum"
)

func sample() *Block {
	b := &Block{
		Height: 7, Header: []byte("header"), FirstSeq: 41,
		Subjects:    []consensus.SubjectSet{{Leaf: 1, Keys: []string{"k"}, Salts: [][]byte{{1}}, Index: []uint32{0}}},
		Certificate: quorum.Certificate{{Validator: 1, Time: 2}},
	}
	for range 20 {
		b.Payloads = append(b.Payloads, make([]byte, 100))
		b.Leaves = append(b.Leaves, make([]byte, 41))
		b.Verdicts = append(b.Verdicts, make([]byte, 19))
	}
	return b
}

// FuzzDecodeBlock: no panic, and what decodes encodes to something that decodes to the same.
func FuzzDecodeBlock(f *testing.F) {
	f.Add(sample().encode())
	f.Add((&Block{Height: 1}).encode())
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := decodeBlock(raw)
		if err != nil {
			return
		}
		again, err := decodeBlock(b.encode())
		if err != nil || !reflect.DeepEqual(b, again) {
			t.Fatalf("%+v became %+v: %v", b, again, err)
		}
	})
}
