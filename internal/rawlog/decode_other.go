package rawlog

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// The lines that are not queries.

func decodeProbe(line []byte, ev *Event) error {
	var w wireProbe
	if err := json.Unmarshal(line, &w); err != nil {
		return err
	}
	target, err := ParseID(w.Target)
	if err != nil {
		return &Reject{Reason: BadHash, Detail: "target: " + err.Error()}
	}
	ev.Probe = &ProbeEvent{Target: target, Family: w.Family}
	for _, q := range w.Queried {
		id, err := ParseID(q.ID)
		if err != nil {
			return &Reject{Reason: BadHash, Detail: "queried: " + err.Error()}
		}
		ev.Probe.Queried = append(ev.Probe.Queried, Queried{ID: id, OK: q.OK})
	}
	return nil
}

func decodeStats(line []byte, ev *Event) error {
	var w wireStats
	if err := json.Unmarshal(line, &w); err != nil {
		return err
	}
	ev.Stats = &StatsEvent{Received: w.Received, Logged: w.Logged, Sent: w.Sent, Dropped: w.Dropped, Nodes: w.Nodes, Gauges: w.Gauges}
	if w.OurID != "" {
		id, err := ParseID(w.OurID)
		if err != nil {
			return &Reject{Reason: BadHash, Detail: "our_id: " + err.Error()}
		}
		ev.Stats.OurID = id
	}
	for _, counts := range []map[string]int64{w.Received, w.Logged, w.Sent, w.Dropped} {
		for name, n := range counts {
			if n < 0 {
				return &Reject{Reason: BadNumber, Detail: fmt.Sprintf("%.40q: %d", name, n)}
			}
		}
	}
	return nil
}

func decodeResolve(line []byte, ev *Event) error {
	var w wireResolve
	if err := json.Unmarshal(line, &w); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return &Reject{Reason: NotJSON, Detail: err.Error()}
		}
		return err
	}
	if w.Type != Resolve.String() {
		return &Reject{Reason: UnknownType, Detail: "type stands twice"}
	}
	if w.T < MinTime || w.T >= MaxTime {
		return &Reject{Reason: BadTime}
	}
	if w.N < 0 {
		return &Reject{Reason: BadNumber, Detail: "n"}
	}
	ev.T, ev.N = w.T, w.N
	id, err := ParseID(w.Infohash)
	if err != nil {
		return &Reject{Reason: BadHash, Detail: "infohash: " + err.Error()}
	}
	if w.InfohashV2 != "" {
		if b, err := hex.DecodeString(w.InfohashV2); err != nil || len(b) != 32 {
			return &Reject{Reason: BadHash, Detail: "infohash_v2: not 64 hex digits"}
		}
	}
	var sum int64
	for _, f := range w.Files {
		if f.Length < 0 || sum+f.Length < sum {
			return &Reject{Reason: BadNumber, Detail: "files: sizes are negative or add up to more than 2^63"}
		}
		sum += f.Length
	}
	if w.Size < 0 || w.FileCount < 0 || w.PieceLength < 0 {
		return &Reject{Reason: BadNumber, Detail: "size, file_count and piece_length cannot be negative"}
	}
	ev.Resolve = &ResolveEvent{
		Infohash: id, InfohashV2: strings.ToLower(w.InfohashV2), Name: w.Name, NameB64: w.NameB64, PieceLength: w.PieceLength, Files: w.Files,
		Size: w.Size, FileCount: w.FileCount, Peers: orUnknown(w.Peers), Seeders: orUnknown(w.Seeders), Leechers: orUnknown(w.Leechers), FoundBy: w.FoundBy,
	}
	if w.Private != nil {
		ev.Resolve.Private = TriOf(*w.Private)
	}
	return nil
}

func decodeFailed(line []byte, ev *Event) error {
	var w wireFailed
	if err := json.Unmarshal(line, &w); err != nil {
		return err
	}
	id, err := ParseID(w.Infohash)
	if err != nil {
		return &Reject{Reason: BadHash, Detail: "infohash: " + err.Error()}
	}
	if w.Reason == "" || len(w.Reason) > 64 {
		return &Reject{Reason: MissingField, Detail: "reason"}
	}
	ev.Failed = &FailedEvent{Infohash: id, Reason: w.Reason, Peers: max(0, w.Peers)}
	return nil
}

// decodeFrameLine reads a header or footer.
func decodeFrameLine(line []byte) (*Header, *Footer, *Reject) {
	var kind struct{ Type string }
	if err := json.Unmarshal(line, &kind); err != nil {
		return nil, nil, &Reject{Reason: BadHeader, Detail: err.Error()}
	}
	if kind.Type == "segment_end" {
		var w wireFooter
		if err := json.Unmarshal(line, &w); err != nil || w.Records < 0 {
			return nil, nil, &Reject{Reason: BadHeader, Detail: "footer"}
		}
		return nil, &Footer{Seq: w.Seq, Records: w.Records, Dropped: w.Dropped, End: w.End, Recovered: w.Recovered}, nil
	}
	var w wireHeader
	if err := json.Unmarshal(line, &w); err != nil {
		return nil, nil, &Reject{Reason: BadHeader, Detail: err.Error()}
	}
	if w.V != Version {
		return nil, nil, &Reject{Reason: BadHeader, Detail: fmt.Sprintf("version %d of the raw log; this program reads %d", w.V, Version)}
	}
	return &Header{
		Collector: w.Collector, Run: w.Run, Seq: w.Seq, Start: w.Start, Software: w.Software, Privacy: w.Privacy, KeyEpoch: w.KeyEpoch, KeyPrint: w.KeyPrint, Imported: w.Imported,
	}, nil, nil
}
