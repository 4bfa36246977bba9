package collect

import "github.com/boontorrent/boon/internal/rawlog"

// sentKind is what we send.
type sentKind uint8

const (
	sentResponse sentKind = iota
	sentError
	sentPing
	sentFindNode
	sentKinds
)

var sentNames = [sentKinds]string{"response", "error", "ping", "find_node"}

// counts is what one node received, did not log, and sent. What it logged is
// counted elsewhere, by the goroutine that writes; that the two agree is the
// collector's promise:
//
//	received = logged + dropped, for each kind
type counts struct {
	received [kinds]int64
	dropped  [kinds][reasons]int64
	sent     [sentKinds]int64
}

func (c *counts) add(o *counts) {
	for k := range kinds {
		c.received[k] += o.received[k]
		for r := range reasons {
			c.dropped[k][r] += o.dropped[k][r]
		}
	}
	for k := range sentKinds {
		c.sent[k] += o.sent[k]
	}
}

// drop counts a packet that was received and not logged.
func (c *counts) drop(k kind, r reason) {
	c.received[k]++
	c.dropped[k][r]++
}

// droppedBy sums over kinds.
func (c *counts) droppedBy(r reason) int64 {
	var n int64
	for k := range kinds {
		n += c.dropped[k][r]
	}
	return n
}

// total is what was received, and dropped, in all.
func (c *counts) total() (received, dropped int64) {
	for k := range kinds {
		received += c.received[k]
		for r := range reasons {
			dropped += c.dropped[k][r]
		}
	}
	return received, dropped
}

// logCounts counts written events by kind.
type logCounts [kinds]int64

// event makes a stats event.
func (c *counts) event(id rawlog.ID, logged *logCounts, nodes int64) *rawlog.StatsEvent {
	s := &rawlog.StatsEvent{
		OurID: id, Nodes: nodes,
		Received: map[string]int64{}, Logged: map[string]int64{}, Sent: map[string]int64{}, Dropped: map[string]int64{},
	}
	for k := range kinds {
		put(s.Received, k.String(), c.received[k])
		put(s.Logged, k.String(), logged[k])
	}
	for r := kept + 1; r < reasons; r++ {
		put(s.Dropped, r.String(), c.droppedBy(r))
	}
	for k, name := range sentNames {
		put(s.Sent, name, c.sent[k])
	}
	return s
}

func put(m map[string]int64, name string, n int64) {
	if n != 0 {
		m[name] = n
	}
}

// eventKind is the raw log's name for a kind that may be logged.
func eventKind(k kind) rawlog.Kind {
	switch k {
	case getPeers:
		return rawlog.GetPeers
	case announcePeer:
		return rawlog.AnnouncePeer
	case sampleInfohashes:
		return rawlog.SampleInfohashes
	case findNode:
		return rawlog.FindNode
	case probed:
		return rawlog.Probe
	}
	return rawlog.NoKind
}

// kindOf is the reverse of eventKind.
func kindOf(k rawlog.Kind) kind {
	switch k {
	case rawlog.GetPeers:
		return getPeers
	case rawlog.AnnouncePeer:
		return announcePeer
	case rawlog.SampleInfohashes:
		return sampleInfohashes
	case rawlog.Probe:
		return probed
	}
	return findNode
}
