// Package pharmacy is the service that receives and dispenses for one dispenser. It is a partner service with the
// pharmacy's profile; what it promises and whom it trusts is said there.
package pharmacy

import (
	"context"

	"verilot.dev/services/internal/partner"
	"verilot.dev/services/internal/service"
)

// Config is the service's configuration.
type Config = partner.ServiceConfig

// Run serves until ctx ends.
func Run(ctx context.Context, cfg Config, env *service.Env) error {
	return partner.Serve(ctx, partner.Pharmacy(), cfg, env)
}
