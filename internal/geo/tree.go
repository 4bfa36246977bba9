package geo

import (
	"bytes"
	"encoding/binary"
	"net/netip"

	"github.com/oschwald/maxminddb-golang/v2"
)

// tree is the search tree of a database below its IPv4 addresses (MaxMind DB
// file format 2.0). The library follows it for one address at a time, and waits
// for memory at each bit; here many addresses go down together. Records are
// still the library's to read.
type tree struct {
	nodes []byte
	count uint32 // of nodes; a greater number is a record
	data  uint32 // bytes of the records
	width int    // bits of a number
	top   []reached
}

// reached is where the first topBits of an address lead, or fewer if they end there.
type reached struct {
	node uint32
	bits uint8
}

const topBits = 16

// separator lies between a tree and its records.
const separator = 16

// treeOf is the tree in file, which r was opened with; nil where it is of a kind
// that only the library knows.
func treeOf(file []byte, r *maxminddb.Reader) *tree {
	count, width, version := uint64(r.Metadata.NodeCount), int(r.Metadata.RecordSize), r.Metadata.IPVersion
	if width != 24 && width != 28 && width != 32 || version != 4 && version != 6 || count > 1<<31 {
		return nil
	}
	size := int64(count) * int64(width) / 4
	data := int64(bytes.LastIndex(file, []byte("\xab\xcd\xefMaxMind.com"))) - size - separator // the metadata follows the records
	if data < 0 || data > 1<<31 {
		return nil
	}
	t := &tree{nodes: file[:size], count: uint32(count), data: uint32(data), width: width}
	start := uint32(0)
	if version == 6 {
		for i := 0; i < 96 && start < t.count; i++ {
			start = t.child(start, 0)
		}
	}
	t.top = make([]reached, 1<<topBits)
	t.fill(start, 0, 0)
	return t
}

// fill notes where all that begin with prefix, of so many bits, lead.
func (t *tree) fill(node, prefix uint32, depth uint8) {
	if depth == topBits || node >= t.count {
		first := prefix << (topBits - depth)
		for i := range uint32(1) << (topBits - depth) {
			t.top[first+i] = reached{node, depth}
		}
		return
	}
	t.fill(t.child(node, 0), prefix<<1, depth+1)
	t.fill(t.child(node, 1), prefix<<1|1, depth+1)
}

// child is the left (0) or right (1) number of a node that is in the tree.
func (t *tree) child(node, side uint32) uint32 {
	switch t.width {
	case 24:
		b := t.nodes[int(node)*6+int(side)*3:]
		return uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])
	case 28: // the upper four bits of both are in the byte between them
		b := t.nodes[int(node)*7 : int(node)*7+7]
		upper := uint32(b[3]) >> (4 - 4*side) & 15
		b = b[4*side:]
		return upper<<24 | uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2])
	}
	return binary.BigEndian.Uint32(t.nodes[int(node)*8+int(side)*4:])
}

// together is how many addresses go down a tree at a time.
const together = 64

// follow finds the records of up to together addresses: one more than where each
// lies, or 0, and how many bits decided. ok is false for one that leads astray.
func (t *tree) follow(addrs []uint32, each func(i int, at uint64, bits int, ok bool)) {
	var at [together]reached
	var below [together]uint8
	n := 0
	for i, a := range addrs {
		at[i] = t.top[a>>(32-topBits)]
		below[n] = uint8(i)
		if at[i].node < t.count {
			n++
		}
	}
	for depth := uint8(topBits); depth < 32 && n > 0; depth++ {
		left := 0
		for _, i := range below[:n] {
			next := t.child(at[i].node, addrs[i]>>(31-depth)&1)
			at[i] = reached{next, depth + 1}
			below[left] = i
			if next < t.count {
				left++
			}
		}
		n = left
	}
	for i := range addrs {
		node, bits := at[i].node, int(at[i].bits)
		switch {
		case node == t.count:
			each(i, 0, bits, true)
		case node >= t.count+separator && node-t.count-separator < t.data:
			each(i, uint64(node-t.count-separator)+1, bits, true)
		default:
			each(i, 0, 128, false)
		}
	}
}

// FindMany is Find for IPv4 addresses, given as numbers, together: the i-th
// answer goes to found[i]. It may be called from several goroutines.
func (db *DB) FindMany(addrs []uint32, found []Found) {
	for len(addrs) > 0 {
		n := min(together, len(addrs))
		db.findSome(addrs[:n], found[:n])
		addrs, found = addrs[n:], found[n:]
	}
}

func (db *DB) findSome(addrs []uint32, found []Found) {
	if db == nil || db.city != nil && db.city.tree == nil || db.asn != nil && db.asn.tree == nil {
		for i, a := range addrs {
			found[i] = db.Find(addr4(a))
		}
		return
	}
	for i := range found {
		found[i] = Found{Bits: netBits4}
	}
	for _, s := range []*source{db.city, db.asn} {
		if s == nil {
			continue
		}
		s.tree.follow(addrs, func(i int, at uint64, bits int, ok bool) {
			if bogon4(addr4(addrs[i]).As4()) {
				return
			}
			if !ok {
				db.damaged.Add(1)
			}
			f := &found[i]
			if s == db.city {
				at <<= 32
			}
			f.Record |= at
			f.Bits = max(f.Bits, bits)
		})
	}
}

// addr4 is the address of a number.
func addr4(a uint32) netip.Addr {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, a)))
}
