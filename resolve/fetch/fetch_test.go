package fetch_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/netip"
	"testing"
	"time"

	"github.com/boontorrent/boon/internal/peertest"
	"github.com/boontorrent/boon/resolve/fetch"
)

// newFetcher opens a Fetcher for loopback. Addresses need no rest unless the
// test says so.
func newFetcher(t testing.TB, cfg fetch.Config) *fetch.Fetcher {
	t.Helper()
	cfg.AllowLoopback = true
	f, err := fetch.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// among fetches a hash from peers, all named at once.
func among(t testing.TB, f *fetch.Fetcher, hash [20]byte, peers ...netip.AddrPort) fetch.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c := make(chan fetch.Peer, len(peers))
	for _, a := range peers {
		c <- fetch.Peer{Addr: a, Source: "test"}
	}
	close(c)
	return f.Fetch(ctx, fetch.Want{Infohash: hash}, c)
}

func TestFetch(t *testing.T) {
	for name, size := range map[string]int{"a piece": 500, "just a piece": 16384, "pieces": 200_000} {
		info := peertest.Info(name, size)
		hashes := [][20]byte{peertest.Hash(info)}
		for over, opts := range map[string]peertest.Options{
			"TCP":                   {},
			"TCP, plain":            {Encryption: peertest.Plain},
			"TCP, encrypted":        {Encryption: peertest.Encrypted, Infohashes: hashes},
			"TCP, IPv6":             {Addr: netip.IPv6Loopback()},
			"uTP, IPv6":             {Addr: netip.IPv6Loopback(), UTP: true, NoTCP: true},
			"TCP or uTP":            {UTP: true},
			"uTP":                   {UTP: true, NoTCP: true},
			"uTP, encrypted":        {UTP: true, NoTCP: true, Encryption: peertest.Encrypted, Infohashes: hashes},
			"TCP or uTP, encrypted": {UTP: true, Encryption: peertest.Encrypted, Infohashes: hashes},
		} {
			for _, policy := range []fetch.Encryption{fetch.PlainFirst, fetch.EncryptedFirst} {
				t.Run(fmt.Sprintf("%s over %s, policy %d", name, over, policy), func(t *testing.T) {
					t.Parallel()
					if opts.Addr.Is6() {
						needIPv6(t)
					}
					peer := peertest.Start(t, peertest.Good(0, info), opts)
					f := newFetcher(t, fetch.Config{Encryption: policy, AddressRest: time.Millisecond})
					res := among(t, f, hashes[0], peer.Addr)
					if !bytes.Equal(res.Info, info) || res.Reason != fetch.OK || res.V2 || res.Source != "test" || res.Tried != 1 {
						t.Errorf("%d bytes, %+v", len(res.Info), res)
					}
					if res.Received < int64(len(info)) || f.Stats().Memory != 0 || f.Stats().Conns != 0 || f.Stats().Fetched != 1 {
						t.Errorf("received %d, %+v", res.Received, f.Stats())
					}
				})
			}
		}
	}
}

// TestLargeFromTicking: a peer that puts off what is too much at once is not
// brought to do so, or five megabytes would take longer than it is given.
func TestLargeFromTicking(t *testing.T) {
	info := peertest.Info("large", 5<<20)
	peer := peertest.Start(t, peertest.Ticking(info, 2*time.Second), peertest.Options{})
	f := newFetcher(t, fetch.Config{})
	if res := among(t, f, peertest.Hash(info), peer.Addr); !bytes.Equal(res.Info, info) {
		t.Errorf("%d bytes, %+v", len(res.Info), res)
	}
}

// needIPv6 skips the test where the machine has no IPv6.
func needIPv6(t *testing.T) {
	t.Helper()
	l, err := new(net.ListenConfig).Listen(t.Context(), "tcp6", "[::1]:0")
	if err != nil {
		t.Skip("no IPv6 here")
	}
	l.Close()
}
