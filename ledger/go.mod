module verilot.dev/ledger

go 1.26.0

require (
	github.com/google/go-cmp v0.7.0
	github.com/oasisprotocol/curve25519-voi v0.0.0-20230904125328-1f23a7beb09a
	github.com/transparency-dev/merkle v0.0.2
	golang.org/x/mod v0.31.0
	google.golang.org/protobuf v1.36.12
	pgregory.net/rapid v1.3.0
	verilot.dev/epcis v0.0.0
	verilot.dev/proto v0.0.0
)

require (
	golang.org/x/crypto v0.0.0-20220321153916-2c7772ba3064 // indirect
	golang.org/x/sys v0.5.0 // indirect
)

replace verilot.dev/proto => ../proto

replace verilot.dev/epcis => ../epcis
