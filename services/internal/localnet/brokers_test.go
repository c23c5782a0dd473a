package localnet

import (
	"errors"
	"strings"
	"testing"
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
		{Options{Dir: three, NATS: "nats://x"}, 0, "leave --nats out"},
		{Options{Dir: theirs, NATS: "nats://x"}, external, ""},
		{Options{Dir: theirs, NATS: "nats://y"}, external, ""},
		{Options{Dir: theirs}, 0, "say which with --nats"},
		{Options{Dir: t.TempDir()}, 1, ""},
	} {
		n, err := countBrokers(&tt.o)
		if n != tt.want || (err == nil) != (tt.says == "") || err != nil && (!errors.Is(err, ErrOtherNetwork) || !strings.Contains(err.Error(), tt.says)) {
			t.Errorf("%+v: %d, %v", tt.o, n, err)
		}
	}
}
