package etl

import (
	"fmt"
	"strconv"
)

// clientOf names the client that the first four bytes of "v" stand for. There
// is no registry; these are the marks that the clients' own sources write.
// Name and version are "" where they are not known.
func clientOf(v [4]byte, n int) (code, name, version string) {
	if n < 2 || !letter(v[0]) || !letter(v[1]) {
		return "", "", ""
	}
	code = string(v[:2])
	full := n == 4
	switch code {
	case "LT": // libtorrent (Rasterbar): major and minor
		name = "libtorrent"
		if full {
			version = fmt.Sprintf("%d.%d", v[2], v[3])
		}
	case "lt": // libTorrent (rakshasa), rTorrent's
		name = "rTorrent"
		if full {
			version = fmt.Sprintf("%d.%d", v[2], v[3])
		}
	case "UT": // µTorrent and BitTorrent: build number
		name = "µTorrent"
		if full {
			version = strconv.Itoa(int(v[2])<<8 | int(v[3]))
		}
	case "TR":
		name = "Transmission"
		if full {
			version = fmt.Sprintf("%d.%02d", v[2], v[3])
		}
	case "A2":
		name = "aria2"
		if full {
			version = fmt.Sprintf("%d.%d", v[2], v[3])
		}
	case "KT":
		name = "KTorrent"
	case "JC": // Chroboczek's dht library, in Transmission and others
		name = "jech/dht"
	case "AZ":
		name = "Vuze"
	case "BC":
		name = "BitComet"
	case "MO":
		name = "MonoTorrent"
	case "ml":
		name = "mldht"
	case "BT":
		name = "BitTorrent"
	case "SP":
		name = "BitSpirit"
	case "XL":
		name = "Xunlei"
	}
	return code, name, version
}

func letter(c byte) bool {
	return c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9'
}
