package collect

import (
	"hash/maphash"
	"net/netip"
	"slices"
	"sync"

	"github.com/boontorrent/boon/internal/geo"
)

// reason is why a packet was not logged.
type reason uint8

const (
	kept         reason = iota
	notKept             // sound, and served, but not of a type that is written down
	malformedFor        // not KRPC; called malformed
	badArguments        // a query that lacks what it needs; answered with error 203
	portZero            // no answer can reach port 0
	bogonSource         // an address that nobody on the internet has
	ownAddress          // our own address
	rateAddress         // the address sends too much
	rateNetwork         // its /24 or /48 sends too much
	rateAll             // we would send more than --rate
	unsolicited         // a reply that we did not ask for
	queueFull           // the disk was slower than the network
	spoolFull           // the disk, or --spool-max, was full
	noKey               // there was no pseudonym key to write it with
	socketFull          // the kernel dropped it: we were slower than the network
	reasons
)

var reasonNames = [reasons]string{
	"", "not_kept", "malformed", "bad_arguments", "port_zero", "bogon", "own_address", "rate_address", "rate_network", "rate_all",
	"unsolicited", "queue_full", "spool_full", "no_key", "socket_full",
}

func (r reason) String() string { return reasonNames[r] }

const (
	second        = 1_000_000 // µs
	minute        = 60 * second
	proofLasts    = 10 * minute // as long as a token
	amplification = 3           // bytes sent for a byte received, to an address that may be forged
	maxAnswer     = 1400        // bytes of an answer to anyone
	askedAtMost   = 3           // queries a minute of ours to an address that has not replied
)

// Limits bound what the collector takes from others and sends. The zero value
// of a field stands for its default.
type Limits struct {
	All     float64 // packets a second sent, all together; negative: no bound
	Address float64 // queries a second taken from one address (IPv6: one /64)
	Network float64 // and from one network: /24, or /48
}

// The defaults of Limits. A client in a hurry sends some ten queries a second
// to one node; a carrier's address stands for many clients.
const (
	DefaultAll     = 5000
	DefaultAddress = 50
	DefaultNetwork = 500
	burstSeconds   = 4
	provenSeconds  = 1 // of them, of Limits.All, are kept for addresses that have proven themselves, and for our own queries
)

func (l Limits) orDefaults() Limits {
	if l.All == 0 {
		l.All = DefaultAll
	}
	if l.Address == 0 {
		l.Address = DefaultAddress
	}
	if l.Network == 0 {
		l.Network = DefaultNetwork
	}
	return l
}

// guard decides whom we hear and whom we send to. Its memory is fixed: where
// more addresses are seen than it has room for, those seen longest ago are
// forgotten, and with them what they used up; those with a proof last.
type guard struct {
	limits        Limits
	allowLoopback bool

	mu        sync.Mutex
	own       []netip.Addr     // nothing is sent there
	sockets   []netip.AddrPort // nor there: our sockets on loopback
	addresses ledger
	networks  ledger
	all       account
}

func newGuard(l Limits, allowLoopback bool) *guard {
	return &guard{limits: l.orDefaults(), allowLoopback: allowLoopback, addresses: newLedger(1 << 16), networks: newLedger(1 << 14)}
}

// isOwn adds an address that is ours. On loopback, where others have it too,
// it is ours with that port alone.
func (g *guard) isOwn(at netip.AddrPort) {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := at.Addr().Unmap()
	switch {
	case a.IsLoopback():
		g.sockets = append(g.sockets, netip.AddrPortFrom(a, at.Port()))
	case a.IsValid() && !a.IsUnspecified() && !slices.Contains(g.own, a) && len(g.own) < 64:
		g.own = append(g.own, a)
	}
}

// reachable tells whether anything may ever be sent to an address.
func (g *guard) reachable(to netip.AddrPort) reason {
	a := to.Addr()
	switch {
	case to.Port() == 0:
		return portZero
	case a.IsLoopback():
		if !g.allowLoopback {
			return bogonSource
		}
		if slices.Contains(g.sockets, to) {
			return ownAddress
		}
	case geo.Bogon(a):
		return bogonSource
	case slices.Contains(g.own, a):
		return ownAddress
	}
	return kept
}

