package collect

import (
	"net"
	"testing"
	"time"
)

// TestKernelDrops floods a socket that nobody reads: what the kernel threw away
// is known, and together with what can be read it is all that was sent.
func TestKernelDrops(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		at, err := net.ResolveUDPAddr("udp", address)
		if err != nil {
			t.Fatal(err)
		}
		conn, err := net.ListenUDP("udp", at)
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		_ = conn.SetReadBuffer(4096)
		sender, err := net.DialUDP("udp", nil, conn.LocalAddr().(*net.UDPAddr))
		if err != nil {
			t.Fatal(err)
		}
		defer sender.Close()
		if drops, ok := kernelDrops(conn.LocalAddr()); !ok || drops != 0 {
			t.Errorf("%s: %d dropped before anything was sent (%v)", address, drops, ok)
		}
		const sent = 500
		for range sent {
			if _, err := sender.Write(make([]byte, 100)); err != nil {
				t.Fatal(err)
			}
		}
		drops, read, buf := int64(0), int64(0), make([]byte, 200)
		for end := time.Now().Add(time.Minute); drops+read < sent && time.Now().Before(end); { // some may be on their way
			_ = conn.SetReadDeadline(time.Now().Add(10 * time.Millisecond))
			if _, err := conn.Read(buf); err == nil {
				read++
				continue
			}
			drops, _ = kernelDrops(conn.LocalAddr())
		}
		n := &node{conn: conn}
		n.countUnread()
		if drops == 0 || drops+read != sent || n.counts.received[unread] != drops || n.counts.droppedBy(socketFull) != drops {
			t.Errorf("%s: of %d %d were dropped and %d read; counted %d", address, sent, drops, read, n.counts.received[unread])
		}
	}
}
