package collect

import (
	"math/rand/v2"
	"net/netip"
	"strconv"
	"sync"

	"github.com/boontorrent/boon/internal/rawlog"
)

// Bounds of the peer store: some 30 MiB when all are reached.
const (
	maxSwarms     = 50_000
	maxPeers      = 200_000
	peersPerSwarm = 100
	peerLasts     = 30 * minute
	sampleSize    = 20 // info-hashes in an answer to sample_infohashes
	sampleLasts   = 5 * minute
)

// peerStore remembers who announced, for half an hour, to answer get_peers,
// scrapes and sample_infohashes. When it is full, a swarm picked at random
// gives way, so that a flood cannot keep others out.
type peerStore struct {
	mu     sync.Mutex
	swarms map[swarmKey]*swarm
	peers  int
	twins  int // info-hashes with peers of both families, which are two swarms

	sample      []byte // info-hashes, one after the other
	sampleUntil int64
}

// swarmKey has the family in it: an IPv4 asker has no use for IPv6 peers (BEP 32).
type swarmKey struct {
	infohash rawlog.ID
	v6       bool
}

// twin is the same info-hash in the other family.
func (k swarmKey) twin() swarmKey { return swarmKey{k.infohash, !k.v6} }

type swarm struct {
	peers []peer
	next  int // where the next answer begins, so that all peers get their turn
}

type peer struct {
	at   netip.AddrPort
	seen int64
	seed bool
}

func newPeerStore() *peerStore { return &peerStore{swarms: map[swarmKey]*swarm{}} }

// add remembers a peer that announced itself.
func (s *peerStore) add(infohash rawlog.ID, at netip.AddrPort, seed bool, now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := swarmKey{infohash, at.Addr().Is6()}
	sw := s.swarms[key]
	if sw == nil {
		if len(s.swarms) >= maxSwarms {
			s.evict()
		}
		sw = &swarm{}
		s.swarms[key] = sw
		if s.swarms[key.twin()] != nil {
			s.twins++
		}
	}
	oldest := 0
	for i := range sw.peers {
		p := &sw.peers[i]
		if p.at == at {
			p.seen, p.seed = now, seed
			return
		}
		if p.seen < sw.peers[oldest].seen {
			oldest = i
		}
	}
	if len(sw.peers) >= peersPerSwarm {
		sw.peers[oldest] = peer{at, now, seed}
		return
	}
	sw.peers = append(sw.peers, peer{at, now, seed})
	s.peers++
	for s.peers > maxPeers {
		s.evict()
	}
}

// evict forgets a swarm. Go walks a map from a random place on.
func (s *peerStore) evict() {
	for key := range s.swarms {
		s.forget(key)
		return
	}
}

func (s *peerStore) forget(key swarmKey) {
	s.peers -= len(s.swarms[key].peers)
	delete(s.swarms, key)
	if s.swarms[key.twin()] != nil {
		s.twins--
	}
}

// expire forgets what is older than half an hour. It lets others at the store
// in between.
func (s *peerStore) expire(now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	seen := 0
	for key, sw := range s.swarms {
		kept := sw.peers[:0]
		for _, p := range sw.peers {
			if now-p.seen < peerLasts {
				kept = append(kept, p)
			}
		}
		s.peers -= len(sw.peers) - len(kept)
		sw.peers = kept
		if len(kept) == 0 {
			s.forget(key)
		}
		if seen++; seen%1000 == 0 {
			s.mu.Unlock()
			s.mu.Lock()
		}
	}
}

// size is how much the store holds.
func (s *peerStore) size() (swarms, peers int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.swarms), s.peers
}

// count is the number of peers that may be given out for an info-hash.
func (s *peerStore) count(key swarmKey) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if sw := s.swarms[key]; sw != nil {
		return len(sw.peers)
	}
	return 0
}

// appendValues appends up to n peers as a list of strings (BEP 5: "values").
func (s *peerStore) appendValues(dst []byte, key swarmKey, n int, now int64) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	dst = append(dst, 'l')
	if sw := s.swarms[key]; sw != nil {
		for range len(sw.peers) {
			if n == 0 {
				break
			}
			p := sw.peers[sw.next%len(sw.peers)]
			sw.next = (sw.next + 1) % len(sw.peers)
			if now-p.seen >= peerLasts {
				continue
			}
			if key.v6 {
				dst = append(dst, "18:"...)
			} else {
				dst = append(dst, "6:"...)
			}
			dst = appendEndpoint(dst, p.at)
			n--
		}
	}
	return append(dst, 'e')
}

// scrape fills the filters of an info-hash's seeds and other peers (BEP 33).
func (s *peerStore) scrape(infohash rawlog.ID, seeds, others *bloom, now int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, v6 := range [...]bool{false, true} {
		sw := s.swarms[swarmKey{infohash, v6}]
		if sw == nil {
			continue
		}
		for _, p := range sw.peers {
			switch {
			case now-p.seen >= peerLasts:
			case p.seed:
				seeds.add(p.at.Addr())
			default:
				others.add(p.at.Addr())
			}
		}
	}
}

// sampled returns some of our info-hashes, how many there are, and the seconds
// until others are drawn (BEP 51). Everybody gets the same ones until then.
func (s *peerStore) sampled(now int64) (sample []byte, num int, interval int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now >= s.sampleUntil {
		s.draw()
		s.sampleUntil = now + sampleLasts
	}
	return s.sample, len(s.swarms) - s.twins, (s.sampleUntil - now + second - 1) / second
}

// draw takes a sample of all info-hashes, each with the same chance.
func (s *peerStore) draw() {
	drawn := make([]rawlog.ID, 0, sampleSize)
	seen := 0
	for key := range s.swarms {
		if key.v6 && s.swarms[key.twin()] != nil {
			continue
		}
		seen++
		if len(drawn) < sampleSize {
			drawn = append(drawn, key.infohash)
		} else if i := rand.IntN(seen); i < sampleSize {
			drawn[i] = key.infohash
		}
	}
	s.sample = make([]byte, 0, 20*len(drawn)) // the last one may still be in use
	for _, h := range drawn {
		s.sample = append(s.sample, h[:]...)
	}
}

// appendInt appends i…e.
func appendInt(dst []byte, n int64) []byte {
	return append(strconv.AppendInt(append(dst, 'i'), n, 10), 'e')
}

// appendString appends a string as bencode.
func appendString(dst, s []byte) []byte {
	dst = strconv.AppendInt(dst, int64(len(s)), 10)
	return append(append(dst, ':'), s...)
}
