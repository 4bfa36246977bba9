package fetch

// Reason says why an info-hash, or one peer of it, gave no info dictionary.
// They stand in the order of how far things went: where peers failed for
// different reasons, the last of them is the info-hash's.
type Reason uint8

// The reasons.
const (
	OK         Reason = iota
	Stopped           // the caller's context ended, or another peer had it
	NoPeers           // no address to try
	Refused           // nobody takes connections there, or hangs up at once
	Timeout           // no answer, or not enough of one in time
	NoMetadata        // a peer that has no info dictionary, or will not send it
	Malformed         // a message that breaks the protocol
	TooLarge          // an info dictionary or message over the bounds
	BadHash           // a handshake or bytes of another torrent
	numReasons
)

var reasonNames = [numReasons]string{"ok", "stopped", "no_peers", "refused", "timeout", "no_metadata", "malformed", "too_large", "bad_hash"}

// String is the reason's name in the log and in metrics.
func (r Reason) String() string {
	if r < numReasons {
		return reasonNames[r]
	}
	return "unknown"
}

// Reasons lists all that an info-hash can fail for.
func Reasons() []Reason {
	return []Reason{NoPeers, Refused, Timeout, NoMetadata, Malformed, TooLarge, BadHash, Stopped}
}

// Counts are numbers by reason.
type Counts [numReasons]int64

// worst is the reason of those counted that went furthest.
func (c *Counts) worst() Reason {
	for r := numReasons - 1; r > NoPeers; r-- {
		if c[r] > 0 {
			return r
		}
	}
	return NoPeers
}
