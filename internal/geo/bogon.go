package geo

import "net/netip"

// Bogon reports whether an address cannot belong to anyone on the internet:
// private, loopback, link-local, shared (carrier NAT), documentation,
// benchmark, multicast, reserved, or IPv6 outside of what is allocated. An
// address that carries an IPv4 address inside (6to4, Teredo, IPv4-mapped) is a
// bogon if that one is.
func Bogon(a netip.Addr) bool {
	_, ok := public(a)
	return !ok
}

// public returns the address that has a place: a itself, or the IPv4 address
// inside. False for a bogon.
func public(a netip.Addr) (netip.Addr, bool) {
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a, !bogon4(a.As4())
	}
	if !a.IsValid() {
		return a, false
	}
	b := a.As16()
	switch {
	case b[0] == 0x20 && b[1] == 0x02: // 2002::/16, 6to4: the IPv4 address follows
		v4 := [4]byte(b[2:6])
		return netip.AddrFrom4(v4), !bogon4(v4)
	case b[0] == 0x20 && b[1] == 0x01 && b[2] == 0 && b[3] == 0: // 2001::/32, Teredo: the client's address, inverted, comes last
		v4 := [4]byte{^b[12], ^b[13], ^b[14], ^b[15]}
		return netip.AddrFrom4(v4), !bogon4(v4)
	}
	return a, !bogon6(b)
}

func bogon4(b [4]byte) bool {
	switch b[0] {
	case 0, 10, 127:
		return true
	case 100:
		return b[1]&0xc0 == 64 // 100.64.0.0/10, shared
	case 169:
		return b[1] == 254
	case 172:
		return b[1]&0xf0 == 16
	case 192:
		return b[1] == 168 || b[1] == 0 && (b[2] == 0 || b[2] == 2) || b[1] == 88 && b[2] == 99
	case 198:
		return b[1]&0xfe == 18 || b[1] == 51 && b[2] == 100
	case 203:
		return b[1] == 0 && b[2] == 113
	}
	return b[0] >= 224
}

func bogon6(b [16]byte) bool {
	switch {
	case b[0]&0xe0 != 0x20: // only 2000::/3 is given to anyone
		return true
	case b[0] == 0x20 && b[1] == 0x01 && b[2] < 2: // 2001::/23, protocol assignments
		return true
	case b[0] == 0x20 && b[1] == 0x01 && b[2] == 0x0d && b[3] == 0xb8: // documentation
		return true
	case b[0] == 0x3f && b[1] == 0xfe: // 3ffe::/16, the 6bone that was
		return true
	}
	return b[0] == 0x3f && b[1] == 0xff && b[2]&0xf0 == 0 // 3fff::/20, documentation
}
