package verdict

import (
	"errors"

	"verilot.dev/epcis/gs1"
)

// OfIdentifier returns the code of an identifier that package gs1 cannot read. The FMT_ codes of gs1 are codes of the rules
// too; docs/spec.md section 15 lists which. Any other error is a bad value.
func OfIdentifier(err error) Code {
	if e, ok := errors.AsType[*gs1.Error](err); ok {
		return Code(e.Code)
	}
	return BadValue
}
