package collect

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"net/netip"
	"os"

	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/rawlog"
)

// identity is a node's place in the keyspace. It is kept across restarts, so
// that those who have the node in their tables find it there again.
type identity struct {
	ID      string     `json:"id"`
	Since   int64      `json:"since"`            // µs
	Outside netip.Addr `json:"outside,omitzero"` // our address, as others see it
}

// newID makes an id: one that fits the address by BEP 42, or a random one where
// the address is not known.
func newID(random io.Reader, outside netip.Addr) (rawlog.ID, error) {
	var id rawlog.ID
	if _, err := io.ReadFull(random, id[:]); err != nil {
		return id, fmt.Errorf("make a node id: %w", err)
	}
	if outside.IsValid() {
		sum := bep42(outside, id[19])
		id[0], id[1], id[2] = byte(sum>>24), byte(sum>>16), byte(sum>>8)&0xf8|id[2]&7
	}
	return id, nil
}

// fits reports whether a node at that address may have the id (BEP 42).
func fits(id rawlog.ID, a netip.Addr) bool {
	sum := bep42(a, id[19])
	return id[0] == byte(sum>>24) && id[1] == byte(sum>>16) && id[2]&0xf8 == byte(sum>>8)&0xf8
}

// bep42 is the checksum of the masked address and three bits of the id's last byte.
func bep42(a netip.Addr, last byte) uint32 {
	table := crc32.MakeTable(crc32.Castagnoli)
	if a.Is4() {
		b := a.As4()
		for i, mask := range [4]byte{0x03, 0x0f, 0x3f, 0xff} {
			b[i] &= mask
		}
		b[0] |= last << 5
		return crc32.Checksum(b[:], table)
	}
	b := a.As16()
	for i, mask := range [8]byte{0x01, 0x03, 0x07, 0x0f, 0x1f, 0x3f, 0x7f, 0xff} {
		b[i] &= mask
	}
	b[0] |= last << 5
	return crc32.Checksum(b[:8], table)
}

// ballot finds out our address from what repliers say it is. A network has one
// vote, and five votes and two thirds of all make it so: one liar cannot move us.
type ballot struct {
	votes map[[16]byte]netip.Addr
}

const (
	votesHeld  = 60
	votesToWin = 5
)

func (b *ballot) vote(our, voter netip.Addr) {
	if !our.IsValid() || geo.Bogon(our) {
		return
	}
	if b.votes == nil {
		b.votes = map[[16]byte]netip.Addr{}
	}
	network := networkOf(voter)
	if _, voted := b.votes[network]; !voted && len(b.votes) >= votesHeld {
		for oldest := range b.votes { // any: those who reply again vote again
			delete(b.votes, oldest)
			break
		}
	}
	b.votes[network] = our
}

// elected is our address; not valid while it is not known.
func (b *ballot) elected() netip.Addr {
	count := map[netip.Addr]int{}
	for _, a := range b.votes {
		count[a]++
	}
	for a, n := range count {
		if n >= votesToWin && 3*n >= 2*len(b.votes) {
			return a
		}
	}
	return netip.Addr{}
}

// identities are the ids of all nodes, by listen address, kept in the spool.
type identities map[string]identity

func (s *spool) identities() (identities, error) {
	known := identities{}
	b, err := os.ReadFile(s.path(idsName))
	if errors.Is(err, fs.ErrNotExist) {
		return known, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &known)
	}
	if err != nil {
		return nil, fmt.Errorf("read the node ids: %w; remove %s to begin with new ones", err, s.path(idsName))
	}
	return known, nil
}

// keep writes the ids, all or nothing.
func (s *spool) keep(known identities) error {
	b, err := json.MarshalIndent(known, "", " ")
	if err != nil {
		return fmt.Errorf("keep the node ids: %w", err)
	}
	temp := s.path(idsName + ".new")
	if err := os.WriteFile(temp, append(b, '\n'), 0o600); err != nil {
		return fmt.Errorf("keep the node ids: %w", err)
	}
	if err := os.Rename(temp, s.path(idsName)); err != nil {
		return fmt.Errorf("keep the node ids: %w", err)
	}
	return nil
}

// due settles the id to go on with: the one there is, unless it does not fit
// our address or is older than rotate (0: never too old).
func (i identity) due(random io.Reader, outside netip.Addr, now, rotate int64) (identity, bool, error) {
	if !outside.IsValid() {
		outside = i.Outside
	}
	id, err := rawlog.ParseID(i.ID)
	fresh := err == nil && (rotate == 0 || now-i.Since < rotate)
	if fresh && (!outside.IsValid() || fits(id, outside)) {
		changed := outside != i.Outside
		i.Outside = outside
		return i, changed, nil
	}
	id, err = newID(random, outside)
	return identity{ID: id.String(), Since: now, Outside: outside}, true, err
}
