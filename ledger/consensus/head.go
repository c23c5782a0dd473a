package consensus

import (
	"encoding/binary"
	"errors"
	"fmt"

	"verilot.dev/ledger/block"
	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/merkle"
	"verilot.dev/ledger/state"
)

// State keys of this package all begin with "consensus/":
//
//	consensus/head              network (16), verdict key K_h (32), header bytes
//	consensus/log/<u64>         stored hash of the header log (merkle.StoredHashes)
//	consensus/counter/<key id>  submission counters of a key: see counters
//	consensus/clock/<key id>    newest clock reading of a validator: u64 counter, i64 clock
const (
	headKey       = "consensus/head"
	logPrefix     = "consensus/log/"
	counterPrefix = "consensus/counter/"
	clockPrefix   = "consensus/clock/"
)

// ErrEmpty means that a view holds no block, not even block 0.
var ErrEmpty = errors.New("consensus: the view holds no block")

// Head is the newest block in a view.
type Head struct {
	Header     block.Header
	Raw        []byte
	Hash       canonical.Hash
	VerdictKey canonical.Hash // zero in the view of a LightChain
}

// ReadHead returns the head of a view; false in an empty one.
func ReadHead(v state.View) (Head, bool) {
	b, ok := v.Get(headKey)
	if !ok {
		return Head{}, false
	}
	r := canonical.NewReader(b)
	n := canonical.Network(r.Bytes(16))
	h := Head{VerdictKey: r.Hash(), Raw: r.Rest()}
	var err error
	if h.Header, err = block.DecodeHeader(n, h.Raw); err != nil {
		panic(fmt.Errorf("consensus: damaged head record: %w", err))
	}
	h.Hash = block.HeaderHash(h.Raw)
	return h, true
}

// putHead makes the header the newest: head record and its leaf in the header log.
func putHead(st state.Store, n canonical.Network, h *Head) error {
	b := make([]byte, 0, 48+len(h.Raw))
	b = append(b, n[:]...)
	b = append(b, h.VerdictKey[:]...)
	st.Put(headKey, append(b, h.Raw...))

	hashes, first, err := merkle.StoredHashes(h.Header.Height, h.Hash, logReader(st))
	if err != nil {
		return err
	}
	for i, s := range hashes {
		st.Put(logKey(first+uint64(i)), append([]byte(nil), s[:]...))
	}
	return nil
}

// LogRoot returns the root of the header log of the given size (≤ head height + 1) and a multi-proof of the headers at
// heights, which ascend. Without heights there is no proof.
func LogRoot(v state.View, size uint64, heights []uint64) (root canonical.Hash, proof []canonical.Hash, err error) {
	head, ok := ReadHead(v)
	if !ok {
		return root, nil, ErrEmpty
	}
	if size > head.Header.Height+1 {
		return root, nil, fmt.Errorf("consensus: header log of size %d wanted at height %d", size, head.Header.Height)
	}
	if root, err = merkle.TreeRoot(size, logReader(v)); err != nil || len(heights) == 0 {
		return root, nil, err
	}
	proof, err = merkle.ProveLog(size, heights, logReader(v))
	return root, proof, err
}

func logKey(index uint64) string {
	return string(binary.BigEndian.AppendUint64([]byte(logPrefix), index))
}

func logReader(v state.View) merkle.ReadHash {
	return func(index uint64) (h canonical.Hash, err error) {
		b, ok := v.Get(logKey(index))
		if !ok || len(b) != len(h) {
			return h, fmt.Errorf("consensus: header log lacks hash %d", index)
		}
		return canonical.Hash(b), nil
	}
}
