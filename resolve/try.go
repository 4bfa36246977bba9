package resolve

import (
	"context"
	"errors"
	"time"

	"github.com/boontorrent/boon/internal/infodict"
	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/resolve/fetch"
)

const (
	headStart = 1500 * time.Millisecond // of peers that are known over a lookup
	tryTime   = 5 * time.Minute         // for all of it

	silentPause = 10 * time.Second // before the next try, where no DHT node is known
)

// outcome is what became of a try.
type outcome struct {
	job
	event    *rawlog.ResolveEvent // nil where it failed
	info     []byte               // to be kept as a .torrent file; nil: not to be
	reason   string               // why it failed, or "excluded"
	peers    int64
	excluded bool // by its title or other info-hash: nothing of it is kept
	final    bool // the dictionary itself is why: there is no use in asking again
}

// The reasons of a failed try besides fetch's. A dictionary that is what it should
// be, but no client could use, is malformed; so is what a peer says that breaks the
// protocol, which says nothing of the torrent.
const (
	malformed = "malformed"
	tooLarge  = "too_large"
	excluded  = "excluded"
)

// try asks for an info dictionary. False where ctx ended before that was settled.
func (r *resolver) try(ctx context.Context, j job) (outcome, bool) {
	trying, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	peers := make(chan fetch.Peer)
	swarm := make(chan *scrape, 1)
	go func() {
		defer close(peers)
		swarm <- r.findPeers(trying, j, peers)
	}()
	res := r.fetcher.Fetch(trying, fetch.Want{Infohash: j.hash, Patient: j.source == fromList}, peers)
	cancel()
	sc := <-swarm
	o := outcome{job: j, peers: int64(res.Tried)}
	switch {
	case res.Info != nil:
		r.read(&o, &res, sc)
		return o, true
	case ctx.Err() != nil:
		return o, false
	case res.Peers == 0 && j.source != fromList && r.network.silent():
		select { // that nobody was found says nothing of the torrent
		case <-ctx.Done():
		case <-time.After(silentPause):
		}
		return o, false
	case res.Reason == fetch.Stopped:
		o.reason = fetch.Timeout.String()
	default:
		o.reason = res.Reason.String()
	}
	return o, true
}

// findPeers hands on the peers that are known, then those that a lookup finds.
func (r *resolver) findPeers(ctx context.Context, j job, found chan<- fetch.Peer) *scrape {
	for _, p := range j.peers {
		select {
		case found <- p:
		case <-ctx.Done():
			return &scrape{}
		}
	}
	if len(j.peers) > 0 {
		timer := time.NewTimer(headStart)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return &scrape{}
		}
	}
	return r.network.lookup(ctx, j.hash, found)
}

// read makes the event of an info dictionary, or says why there is none.
func (r *resolver) read(o *outcome, res *fetch.Result, sc *scrape) {
	ev, err := infodict.FromInfo(res.Info, &o.hash)
	var refused *infodict.Error
	switch {
	case errors.As(err, &refused) && refused.Reason == infodict.TooLarge:
		o.reason, o.final = tooLarge, true
		return
	case err != nil:
		o.reason, o.final = malformed, true
		return
	case r.cfg.Exclude.torrent(ev, res.Info):
		o.reason, o.excluded = excluded, true
		return
	}
	ev.Peers, ev.FoundBy = int64(res.Peers), res.Source
	ev.Seeders, ev.Leechers = sc.estimates()
	o.event = ev
	if r.cfg.KeepTorrents {
		o.info = res.Info
	}
}
