package partner

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"verilot.dev/services/internal/partner/directory"
)

// Peer is what an api service can tell.
type Peer interface {
	// Indexed is the height up to which blocks have been applied.
	Indexed(ctx context.Context) (uint64, error)
	// Parties lists the registered parties.
	Parties(ctx context.Context) ([]directory.KnownParty, error)
}

// HTTPPeer asks an api service over HTTP.
func HTTPPeer(base string) Peer {
	return &httpPeer{base: strings.TrimRight(base, "/"), c: &http.Client{Timeout: 5 * time.Second}}
}

type httpPeer struct {
	base string
	c    *http.Client
}

func (p *httpPeer) get(ctx context.Context, path string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.base+path, nil)
	if err != nil {
		return fmt.Errorf("ask api service: %w", err)
	}
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
