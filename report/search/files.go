package search

import (
	"context"
	"path"

	"golang.org/x/sync/errgroup"
)

// fileWorkers gather the terms of file names.
type fileWorkers struct {
	group *errgroup.Group
	ctx   context.Context
	in    chan listing
	all   []*accumulator
	ended bool
}

// listing is a torrent's files.
type listing struct {
	doc   uint32
	paths []string
}

// Files adds the paths of a torrent's files. What a torrent's own name has is not
// indexed again. The slice is the builder's from now on.
func (b *Builder) Files(ctx context.Context, infohash [20]byte, paths []string) error {
	if b.files == nil {
		b.byHash = make(map[[20]byte]uint32, len(b.docs))
		for i := range b.docs {
			b.byHash[b.docs[i].Infohash] = uint32(i)
		}
		b.files = b.startFiles(ctx)
	}
	doc, ok := b.byHash[infohash]
	if !ok {
		return nil
	}
	select {
	case b.files.in <- listing{doc, paths}:
		return nil
	case <-b.files.ctx.Done():
		return context.Cause(b.files.ctx)
	}
}

func (b *Builder) startFiles(ctx context.Context) *fileWorkers {
	f := &fileWorkers{in: make(chan listing, 256)}
	f.group, f.ctx = errgroup.WithContext(ctx)
	for range b.o.Workers {
		a := newAccumulator(b.o.Temp)
		f.all = append(f.all, a)
		f.group.Go(func() error {
			var t Tokeniser
			for l := range f.in {
				if err := a.begin(l.doc); err != nil {
					return err
				}
				t.Terms(b.docs[l.doc].Name, a.pass)
				a.files(&t, l.paths)
			}
			return f.ctx.Err()
		})
	}
	return f
}

// files adds the terms of a torrent's paths, up to a bound. Neighbours mostly share
// their folder.
func (a *accumulator) files(t *Tokeniser, paths []string) {
	last, until := "", len(a.pairs)+mostFileTerms
	for _, p := range paths {
		if len(a.pairs) >= until {
			return
		}
		folder, name := path.Split(p)
		if folder != last {
			t.Terms(folder, a.add)
			last = folder
		}
		t.Terms(name, a.add)
	}
}

func (f *fileWorkers) stop() {
	if !f.ended {
		f.ended = true
		close(f.in)
		_ = f.group.Wait()
	}
	for _, a := range f.all {
		a.close()
	}
}

func (f *fileWorkers) finish(ctx context.Context, b *Builder) (first, heads []string, err error) {
	f.ended = true
	close(f.in)
	if err := f.group.Wait(); err != nil {
		return nil, nil, err
	}
	z := b.sizes
	z.shard = z.fileShard
	dict := newDictionary(b.out, z, "f", len(b.docs), b.root.General, true)
	err = merge(f.all, func(term []byte, docs []uint32) error {
		if err := ctx.Err(); err != nil {
			return err
		}
		return dict.add(term, docs)
	})
	if err != nil {
		return nil, nil, err
	}
	return dict.finish()
}
