package fetch_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/boontorrent/boon/internal/peertest"
	"github.com/boontorrent/boon/resolve/fetch"
)

// hostileReasons says what each of peertest's hostile peers is dropped for.
var hostileReasons = map[string]fetch.Reason{
	"hangs up at once":                 fetch.Refused,
	"resets at once":                   fetch.Refused,
	"shakes hands for another torrent": fetch.BadHash,
	"speaks another protocol":          fetch.Malformed,
	"knows no extensions":              fetch.NoMetadata,

	"greets with 1 MB":                   fetch.TooLarge,
	"greets without ut_metadata":         fetch.NoMetadata,
	"greets with ut_metadata turned off": fetch.NoMetadata,
	"greets with an empty dictionary":    fetch.NoMetadata,
	"greets and is quiet":                fetch.Timeout,

	"has an info dictionary of 0":                 fetch.NoMetadata,
	"has an info dictionary of 2 GiB":             fetch.TooLarge,
	"has an info dictionary of 10 MiB and a byte": fetch.TooLarge,

	"sends a message of 4 GB":         fetch.TooLarge,
	"sends a bitfield of 300 KB":      fetch.TooLarge,
	"sends an extended one of 17 KiB": fetch.TooLarge,

	"sends pieces of another torrent":  fetch.BadHash,
	"sends a piece too long":           fetch.Malformed,
	"sends a rejection":                fetch.NoMetadata,
	"sends a request of its own, only": fetch.Timeout,

	"says nothing":                         fetch.Timeout,
	"sends its handshake a byte at a time": fetch.Timeout,
	"sends a piece a byte at a time":       fetch.Timeout,
	"sends all pieces but the last":        fetch.Timeout,
	"resets in the middle of a piece":      fetch.Refused,
}

// TestHostilePeers: each is dropped for its reason, whatever it comes over, and
// what it sent is gone.
func TestHostilePeers(t *testing.T) {
	info := peertest.Info("wanted", 3*peertest.PieceBytes-100)
	for name, behave := range peertest.Hostile(info) {
		want, ok := hostileReasons[name]
		if !ok {
			want = fetch.Malformed
		}
		for over, opts := range map[string]peertest.Options{"TCP": {}, "uTP": {NoTCP: true, UTP: true}} {
			t.Run(name+", over "+over, func(t *testing.T) {
				t.Parallel()
				peer := peertest.Start(t, behave, opts)
				f := newFetcher(t, fetch.Config{AddressRest: time.Millisecond, PexWait: 10 * time.Millisecond, PeerTimeout: patience(want)})
				checkDropped(t, f, among(t, f, peertest.Hash(info), peer.Addr), want)
			})
		}
	}
}

func checkDropped(t *testing.T, f *fetch.Fetcher, res fetch.Result, want fetch.Reason) {
	t.Helper()
	if res.Info != nil || res.Reason != want || res.Failed[want] != 1 || res.Tried != 1 {
		t.Errorf("%s, want %s; %+v", res.Reason, want, res)
	}
	s := f.Stats()
	if s.Dropped[want] != 1 || s.Failed[want] != 1 || s.Memory != 0 || s.Conns != 0 || s.Hashes != 0 {
		t.Errorf("%+v", s)
	}
	if most := int64(5 * peertest.PieceBytes); s.Most > most {
		t.Errorf("one peer took %d bytes, more than the info dictionary and a message: %d", s.Most, most)
	}
	if res.Received > 2<<20 {
		t.Errorf("%d bytes were read from it", res.Received)
	}
}

// TestHostileEncryption: what looks like an encrypted handshake and is none.
func TestHostileEncryption(t *testing.T) {
	noise := make([]byte, 2000)
	for i := range noise {
		noise[i] = byte(i * i)
	}
	for name, c := range map[string]struct {
		bytes []byte
		hold  bool // does not hang up
		want  fetch.Reason
	}{
		"noise":             {noise, true, fetch.Malformed},
		"a key and no more": {noise[:96], true, fetch.Timeout},
		"half a key":        {noise[:50], false, fetch.Refused},
		"a key of zeros":    {make([]byte, 2000), true, fetch.Malformed},
	} {
		peer := peertest.StartRaw(t, func(conn net.Conn) {
			conn.Write(c.bytes)
			if c.hold {
				io.Copy(io.Discard, conn)
			}
		})
		tries := 1
		if c.want == fetch.Malformed {
			tries = 50 // what the noise is taken for depends on our key
		}
		f := newFetcher(t, fetch.Config{Encryption: fetch.EncryptedOnly, NoUTP: true, AddressRest: time.Millisecond, PeerTimeout: patience(c.want)})
		for range tries {
			if res := among(t, f, [20]byte{1}, peer); res.Reason != c.want {
				t.Errorf("%s: %s, want %s", name, res.Reason, c.want)
			}
		}
	}
}

