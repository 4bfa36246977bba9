package collect

import (
	"bytes"
	"net/netip"
	"slices"
	"sort"

	"github.com/boontorrent/boon/internal/rawlog"
)

// route is a node that we know to answer, as it stands in "nodes" and "nodes6":
// its id, address and port (BEP 5, BEP 32).
type route struct {
	id      rawlog.ID
	compact []byte
}

func newRoute(id rawlog.ID, at netip.AddrPort) route {
	return route{id: id, compact: appendEndpoint(append([]byte(nil), id[:]...), at)}
}

// appendEndpoint appends address and port as they stand in messages.
func appendEndpoint(dst []byte, at netip.AddrPort) []byte {
	if a := at.Addr(); a.Is4() {
		b := a.As4()
		dst = append(dst, b[:]...)
	} else {
		b := a.As16()
		dst = append(dst, b[:]...)
	}
	return append(dst, byte(at.Port()>>8), byte(at.Port()))
}

// endpoint reads what appendEndpoint writes.
func endpoint(b []byte) (netip.AddrPort, bool) {
	if len(b) != 6 && len(b) != 18 {
		return netip.AddrPort{}, false
	}
	n := len(b) - 2
	a, _ := netip.AddrFromSlice(b[:n])
	return netip.AddrPortFrom(a.Unmap(), uint16(b[n])<<8|uint16(b[n+1])), true
}

// routes is a snapshot of a routing table, in the order of ids. It does not
// change, so that any number of goroutines may answer from it.
type routes []route

func newRoutes(nodes []route) routes {
	slices.SortFunc(nodes, func(a, b route) int { return bytes.Compare(a.id[:], b.id[:]) })
	return slices.CompactFunc(nodes, func(a, b route) bool { return a.id == b.id })
}

// appendNearest appends the compact form of up to n nodes, those nearest to the
// target by XOR first.
func (r routes) appendNearest(dst []byte, target *rawlog.ID, n int) []byte {
	dst, _ = r.nearest(dst, target, n, 0)
	return dst
}

// nearest takes the nodes, which share their first bits, for a binary tree:
// first the half whose next bit is the target's, then the other.
func (r routes) nearest(dst []byte, target *rawlog.ID, n, bit int) ([]byte, int) {
	for n > 0 && len(r) > 1 && bit < 160 {
		half := r.ones(bit)
		near, far := r[:half], r[half:]
		if target[bit/8]>>(7-bit%8)&1 == 1 {
			near, far = far, near
		}
		bit++
		if len(far) == 0 {
			continue
		}
		dst, n = near.nearest(dst, target, n, bit)
		r = far
	}
	for _, node := range r[:min(n, len(r))] {
		dst = append(dst, node.compact...)
		n--
	}
	return dst, n
}

// ones is the index of the first node whose id has that bit set.
func (r routes) ones(bit int) int {
	return sort.Search(len(r), func(i int) bool { return r[i].id[bit/8]>>(7-bit%8)&1 == 1 })
}

// tables are the snapshots of both families.
type tables struct{ v4, v6 routes }
