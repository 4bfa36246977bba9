//go:build !linux

package collect

import "net"

// kernelDrops is not known here.
func kernelDrops(net.Addr) (int64, bool) { return 0, false }

// enlarge asks for a receive buffer of that size.
func enlarge(conn *net.UDPConn, size int) { _ = conn.SetReadBuffer(size) }
