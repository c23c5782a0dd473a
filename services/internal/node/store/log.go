// Package store keeps what must not be lost: a Log of checksummed records, and on top of it the certified blocks.
//
// Format of a log: a directory of segments <base>.log, where base (16 hex digits) is the logical offset of the segment's
// first byte, so that offsets go on from one segment to the next:
//
//	segment = "VLTLOG1\n" || u64 base || records
//	record  = u32 length || u8 type || u32 CRC-32C of type and payload || payload (length bytes)
//
// Trust: the disk may lose what was not synced and may rot. An unfinished record at the very end was never synced, so
// nobody has acted on it: it counts as unwritten and is cut off. Anything else that does not check is ErrCorrupt, and
// its owner halts: a validator that forgets a vote can be made to vote twice.
package store

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Type says what a record holds.
type Type uint8

// The record types. Numbers are final.
const (
	Prepare        Type = 1 + iota // validator's journal: block body and prepare vote
	Commit                         // validator's journal: commit vote
	Decision                       // validator's journal: header hash and certificate
	Whole                          // a certified block
	Writes                         // a block's write-set
	PrepareAlone                   // validator's journal: prepare vote, nil or for a body recorded before
	CommitWithBody                 // validator's journal: block body and commit vote
	Adopted                        // validator's journal: block body and that others decided it
	typeEnd
)

// Record is one entry of a log.
type Record struct {
	Type Type
	Data []byte
}

// ErrCorrupt is what a damaged log answers; see CorruptError for where.
var ErrCorrupt = errors.New("store: damaged")

// CorruptError names the damaged place.
type CorruptError struct {
	Segment string // file
	Offset  int64  // in the file
	Reason  string
}

func (e *CorruptError) Error() string {
	return fmt.Sprintf("store: %s is damaged at offset %d: %s", e.Segment, e.Offset, e.Reason)
}

// Is makes it an ErrCorrupt.
func (e *CorruptError) Is(target error) bool { return target == ErrCorrupt }

