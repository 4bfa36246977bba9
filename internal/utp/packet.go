package utp

import "encoding/binary"

// Kinds of packets.
const (
	kindData  = 0
	kindFin   = 1
	kindState = 2
	kindReset = 3
	kindSyn   = 4
)

const (
	version    = 1
	headerSize = 20
	selective  = 1 // the extension that tells which packets came out of order
)

// packet is one that came.
type packet struct {
	kind     byte
	id       uint16
	sent     uint32 // by the sender's clock
	window   uint32
	seq, ack uint16
	payload  []byte
}

// parse reads a packet; extensions are skipped.
func parse(b []byte) (packet, bool) {
	if len(b) < headerSize || b[0]&0xf != version || b[0]>>4 > kindSyn {
		return packet{}, false
	}
	p := packet{
		kind:   b[0] >> 4,
		id:     binary.BigEndian.Uint16(b[2:]),
		sent:   binary.BigEndian.Uint32(b[4:]),
		window: binary.BigEndian.Uint32(b[12:]),
		seq:    binary.BigEndian.Uint16(b[16:]),
		ack:    binary.BigEndian.Uint16(b[18:]),
	}
	next, b := b[1], b[headerSize:]
	for next != 0 {
		if len(b) < 2 || len(b) < 2+int(b[1]) {
			return packet{}, false
		}
		next, b = b[0], b[2+int(b[1]):]
	}
	p.payload = b
	return p, true
}

// header is what stands before a packet's payload.
type header struct {
	kind        byte
	id          uint16
	sent, delay uint32
	window      uint32
	seq, ack    uint16
	came        uint64 // which packets came after the one that is missing: bit i is ack+2+i
}

func (h *header) append(b []byte) []byte {
	extension := byte(0)
	if h.came != 0 {
		extension = selective
	}
	b = append(b, h.kind<<4|version, extension)
	b = binary.BigEndian.AppendUint16(b, h.id)
	b = binary.BigEndian.AppendUint32(b, h.sent)
	b = binary.BigEndian.AppendUint32(b, h.delay)
	b = binary.BigEndian.AppendUint32(b, h.window)
	b = binary.BigEndian.AppendUint16(b, h.seq)
	b = binary.BigEndian.AppendUint16(b, h.ack)
	if h.came != 0 {
		b = append(b, 0, 8)
		b = binary.LittleEndian.AppendUint64(b, h.came)
	}
	return b
}

// before reports whether a comes before b, numbers going round.
func before(a, b uint16) bool { return int16(a-b) < 0 }
