package collect_test

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/anacrolix/dht/v2"
	alog "github.com/anacrolix/log"

	"github.com/boontorrent/boon/collect"
)

// TestBeginsAmongStrangers starts a collector before the node that it is to
// begin with, while others who never reply ask it, as they do after a restart:
// it finds the node all the same.
func TestBeginsAmongStrangers(t *testing.T) {
	t.Parallel()
	free, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 50, 1)})
	if err != nil {
		t.Fatal(err)
	}
	named := free.LocalAddr().String()
	free.Close()
	c := start(t, collect.Config{Bootstrap: []string{named}})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, from := range []string{"127.0.0.3:0", "127.0.0.4:0", "127.0.0.5:0"} {
		go pester(ctx, newAsker(t, c.at, from))
	}
	time.Sleep(500 * time.Millisecond) // until the first try has failed to find it
	startNamed(t, named)
	if got := waitForNodes(t, c, 1); got[0].Addr.String() != named {
		t.Errorf("the collector knows %s, want %s", got[0].Addr, named)
	}
}

// startNamed starts a DHT node that knows nobody.
func startNamed(t *testing.T, at string) string {
	t.Helper()
	conn, err := net.ListenPacket("udp4", at)
	if err != nil {
		t.Fatal(err)
	}
	node, err := dht.NewServer(&dht.ServerConfig{
		Conn: conn, NoSecurity: true, StartingNodes: func() ([]dht.Addr, error) { return nil, nil }, Logger: alog.Default.FilterLevel(alog.Disabled),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(node.Close)
	return conn.LocalAddr().String()
}

// pester asks and never replies.
func pester(ctx context.Context, a *asker) {
	for ctx.Err() == nil {
		_, _ = a.conn.Write([]byte(numberedQuery(1)))
		time.Sleep(time.Millisecond)
	}
}
