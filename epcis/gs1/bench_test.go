package gs1_test

import (
	"testing"

	"verilot.dev/epcis/gs1"
)

func BenchmarkParseEPC(b *testing.B) {
	for name, s := range map[string]string{
		"URN":  "urn:epc:id:sgtin:0399990.001234.7QX4M81K2",
		"Link": "https://id.gs1.org/01/00399990012347/21/7QX4M81K2",
		"SSCC": "urn:epc:id:sscc:0399990.5000000001",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := gs1.ParseEPC(s); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkPrefixKey(b *testing.B) {
	p, err := gs1.ParsePrefix("urn:epc:id:sgtin:0399990.001234.")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := p.Key("7QX4M81K2"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadScan(b *testing.B) {
	for name, s := range map[string]string{
		"Label":         "]d201003999900123472148NM86MG4VKFC14LA9ED\x1d1728032710NRB5W",
		"SeparatorLost": "010030006391768121CMQTY98L1QF20J45NA0817280204105WPGHPR",
		"Hostile":       "01003999900123472110101010101010101010101010101010101010101010101010101010101010",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				gs1.ReadScan(s, year)
			}
		})
	}
}
