package capture

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"verilot.dev/ledger/canonical"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/partner/outbox"
)

// Limits of one document, announced by OPTIONS /capture.
const (
	// MaxDocument is its size in bytes.
	MaxDocument = 256 << 20
	// MaxEvents is how many events it may hold: about what that many bytes hold of the smallest events there are.
	MaxEvents = 1_000_000

	inMemory  = 1 << 20  // a larger document goes into a file while it is checked
	largeBody = 16 << 20 // of larger ones only maxLarge are taken at a time
	maxLarge  = 2
	// keepFree is what capturing leaves free on the disk: the outbox, which is there already, has to go on working.
	keepFree = 64 << 20
	// checkSpace is after how many bytes of a body the disk is looked at again.
	checkSpace = 8 << 20
	// maxSpooled is how many documents may wait for being made into submissions.
	maxSpooled = 64
)

// body is a document as it was sent: in memory while it is small, else in a file of the spool.
type body struct {
	mem  []byte
	file string
	size int64
	sum  canonical.Hash // SHA-256
	done func()         // gives the place among the large ones back
}

// open reads it from its beginning.
func (b *body) open() (io.ReadCloser, error) {
	if b.file == "" {
		return io.NopCloser(bytes.NewReader(b.mem)), nil
	}
	f, err := os.Open(b.file)
	if err != nil {
		return nil, fmt.Errorf("read spooled document: %w", err)
	}
	return f, nil
}

// close forgets the document, unless keep has given it to a job.
func (b *body) close() {
	if b.file != "" {
		_ = os.Remove(b.file) // what stays behind is removed at the next start
	}
	if b.done != nil {
		b.done()
	}
}

