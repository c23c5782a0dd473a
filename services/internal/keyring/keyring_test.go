package keyring

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"verilot.dev/ledger/keys"
)

func TestKeys(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "vote.pem")
	if _, err := Load(path, keys.Vote); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	var wg sync.WaitGroup
	loaded := make([]crypto.Signer, 8)
	for i := range loaded {
		wg.Go(func() {
			var err error
			if loaded[i], err = LoadOrCreate(path, keys.Vote); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	again, err := Load(path, keys.Vote)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range loaded {
		if !bytes.Equal(Public(k), Public(again)) {
			t.Fatal("two callers got different keys")
		}
	}
	sig, err := again.Sign(nil, []byte("message"), crypto.Hash(0))
	if err != nil || !ed25519.Verify(Public(again), []byte("message"), sig) {
		t.Error(err)
	}
	st, err := os.Stat(path)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Error(st.Mode(), err)
	}
	if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".key-*")); len(left) != 0 {
		t.Error(left)
	}
	if _, err := Create(path, keys.Vote); !errors.Is(err, fs.ErrExist) {
		t.Errorf("overwriting a key: %v", err)
	}
}

func TestLoadRefuses(t *testing.T) {
	dir := t.TempDir()
	good := filepath.Join(dir, "good")
	if _, err := Create(good, keys.Vote); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		data []byte
		mode os.FileMode
		want string
	}{
		"another use":         {bytes.Replace(b, []byte("vote"), []byte("event"), 1), 0o600, `for "event"`},
		"readable by others":  {b, 0o640, "0640"},
		"not PEM":             {[]byte("key"), 0o600, "exactly one"},
		"two keys":            {append(bytes.Clone(b), b...), 0o600, "exactly one"},
		"another kind of key": {pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Headers: map[string]string{useHeader: keys.Vote}, Bytes: der}), 0o600, "Ed25519"},
		"damaged":             {bytes.Replace(b, []byte("MC4"), []byte("MC5"), 1), 0o600, "damaged"},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(dir, strings.ReplaceAll(name, " ", "-"))
			if err := os.WriteFile(path, tt.data, tt.mode); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, tt.mode); err != nil {
				t.Fatal(err)
			}
			if _, err := Load(path, keys.Vote); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Error(err)
			}
		})
	}
}
