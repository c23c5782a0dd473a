module verilot.dev/loadtest

go 1.26.0

replace verilot.dev/ledger => ../ledger

replace verilot.dev/proto => ../proto
