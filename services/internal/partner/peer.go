package partner

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"verilot.dev/services/internal/answer/ledgerrest"
	"verilot.dev/services/internal/partner/directory"
	"verilot.dev/services/internal/partner/foresee"
)

// Peer is what an api service can tell.
type Peer interface {
	// Indexed is the height up to which blocks have been applied.
	Indexed(ctx context.Context) (uint64, error)
	// Parties lists the registered parties.
	Parties(ctx context.Context) ([]directory.KnownParty, error)
	// Foresee says what the rules would say of the items in a body, if the party submitted it now.
	Foresee(ctx context.Context, party string, body []byte) ([]foresee.Judgement, error)
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

func (p *httpPeer) do(req *http.Request, path string, v any) error {
	resp, err := p.c.Do(req)
	if err != nil {
		return fmt.Errorf("ask api service: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("ask api service: %s answers %s", path, resp.Status)
	}
	if err := json.NewDecoder(http.MaxBytesReader(nil, resp.Body, 64<<20)).Decode(v); err != nil {
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

func (p *httpPeer) Foresee(ctx context.Context, party string, body []byte) ([]foresee.Judgement, error) {
	path := ledgerrest.ForeseePath + "?" + url.Values{"party": {party}}.Encode()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.base+path, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("ask api service: %w", err)
	}
	req.Header.Set("Content-Type", "application/octet-stream")
	if p.token != nil {
		token, err := p.token(req.Method)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "Bearer "+token)
	}
	var s struct {
		Items []foresee.Judgement `json:"items"`
	}
	err = p.do(req, path, &s)
	return s.Items, err
}
