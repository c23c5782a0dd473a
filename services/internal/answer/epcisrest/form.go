package epcisrest

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2/negotiation"
	"github.com/gin-gonic/gin"

	"verilot.dev/epcis"
	"verilot.dev/services/internal/edge/httpapi"
)

// Versions that are spoken.
const (
	epcisVersion = "2.0.0"
	cbvVersion   = "2.0.0"
)

// Content types of answers, the preferred one first.
var (
	collectionTypes = []string{"application/json", "application/ld+json"}
	documentTypes   = []string{"application/json", "application/ld+json", "application/xml", "text/xml"}
)

// form is how a caller wants its answer.
type form struct {
	ContentType string
	Write       epcis.WriteOptions
	// Extensions are the prefixes that the caller declares for field names (GS1-Extensions).
	Extensions map[string]string
}

// maxExtensions bounds what a GS1-Extensions header may declare.
const maxExtensions = 64

// formOf reads the headers that say how an answer is wanted, or says why it cannot be had so.
func formOf(r *http.Request, types []string) (form, *httpapi.Problem) {
	f := form{ContentType: accepted(r.Header.Get("Accept"), types)}
	if f.ContentType == "" {
		return f, httpapi.NewProblem(httpapi.NotAcceptable, "no format named in Accept can be written here; ask for %s", strings.Join(types, ", "))
	}
	if p := checkVersions(r.Header); p != nil {
		return f, p
	}
	f.Write.Format = epcis.FormatJSON
	if strings.HasSuffix(f.ContentType, "/xml") {
		f.Write.Format = epcis.FormatXML2
	}
	switch v := r.Header.Get("GS1-EPC-Format"); v {
	case "", "Always_GS1_Digital_Link":
		f.Write.EPC = epcis.DigitalLink
	case "Always_EPC_URN":
		f.Write.EPC = epcis.URN
	case "No_Preference", "Never_Translates":
		f.Write.EPC = epcis.AsCaptured
	default:
		return f, unknownForm("GS1-EPC-Format", v, "Always_GS1_Digital_Link, Always_EPC_URN, Never_Translates or No_Preference")
	}
	switch v := r.Header.Get("GS1-CBV-XML-Format"); v {
	case "", "No_Preference":
		f.Write.CBV = epcis.CBVDefault
	case "Always_Web_URI":
		f.Write.CBV = epcis.CBVWebURI
	case "Always_URN":
		f.Write.CBV = epcis.CBVURN
	case "Never_Translates":
		f.Write.CBV = epcis.CBVAsCaptured
	default:
		return f, unknownForm("GS1-CBV-XML-Format", v, "Always_Web_URI, Always_URN, Never_Translates or No_Preference")
	}
	for _, line := range r.Header.Values("GS1-Extensions") {
		for part := range strings.SplitSeq(line, ",") {
			prefix, namespace, ok := strings.Cut(strings.TrimSpace(part), "=")
			if !ok || prefix == "" || namespace == "" || len(f.Extensions) >= maxExtensions {
				continue // what is not prefix=namespace names an extension by itself: nothing depends on it
			}
			if f.Extensions == nil {
				f.Extensions = map[string]string{}
			}
			f.Extensions[strings.TrimSpace(prefix)] = strings.TrimSpace(namespace)
		}
	}
	return f, nil
}

func unknownForm(header, value, allowed string) *httpapi.Problem {
	return httpapi.NewProblem(httpapi.NotAcceptable, "%s %q is not known; send %s, or leave it out", header, clip(value), allowed)
}

// accepted chooses a content type; "" if none is accepted.
func accepted(header string, types []string) string {
	if strings.TrimSpace(header) == "" {
		return types[0]
	}
	var wanted []string
	for part := range strings.SplitSeq(strings.ToLower(header), ",") {
		if _, q, ok := strings.Cut(strings.ReplaceAll(part, " ", ""), ";q="); ok {
			if n, err := strconv.ParseFloat(q, 64); err == nil && n == 0 {
				continue // this one least of all
			}
		}
		wanted = append(wanted, part)
	}
	header = strings.Join(wanted, ",")
	if best := negotiation.SelectQValue(header, types); best != "" {
		return best
	}
	switch negotiation.SelectQValue(header, []string{"*/*", "application/*", "text/*"}) {
	case "*/*", "application/*":
		return types[0]
	case "text/*":
		if i := slices.IndexFunc(types, func(t string) bool { return strings.HasPrefix(t, "text/") }); i >= 0 {
			return types[i]
		}
	}
	return ""
}

// checkVersions refuses who cannot take the versions that are spoken here.
func checkVersions(h http.Header) *httpapi.Problem {
	for _, v := range []struct{ name, ours string }{{"EPCIS", epcisVersion}, {"CBV", cbvVersion}} {
		for _, bound := range []string{"Min", "Max", "Version"} {
			header := "GS1-" + v.name + "-" + bound
			text := strings.TrimSpace(h.Get(header))
			if text == "" {
				continue
			}
			c, ok := compareVersions(text, v.ours)
			switch {
			case !ok:
				return httpapi.NewProblem(httpapi.NotAcceptable, "%s %q is not a version; send numbers with dots, such as %s", header, clip(text), v.ours)
			case bound == "Min" && c > 0, bound == "Max" && c < 0, bound == "Version" && c != 0:
				return httpapi.NewProblem(httpapi.NotAcceptable, "%s asks for %s, and this service speaks %s %s; leave the header out, or widen the range", header, clip(text), v.name, v.ours)
			}
		}
	}
	return nil
}

// compareVersions compares numbers with dots; what is missing is 0: 2, 2.0 and 2.0.0 are one version.
func compareVersions(a, b string) (c int, ok bool) {
	x, y := strings.Split(a, "."), strings.Split(b, ".")
	for i := range max(len(x), len(y)) {
		var n [2]uint64
		for j, parts := range [][]string{x, y} {
			if i < len(parts) {
				v, err := strconv.ParseUint(parts[i], 10, 32)
				if err != nil || parts[i][0] == '+' {
					return 0, false
				}
				n[j] = v
			}
		}
		if c == 0 && n[0] != n[1] {
			c = 1
			if n[0] < n[1] {
				c = -1
			}
		}
	}
	return c, true
}

// announce sets what every answer of EPCIS addresses says of itself.
func announce(c *gin.Context) {
	c.Header("GS1-EPCIS-Version", epcisVersion)
	c.Header("GS1-CBV-Version", cbvVersion)
	c.Header("GS1-Extensions", httpapi.EPCISExtensions)
	c.Header("Vary", "Accept, GS1-EPC-Format, GS1-CBV-XML-Format, Authorization, Cookie")
}

// discover answers OPTIONS.
func (s *Service) discover(c *gin.Context) {
	for _, h := range [][2]string{
		{"Allow", "OPTIONS, GET"},
		{"GS1-EPCIS-Min", epcisVersion},
		{"GS1-EPCIS-Max", epcisVersion},
		{"GS1-CBV-Min", cbvVersion},
		{"GS1-CBV-Max", cbvVersion},
		{"GS1-EPC-Format", "No_Preference"}, // any of them can be asked for
		{"GS1-CBV-XML-Format", "No_Preference"},
		{"GS1-Vendor-Version", s.Version},
	} {
		c.Header(h[0], h[1])
	}
	c.Status(http.StatusNoContent)
}

func clip(s string) string {
	if len(s) > 120 {
		return s[:120] + "…"
	}
	return s
}
