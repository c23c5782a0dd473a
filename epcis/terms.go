package epcis

import "strings"

// A standard value has four spellings: the bare word of JSON, the URN and the Web URI of XML, and the CURIE of JSON-LD
// (epcis.md section 2.4). Which list a bare word is from is told by the field alone, so every function here wants the kind.

// TermKind is a code list of CBV 2.0 or, for measurements and alerts, of the GS1 Web Vocabulary.
type TermKind uint8

// The code lists, by the field that holds them.
const (
	TermBizStep        TermKind = iota
	TermDisposition             // also in persistentDisposition
	TermBizTransaction          // its type
	TermSourceDest              // its type
	TermErrorReason
	TermComponent
	TermMeasurement // type of a sensor report
	TermSensorAlert // exception of a sensor report
	numTermKinds
)

type codeList struct {
	words    map[string]bool
	urn      string // "": the list has no URNs
	web      string
	curie    string
	prefixes []string // of every spelling, the canonical ones first
}

func makeCodeList(words []string, urn, name string) codeList {
	l := codeList{words: make(map[string]bool, len(words)), urn: urn, web: webCBV + name, curie: "cbv:" + name}
	for _, w := range words {
		l.words[w] = true
	}
	l.prefixes = []string{l.urn, l.web, l.curie, "http://ref.gs1.org/cbv/" + name, "https://ns.gs1.org/cbv/" + name, "http://ns.gs1.org/cbv/" + name}
	if urn == "" {
		l.web, l.curie = webVoc, "gs1:"
		l.prefixes = []string{l.web, l.curie, "http://gs1.org/voc/", "https://www.gs1.org/voc/", "http://www.gs1.org/voc/"}
	}
	return l
}

const (
	webCBV = "https://ref.gs1.org/cbv/"
	webVoc = "https://gs1.org/voc/"

	componentPrefix = "urn:epcglobal:cbv:comp:"
)

// codeLists holds every word of CBV 2.0; the lists are those of cbv-terms.csv.
var codeLists = [numTermKinds]codeList{
	TermBizStep:     makeCodeList(steps, StepPrefix, "BizStep-"),
	TermDisposition: makeCodeList(dispositions, DispositionPrefix, "Disp-"),
	TermBizTransaction: makeCodeList(strings.Fields(`bol cert desadv inv pedigree po poc prodorder recadv rma testprd testres
		upevt`), BTTPrefix, "BTT-"),
	TermSourceDest:  makeCodeList([]string{OwningParty, PossessingParty, Location}, SDTPrefix, "SDT-"),
	TermErrorReason: makeCodeList([]string{DidNotOccur, IncorrectData}, ReasonPrefix, "ER-"),
	TermComponent: makeCodeList(strings.Fields(`x y z axial_distance azimuth height spherical_radius polar_angle
		elevation_angle easting northing latitude longitude altitude`), componentPrefix, "Comp-"),
	TermMeasurement: makeCodeList(strings.Fields(`AbsoluteHumidity AbsorbedDose AbsorbedDoseRate Acceleration Radioactivity
		Altitude AmountOfSubstance AmountOfSubstancePerUnitVolume Angle AngularAcceleration AngularMomentum
		AngularVelocity Area Capacitance Conductance Conductivity Count Density Dimensionless DoseEquivalent
		DoseEquivalentRate DynamicViscosity ElectricCharge ElectricCurrent ElectricCurrentDensity
		ElectricFieldStrength Energy Exposure Force Frequency Illuminance Inductance Irradiance KinematicViscosity
		Length LinearMomentum Luminance LuminousFlux LuminousIntensity MagneticFlux MagneticFluxDensity
		MagneticVectorPotential Mass MassConcentration MassFlowRate MassPerAreaTime MemoryCapacity MolalityOfSolute
		MolarEnergy MolarMass MolarVolume Power Pressure RadiantFlux RadiantIntensity RelativeHumidity Resistance
		Resistivity SolidAngle SpecificVolume Speed SurfaceDensity SurfaceTension Temperature Time Torque Voltage
		Volume VolumeFlowRate VolumeFraction VolumetricFlux Wavenumber`), "", ""),
	TermSensorAlert: makeCodeList([]string{"ALARM_CONDITION", "ERROR_CONDITION"}, "", ""),
}

