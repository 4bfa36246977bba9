package collect

import (
	"context"
	"fmt"
	"io"
	"maps"
	"net/netip"
	"sync"
	"time"

	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/keyspace"
	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/pseudonym"
	"github.com/boontorrent/boon/internal/rawlog"
)

// edge takes out of events what tells who sent them, before they are written:
// address, ports and node id. In their place it puts what tables are made of,
// the place and pseudonyms, so that the same tables come of it. One goroutine
// uses it.
type edge struct {
	keys *keyring
	geo  *geo.DB

	day          lake.Day // that the rest is of
	epoch, print string
	hasher       *pseudonym.Hasher
	place        rawlog.Place
}

// ready sees to it that there is a key for events of that day.
func (e *edge) ready(day lake.Day) bool {
	if e.hasher != nil && e.day == day {
		return true
	}
	epoch, key, ok := e.keys.of(day)
	if !ok {
		return false
	}
	e.day = day
	if e.hasher == nil || e.epoch != epoch {
		e.epoch, e.print, e.hasher = epoch, key.Print(), key.Hasher()
	}
	return true
}

func (e *edge) blur(ev *rawlog.Event) {
	if ev.Kind == rawlog.Probe {
		e.blurProbe(ev.Probe)
		return
	}
	q := &ev.Query
	q.HasPseudonym, q.Requester, q.Network = true, e.hasher.Requester(q.Addr), e.hasher.Network(q.Addr)
	q.HasNode, q.Node = true, e.hasher.ID(q.TheirID)
	q.TheirCpl = uint8(keyspace.CommonBits(&q.Infohash, &q.TheirID))
	q.IDSecure = rawlog.TriOf(keyspace.Fits(q.TheirID, q.Addr))
	if p, ok := e.geo.Lookup(q.Addr); ok {
		e.place = rawlog.Place(p)
		q.Geo = &e.place
	}
	q.Addr, q.Port, q.AnnouncePort = netip.Addr{}, 0, 0
	q.TheirID, q.HasTheirID = rawlog.ID{}, false
}

// blurProbe: an id that fits its address gives the address away, so only its
// distance is kept.
func (e *edge) blurProbe(p *rawlog.ProbeEvent) {
	for i := range p.Queried {
		p.Queried[i].ID = keyspace.AtDistance(p.Target, p.Queried[i].ID)
	}
}

const (
	keyTimeout = 30 * time.Second
	keyEvery   = time.Minute
)

// keyring has the pseudonym keys of the epochs at hand: of yesterday, whose
// last events may still be on their way, of today, and of tomorrow, which is
// fetched a day ahead, so that a lake that is away at midnight costs nothing.
type keyring struct {
	store  lake.Store
	mode   string
	random io.Reader

	mu   sync.Mutex
	keys map[string]pseudonym.Key // by epoch
}

func newKeyring(cfg Config) *keyring {
	return &keyring{store: cfg.Keys, mode: cfg.Epoch, random: cfg.Random, keys: map[string]pseudonym.Key{}}
}

// of is the key for a day and the name of its epoch.
func (k *keyring) of(day lake.Day) (string, *pseudonym.Key, bool) {
	epoch, err := pseudonym.EpochName(day, k.mode)
	if err != nil {
		return "", nil, false
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	key, ok := k.keys[epoch]
	return epoch, &key, ok
}

// fetch gets the key of a day's epoch from where keys lie, or makes it.
func (k *keyring) fetch(ctx context.Context, day lake.Day) error {
	epoch, _, ok := k.of(day)
	if ok {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, keyTimeout)
	defer cancel()
	key, err := pseudonym.LoadOrMake(ctx, k.store, epoch, func() (key pseudonym.Key, err error) {
		_, err = io.ReadFull(k.random, key[:])
		return key, err
	})
	if err != nil {
		return fmt.Errorf("get a pseudonym key: %w", err)
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.keys[epoch] = key
	return nil
}

// keep tends the keys until ctx ends.
func (k *keyring) keep(ctx context.Context, now func() int64, say func(string, ...any)) {
	ticker := time.NewTicker(keyEvery)
	defer ticker.Stop()
	for {
		k.tend(ctx, lake.DayOf(now()), say)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// tend fetches keys before they are needed, and forgets those that are over.
func (k *keyring) tend(ctx context.Context, today lake.Day, say func(string, ...any)) {
	for _, day := range [...]lake.Day{today, today + 1} {
		if err := k.fetch(ctx, day); err != nil && ctx.Err() == nil {
			say("%v; trying again in %v", err, keyEvery)
		}
	}
	k.forget(today - 1)
}

// forget drops the keys of epochs that hold neither that day nor the two after it.
func (k *keyring) forget(first lake.Day) {
	needed := map[string]bool{}
	for day := first; day <= first+2; day++ {
		epoch, _, _ := k.of(day)
		needed[epoch] = true
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	maps.DeleteFunc(k.keys, func(epoch string, _ pseudonym.Key) bool { return !needed[epoch] })
}
