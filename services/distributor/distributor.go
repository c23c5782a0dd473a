// Package distributor is the service that receives, repacks and ships on what others made, for one wholesale distributor. It is a partner service with the
// distributor's profile; what it promises and whom it trusts is said there.
package distributor

import (
	"context"

	"verilot.dev/services/internal/partner"
	"verilot.dev/services/internal/service"
)

// Config is the service's configuration.
type Config = partner.ServiceConfig

// Run serves until ctx ends.
func Run(ctx context.Context, cfg Config, env *service.Env) error {
	return partner.Serve(ctx, partner.Distributor(), cfg, env)
}
