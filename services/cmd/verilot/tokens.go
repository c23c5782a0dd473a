package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"verilot.dev/services/internal/edge/signin"
	"verilot.dev/services/internal/localnet"
)

// tokenVariable names a token in the environment, for scripts.
const tokenVariable = "VERILOT_TOKEN" //nolint:gosec // its name

// tokensFile remembers, for the user of this machine, which token file opens the service at an address: `verilot up` writes what
// `verilot capture` looks for. It holds paths, no tokens.
func tokensFile() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "verilot", "tokens.json"), nil
}

// canonical is an address as it stands in the file. The names of this machine are one.
func canonical(address string) string {
	u, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil {
		return address
	}
	host, port := strings.ToLower(u.Hostname()), u.Port()
	if ip := net.ParseIP(host); ip != nil && ip.IsLoopback() {
		host = "localhost"
	}
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return u.Scheme + "://" + net.JoinHostPort(host, port)
}

func readTokens(file string) (map[string]string, error) {
	b, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return map[string]string{}, nil
	}
	if err != nil {
		return nil, err
	}
	out := map[string]string{}
	if err := json.Unmarshal(b, &out); err != nil {
		return nil, fmt.Errorf("%s is not ours to read: %w", file, err)
	}
	return out, nil
}

// changeTokens rewrites the file so that it is whole at any moment.
func changeTokens(change func(map[string]string)) error {
	file, err := tokensFile()
	if err != nil {
		return err
	}
	known, err := readTokens(file)
	if err != nil {
		return err
	}
	was := maps.Clone(known)
	change(known)
	if maps.Equal(was, known) {
		return nil
	}
	b, err := json.MarshalIndent(known, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".tokens-*") // 0600
	if err != nil {
		return err
	}
	_, err = f.Write(append(b, '\n'))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// rememberTokens lets commands on this machine find the tokens of a network, until forget. That they cannot is worth a note, no more.
func (a *app) rememberTokens(n *localnet.Network) (forget func()) {
	files := map[string]string{}
	for name := range n.Tokens {
		file, err := filepath.Abs(n.TokenFile(name))
		if err != nil {
			file = n.TokenFile(name)
		}
		files[canonical(n.URLs[name])] = file
	}
	if len(files) == 0 {
		return func() {}
	}
	if err := changeTokens(func(known map[string]string) { maps.Copy(known, files) }); err != nil {
		a.note("Commands will need --token-file: where the tokens are could not be remembered: %v", err)
		return func() {}
	}
	return func() {
		// Whoever listens at the address next must not be sent a token of this network. Another network's entries stay.
		_ = changeTokens(func(known map[string]string) {
			maps.DeleteFunc(known, func(address, file string) bool { return files[address] == file })
		})
	}
}

// findToken is the token for a service: of the file named, of the environment, or of the network that runs at the address on this
// machine. "" is none: the service may be open.
func findToken(address, file string) (string, error) {
	if file != "" {
		token, err := signin.Load(file)
		if err != nil {
			return "", unusable("--token-file: %w", err)
		}
		return token, nil
	}
	if token := strings.TrimSpace(os.Getenv(tokenVariable)); token != "" {
		return token, nil
	}
	where, err := tokensFile()
	if err != nil {
		return "", nil //nolint:nilerr // without a home nothing was remembered
	}
	known, err := readTokens(where)
	if err != nil || known[canonical(address)] == "" {
		return "", nil //nolint:nilerr // as above
	}
	token, err := signin.Load(known[canonical(address)])
	if err != nil {
		return "", nil //nolint:nilerr // the network is gone; the service that is there now says what it needs
	}
	return token, nil
}
