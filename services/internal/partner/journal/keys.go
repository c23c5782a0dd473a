package journal

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"verilot.dev/ledger/canonical"
	"verilot.dev/ledger/commit"
	"verilot.dev/ledger/state"
)

// The keys of the store. Numbers are big-endian, so that they sort. Keys and values stay as they are: a data folder that an earlier version
// wrote must open.
//
//	j/<job 16>                  Job, JSON; never rewritten
//	r/<job 16><part u16>        Part, JSON: where a submission of the job stands
//	m/<job 16><part u16>        items of a part of a divided document, JSON, compressed: []ItemInfo
//	v/<job 16><part u16>        the verdicts on them, JSON, compressed: []ItemVerdict
//	p/<job 16>                  plan of a document that is not divided yet, JSON
//	q/<job 16>                  Broken, JSON: why a document was not divided to its end
//	f/<job 16><chunk u32>       further faults of a document, JSON: []Fault
//	o/<lane>/<counter u64>      outbox row of a key, whose <lane> is 8 bytes of its id as hex: job 16,
//	                            part u16, the signed message; gone once its verdict is certified. The
//	                            message of a part of a divided document is a file of the spool instead:
//	                            what the value log holds is mapped into memory
//	c/<lane>                    highest counter ever given out, u64
//	i/<SHA-256 of the key>      idempotency: hash of the request 32, job 16
//	s/<submission 16>           sealed values: see encodeSealed
//	d/<u64>                     registrations made here, JSON, in order
//	u/<gtin>/<serial>           a serial that was given out
//	n/<purpose>                 a running number, u64
//	b/<height u64>              a followed block that is still needed, as consensus.DecodeBlockRecord reads it
//	l/…                         the light chain's own state
//	e/secret                    32 random bytes, made once: ids of events that are sealed get others by it
const (
	jobKeys     = "j/"
	partKeys    = "r/"
	metaKeys    = "m/"
	verdictKeys = "v/"
	planKeys    = "p/"
	brokenKeys  = "q/"
	faultKeys   = "f/"
	outKeys     = "o/"
	laneKeys    = "c/"
	idemKeys    = "i/"
	sealedKeys  = "s/"
	actKeys     = "d/"
	serialKeys  = "u/"
	numberKeys  = "n/"
	blockKeys   = "b/"
	lightKeys   = "l/"
	secretKey   = "e/secret"
)

func jobKey(id uuid.UUID) string { return jobKeys + string(id[:]) }

func partKey(id uuid.UUID, part uint16) string {
	return string(binary.BigEndian.AppendUint16([]byte(partKeys+string(id[:])), part))
}

func metaKey(id uuid.UUID, part uint16) string {
	return string(binary.BigEndian.AppendUint16([]byte(metaKeys+string(id[:])), part))
}

func verdictKey(id uuid.UUID, part uint16) string {
	return string(binary.BigEndian.AppendUint16([]byte(verdictKeys+string(id[:])), part))
}

func planKey(id uuid.UUID) string { return planKeys + string(id[:]) }

func brokenKey(id uuid.UUID) string { return brokenKeys + string(id[:]) }

func faultKey(id uuid.UUID, chunk int) string {
	return string(binary.BigEndian.AppendUint32([]byte(faultKeys+string(id[:])), uint32(chunk)))
}

func outKey(lane string, counter uint64) string {
	return string(binary.BigEndian.AppendUint64([]byte(outKeys+lane+"/"), counter))
}

func blockKey(height uint64) string {
	return string(binary.BigEndian.AppendUint64([]byte(blockKeys), height))
}

func u64(b []byte) uint64 {
	if len(b) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(b)
}

func serialKey(gtin, serial string) string { return serialKeys + gtin + "/" + serial }

// An outbox value is job 16, part u16, message.
func encodeRow(job uuid.UUID, part uint16, message []byte) []byte {
	b := make([]byte, 0, 18+len(message))
	return append(canonical.U16(append(b, job[:]...), part), message...)
}

func decodeRow(b []byte) (job uuid.UUID, part uint16, message []byte, err error) {
	r := canonical.NewReader(b)
	copy(job[:], r.Bytes(16))
	part = r.U16()
	message = r.Rest()
	return job, part, message, r.Done()
}

// PutRow writes the outbox row of a queue's submission. message is empty if a file holds it.
func (w *Write) PutRow(queue string, counter uint64, job uuid.UUID, part uint16, message []byte) {
	w.put(outKey(queue, counter), encodeRow(job, part, message))
}

// DropRow removes an outbox row.
func (w *Write) DropRow(queue string, counter uint64) { w.del(outKey(queue, counter)) }

// Row reads the message of an outbox row; ErrNotFound: its verdict is certified.
func (s *Journal) Row(queue string, counter uint64) (message []byte, err error) {
	b, err := s.get(outKey(queue, counter))
	if err != nil {
		return nil, err
	}
	_, _, message, err = decodeRow(b)
	return message, err
}

