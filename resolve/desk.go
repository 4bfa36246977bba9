package resolve

import (
	"context"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/resolve/fetch"
)

// How a peer was found, in resolve events.
const (
	byAnnounce = "announce" // it announced itself to a collector
	byLookup   = "lookup"   // a DHT lookup named it
	byList     = "list"     // a magnet link named it
)

// Times of trying again, in seconds: after the first failure, the second, …
var pauses = [...]uint32{10 * 60, 3600, 6 * 3600, 24 * 3600}

const (
	wantedFor = 24 * 3600      // seconds; what nobody asked for since is not wanted any more
	hopeless  = 30 * 24 * 3600 // seconds until the next try of a dictionary that cannot be used
)

// desk is where all that is wanted comes in, and from where it is taken to be
// tried. It knows what is resolved, what is excluded and what was tried before.
type desk struct {
	now   func() time.Time
	store *store
	skip  *Exclusions
	wake  chan struct{} // something may be due

	mu         sync.Mutex
	backlog    *backlog
	demand     *demand
	known      known
	unwanted   known // excluded by what their dictionaries say
	announcers *announcers
	pending    int64 // of a list: not settled

	asks, asksResolved atomic.Int64 // distinct asks for what counts as a torrent; for what is resolved
	trying             atomic.Int64
	excluded           atomic.Int64 // asks for what is excluded
	refused            atomic.Int64 // info-hashes for which the backlog had no room
	forgotten          atomic.Int64 // not wanted any more
}

func newDesk(cfg *Config, st *store) *desk {
	return &desk{
		now: cfg.Now, store: st, skip: cfg.Exclude, wake: make(chan struct{}, 1),
		backlog: newBacklog(cfg.Backlog), demand: newDemand(), known: known{limit: maxKnown},
		unwanted: known{limit: maxKnown}, announcers: newAnnouncers(),
	}
}

const maxKnown = 24 << 20 // info-hashes that are remembered, and need not be asked for: at most 256 MiB

func (d *desk) seconds() uint32 { return uint32(d.now().Unix()) }

// ask is a query that somebody made.
type ask struct {
	hash      rawlog.ID
	requester [16]byte       // an address, or a pseudonym
	peer      netip.AddrPort // who announced with a good token; not valid otherwise
	announce  bool
	at        uint32 // seconds since 1970
}

// hear takes a query in. One asker alone does not make a torrent: clients look up
// made-up info-hashes for their own upkeep. Two do, or an announce.
func (d *desk) hear(a *ask) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.isExcluded(a.hash) {
		d.excluded.Add(1)
		return
	}
	now := d.seconds()
	hash := (*[20]byte)(&a.hash)
	first := d.demand.firstAsk(hash, a.requester[:], now)
	if d.known.has(hash) {
		if first {
			d.asks.Add(1)
			d.asksResolved.Add(1)
		}
		return
	}
	e := d.backlog.find(a.hash)
	if e == nil {
		e = d.enter(a, first, now)
	} else if first {
		e.wanted++
		d.asks.Add(1)
		d.backlog.moved(e)
	}
	if e == nil {
		return
	}
	e.heard = max(e.heard, a.at)
	if a.peer.IsValid() && now < a.at+announcerLasts {
		d.fresh(e, a, now)
	}
}

// isExcluded tells whether an info-hash is not to be asked for, nor counted.
func (d *desk) isExcluded(h rawlog.ID) bool {
	return d.skip.hash(h) || d.unwanted.has((*[20]byte)(&h))
}

// enter takes a new info-hash in, if it is one.
func (d *desk) enter(a *ask, first bool, now uint32) *entry {
	if !first && !a.announce {
		return nil
	}
	wanted := uint32(1)
	if d.demand.askedBefore((*[20]byte)(&a.hash), now) && first {
		wanted = 2
	} else if !a.announce {
		return nil
	}
	e := d.add(entry{hash: a.hash, wanted: wanted, heard: a.at, source: fromHeard}, now)
	if e != nil {
		d.asks.Add(int64(wanted))
	}
	return e
}

// add puts an entry into the backlog, with what is known of earlier tries.
func (d *desk) add(e entry, now uint32) *entry {
	e.due = now
	if before, found := d.store.failed(e.hash); found && e.source != fromList {
		e.tries, e.due = before.tries, before.due
	}
	if !d.backlog.add(e, now) {
		d.refused.Add(1)
		return nil
	}
	d.wakeUp()
	return d.backlog.find(e.hash)
}

// fresh notes a peer that has just announced itself. That is reason to try again
// what failed, if the last try is ten minutes ago.
func (d *desk) fresh(e *entry, a *ask, now uint32) {
	if !d.announcers.add(a.hash, a.peer, now) {
		return
	}
	if e.state == trying {
		return
	}
	e.fresh = true
	if e.tries > 0 && e.due > now && now+pauseAfter(e.tries) >= e.due+pauses[0] && e.due < now+hopeless/2 {
		d.backlog.rush(e, now)
	}
	d.backlog.moved(e)
	d.wakeUp()
}

// pauseAfter is how long after a try that failed, the last of so many, the next one is due.
func pauseAfter(tries uint8) uint32 { return pauses[min(int(tries), len(pauses))-1] }

func (d *desk) wakeUp() {
	select {
	case d.wake <- struct{}{}:
	default:
	}
}

