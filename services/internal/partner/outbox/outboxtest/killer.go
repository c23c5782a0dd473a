package outboxtest

import (
	"math/rand"
	"sync"

	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/state"
)

// killer stops the engine at random steps.
type killer struct {
	mu   sync.Mutex
	rng  *rand.Rand
	dead bool
}

func newKiller(seed int) *killer { return &killer{rng: rand.New(rand.NewSource(int64(seed) + 1000))} }

func (k *killer) step(string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.dead && k.rng.Intn(6) == 0 {
		return errKilled
	}
	return nil
}

func (k *killer) spare() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dead = true
}

func registryOf(v state.View) registry.Registry { return registry.Registry{View: v} }
