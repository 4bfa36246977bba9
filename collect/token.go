package collect

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/subtle"
	"fmt"
	"io"
	"net/netip"
)

const (
	tokenSize   = 4 // bytes: one of 4·10^9, guessed at fifty a second for ten minutes
	tokenRotate = 5 * minute
)

// tokens makes and checks the tokens of get_peers (BEP 5): the asker's address
// under a secret that changes every five minutes. A token holds for five to ten
// minutes, for its address alone.
type tokens struct {
	random  io.Reader
	current cipher.Block
	before  cipher.Block
	since   int64
	in, out [aes.BlockSize]byte // scratch; on the stack they would escape
}

func newTokens(random io.Reader, now int64) (*tokens, error) {
	t := &tokens{random: random}
	for range 2 { // a first "before" that nobody knows
		if err := t.rotate(now); err != nil {
			return nil, err
		}
	}
	return t, nil
}

func (t *tokens) rotate(now int64) error {
	var key [16]byte
	if _, err := io.ReadFull(t.random, key[:]); err != nil {
		return fmt.Errorf("make a token secret: %w", err)
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return fmt.Errorf("make a token secret: %w", err)
	}
	t.before, t.current, t.since = t.current, block, now
	return nil
}

// due tells whether the secret is to change.
func (t *tokens) due(now int64) bool { return now-t.since >= tokenRotate }

// appendToken appends the address's token.
func (t *tokens) appendToken(dst []byte, a netip.Addr) []byte {
	t.make(t.current, a)
	return append(dst, t.out[:tokenSize]...)
}

// valid reports whether the address got the token from us in the last minutes.
func (t *tokens) valid(token []byte, a netip.Addr) bool {
	if len(token) != tokenSize {
		return false
	}
	t.make(t.current, a)
	now := subtle.ConstantTimeCompare(t.out[:tokenSize], token)
	t.make(t.before, a)
	return now|subtle.ConstantTimeCompare(t.out[:tokenSize], token) == 1
}

func (t *tokens) make(secret cipher.Block, a netip.Addr) {
	t.in = a.As16()
	secret.Encrypt(t.out[:], t.in[:])
}
