// Package keyring keeps a service's private keys: one Ed25519 key per file and use, as PKCS#8 in PEM, mode 0600.
//
// Format: the PEM block "PRIVATE KEY", with the use (one of those in ledger/keys) in its header "Verilot-Use", so that
// a key for one purpose is not taken for another.
//
// Trust: whoever reads the file is the party. Callers see a crypto.Signer, so that a key may move into a device later.
package keyring

import (
	"crypto"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

const useHeader = "Verilot-Use"

// Load reads the key for one use.
func Load(path, use string) (crypto.Signer, error) {
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("load %s key: %w", use, err)
	}
	if st.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("load %s key: %s may be read by others (mode %04o): chmod 600 it, and replace the key if others use this machine", use, path, st.Mode().Perm())
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("load %s key: %w", use, err)
	}
	p, rest := pem.Decode(b)
	if p == nil || p.Type != "PRIVATE KEY" || len(rest) != 0 {
		return nil, fmt.Errorf("load %s key: %s does not hold exactly one PEM private key", use, path)
	}
	if have := p.Headers[useHeader]; have != use {
		return nil, fmt.Errorf("load %s key: %s is a key for %q", use, path, have)
	}
	k, err := x509.ParsePKCS8PrivateKey(p.Bytes)
	if err != nil {
		return nil, fmt.Errorf("load %s key: %s: %w", use, path, err)
	}
	key, ok := k.(ed25519.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("load %s key: %s is not an Ed25519 key", use, path)
	}
	return key, nil
}

// Create makes a new key and its file, which must not exist. Both are durable when it returns: a key that was
// registered and then lost with the power could never be used or revoked by its owner.
func Create(path, use string) (crypto.Signer, error) {
	key, err := create(path, use)
	if err != nil {
		return nil, fmt.Errorf("create %s key: %w", use, err)
	}
	return key, nil
}

func create(path, use string) (_ crypto.Signer, err error) {
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	b := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Headers: map[string]string{useHeader: use}, Bytes: der})
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	// Written under another name first, so that a crash leaves no half key, and linked, so that no key is overwritten.
	f, err := os.CreateTemp(dir, ".key-*") // 0600
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.Remove(f.Name())) }()
	_, err = f.Write(b)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	if err := os.Link(f.Name(), path); err != nil {
		return nil, err
	}
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return nil, err
	}
	return key, nil
}

// LoadOrCreate loads the key if its file exists and creates it if not.
func LoadOrCreate(path, use string) (crypto.Signer, error) {
	key, err := Load(path, use)
	if !errors.Is(err, fs.ErrNotExist) {
		return key, err
	}
	if key, err = Create(path, use); errors.Is(err, fs.ErrExist) {
		return Load(path, use) // somebody was faster
	}
	return key, err
}

// Public is the Ed25519 public key of a signer.
func Public(s crypto.Signer) ed25519.PublicKey {
	k, _ := s.Public().(ed25519.PublicKey)
	return k
}
