package partner

import (
	"context"
	"fmt"
	"sync"
	"time"

	"verilot.dev/services/internal/node/bus"
)

// brokerConn is a Bus that need not be up when the service starts: captures go on into the outbox
// meanwhile.
type brokerConn struct {
	o bus.Options

	// mu guards b. It is held while connecting, for two seconds at most: the connection is made
	// once.
	mu sync.Mutex
	b  *bus.Bus // nil: not connected yet
}

func (c *brokerConn) get(ctx context.Context) (*bus.Bus, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.b != nil {
		return c.b, nil
	}
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	b, err := bus.Connect(ctx, c.o)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", bus.ErrUnavailable, err)
	}
	c.b = b
	return b, nil
}

func (c *brokerConn) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.b != nil {
		c.b.Close()
	}
}

// LastSeq implements outbox.Bus.
func (c *brokerConn) LastSeq(ctx context.Context) (uint64, error) {
	b, err := c.get(ctx)
	if err != nil {
		return 0, err
	}
	return b.LastSeq(ctx)
}

// Publish implements outbox.Bus.
func (c *brokerConn) Publish(ctx context.Context, party string, payload []byte) (bus.Ack, error) {
	b, err := c.get(ctx)
	if err != nil {
		return bus.Ack{}, err
	}
	return b.Publish(ctx, party, payload)
}

// PublishBatch implements outbox.Bus.
func (c *brokerConn) PublishBatch(ctx context.Context, party string, payloads [][]byte) ([]bus.Ack, error) {
	b, err := c.get(ctx)
	if err != nil {
		return nil, err
	}
	return b.PublishBatch(ctx, party, payloads)
}

// ConsumeBlocks implements outbox.Bus.
func (c *brokerConn) ConsumeBlocks(ctx context.Context, from uint64, handle func(uint64, []byte) (bool, error)) error {
	b, err := c.get(ctx)
	if err != nil {
		return err
	}
	return b.ConsumeBlocks(ctx, from, handle)
}
