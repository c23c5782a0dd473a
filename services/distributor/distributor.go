// Package distributor is the service that receives, repacks and ships on what others made, for one wholesale distributor. It is the capture engine with the
// distributor's profile; what it promises and whom it trusts is said there.
package distributor

import (
	"context"

	"verilot.dev/services/internal/partner/capture"
	"verilot.dev/services/internal/service"
)

// Config is the service's configuration.
type Config = capture.ServiceConfig

// Run serves until ctx ends.
func Run(ctx context.Context, cfg Config, env *service.Env) error {
	return capture.Serve(ctx, capture.Distributor(), cfg, env)
}
