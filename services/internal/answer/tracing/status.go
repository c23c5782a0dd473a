package tracing

import (
	"encoding/hex"
	"time"

	"verilot.dev/ledger/consensus"
)

// Status is where a copy of the ledger stands.
type Status struct {
	Network     string `json:"network"`
	GenesisHash string `json:"genesisHash"`
	Development bool   `json:"development"`
	Height      uint64 `json:"height,string"`
	LastSeq     uint64 `json:"lastSequence,string"`
	Waiting     uint64 `json:"messagesWaiting,string"`
	Validators  int    `json:"validators"`
	Quorum      int    `json:"quorum"`
	RestsOn     AsOf   `json:"restsOn"`
}

// Status is where this copy stands. waiting is how many stream messages are known that are in no
// block of it yet.
func (s *Snapshot) Status(waiting uint64) *Status {
	head, _ := consensus.ReadHead(s.View)
	return &Status{
		Network: s.Genesis.Name, GenesisHash: hex.EncodeToString(s.Genesis.Hash[:]), Development: s.Genesis.Development,
		Height: head.Header.Height, LastSeq: head.Header.LastSeq, Waiting: waiting, Validators: len(s.Genesis.Validators.Validators),
		Quorum: s.Genesis.Validators.Quorum(), RestsOn: s.AsOf(),
	}
}

// Validators is the set, and where each stands.
type Validators struct {
	Quorum     int         `json:"quorum"`
	Validators []Validator `json:"validators"`
	RestsOn    AsOf        `json:"restsOn"`
}

// Validator is one of the set. What was heard of it is hearsay of this service since it started: votes are not on the
// ledger. No vote is heard for up to 20 s when nothing is submitted.
type Validator struct {
	Index      int        `json:"index"`
	Name       string     `json:"name"`
	Party      string     `json:"party"`
	PartyName  string     `json:"partyName,omitempty"`
	VoteHeight *uint64    `json:"voteHeight,omitempty,string" doc:"Height of the newest vote heard; absent: none was heard"`
	VoteRound  uint32     `json:"voteRound" doc:"Round of that vote; 0 when all is well"`
	HeardAt    *time.Time `json:"heardAt,omitempty"`
	Lag        *uint64    `json:"lag,omitempty,string" doc:"Certified blocks that it was not heard to vote for"`
	Evidence   int        `json:"evidence" doc:"Pairs of contradicting votes that were heard: it lies, or its key is used twice"`
}

// LastVote is what this node received of a validator's votes: the newest one, when it came, and how
// many pairs of its votes contradict each other. Without a vote all is zero.
type LastVote struct {
	Height   uint64
	Round    uint32
	At       time.Time
	Evidence int
}

// Validators lists the set. votes returns the last vote of a validator by its index; nil: this node
// receives none.
func (s *Snapshot) Validators(votes func(validator int) LastVote) *Validators {
	head, _ := consensus.ReadHead(s.View)
	set := &s.Genesis.Validators
	out := &Validators{Quorum: set.Quorum(), RestsOn: s.AsOf()}
	for i := range set.Validators {
		v := Validator{Index: i, Name: set.Validators[i].Name, Party: set.Validators[i].Party}
		if p, ok := s.registry().Party(v.Party); ok {
			v.PartyName = p.Name
		}
		if votes != nil {
			if last := votes(i); last.Height > 0 {
				at, lag := last.At.UTC(), max(head.Header.Height, last.Height)-last.Height
				v.VoteHeight, v.VoteRound, v.HeardAt, v.Lag, v.Evidence = &last.Height, last.Round, &at, &lag, last.Evidence
			}
		}
		out.Validators = append(out.Validators, v)
	}
	return out
}
