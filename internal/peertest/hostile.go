package peertest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"strings"
	"time"
)

// Hostile are peers that an info dictionary of some pieces is asked of, by what
// they do. Each does it to whoever comes, for as long as they stay.
func Hostile(info []byte) map[string]Behaviour {
	size := fmt.Sprintf("i%de", len(info))
	all := map[string]Behaviour{}
	for _, some := range []map[string]Behaviour{handshakes(size), greetings(size), messages(size), sizes(), wrongPieces(info, size), stalls(info, size)} {
		for name, b := range some {
			all[name] = b
		}
	}
	return all
}

// handshakes go wrong before anything is said.
func handshakes(size string) map[string]Behaviour {
	return map[string]Behaviour{
		"hangs up at once": func(*Conn) {},
		"resets at once":   func(c *Conn) { c.Reset() },
		"shakes hands for another torrent": func(c *Conn) {
			_ = c.ReadHandshake()
			_ = c.SendHandshake([20]byte{1, 2, 3})
			_ = c.Greet(size)
			c.Wait()
		},
		"speaks another protocol": func(c *Conn) {
			_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\n\r\n"+strings.Repeat("x", 100))
			c.Wait()
		},
		"knows no extensions": func(c *Conn) {
			_ = c.ReadHandshake()
			b := append([]byte(protocol), make([]byte, 8)...)
			b = append(b, c.Hash[:]...)
			_, _ = c.Write(append(b, make([]byte, 20)...))
			c.Wait()
		},
	}
}

// greet is a peer with that extension handshake.
func greet(body string) Behaviour {
	return func(c *Conn) {
		if c.ReadHandshake() != nil || c.SendHandshake(c.Hash) != nil {
			return
		}
		_ = c.SendExtended(0, body)
		c.Wait()
	}
}

// greetings are extension handshakes that are none.
func greetings(size string) map[string]Behaviour {
	deep := func(open string) string { return strings.Repeat(open, 16000/len(open)) }
	return map[string]Behaviour{
		"greets with 1 MB":                   greet("d1:md11:ut_metadatai7ee13:metadata_size" + size + "1:v1000000:" + strings.Repeat("v", 1000000) + "e"),
		"greets with lists in lists":         greet(deep("l")),
		"greets with dictionaries, 4000":     greet(deep("d1:a")),
		"greets with lists in m":             greet("d1:m" + deep("l")),
		"greets with a string of 9 GB":       greet("d1:m9999999999:"),
		"greets with a number of 10,000":     greet("d13:metadata_sizei" + strings.Repeat("9", 10000) + "ee"),
		"greets with a list":                 greet("le"),
		"greets with nothing":                greet(""),
		"greets with half":                   greet("d1:md11:ut_metadatai7e"),
		"greets with m a number":             greet("d1:mi7e13:metadata_size" + size + "e"),
		"greets with ut_metadata 256":        greet("d1:md11:ut_metadatai256ee13:metadata_size" + size + "e"),
		"greets with ut_metadata -1":         greet("d1:md11:ut_metadatai-1ee13:metadata_size" + size + "e"),
		"greets without ut_metadata":         greet("d1:mde13:metadata_size" + size + "e"),
		"greets with ut_metadata turned off": greet("d1:md11:ut_metadatai0ee13:metadata_size" + size + "e"),
		"greets with an empty dictionary":    greet("de"),
	}
}

// sizes are info dictionaries that cannot be.
func sizes() map[string]Behaviour {
	all := map[string]Behaviour{}
	for name, size := range map[string]string{
		"0": "i0e", "-1": "i-1e", "2 GiB": "i2147483648e", "more than 64 bits": "i99999999999999999999e", "a string": "3:100", "10 MiB and a byte": "i10485761e",
	} {
		all["has an info dictionary of "+name] = func(c *Conn) {
			_ = c.Open(size)
			c.Wait()
		}
	}
	return all
}

// raw sends bytes in the place of a message.
func raw(size string, b []byte) Behaviour {
	return func(c *Conn) {
		if c.Open(size) != nil {
			return
		}
		_, _ = c.Write(b)
		c.Wait()
	}
}

// message is one of length size, of which only the beginning is sent.
func message(size uint32, b ...byte) []byte {
	return append(binary.BigEndian.AppendUint32(nil, size), b...)
}

// messages are such as no client sends.
func messages(size string) map[string]Behaviour {
	return map[string]Behaviour{
		"sends a message of 4 GB":         raw(size, message(0xffffffff, 5)),
		"sends a bitfield of 300 KB":      raw(size, message(300_000, 5)),
		"sends an extended one of 17 KiB": raw(size, message(17<<10, 20, ourMetadata)),
		"sends an extended one of naught": raw(size, message(1, 20)),
		"sends a piece of a file":         raw(size, message(9, 7, 0, 0, 0, 0, 0, 0, 0, 0)),
		"sends keep-alives without end": func(c *Conn) {
			if c.Open(size) != nil {
				return
			}
			for b := make([]byte, 4<<10); ; {
				if _, err := c.Write(b); err != nil {
					return
				}
			}
		},
		"sends haves without end": func(c *Conn) {
			if c.Open(size) != nil {
				return
			}
			for b := bytes.Repeat(message(5, 4, 0, 0, 0, 1), 1000); ; {
				if _, err := c.Write(b); err != nil {
					return
				}
			}
		},
		"names peers that are none": func(c *Conn) {
			_ = c.Open(size)
			_ = c.SendPex([]string{"12345"}, nil)
			c.Wait()
		},
		"names peers in lists in lists": func(c *Conn) {
			_ = c.Open(size)
			_ = c.SendExtended(c.Pex, strings.Repeat("l", 16000))
			c.Wait()
		},
	}
}

