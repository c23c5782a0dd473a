package subscription

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// verifyWebhook is nil if a delivery was signed with the token within the last five minutes.
func verifyWebhook(h http.Header, body []byte, token string, now time.Time) error {
	key := []byte(token)
	if text, ok := strings.CutPrefix(token, "whsec_"); ok {
		var err error
		if key, err = base64.StdEncoding.DecodeString(text); err != nil {
			return err
		}
	}
	stamp, err := strconv.ParseInt(h.Get("webhook-timestamp"), 10, 64)
	if err != nil || now.Sub(time.Unix(stamp, 0)).Abs() > 5*time.Minute {
		return errors.New("webhook: too old, or from the future")
	}
	mac := hmac.New(sha256.New, key)
	fmt.Fprintf(mac, "%s.%s.%s", h.Get("webhook-id"), h.Get("webhook-timestamp"), body)
	want := "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
	for got := range strings.FieldsSeq(h.Get("webhook-signature")) {
		if hmac.Equal([]byte(got), []byte(want)) {
			return nil
		}
	}
	return errors.New("webhook: the signature is wrong")
}

// What the documentation shows is what runs here.
func TestDocumentedVerification(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/subscriptions.md")
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("docs_test.go")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(page), "```go\n")
	code, _, _ = strings.Cut(code, "```")
	if code == "" || !strings.Contains(string(source), code) {
		t.Error("the Go code of docs/subscriptions.md is not verifyWebhook of this file")
	}
	body := []byte(`{"type":"EPCISQueryDocument"}`)
	for _, token := range []string{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "any text, é"} {
		h := http.Header{}
		sign(h, token, "msg_1", begin, body)
		for _, tt := range []struct {
			name, token string
			body        []byte
			late        time.Duration
			ok          bool
		}{
			{"as sent", token, body, 0, true},
			{"a little late", token, body, 5 * time.Minute, true},
			{"too late", token, body, 6 * time.Minute, false},
			{"from the future", token, body, -6 * time.Minute, false},
			{"another body", token, body[1:], 0, false},
			{"another token", token + "A===", body, 0, false},
		} {
			if err := verifyWebhook(h, tt.body, tt.token, begin.Add(tt.late)); (err == nil) != tt.ok {
				t.Errorf("%s: %v", tt.name, err)
			}
		}
	}
}

// The limits that the documentation names are those in force.
func TestDocumentedLimits(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/subscriptions.md")
	if err != nil {
		t.Fatal(err)
	}
	l := defaults()
	for _, text := range []string{
		fmt.Sprintf("%d of an owner, %d,%03d in all; %d KiB each; names of %d bytes", l.QueriesPerOwner, l.Queries/1000, l.Queries%1000, maxQuery>>10, maxName),
		fmt.Sprintf("%d of a query, %d of an owner, %d,%03d in all", l.SubscriptionsPerQuery, l.SubscriptionsPerOwner, l.Subscriptions/1000, l.Subscriptions%1000),
		fmt.Sprintf("%d of an owner, %d in all", l.SocketsPerOwner, l.Sockets),
		fmt.Sprintf("%d events, about %d MiB, %.0f s; %d KiB of your answer", l.Events, l.Bytes>>20, l.Timeout.Seconds(), maxAnswer>>10),
		fmt.Sprintf("up to %d bytes, never shown again", maxToken),
		"connection is 12 hours old", "(every 30 s)", "After three days of failures",
	} {
		if !strings.Contains(string(page), text) {
			t.Errorf("docs/subscriptions.md does not say: %s", text)
		}
	}
	if l.SocketAge != 12*time.Hour || l.Ping != 30*time.Second || l.FailingAfter != 72*time.Hour || l.MinRetry != time.Second || l.MaxRetry != time.Hour {
		t.Error("docs/subscriptions.md has other times")
	}
}