// want takes an info-hash from a list or sample; what became of it.
func (d *desk) want(h rawlog.ID, peers []netip.AddrPort, from source) standing {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.isExcluded(h) {
		d.excluded.Add(1)
		return excludedAlready
	}
	now := d.seconds()
	if d.known.has((*[20]byte)(&h)) {
		if from == fromList {
			d.asks.Add(1)
			d.asksResolved.Add(1)
		}
		return resolvedAlready
	}
	e := d.backlog.find(h)
	switch {
	case e == nil:
		if e = d.add(entry{hash: h, heard: now, source: from}, now); e == nil {
			return noRoom
		}
	case from != fromList || e.source == fromList:
		return wantedAlready
	case e.state == trying:
		return triedNow
	}
	if from == fromList {
		e.source = fromList
		e.wanted++
		d.pending++
		d.asks.Add(1)
		d.backlog.rush(e, now)
	}
	for _, p := range peers {
		e.fresh = d.announcers.add(h, p, now) || e.fresh
	}
	d.backlog.moved(e)
	d.wakeUp()
	return taken
}

// standing is how an info-hash stands when it comes in.
type standing uint8

const (
	taken standing = iota
	wantedAlready
	resolvedAlready
	excludedAlready
	triedNow // for somebody else: a list asks again when that is over
	noRoom
)

// resolvedBefore notes what the lake or our own memory has.
func (d *desk) resolvedBefore(h rawlog.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.known.add((*[20]byte)(&h)) {
		return
	}
	if e := d.backlog.find(h); e != nil && e.state != trying && e.source != fromList {
		d.asksResolved.Add(int64(e.wanted))
		d.backlog.remove(h)
		d.announcers.take(h)
	}
}

// settledBefore notes what our own memory has.
func (d *desk) settledBefore(h rawlog.ID, excluded bool) {
	if !excluded {
		d.resolvedBefore(h)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.unwanted.add((*[20]byte)(&h))
}

// job is an info-hash to try, and the peers that are known already.
type job struct {
	entry
	peers []fetch.Peer
}

// take waits for an info-hash that is due, and takes it.
func (d *desk) take(ctx context.Context) (job, error) {
	for {
		if j, ok := d.tryTake(); ok {
			return j, nil
		}
		timer := time.NewTimer(time.Second)
		select {
		case <-ctx.Done():
			timer.Stop()
			return job{}, ctx.Err()
		case <-d.wake:
			timer.Stop()
		case <-timer.C:
		}
	}
}

func (d *desk) tryTake() (job, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.seconds()
	for {
		e, ok := d.backlog.next(now)
		if !ok {
			return job{}, false
		}
		if e.tries > 0 && e.source != fromList && now > e.heard+wantedFor {
			d.forgotten.Add(1)
			d.backlog.remove(e.hash)
			d.announcers.take(e.hash)
			continue
		}
		j := job{entry: e}
		by := byAnnounce
		if e.source == fromList {
			by = byList
		}
		for _, p := range d.announcers.take(e.hash) {
			j.peers = append(j.peers, fetch.Peer{Addr: p, Source: by})
		}
		d.trying.Add(1)
		return j, true
	}
}

// putBack returns what was taken and not tried to the end.
func (d *desk) putBack(h rawlog.ID) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.trying.Add(-1)
	if e := d.backlog.find(h); e != nil {
		now := d.seconds()
		tries := e.tries
		d.backlog.again(h, now, now)
		e.tries = tries
	}
}

// nextTry is what is remembered of a try that failed.
func nextTry(tries uint8, final bool, now uint32) attempt {
	tries = min(tries, 254) + 1
	if final {
		return attempt{tries, now + hopeless}
	}
	return attempt{tries, now + pauseAfter(tries)}
}

// settle takes in what became of tries, once the log and the store have it.
func (d *desk) settle(results []settled) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.seconds()
	for i := range results {
		r := &results[i]
		d.trying.Add(-1)
		e := d.backlog.find(r.hash)
		if e == nil {
			continue
		}
		listed := e.source == fromList
		switch {
		case r.excluded: // as if nobody had asked, as with an info-hash that is excluded
			d.asks.Add(-int64(e.wanted))
		case r.resolved:
			d.asksResolved.Add(int64(e.wanted))
		}
		switch {
		case r.excluded:
			d.unwanted.add((*[20]byte)(&r.hash))
		case r.resolved:
			d.known.add((*[20]byte)(&r.hash))
		}
		if listed {
			d.pending--
		}
		if r.resolved || listed {
			d.backlog.remove(r.hash)
			continue
		}
		d.backlog.again(r.hash, r.due, now)
	}
}

// open is how many info-hashes of lists are not settled.
func (d *desk) open() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.pending
}

// sizes are how many info-hashes are wanted, due, and known to be resolved.
func (d *desk) sizes() (wanted, due, resolved int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.backlog.len(), len(d.backlog.ready), d.known.count
}

// oldest is for how many seconds the info-hash that waits longest has been due.
// It looks through all of the backlog, and lets others at it in between.
func (d *desk) oldest() int64 {
	var longest uint32
	for at, first := 0, true; first || at != 0; first = false {
		d.mu.Lock()
		var some uint32
		some, at = d.backlog.longest(at, d.seconds())
		d.mu.Unlock()
		longest = max(longest, some)
	}
	return int64(longest)
}

// resolvedShare is the part of demand that is resolved, by distinct requesters.
func (d *desk) resolvedShare() float64 {
	all := d.asks.Load()
	if all == 0 {
		return 0
	}
	return float64(d.asksResolved.Load()) / float64(all)
}

// expire forgets announcers that are too old.
func (d *desk) expire() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.announcers.expire(d.seconds())
}
