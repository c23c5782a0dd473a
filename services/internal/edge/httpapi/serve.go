package httpapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/gin-gonic/gin"
)

type drainKey struct{}

// Draining is closed when the server stops taking requests: what waits for something answers with what it has.
func Draining(ctx context.Context) <-chan struct{} {
	ch, _ := ctx.Value(drainKey{}).(chan struct{})
	return ch
}

// offerHead answers HEAD wherever GET is answered, by the same handler: net/http drops the body.
func offerHead(e *gin.Engine) {
	routes, taken := e.Routes(), map[string]bool{}
	for _, r := range routes {
		if r.Method == http.MethodHead {
			taken[r.Path] = true
		}
	}
	for _, r := range routes {
		if r.Method == http.MethodGet && !taken[r.Path] {
			e.HEAD(r.Path, r.HandlerFunc)
		}
	}
}

// Serve answers on ln until ctx ends, then stops taking requests and gives those under way ten seconds.
func Serve(ctx context.Context, ln net.Listener, h http.Handler) error {
	if e, ok := h.(*gin.Engine); ok {
		offerHead(e)
	}
	draining := make(chan struct{})
	base := context.WithValue(context.WithoutCancel(ctx), drainKey{}, draining)
	srv := &http.Server{
		// A read deadline that passes while a long poll waits would cancel it, so it is longer than any wait.
		Handler: h, ReadHeaderTimeout: 10 * time.Second, ReadTimeout: 3 * time.Minute, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		BaseContext: func(net.Listener) context.Context { return base },
	}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	select {
	case err := <-done:
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	close(draining)
	grace, end := context.WithTimeout(base, 10*time.Second)
	defer end()
	err := srv.Shutdown(grace)
	if errors.Is(err, context.DeadlineExceeded) {
		err = srv.Close()
	}
	if end := <-done; !errors.Is(end, http.ErrServerClosed) {
		err = errors.Join(err, end)
	}
	return err
}

// Listen opens a TCP listener; port 0 picks a free one.
func Listen(ctx context.Context, addr string) (net.Listener, error) {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("listen: %w", err)
	}
	return ln, nil
}
