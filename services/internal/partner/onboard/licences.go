package onboard

import (
	"context"
	"fmt"
	"slices"

	"verilot.dev/ledger/registry"
	"verilot.dev/ledger/submission"
	"verilot.dev/ledger/wire"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/partner/directory"
	"verilot.dev/services/internal/partner/draft"
)

// LicenceEntry is a licence of a party. docs/spec.md section 14.11 has the kinds that authorize a trading partner.
type LicenceEntry struct {
	Party        string `json:"party" maxLength:"64" doc:"Party id, or a GLN of the party"`
	Number       string `json:"number" minLength:"1" maxLength:"200"`
	Kind         string `json:"kind" minLength:"1" maxLength:"200" doc:"fda_establishment, state_wholesale, federal_wholesale, state_3pl, federal_3pl, fda_annual_report, state_pharmacy; any other kind is recorded and authorizes nothing"`
	Jurisdiction string `json:"jurisdiction,omitempty" maxLength:"200" doc:"Such as US-KY"`
	ValidFrom    string `json:"validFrom,omitempty" doc:"First day, YYYY-MM-DD; open if left out"`
	ValidTo      string `json:"validTo,omitempty" doc:"Last day, YYYY-MM-DD; open if left out"`
}

// Licences registers licences of parties that are registered already, and waits until that is certified. Repeating it
// changes nothing.
func (s *Service) Licences(ctx context.Context, list []LicenceEntry) (*Onboarding, error) {
	if err := s.allowed(ctx); err != nil {
		return nil, err
	}
	s.dir.Refresh(ctx)
	acts, err := s.licences(list)
	if err != nil {
		return nil, err
	}
	out := &Onboarding{Parties: []string{}, Prefixes: []string{}, Products: []string{}, Lots: []string{}, Jobs: []string{}, Unlicensed: []string{}}
	if len(acts) == 0 {
		return out, nil
	}
	d := &draft.Draft{Kind: "onboarding", OnError: submission.Proceed, Authority: true}
	for _, a := range acts {
		d.Items = append(d.Items, draft.Registration(wire.KindPartyAct, a, "licences of "+a.Party))
	}
	accepted, err := s.settled(ctx, d, out)
	if err != nil {
		return nil, err
	}
	var keep []directory.Registration
	for i, a := range acts {
		if accepted[i] != "" {
			out.Notes = append(out.Notes, fmt.Sprintf("the licences of %s were not registered: the ledger says %s", a.Party, accepted[i]))
			continue
		}
		keep = append(keep, directory.Registration{Act: a})
		out.Parties = append(out.Parties, a.Party)
	}
	return out, s.remember(keep)
}

// licences are the acts for what is missing, one per party, in the order of the list.
func (s *Service) licences(list []LicenceEntry) (acts []*registry.Act, err error) {
	s.dir.Read(func(r directory.View) {
		for i, l := range list {
			p, known := r.Party(l.Party)
			if !known {
				if id, ok := r.PartyOfGLN(l.Party); ok {
					p, known = r.Party(id)
				}
			}
			if !known {
				err = httpapi.NewProblem(httpapi.InvalidParameter, "licence %d (%s) is of %q, which is no registered party; name its party id, or one of its GLNs", i+1, l.Number, l.Party)
				return
			}
			licence := registry.Licence{Number: l.Number, Kind: l.Kind, Jurisdiction: l.Jurisdiction, ValidFrom: l.ValidFrom, ValidTo: l.ValidTo}
			if slices.Contains(p.Licences, licence) {
				continue
			}
			at := slices.IndexFunc(acts, func(a *registry.Act) bool { return a.Party == p.ID })
			if at < 0 {
				at = len(acts)
				acts = append(acts, &registry.Act{Party: p.ID, Note: "development onboarding"})
			}
			acts[at].Licences = append(acts[at].Licences, licence)
		}
	})
	return acts, err
}
