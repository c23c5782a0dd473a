package keys_test

import (
	"crypto/ed25519"
	"encoding/hex"
	"errors"
	"math/rand"
	"slices"
	"testing"

	"verilot.dev/ledger/keys"
)

func pair(seed byte) (ed25519.PublicKey, ed25519.PrivateKey) {
	priv := ed25519.NewKeyFromSeed(slices.Repeat([]byte{seed}, ed25519.SeedSize))
	return priv.Public().(ed25519.PublicKey), priv
}

func unhex(tb testing.TB, s string) []byte {
	tb.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		tb.Fatal(err)
	}
	return b
}

func TestCheck(t *testing.T) {
	good, _ := pair(1)
	for _, tt := range []struct {
		name string
		key  []byte
		want error
	}{
		{"an ordinary key", good, nil},
		{"empty", nil, keys.ErrLength},
		{"31 bytes", good[:31], keys.ErrLength},
		{"33 bytes", append(slices.Clone(good), 0), keys.ErrLength},
		{"no point", unhex(t, "0200000000000000000000000000000000000000000000000000000000000000"), keys.ErrPoint},
		{"the neutral element", unhex(t, "0100000000000000000000000000000000000000000000000000000000000000"), keys.ErrSmallOrder},
		{"order 2", unhex(t, "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"), keys.ErrSmallOrder},
		{"order 4", unhex(t, "0000000000000000000000000000000000000000000000000000000000000000"), keys.ErrSmallOrder},
		{"order 4, sign set", unhex(t, "0000000000000000000000000000000000000000000000000000000000000080"), keys.ErrSmallOrder},
		{"order 8", unhex(t, "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"), keys.ErrSmallOrder},
		{"order 8, other", unhex(t, "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"), keys.ErrSmallOrder},
		{"the neutral element, not canonical", unhex(t, "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"), keys.ErrSmallOrder},
		{"y = p + 3, not canonical", unhex(t, "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"), keys.ErrPoint},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := keys.Check(tt.key); !errors.Is(err, tt.want) {
				t.Errorf("got %v, want %v", err, tt.want)
			}
		})
	}
}

func TestIDNamesUse(t *testing.T) {
	pub, _ := pair(1)
	seen := map[[32]byte]string{}
	for _, use := range []string{keys.Event, keys.Vote, keys.Cosign, keys.Authority} {
		id := keys.ID(use, pub)
		if other, twice := seen[id]; twice {
			t.Errorf("one id for %s and %s", use, other)
		}
		seen[id] = use
	}
}

// A key of small order signs everything under ZIP-215, which is why Check refuses it; the strict rule is stricter about
// what a signature may be made of.
func TestRulesDiffer(t *testing.T) {
	neutral := unhex(t, "0100000000000000000000000000000000000000000000000000000000000000")
	odd := unhex(t, "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f") // the same point, not canonical
	forged := append(slices.Clone(odd), make([]byte, 32)...)
	if !keys.Verify(neutral, []byte("anything"), forged) {
		t.Error("ZIP-215 takes a non-canonical R")
	}
	if keys.VerifyStrict(neutral, []byte("anything"), forged) {
		t.Error("crypto/ed25519 does not")
	}
}

func TestVerifyBatchAgreesWithVerify(t *testing.T) {
	var v keys.Verifier
	v.Max = 3 // so that the cache starts over
	random := rand.New(rand.NewSource(1))
	for round := range 8 {
		var batch []keys.Signed
		var want []bool
		for i := range random.Intn(110) {
			pub, priv := pair(byte(i % 5))
			msg := []byte{byte(round), byte(i)}
			s := keys.Signed{Key: pub, Message: msg, Bytes: ed25519.Sign(priv, msg)}
			if round%2 == 1 {
				switch random.Intn(12) {
				case 0:
					s.Bytes[random.Intn(64)] ^= 1
				case 1:
					s.Key = s.Key[:31]
				case 2:
					s.Key = unhex(t, "0200000000000000000000000000000000000000000000000000000000000000")
				case 3:
					s.Bytes = s.Bytes[:63]
				}
			}
			batch = append(batch, s)
			ok := keys.Verify(s.Key, s.Message, s.Bytes)
			if v.Verify(s.Key, s.Message, s.Bytes) != ok {
				t.Fatalf("cached key: want %v", ok)
			}
			want = append(want, ok)
		}
		if got := v.VerifyBatch(random, batch); !slices.Equal(got, want) {
			t.Fatalf("batch %v\nsingle %v", got, want)
		}
	}
}

func FuzzVerify(f *testing.F) {
	pub, priv := pair(1)
	f.Add([]byte(pub), []byte("m"), ed25519.Sign(priv, []byte("m")))
	f.Fuzz(func(t *testing.T, key, msg, sig []byte) {
		var v keys.Verifier
		ok := keys.Verify(key, msg, sig)
		if v.Verify(key, msg, sig) != ok {
			t.Error("a cached key gives another answer")
		}
		if keys.VerifyStrict(key, msg, sig) && !ok {
			t.Error("strict takes what ZIP-215 refuses")
		}
		_ = keys.Check(key)
	})
}

func BenchmarkVerify(b *testing.B) {
	pub, priv := pair(1)
	msg := make([]byte, 250)
	sig := ed25519.Sign(priv, msg)
	b.Run("single", func(b *testing.B) {
		for b.Loop() {
			keys.Verify(pub, msg, sig)
		}
	})
	var v keys.Verifier
	b.Run("cached", func(b *testing.B) {
		for b.Loop() {
			v.Verify(pub, msg, sig)
		}
	})
	batch := slices.Repeat([]keys.Signed{{Key: pub, Message: msg, Bytes: sig}}, 64)
	random := rand.New(rand.NewSource(1))
	b.Run("batch=64", func(b *testing.B) {
		for b.Loop() {
			v.VerifyBatch(random, batch)
		}
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/sig")
	})
}
