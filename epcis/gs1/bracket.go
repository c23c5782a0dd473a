package gs1

import "strings"

// Bracketed writes the key of goods, a place or a party with its application identifiers in brackets, as it is printed below a
// barcode: (01)00312345678906(21)11. Every other key stays as [Key.String] has it.
func (k Key) Bracketed() string {
	p := k.split()
	of := func(ai, tailAI string) string {
		out := "(" + ai + ")" + p.id
		if p.tail != "" {
			out += "(" + tailAI + ")" + p.tail
		}
		return out
	}
	switch p.kind {
	case KindSGTIN, KindGTIN:
		return of("01", "21")
	case KindLGTIN:
		return of("01", "10")
	case KindSSCC:
		return of("00", "")
	case KindSGLN:
		return of("414", "254")
	case KindPGLN:
		return of("417", "")
	default:
		return k.text
	}
}

// BracketKeys writes the keys among the words of a sentence for people, each as [Key.Bracketed] does.
func BracketKeys(sentence string) string {
	words := strings.Split(sentence, " ")
	for i, w := range words {
		bare := strings.TrimRight(w, ",;:.)")
		if k, err := ParseKey(bare); err == nil {
			words[i] = k.Bracketed() + w[len(bare):]
		}
	}
	return strings.Join(words, " ")
}