const (
	logMagic     = "VLTLOG1\n"
	segmentHead  = len(logMagic) + 8
	recordHead   = 9
	maxRecord    = 1 << 30
	segmentLimit = 64 << 20
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(t Type, data []byte) uint32 {
	return crc32.Update(crc32.Update(0, castagnoli, []byte{byte(t)}), castagnoli, data)
}

// LogOptions have working zero values.
type LogOptions struct {
	SegmentSize int64 // a new segment begins after this many bytes; default 64 MiB
}

// Log is an append-only log. Methods may be called concurrently; appends happen in the order of the calls.
type Log struct {
	dir  string
	size int64

	// writing is held by whoever changes the log; readers need only mu, so a slow sync does not hold them up.
	// It guards f and failed; segments and end change only with both held.
	writing sync.Mutex
	f       *os.File // the last segment, for appending
	failed  error    // set for good: after a failed sync nobody knows what is on disk

	mu       sync.RWMutex // guards segments and end
	segments []segment    // ascending; never empty while open
	end      uint64       // logical offset after the last record; moves when that is as durable as asked for
}

type segment struct {
	base uint64
	path string
	r    *os.File
}

// OpenLog opens or creates the log in dir, checks its last segment and cuts off an unfinished record.
func OpenLog(dir string, o LogOptions) (*Log, error) {
	l := &Log{dir: dir, size: o.SegmentSize}
	if l.size <= 0 {
		l.size = segmentLimit
	}
	if err := l.open(); err != nil {
		_ = l.Close()
		return nil, fmt.Errorf("open log %s: %w", dir, err)
	}
	return l, nil
}

func (l *Log) open() error {
	if err := os.MkdirAll(l.dir, 0o755); err != nil {
		return err
	}
	files, err := os.ReadDir(l.dir)
	if err != nil {
		return err
	}
	var names []string
	for _, f := range files {
		if strings.HasSuffix(f.Name(), ".log") {
			names = append(names, f.Name())
		}
	}
	slices.Sort(names) // fixed-width hex: also the order of bases
	for i, name := range names {
		base, err := strconv.ParseUint(strings.TrimSuffix(name, ".log"), 16, 64)
		if err != nil {
			return fmt.Errorf("%s is no segment name", name)
		}
		path := filepath.Join(l.dir, name)
		if i > 0 {
			// The segment before must end exactly here.
			before := l.segments[len(l.segments)-1]
			st, err := before.r.Stat()
			if err != nil {
				return err
			}
			if before.base+uint64(st.Size()) != base {
				return &CorruptError{before.path, st.Size(), "the next segment is " + name}
			}
		}
		ok, err := l.add(path, base, i == len(names)-1)
		if err != nil {
			return err
		}
		if !ok { // created but not finished when the power went: it holds nothing
			if err := os.Remove(path); err != nil {
				return err
			}
		}
	}
	if len(l.segments) == 0 {
		return l.create(0)
	}
	last := l.segments[len(l.segments)-1]
	if l.f, err = os.OpenFile(last.path, os.O_WRONLY|os.O_APPEND, 0); err != nil {
		return err
	}
	end, err := recoverTail(last)
	if err != nil {
		return err
	}
	st, err := l.f.Stat()
	if err != nil {
		return err
	}
	if st.Size() != end {
		if err := l.f.Truncate(end); err != nil {
			return err
		}
		if err := l.f.Sync(); err != nil {
			return err
		}
	}
	l.end = last.base + uint64(end)
	return nil
}

// add opens a segment for reading; false if it is the last one and not even its head is whole.
func (l *Log) add(path string, base uint64, last bool) (bool, error) {
	r, err := os.Open(path)
	if err != nil {
		return false, err
	}
	head := make([]byte, segmentHead)
	switch _, err := io.ReadFull(r, head); {
	case errors.Is(err, io.EOF) && last, errors.Is(err, io.ErrUnexpectedEOF) && last:
		return false, r.Close()
	case err != nil || string(head[:len(logMagic)]) != logMagic || binary.BigEndian.Uint64(head[len(logMagic):]) != base:
		_ = r.Close()
		return false, &CorruptError{path, 0, "no segment head"}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.segments = append(l.segments, segment{base, path, r})
	return true, nil
}

// recoverTail returns where the last whole record of the last segment ends.
func recoverTail(s segment) (int64, error) {
	b, err := os.ReadFile(s.path)
	if err != nil {
		return 0, err
	}
	for at := segmentHead; ; {
		if at == len(b) {
			return int64(at), nil
		}
		n, reason := parse(b[at:])
		if reason == "" {
			at += n
			continue
		}
		// An unfinished record is the last thing in the file. If a whole one follows, this is damage.
		if follows(b[at:]) {
			return 0, &CorruptError{s.path, int64(at), reason}
		}
		return int64(at), nil
	}
}

// parse returns the length of the record at the front of b, or why there is none.
func parse(b []byte) (n int, reason string) {
	if len(b) < recordHead {
		return 0, "it ends inside a record"
	}
	size, t := binary.BigEndian.Uint32(b), Type(b[4])
	if t == 0 || t >= typeEnd {
		return 0, fmt.Sprintf("record type %d", t)
	}
	if size > maxRecord || int(size) > len(b)-recordHead {
		return 0, "it ends inside a record"
	}
	if n = recordHead + int(size); binary.BigEndian.Uint32(b[5:]) != checksum(t, b[recordHead:n]) {
		return 0, "wrong checksum"
	}
	return n, ""
}

// follows reports whether a whole record begins anywhere after the bad one at the front of b.
func follows(b []byte) bool {
	if len(b) >= recordHead { // where its length says that it ends, if that is not what was damaged
		if n := recordHead + int(binary.BigEndian.Uint32(b)); n < len(b) {
			if _, reason := parse(b[n:]); reason == "" {
				return true
			}
		}
	}
	for i := 1; i+recordHead <= len(b); i++ {
		if _, reason := parse(b[i:]); reason == "" {
			return true
		}
	}
	return false
}

// create begins a segment at logical offset base. Its name is durable before anything is written to it.
func (l *Log) create(base uint64) error {
	path := filepath.Join(l.dir, fmt.Sprintf("%016x.log", base))
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	head := binary.BigEndian.AppendUint64([]byte(logMagic), base)
	_, err = f.Write(head)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = SyncDir(l.dir)
	}
	var ok bool
	if err == nil {
		ok, err = l.add(path, base, false)
	}
	if err != nil || !ok {
		_ = f.Close()
		_ = os.Remove(path)
		return err
	}
	if l.f != nil {
		_ = l.f.Close() // synced before
	}
	l.f = f
	l.setEnd(base + uint64(segmentHead))
	return nil
}

func (l *Log) setEnd(end uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.end = end
}

// SyncDir makes the names in a directory durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Append writes records with one write and, with sync, one fdatasync, and returns their offsets. Records of a call that
// failed are not in the log, unless it was the sync that failed: then the log takes nothing more.
func (l *Log) Append(sync bool, records ...Record) ([]uint64, error) {
	l.writing.Lock()
	defer l.writing.Unlock()
	if l.failed != nil {
		return nil, l.failed
	}
	size := 0
	for _, r := range records {
		if r.Type == 0 || r.Type >= typeEnd || len(r.Data) > maxRecord {
			return nil, fmt.Errorf("append to log %s: bad record of type %d and %d bytes", l.dir, r.Type, len(r.Data))
		}
		size += recordHead + len(r.Data)
	}
	last := l.segments[len(l.segments)-1]
	if used := l.end - last.base; used > uint64(segmentHead) && used+uint64(size) > uint64(l.size) {
		// What the old segment holds must be durable before the new one exists: damage is only tolerated at the end.
		if err := l.sync(); err != nil {
			return nil, err
		}
		if err := l.create(l.end); err != nil {
			return nil, fmt.Errorf("begin segment of log %s: %w", l.dir, err)
		}
		last = l.segments[len(l.segments)-1]
	}
	buf, offsets := make([]byte, 0, size), make([]uint64, len(records))
	for i, r := range records {
		offsets[i] = l.end + uint64(len(buf))
		buf = binary.BigEndian.AppendUint32(buf, uint32(len(r.Data)))
		buf = append(buf, byte(r.Type))
		buf = binary.BigEndian.AppendUint32(buf, checksum(r.Type, r.Data))
		buf = append(buf, r.Data...)
	}
	if _, err := l.f.Write(buf); err != nil {
		// A full disk is survivable: take back the part that was written.
		if e := l.f.Truncate(int64(l.end - last.base)); e != nil {
			l.failed = fmt.Errorf("log %s: %w", l.dir, errors.Join(err, e))
		}
		return nil, fmt.Errorf("append to log %s: %w", l.dir, err)
	}
	if sync {
		if err := l.sync(); err != nil {
			return nil, err
		}
	}
	l.setEnd(l.end + uint64(size))
	return offsets, nil
}

func (l *Log) sync() error {
	if err := fdatasync(l.f); err != nil {
		l.failed = fmt.Errorf("sync log %s: %w", l.dir, err)
		return l.failed
	}
	return nil
}

// Sync makes everything appended so far durable.
func (l *Log) Sync() error {
	l.writing.Lock()
	defer l.writing.Unlock()
	if l.failed != nil {
		return l.failed
	}
	return l.sync()
}

// First is the offset of the first record that is kept, if there is one.
func (l *Log) First() uint64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if len(l.segments) == 0 {
		return 0
	}
	return l.segments[0].base + uint64(segmentHead)
}

