package epcisrest_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"verilot.dev/epcis"
	"verilot.dev/epcis/epcisdoc"
	"verilot.dev/services/internal/localnet"
	"verilot.dev/services/internal/localnet/demo"
)

// On a running network with sign-in: the regulator's api shows everything to who is signed in, a partner's own service what is that
// partner's to see, and nobody else anything.
func TestOverTheNetwork(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	n, err := localnet.Start(ctx, localnet.Options{Dir: t.TempDir(), Validators: 1, SignIn: true})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := n.Stop(); err != nil {
			t.Error(err)
		}
	}()
	told, err := demo.PlayShort(ctx, demo.NetworkOf(n), demo.Invented, demo.ShortSize{Cases: 2, PerCase: 3}, time.Now, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(service, path, token string) (*http.Response, []byte) {
		t.Helper()
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, n.URLs[service]+path, http.NoBody)
		if err != nil {
			t.Fatal(err)
		}
		if token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		req.Header.Set("GS1-EPC-Format", "Never_Translates")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		b, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, b
	}
	events := func(service, path string) []epcis.EventAt {
		t.Helper()
		var all []epcis.EventAt
		for path != "" {
			resp, b := ask(service, path, n.Tokens[service])
			d, err := epcisdoc.Parse(bytes.NewReader(b), epcis.Options{})
			if resp.StatusCode != http.StatusOK || err != nil {
				t.Fatalf("%s %s: %d %v %s", service, path, resp.StatusCode, err, b)
			}
			for _, p := range d.Problems {
				if p.Schema {
					t.Errorf("%s %s: the official schema refuses the answer: %+v", service, path, p)
				}
			}
			all = append(all, d.Events...)
			path = nextPage(t, resp)
		}
		return all
	}
	for service := range n.URLs {
		for _, token := range []string{"", n.Tokens["pharmacy"]} {
			if service == "pharmacy" && token != "" {
				continue
			}
			for _, path := range []string{"/events", "/epcs", "/readPoints/x/events"} {
				if resp, b := ask(service, path, token); resp.StatusCode != http.StatusUnauthorized {
					t.Errorf("%s%s with a token that is not its own: %d %s", service, path, resp.StatusCode, b)
				}
			}
		}
	}
	everything := events("api", "/events?perPage=7")
	names := func(list []epcis.EventAt, epc string) bool {
		return slices.ContainsFunc(list, func(e epcis.EventAt) bool {
			found := false
			e.Event.EPCs(func(_ int, s string) bool { found = found || s == epc; return !found })
			return found
		})
	}
	unit := url.QueryEscape(told.InPharmacy)
	for _, service := range []string{"manufacturer", "distributor", "pharmacy"} {
		own := events(service, "/events?perPage=5")
		if len(own) == 0 || len(own) >= len(everything) && service != "manufacturer" {
			t.Errorf("%s sees %d of %d events", service, len(own), len(everything))
		}
	}
	if pharmacy := events("pharmacy", "/events"); !names(pharmacy, told.InPharmacy) {
		t.Error("the pharmacy does not see what it holds")
	}
	if got := events("pharmacy", "/events?MATCH_anyEPC="+unit+"&orderBy=eventTime&orderDirection=ASC"); len(got) < 3 || epcis.TermBizStep.Word(got[0].Event.BizStep) != "commissioning" {
		t.Errorf("the way of its unit: %d events", len(got))
	}
}

func nextPage(t *testing.T, resp *http.Response) string {
	t.Helper()
	link := resp.Header.Get("Link")
	if link == "" {
		return ""
	}
	return link[1:bytes.IndexByte([]byte(link), '>')]
}
