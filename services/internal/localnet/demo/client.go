// Package demo plays stories on a running network through its public interfaces, as the people in them would. Tests of a whole network
// play them too.
//
// The short story is played by [PlayShort] and shown by `verilot up` on first start: a maker makes a lot and ships it, a wholesaler
// receives less than was shipped, a pharmacy dispenses, returns, meets a counterfeit, and the maker recalls the lot.
//
// The national story is played by [PlayNational] and shown by `verilot demo`: several makers, two wholesalers and some dozens of
// pharmacies move lots of thousands of packages in cases and pallets. It has what goes wrong in real trade: a case that does not
// arrive, goods sent back or damaged, a stolen case of which one package turns up, a delivery at the wrong door, a counterfeit at a
// counter, and a recall in the middle of it all.
//
// Products of the national story are real ones of the FDA's NDC Directory, and most of its pharmacies are of CMS's public register,
// because real numbers, names and places find faults that invented ones do not. Everything that happens is invented; where something
// bad happens, the firm is invented too.
//
// Each party signs with its own key, through a service of its own, and the validators judge, as in trade. The same seed makes the same
// choices (not the same serials, which are random by law).
package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"

	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/localnet"
	"verilot.dev/services/internal/partner/capture"
	"verilot.dev/services/internal/partner/journal"
)

// Network is where the services are.
type Network struct {
	API, Manufacturer, Distributor, Pharmacy string
	// Party ids of the three.
	Maker, Wholesaler, Dispenser string
	// Tokens by service (api, manufacturer, distributor, pharmacy) sign in there; none: the services are open.
	Tokens map[string]string
}

// NetworkOf says where the services of a network on this machine are, and who its parties are.
func NetworkOf(n *localnet.Network) Network {
	return Network{
		API: n.URLs["api"], Manufacturer: n.URLs["manufacturer"], Distributor: n.URLs["distributor"], Pharmacy: n.URLs["pharmacy"],
		Maker: localnet.DemoMaker, Wholesaler: localnet.DemoDistributor, Dispenser: localnet.DemoPharmacy, Tokens: n.Tokens,
	}
}

// Service is a service that takes commands.
type Service localnet.Service

// At is a service by its name: api, manufacturer, distributor or pharmacy.
func (n Network) At(name string) Service {
	return Service{URL: map[string]string{"api": n.API, "manufacturer": n.Manufacturer, "distributor": n.Distributor, "pharmacy": n.Pharmacy}[name], Token: n.Tokens[name]}
}

// Command sends a business command to an open service; [Service.Command] signs in.
func Command(ctx context.Context, base, command string, body map[string]any) (*capture.Job, error) {
	return Service{URL: base}.Command(ctx, command, body)
}

// Command sends a business command and waits until the api has its verdicts.
func (s Service) Command(ctx context.Context, command string, body map[string]any) (*capture.Job, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", command, err)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, s.URL+"/v1/"+command, bytes.NewReader(b))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", command, err)
	}
	req.Header.Set("Content-Type", "application/json")
	if s.Token != "" {
		req.Header.Set("Authorization", "Bearer "+s.Token)
	}
	var job capture.Job
	if err := send(req, http.StatusAccepted, &job); err != nil {
		return nil, fmt.Errorf("%s: %w", command, err)
	}
	for job.State != journal.Indexed {
		if err := ctx.Err(); err != nil {
			return nil, fmt.Errorf("%s: job %s is still %s: %w", command, job.CaptureID, job.State, err)
		}
		if err := Get(ctx, s.URL+"/capture/"+job.CaptureID+"?wait=indexed&timeout=20s", &job); err != nil {
			return nil, fmt.Errorf("%s: %w", command, err)
		}
	}
	return &job, nil
}

// Check asks the api what a pharmacist would.
func Check(ctx context.Context, api, id string) (*tracing.Check, error) {
	var c tracing.Check
	return &c, Get(ctx, api+"/v1/verify?"+url.Values{"id": {id}}.Encode(), &c)
}

// Trace asks the api for a unit's history.
func Trace(ctx context.Context, api, id string) (*tracing.Trace, error) {
	var tr tracing.Trace
	return &tr, Get(ctx, api+"/v1/trace?"+url.Values{"id": {id}}.Encode(), &tr)
}

// Lot asks the api where every unit of a lot is.
func Lot(ctx context.Context, api, gtin, lot string) (*tracing.LotTotals, error) {
	var l tracing.LotTotals
	return &l, Get(ctx, api+"/v1/lots/"+url.PathEscape(gtin)+"/"+url.PathEscape(lot), &l)
}

// Get decodes a JSON answer.
func Get(ctx context.Context, address string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return fmt.Errorf("GET %s: %w", address, err)
	}
	return send(req, http.StatusOK, v)
}

func send(req *http.Request, want int, v any) error {
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return fmt.Errorf("no answer: %w", err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return fmt.Errorf("%s %s: %w", req.Method, req.URL, err)
	}
	if resp.StatusCode != want {
		return fmt.Errorf("%s %s: %s: %s", req.Method, req.URL, resp.Status, b)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("%s %s: %w", req.Method, req.URL, err)
	}
	return nil
}
