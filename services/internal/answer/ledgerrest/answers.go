package ledgerrest

import (
	"cmp"
	"context"
	"errors"
	"net/http"

	"github.com/gin-gonic/gin"

	"verilot.dev/epcis/gs1"
	"verilot.dev/ledger/canonical"
	"verilot.dev/services/internal/answer/tracing"
	"verilot.dev/services/internal/edge/httpapi"
	"verilot.dev/services/internal/node/chain"
)

func (s *service) trace(ctx context.Context, in *struct {
	ID string `query:"id" doc:"What is on the package: scan, Digital Link, EPC URN, (01)…(21)… or ledger key"`
},
) (*body[tracing.Trace], error) {
	thing, err := s.identify(in.ID)
	if err != nil {
		return nil, err
	}
	return s.traceOf(ctx, thing)
}

func (s *service) digitalLink(ctx context.Context, in *struct {
	GTIN   string `path:"gtin"`
	Serial string `path:"serial"`
},
) (*body[tracing.Trace], error) {
	g, err := parseGTIN(in.GTIN)
	if err != nil {
		return nil, err
	}
	u, err := gs1.NewSGTIN(g, in.Serial)
	if err != nil {
		return nil, malformed("serial", in.Serial, err, "send the serial exactly as it is printed after (21) or SN")
	}
	return s.traceOf(ctx, &named{key: u.Key()})
}

// traceOf answers a trace. It shows the identifier as the caller sent it, if it has a form of its own.
func (s *service) traceOf(ctx context.Context, thing *named) (*body[tracing.Trace], error) {
	return answer(ctx, s, func(snap *tracing.Snapshot) (*tracing.Trace, error) {
		if err := thing.in(snap); err != nil {
			return nil, err
		}
		trace, err := snap.Trace(thing.key)
		if err != nil {
			return nil, err
		}
		if trace.Chosen = thing.chosen; thing.scan.EPC != "" {
			trace.ID.EPC = thing.scan.EPC
		}
		return trace, nil
	})
}

func (s *service) scan(_ context.Context, in *struct {
	Text string `query:"text" doc:"What a scanner sent, with GS as 0x1D" required:"true"`
},
) (*body[tracing.Scan], error) {
	scan, _ := tracing.ReadScan(in.Text, s.Now().Year())
	return &body[tracing.Scan]{&scan}, nil
}

func (s *service) check(ctx context.Context, in *struct {
	ID     string `query:"id" doc:"What the scanner sent"`
	Lot    string `query:"lot" doc:"Lot on the package, when the scan does not hold it"`
	Expiry string `query:"expiry" doc:"Expiry on the package, YYYY-MM-DD, when the scan does not hold it"`
},
) (*body[tracing.Check], error) {
	thing, err := s.identify(in.ID)
	if err != nil {
		return nil, err
	}
	typed := tracing.Printed{Lot: in.Lot}
	if in.Expiry != "" {
		expiry, err := gs1.ParseDate(in.Expiry)
		if err != nil {
			return nil, httpapi.NewProblem(httpapi.InvalidParameter, "expiry %q is not a date; send it like 2028-03-31, or leave it out", clip(in.Expiry))
		}
		typed.Expiry = expiry.String()
	}
	return answer(ctx, s, func(snap *tracing.Snapshot) (*tracing.Check, error) {
		if err := thing.in(snap); err != nil {
			return nil, err
		}
		check := snap.Check(thing.key, tracing.Printed{Lot: cmp.Or(typed.Lot, thing.scan.Lot), Expiry: cmp.Or(typed.Expiry, thing.scan.Expiry)})
		check.Chosen = thing.chosen
		return check, nil
	})
}

func (s *service) lot(ctx context.Context, in *LotInput) (*body[tracing.LotTotals], error) {
	g, err := in.parse()
	if err != nil {
		return nil, err
	}
	return answer(ctx, s, func(snap *tracing.Snapshot) (*tracing.LotTotals, error) {
		l, err := snap.Lot(g, in.Lot)
		return l, lotProblem(err, g, in.Lot)
	})
}

// lotProblem is the answer about a lot that the ledger does not have; another error, or none,
// stays.
func lotProblem(err error, g gs1.GTIN, lot string) error {
	switch {
	case errors.Is(err, tracing.ErrNoProduct):
		return httpapi.NewProblem(httpapi.UnknownLot, "the ledger has no lot %q of GTIN %s, and no product is registered under that GTIN; compare it with the 14 digits after (01) on the package", clip(lot), g)
	case errors.Is(err, tracing.ErrNoLot):
		return httpapi.NewProblem(httpapi.UnknownLot, "the ledger has no lot %q of GTIN %s; compare it with the package: lots are compared exactly, upper and lower case matter", clip(lot), g)
	}
	return err
}

