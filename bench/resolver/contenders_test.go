package resolver

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"

	"github.com/anacrolix/log"
	"github.com/anacrolix/torrent"
	"github.com/anacrolix/torrent/metainfo"
	"github.com/anacrolix/torrent/storage"
	"github.com/anacrolix/torrent/types/infohash"
	"golang.org/x/time/rate"

	"github.com/boontorrent/boon/internal/peertest"
	"github.com/boontorrent/boon/resolve/fetch"
)

// job is what a contender is told.
type job struct {
	What     string
	Torrents int
	Inflight int
	Ports    ports
}

// result is what it says.
type result struct {
	Resolved int
	Took     time.Duration
	CPU      time.Duration
	Memory   int64 // bytes resident at most
}

// fetchOne gets one info dictionary, or nil.
type fetchOne func(hash [20]byte, torrent int) []byte

// contend is the life of a contender's process.
func contend(j job) error {
	hashes := make([][20]byte, j.Torrents)
	for i := range hashes {
		hashes[i] = peertest.Hash(infoOf(i))
	}
	open := map[string]func(job) (fetchOne, error){"boon": openBoon, "client": openClient}[j.What]
	get, err := open(j)
	if err != nil {
		return err
	}
	before, _ := usage()
	start := time.Now()
	resolved := 0
	var mu sync.Mutex
	var all sync.WaitGroup
	next := make(chan int)
	for range j.Inflight {
		all.Go(func() {
			for i := range next {
				if peertest.Hash(get(hashes[i], i)) == hashes[i] {
					mu.Lock()
					resolved++
					mu.Unlock()
				}
			}
		})
	}
	for i := range hashes {
		next <- i
	}
	close(next)
	all.Wait()
	took := time.Since(start)
	after, memory := usage()
	return json.NewEncoder(os.Stdout).Encode(result{resolved, took, after - before, memory})
}

// usage is the process's CPU time and memory so far.
func usage() (cpu time.Duration, memory int64) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), u.Maxrss << 10
}

func openBoon(j job) (fetchOne, error) {
	f, err := fetch.New(fetch.Config{AllowLoopback: true})
	if err != nil {
		return nil, err
	}
	return func(hash [20]byte, torrent int) []byte {
		peers := make(chan fetch.Peer, 4)
		for _, a := range addressesOf(torrent, j.Ports) {
			peers <- fetch.Peer{Addr: a}
		}
		close(peers)
		return f.Fetch(context.Background(), fetch.Want{Infohash: hash}, peers).Info
	}, nil
}

// patience is what the Client may take for one torrent.
const patience = time.Minute

func openClient(j job) (fetchOne, error) {
	cfg := torrent.NewDefaultClientConfig()
	cfg.NoDHT, cfg.DisableTrackers, cfg.DisablePEX, cfg.NoUpload, cfg.DisableIPv6 = true, true, true, true, true
	cfg.NoDefaultPortForwarding, cfg.DisableWebtorrent, cfg.DisableWebseeds, cfg.DisableUTP = true, true, true, true
	cfg.AcceptPeerConnections = false
	cfg.EstablishedConnsPerTorrent, cfg.HalfOpenConnsPerTorrent, cfg.TotalHalfOpenConns = 1000, 1000, 1_000_000
	cfg.DialRateLimiter = rate.NewLimiter(rate.Inf, 0)
	cfg.HeaderObfuscationPolicy = torrent.HeaderObfuscationPolicy{Preferred: false, RequirePreferred: false}
	cfg.NominalDialTimeout, cfg.HandshakesTimeout = 3*time.Second, 6*time.Second
	cfg.ListenHost = func(string) string { return "127.0.0.1" }
	cfg.ListenPort = 0
	cfg.DefaultStorage = noStorage{}
	cfg.Logger = log.Default.FilterLevel(log.Disabled)
	cfg.Slogger = slog.New(slog.DiscardHandler)
	client, err := torrent.NewClient(cfg)
	if err != nil {
		return nil, fmt.Errorf("open the client: %w", err)
	}
	return func(hash [20]byte, i int) []byte {
		t, _ := client.AddTorrentOpt(torrent.AddTorrentOpts{
			InfoHash: infohash.T(hash), DisableInitialPieceCheck: true, DisallowDataDownload: true, DisallowDataUpload: true,
		})
		defer t.Drop()
		var peers []torrent.PeerInfo
		for _, a := range addressesOf(i, j.Ports) {
			peers = append(peers, torrent.PeerInfo{Addr: a})
		}
		t.AddPeers(peers)
		select {
		case <-t.GotInfo():
			return t.Metainfo().InfoBytes
		case <-time.After(patience):
			return nil
		}
	}, nil
}

// noStorage keeps nothing, at no cost.
type noStorage struct{}

func (noStorage) OpenTorrent(context.Context, *metainfo.Info, metainfo.Hash) (storage.TorrentImpl, error) {
	return storage.TorrentImpl{
		Piece: func(metainfo.Piece) storage.PieceImpl { return noPiece{} },
		Close: func() error { return nil },
	}, nil
}

type noPiece struct{}

func (noPiece) ReadAt([]byte, int64) (int, error)      { return 0, os.ErrNotExist }
func (noPiece) WriteAt(b []byte, _ int64) (int, error) { return len(b), nil }
func (noPiece) MarkComplete() error                    { return nil }
func (noPiece) MarkNotComplete() error                 { return nil }
func (noPiece) Completion() storage.Completion         { return storage.Completion{Ok: true} }
