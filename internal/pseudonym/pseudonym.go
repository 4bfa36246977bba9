// Package pseudonym turns addresses into the numbers that stand for them in
// tables.
//
// A requester is the first eight bytes, big endian, of HMAC-SHA256(key,
// address), where the address has sixteen bytes (an IPv4 address as
// ::ffff:a.b.c.d). A network is the same of the byte 'n' followed by the
// address with all but its /24 (IPv6: its /48) set to zero. Of a node id, where
// a collector leaves it out, it is the same of the byte 'i' followed by the id.
// All are read as signed integers, which Spark and pandas hold without loss.
//
// A key lives as long as its epoch: a day, an ISO week, a month or a whole
// study. When it is deleted, nobody can tell which address a pseudonym was, or
// join one epoch's pseudonyms with another's.
package pseudonym

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net/netip"

	"github.com/boontorrent/boon/internal/lake"
)

// Tags keep pseudonyms of a kind apart from those of another: a network's from
// that of its first address.
const (
	networkTag = 'n'
	idTag      = 'i'
)

// Key is an epoch's secret.
type Key [32]byte

// Requester is the pseudonym of an address. Where there are many, use a Hasher.
func (k *Key) Requester(a netip.Addr) int64 { return k.Hasher().Requester(a) }

// Network is the pseudonym of an address's /24 or /48.
func (k *Key) Network(a netip.Addr) int64 { return k.Hasher().Network(a) }

// Hasher returns what makes the key's pseudonyms without allocating.
func (k *Key) Hasher() *Hasher {
	h := &Hasher{mac: hmac.New(sha256.New, k[:])}
	h.sum(h.addr[:]) // the first use makes hmac keep its precomputed state
	return h
}

// Print tells keys of one epoch apart without telling anything of the key.
func (k *Key) Print() string {
	sum := sha256.Sum256(k[:])
	return hex.EncodeToString(sum[:4])
}

// Hasher makes pseudonyms with one key. It is for one goroutine at a time.
type Hasher struct {
	mac  hash.Hash
	addr [17]byte
	id   [21]byte
	out  [sha256.Size]byte
}

// Requester is the pseudonym of an address.
func (h *Hasher) Requester(a netip.Addr) int64 {
	h.put(a)
	return h.sum(h.addr[1:])
}

// Network is the pseudonym of an address's /24, or /48 for IPv6.
func (h *Hasher) Network(a netip.Addr) int64 {
	h.put(a)
	h.addr[0] = networkTag
	keep := 1 + 6
	if a.Is4() || a.Is4In6() {
		keep = 1 + 12 + 3
	}
	clear(h.addr[keep:])
	return h.sum(h.addr[:])
}

// ID is the pseudonym of a node id.
func (h *Hasher) ID(id [20]byte) int64 {
	h.id[0] = idTag
	copy(h.id[1:], id[:])
	return h.sum(h.id[:])
}

// put lays the address's sixteen bytes behind the tag's place.
func (h *Hasher) put(a netip.Addr) {
	b := a.As16()
	copy(h.addr[1:], b[:])
}

func (h *Hasher) sum(of []byte) int64 {
	h.mac.Reset()
	h.mac.Write(of)
	return int64(binary.BigEndian.Uint64(h.mac.Sum(h.out[:0])))
}

// The lengths of an epoch.
const (
	Daily   = "day"
	Weekly  = "week"
	Monthly = "month"
	Study   = "study"
)

// EpochName names the epoch that holds a day: 2026-01-05, 2026-W02 (ISO 8601's
// week, Monday to Sunday in UTC), 2026-01 or study.
func EpochName(day lake.Day, mode string) (string, error) {
	t := day.Time()
	switch mode {
	case Daily:
		return t.Format("2006-01-02"), nil
	case Weekly:
		year, week := t.ISOWeek()
		return fmt.Sprintf("%04d-W%02d", year, week), nil
	case Monthly:
		return t.Format("2006-01"), nil
	case Study:
		return Study, nil
	}
	return "", fmt.Errorf("%q is not a length of an epoch; use day, week, month or study", mode)
}

// KeyName is the object that holds an epoch's key.
func KeyName(epoch string) string { return lake.KeysPrefix + epoch + ".key" }

// Load reads an epoch's key; lake.ErrNotFound (wrapped) where there is none.
func Load(ctx context.Context, store lake.Store, epoch string) (Key, error) {
	var k Key
	b, _, err := lake.ReadAll(ctx, store, KeyName(epoch), 1<<10)
	if err != nil {
		return k, fmt.Errorf("pseudonym key of %s: %w", epoch, err)
	}
	if len(b) != len(k) {
		return k, fmt.Errorf("pseudonym key %s has %d bytes instead of %d; restore it from a backup, or delete it and redo the epoch's days",
			KeyName(epoch), len(b), len(k))
	}
	return Key(b), nil
}

// Store writes an epoch's key, unless it has one already: then lake.ErrConflict
// (wrapped), and the caller loads that one.
func Store(ctx context.Context, store lake.Store, epoch string, k Key) error {
	_, err := store.Put(ctx, KeyName(epoch), lake.Absent(), func(w io.Writer) error {
		_, err := w.Write(k[:])
		return err
	})
	return err
}

// LoadOrMake returns an epoch's key; the first to ask makes it with newKey.
func LoadOrMake(ctx context.Context, store lake.Store, epoch string, newKey func() (Key, error)) (Key, error) {
	k, err := Load(ctx, store, epoch)
	if !errors.Is(err, lake.ErrNotFound) {
		return k, err
	}
	if k, err = newKey(); err != nil {
		return k, fmt.Errorf("make pseudonym key: %w", err)
	}
	if err := Store(ctx, store, epoch, k); err != nil && !errors.Is(err, lake.ErrConflict) {
		return k, err
	}
	return Load(ctx, store, epoch)
}
