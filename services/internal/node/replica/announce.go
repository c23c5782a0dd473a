package replica

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"verilot.dev/ledger/consensus"
	"verilot.dev/services/internal/node/bus"
)

// How long the next validator in rank waits for a good copy of a block to appear: less once somebody has missed its turn.
const (
	rankWait     = time.Second
	lateRankWait = 100 * time.Millisecond
	oldBlock     = 5 * time.Second // a block this old may well be there already
)

// runAnnounce sees to it that every block is on BLOCKS. The validator whose turn it is publishes at once, and f others in
// turn look whether a good copy came: among f + 1 one is honest and up. Each remembers up to where it has done its part,
// since all may be killed at once, and then the blocks after one that is missing may be there.
func (v *Validator) runAnnounce(ctx context.Context) error {
	next, err := v.unannounced(ctx)
	if err != nil {
		return err
	}
	next = min(next, v.readMark()+1)
	stored := v.chain.Head().Header.Height // up to here others had time
	type due struct {
		height uint64
		at     time.Time
	}
	var queue []due
	n := uint64(len(v.set.Validators))
	late := make([]bool, n) // who missed its last turn
	marked := next
	for {
		news := v.chain.Changed()
		for ; next <= v.chain.Head().Header.Height; next++ {
			turn := (n - next%n) % n // rank 0
			switch rank := (next + uint64(v.self)) % n; {
			case rank == 0:
				look := next <= stored || v.cfg.Now().Sub(v.Status().Time) > oldBlock
				if _, err := v.announce(ctx, next, look); err != nil {
					return err
				}
			case rank <= uint64(v.set.Faults()):
				wait := rankWait
				if late[turn] {
					wait = lateRankWait
				}
				if next <= stored {
					wait = 0
				}
				queue = append(queue, due{next, time.Now().Add(time.Duration(rank) * wait)})
			}
		}
		for len(queue) > 0 && !time.Now().Before(queue[0].at) {
			published, err := v.announce(ctx, queue[0].height, true)
			if err != nil {
				return err
			}
			late[(n-queue[0].height%n)%n] = published
			queue = queue[1:]
		}
		if mark := next - 1; len(queue) == 0 && mark > marked+markEvery {
			v.writeMark(mark)
			marked = mark
		}
		wait := time.Hour
		if len(queue) > 0 {
			wait = time.Until(queue[0].at)
		}
		t := time.NewTimer(wait)
		select {
		case <-ctx.Done():
			t.Stop()
			if len(queue) == 0 {
				v.writeMark(next - 1)
			}
			return ctx.Err()
		case <-t.C:
		case <-news:
			t.Stop()
		}
	}
}

// markEvery is how many blocks may be looked for twice after a crash, which costs a millisecond each.
const markEvery = 64

func (v *Validator) markFile() string { return filepath.Join(filepath.Dir(v.cfg.Journal), "announced") }

// readMark is the height up to which this validator has done its part. What was lost is only looked at again.
func (v *Validator) readMark() uint64 {
	head := v.chain.Head().Header.Height
	b, err := os.ReadFile(v.markFile())
	if err == nil {
		if mark, err := strconv.ParseUint(strings.TrimSpace(string(b)), 10, 64); err == nil && mark <= head {
			return mark
		}
	}
	return head - min(head, bus.RecentBlocks)
}

func (v *Validator) writeMark(mark uint64) {
	tmp := v.markFile() + ".new"
	err := os.WriteFile(tmp, strconv.AppendUint(nil, mark, 10), 0o644)
	if err == nil {
		err = os.Rename(tmp, v.markFile())
	}
	if err != nil {
		v.log.Warn("note which blocks are published", "err", err)
	}
}

// unannounced is the lowest of the newest heights that BLOCKS has no good copy of.
func (v *Validator) unannounced(ctx context.Context) (uint64, error) {
	for h := v.chain.Head().Header.Height; h > 0; {
		ok, err := v.announced(ctx, h)
		switch {
		case err != nil && ctx.Err() != nil:
			return 0, ctx.Err()
		case err != nil:
			v.log.Warn("look for a published block", "height", h, "err", err)
			if !sleep(ctx, time.Second) {
				return 0, ctx.Err()
			}
		case ok:
			return h + 1, nil
		default:
			h--
		}
	}
	return 1, nil
}

// announced reports whether the newest copy of a block on BLOCKS is a good one.
func (v *Validator) announced(ctx context.Context, height uint64) (bool, error) {
	raw, err := v.bus.Block(ctx, height)
	if errors.Is(err, bus.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	b, err := v.chain.Stored(height)
	if err != nil {
		return false, err
	}
	rec, err := consensus.DecodeBlockRecord(raw)
	if err != nil {
		return false, nil //nolint:nilerr // an unreadable copy is no copy
	}
	good := bytes.Equal(rec.Header, b.Header) && len(rec.Entries) == len(b.Leaves) && len(rec.Verdicts) == len(b.Verdicts)
	if !good {
		return false, nil
	}
	if _, err := rec.Check(v.chain.Genesis()); err != nil {
		return false, nil //nolint:nilerr // a bad copy is no copy
	}
	c, err := v.chain.Checkpoint(height)
	if err != nil {
		return false, err
	}
	return rec.CheckCertificate(v.chain.Genesis(), height, c.Root) == nil, nil
}

// announce publishes a block, unless a good copy is there already (if it is to look), until it succeeds.
func (v *Validator) announce(ctx context.Context, height uint64, look bool) (published bool, err error) {
	b, err := v.chain.Stored(height)
	if err != nil {
		return false, damagedBlock.because(err)
	}
	record := b.Record().Encode()
	for wait := 50 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		there := false
		if err = nil; look {
			there, err = v.announced(ctx, height)
		}
		if err == nil && !there {
			err = v.bus.PublishBlock(ctx, height, record)
		}
		if err == nil || errors.Is(err, bus.ErrTooLarge) {
			if err != nil {
				v.log.Error("publish block", "height", height, "err", err)
			}
			return !there, nil
		}
		v.log.Warn("publish block, will try again", "height", height, "err", err)
		if !sleep(ctx, wait) {
			return false, ctx.Err()
		}
		look = true // the attempt may have got through
	}
}
