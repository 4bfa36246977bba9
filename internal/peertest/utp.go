package peertest

import (
	"context"
	"net"
	"net/netip"

	"github.com/anacrolix/utp"
)

// utpListener accepts uTP connections on a socket of its own.
type utpListener struct {
	*utp.Socket
	at netip.AddrPort
}

func listenUTP(at netip.AddrPort) (*utpListener, error) {
	pc, err := new(net.ListenConfig).ListenPacket(context.Background(), "udp", at.String())
	if err != nil {
		return nil, err
	}
	s, err := utp.NewSocketFromPacketConn(pc)
	if err != nil {
		pc.Close()
		return nil, err
	}
	return &utpListener{s, pc.LocalAddr().(*net.UDPAddr).AddrPort()}, nil
}

// Close ends the socket and all of its connections.
func (l *utpListener) Close() error { return l.CloseNow() }
