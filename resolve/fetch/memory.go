package fetch

import (
	"context"
	"sync"
	"sync/atomic"

	"golang.org/x/sync/semaphore"
)

// budget bounds the memory that messages of peers take.
type budget struct {
	free *semaphore.Weighted // in blocks
	used *atomic.Int64       // bytes
	most *atomic.Int64       // that used has been
}

// block holds one message of the extension protocol. Blocks with pieces of an
// info dictionary are kept until it is whole; nothing is copied before that.
type block [maxExtended]byte

var blocks = sync.Pool{New: func() any { return new(block) }}

func newBudget(bytes int64) budget {
	return budget{free: semaphore.NewWeighted(bytes / maxExtended), used: new(atomic.Int64), most: new(atomic.Int64)}
}

// take waits for room for a block.
func (b *budget) take(ctx context.Context) (*block, error) {
	if err := b.free.Acquire(ctx, 1); err != nil {
		return nil, err
	}
	used := b.used.Add(maxExtended)
	for most := b.most.Load(); used > most && !b.most.CompareAndSwap(most, used); most = b.most.Load() {
	}
	return blocks.Get().(*block), nil
}

func (b *budget) give(k *block) {
	if k == nil {
		return
	}
	blocks.Put(k)
	b.used.Add(-maxExtended)
	b.free.Release(1)
}
