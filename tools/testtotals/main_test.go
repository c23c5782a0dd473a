package main

import (
	"strings"
	"testing"
)

func TestTally(t *testing.T) {
	for _, tt := range []struct{ name, stream, want, shown, hidden string }{
		{
			name: "passing tests are counted and quiet",
			stream: `{"Action":"start","Package":"p"}
{"Action":"output","Package":"p","Test":"TestA","Output":"chatter\n"}
{"Action":"pass","Package":"p","Test":"TestA/sub"}
{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"ok p 0.1s\n"}
{"Action":"pass","Package":"p"}`,
			want: "2 passed, 0 failed", shown: "ok p 0.1s", hidden: "chatter",
		},
		{
			name: "a failing test shows its output",
			stream: `{"Action":"output","Package":"p","Test":"TestA","Output":"why\n"}
{"Action":"fail","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Output":"FAIL\tp\n"}
{"Action":"fail","Package":"p"}`,
			want: "0 passed, 1 failed", shown: "why",
		},
		{
			name: "a package that does not build is a failure",
			stream: `{"ImportPath":"p [p.test]","Action":"build-output","Output":"undefined: x\n"}
{"ImportPath":"p [p.test]","Action":"build-fail"}
{"Action":"start","Package":"p"}
{"Action":"output","Package":"p","Output":"FAIL\tp [build failed]\n"}
{"Action":"fail","Package":"p","FailedBuild":"p [p.test]"}`,
			want: "0 passed, 1 failed", shown: "undefined: x",
		},
		{
			name: "a panic outside a failed test is a failure",
			stream: `{"Action":"pass","Package":"p","Test":"TestA"}
{"Action":"output","Package":"p","Test":"TestB","Output":"panic: boom\n"}
{"Action":"fail","Package":"p"}`,
			want: "1 passed, 1 failed", shown: "panic: boom",
		},
		{
			name: "a stream cut short is a failure",
			stream: `{"Action":"start","Package":"p"}
{"Action":"pass","Package":"p","Test":"TestA"}`,
			want: "1 passed, 1 failed", shown: "no result",
		},
		{
			name:   "what is not JSON passes through",
			stream: "go: warning: something\n",
			want:   "0 passed, 0 failed", shown: "something",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var shown strings.Builder
			got, err := tally(strings.NewReader(tt.stream), &shown)
			if err != nil {
				t.Fatal(err)
			}
			if got.String() != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if !strings.Contains(shown.String(), tt.shown) {
				t.Errorf("output %q lacks %q", shown.String(), tt.shown)
			}
			if tt.hidden != "" && strings.Contains(shown.String(), tt.hidden) {
				t.Errorf("output %q shows %q", shown.String(), tt.hidden)
			}
		})
	}
}
