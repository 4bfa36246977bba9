package fetch

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/anacrolix/torrent/bencode"
	pp "github.com/anacrolix/torrent/peer_protocol"

	ours "github.com/boontorrent/boon/internal/bencode"
)

// tape is a peer that sends what is written on it, whatever it hears.
type tape struct {
	io.Reader
	mu    sync.Mutex
	heard bytes.Buffer
}

func (t *tape) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.heard.Write(b)
}
func (t *tape) Close() error                { return nil }
func (t *tape) SetDeadline(time.Time) error { return nil }

// FuzzPeer lets a peer say anything at all: it ends, with a reason; nothing of
// it is kept; and nothing but the info dictionary was asked for.
func FuzzPeer(f *testing.F) {
	want := [20]byte{19: 1}
	shake := append([]byte(pp.Protocol), 0, 0, 0, 0, 0, 0x10, 0, 0)
	shake = append(append(shake, want[:]...), make([]byte, 20)...)
	greeting := appendExtended(nil, 0, "d1:md11:ut_metadatai3e6:ut_pexi4ee13:metadata_sizei20000ee")
	data := appendExtended(nil, ourMetadata, "d8:msg_typei1e5:piecei0e10:total_sizei20000ee"+string(make([]byte, pieceBytes)))
	last := appendExtended(nil, ourMetadata, "d8:msg_typei1e5:piecei1e10:total_sizei20000ee"+string(make([]byte, 20000-pieceBytes)))
	f.Add(bytes.Join([][]byte{greeting, data, last}, nil))
	f.Add(bytes.Join([][]byte{{0, 0, 0, 0}, {0, 0, 0, 3, 5, 1, 1}, greeting, last, data}, nil))
	f.Add(bytes.Join([][]byte{greeting, appendExtended(nil, ourPex, "d5:added6:\x7f\x00\x00\x01\x00\x01e"), data}, nil))
	f.Add(appendExtended(nil, 0, "d1:mllllllllllllllllll"))
	var first atomic.Pointer[tape]
	fetcher, err := New(Config{AllowLoopback: true, AddressRest: 1, Encryption: PlainOnly, NoUTP: true, Dial: func(context.Context, Transport, netip.AddrPort) (Stream, error) {
		if said := first.Swap(nil); said != nil {
			return said, nil
		}
		return nil, io.ErrUnexpectedEOF // a peer that it named
	}})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		said := &tape{Reader: io.MultiReader(bytes.NewReader(shake), bytes.NewReader(b))}
		first.Store(said)
		peers := make(chan Peer, 1)
		peers <- Peer{Addr: netip.MustParseAddrPort("127.0.0.1:1")}
		close(peers)
		res := fetcher.Fetch(t.Context(), Want{Infohash: want}, peers)
		if res.Reason == OK || res.Info != nil {
			t.Errorf("bytes of another hash were taken for %x", want)
		}
		if fetcher.Stats().Memory != 0 || fetcher.Stats().Conns != 0 {
			t.Errorf("%+v", fetcher.Stats())
		}
		checkHeard(t, said.heard.Bytes())
	})
}

// checkHeard reads what the peer heard: a handshake, and then nothing but our
// extension handshake and requests for pieces of the info dictionary.
func checkHeard(t *testing.T, b []byte) {
	t.Helper()
	d := pp.Decoder{R: bufio.NewReader(bytes.NewReader(b[handshakeSize:])), MaxLength: 1000}
	for n := 0; ; n++ {
		var m pp.Message
		if err := d.Decode(&m); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		if m.Type != pp.Extended || n == 0 != (m.ExtendedID == 0) {
			t.Errorf("message %d is of type %v, for extension %d", n, m.Type, m.ExtendedID)
		}
	}
}

// FuzzGreeting compares with another decoder: what it reads, we read the same.
func FuzzGreeting(f *testing.F) {
	f.Add([]byte("d1:md11:ut_metadatai3e6:ut_pexi1ee13:metadata_sizei20000ee"))
	f.Add([]byte("d1:mde13:metadata_sizei-5ee"))
	f.Add([]byte("d1:md11:ut_metadatai256ee1:v5:otheree"))
	f.Fuzz(func(t *testing.T, b []byte) {
		g, why := readGreeting(b)
		if why != OK {
			return
		}
		if g.size < 0 {
			t.Errorf("a size of %d", g.size)
		}
		if _, canonical, _ := ours.Check(b); !canonical {
			return
		}
		var other struct {
			M    map[string]bencode.Bytes `bencode:"m"`
			Size int64                    `bencode:"metadata_size"`
		}
		if bencode.Unmarshal(b, &other) != nil {
			return
		}
		var id int64
		if raw := other.M["ut_metadata"]; raw != nil && bencode.Unmarshal(raw, &id) != nil {
			return
		}
		if id != int64(g.metadata) || other.Size != g.size {
			t.Errorf("%q: %+v, another reads %d, %d", b, g, id, other.Size)
		}
	})
}

// FuzzMetadata does so with messages of ut_metadata and ut_pex.
func FuzzMetadata(f *testing.F) {
	f.Add([]byte("d8:msg_typei1e5:piecei3e10:total_sizei20000eehello"))
	f.Add([]byte("d8:msg_typei2e5:piecei0ee"))
	f.Add([]byte("d5:added12:abcdefghijkl7:added.f2:\x00\x006:added60:e"))
	f.Fuzz(func(t *testing.T, b []byte) {
		peers, why := readPex(b)
		if why == OK {
			checkPex(t, b, len(peers))
		}
		m, why := readMetadata(b)
		if why != OK {
			return
		}
		size, canonical, _ := ours.Check(b)
		if !bytes.Equal(m.data, b[size:]) {
			t.Errorf("%q: data %q", b, m.data)
		}
		var other pp.ExtendedMetadataRequestMsg
		if !canonical || bencode.Unmarshal(b[:size], &other) != nil {
			return
		}
		if int64(other.Type) != m.kind || int64(other.Piece) != m.piece || m.total != -1 && int64(other.TotalSize) != m.total {
			t.Errorf("%q: %+v, another reads %+v", b, m, other)
		}
	})
}

func checkPex(t *testing.T, b []byte, n int) {
	t.Helper()
	size, canonical, _ := ours.Check(b)
	other, err := pp.LoadPexMsg(b[:size])
	if err != nil || !canonical {
		return
	}
	if want := min(len(other.Added)+len(other.Added6), maxPex); n != want {
		t.Errorf("%q: %d peers, another reads %d", b, n, want)
	}
}
