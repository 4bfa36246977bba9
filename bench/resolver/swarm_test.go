package resolver

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"syscall"
	"time"

	"github.com/boontorrent/boon/internal/peertest"
)

// answerAfter is what a live peer waits before it says anything.
const answerAfter = 50 * time.Millisecond

// ports are those of the three kinds of addresses, each on all of 127/8.
type ports struct{ Live, Refusing, Silent uint16 }

// infoOf makes the info dictionary of a torrent.
func infoOf(i int) []byte {
	return peertest.Info(fmt.Sprintf("torrent %d", i), []int{1_000, 8_000, 20_000, 50_000}[i%4])
}

// addressesOf are those that are known for a torrent.
func addressesOf(i int, p ports) []netip.AddrPort {
	all := make([]netip.AddrPort, 4)
	for j, port := range []uint16{p.Live, p.Live, p.Refusing, p.Silent} {
		n := i*4 + j + 1
		all[j] = netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 64 + byte(n>>16), byte(n >> 8), byte(n)}), port)
	}
	r := rand.New(rand.NewPCG(1, uint64(i)))
	r.Shuffle(len(all), func(a, b int) { all[a], all[b] = all[b], all[a] })
	return all
}

// servePeers is the life of the process that is all peers. It ends when its
// input does.
func servePeers(torrents int) error {
	infos := make([][]byte, torrents)
	for i := range infos {
		infos[i] = infoOf(i)
	}
	live, err := listenLoopback(4096)
	if err != nil {
		return err
	}
	refusing, err := listenLoopback(1)
	if err != nil {
		return err
	}
	silent, err := listenLoopback(0)
	if err != nil {
		return err
	}
	p := ports{portOf(live), portOf(refusing), portOf(silent)}
	refusing.Close()
	if err := fill(p.Silent); err != nil {
		return err
	}
	defer silent.Close()
	peer := peertest.Serve(peertest.Good(answerAfter, infos...), peertest.Options{Encryption: peertest.Plain}, live)
	defer peer.Close()
	if err := json.NewEncoder(os.Stdout).Encode(p); err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func portOf(l net.Listener) uint16 { return l.Addr().(*net.TCPAddr).AddrPort().Port() }

// listenLoopback listens on every address of the loopback device, and nowhere else.
func listenLoopback(backlog int) (net.Listener, error) {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	f := os.NewFile(uintptr(fd), "listener")
	defer f.Close()
	err = errors.Join(
		syscall.SetsockoptString(fd, syscall.SOL_SOCKET, syscall.SO_BINDTODEVICE, "lo"),
		syscall.Bind(fd, &syscall.SockaddrInet4{}),
		syscall.Listen(fd, backlog),
	)
	if err != nil {
		return nil, fmt.Errorf("listen on the loopback device: %w", err)
	}
	return net.FileListener(f)
}

// fill connects to a port until its queue is full and the system drops more.
func fill(port uint16) error {
	d := net.Dialer{Timeout: 300 * time.Millisecond}
	for range 10 {
		_, err := d.DialContext(context.Background(), "tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if timeout := net.Error(nil); errors.As(err, &timeout) && timeout.Timeout() {
			return nil
		}
		if err != nil {
			return err
		}
	}
	return errors.New("a full queue takes connections all the same")
}
