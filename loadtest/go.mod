module verilot.dev/loadtest

go 1.26.0

replace verilot.dev/ledger => ../ledger

replace verilot.dev/proto => ../proto

require (
	github.com/HdrHistogram/hdrhistogram-go v1.4.0
	github.com/spf13/cobra v1.10.2
)

require (
	github.com/inconshreveable/mousetrap v1.1.0 // indirect
	github.com/spf13/pflag v1.0.9 // indirect
)
