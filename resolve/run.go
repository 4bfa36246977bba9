package resolve

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/boontorrent/boon/internal/metrics"
	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/internal/spool"
	"github.com/boontorrent/boon/resolve/fetch"
)

// Names in the spool besides segments.
const (
	storeName    = "resolved.db"
	torrentsName = "torrents"
)

const (
	firstNeighbours = 8 * time.Second // to find some before the first lookup
	lastUpload      = 20 * time.Second
)

// resolver is a run of a resolver.
type resolver struct {
	cfg      *Config
	spool    *spool.Spool
	store    *store
	desk     *desk
	network  *network
	fetcher  *fetch.Fetcher
	writer   *writer
	uploader *spool.Uploader
	keeper   *keeper
	reader   *reader
	counts   *counts
}

func newResolver(cfg *Config, s *spool.Spool) (*resolver, error) {
	run, err := spool.RunName(cfg.Random, cfg.Now())
	if err != nil {
		return nil, err
	}
	r := &resolver{cfg: cfg, spool: s}
	if err := r.open(); err != nil {
		return nil, errors.Join(err, r.close())
	}
	r.desk = newDesk(cfg, r.store)
	r.counts = &counts{failed: map[string]int64{}, failedOfList: map[string]int64{}, network: r.network, fetcher: r.fetcher}
	r.uploader = spool.NewUploader(s, cfg.Store, cfg.Say, cfg.UploadWait)
	segments := spool.NewSegments(s, rawlog.Header{Collector: cfg.Collector, Run: run, Software: cfg.Software, Privacy: "plain"})
	r.writer = &writer{cfg: cfg, spool: s, segments: segments, store: r.store, desk: r.desk, keeper: r.keeper, counts: r.counts, gauges: r.gauges}
	segments.Closing, segments.Sealed = r.writer.closing, r.uploader.Notify
	r.reader = &reader{store: cfg.Store, back: cfg.Lake, desk: r.desk, now: cfg.Now, say: cfg.Say, seen: map[string]struct{}{}}
	return r, nil
}

// open opens what must be closed.
func (r *resolver) open() (err error) {
	if r.keeper, err = newKeeper(r.spool.Path(torrentsName), r.cfg); err != nil {
		return err
	}
	if r.store, err = openStore(r.spool.Path(storeName)); err != nil {
		return err
	}
	if r.fetcher, err = fetch.New(r.cfg.Fetch); err != nil {
		return err
	}
	r.network, err = openNetwork(r.cfg)
	return err
}

func (r *resolver) close() error {
	var errs []error
	if r.network != nil {
		r.network.close()
	}
	if r.fetcher != nil {
		errs = append(errs, r.fetcher.Close())
	}
	if r.store != nil {
		errs = append(errs, r.store.close())
	}
	return errors.Join(errs...)
}

// run starts every goroutine and waits for all of them. They end in the order of
// the data: sources, tries, disk, lake.
func (r *resolver) run(ctx context.Context) error {
	uploading, stopUploads := context.WithCancel(context.WithoutCancel(ctx))
	var uploads errgroup.Group
	uploads.Go(func() error { r.uploader.Run(uploading); return nil })
	uploads.Go(func() error { r.keeper.run(uploading); return nil })
	r.uploader.Notify()
	r.cfg.Ready(r.network.addrs())

	working, stop := context.WithCancel(ctx)
	err := r.remember(ctx)
	if err == nil {
		err = r.work(working, stop)
	}
	stop()
	stopUploads()
	return errors.Join(err, uploads.Wait(), r.uploadRest(ctx))
}

// remember learns what is resolved already, and what was wanted of late.
func (r *resolver) remember(ctx context.Context) error {
	if err := r.store.prune(r.desk.seconds()); err != nil {
		return err
	}
	if err := r.store.eachDone(r.desk.settledBefore); err != nil {
		return err
	}
	if err := r.reader.resolved(ctx); err != nil && ctx.Err() == nil {
		return fmt.Errorf("read what is resolved already from %s: %w", r.cfg.Store.URL(), err)
	}
	if r.cfg.Lake > 0 { // all of it, since what is asked for early may be resolved late
		if err := r.reader.recent(ctx); err != nil && ctx.Err() == nil {
			r.cfg.Say("%v; going on, and trying again", err)
		}
	}
	if wanted, _, known := r.desk.sizes(); known+wanted > 0 {
		r.cfg.Say("%d torrents are resolved already, %d are wanted", known, wanted)
	}
	return nil
}

// work resolves until ctx ends, the list is settled, or the disk fails.
func (r *resolver) work(ctx context.Context, stop func()) error {
	results := make(chan outcome)
	disk, diskCtx := errgroup.WithContext(context.WithoutCancel(ctx))
	disk.Go(func() error {
		defer stop()
		return r.writer.run(ctx, results)
	})
	sources, inner := errgroup.WithContext(ctx)
	r.start(inner, sources, stop)
	err := r.tryAll(inner, diskCtx, results) // a source that fails ends it
	stop()
	err = errors.Join(err, sources.Wait())
	close(results)
	return errors.Join(err, disk.Wait())
}