// End is where the next record goes.
func (l *Log) End() uint64 {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.end
}

// find returns the segment of an offset, where the offset is in it, and where the segment ends. mu is held.
func (l *Log) find(offset uint64) (s segment, at, end int64, err error) {
	i, ok := slices.BinarySearchFunc(l.segments, offset, func(s segment, o uint64) int {
		switch {
		case s.base < o:
			return -1
		case s.base > o:
			return 1
		}
		return 0
	})
	if !ok {
		i--
	}
	if i < 0 || offset >= l.end {
		return s, 0, 0, fmt.Errorf("read log %s: offset %d is outside", l.dir, offset)
	}
	s = l.segments[i]
	end = int64(l.end - s.base)
	if i+1 < len(l.segments) {
		end = int64(l.segments[i+1].base - s.base)
	}
	return s, max(int64(offset-s.base), int64(segmentHead)), end, nil
}

// head reads a record's head and checks that it can stand there.
func (s segment) head(at, end int64) (size int64, t Type, sum uint32, err error) {
	var h [recordHead]byte
	if at+recordHead > end {
		return 0, 0, 0, &CorruptError{s.path, at, "it ends inside a record"}
	}
	if _, err := s.r.ReadAt(h[:], at); err != nil {
		return 0, 0, 0, fmt.Errorf("read %s: %w", s.path, err)
	}
	size, t, sum = int64(binary.BigEndian.Uint32(h[:])), Type(h[4]), binary.BigEndian.Uint32(h[5:])
	if t == 0 || t >= typeEnd || at+recordHead+size > end {
		return 0, 0, 0, &CorruptError{s.path, at, fmt.Sprintf("record of type %d and %d bytes", t, size)}
	}
	return size, t, sum, nil
}

