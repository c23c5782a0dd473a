// Package vocabulary holds the code lists of CBV 2.0 and of the GS1 Web Vocabulary, with the
// spellings of their words.
package vocabulary

import (
	"slices"
	"strings"

	"verilot.dev/epcis/internal/xsd"
)

// All of CBV 2.0, sorted; the numbers are those of cbv-terms.csv: 41 and 33.
var (
	Steps = strings.Fields(`accepting arriving assembling collecting commissioning consigning creating_class_instance
		cycle_counting decommissioning departing destroying disassembling dispensing encoding entering_exiting holding
		inspecting installing killing loading other packing picking receiving removing repackaging repairing replacing
		reserving retail_selling sampling sensor_reporting shipping staging_outbound stock_taking stocking storing
		transporting unloading unpacking void_shipping`)
	Dispositions = strings.Fields(`active available completeness_inferred completeness_verified conformant
		container_closed container_open damaged destroyed dispensed disposed encoded expired in_progress in_transit
		inactive mismatch_class mismatch_instance mismatch_quantity needs_replacement no_pedigree_match non_conformant
		non_sellable_other partially_dispensed recalled reserved retail_sold returned sellable_accessible
		sellable_not_accessible stolen unavailable unknown`)
)

// Names of ILMD elements.
const (
	LotNumber      = "lotNumber"
	ExpirationDate = "itemExpirationDate"
)

// List is one code list.
type List struct {
	Words    map[string]bool
	Sorted   []string // the words
	URN      string   // "": the list has no URNs
	Web      string
	CURIE    string
	prefixes []string // of every spelling, the canonical ones first
	mixed    bool     // words have capitals
}

func makeList(words []string, urn, name string) List {
	l := List{Words: make(map[string]bool, len(words)), Sorted: slices.Sorted(slices.Values(words)), URN: urn, Web: WebCBV + name, CURIE: "cbv:" + name}
	for _, w := range words {
		l.Words[w] = true
		l.mixed = l.mixed || Lower(w) != w
	}
	l.prefixes = []string{l.URN, l.Web, l.CURIE, "http://ref.gs1.org/cbv/" + name, "https://ns.gs1.org/cbv/" + name, "http://ns.gs1.org/cbv/" + name}
	if urn == "" {
		l.Web, l.CURIE = WebVoc, "gs1:"
		l.prefixes = []string{l.Web, l.CURIE, "http://gs1.org/voc/", "https://www.gs1.org/voc/", "http://www.gs1.org/voc/"}
	}
	return l
}

// Beginnings of the spellings of a value.
const (
	WebCBV = "https://ref.gs1.org/cbv/"
	WebVoc = "https://gs1.org/voc/"

	// The URNs of a list begin with these.
	StepPrefix        = "urn:epcglobal:cbv:bizstep:"
	DispositionPrefix = "urn:epcglobal:cbv:disp:"
	BTTPrefix         = "urn:epcglobal:cbv:btt:"
	SDTPrefix         = "urn:epcglobal:cbv:sdt:"
	ReasonPrefix      = "urn:epcglobal:cbv:er:"
	ComponentPrefix   = "urn:epcglobal:cbv:comp:"
)

// The code lists, by the field that holds them.
const (
	BizStep = iota
	Disposition
	BizTransaction
	SourceDest
	ErrorReason
	Component
	Measurement
	SensorAlert
	numLists
)

