package subscription

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"verilot.dev/services/internal/answer/epcisrest"
)

const (
	userAgent = "Verilot-Webhook/1"
	// maxAnswer is what of a receiver's answer is read; only its status counts.
	maxAnswer = 64 << 10
	// maxRetryAfter bounds what a receiver may ask for.
	maxRetryAfter = 24 * time.Hour
)

// sender calls webhooks. Redirects are not followed, proxies of the environment not used: both
// would go around the policy.
type sender struct {
	policy  destinationPolicy
	client  *http.Client
	timeout time.Duration
	tls     *tls.Config
}

func newSender(p destinationPolicy, timeout time.Duration) *sender {
	dialer := &net.Dialer{Timeout: 10 * time.Second, Control: p.control}
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	return &sender{policy: p, timeout: timeout, tls: config, client: &http.Client{
		Transport: &http.Transport{
			DialContext: dialer.DialContext, TLSClientConfig: config, TLSHandshakeTimeout: 10 * time.Second, ForceAttemptHTTP2: true,
			MaxIdleConns: 64, MaxIdleConnsPerHost: 2, IdleConnTimeout: time.Minute, MaxResponseHeaderBytes: maxAnswer, DisableCompression: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

func (s *sender) close() { s.client.CloseIdleConnections() }

// outcome is what became of one call.
type outcome struct {
	ok, tooLarge bool
	reason       string // of a failure, for the owner
	retryAfter   time.Duration
	took         time.Duration
}

// post makes one call.
func (s *sender) post(ctx context.Context, r *subscriptionRecord, id string, now time.Time, body []byte) outcome {
	start := time.Now()
	out := s.try(ctx, r, id, now, body)
	out.took = time.Since(start)
	return out
}

func (s *sender) try(ctx context.Context, r *subscriptionRecord, id string, now time.Time, body []byte) outcome {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.Dest, bytes.NewReader(body))
	if err != nil {
		return outcome{reason: "dest cannot be called"}
	}
	h := req.Header
	h.Set("Content-Type", "application/json")
	h.Set("User-Agent", userAgent)
	h.Set("GS1-EPCIS-Version", epcisrest.SpokenEPCIS)
	h.Set("GS1-CBV-Version", epcisrest.SpokenCBV)
	h.Set("GS1-EPC-Format", formatOf(r.EPCFormat))
	sign(h, r.Token, id, now, body)
	resp, err := s.client.Do(req)
	if err != nil {
		return outcome{reason: reasonOf(err)}
	}
	_, _ = io.CopyN(io.Discard, resp.Body, maxAnswer) // so that the connection can be used again
	_ = resp.Body.Close()
	switch status := resp.StatusCode; {
	case status >= 200 && status < 300:
		return outcome{ok: true}
	case status == http.StatusRequestEntityTooLarge:
		return outcome{tooLarge: true, reason: "the receiver answered 413 to a delivery of one event; let it take larger bodies", retryAfter: retryAfter(resp.Header, now)}
	case status >= 300 && status < 400:
		return outcome{reason: fmt.Sprintf("the receiver answered %d, and redirects are not followed; subscribe with the address that it points to", status)}
	default:
		return outcome{reason: fmt.Sprintf("the receiver answered %d", status), retryAfter: retryAfter(resp.Header, now)}
	}
}

// sign adds the headers of Standard Webhooks 1.0; the standard's own header has the same value.
func sign(h http.Header, token, id string, now time.Time, body []byte) {
	stamp := strconv.FormatInt(now.Unix(), 10)
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", stamp)
	if token == "" {
		return
	}
	mac := hmac.New(sha256.New, signingKey(token))
	mac.Write([]byte(id + "." + stamp + "."))
	mac.Write(body)
	value := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	h.Set("Webhook-Signature", value)
	h.Set("Gs1-Signature", value)
}

const secretPrefix = "whsec_"

// signingKey is what the text after whsec_ stands for, as in Standard Webhooks; any other token is its own bytes.
func signingKey(token string) []byte {
	if text, ok := strings.CutPrefix(token, secretPrefix); ok {
		if key, err := base64.StdEncoding.DecodeString(text); err == nil {
			return key
		}
	}
	return []byte(token)
}

// retryAfter reads the header (RFC 9110 section 10.2.3).
func retryAfter(h http.Header, now time.Time) time.Duration {
	text := strings.TrimSpace(h.Get("Retry-After"))
	if n, err := strconv.ParseUint(text, 10, 32); err == nil {
		return min(time.Duration(n)*time.Second, maxRetryAfter)
	}
	if t, err := http.ParseTime(text); err == nil {
		return min(max(t.Sub(now), 0), maxRetryAfter)
	}
	return 0
}

// tlsReason tells what is wrong with a receiver's certificate.
func tlsReason(err error) (string, bool) {
	var host x509.HostnameError
	var invalid x509.CertificateInvalidError
	var unknown x509.UnknownAuthorityError
	var verification *tls.CertificateVerificationError
	var alert tls.AlertError
	var record tls.RecordHeaderError
	switch {
	case errors.As(err, &host):
		return "the receiver's certificate is for another host", true
	case errors.As(err, &invalid):
		if invalid.Reason == x509.Expired {
			return "the receiver's certificate has expired, or is not valid yet", true
		}
		return "the receiver's certificate is not valid", true
	case errors.As(err, &unknown), errors.As(err, &verification):
		return "the receiver's certificate is signed by nobody that this service knows", true
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return "the receiver does not speak TLS", true
	case errors.As(err, &alert):
		return "the receiver refused the TLS connection", true
	}
	return "", false
}