// Iterate calls fn for the records from an offset on (0: all that are kept), in order, up to the end as it is now.
func (l *Log) Iterate(from uint64, fn func(offset uint64, r Record) error) error {
	return l.walk(from, maxRecord, fn)
}

// Scan is Iterate with only the first n bytes of each record, unchecked, which takes no time: it hops from head to head.
func (l *Log) Scan(from uint64, n int, fn func(offset uint64, r Record) error) error {
	return l.walk(from, n, fn)
}

func (l *Log) walk(from uint64, n int, fn func(offset uint64, r Record) error) error {
	from = max(from, l.First())
	for limit := l.End(); from < limit; {
		r, offset, next, err := l.read(from, n)
		if err != nil {
			return err
		}
		if err := fn(offset, r); err != nil {
			return err
		}
		from = next
	}
	return nil
}

// ReadAt returns the record at an offset that Append or Iterate gave.
func (l *Log) ReadAt(offset uint64) (Record, error) {
	r, _, _, err := l.read(offset, maxRecord)
	return r, err
}

// read returns up to n bytes of the record at from, checked if that is all of it, and where the next one begins.
func (l *Log) read(from uint64, n int) (r Record, offset, next uint64, err error) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	s, at, end, err := l.find(from)
	if err != nil {
		return r, 0, 0, err
	}
	size, t, sum, err := s.head(at, end)
	if err != nil {
		return r, 0, 0, err
	}
	r = Record{Type: t, Data: make([]byte, min(int64(n), size))}
	if _, err := s.r.ReadAt(r.Data, at+recordHead); err != nil {
		return r, 0, 0, fmt.Errorf("read %s: %w", s.path, err)
	}
	if n >= int(size) && checksum(t, r.Data) != sum {
		return r, 0, 0, &CorruptError{s.path, at, "wrong checksum"}
	}
	at += recordHead + size
	if next = s.base + uint64(at); at == end && next < l.end {
		next += uint64(segmentHead) // the next segment's first record
	}
	return r, s.base + uint64(at-recordHead-size), next, nil
}

// DropBefore removes the segments that end at or before offset. What they held is gone for good.
func (l *Log) DropBefore(offset uint64) error {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.segments) > 1 && l.segments[1].base <= offset {
		s := l.segments[0]
		if err := os.Remove(s.path); err != nil {
			return fmt.Errorf("drop segment of log %s: %w", l.dir, err)
		}
		_ = s.r.Close()
		l.segments = l.segments[1:]
	}
	return nil
}

// Close closes the files; it syncs nothing.
func (l *Log) Close() error {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	defer l.mu.Unlock()
	var err error
	for _, s := range l.segments {
		err = errors.Join(err, s.r.Close())
	}
	if l.f != nil {
		err = errors.Join(err, l.f.Close())
	}
	l.segments, l.f, l.failed = nil, nil, os.ErrClosed
	l.end = 0
	return err
}
