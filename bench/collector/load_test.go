package collector

import (
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// loadNet is the second byte of the addresses the load comes from.
const loadNet = 99

// sockets are what the load comes from: askers at addresses of their own.
const sockets = 8

func dial(t *testing.T, to netip.AddrPort, i int) *net.UDPConn {
	t.Helper()
	from := &net.UDPAddr{IP: net.IPv4(127, loadNet, byte(i), 1)}
	conn, err := net.DialUDP("udp4", from, net.UDPAddrFromAddrPort(to))
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.SetReadBuffer(8 << 20)
	return conn
}

// query makes a get_peers of the form that clients send, for a hash of its own:
// all of them are logged. Its number is its transaction id.
func query(r *rand.Rand, number uint32) []byte {
	var id, hash [20]byte
	for _, b := range [][]byte{id[:], hash[:]} {
		binary.LittleEndian.PutUint64(b, r.Uint64())
		binary.LittleEndian.PutUint64(b[8:], r.Uint64())
	}
	t := binary.BigEndian.AppendUint32(nil, number)
	return fmt.Appendf(nil, "d1:ad2:id20:%s9:info_hash20:%se1:q9:get_peers1:t4:%s1:v4:LT\x02\x011:y1:qe", id[:], hash[:], t)
}

// flood keeps 32 queries under way on each socket and counts the answers.
func flood(t *testing.T, to netip.AddrPort, length time.Duration) int {
	t.Helper()
	var answered atomic.Int64
	var all sync.WaitGroup
	end := time.Now().Add(length)
	for i := range sockets {
		conn := dial(t, to, i)
		all.Go(func() {
			defer conn.Close()
			answered.Add(floodOne(conn, rand.New(rand.NewPCG(7, uint64(i))), end))
		})
	}
	all.Wait()
	return int(answered.Load())
}

func floodOne(conn *net.UDPConn, r *rand.Rand, end time.Time) int64 {
	buf := make([]byte, 2048)
	var sent uint32
	send := func() {
		_, _ = conn.Write(query(r, sent))
		sent++
	}
	for range 32 {
		send()
	}
	var answered int64
	for time.Now().Before(end) {
		_ = conn.SetReadDeadline(time.Now().Add(200 * time.Millisecond))
		n, err := conn.Read(buf)
		switch {
		case err != nil:
			for range 32 { // lost: begin again
				send()
			}
		case strings.HasSuffix(string(buf[:n]), "1:y1:re"):
			answered++
			send()
		}
	}
	return answered
}

// steady sends so many queries a second, in a burst every two milliseconds,
// and returns how many and how long each answer took.
func steady(t *testing.T, to netip.AddrPort, rate int, length time.Duration) (int, []time.Duration) {
	t.Helper()
	const tick = 2 * time.Millisecond
	total := int(float64(rate) * length.Seconds())
	sentAt := make([]atomic.Int64, total)
	took := make([][]time.Duration, sockets)
	conns := make([]*net.UDPConn, sockets)
	var readers sync.WaitGroup
	began := time.Now()
	for i := range sockets {
		conns[i] = dial(t, to, i)
		readers.Go(func() { took[i] = measure(conns[i], sentAt, began) })
	}
	r := rand.New(rand.NewPCG(8, 8))
	sent := 0
	for step := 1; sent < total; step++ {
		due := min(total, int(float64(step*rate)*tick.Seconds()))
		for ; sent < due; sent++ {
			p := query(r, uint32(sent))
			sentAt[sent].Store(int64(time.Since(began)))
			_, _ = conns[sent%sockets].Write(p)
		}
		time.Sleep(time.Until(began.Add(time.Duration(step) * tick)))
	}
	time.Sleep(500 * time.Millisecond)
	var all []time.Duration
	for _, c := range conns {
		_ = c.Close()
	}
	readers.Wait()
	for _, d := range took {
		all = append(all, d...)
	}
	return sent, all
}

// measure reads answers until the socket is closed.
func measure(conn *net.UDPConn, sentAt []atomic.Int64, began time.Time) []time.Duration {
	buf := make([]byte, 2048)
	var took []time.Duration
	for {
		n, err := conn.Read(buf)
		if err != nil {
			return took
		}
		_, rest, ok := strings.Cut(string(buf[:n]), "1:t4:")
		if !ok || len(rest) < 4 || !strings.HasSuffix(rest, "1:y1:re") {
			continue
		}
		if number := binary.BigEndian.Uint32([]byte(rest)); int(number) < len(sentAt) {
			took = append(took, time.Since(began)-time.Duration(sentAt[number].Load()))
		}
	}
}
