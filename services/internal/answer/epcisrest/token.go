package epcisrest

import (
	"crypto/sha256"
	"encoding/base64"

	"verilot.dev/ledger/canonical"
	"verilot.dev/services/internal/edge/httpapi"
)

// A page token names a place in the order of one query, and the newest block when its first page was answered: u8 version, 8 bytes of
// SHA-256 of what was asked by whom, u64 height, u32 events given so far, u64 order, position; base64url. It holds nothing secret and
// opens nothing: what its bearer may see is judged anew. It never ends.
const tokenVersion = 1

func digest(caller Caller, path, query string) (d [8]byte) {
	who := "party " + caller.Party
	if caller.All {
		who = "all"
	}
	sum := sha256.Sum256([]byte(who + "\n" + path + "\n" + query))
	copy(d[:], sum[:])
	return d
}

func (p resultPosition) token(d [8]byte, to uint64, given int) string {
	b := append([]byte{tokenVersion}, d[:]...)
	b = canonical.U64(canonical.U32(canonical.U64(b, to), uint32(given)), p.order)
	return base64.RawURLEncoding.EncodeToString(p.pos.Append(b))
}

func parseToken(text string, d [8]byte) (p resultPosition, to uint64, given int, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != 1+8+8+4+8+16 || b[0] != tokenVersion {
		return p, 0, 0, httpapi.NewProblem(httpapi.PageTokenInvalid, "nextPageToken is not a token of this service; take the whole address of the next page from the Link header of the page before, or begin again without it")
	}
	if [8]byte(b[1:9]) != d {
		return p, 0, 0, httpapi.NewProblem(httpapi.PageTokenInvalid, "nextPageToken belongs to another query, or to another caller's; take the whole address of the next page from the Link header of the page before, and change nothing in it but perPage")
	}
	r := canonical.NewReader(b[9:])
	to, given, p.order = r.U64(), int(r.U32()), r.U64()
	p.pos = r.Position()
	return p, to, given, nil
}
