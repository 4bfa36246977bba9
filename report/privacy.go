//go:build cgo && !noduck

package report

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/pseudonym"
)

// Two rules keep addresses off the site. What reads like an address may come from
// a name alone (App 10.0.19.41), for names are what people published; whatever else
// holds one fails the build. And where the keys are at hand, a torrent whose name,
// or a file's, is the address of somebody who was heard is not named at all.

// ErrLeak says that a file of the site holds what no page may hold.
var ErrLeak = errors.New("the site would hold an address or a key")

// suspectBatch bounds how many pseudonyms are looked up at a time.
const suspectBatch = 5000

// inNames reads what looks like addresses in names and paths, and excludes the
// torrents that name somebody who was heard.
func (b *builder) inNames(ctx context.Context) error {
	b.named = map[string]bool{}
	keys, err := b.keys(ctx)
	if err != nil {
		return err
	}
	for _, key := range keys {
		b.secrets.add(key[:])
		b.secrets.add([]byte(hex.EncodeToString(key[:])))
		b.secrets.add([]byte(base64.RawStdEncoding.EncodeToString(key[:])))
	}
	holders := map[string][]string{} // address → info-hashes
	q, err := own("dotted")
	if err != nil {
		return err
	}
	err = rows(ctx, b.db, q, nil, func(row []any) error {
		eachAddress([]byte(text(row[1])), func(a []byte) {
			b.named[string(a)] = true
			if hash := text(row[0]); !slices.Contains(holders[string(a)], hash) {
				holders[string(a)] = append(holders[string(a)], hash)
			}
		})
		return nil
	})
	if err != nil {
		return err
	}
	var heard []string
	for epoch, key := range keys {
		found, err := b.heard(ctx, epoch, key, holders)
		if err != nil {
			return err
		}
		heard = append(heard, found...)
	}
	slices.Sort(heard)
	b.o.Exclude = append(slices.Clone(b.o.Exclude), slices.Compact(heard)...)
	return nil
}

// keys are those of the epochs that the tables know, where they are at hand.
func (b *builder) keys(ctx context.Context) (map[string]pseudonym.Key, error) {
	keys := map[string]pseudonym.Key{}
	if b.o.Keys == nil {
		return keys, nil
	}
	for _, m := range b.db.Catalog.Manifests["queries"] {
		if _, known := keys[m.KeyEpoch]; known || m.KeyEpoch == "" {
			continue
		}
		key, err := pseudonym.Load(ctx, b.o.Keys, m.KeyEpoch)
		if errors.Is(err, lake.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		keys[m.KeyEpoch] = key
	}
	return keys, nil
}

// heard are the info-hashes of names with an address that asked in the epoch.
func (b *builder) heard(ctx context.Context, epoch string, key pseudonym.Key, holders map[string][]string) (hashes []string, err error) {
	hasher := key.Hasher()
	byNumber := map[int64]string{}
	var values []string
	ask := func() error {
		if len(values) == 0 {
			return nil
		}
		result, err := b.db.Query(ctx, "SELECT DISTINCT requester FROM requesters WHERE key_epoch = '"+strings.ReplaceAll(epoch, "'", "''")+
			"' AND requester IN ("+strings.Join(values, ", ")+")")
		if err != nil {
			return err
		}
		defer result.Close()
		for result.Next() {
			var n int64
			if err := result.Scan(&n); err != nil {
				return err
			}
			hashes = append(hashes, holders[byNumber[n]]...)
		}
		values = values[:0]
		return result.Err()
	}
	for address := range holders {
		a, err := netip.ParseAddr(address)
		if err != nil {
			continue // numbers with leading zeros
		}
		n := hasher.Requester(a)
		byNumber[n] = address
		if values = append(values, fmt.Sprint(n)); len(values) == suspectBatch {
			if err := ask(); err != nil {
				return nil, err
			}
		}
	}
	return hashes, ask()
}

// scan reads every new file of the site for addresses that no name holds, and for
// the keys of pseudonyms. Those of the index and the torrents were checked as they were made.
func (b *builder) scan(ctx context.Context) error {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(runtime.GOMAXPROCS(0))
	var mu sync.Mutex
	var leaks []error
	err := fs.WalkDir(os.DirFS(b.out.dir), ".", func(name string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && b.out.checked[name] {
			return fs.SkipDir
		}
		if err != nil || d.IsDir() || b.out.checked[name] {
			return err
		}
		g.Go(func() error {
			if err := ctx.Err(); err != nil {
				return err
			}
			err := b.scanFile(name)
			if errors.Is(err, ErrLeak) {
				mu.Lock()
				defer mu.Unlock()
				leaks = append(leaks, err)
				return nil
			}
			return err
		})
		return nil
	})
	if err := errors.Join(err, g.Wait()); err != nil {
		return err
	}
	slices.SortFunc(leaks, func(x, y error) int { return strings.Compare(x.Error(), y.Error()) })
	return errors.Join(leaks[:min(len(leaks), 10)]...)
}

func (b *builder) scanFile(name string) error {
	text, err := os.ReadFile(filepath.Join(b.out.dir, filepath.FromSlash(name)))
	if err != nil {
		return err
	}
	if path.Ext(name) == ".gz" {
		if text, err = unpack(text); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return b.check(name, text)
}

// checkIn is check for files that are on their way into a folder.
func (b *builder) checkIn(folder string) func(string, []byte) error {
	return func(name string, text []byte) error { return b.check(folder+"/"+name, text) }
}

// check fails where a file holds what it must not. It does not repeat an address or a key.
func (b *builder) check(name string, text []byte) error {
	found := ""
	if b.secrets.in(text) {
		found = "the key of pseudonyms"
	}
	eachAddress(text, func(a []byte) {
		if !b.named[string(a)] {
			found = fmt.Sprintf("what reads like an address at byte %d", bytes.Index(text, a))
		}
	})
	if found != "" {
		return fmt.Errorf("%w: %s: %s", ErrLeak, name, found)
	}
	return nil
}
