package localnet

import (
	"errors"
	"strings"
	"testing"

	"verilot.dev/services/internal/service"
)

// A folder keeps its number of brokers, and says so.
func TestCountBrokers(t *testing.T) {
	three, theirs := t.TempDir(), t.TempDir()
	for _, tt := range []struct {
		o    Options
		want int
		says string
	}{
		{Options{Dir: three, Cluster: 3}, 3, ""},
		{Options{Dir: three}, 3, ""},
		{Options{Dir: three, Cluster: 1}, 0, "it has 3 brokers, not 1"},
		{Options{Dir: three, Broker: service.Broker{URL: "nats://x"}}, 0, "leave --nats out"},
		{Options{Dir: theirs, Broker: service.Broker{URL: "nats://x"}}, external, ""},
		{Options{Dir: theirs, Broker: service.Broker{URL: "nats://y"}}, external, ""},
		{Options{Dir: theirs}, 0, "say which with --nats"},
		{Options{Dir: t.TempDir()}, 1, ""},
	} {
		n, err := countBrokers(&tt.o)
		if n != tt.want || (err == nil) != (tt.says == "") || err != nil && (!errors.Is(err, ErrOtherNetwork) || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%+v: %d, %v", tt.o, n, err)
		}
	}
}