// start starts what brings info-hashes, and what is to be done by the clock.
func (r *resolver) start(ctx context.Context, sources *errgroup.Group, stop func()) {
	if r.cfg.List != nil {
		sources.Go(func() error { return r.list(ctx, stop) })
	}
	if r.cfg.Lake > 0 {
		sources.Go(func() error { r.reader.run(ctx); return nil })
	}
	if r.cfg.Feed != nil {
		sources.Go(func() error { r.cfg.Feed.run(ctx, r.desk); return nil })
	}
	if r.cfg.Sample {
		sources.Go(func() error { newSampler(r).run(ctx); return nil })
	}
	if r.cfg.Metrics != "" {
		sources.Go(func() error { return metrics.Serve(ctx, r.cfg.Metrics, r.cfg.Say, &Metrics{r: r}) })
	}
	sources.Go(func() error { r.tick(ctx); return nil })
}

// tryAll takes what is due and tries it, many at a time. It ends when ctx does,
// and returns when all tries are over.
func (r *resolver) tryAll(ctx, disk context.Context, results chan<- outcome) error {
	r.awaitNeighbours(ctx)
	var tries errgroup.Group
	tries.SetLimit(r.cfg.Concurrency + 1)
	slots := make(chan struct{}, r.cfg.Concurrency)
	for ctx.Err() == nil {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			continue
		}
		j, err := r.desk.take(ctx)
		if err != nil {
			break
		}
		tries.Go(func() error {
			defer func() { <-slots }()
			o, settled := r.try(ctx, j)
			if settled {
				select {
				case results <- o:
					return nil
				case <-disk.Done():
				}
			}
			r.desk.putBack(j.hash)
			return nil
		})
	}
	return tries.Wait()
}

// awaitNeighbours waits until a DHT node is known, or it seems that none will be.
func (r *resolver) awaitNeighbours(ctx context.Context) {
	if len(r.cfg.Listen) == 0 {
		return
	}
	ticker := time.NewTicker(100 * time.Millisecond)
	defer ticker.Stop()
	giveUp := time.After(firstNeighbours)
	for {
		if _, _, _, nodes := r.network.traffic(); nodes > 0 {
			return
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-giveUp:
			r.cfg.Say("no DHT node has answered: is UDP let out, are the nodes of --bootstrap up? Going on with peers that are known")
			return
		}
	}
}

// list brings the list to the desk and stops the run when all of it is settled.
func (r *resolver) list(ctx context.Context, stop func()) error {
	read := make(chan error, 1)
	go func() { // who types it may never end: a Read that waits cannot be ended
		read <- readList(ctx, r.cfg.List, func(t Target) error { return r.target(ctx, t) }, func(line int, why error) {
			r.counts.ofList(&r.counts.badLines)
			r.cfg.Say("line %d of the list is passed over: %v", line, why)
		})
	}()
	select {
	case <-ctx.Done():
		return nil
	case err := <-read:
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for r.desk.open() > 0 {
		select {
		case <-ctx.Done():
			return nil
		case <-ticker.C:
		}
	}
	stop()
	return nil
}

// target takes an info-hash of the list; where the backlog has no room for it yet, or
// it is being tried because of a sample, it waits.
func (r *resolver) target(ctx context.Context, t Target) error {
	for {
		switch r.desk.want(t.Infohash, t.Peers, fromList) {
		case resolvedAlready:
			r.counts.ofList(&r.counts.known)
			r.cfg.Report(Report{Infohash: t.Infohash.String(), State: "known"})
		case excludedAlready:
			r.counts.ofList(&r.counts.excludedOfList)
			r.cfg.Report(Report{Infohash: t.Infohash.String(), State: excluded})
		case noRoom, triedNow:
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Second):
			}
			continue
		}
		return nil
	}
}

// tick forgets what is too old, and tells the operator how things are.
func (r *resolver) tick(ctx context.Context) {
	ticker := time.NewTicker(time.Minute)
	defer ticker.Stop()
	var resolved, tried int64
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		r.desk.expire()
		n, _, failed := r.counts.tries()
		all := n
		for _, f := range failed {
			all += f
		}
		r.cfg.Say("%s", r.line(float64(n-resolved)/60, float64(all-tried)/60))
		resolved, tried = n, all
	}
}

// uploadRest uploads what the end has sealed. A lake that cannot be reached now is
// no failure: the next start goes on.
func (r *resolver) uploadRest(ctx context.Context) error {
	rest, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastUpload)
	defer cancel()
	if err := errors.Join(r.uploader.All(rest), r.keeper.all(rest)); err != nil {
		r.cfg.Say("%v; it stays in the spool for the next start", err)
	}
	return nil
}

func (r *resolver) summary(mended int64) Summary {
	resolved, excluded, failed := r.counts.tries()
	known, excludedOfList, badLines, unmet := r.counts.list()
	s := Summary{
		Run: r.writer.segments.Run(), Resolved: resolved, Failed: failed, Known: known, Excluded: excluded + excludedOfList,
		Unmet: unmet, BadLines: badLines, Share: r.desk.resolvedShare(), Mended: mended, Spooled: r.spool.Held(),
	}
	if left, err := os.ReadDir(r.spool.Path(torrentsName)); err == nil {
		for _, e := range left {
			if st, err := e.Info(); err == nil && filepath.Ext(e.Name()) == ".torrent" {
				s.Spooled += st.Size()
			}
		}
	}
	return s
}
