package rawlog

import "net/netip"

// AskerOf reads the asker's address off a line that begins as AppendEvent
// begins queries, and nothing else of it; false for other lines. What follows
// in the line may be anything: only Reader.Next tells whether it is an event.
func AskerOf(line []byte) (netip.Addr, bool) {
	c := cursor{b: line, ok: true}
	c.take(`{"type":"`)
	if !c.ok || kindOf(&c) == NoKind {
		return netip.Addr{}, false
	}
	c.number()
	if c.has(`,"n":`) {
		c.number()
	}
	c.take(`,"our_id":"`)
	c.skipID()
	if c.has(`,"their_id":"`) {
		c.skipID()
	}
	c.take(`,"their_ip":"`)
	if !c.ok {
		return netip.Addr{}, false
	}
	a := c.address()
	return a, c.ok
}

// kindOf moves over a query's kind and the key of its time.
func kindOf(c *cursor) Kind {
	switch {
	case c.has(`get_peers","t":`):
		return GetPeers
	case c.has(`announce_peer","t":`):
		return AnnouncePeer
	case c.has(`find_node","t":`):
		return FindNode
	case c.has(`sample_infohashes","t":`):
		return SampleInfohashes
	}
	return NoKind
}

// skipID moves over what id reads, unread.
func (c *cursor) skipID() {
	if len(c.b) < 41 || c.b[40] != '"' {
		c.ok = false
		return
	}
	c.b = c.b[41:]
}
