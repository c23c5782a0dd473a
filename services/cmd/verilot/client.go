package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// client talks to one service.
type client struct {
	base string
	http *http.Client
	// token signs in for what changes something; it goes to this service only.
	token string
}

func newClient(base string) (*client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return nil, unusable("%q is not a service address: give one like http://localhost:8080", base)
	}
	return &client{base: strings.TrimRight(base, "/"), http: &http.Client{Timeout: 2 * time.Minute}}, nil
}

// problem is an RFC 9457 answer of our services.
type problem struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
	Code   string `json:"code"`
	Errors []struct {
		Line    int    `json:"line"`
		Column  int    `json:"column"`
		Pointer string `json:"pointer"`
		Code    string `json:"code"`
		Message string `json:"message"`
		Hint    string `json:"hint"`
	} `json:"errors"`
	Readings []string `json:"readings"`
	raw      json.RawMessage
}

func (p *problem) Error() string {
	var b strings.Builder
	b.WriteString(p.Code)
	if p.Detail != "" {
		b.WriteString(": " + p.Detail)
	} else if p.Title != "" {
		b.WriteString(": " + p.Title)
	}
	for _, e := range p.Errors {
		if len(p.Errors) == 1 && e.Line == 0 && strings.Contains(p.Detail, e.Message) && strings.Contains(p.Detail, e.Hint) {
			continue // the sentence has said it
		}
		b.WriteString("\n  ")
		if e.Line > 0 {
			fmt.Fprintf(&b, "line %d, column %d: ", e.Line, e.Column)
		} else if e.Pointer != "" {
			b.WriteString(e.Pointer + ": ")
		}
		b.WriteString(e.Message)
		if e.Hint != "" {
			b.WriteString(" (" + e.Hint + ")")
		}
	}
	for _, r := range p.Readings {
		b.WriteString("\n  " + r)
	}
	return b.String()
}

// do sends a request and returns the answer's body; a problem answer is an error of exit code 1 (the input was refused) or 3
// (the service could not answer).
func (c *client) do(ctx context.Context, method, path string, header http.Header, body io.Reader) ([]byte, http.Header, error) {
	resp, err := c.open(ctx, method, path, header, body)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, nil, noAnswer("%s %s: %w", method, c.base+path, err)
	}
	return b, resp.Header, nil
}

func (c *client) open(ctx context.Context, method, path string, header http.Header, body io.Reader) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, method, c.base+path, body)
	if err != nil {
		return nil, unusable("%w", err)
	}
	maps.Copy(req.Header, header)
	if req.Header.Get("Accept") == "" {
		req.Header.Set("Accept", "application/json")
	}
	if c.token != "" && method != http.MethodGet {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, noAnswer("no answer from %s: %w", c.base, unwrapURL(err))
	}
	if resp.StatusCode < 300 {
		return resp, nil
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return nil, noAnswer("%s %s: %w", method, c.base+path, err)
	}
	p := &problem{raw: b}
	if json.Unmarshal(b, p) != nil || p.Code == "" {
		return nil, noAnswer("%s answered %s", c.base+path, resp.Status)
	}
	code := 1
	if resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests {
		code = 3
	}
	return nil, &exit{code: code, err: p}
}

func unwrapURL(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// get decodes a JSON answer into v and returns its bytes.
func (c *client) get(ctx context.Context, path string, v any) ([]byte, error) {
	b, _, err := c.do(ctx, http.MethodGet, path, nil, nil)
	if err != nil {
		return nil, err
	}
	if v != nil {
		if err := json.Unmarshal(b, v); err != nil {
			return nil, noAnswer("%s does not speak our JSON: %w", c.base+path, err)
		}
	}
	return b, nil
}

// refused prints a problem as JSON when JSON was asked for, and passes the error on.
func (a *app) refused(err error) error {
	var e *exit
	var p *problem
	if a.json && errors.As(err, &e) && errors.As(err, &p) && len(p.raw) > 0 {
		a.printf("%s\n", strings.TrimSpace(string(p.raw)))
		e.quiet = true
	}
	return err
}

func apiFlag(c *cobra.Command, api *string) {
	c.Flags().StringVar(api, "api", "http://localhost:8080", "address of an api service")
}

// decode is json.Unmarshal for values that came from our own services.
func decode(b []byte, v any) error {
	if err := json.Unmarshal(b, v); err != nil {
		return noAnswer("the service does not speak our JSON: %w", err)
	}
	return nil
}
