// Package manufacturer is the service that commissions, packs, ships and recalls what one manufacturer makes. It is a partner service with the
// manufacturer's profile; what it promises and whom it trusts is said there.
package manufacturer

import (
	"context"

	"verilot.dev/services/internal/partner"
	"verilot.dev/services/internal/service"
)

// Config is the service's configuration.
type Config = partner.ServiceConfig

// Run serves until ctx ends.
func Run(ctx context.Context, cfg Config, env *service.Env) error {
	return partner.Serve(ctx, partner.Manufacturer(), cfg, env)
}