// give is a peer that answers the first request with a message of ut_metadata.
func give(size string, body func(piece int) string) Behaviour {
	return func(c *Conn) {
		if c.Open(size) != nil {
			return
		}
		piece, err := c.ReadRequest()
		if err != nil {
			return
		}
		_ = c.SendMetadata(body(piece))
		c.Wait()
	}
}

// piece is a message with a piece of an info dictionary.
func piece(number, total int, data []byte) string {
	return fmt.Sprintf("d8:msg_typei1e5:piecei%de10:total_sizei%dee%s", number, total, data)
}

// wrongPieces are not those that were asked for.
func wrongPieces(info []byte, size string) map[string]Behaviour {
	first := info[:min(len(info), PieceBytes)]
	other := make([]byte, len(info))
	n := len(info)
	return map[string]Behaviour{
		"sends pieces of another torrent": func(c *Conn) {
			_ = c.Open(size)
			for {
				i, err := c.ReadRequest()
				if err != nil || c.SendPiece(other, i) != nil {
					return
				}
			}
		},
		"sends a piece too long":           give(size, func(i int) string { return piece(i, n, append(first[:len(first):len(first)], 'x')) }),
		"sends a piece too short":          give(size, func(i int) string { return piece(i, n, first[:len(first)-1]) }),
		"sends an empty piece":             give(size, func(i int) string { return piece(i, n, nil) }),
		"sends a piece nobody asked for":   give(size, func(int) string { return piece(1000, n, first) }),
		"sends piece -1":                   give(size, func(int) string { return piece(-1, n, first) }),
		"sends a piece of another size":    give(size, func(i int) string { return piece(i, n+1, first) }),
		"sends a piece of no bencoding":    give(size, func(int) string { return "hello" }),
		"sends a piece without number":     give(size, func(int) string { return "d8:msg_typei1ee" + string(first) }),
		"sends a piece in lists in lists":  give(size, func(int) string { return strings.Repeat("l", 16000) }),
		"sends a piece in dictionaries":    give(size, func(int) string { return strings.Repeat("d1:a", 4000) }),
		"sends a rejection":                give(size, func(i int) string { return fmt.Sprintf("d8:msg_typei2e5:piecei%dee", i) }),
		"sends a piece twice":              twice(size, n, first),
		"changes the size by greeting":     again(size, fmt.Sprintf("d1:md11:ut_metadatai7ee13:metadata_sizei%dee", n+1)),
		"sends a request of its own, only": give(size, func(int) string { return "d8:msg_typei0e5:piecei0ee" }),
	}
}

func twice(size string, total int, first []byte) Behaviour {
	return func(c *Conn) {
		if c.Open(size) != nil {
			return
		}
		for range 2 {
			_ = c.SendMetadata(piece(0, total, first))
		}
		c.Wait()
	}
}

// again is a peer that greets a second time.
func again(size, greeting string) Behaviour {
	return func(c *Conn) {
		if c.Open(size) != nil {
			return
		}
		_ = c.SendExtended(0, greeting)
		c.Wait()
	}
}

// stalls are peers that take their time.
func stalls(info []byte, size string) map[string]Behaviour {
	return map[string]Behaviour{
		"says nothing":        func(c *Conn) { c.Wait() },
		"greets and is quiet": func(c *Conn) { _ = c.Open(size); c.Wait() },
		"sends its handshake a byte at a time": func(c *Conn) {
			_ = c.ReadHandshake()
			drip(c, append([]byte(protocol), make([]byte, 48)...))
		},
		"sends a piece a byte at a time": func(c *Conn) {
			_ = c.Open(size)
			drip(c, message(PieceBytes, append([]byte{20, c.Metadata}, piece(0, len(info), info[:100])...)...))
		},
		"sends all pieces but the last": func(c *Conn) {
			_ = c.Open(size)
			for i := range (len(info) - 1) / PieceBytes {
				_ = c.SendPiece(info, i)
			}
			c.Wait()
		},
		"resets in the middle of a piece": func(c *Conn) {
			_ = c.Open(size)
			if i, err := c.ReadRequest(); err == nil {
				body := append([]byte{20, c.Metadata}, piece(i, len(info), info[:1000])...)
				_, _ = c.Write(message(PieceBytes, body...))
			}
			time.Sleep(10 * time.Millisecond) // what was sent should arrive
			c.Reset()
		},
	}
}

func drip(c *Conn, b []byte) {
	for _, one := range b {
		c.Sleep(20 * time.Millisecond)
		if _, err := c.Write([]byte{one}); err != nil {
			return
		}
	}
	c.Wait()
}
