package gs1_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"verilot.dev/epcis/gs1"
)

const cset82 = `!"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz`

func digits(n int) *rapid.Generator[string] { return rapid.StringMatching(`[0-9]{` + itoa(n) + `}`) }

func itoa(n int) string { return string(rune('0'+n/10)) + string(rune('0'+n%10)) }

// value draws a serial or lot.
func value(limit int) *rapid.Generator[string] {
	return rapid.StringOfN(rapid.SampledFrom([]rune(cset82)), 1, limit, -1)
}

func drawGTIN(t *rapid.T) gs1.GTIN {
	g, err := gs1.GTINFromNDC(rapid.IntRange(0, 8).Draw(t, "indicator"), digits(10).Draw(t, "ndc"))
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func drawUnit(t *rapid.T) gs1.SGTIN {
	u, err := gs1.NewSGTIN(drawGTIN(t), value(20).Draw(t, "serial"))
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// A package keeps its identity through every way to write it, whatever its serial holds.
func TestOnePackageOneKey(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := drawUnit(t)
		gcpLen := rapid.IntRange(6, 12).Draw(t, "gcpLen")
		urn, err := u.Key().URN(gcpLen)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range []string{urn, u.Key().DigitalLink(), strings.Replace(u.Key().DigitalLink(), "https://id.gs1.org/01/", "http://shop.example/x/gtin/", 1) + "?17=280331"} {
			got, err := gs1.ParseSGTIN(s)
			if err != nil || got != u {
				t.Fatalf("%q is %v, want %v (%v)", s, got, u, err)
			}
			prefix, tail := gs1.SplitEPC(s)
			p, err := gs1.ParsePrefix(prefix)
			if err != nil {
				t.Fatal(err)
			}
			if k, err := p.Key(tail); err != nil || k != u.Key() {
				t.Fatalf("%q by prefix is %q, want %q (%v)", s, k, u.Key(), err)
			}
		}
	})
}

// Reading by prefix is reading the whole, for right and wrong tails alike.
func TestPrefixIsParseEPC(t *testing.T) {
	prefixes := []string{
		"", "urn:epc:id:sgtin:0399990.001234.", "urn:epc:id:sgtin:0399990.001234.A.", "urn:epc:id:sgtin:0399990.001234.A%2E.",
		"urn:epc:id:sgtin:0399990.", "urn:epc:id:sgtin:0399990.01234.", "urn:epc:class:lgtin:0399990.001234.", "urn:epc:id:sscc:0399990.",
		"urn:epc:id:sscc:03999.", "urn:epc:id:sgln:0399990.00001.", "urn:epc:id:upui:0399990.001234.", "urn:epc:idpat:sgtin:0399990.001234.",
		"urn:epc:id:giai:4012345.", "urn:epc:id:cpi:4012345.ABC.", "urn:epc:id:itip:4012345.012345.01.02.", "urn:epc:id:gid:1.2.",
		"https://id.gs1.org/01/00399990012347/21/", "https://id.gs1.org/01/00399990012347/10/", "https://id.gs1.org/01/00399990012347/10/A/21/",
		"https://id.gs1.org/01/00399990012348/21/", "https://id.gs1.org/01/", "https://id.gs1.org/00/", "https://x.example/414/01/00399990012347/21/",
		"https://x.example/01/00399990012347/21/5?q=/", "https://id.gs1.org/01/00399990012347/21/5#/", "urn:example:", "x", "https://x.example/",
	}
	tail := rapid.OneOf(
		value(24), digits(10), digits(14), digits(18), rapid.StringMatching(`[0-9A-Za-z]{0,22}`),
		rapid.StringMatching(`[0-9A-Za-z%./?#*-]{0,8}`), rapid.Just("*"), rapid.String(),
	)
	rapid.Check(t, func(t *rapid.T) {
		prefix, tail := rapid.SampledFrom(prefixes).Draw(t, "prefix"), tail.Draw(t, "tail")
		whole, err := gs1.ParseEPC(prefix + tail)
		p, prefixErr := gs1.ParsePrefix(prefix)
		if prefixErr != nil {
			if err == nil {
				t.Fatalf("the prefix is refused, the whole is %q", whole.Key())
			}
			return
		}
		k, tailErr := p.Key(tail)
		if k != whole.Key() || code(tailErr) != code(err) {
			t.Fatalf("%q, %v; whole: %q, %v", k, tailErr, whole.Key(), err)
		}
	})
}

// No single mistyped digit and no other check digit gets through.
func TestCheckDigitCatchesOneDigit(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		g := []byte(drawGTIN(t).String())
		i := rapid.IntRange(0, 13).Draw(t, "position")
		g[i] = '0' + (g[i]-'0'+byte(rapid.IntRange(1, 9).Draw(t, "by")))%10
		if got, err := gs1.ParseGTIN(string(g)); err == nil {
			t.Fatalf("%s was accepted", got)
		}
	})
}

// A well-formed label reads back in any order of its fields. With its separators lost it is always
// ambiguous, and the truth is among the readings.
func TestLabelsReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		u := drawUnit(t)
		lot := value(20).Draw(t, "lot")
		expiry, err := gs1.NewDate(rapid.IntRange(2020, 2040).Draw(t, "year"), rapid.IntRange(1, 12).Draw(t, "month"), rapid.IntRange(1, 28).Draw(t, "day"))
		if err != nil {
			t.Fatal(err)
		}
		order := rapid.Permutation([]string{"01" + u.GTIN().String(), "17" + expiry.YYMMDD(), "21" + u.Serial(), "10" + lot}).Draw(t, "order")
		want := "gtin=" + u.GTIN().String() + " serial=" + u.Serial() + " lot=" + lot + " expiry=" + expiry.String()
		text := strings.Join(order, "\x1d")
		if got := gs1.ReadScan("]d2"+text+"\r\n", year); got.Verdict != gs1.Valid || said(got.Reading) != want || got.Key != u.Key() {
			t.Fatalf("%q is %s %s, want %s (%v)", text, got.Verdict, said(got.Reading), want, got.Problems)
		}
		got := gs1.ReadScan("]d2"+strings.Join(order, ""), year)
		switch got.Verdict {
		case gs1.Valid:
			t.Fatalf("without separators it is read as %s, want %s or ambiguous", said(got.Reading), want)
		case gs1.Ambiguous:
			found := len(got.Readings) >= 100
			for _, r := range got.Readings {
				found = found || said(r) == want
			}
			if !found {
				t.Fatalf("the truth %s is not among %d readings", want, len(got.Readings))
			}
		case gs1.Invalid:
			t.Fatalf("without separators it is refused: %v", got.Problems)
		}
	})
}

func TestExpiryReadsBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ref := rapid.IntRange(1000, 3000).Draw(t, "ref")
		want, err := gs1.NewDate(ref+rapid.IntRange(-49, 50).Draw(t, "ahead"), rapid.IntRange(1, 12).Draw(t, "month"), rapid.IntRange(1, 28).Draw(t, "day"))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := gs1.ParseExpiry(want.YYMMDD(), ref); err != nil || got != want {
			t.Fatalf("%s in %d is %v, want %v (%v)", want.YYMMDD(), ref, got, want, err)
		}
	})
}
