package resolve

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/bbolt"

	"github.com/boontorrent/boon/internal/rawlog"
)

// store remembers across restarts what was resolved, and what failed and when it
// is to be tried again. It is told after the segment has the event, so it never
// knows of a torrent that the log lacks. It holds no address. Losing it costs
// repeated work, not data.
type store struct{ db *bbolt.DB }

var (
	doneBucket   = []byte("done")   // info-hash → when, seconds since 1970, 4 bytes; and 1 where it is excluded
	failedBucket = []byte("failed") // info-hash → when due, 4 bytes, and tries, 1 byte
)

const (
	doneLasts   = 30 * 24 * 3600 // as long as raw logs: by then the tables have it
	failedLasts = 7 * 24 * 3600  // after it was due
	pruneAtOnce = 10_000         // entries looked at in one transaction
)

// attempt is what is remembered of a failed info-hash.
type attempt struct {
	tries uint8
	due   uint32
}

func openStore(path string) (*store, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second, FreelistType: bbolt.FreelistMapType, NoFreelistSync: true})
	if err == nil {
		err = db.Update(func(tx *bbolt.Tx) error {
			_, err := tx.CreateBucketIfNotExists(doneBucket)
			if err == nil {
				_, err = tx.CreateBucketIfNotExists(failedBucket)
			}
			return err
		})
	}
	if err != nil {
		return nil, fmt.Errorf("open the resolver's memory %s: %w; without it (remove it) some work is done again, and nothing lost", path, err)
	}
	return &store{db: db}, nil
}

func (s *store) close() error { return s.db.Close() }

// settled is a result that the log has.
type settled struct {
	hash     rawlog.ID
	resolved bool // or not wanted any more: it is not tried again
	excluded bool // why it is not wanted any more
	attempt
}

// record remembers results, all or nothing, and returns once they are on disk.
func (s *store) record(results []settled, now uint32) error {
	err := s.db.Update(func(tx *bbolt.Tx) error {
		done, failed := tx.Bucket(doneBucket), tx.Bucket(failedBucket)
		for i := range results {
			r := &results[i]
			if !r.resolved {
				if err := failed.Put(r.hash[:], append(binary.BigEndian.AppendUint32(nil, r.due), r.tries)); err != nil {
					return err
				}
				continue
			}
			when := binary.BigEndian.AppendUint32(nil, now)
			if r.excluded {
				when = append(when, 1)
			}
			err := errors.Join(done.Put(r.hash[:], when), failed.Delete(r.hash[:]))
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("remember results in %s: %w", s.db.Path(), err)
	}
	return nil
}

// failed is what is known of an info-hash that was tried before.
func (s *store) failed(h rawlog.ID) (a attempt, found bool) {
	_ = s.db.View(func(tx *bbolt.Tx) error {
		if v := tx.Bucket(failedBucket).Get(h[:]); len(v) == 5 {
			a, found = attempt{due: binary.BigEndian.Uint32(v), tries: v[4]}, true
		}
		return nil
	})
	return a, found
}

// eachDone goes through what was resolved, or turned out to be excluded.
func (s *store) eachDone(yield func(h rawlog.ID, excluded bool)) error {
	err := s.db.View(func(tx *bbolt.Tx) error {
		return tx.Bucket(doneBucket).ForEach(func(k, v []byte) error {
			if len(k) == len(rawlog.ID{}) {
				yield(rawlog.ID(k), len(v) == 5)
			}
			return nil
		})
	})
	if err != nil {
		return fmt.Errorf("read %s: %w", s.db.Path(), err)
	}
	return nil
}

// prune forgets what is too old to matter.
func (s *store) prune(now uint32) error {
	for name, lasts := range map[string]uint32{string(doneBucket): doneLasts, string(failedBucket): failedLasts} {
		for from := []byte{}; from != nil; {
			var err error
			if from, err = s.pruneFrom([]byte(name), from, now, lasts); err != nil {
				return fmt.Errorf("prune %s: %w", s.db.Path(), err)
			}
		}
	}
	return nil
}

// pruneFrom looks at some entries from a key on, and returns where to go on; nil
// at the end.
func (s *store) pruneFrom(bucket, from []byte, now, lasts uint32) (next []byte, err error) {
	err = s.db.Update(func(tx *bbolt.Tx) error {
		b := tx.Bucket(bucket)
		c := b.Cursor()
		var old [][]byte
		k, v := c.Seek(from)
		for range pruneAtOnce {
			if k == nil {
				break
			}
			if len(v) < 4 || now > lasts && binary.BigEndian.Uint32(v) < now-lasts {
				old = append(old, append([]byte(nil), k...))
			}
			k, v = c.Next()
		}
		if k != nil {
			next = append([]byte(nil), k...)
		}
		for _, k := range old { // deleting under a cursor makes it skip
			if err := b.Delete(k); err != nil {
				return err
			}
		}
		return nil
	})
	return next, err
}
