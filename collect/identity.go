package collect

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"

	"github.com/boontorrent/boon/internal/geo"
	"github.com/boontorrent/boon/internal/keyspace"
	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/internal/spool"
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
		id = keyspace.Fit(id, outside)
	}
	return id, nil
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

// idsName is their file in the spool.
const idsName = "nodes.json"

// identities are the ids of all nodes, by listen address, kept in the spool.
type identities map[string]identity

func readIdentities(s *spool.Spool) (identities, error) {
	known := identities{}
	b, err := os.ReadFile(s.Path(idsName))
	if errors.Is(err, fs.ErrNotExist) {
		return known, nil
	}
	if err == nil {
		err = json.Unmarshal(b, &known)
	}
	if err != nil {
		return nil, fmt.Errorf("read the node ids: %w; remove %s to begin with new ones", err, s.Path(idsName))
	}
	return known, nil
}

// keep writes the ids, all or nothing.
func (known identities) keep(s *spool.Spool) error {
	b, err := json.MarshalIndent(known, "", " ")
	if err != nil {
		return fmt.Errorf("keep the node ids: %w", err)
	}
	temp := s.Path(idsName + ".new")
	_ = os.Remove(temp) // of a start that was killed
	f, err := s.NewFile(temp)
	if err != nil {
		return fmt.Errorf("keep the node ids: %w", err)
	}
	_, err = f.WriteAt(append(b, '\n'), 0)
	if err == nil {
		err = f.Sync() // or a power cut leaves an empty file under the name
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(temp, s.Path(idsName))
	}
	if err != nil {
		_ = os.Remove(temp)
		return fmt.Errorf("keep the node ids: %w", err)
	}
	return s.Sync()
}

// due settles the id to go on with: the one there is, unless it does not fit
// our address or is older than rotate (0: never too old).
func (i identity) due(random io.Reader, outside netip.Addr, now, rotate int64) (identity, bool, error) {
	if !outside.IsValid() {
		outside = i.Outside
	}
	id, err := rawlog.ParseID(i.ID)
	fresh := err == nil && (rotate == 0 || now-i.Since < rotate)
	if fresh && (!outside.IsValid() || keyspace.Fits(id, outside)) {
		changed := outside != i.Outside
		i.Outside = outside
		return i, changed, nil
	}
	id, err = newID(random, outside)
	return identity{ID: id.String(), Since: now, Outside: outside}, true, err
}
