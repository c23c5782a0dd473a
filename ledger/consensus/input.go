package consensus

import "time"

// Input is one thing that happened: Arrived, VoteReceived, CosignatureReceived, PeerReceived, Certified, Persisted or
// Applied. A nil Input means that a timer went off or that the validator starts.
type Input interface{ input() }

type (
	// Arrived is the next message of the stream, in order, from the head's last sequence + 1 on.
	Arrived struct{ Message Message }
	// VoteReceived is what another validator sent as a vote.
	VoteReceived struct{ Payload []byte }
	// CosignatureReceived is what another validator sent as a cosignature.
	CosignatureReceived struct{ Payload []byte }
	// PeerReceived is what another validator sent with Send.
	PeerReceived struct{ Payload []byte }
	// Certified is a block that others decided, from the BLOCKS stream or a peer, with its bodies from wherever: the answer
	// to FetchBlock. One that is not the next, or that does not hold, changes nothing.
	Certified struct {
		Record   *BlockRecord
		Messages []Message
	}
	// Persisted says that the record with this ID, and so every earlier one, is durable. Took is how long the disk needed.
	Persisted struct {
		ID   uint64
		Took time.Duration
	}
	// Applied says that the node's view now holds the state after this height.
	Applied struct{ Height uint64 }
)

func (Arrived) input()             {}
func (VoteReceived) input()        {}
func (CosignatureReceived) input() {}
func (PeerReceived) input()        {}
func (Certified) input()           {}
func (Persisted) input()           {}
func (Applied) input()             {}
