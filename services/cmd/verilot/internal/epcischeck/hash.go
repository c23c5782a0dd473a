package epcischeck

import (
	"bufio"
	"bytes"
	"errors"
	"io"

	"verilot.dev/epcis"
	"verilot.dev/epcis/epcisdoc"
	"verilot.dev/epcis/eventhash"
)

// Hashes calls fn with the hash ID of every event of a document, faulty ones included, and with what was hashed, which
// is valid during the call; or with why an event has none. Fields that the document asks to leave out are left out.
func Hashes(open Source, fn func(index int, id string, prehash []byte, err error) error) error {
	ignore, err := ignoredFields(open)
	if err != nil {
		return err
	}
	in, err := open()
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	h := eventhash.Hasher{Ignore: ignore}
	_, err = epcisdoc.Read(in, Limits, epcis.Handler{
		Event: func(e epcis.EventAt) error {
			id, prehash, err := h.Hash(&e.Event)
			return fn(e.Index, id, prehash, err)
		},
	})
	return err
}

// ignoredFields reads a document for its ignoreFields, which may stand behind the events: few documents have them, so
// most are only searched for the word.
func ignoredFields(open Source) ([]eventhash.QName, error) {
	has, err := contains(open, "ignoreFields")
	if err != nil || !has {
		return nil, err
	}
	in, err := open()
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }()
	var header *epcis.Header
	if _, err := epcisdoc.Read(in, Limits, epcis.Handler{Header: func(h *epcis.Header) error { header = h; return nil }}); err != nil {
		return nil, err
	}
	return eventhash.IgnoredFields(header), nil
}

func contains(open Source, word string) (bool, error) {
	in, err := open()
	if err != nil {
		return false, err
	}
	defer func() { _ = in.Close() }()
	r := bufio.NewReaderSize(inUTF8(in), 256<<10)
	for {
		b, err := r.Peek(r.Size())
		if bytes.Contains(b, []byte(word)) {
			return true, nil
		}
		switch {
		case errors.Is(err, io.EOF):
			return false, nil
		case err != nil:
			return false, err
		}
		if _, err := r.Discard(len(b) - len(word)); err != nil {
			return false, err
		}
	}
}
