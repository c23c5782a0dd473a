package commit_test

import "verilot.dev/ledger/enc"

var network = enc.Network{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}
