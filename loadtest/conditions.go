package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// loadAverage is empty where the system does not say.
func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	return strings.Join(strings.Fields(string(b))[:3], " ")
}

// fsync measures appending 1 KiB and syncing it, for at most two seconds.
func fsync(dir string) (p50, p99 float64, err error) {
	f, err := os.Create(filepath.Join(dir, "loadtest-fsync-"+strconv.Itoa(os.Getpid())))
	if err != nil {
		return 0, 0, fmt.Errorf("measure fsync: %w", err)
	}
	defer func() { _ = f.Close(); _ = os.Remove(f.Name()) }()
	var took []float64
	for begin := time.Now(); len(took) < 200 && time.Since(begin) < 2*time.Second; {
		at := time.Now()
		if _, err := f.Write(make([]byte, 1024)); err != nil {
			return 0, 0, fmt.Errorf("measure fsync: %w", err)
		}
		if err := f.Sync(); err != nil {
			return 0, 0, fmt.Errorf("measure fsync: %w", err)
		}
		took = append(took, float64(time.Since(at))/float64(time.Millisecond))
	}
	slices.Sort(took)
	return took[len(took)/2], took[len(took)*99/100], nil
}

// gitVersion is what this command was built from or, where the build does not say, what is checked out in the working folder.
func gitVersion(ctx context.Context) string {
	version, changed := "", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			switch {
			case s.Key == "vcs.revision":
				version = s.Value
			case s.Key == "vcs.modified" && s.Value == "true":
				changed = " with changes"
			}
		}
	}
	if version != "" {
		return version + changed
	}
	out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty", "--abbrev=12").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out)) + " (working folder)"
}

// checkTargets refuses to load what is not on this machine, unless its host was named.
func checkTargets(urls map[string]string, own []string) error {
	for role, text := range urls {
		u, err := url.Parse(text)
		if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
			return fmt.Errorf("--%s %q is not an address like http://127.0.0.1:8080", role, text)
		}
		ip := net.ParseIP(u.Hostname())
		if u.Hostname() == "localhost" || ip != nil && ip.IsLoopback() || slices.Contains(own, u.Hostname()) {
			continue
		}
		return fmt.Errorf("--%s is on %s, which is not this machine; a load test hurts: name the host with --i-own-these %s if you may", role, u.Hostname(), u.Hostname())
	}
	return nil
}

// selfMade is what a network says of itself when it is up.
type selfMade struct {
	URLs   map[string]string `json:"urls"`
	SignIn map[string]string `json:"signIn"` // links, with the token after the #
}

func (n *selfMade) tokens() map[string]string {
	out := map[string]string{}
	for service, link := range n.SignIn {
		_, out[service], _ = strings.Cut(link, "#")
	}
	return out
}

// readTokens reads the sign-in tokens of services that need one.
func readTokens(files map[string]string) (map[string]string, error) {
	out := map[string]string{}
	for service, file := range files {
		if !slices.Contains([]string{"manufacturer", "distributor", "pharmacy"}, service) {
			return nil, fmt.Errorf("%q is not manufacturer, distributor or pharmacy", service)
		}
		b, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		out[service] = strings.TrimSpace(string(b))
	}
	return out, nil
}

// startSelf starts a network of its own in a temporary folder, with the verilot command. stop ends it and waits.
func startSelf(ctx context.Context, binary string, validators, portsBase int) (n *selfMade, stop func(), err error) {
	// Not bound to ctx: stop lets the network end in order, also after Ctrl-C.
	cmd := exec.Command(binary, "up", "--ephemeral", "--empty", "--json", "--validators", strconv.Itoa(validators), "--ports-base", strconv.Itoa(portsBase)) //nolint:gosec,noctx // the operator names the binary; see above
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C reaches it through stop only
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, nil, fmt.Errorf("start a network: %w", err)
	}
	if err := cmd.Start(); err != nil {
		return nil, nil, fmt.Errorf("start a network with %s (make run builds it; --verilot names another): %w", binary, err)
	}
	stop = func() {
		_ = cmd.Process.Signal(os.Interrupt)
		kill := time.AfterFunc(20*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait() // its exit code says nothing about the measurement
		kill.Stop()
	}
	line := make(chan string, 1)
	go func() {
		text, _ := bufio.NewReader(out).ReadString('\n')
		line <- text
	}()
	n = &selfMade{}
	select {
	case text := <-line:
		if err := json.Unmarshal([]byte(text), n); err != nil {
			stop()
			return nil, nil, fmt.Errorf("the network did not start: it said %q", text)
		}
		return n, stop, nil
	case <-time.After(time.Minute):
		err = fmt.Errorf("the network did not start within a minute")
	case <-ctx.Done():
		err = ctx.Err()
	}
	stop()
	return nil, nil, err
}
