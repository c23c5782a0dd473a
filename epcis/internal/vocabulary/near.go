package vocabulary

import "strings"

// A near miss of a name is the name in other letters, in the singular or plural, or with one letter wrong.

// plain is a name without what people mistake most: case, and the signs between its words.
func plain(s string) string {
	s = Lower(s)
	if strings.ContainsAny(s, "_-") {
		s = strings.NewReplacer("_", "", "-", "").Replace(s)
	}
	return s
}

// shortest is how long a name has to be for a letter to be wrong in it: of short ones too many are alike.
const shortest = 5

// IsNear reports whether s is a near miss of a name, or the name.
func IsNear(s, name string) bool {
	if len(s) > len(name)+8 || name == "" {
		return false
	}
	a, b := plain(s), plain(name)
	switch {
	case a == b:
		return true
	case len(a) == len(b)+1 && a[len(a)-1] == 's' && a[:len(b)] == b, len(b) == len(a)+1 && b[len(b)-1] == 's' && b[:len(a)] == a:
		return a != ""
	}
	return len(a) >= shortest && len(b) >= shortest && OneEdit(a, b)
}

// Near returns the one name of which s is a near miss. One that differs in its case alone goes before the others.
func Near(s string, names []string) string {
	found, first := "", plain(s)
	twice := false
	for _, name := range names {
		if !IsNear(s, name) {
			continue
		}
		if plain(name) == first {
			return name
		}
		twice = twice || found != ""
		found = name
	}
	if twice {
		return ""
	}
	return found
}

// OneEdit reports whether one letter added, left out or exchanged, or two neighbours exchanged, make b of a.
func OneEdit(a, b string) bool {
	i := 0
	for i < len(a) && i < len(b) && a[i] == b[i] {
		i++
	}
	x, y := a[i:], b[i:]
	switch len(x) - len(y) {
	case 0:
		return x != "" && (x[1:] == y[1:] || len(x) > 1 && x[0] == y[1] && x[1] == y[0] && x[2:] == y[2:])
	case 1:
		return x[1:] == y
	case -1:
		return x == y[1:]
	}
	return false
}
