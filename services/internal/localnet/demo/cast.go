package demo

import (
	"context"
	"crypto/ed25519"
	_ "embed"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/registry"
	"verilot.dev/services/internal/answer/ndc"
	"verilot.dev/services/internal/localnet"
	"verilot.dev/services/internal/partner"
	"verilot.dev/services/internal/partner/capture"
)

//go:embed pharmacies.tsv
var pharmaciesFile string

// member is a party of the story.
type member struct {
	id, name, role string
	profile        partner.Profile
	gln            string // location, and owner
	prefixes       []string
	place          map[string]any
	licences       []registry.Licence
	service        string // of the network, if it has one of its own there
}

// locations are numbered under prefixes that GS1 US has not given to anybody: labeler code 99990 and its neighbours.
const (
	pharmacyPrefix = "0399993"
	makerPrefix    = "0399994"
	traderPrefix   = "0399995"
)

// location makes the GLN and the SGLN of the nth place under a prefix.
func location(prefix string, n int) (gln, sgln string, err error) {
	digits := fmt.Sprintf("%s%0*d", prefix, 12-len(prefix), n)
	for check := range 10 {
		if g, err := gs1.ParseGLN(digits + string(rune('0'+check))); err == nil {
			return g.String(), fmt.Sprintf("urn:epc:id:sgln:%s.%s.0", prefix, digits[len(prefix):]), nil
		}
	}
	return "", "", fmt.Errorf("no GLN begins with %s", digits)
}

func newMember(id, name, role string, profile partner.Profile, prefix string, n int, street, city, state, zip, licence string, now time.Time) (member, error) {
	gln, sgln, err := location(prefix, n)
	if err != nil {
		return member{}, err
	}
	m := member{id: id, name: name, role: role, profile: profile, gln: gln, place: map[string]any{
		"id": sgln, "name": name + ", " + city, "streetOne": street, "city": city, "state": state, "postalCode": zip, "country": "US",
	}}
	if licence == "" { // the file does not know it
		licence = fmt.Sprintf("PH-%s-%04d", state, n)
	}
	m.licences = localnet.Licences(role, licence, state, now)
	return m, nil
}

// maker is a manufacturer and what it makes.
type maker struct {
	member
	products []product
}

type product struct {
	ndc.Package
	gtin gs1.GTIN
}

// labelers are the makers' names in the directory, with the NDCs of the packages that they make in the  The first are made by the
// party whose service the network runs.
var labelers = []struct {
	id, name string
	ndcs     []string
	place    [4]string
}{
	{localnet.DemoMaker, "", []string{"0781-2020-01", "0781-2233-01", "0781-5050-01"}, [4]string{}},
	{"mylan", "Mylan Pharmaceuticals", []string{"0378-2073-01", "0378-3631-01"}, [4]string{"781 Chestnut Ridge Rd", "Morgantown", "WV", "26505"}},
	{"lupin", "Lupin Pharmaceuticals", []string{"68180-212-01", "68180-352-01"}, [4]string{"111 S Calvert St", "Baltimore", "MD", "21202"}},
	{"zydus", "Zydus Pharmaceuticals", []string{"68382-052-01"}, [4]string{"73 Route 31 N", "Pennington", "NJ", "08534"}},
}

// prefixOf is the company prefix under which a labeler's GTINs stand: 03 and the labeler code.
func prefixOf(p ndc.Package) string {
	code, _, _ := strings.Cut(p.NDC, "-")
	return "03" + code
}

// cast is everybody.
type cast struct {
	makers     []maker
	wholesaler member // the network's own
	second     member
	pharmacies []member // real ones
	corner     member   // the network's own
	side       member   // invented, where the stolen package turns up
}

