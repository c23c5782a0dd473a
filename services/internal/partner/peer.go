package partner

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/epcis/epcisdoc"
	"verilot.dev/services/internal/answer/epcisrest"
	"verilot.dev/services/internal/answer/ledgerrest"
	"verilot.dev/services/internal/partner/command"
	"verilot.dev/services/internal/partner/directory"
	"verilot.dev/services/internal/partner/foresee"
)

// Peer is what an api service can tell.
type Peer interface {
	// Indexed is the height up to which blocks have been applied.
	Indexed(ctx context.Context) (uint64, error)
	// Parties lists the registered parties.
	Parties(ctx context.Context) ([]directory.KnownParty, error)
	// Event returns an event on the ledger by its position (height/entry/item) or its id, or
	// command.ErrNoEvent. What is sealed in it is missing.
	Event(ctx context.Context, name string) (*epcis.Event, error)
	// Foresee says what the rules would say of submissions with these bodies, if the party made them
	// now, one after the other: how many items were judged, and what is said of those that are not
	// simply accepted.
	Foresee(ctx context.Context, party string, bodies iter.Seq[[]byte]) (judged int, said []foresee.Judgement, err error)
}

// HTTPPeer asks an api service over HTTP.
// token, if not nil, makes what the api is shown to be asked with a method other than GET.
func HTTPPeer(base string, token func(method string) (string, error)) Peer {
	return &httpPeer{base: strings.TrimRight(base, "/"), token: token, c: &http.Client{Timeout: 5 * time.Second}}
}

type httpPeer struct {
	base  string
	token func(method string) (string, error)
	c     *http.Client
}

func (p *httpPeer) get(ctx context.Context, path string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+path, nil)
	if err != nil {
		return fmt.Errorf("ask api service: %w", err)
	}
	return p.do(req, path, v)
}

// getSigned asks in the party's name.
func (p *httpPeer) getSigned(ctx context.Context, path string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+path, http.NoBody)
	if err != nil {
		return fmt.Errorf("ask api service: %w", err)
	}
	if err := p.sign(req); err != nil {
		return err
	}
	return p.do(req, path, v)
}

func (p *httpPeer) sign(req *http.Request) error {
	if p.token == nil {
		return nil
	}
	token, err := p.token(req.Method)
	if err == nil {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	return err
}

// What an answer may have in bytes: most have far less.
const (
	maxAnswer   = 64 << 20
	maxForeseen = 256 << 20
)

func (p *httpPeer) do(req *http.Request, path string, v any) error {
	return p.send(p.c, req, path, maxAnswer, v)
}

func (p *httpPeer) send(c *http.Client, req *http.Request, path string, most int64, v any) error {
	resp, err := c.Do(req)
	if err != nil {
		return fmt.Errorf("ask api service: %w", err)
	}
	defer resp.Body.Close()
	switch resp.StatusCode {
	case http.StatusNotFound:
		return fmt.Errorf("ask api service: %s: %w", path, errNotThere)
	case http.StatusBadRequest:
		return fmt.Errorf("ask api service: %s: %w", path, errNoName)
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask api service: %s answers %s", path, resp.Status)
	}
	if err := json.NewDecoder(http.MaxBytesReader(nil, resp.Body, most)).Decode(v); err != nil {
		return fmt.Errorf("ask api service: %w", err)
	}
	return nil
}

func (p *httpPeer) Indexed(ctx context.Context) (uint64, error) {
	var s struct {
		Height uint64 `json:"height,string"`
	}
	err := p.get(ctx, "/v1/status", &s)
	return s.Height, err
}

func (p *httpPeer) Parties(ctx context.Context) ([]directory.KnownParty, error) {
	var s struct {
		Parties []directory.KnownParty `json:"parties"`
	}
	err := p.get(ctx, "/v1/parties", &s)
	return s.Parties, err
}

var (
	errNotThere = errors.New("it is not there")
	errNoName   = errors.New("the service cannot read the question")
)

// noEvent reports whether an answer means that no event has the name that was asked for.
func noEvent(err error) bool { return errors.Is(err, errNotThere) || errors.Is(err, errNoName) }

var position = regexp.MustCompile(`^[0-9]+/[0-9]+/[0-9]+$`)

func (p *httpPeer) Event(ctx context.Context, name string) (*epcis.Event, error) {
	id := name
	if position.MatchString(name) {
		var at struct {
			EventID string `json:"eventID"`
		}
		err := p.get(ctx, "/v1/events/"+name, &at)
		if noEvent(err) || err == nil && at.EventID == "" {
			return nil, command.ErrNoEvent
		}
		if err != nil {
			return nil, err
		}
		id = at.EventID
	}
	var raw json.RawMessage
	err := p.getSigned(ctx, "/events/"+url.PathEscape(id), &raw)
	if noEvent(err) {
		return nil, command.ErrNoEvent
	}
	if err != nil {
		return nil, err
	}
	var found *epcis.Event
	_, err = epcisdoc.Read(bytes.NewReader(raw), epcis.Options{}, epcis.Handler{
		Header: func(*epcis.Header) error { return nil },
		Event: func(at epcis.EventAt) error {
			if found == nil || at.Event.ErrorDeclaration == nil { // what declares it an error comes along
				ev := epcisrest.WithoutSealed(at.Event)
				found = &ev
			}
			return nil
		},
		Problem: func(epcis.Problem) error { return nil },
	})
	if err != nil {
		return nil, fmt.Errorf("read the event of the api service: %w", err)
	}
	if found == nil {
		return nil, command.ErrNoEvent
	}
	return found, nil
}

func (p *httpPeer) Foresee(ctx context.Context, party string, bodies iter.Seq[[]byte]) (judged int, said []foresee.Judgement, err error) {
	path := ledgerrest.ForeseePath + "?" + url.Values{"party": {party}}.Encode()
	from, to := io.Pipe()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.base+path, from)
	if err != nil {
		return 0, nil, fmt.Errorf("ask api service: %w", err)
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	if err := p.sign(req); err != nil {
		return 0, nil, err
	}
	var s struct {
		Judged int                 `json:"judged"`
		Items  []foresee.Judgement `json:"items"`
	}
	answered := make(chan error, 1)
	go func() {
		err := p.send(&http.Client{}, req, path, maxForeseen, &s) // ctx says how long it may take
		_ = from.CloseWithError(io.ErrClosedPipe)
		answered <- err
	}()
	var unsent error
	for body := range bodies {
		if unsent = ledgerrest.WriteForeseen(to, body); unsent != nil {
			break
		}
	}
	_ = to.CloseWithError(unsent)
	if err := <-answered; err != nil {
		return 0, nil, err
	}
	return s.Judged, s.Items, unsent
}
