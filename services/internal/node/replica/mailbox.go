package replica

import "sync"

// mailbox is a queue without a limit: its writers are held back elsewhere, and must not wait for its reader, who may be
// waiting for them.
type mailbox[T any] struct {
	mu    sync.Mutex // guards items
	items []T
	ready chan struct{}
}

func (m *mailbox[T]) init() { m.ready = make(chan struct{}, 1) }

func (m *mailbox[T]) put(item T) {
	m.mu.Lock()
	m.items = append(m.items, item)
	m.mu.Unlock()
	select {
	case m.ready <- struct{}{}:
	default:
	}
}

func (m *mailbox[T]) take() []T {
	m.mu.Lock()
	defer m.mu.Unlock()
	items := m.items
	m.items = nil
	return items
}
