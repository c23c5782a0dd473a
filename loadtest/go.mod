module verilot.dev/loadtest

go 1.26

require (
	verilot.dev/ledger v0.0.0
	verilot.dev/proto v0.0.0
)

replace verilot.dev/ledger => ../ledger

replace verilot.dev/proto => ../proto