// takeIn reads a document of length bytes (-1: nobody says).
func (s *Service) takeIn(ctx context.Context, r io.Reader, length int64) (*body, error) {
	if length > MaxDocument {
		return nil, documentTooLarge()
	}
	b := &body{}
	if length > largeBody {
		if err := s.takeLarge(b); err != nil {
			return nil, err
		}
	}
	err := s.fill(ctx, b, r, length)
	if err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (s *Service) fill(ctx context.Context, b *body, r io.Reader, length int64) error {
	if err := s.space(max(length, 0)); err != nil {
		return err
	}
	var head bytes.Buffer
	if length > 0 {
		head.Grow(int(min(length, inMemory)) + bytes.MinRead)
	}
	n, err := io.Copy(&head, io.LimitReader(r, inMemory+1))
	if err != nil {
		return notReceived(ctx, err)
	}
	if n <= inMemory {
		b.mem, b.size, b.sum = head.Bytes(), n, sha256.Sum256(head.Bytes())
		return nil
	}
	f, err := os.CreateTemp(s.cfg.Spool, "*"+uploadExt)
	if err != nil {
		return notStored(err)
	}
	b.file = f.Name()
	h := sha256.New()
	for in := io.MultiReader(&head, r); ; {
		n, err := io.CopyN(io.MultiWriter(f, h), in, checkSpace)
		if b.size += n; b.size > MaxDocument {
			err = documentTooLarge()
		} else if errors.Is(err, io.EOF) {
			break
		}
		if err == nil && b.size > largeBody && b.done == nil {
			err = s.takeLarge(b)
		}
		if err == nil {
			err = s.space(max(length-b.size, checkSpace))
		}
		if err != nil {
			_ = f.Close()
			return notReceived(ctx, err)
		}
	}
	h.Sum(b.sum[:0])
	if err := f.Close(); err != nil {
		return notStored(err)
	}
	return nil
}

// takeLarge takes a place among the large documents.
func (s *Service) takeLarge(b *body) error {
	select {
	case s.large <- struct{}{}:
		b.done = func() { <-s.large }
		return nil
	default:
		return busy("%d documents of more than %d MiB are being checked, and more at a time would take the memory of the rest", maxLarge, largeBody>>20)
	}
}

func busy(format string, args ...any) error {
	return httpapi.NewProblem(httpapi.CaptureBusy, format+"; nothing of this one was stored. Send it again in a moment (see Retry-After), with the same Idempotency-Key", args...)
}

// space refuses what would fill the disk.
func (s *Service) space(more int64) error {
	free, err := s.free(s.cfg.Spool)
	if err != nil {
		return notStored(err)
	}
	// Twice: the document, and the submissions that are made of it.
	if need := uint64(2*more) + keepFree; free < need {
		return httpapi.NewProblem(httpapi.StorageFull, "the disk of this service has %d MiB free and the document needs %d MiB; nothing was stored. Have its operator make room, then send the document again", free>>20, (need+1<<20-1)>>20)
	}
	return nil
}

func documentTooLarge() error {
	return httpapi.NewProblem(httpapi.CaptureLimitExceeded, "the document is larger than %d MiB (%d bytes), which is the most that is taken at once; nothing was stored. Send it in several documents", MaxDocument>>20, MaxDocument)
}

func notStored(err error) error {
	return httpapi.NewProblem(httpapi.Unavailable, "the document could not be stored, so nothing of it was captured; send it again with the same Idempotency-Key").Because(err)
}

// notReceived says why a body did not arrive.
func notReceived(ctx context.Context, err error) error {
	if _, ok := errors.AsType[*httpapi.Problem](err); ok {
		return err
	}
	if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() && ctx.Err() == nil {
		return httpapi.NewProblem(httpapi.RequestTimeout, "the document did not arrive in time; nothing was stored. Send it again over a better line, compressed by the line or in parts")
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return documentTooLarge()
	}
	if _, ok := errors.AsType[*os.PathError](err); ok {
		return notStored(err)
	}
	return httpapi.NewProblem(httpapi.MalformedRequest, "the document did not arrive whole (%s); nothing was stored. Send it again", err.Error())
}

// The two kinds of document that are read.
const (
	isXML  = "XML"
	isJSON = "JSON"
)

// kindOfType is what a Content-Type promises.
func kindOfType(contentType string) string {
	t, _, err := mime.ParseMediaType(contentType)
	if err != nil {
		return ""
	}
	switch t {
	case "application/xml", "text/xml", "application/soap+xml":
		return isXML
	case "application/json", "application/ld+json":
		return isJSON
	}
	return ""
}

// readable refuses what is promised to be of no format that is read here.
func readable(contentType, contentEncoding string) error {
	if kindOfType(contentType) == "" {
		if contentType == "" {
			contentType = "nothing"
		}
		return httpapi.NewProblem(httpapi.UnsupportedMediaType,
			"the Content-Type is %s; EPCIS is read as application/xml or text/xml (EPCIS 1.0 to 2.0) and as application/json or application/ld+json (EPCIS 2.0). Name the format of the document and send it again", httpapi.Printable(contentType))
	}
	if c := strings.ToLower(strings.TrimSpace(contentEncoding)); c != "" && c != "identity" {
		return httpapi.NewProblem(httpapi.UnsupportedMediaType, "the Content-Encoding is %s; documents are read as they are, not compressed. Send it without", httpapi.Printable(contentEncoding))
	}
	return nil
}

// sameKind refuses a document that begins like one of the other kind: the sender's system is confused about what it sends, and a
// reader that guesses would hide that.
func (b *body) sameKind(contentType string) error {
	r, err := b.open()
	if err != nil {
		return err
	}
	defer r.Close()
	head := make([]byte, 512)
	n, _ := io.ReadFull(r, head)
	text := bytes.TrimLeft(bytes.TrimPrefix(head[:n], []byte("\xEF\xBB\xBF")), " \t\r\n")
	is := ""
	switch {
	case len(text) == 0:
	case text[0] == '<':
		is = isXML
	case text[0] == '{', text[0] == '[':
		is = isJSON
	}
	if is == "" || is == kindOfType(contentType) {
		return nil // what is neither, the reader says best what is wrong with
	}
	return httpapi.NewProblem(httpapi.UnsupportedMediaType, "the Content-Type is %s but the document begins like %s; send it as %s", httpapi.Printable(contentType), is, map[string]string{isXML: "application/xml or text/xml", isJSON: "application/json or application/ld+json"}[is])
}

// Names of files in the spool: a document that is being received, and one that belongs to a job.
// Others are the outbox's.
const (
	uploadExt = ".upload"
	spoolExt  = ".document"
)

// keep makes the document durable under the job's name.
func (s *Service) keep(b *body, name string) (err error) {
	if b.file == "" {
		f, err := os.CreateTemp(s.cfg.Spool, "*"+uploadExt)
		if err != nil {
			return fmt.Errorf("spool: %w", err)
		}
		b.file = f.Name()
		_, err = f.Write(b.mem)
		if err = errors.Join(err, f.Close()); err != nil {
			return fmt.Errorf("spool: %w", err)
		}
	}
	f, err := os.OpenFile(b.file, os.O_RDWR, 0)
	if err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	if err := errors.Join(f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	to := filepath.Join(s.cfg.Spool, name)
	if err := os.Rename(b.file, to); err != nil {
		return fmt.Errorf("spool: %w", err)
	}
	b.file = to
	return outbox.SyncDir(s.cfg.Spool)
}