// patience is short where the test waits for it to end.
func patience(want fetch.Reason) time.Duration {
	if want == fetch.Timeout {
		return 300 * time.Millisecond
	}
	return 20 * time.Second
}

// TestOthersGoOn: all hostile peers together keep nobody from the one that is
// good, in whatever order they come.
func TestOthersGoOn(t *testing.T) {
	info := peertest.Info("wanted", 3*peertest.PieceBytes-100)
	var peers []netip.AddrPort
	for _, behave := range peertest.Hostile(info) {
		peers = append(peers, peertest.Start(t, behave, peertest.Options{}).Addr)
	}
	peers = append(peers, peertest.Start(t, peertest.Good(0, info), peertest.Options{}).Addr)
	f := newFetcher(t, fetch.Config{AddressRest: time.Millisecond, PeerTimeout: 3 * time.Second, Stagger: 10 * time.Millisecond})
	res := among(t, f, peertest.Hash(info), peers...)
	if !bytes.Equal(res.Info, info) {
		t.Fatalf("%+v", res)
	}
	if f.Stats().Memory != 0 || f.Stats().Conns != 0 {
		t.Errorf("%+v", f.Stats())
	}
}

// TestOddButHonest: what clients may do, though most do not.
func TestOddButHonest(t *testing.T) {
	info := peertest.Info("wanted", 5*peertest.PieceBytes-100)
	size := fmt.Sprintf("i%de", len(info))
	for name, odd := range map[string]func(c *peertest.Conn){
		"pieces in no order": func(c *peertest.Conn) {
			var asked []int
			for range 5 {
				i, _ := c.ReadRequest()
				asked = append(asked, i)
			}
			for i := range asked {
				c.SendPiece(info, asked[len(asked)-1-i])
			}
		},
		"all the messages there are": func(c *peertest.Conn) {
			c.Send(5, []byte{0xff, 0xff})           // a bitfield shorter than it should be
			c.Send(5, make([]byte, 100_000))        // and one longer
			c.Write([]byte{0, 0, 0, 0, 0, 0, 0, 0}) // keep-alives
			c.Send(1, nil)
			c.Send(14, nil)
			c.Send(9, []byte{1, 2})
			c.Send(99, []byte("unknown"))
			c.SendExtended(77, "unknown")
			c.SendExtended(0, "d1:md11:ut_metadatai7ee13:metadata_size"+size+"e") // again
			c.SendExtended(0, "de")
			for i := range 5 {
				c.SendPiece(info, i)
			}
		},
		"pieces without their total": func(c *peertest.Conn) {
			for i := range 5 {
				data := info[i*peertest.PieceBytes : min(len(info), (i+1)*peertest.PieceBytes)]
				c.SendMetadata("d8:msg_typei1e5:piecei" + string(rune('0'+i)) + "ee" + string(data))
			}
		},
	} {
		peer := peertest.Start(t, func(c *peertest.Conn) {
			if c.Open(size) == nil {
				odd(c)
				c.Wait()
			}
		}, peertest.Options{})
		f := newFetcher(t, fetch.Config{})
		if res := among(t, f, peertest.Hash(info), peer.Addr); !bytes.Equal(res.Info, info) {
			t.Errorf("%s: %+v", name, res)
		}
	}
}

