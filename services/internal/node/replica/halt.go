package replica

import (
	"errors"
	"fmt"

	"verilot.dev/ledger/consensus"
	"verilot.dev/services/internal/node/bus"
	"verilot.dev/services/internal/node/chain"
	"verilot.dev/services/internal/node/store"
)

// HaltError is why a node stopped for good. Starting it again does not help: somebody must look.
type HaltError struct {
	Reason string
	Remedy string // what somebody may do; one sentence or two
	Err    error
}

func (e *HaltError) Error() string {
	s := "halted: " + e.Reason
	if e.Err != nil {
		s = fmt.Sprintf("%s: %v", s, e.Err)
	}
	if e.Remedy != "" {
		s += " (" + e.Remedy + ")"
	}
	return s
}

func (e *HaltError) Unwrap() error { return e.Err }

// The reasons to halt, each with its remedy.
var (
	streamGone = HaltError{
		Reason: "the broker has no stream " + bus.Custody + " any more",
		Remedy: "put the broker's data back from where it was kept; never create the stream again, the blocks decided so far refer to it. If it is lost, the network needs a new epoch",
	}
	otherStream = HaltError{
		Reason: "the broker lost its tail or shows a different history",
		Remedy: "nothing decided is lost; put the broker's data back or connect to a broker with the history that the others have. If it is lost, the network needs a new epoch",
	}
	damagedStream = HaltError{
		Reason: "the broker's history is damaged",
		Remedy: "messages in the middle are missing; put the broker's data back",
	}
	wrongStream = HaltError{
		Reason: "the stream is not that of this network",
		Remedy: "its first message must be the epoch record; check the broker's address and the genesis file",
	}
	diverged = HaltError{
		Reason: "own execution differs from what a quorum of validators signed",
		Remedy: "compare versions and, if they are the same, keep the data folder and report it: this must not happen",
	}
	otherVote = HaltError{
		Reason: "own execution differs from the own recorded vote",
		Remedy: "the version was changed between two blocks, or the disk is damaged; go back to the version before",
	}
	damagedBlock = HaltError{
		Reason: "an own block was changed on disk",
		Remedy: "move the folder chain away and start again: the blocks come back from the others. Keep the folder journal, it holds this validator's votes. And distrust the disk",
	}
	damagedJournal = HaltError{
		Reason: "the journal of own votes is damaged, or not that of this copy",
		Remedy: "put chain and journal back from the same moment. Without the journal this validator might vote twice: do not delete it",
	}
	unreadableState = HaltError{
		Reason: "the own state cannot be read",
		Remedy: "move the folder chain/state away: it is built again from the blocks",
	}
	disk = HaltError{
		Reason: "the disk does not take what must be kept",
		Remedy: "make room or replace it, then start again",
	}
	rulesStopped = HaltError{Reason: "the rules stopped"}
)

// because is this reason with its cause.
func (e HaltError) because(err error) error {
	e.Err = err
	return &e
}

// haltFor returns the halt for an error of the rules or the bus.
func haltFor(err error) error {
	for _, r := range []struct {
		err error
		why HaltError
	}{
		{bus.ErrGone, streamGone},
		{consensus.ErrDiverged, diverged},
		{consensus.ErrVoted, otherVote},
		{consensus.ErrJournal, damagedJournal},
		{consensus.ErrStream, otherStream},
		{consensus.ErrBodies, otherStream},
		{consensus.ErrSequence, otherStream},
		{consensus.ErrNoEpochRecord, wrongStream},
	} {
		if errors.Is(err, r.err) {
			return r.why.because(err)
		}
	}
	return rulesStopped.because(err)
}

// Damaged is the halt of a validator whose own copy cannot be opened because it was changed; another error stays as it is.
func Damaged(err error) error {
	if errors.Is(err, store.ErrCorrupt) || errors.Is(err, chain.ErrDiffers) {
		return damagedBlock.because(err)
	}
	return err
}

// Gone is the halt of whoever finds that there is no stream any more; nil for another error.
func Gone(err error) error {
	if errors.Is(err, bus.ErrGone) {
		return streamGone.because(err)
	}
	return nil
}