// Lists holds every word of CBV 2.0; the lists are those of cbv-terms.csv.
var Lists = [numLists]List{
	BizStep:     makeList(Steps, StepPrefix, "BizStep-"),
	Disposition: makeList(Dispositions, DispositionPrefix, "Disp-"),
	BizTransaction: makeList(strings.Fields(`bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres
		upevt`), BTTPrefix, "BTT-"),
	SourceDest:  makeList(strings.Fields("owning_party possessing_party location"), SDTPrefix, "SDT-"),
	ErrorReason: makeList(strings.Fields("did_not_occur incorrect_data"), ReasonPrefix, "ER-"),
	Component: makeList(strings.Fields(`x y z axial_distance azimuth height spherical_radius polar_angle
		elevation_angle easting northing latitude longitude altitude`), ComponentPrefix, "Comp-"),
	Measurement: makeList(strings.Fields(`AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Radioactivity
		Altitude AmountOfSubstance AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum
		AngularVelocity Area Capacitance Conductance Conductivity Count Density Dimensionless DoseEquivalent
		DoseEquivalentRate DynamicViscosity ElectricCharge ElectricCurrent ElectricCurrentDensity
		ElectricFieldStrength Energy Exposure Force Frequency Illuminance Inductance Irradiance KinematicViscosity
		Length LinearMomentum Luminance LuminousFlux LuminousIntensity MagneticFlux MagneticFluxDensity
		MagneticVectorPotential Mass MassConcentration MassFlowRate MassPerAreaTime MemoryCapacity MolalityOfSolute
		MolarEnergy MolarMass MolarVolume Power Pressure RadiantFlux RadiantIntensity RelativeHumidity Resistance
		Resistivity SolidAngle SpecificVolume Speed SurfaceDensity SurfaceTension Temperature Time Torque Voltage
		Volume VolumeFlowRate VolumeFraction VolumetricFlux Wavenumber`), "", ""),
	SensorAlert: makeList([]string{"ALARM_CONDITION", "ERROR_CONDITION"}, "", ""),
}

// Cut returns the word behind a prefix of the list, and the prefix. spelled is "" for a bare word. A word that the list
// has in other letters, Shipping, is the list's.
func (l *List) Cut(s string) (word, spelled string) {
	if strings.IndexByte(s, ':') < 0 {
		return l.fold(s), ""
	}
	for _, p := range l.prefixes {
		if rest, ok := cut(s, p); ok && IsWord(rest) {
			return l.fold(rest), p
		}
	}
	return "", ""
}

// cut is strings.CutPrefix. The name of a namespace of URNs has no case (RFC 8141 section 3.1).
func cut(s, prefix string) (rest string, ok bool) {
	if rest, ok = strings.CutPrefix(s, prefix); ok || len(s) < len(prefix) || s[0]|0x20 != 'u' || prefix[0] != 'u' {
		return rest, ok
	}
	return s[len(prefix):], strings.EqualFold(s[:len(prefix)], prefix)
}

func (l *List) fold(word string) string {
	if l.Words[word] {
		return word
	}
	if lower := Lower(word); l.Words[lower] {
		return lower
	}
	return word
}

// Read is the one reading of a value of the list: its word, whatever the spelling. A word that the list does not have is
// in lower case, where all of the list is. What is spelled otherwise is a value of somebody else's, and stands for
// itself: urn:acme:bizstep:shipping is not shipping.
func (l *List) Read(s string) string {
	s = trim(s)
	word, spelled := l.Cut(s)
	if spelled == "" && strings.IndexByte(s, ':') >= 0 {
		return s
	}
	if l.Words[word] || l.mixed {
		return word
	}
	return Lower(word)
}

func trim(s string) string {
	if s == "" || s[0] > ' ' && s[len(s)-1] > ' ' {
		return s
	}
	return strings.Trim(s, xsd.Blank)
}

// IsWord reports whether s can be a bare word.
func IsWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		if letter := 'a' <= c|0x20 && c|0x20 <= 'z'; !letter && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return s != ""
}

// Lower makes A to Z lower case and nothing else, so that every implementation agrees.
func Lower(s string) string {
	for i := range len(s) {
		if 'A' <= s[i] && s[i] <= 'Z' {
			b := []byte(s)
			for j := i; j < len(b); j++ {
				if 'A' <= b[j] && b[j] <= 'Z' {
					b[j] += 'a' - 'A'
				}
			}
			return string(b)
		}
	}
	return s
}
