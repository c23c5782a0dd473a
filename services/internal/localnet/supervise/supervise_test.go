//go:build unix

package supervise

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestRun: what ended by accident is started again, what ended on purpose is not, and both say why.
func TestRun(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	seen := map[string][]Change{}
	var warned []string
	s := New(Options{
		Binary: "/bin/sh", Logs: dir, Restart: true, MinWait: 10 * time.Millisecond, IsFinal: func(code int) bool { return code == 4 },
		OnChange: func(e Change) {
			seen[e.Name] = append(seen[e.Name], e)
			if len(seen["falls"]) >= 5 && len(seen["halts"]) == 2 && len(seen["lasts"]) == 1 {
				cancel()
			}
		},
		OnWarning: func(name, line string) { warned = append(warned, name+": "+line) },
	}, []Process{
		{Name: "falls", Args: []string{"-c", "kill -9 $$"}},
		{Name: "halts", Args: []string{"-c", "echo 'time=now level=INFO msg=x'; echo 'time=now level=WARN msg=y'; echo why; exit 4"}},
		{Name: "lasts", Args: []string{"-c", "exec sleep 100"}, Rank: 1},
	})
	if err := s.Run(ctx); err != nil {
		t.Fatal(err)
	}
	f := seen["falls"]
	if len(f) < 5 || f[1].What != Ended || !strings.Contains(f[1].Why, "killed") || f[3].Again != 2*f[1].Again || f[1].PID == f[2].PID {
		t.Errorf("%+v", f)
	}
	if why, down := s.Down("halts"); !down || why != "why" || seen["halts"][1].What != Halted {
		t.Errorf("%q %v %+v", why, down, seen["halts"])
	}
	if got := strings.Join(warned, "\n"); !strings.Contains(got, "halts: why") || !strings.Contains(got, "level=WARN msg=y") || strings.Contains(got, "msg=x") {
		t.Error(got)
	}
	if b, err := os.ReadFile(filepath.Join(dir, "halts.log")); err != nil || !strings.Contains(string(b), "msg=x") {
		t.Errorf("%s %v", b, err)
	}
	if len(s.PIDs()) != 0 {
		t.Errorf("still there: %v", s.PIDs())
	}
}
