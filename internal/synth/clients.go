package synth

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/boontorrent/boon/internal/rawlog"
)

// client is a program that takes part in the DHT, as much of it as is seen.
type client struct {
	mark     string    // the first two bytes of "v"; "" where it sends none
	versions [][2]byte // the last two
	weight   float64
	secure   float64 // share whose ids conform to BEP 42
	implied  float64 // share of announces that ask for the source port
	says     bool    // sends seed (BEP 33)
	names    float64 // share of announces that name the torrent
	readOnly float64 // share that is read-only (BEP 43)
	upkeep   bool    // refreshes its table by get_peers, as libtorrent does
	findNode bool    // looks for itself
}

// crawlerClient sends no version; it is the last of the mix.
const crawlerClient = 9

// clients is the mix: shares as they are seen in the wild.
func clients() []client {
	return []client{
		{mark: "LT", versions: [][2]byte{{2, 0x0b}, {2, 0x0a}, {2, 0x09}, {1, 0x2e}, {1, 0x13}}, weight: 46, secure: 0.9, implied: 1, says: true, readOnly: 0.04, upkeep: true},
		{mark: "UT", versions: [][2]byte{{0xad, 0x46}, {0xb4, 0x8a}, {0x62, 0x2a}}, weight: 17, secure: 0.8, implied: 0.9, says: true, names: 0.7, findNode: true},
		{mark: "", weight: 20, secure: 0.1, implied: 0.3, names: 0.05, findNode: true},
		{mark: "TR", versions: [][2]byte{{0x03, 0x00}, {0x04, 0x00}}, weight: 6, secure: 0, implied: 0.1, findNode: true},
		{mark: "lt", versions: [][2]byte{{0x0d, 0x80}}, weight: 2, implied: 0.1, findNode: true},
		{mark: "Az", versions: [][2]byte{{0x57, 0x60}}, weight: 2, secure: 0.3, implied: 0.5, names: 0.1, findNode: true},
		{mark: "NS", versions: [][2]byte{{0, 1}}, weight: 2, implied: 0.2, findNode: true},
		{mark: "A2", versions: [][2]byte{{0, 3}}, weight: 2.5, findNode: true},
		{mark: "BT", versions: [][2]byte{{0xa8, 0x3f}}, weight: 2.5, secure: 0.6, implied: 0.8, says: true, names: 0.5, findNode: true},
		{mark: "", weight: 0},
	}
}

func clientWeights() []float64 {
	var weights []float64
	for _, c := range clients() {
		weights = append(weights, c.weight)
	}
	return weights
}

// persona is all that follows from a person's number.
type persona struct {
	id       rawlog.ID
	port     uint16
	version  [4]byte
	readOnly bool
	announce uint16 // the TCP port, where it is not implied
}

// persona makes up who. A person with several node ids (a crawler) has a
// number for each.
func (s *swarm) persona(who uint32, number uint64) persona {
	p := &s.people.all[who]
	c := &s.clients[p.client]
	r := derive(s.cfg.Seed, forRequester, uint64(who), number)
	var out persona
	r.fill(out.id[:])
	if r.chance(c.secure) {
		secure(&out.id, p, byte(r.next()))
	}
	out.port = uint16(r.between(1025, 65535))
	if r.chance(0.2) {
		out.port = 6881
	}
	out.announce = out.port
	if r.chance(0.3) {
		out.announce = uint16(r.between(1025, 65535))
	}
	if c.mark != "" {
		v := c.versions[r.below(len(c.versions))]
		out.version = [4]byte{c.mark[0], c.mark[1], v[0], v[1]}
	}
	out.readOnly = r.chance(c.readOnly)
	return out
}

// secure makes an id one that its address allows (BEP 42).
func secure(id *rawlog.ID, p *person, random byte) {
	var b []byte
	if p.is4() {
		b = binary.BigEndian.AppendUint32(nil, uint32(p.lo)&0x030f3fff)
	} else {
		b = binary.BigEndian.AppendUint64(nil, p.hi&0x0103070f1f3f7fff)
	}
	b[0] |= random & 7 << 5
	crc := crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli))
	id[0], id[1] = byte(crc>>24), byte(crc>>16)
	id[2] = byte(crc>>8)&0xf8 | id[2]&7
	id[19] = random
}