// Rows calls fn for every outbox row.
func (s *Journal) Rows(fn func(queue string, counter uint64, job uuid.UUID, part uint16, message []byte) error) error {
	var bad error
	err := s.scan(outKeys, "", true, false, func(k string, v []byte) bool {
		var job uuid.UUID
		var part uint16
		var message []byte
		if job, part, message, bad = decodeRow(v); bad == nil {
			bad = fn(k[len(outKeys):len(k)-9], u64([]byte(k[len(k)-8:])), job, part, message)
		}
		if bad != nil {
			bad = fmt.Errorf("outbox row %q: %w", k, bad)
		}
		return bad == nil
	})
	return errors.Join(err, bad)
}

// PutCounter writes the highest counter that a queue has given out.
func (w *Write) PutCounter(queue string, counter uint64) {
	w.put(laneKeys+queue, canonical.U64(nil, counter))
}

// Counter reads it; 0: none was given out.
func (s *Journal) Counter(queue string) (uint64, error) { return s.number(laneKeys + queue) }

func (s *Journal) number(key string) (uint64, error) {
	b, err := s.get(key)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return 0, err
	}
	return u64(b), nil
}

// PutRequest remembers which request of a key became which job. key and request are hashes.
func (w *Write) PutRequest(key, request canonical.Hash, job uuid.UUID) {
	w.put(idemKeys+string(key[:]), append(request[:], job[:]...))
}

// Request reads it, or returns ErrNotFound.
func (s *Journal) Request(key canonical.Hash) (request canonical.Hash, job uuid.UUID, err error) {
	b, err := s.get(idemKeys + string(key[:]))
	if err != nil {
		return request, job, err
	}
	r := canonical.NewReader(b)
	return r.Hash(), uuid.UUID(r.Bytes(16)), nil
}

// PutSealed writes what was sealed in a submission, per item.
func (w *Write) PutSealed(submission uuid.UUID, values [][]commit.SealedValue) {
	if b := encodeSealed(values); b != nil {
		w.put(sealedKeys+string(submission[:]), b)
	}
}

// encodeSealed is u32 count, then per value: u16 item, str16 path, salt (32), u8 type, str32 text;
// nil, if there are none.
func encodeSealed(items [][]commit.SealedValue) []byte {
	n := 0
	for _, it := range items {
		n += len(it)
	}
	if n == 0 {
		return nil
	}
	b := canonical.U32(nil, uint32(n))
	for i, it := range items {
		for _, v := range it {
			b = canonical.U16(b, uint16(i))
			b = canonical.Str16(b, string(v.Path))
			b = append(b, v.Salt[:]...)
			b = canonical.U8(b, uint8(v.Type))
			b = canonical.Str32(b, v.Text)
		}
	}
	return b
}

// Sealed reads what was sealed in a submission, by item; nil: nothing was.
func (s *Journal) Sealed(submission uuid.UUID) (map[uint16][]commit.SealedValue, error) {
	b, err := s.get(sealedKeys + string(submission[:]))
	if errors.Is(err, ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	r := canonical.NewReader(b)
	items := map[uint16][]commit.SealedValue{}
	for range r.U32() {
		item := r.U16()
		v := commit.SealedValue{Path: commit.Path(r.Str16()), Salt: r.Hash(), Type: commit.Type(r.U8()), Text: string(r.Str32())}
		if r.Err() != nil {
			break
		}
		items[item] = append(items[item], v)
	}
	if err := r.Done(); err != nil {
		return nil, fmt.Errorf("sealed values of submission %s: %w", submission, err)
	}
	return items, nil
}

// PutBlock keeps a followed block.
func (w *Write) PutBlock(height uint64, record []byte) { w.put(blockKey(height), record) }

// DropBlock forgets a followed block.
func (w *Write) DropBlock(height uint64) { w.del(blockKey(height)) }

// Block reads a followed block back, or returns ErrNotFound.
func (s *Journal) Block(height uint64) ([]byte, error) { return s.get(blockKey(height)) }

// LowestBlock is the height of the first block that is kept; ok: there is one.
func (s *Journal) LowestBlock() (height uint64, ok bool, err error) {
	err = s.scan(blockKeys, "", false, false, func(k string, _ []byte) bool {
		height, ok = u64([]byte(k[len(blockKeys):])), true
		return false
	})
	return height, ok, err
}

// PutLight writes changes of the light chain's state.
func (w *Write) PutLight(changes []state.Write) {
	for _, c := range changes {
		if c.Value == nil {
			w.del(lightKeys + c.Key)
		} else {
			w.put(lightKeys+c.Key, c.Value)
		}
	}
}

// Light is the light chain's state.
func (s *Journal) Light() state.View { return lightView{s} }

// lightView is a state.View over the keys l/….
type lightView struct{ s *Journal }

// Get implements state.View.
func (v lightView) Get(key string) ([]byte, bool) {
	b, err := v.s.get(lightKeys + key)
	if errors.Is(err, ErrNotFound) {
		return nil, false
	}
	if err != nil {
		panic(err) // state.View: losing the disk ends the reading
	}
	return b, true
}

// Scan implements state.View.
func (v lightView) Scan(prefix string, fn func(string, []byte) bool) {
	err := v.s.scan(lightKeys+prefix, "", true, false, func(k string, b []byte) bool { return fn(k[len(lightKeys):], b) })
	if err != nil {
		panic(err)
	}
}
