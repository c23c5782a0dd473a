package partner

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"

	"verilot.dev/services/internal/partner/command"
)

// An event that cannot be named, or is not there, is no event. A service that fails is asked again.
func TestPeerEvent(t *testing.T) {
	for status, none := range map[int]bool{http.StatusNotFound: true, http.StatusBadRequest: true, http.StatusServiceUnavailable: false, http.StatusUnauthorized: false} {
		api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		for _, name := range []string{"hello", "1/2/3"} {
			_, err := HTTPPeer(api.URL, nil).Event(t.Context(), name)
			if err == nil || errors.Is(err, command.ErrNoEvent) != none {
				t.Errorf("%s, answered with %d: %v", name, status, err)
			}
		}
		api.Close()
	}
}
