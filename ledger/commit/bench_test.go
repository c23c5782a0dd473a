package commit_test

import (
	"fmt"
	"testing"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/commit"
)

// event is an item with n serials of one GTIN and the fields of a plain shipping event.
func event(tb testing.TB, n int) *commit.Item {
	tb.Helper()
	it := &commit.Item{Kind: 11, Salt: [32]byte{1, 2, 3}}
	for _, f := range []struct {
		path commit.Path
		text string
	}{
		{commit.Path("").Field(1), "ObjectEvent"},
		{commit.Path("").Field(2), "2026-03-01T09:00:00.000Z"},
		{commit.Path("").Field(4), "-05:00"},
		{commit.Path("").Field(5), "ni:///sha-256;87b5f18a69993f0052046d4687dfacdf48f7c988cfabda2819688c86b4066a49?ver=CBV2.0"},
		{commit.Path("").Field(8), "OBSERVE"},
		{commit.Path("").Field(10), "urn:epcglobal:cbv:bizstep:shipping"},
		{commit.Path("").Field(11), "urn:epcglobal:cbv:disp:in_transit"},
		{commit.Path("").Field(13).Field(1), "urn:epc:id:sgln:030001.111111.0"},
		{commit.Path("").Field(14).Field(1), "urn:epc:id:sgln:030001.111111.0"},
		{commit.Path("").Field(15).Index(0).Field(1), "urn:epcglobal:cbv:btt:po"},
		{commit.Path("").Field(20).Index(0).Field(1), "urn:epcglobal:cbv:sdt:owning_party"},
		{commit.Path("").Field(20).Index(0).Field(2), "urn:epc:id:pgln:030001.111111"},
		{commit.Path("").Field(21).Index(0).Field(1), "urn:epcglobal:cbv:sdt:owning_party"},
		{commit.Path("").Field(21).Index(0).Field(2), "urn:epc:id:pgln:039999.999999"},
	} {
		it.Fields = append(it.Fields, commit.Field{Path: f.path, Type: commit.Text, Text: f.text})
	}
	prefix, err := gs1.ParsePrefix("urn:epc:id:sgtin:030001.0012345.")
	if err != nil {
		tb.Fatal(err)
	}
	for i := range n {
		serial := fmt.Sprintf("%012d", (i*7919)%1_000_003) // in no order
		key, err := prefix.Key(serial)
		if err != nil {
			tb.Fatal(err)
		}
		it.Units = append(it.Units, commit.Unit{List: commit.EPCList, Key: key, Form: prefix.String() + serial})
	}
	return it
}

func BenchmarkCommit(b *testing.B) {
	for _, n := range []int{1, 48, 10_000} {
		b.Run(fmt.Sprintf("units=%d", n), func(b *testing.B) {
			it := event(b, n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := commit.Commit(network, it); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/unit")
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	it := event(b, 10_000)
	want := it.Units[5000].Key
	for b.Loop() {
		if _, err := commit.Open(network, it, nil, func(u *commit.Unit) bool { return u.Key == want }, false, nil); err != nil {
			b.Fatal(err)
		}
	}
}