// TestPex: peers that a peer names are tried for the same hash, those that
// cannot be on the internet are not, and there is an end to them.
func TestPex(t *testing.T) {
	info := peertest.Info("wanted", 500)
	good := peertest.Start(t, peertest.Good(0, info), peertest.Options{})
	compact := func(a netip.AddrPort) string {
		b, _ := a.MarshalBinary()
		return string([]byte{b[0], b[1], b[2], b[3], byte(a.Port() >> 8), byte(a.Port())})
	}
	flood := peertest.Start(t, func(c *peertest.Conn) {
		if c.Open("i500e") != nil {
			return
		}
		for i := range 100 {
			var all []string
			for j := range 50 {
				all = append(all, string([]byte{10, 0, byte(i), byte(j), 1, 1}))
			}
			c.SendPex(append(all, "\x7f\x00\x00\x01\x00\x00"), []string{"\xfe\x80" + strings.Repeat("\x00", 13) + "\x01\x01\x01"})
		}
		c.SendMetadata("d8:msg_typei2e5:piecei0ee")
	}, peertest.Options{})
	naming := peertest.Start(t, func(c *peertest.Conn) {
		if c.Open("i500e") != nil {
			return
		}
		c.SendPex([]string{compact(good.Addr), compact(good.Addr), "\x0a\x01\x02\x03\x1a\xe1"}, nil)
		c.SendMetadata("d8:msg_typei2e5:piecei0ee")
		c.Wait()
	}, peertest.Options{})
	f := newFetcher(t, fetch.Config{})
	if res := among(t, f, peertest.Hash(info), naming.Addr); !bytes.Equal(res.Info, info) || res.Source != "pex" || res.Pex != 2 || res.Skipped != 1 || res.Tried != 2 {
		t.Errorf("a peer that another named: %+v", res)
	}
	if res := among(t, f, peertest.Hash(info), flood.Addr); res.Reason != fetch.NoMetadata || res.Tried != 1 || res.Peers-res.Skipped != 1 {
		t.Errorf("a flood of peers that cannot be: %+v", res)
	}
	for late, reached := range map[time.Duration]bool{20 * time.Millisecond: true, time.Minute: false} {
		barren := peertest.Start(t, func(c *peertest.Conn) {
			if c.Open("i0e") == nil {
				c.Sleep(late)
				c.SendPex([]string{compact(good.Addr)}, nil)
				c.Wait()
			}
		}, peertest.Options{})
		f := newFetcher(t, fetch.Config{AddressRest: time.Millisecond, PexWait: map[bool]time.Duration{true: 20 * time.Second, false: 20 * time.Millisecond}[reached]})
		if res := among(t, f, peertest.Hash(info), barren.Addr); (res.Info != nil) != reached || res.Failed[fetch.NoMetadata] != 1 {
			t.Errorf("a peer without the info dictionary that names another after %v: %+v", late, res)
		}
	}
	f, err := fetch.New(fetch.Config{}) // that does not connect to loopback
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if res := among(t, f, peertest.Hash(info), good.Addr); res.Reason != fetch.NoPeers || res.Skipped != 1 || res.Tried != 0 {
		t.Errorf("loopback without leave: %+v", res)
	}
}

// TestMemory: peers that send much and never all of it take no more than they
// are allowed in all, and one that is good still gets its share.
func TestMemory(t *testing.T) {
	info := peertest.Info("large", 4<<20)
	hog := func(c *peertest.Conn) {
		if c.Open(fmt.Sprintf("i%de", len(info))) != nil {
			return
		}
		for {
			at, err := c.ReadRequest()
			if err != nil {
				return
			}
			if at != 0 { // the first never comes
				c.SendPiece(info, at)
			}
		}
	}
	var hogs []netip.AddrPort
	for range 8 {
		hogs = append(hogs, peertest.Start(t, hog, peertest.Options{}).Addr)
	}
	f := newFetcher(t, fetch.Config{MaxMemory: 10 << 20, PeerTimeout: 3 * time.Second, Stagger: time.Millisecond})
	if res := among(t, f, peertest.Hash(info), hogs...); res.Failed[fetch.Timeout] != 8 {
		t.Errorf("%+v", res)
	}
	if s := f.Stats(); s.Most > 10<<20 || s.Most < 6<<20 || s.Memory != 0 {
		t.Errorf("%d bytes at most, %d now; 10 MiB are allowed, and there was more to take", s.Most, s.Memory)
	}
	good := peertest.Start(t, peertest.Good(0, info), peertest.Options{})
	if res := among(t, f, peertest.Hash(info), good.Addr); !bytes.Equal(res.Info, info) {
		t.Errorf("a good peer after them: %+v", res)
	}
}
