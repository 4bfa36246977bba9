package etl

import (
	"context"
	"iter"

	"golang.org/x/sync/errgroup"
)

// ordered runs each input through one of the works, which run at the same time
// on goroutines of g, and gives the results in the order of the inputs. An input
// is taken when a work is free for it. The channel is closed
// after the last result; if g fails it may be closed early or never, and the
// receiver must watch ctx, which is g's.
func ordered[In, Out any](ctx context.Context, g *errgroup.Group, in <-chan In, works []func(In) (Out, error)) <-chan Out {
	type job struct {
		in  In
		out chan Out
	}
	jobs := make(chan job)
	waiting := make(chan chan Out, 1)
	free := make(chan struct{}, len(works)) // inputs are taken when there is someone to work on them
	out := make(chan Out)
	g.Go(func() error {
		defer close(jobs)
		defer close(waiting)
		for send(ctx, free, struct{}{}) {
			v, ok := <-in
			if !ok {
				return nil
			}
			j := job{v, make(chan Out, 1)}
			if !send(ctx, waiting, j.out) || !send(ctx, jobs, j) {
				return ctx.Err()
			}
		}
		return ctx.Err()
	})
	for _, work := range works {
		g.Go(func() error {
			for j := range jobs {
				v, err := work(j.in)
				if err != nil {
					return err
				}
				j.out <- v
				<-free
			}
			return nil
		})
	}
	g.Go(func() error {
		defer close(out)
		for w := range waiting {
			select {
			case v := <-w:
				if !send(ctx, out, v) {
					return ctx.Err()
				}
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	return out
}

// feed sends the values of a sequence, on a goroutine of g, until ctx ends.
func feed[T any](ctx context.Context, g *errgroup.Group, values iter.Seq[T]) <-chan T {
	out := make(chan T)
	g.Go(func() error {
		defer close(out)
		for v := range values {
			if !send(ctx, out, v) {
				return ctx.Err()
			}
		}
		return nil
	})
	return out
}

// between is the numbers from first to end-1.
func between(first, end int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := first; i < end; i++ {
			if !yield(i) {
				return
			}
		}
	}
}

// send reports whether v was taken before ctx ended.
func send[T any](ctx context.Context, to chan<- T, v T) bool {
	select {
	case to <- v:
		return true
	case <-ctx.Done():
		return false
	}
}
