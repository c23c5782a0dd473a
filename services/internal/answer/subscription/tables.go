package subscription

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"github.com/dgraph-io/badger/v4"
	"github.com/dgraph-io/badger/v4/fb"
	"github.com/dgraph-io/badger/v4/pb"
	"github.com/dgraph-io/badger/v4/table"
	"github.com/dgraph-io/badger/v4/y"
	"google.golang.org/protobuf/proto"
)

// checkTables verifies the checksums of Badger's tables. Badger does too, but panics over many a damaged one, in a goroutine of its own
// where nobody can catch it, and the process would end with a stack instead of a sentence.
// Tables that are not in Badger's list are left alone: a crash leaves them behind, half written, and Badger removes them.
func checkTables(dir string, o badger.Options) error {
	list, err := os.Open(filepath.Join(dir, badger.ManifestFilename))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = list.Close() }()
	m, _, err := badger.ReplayManifestFile(list, 0, o)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(m.Tables)) {
		name := table.NewFilename(id, dir)
		b, err := os.ReadFile(name) // they have about 2 MiB
		if err != nil {
			return err
		}
		if err := checkTable(b); err != nil {
			return fmt.Errorf("%s is damaged: %w", filepath.Base(name), err)
		}
	}
	return nil
}

var errTable = errors.New("it is no table")

// checkTable reads a table that is neither compressed nor encrypted: blocks, index, u32 length of the index, checksum of the index as
// protobuf, u32 length of that. A block ends with its own checksum in the same way.
func checkTable(b []byte) error {
	rest, sum, err := checksum(b)
	if err != nil {
		return err
	}
	rest, n, err := number(rest)
	if err != nil || n == 0 || int(n) > len(rest) {
		return errTable
	}
	blocks, raw := rest[:len(rest)-int(n)], rest[len(rest)-int(n):]
	if err := y.VerifyChecksum(raw, sum); err != nil {
		return err
	}
	index := fb.GetRootAsTableIndex(raw, 0) // it is as Badger wrote it
	for i := range index.OffsetsLength() {
		var o fb.BlockOffset
		if !index.Offsets(&o, i) || uint64(o.Offset())+uint64(o.Len()) > uint64(len(blocks)) {
			return errTable
		}
		data, sum, err := checksum(blocks[o.Offset():][:o.Len()])
		if err != nil {
			return err
		}
		if err := y.VerifyChecksum(data, sum); err != nil {
			return err
		}
	}
	return nil
}

// number takes the u32 at the end.
func number(b []byte) (rest []byte, n uint32, err error) {
	if len(b) < 4 {
		return nil, 0, errTable
	}
	rest = b[:len(b)-4]
	return rest, binary.BigEndian.Uint32(b[len(rest):]), nil
}

// checksum takes the one at the end.
func checksum(b []byte) (rest []byte, sum *pb.Checksum, err error) {
	b, n, err := number(b)
	if err != nil || int(n) > len(b) {
		return nil, nil, errTable
	}
	rest, sum = b[:len(b)-int(n)], &pb.Checksum{}
	if err := proto.Unmarshal(b[len(rest):], sum); err != nil {
		return nil, nil, errTable
	}
	// Of another algorithm Badger makes a panic.
	if a := sum.GetAlgo(); a != pb.Checksum_CRC32C && a != pb.Checksum_XXHash64 {
		return nil, nil, errTable
	}
	return rest, sum, nil
}
