package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"verilot.dev/services/internal/edge/signin"
	"verilot.dev/services/internal/localnet"
	"verilot.dev/services/internal/partner/capture"
)

// What the README says works as it stands there: a document goes in without a word about tokens, at localhost, while the network runs.
func TestTokensAreFound(t *testing.T) {
	config := t.TempDir()
	t.Setenv("XDG_CONFIG_HOME", config)
	file, err := tokensFile()
	if err != nil || !strings.HasPrefix(file, config) {
		t.Fatalf("%s %v", file, err)
	}
	other := map[string]string{"http://localhost:1": "/elsewhere/manufacturer-sign-in.token"}
	if err := changeTokens(func(known map[string]string) { known["http://localhost:1"] = other["http://localhost:1"] }); err != nil {
		t.Fatal(err)
	}
	n := startNetwork(t)
	n.up(t)
	if st, err := os.Stat(file); err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", st, err)
	}
	b, err := os.ReadFile(file)
	if err != nil || strings.Count(string(b), "sign-in.token") != 5 {
		t.Errorf("%v %s", err, b)
	}
	doc := filepath.Join(t.TempDir(), "doc.xml")
	send := func(i int, args ...string) (int, string) {
		t.Helper()
		if err := os.WriteFile(doc, []byte(document(localnet.DemoMakerPrefix, localnet.DemoMakerSGLN, i)), 0o600); err != nil {
			t.Fatal(err)
		}
		code, out, errs := verilot(t, append([]string{"capture", doc, "--json"}, args...)...)
		return code, out + errs
	}
	local := strings.Replace(n.url(1), "127.0.0.1", "localhost", 1)
	for i, to := range []string{n.url(1), local, local + "/"} {
		code, out := send(i, "--to", to)
		if job := decodeAs[capture.Job](t, out); code != 0 || !job.Success {
			t.Errorf("to %s: %d %s", to, code, out)
		}
	}
	t.Run("the environment goes before", func(t *testing.T) {
		t.Setenv(tokenVariable, "wrong")
		if code, out := send(5, "--to", local); code != 1 || !strings.Contains(out, "sign_in_failed") {
			t.Errorf("%d %s", code, out)
		}
		if code, out := send(5, "--to", local, "--token-file", n.tokenFile(1)); code != 0 {
			t.Errorf("a file goes before the environment: %d %s", code, out)
		}
	})
	t.Run("nowhere to look", func(t *testing.T) {
		t.Setenv("XDG_CONFIG_HOME", t.TempDir())
		if code, out := send(6, "--to", local); code != 1 || !strings.Contains(out, "sign_in_required") {
			t.Errorf("%d %s", code, out)
		}
	})
	n.stop(t)
	for i, name := range []string{"api", "manufacturer", "distributor", "pharmacy"} {
		token, err := signin.Load(n.tokenFile(i))
		if link := fmt.Sprintf("Sign in:  %-13s %s/sign-in#%s\n", name, n.url(i), token); err != nil || !strings.Contains(n.log.String(), link) {
			t.Errorf("no %s: %v\n%s", link, err, n.log)
		}
		if strings.Contains(string(b), token) {
			t.Errorf("%s holds a token", file)
		}
	}
	if known, err := readTokens(file); err != nil || len(known) != 1 || known["http://localhost:1"] != other["http://localhost:1"] {
		t.Errorf("after the end: %v %v", known, err)
	}

	// Started again without: open, and everybody is told so. With a home that cannot be written nothing is worse than a note.
	if err := os.WriteFile(filepath.Join(config, "file"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(config, "file"))
	n.up(t, "--no-sign-in")
	if code, out := send(7, "--to", local); code != 0 {
		t.Errorf("%d %s", code, out)
	}
	n.stop(t)
	if said := n.log.String(); !strings.Contains(said, "WARNING: no sign-in") || strings.Contains(said, "#") {
		t.Errorf("without a sign-in: %s", said)
	}
	n.up(t)
	n.stop(t)
	if said := n.log.String(); !strings.Contains(said, "Commands will need --token-file") {
		t.Errorf("without a home: %s", said)
	}
}

func TestCanonical(t *testing.T) {
	for address, want := range map[string]string{
		"http://localhost:8081": "http://localhost:8081", "http://127.0.0.1:8081/": "http://localhost:8081", "http://[::1]:8081": "http://localhost:8081",
		"http://LOCALHOST:8081": "http://localhost:8081", "http://localhost": "http://localhost:80", "https://maker.example": "https://maker.example:443",
		"http://localhost.evil.example:8081": "http://localhost.evil.example:8081",
	} {
		if got := canonical(address); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}