func (s *service) lotContainers(ctx context.Context, in *struct {
	LotInput
	Holder string `query:"holder" maxLength:"32" doc:"Only what this party holds"`
	Limit  int    `query:"limit" minimum:"1" maximum:"1000" default:"200"`
},
) (*body[tracing.LotContainers], error) {
	g, err := in.parse()
	if err != nil {
		return nil, err
	}
	return answer(ctx, s, func(snap *tracing.Snapshot) (*tracing.LotContainers, error) {
		l, err := snap.LotContainers(g, in.Lot, in.Holder, in.Limit)
		return l, lotProblem(err, g, in.Lot)
	})
}

// PageInput asks for a part of a list. It is exported for huma, which fills no other embedded
// structs.
type PageInput struct {
	Limit int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"At most so many. A page may hold fewer and still have a next one"`
	After string `query:"after" maxLength:"1000" doc:"next of the page before"`
}

// pageProblem is the answer about a token that is not of the list; another error, or none, stays.
func pageProblem(err error, token string) error {
	if errors.Is(err, tracing.ErrPageToken) {
		return httpapi.NewProblem(httpapi.PageTokenInvalid, "after %q is not a token of this list; send what stands in next of the page before, or nothing", clip(token))
	}
	return err
}

func (s *service) lots(ctx context.Context, in *struct {
	PageInput
	GTIN  string `query:"gtin" doc:"Only lots of this GTIN"`
	Party string `query:"party" maxLength:"32" doc:"Only lots whose GTIN is this party's"`
	Q     string `query:"q" maxLength:"100" doc:"Part of the lot's or the product's name"`
},
) (*body[tracing.Lots], error) {
	q := tracing.LotsQuery{Page: tracing.Page(in.PageInput), Party: in.Party, Text: in.Q}
	if in.GTIN != "" {
		g, err := parseGTIN(in.GTIN)
		if err != nil {
			return nil, err
		}
		q.GTIN = g.String()
	}
	return answer(ctx, s, func(snap *tracing.Snapshot) (*tracing.Lots, error) {
		l, err := snap.Lots(q)
		return l, pageProblem(err, in.After)
	})
}

func (s *service) products(ctx context.Context, in *struct {
	PageInput
	Party string `query:"party" maxLength:"32" doc:"Only products whose GTIN is this party's"`
	Q     string `query:"q" maxLength:"100" doc:"Part of the name, the NDC or the GTIN"`
},
) (*body[tracing.Products], error) {
	return answer(ctx, s, func(snap *tracing.Snapshot) (*tracing.Products, error) {
		p, err := snap.Products(tracing.ProductsQuery{Page: tracing.Page(in.PageInput), Party: in.Party, Text: in.Q})
		return p, pageProblem(err, in.After)
	})
}

func (s *service) shipments(ctx context.Context, in *struct {
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"20" doc:"At most so many. A page may hold fewer and still have a next one"`
	After string `query:"after" maxLength:"1000" doc:"next of the page before"`
	To    string `query:"to" maxLength:"32" doc:"Party id of the addressee"`
	From  string `query:"from" maxLength:"32" doc:"Party id of the sender; give to, from, or both"`
	Open  bool   `query:"open" doc:"Only shipments of which something is still on its way"`
},
) (*body[tracing.Shipments], error) {
	if in.To == "" && in.From == "" {
		return nil, httpapi.NewProblem(httpapi.MissingParameter, "whose shipments? Send to (the addressee's party id), from (the sender's), or both")
	}
	return answer(ctx, s, func(snap *tracing.Snapshot) (*tracing.Shipments, error) {
		l, err := snap.Shipments(tracing.ShipmentsQuery{Page: tracing.Page{Limit: in.Limit, After: in.After}, To: in.To, From: in.From, Open: in.Open})
		return l, pageProblem(err, in.After)
	})
}

func (s *service) search(ctx context.Context, in *struct {
	Q     string `query:"q" required:"true" maxLength:"500" doc:"Anything: a scan, an EPC, a Digital Link, an NDC, a GTIN, a lot, a party, a block, a recall, a product's name"`
	Limit int    `query:"limit" minimum:"1" maximum:"100" default:"30"`
},
) (*body[tracing.Found], error) {
	return answer(ctx, s, func(snap *tracing.Snapshot) (*tracing.Found, error) { return snap.Search(in.Q, in.Limit) })
}

func (s *service) recall(ctx context.Context, in *struct {
	Number string `path:"number" maxLength:"100"`
},
) (*body[tracing.RecallDetail], error) {
	return answer(ctx, s, func(snap *tracing.Snapshot) (*tracing.RecallDetail, error) {
		d, err := snap.Recall(in.Number)
		return d, recallProblem(err, in.Number)
	})
}

// recallProblem is the answer about a recall that the ledger does not have; another error, or none,
// stays.
func recallProblem(err error, number string) error {
	if errors.Is(err, tracing.ErrNoRecall) {
		return httpapi.NewProblem(httpapi.UnknownRecall, "the ledger has no recall %q; /v1/recalls lists those that it has", clip(number))
	}
	return err
}

func (s *service) recalls(ctx context.Context, _ *struct{}) (*body[tracing.Recalls], error) {
	return answer(ctx, s, (*tracing.Snapshot).Recalls)
}

