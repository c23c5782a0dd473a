package outboxtest

import (
	"math/rand"
	"sync"
)

// Killer stops a service at random steps.
type Killer struct {
	mu   sync.Mutex
	rng  *rand.Rand
	dead bool
}

// NewKiller draws the steps from a seed.
func NewKiller(seed int) *Killer {
	return &Killer{rng: rand.New(rand.NewSource(int64(seed) + 1000))} //nolint:gosec // a test repeats its draws
}

// Step is a step of a service.
func (k *Killer) Step(string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.dead && k.rng.Intn(6) == 0 {
		return ErrKilled
	}
	return nil
}

// Spare lets it live from now on.
func (k *Killer) Spare() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.dead = true
}