// cut returns the word behind a prefix of the list. spelled is "" for a bare word.
func (l *codeList) cut(s string) (word, spelled string) {
	if strings.IndexByte(s, ':') < 0 {
		return s, ""
	}
	for _, p := range l.prefixes {
		if rest, ok := strings.CutPrefix(s, p); ok && isWord(rest) {
			return rest, p
		}
	}
	return "", ""
}

func isWord(s string) bool {
	for i := range len(s) {
		c := s[i]
		if letter := 'a' <= c|0x20 && c|0x20 <= 'z'; !letter && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return s != ""
}

// CBVTerm returns the bare word of a standard value in any spelling, and anything else as it is.
func CBVTerm(kind TermKind, s string) string {
	if word, _ := codeLists[kind].cut(s); codeLists[kind].words[word] {
		return word
	}
	return s
}

// Known reports whether s is a standard value of the list, in any spelling.
func (k TermKind) Known(s string) bool {
	word, _ := codeLists[k].cut(s)
	return codeLists[k].words[word]
}

// URN returns the URN of a standard value in any spelling, and anything else as it is. Measurements and alerts have no
// URN: theirs is the CURIE that GS1 writes in XML, gs1:Temperature. A word behind a prefix of CBV is taken for a standard
// value even when the list does not know it: the spellings of a value that is to come are known already.
func (k TermKind) URN(s string) string {
	l := &codeLists[k]
	word, spelled := l.cut(s)
	switch {
	case spelled == "" && !l.words[word]:
		return s
	case l.urn == "":
		return l.curie + word
	}
	return l.urn + word
}

// WebURI does the same for the Web URI, https://ref.gs1.org/cbv/BizStep-shipping or https://gs1.org/voc/Temperature.
func (k TermKind) WebURI(s string) string {
	l := &codeLists[k]
	word, spelled := l.cut(s)
	if spelled == "" && !l.words[word] {
		return s
	}
	return l.web + word
}

// CBVForm says how XML writes standard values (GS1-CBV-XML-Format of the REST interface). JSON has one way: bare words.
type CBVForm uint8

// The forms.
const (
	// CBVDefault is what partners expect: in XML 1.2 URNs; in XML 2.0 URNs for what was captured as a bare word or CURIE, and
	// URIs as captured. Sensor values are written as GS1's examples do, gs1:Temperature and cbv:Comp-x.
	CBVDefault CBVForm = iota
	CBVWebURI
	CBVURN
	CBVAsCaptured
)

// xmlTerm writes a standard value for XML.
func xmlTerm(kind TermKind, s string, form CBVForm, old bool) string {
	switch form {
	case CBVAsCaptured:
		return s
	case CBVWebURI:
		return kind.WebURI(s)
	case CBVURN:
		return kind.URN(s)
	default:
	}
	l := &codeLists[kind]
	word, spelled := l.cut(s)
	switch {
	case spelled == "" && !l.words[word]:
		return s
	case kind >= TermComponent:
		if spelled == "" {
			return l.curie + word
		}
		return s
	case old || spelled == "" || spelled == l.curie:
		return l.urn + word
	}
	return s
}

// jsonTerm writes a standard value for JSON. The schema refuses the spellings of XML even for words that the list does not
// have; those are written in the one it takes.
func jsonTerm(kind TermKind, s string) string {
	l := &codeLists[kind]
	word, spelled := l.cut(s)
	switch {
	case l.words[word]:
		return word
	case spelled == "" || spelled == l.curie:
		return s
	case l.urn == "":
		return l.curie + word
	}
	return l.web + word
}