// admit decides about a query from an address; kept means that it is heard and
// may be answered.
func (g *guard) admit(from netip.AddrPort, now int64) reason {
	g.mu.Lock()
	defer g.mu.Unlock()
	if r := g.reachable(from); r != kept {
		return r
	}
	a, left := g.addresses.of(addressOf(from.Addr()), now), 0.0
	if a.proven <= now { // in a flood from forged addresses, others are still served
		left = g.limits.All * provenSeconds
	}
	switch {
	case !a.spend(g.limits.Address, 0, now):
		return rateAddress
	case !g.networks.of(networkOf(from.Addr()), now).spend(g.limits.Network, 0, now):
		return rateNetwork
	case g.limits.All > 0 && !g.all.spend(g.limits.All, left, now):
		return rateAll
	}
	return kept
}

// budget is how many bytes may be sent in answer to received bytes.
func (g *guard) budget(from netip.AddrPort, received int, now int64) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.addresses.of(addressOf(from.Addr()), now).proven > now {
		return maxAnswer
	}
	return min(amplification*received, maxAnswer)
}

// prove notes that what we sent to an address arrived there: it sent a token of
// ours, or replied to a query of ours.
func (g *guard) prove(from netip.AddrPort, now int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	a := g.addresses.of(addressOf(from.Addr()), now)
	a.proven, a.asked = now+proofLasts, 0
}

// name notes that the operator named an address to begin with: a start that
// goes badly, on a slow machine or before the network is up, does not keep us
// from asking it again.
func (g *guard) name(to netip.AddrPort, now int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.addresses.of(addressOf(to.Addr()), now).named = now + proofLasts
}

// mayAsk decides about a query of our own: an address that others told us of
// may be anyone's, and gets few packets until it has replied.
func (g *guard) mayAsk(to netip.AddrPort, now int64) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.reachable(to) != kept {
		return false
	}
	a := g.addresses.of(addressOf(to.Addr()), now)
	if now-a.askedSince > minute {
		a.askedSince, a.asked = now, 0
	}
	if a.proven <= now && a.named <= now && a.asked >= askedAtMost || g.limits.All > 0 && !g.all.spend(g.limits.All, 0, now) {
		return false
	}
	a.asked++
	return true
}

// addressOf is what counts as one address: an IPv6 host has a /64 to itself.
func addressOf(a netip.Addr) [16]byte {
	b := a.As16()
	if a.Is6() {
		clear(b[8:])
	}
	return b
}

// networkOf is a /24 or a /48.
func networkOf(a netip.Addr) [16]byte {
	b := a.As16()
	if a.Is6() {
		clear(b[6:])
	} else {
		b[15] = 0
	}
	return b
}

// account is what an address has used up.
type account struct {
	key        uint64
	spent      float64 // packets, less what time has given back
	seen       int64   // µs
	proven     int64   // until
	askedSince int64
	named      int64 // until when the operator's word for it lasts: it may be asked freely
	asked      uint8
}

// spend takes a packet from an allowance of so many a second, unless it would leave
// fewer than left.
func (a *account) spend(perSecond, left float64, now int64) bool {
	if now > a.seen {
		a.spent = max(0, a.spent-perSecond*float64(now-a.seen)/second)
		a.seen = now
	}
	if a.spent+1+left > perSecond*burstSeconds {
		return false
	}
	a.spent++
	return true
}

// ledger keeps accounts in a table of fixed size: sets of four, of which the
// one that was used longest ago gives way, and those that have proven themselves
// last. The hash is keyed, so that nobody can choose whom to push out.
type ledger struct {
	seed maphash.Seed
	sets [][4]account
}

func newLedger(accounts int) ledger {
	return ledger{seed: maphash.MakeSeed(), sets: make([][4]account, accounts/4)}
}

func (l *ledger) of(who [16]byte, now int64) *account {
	key := maphash.Bytes(l.seed, who[:]) | 1 // never that of an empty place
	set := &l.sets[(key>>1)%uint64(len(l.sets))]
	oldest := &set[0]
	for i := range set {
		a := &set[i]
		if a.key == key {
			return a
		}
		if known, least := a.proven > now, oldest.proven > now; known == least && a.seen < oldest.seen || least && !known {
			oldest = a
		}
	}
	*oldest = account{key: key, seen: now}
	return oldest
}