func (s *service) blocks(ctx context.Context, in *struct {
	Before uint64 `query:"before" doc:"Only blocks below this height; 0: from the newest"`
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"30"`
},
) (*body[tracing.Blocks], error) {
	return answer(ctx, s, func(snap *tracing.Snapshot) (*tracing.Blocks, error) { return snap.Blocks(in.Before, in.Limit) })
}

func (s *service) block(ctx context.Context, in *struct {
	Height uint64 `path:"height"`
},
) (*body[tracing.Block], error) {
	return answer(ctx, s, func(snap *tracing.Snapshot) (*tracing.Block, error) {
		b, err := snap.Block(in.Height)
		return b, blockProblem(err, in.Height)
	})
}

// blockProblem is the answer about a block that is not there; another error, or none, stays.
func blockProblem(err error, height uint64) error {
	if errors.Is(err, chain.ErrNoBlock) {
		return httpapi.NewProblem(httpapi.UnknownBlock, "there is no block %d yet; /v1/status says how far the ledger is", height)
	}
	return err
}

func (s *service) event(ctx context.Context, in *struct {
	Height uint64 `path:"height"`
	Entry  uint32 `path:"entry" maximum:"4294967295"`
	Item   uint32 `path:"item" maximum:"4294967295"`
},
) (*body[tracing.Item], error) {
	pos := canonical.Position{Height: in.Height, Entry: in.Entry, Item: in.Item}
	return answer(ctx, s, func(snap *tracing.Snapshot) (*tracing.Item, error) {
		it, err := snap.Item(pos)
		if errors.Is(err, tracing.ErrNoItem) {
			return nil, httpapi.NewProblem(httpapi.UnknownEvent, "block %d has no item at %s; /v1/blocks/%d lists what it has", in.Height, pos, in.Height)
		}
		return it, blockProblem(err, in.Height)
	})
}

func (s *service) parties(ctx context.Context, _ *struct{}) (*body[tracing.Parties], error) {
	return answer(ctx, s, func(snap *tracing.Snapshot) (*tracing.Parties, error) { return snap.Parties(), nil })
}

func (s *service) party(ctx context.Context, in *struct {
	ID string `path:"id"`
},
) (*body[tracing.Party], error) {
	return answer(ctx, s, func(snap *tracing.Snapshot) (*tracing.Party, error) {
		p, err := snap.Party(in.ID)
		if errors.Is(err, tracing.ErrNoParty) {
			return nil, httpapi.NewProblem(httpapi.UnknownParty, "no party is registered as %q; /v1/parties lists them", clip(in.ID))
		}
		return p, err
	})
}

func (s *service) status(ctx context.Context, _ *struct{}) (*body[tracing.Status], error) {
	return answer(ctx, s, func(snap *tracing.Snapshot) (*tracing.Status, error) {
		var waiting uint64
		if s.Waiting != nil {
			waiting = s.Waiting()
		}
		return snap.Status(waiting), nil
	})
}

func (s *service) validators(ctx context.Context, _ *struct{}) (*body[tracing.Validators], error) {
	return answer(ctx, s, func(snap *tracing.Snapshot) (*tracing.Validators, error) { return snap.Validators(s.LastVote), nil })
}

func (s *service) genesis(c *gin.Context) error {
	c.Data(http.StatusOK, "application/json", s.Genesis.File)
	return nil
}

// proofProblem is the answer where there is nothing to prove; another error, or none, stays.
func proofProblem(err error, key gs1.Key) error {
	switch {
	case errors.Is(err, tracing.ErrNoEvents):
		return httpapi.NewProblem(httpapi.ProofUnavailable, "no event on the ledger names %s, so there is nothing to prove", key)
	case errors.Is(err, tracing.ErrNotCertified):
		return httpapi.NewProblem(httpapi.ProofUnavailable, "no block is certified yet; capture something first")
	}
	return err
}

func (s *service) checkpoint(c *gin.Context) error {
	return s.read(c.Request.Context(), func(snap *tracing.Snapshot) error {
		cp, cert, err := snap.Checkpoint()
		if err != nil {
			return proofProblem(err, gs1.Key{})
		}
		c.Data(http.StatusOK, "text/plain; charset=utf-8", []byte(s.Genesis.Validators.Note(cp, cert)))
		return nil
	})
}

func (s *service) proof(c *gin.Context) error {
	format := c.DefaultQuery("format", "json")
	if format != "json" && format != "binary" {
		return httpapi.NewProblem(httpapi.InvalidParameter, "format %q is unknown; ask for json or binary", clip(format))
	}
	thing, err := s.identify(c.Query("id"))
	if err != nil {
		return err
	}
	return s.read(c.Request.Context(), func(snap *tracing.Snapshot) error {
		if err := thing.in(snap); err != nil {
			return err
		}
		b, err := snap.Proof(thing.key)
		if err != nil {
			return proofProblem(err, thing.key)
		}
		if format == "binary" {
			c.Data(http.StatusOK, "application/octet-stream", b.Binary())
			return nil
		}
		c.Data(http.StatusOK, "application/json", b.JSON())
		return nil
	})
}