func newCast(pharmacies int, now time.Time) (*cast, error) {
	c := &cast{
		wholesaler: member{id: localnet.DemoDistributor, name: "Midland Drug", role: "distributor", service: "distributor"},
		corner:     member{id: localnet.DemoPharmacy, name: "Corner Pharmacy", role: "dispenser", service: "pharmacy"},
	}
	directory, err := ndc.Open("")
	if err != nil {
		return nil, err
	}
	for i, l := range labelers {
		m := maker{member: member{id: l.id, name: l.name, role: "manufacturer", profile: partner.Manufacturer()}}
		if i == 0 {
			m.service, m.name = "manufacturer", "Lakeside Pharma"
		} else if m.member, err = newMember(l.id, l.name, "manufacturer", partner.Manufacturer(), makerPrefix, i, l.place[0], l.place[1], l.place[2], l.place[3], fmt.Sprintf("FEI-30%05d", i), now); err != nil {
			return nil, err
		}
		for _, code := range l.ndcs {
			p, ok := directory.ByNDC(code)
			if !ok {
				return nil, fmt.Errorf("the selection of the NDC directory has no %s", code)
			}
			g, err := gs1.ParseGTIN(p.GTIN)
			if err != nil {
				return nil, err
			}
			m.products = append(m.products, product{p, g})
		}
		m.prefixes = []string{prefixOf(m.products[0].Package)}
		c.makers = append(c.makers, m)
	}
	if c.second, err = newMember("prairie", "Prairie Wholesale", "distributor", partner.Distributor(), traderPrefix, 1, "4100 Dodge Street", "Omaha", "NE", "68131", "WDD-NE-118", now); err != nil {
		return nil, err
	}
	c.second.prefixes = []string{traderPrefix}
	if c.side, err = newMember("side-street", "Side Street Pharmacy (invented)", "dispenser", partner.Pharmacy(), traderPrefix, 2, "9 Side Street", "Gary", "IN", "46402", "PH-IN-990", now); err != nil {
		return nil, err
	}
	rows := strings.Split(strings.TrimRight(pharmaciesFile, "\n"), "\n")[1:]
	for i, row := range rows[:min(pharmacies, len(rows))] {
		f := strings.Split(row, "\t")
		if len(f) != 6 {
			return nil, fmt.Errorf("pharmacies.tsv: line %d has %d fields, want 6", i+2, len(f))
		}
		m, err := newMember(fmt.Sprintf("rx-%s-%s", strings.ToLower(f[3]), slug(f[0])), f[0], "dispenser", partner.Pharmacy(), pharmacyPrefix, i+1, f[1], f[2], f[3], f[4], f[5], now)
		if err != nil {
			return nil, err
		}
		c.pharmacies = append(c.pharmacies, m)
	}
	return c, nil
}

// slug makes the part of a party id that comes from a name.
func slug(name string) string {
	var b strings.Builder
	for _, x := range strings.ToLower(name) {
		switch {
		case 'a' <= x && x <= 'z' || '0' <= x && x <= '9':
			b.WriteRune(x)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	s := b.String()
	return strings.Trim(s[:min(len(s), 20)], "-")
}

// registration is what an authority is asked to attest of a member.
func (m *member) registration(key ed25519.PublicKey) map[string]any {
	body := map[string]any{"id": m.id, "note": "demonstration: events are invented"}
	if len(m.prefixes) > 0 {
		body["companyPrefixes"] = m.prefixes
	}
	if m.service != "" {
		return body // registered already, but for its prefixes
	}
	body["name"], body["roles"], body["glns"], body["places"] = m.name, []string{m.role}, []string{m.gln}, []any{m.place}
	body["eventKey"] = base64.StdEncoding.EncodeToString(key)
	licences := make([]map[string]string, len(m.licences))
	for i, l := range m.licences {
		licences[i] = map[string]string{"number": l.Number, "kind": l.Kind, "jurisdiction": l.Jurisdiction, "validFrom": l.ValidFrom, "validTo": l.ValidTo}
	}
	body["licences"] = licences
	return body
}

// actor is a member at work.
type actor struct {
	*member
	at  Service
	run *nationalRun
	ctx context.Context //nolint:containedctx // an actor lives as long as the call that lets it act
}

// act runs fn with a member's service, which is started for it if the network has none.
func (r *nationalRun) act(ctx context.Context, m *member, fn func(a *actor) error) (err error) {
	if m.service != "" {
		return fn(&actor{member: m, at: NetworkOf(r.n).At(m.service), run: r, ctx: ctx})
	}
	s, stop, err := r.n.StartPartner(ctx, m.profile, m.id)
	if err != nil {
		return err
	}
	defer func() {
		if end := stop(); err == nil {
			err = end
		}
	}()
	return fn(&actor{member: m, at: Service(s), run: r, ctx: ctx})
}

// do sends a command, as of a number of days ago, and waits until every answer shows it. What the ledger rejects is an error.
func (a *actor) do(daysAgo float64, command string, body map[string]any) (*capture.Job, error) {
	if command != "products" && command != "lots" && command != "recall" {
		body["eventTime"] = a.run.when(daysAgo)
	}
	job, err := a.at.Command(a.ctx, command, body)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", a.name, err)
	}
	if !job.Success {
		return nil, fmt.Errorf("%s: %s: %+v", a.name, command, job.Verdicts)
	}
	a.run.events.Add(int64(len(job.Verdicts)))
	return job, nil
}

func (r *nationalRun) when(daysAgo float64) string {
	return r.now.Add(-time.Duration(daysAgo * float64(24*time.Hour))).UTC().Format("2006-01-02T15:04:05Z")
}
