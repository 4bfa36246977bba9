package collect

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// enlarge asks for a receive buffer of that size: beyond net.core.rmem_max where
// we may (CAP_NET_ADMIN), else as much as that allows.
func enlarge(conn *net.UDPConn, size int) {
	raw, err := conn.SyscallConn()
	if err != nil {
		return
	}
	var forced error
	err = raw.Control(func(fd uintptr) {
		forced = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, size)
	})
	if err != nil || forced != nil {
		_ = conn.SetReadBuffer(size)
	}
}

// kernelDrops is how many packets the kernel threw away because the socket's
// buffer was full, from /proc/net/udp.
func kernelDrops(local net.Addr) (int64, bool) {
	at, err := netip.ParseAddrPort(local.String())
	if err != nil {
		return 0, false
	}
	path := "/proc/net/udp"
	if at.Addr().Is6() {
		path = "/proc/net/udp6"
	}
	f, err := os.Open(path)
	if err != nil {
		return 0, false
	}
	defer f.Close()
	want := procAddress(at)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 13 || fields[1] != want {
			continue
		}
		drops, err := strconv.ParseInt(fields[len(fields)-1], 10, 64)
		return drops, err == nil
	}
	return 0, false
}

// procAddress writes an address as /proc does: 32-bit words in the machine's order.
func procAddress(at netip.AddrPort) string {
	b := at.Addr().AsSlice()
	var s strings.Builder
	for i := 0; i+4 <= len(b); i += 4 {
		fmt.Fprintf(&s, "%08X", binary.NativeEndian.Uint32(b[i:]))
	}
	return fmt.Sprintf("%s:%04X", s.String(), at.Port())
}
