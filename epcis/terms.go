package epcis

import (
	"strings"

	"verilot.dev/epcis/internal/vocabulary"
)

// A standard value has four spellings: the bare word of JSON, the URN and the Web URI of XML, and the CURIE of JSON-LD
// (epcis.md section 2.4). Which list a bare word is from is told by the field alone, so every function here wants the kind.

// TermKind is a code list of CBV 2.0 or, for measurements and alerts, of the GS1 Web Vocabulary.
type TermKind uint8

// The code lists, by the field that holds them.
const (
	TermBizStep        TermKind = vocabulary.BizStep
	TermDisposition    TermKind = vocabulary.Disposition    // also in persistentDisposition
	TermBizTransaction TermKind = vocabulary.BizTransaction // its type
	TermSourceDest     TermKind = vocabulary.SourceDest     // its type
	TermErrorReason    TermKind = vocabulary.ErrorReason
	TermComponent      TermKind = vocabulary.Component
	TermMeasurement    TermKind = vocabulary.Measurement // type of a sensor report
	TermSensorAlert    TermKind = vocabulary.SensorAlert // exception of a sensor report
)

// Word is how a value of the list is read, everywhere: by the checks, the hash, the writers, queries and the rules of a
// ledger. It is the bare word of a value in any of the four spellings, without white space around it and without regard
// to case. A word that the list does not have is in lower case. A value of another vocabulary stands for itself, whatever
// it ends in: urn:acme:bizstep:shipping is not shipping. Only A to Z are lowered, so that every implementation agrees.
func (k TermKind) Word(s string) string { return vocabulary.Lists[k].Read(s) }

// Known reports whether s is a standard value of the list, in any spelling.
func (k TermKind) Known(s string) bool { return vocabulary.Lists[k].Words[k.Word(s)] }

// Nearest returns the word of the list that s was probably meant to be, "" when none is near. Of a value of another
// vocabulary its end is looked at.
func (k TermKind) Nearest(s string) string {
	word := k.Word(s)
	if i := strings.LastIndexAny(word, ":/#"); i >= 0 {
		word = word[i+1:]
		if _, behind, ok := strings.Cut(word, "-"); ok { // BizStep-shipping
			word = behind
		}
	}
	return nearest(word, vocabulary.Lists[k].Sorted)
}

// URN returns the URN of a standard value in any spelling, and anything else as it is. Measurements and alerts have no
// URN: theirs is the CURIE that GS1 writes in XML, gs1:Temperature. A word behind a prefix of CBV is taken for a standard
// value even when the list does not know it: the spellings of a value that is to come are known already.
func (k TermKind) URN(s string) string {
	l := &vocabulary.Lists[k]
	word, spelled := l.Cut(s)
	switch {
	case spelled == "" && !l.Words[word]:
		return s
	case l.URN == "":
		return l.CURIE + word
	}
	return l.URN + word
}

// WebURI does the same for the Web URI, https://ref.gs1.org/cbv/BizStep-shipping or https://gs1.org/voc/Temperature.
func (k TermKind) WebURI(s string) string {
	l := &vocabulary.Lists[k]
	word, spelled := l.Cut(s)
	if spelled == "" && !l.Words[word] {
		return s
	}
	return l.Web + word
}
