package rawlog

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// The lines that are not queries, as encoding/json sees them.

type wireHeader struct {
	Type      string `json:"type"`
	V         int    `json:"v"`
	Collector string `json:"collector"`
	Run       string `json:"run"`
	Seq       uint64 `json:"seq"`
	Start     int64  `json:"start"`
	Software  string `json:"software,omitempty"`
	Privacy   string `json:"privacy,omitempty"`
	KeyEpoch  string `json:"key_epoch,omitempty"`
	KeyPrint  string `json:"key_print,omitempty"`
	Imported  string `json:"imported,omitempty"`
}

type wireFooter struct {
	Type      string           `json:"type"`
	Seq       uint64           `json:"seq"`
	Records   int64            `json:"records"`
	Dropped   map[string]int64 `json:"dropped,omitempty"`
	End       int64            `json:"end"`
	Recovered bool             `json:"recovered,omitempty"`
}

type wireProbe struct {
	Type    string        `json:"type"`
	T       int64         `json:"t"`
	N       int64         `json:"n,omitempty"`
	Target  string        `json:"target"`
	Family  string        `json:"family"`
	Queried []wireQueried `json:"queried"`
}

type wireQueried struct {
	ID string `json:"id"`
	OK bool   `json:"ok"`
}

type wireStats struct {
	Type     string           `json:"type"`
	T        int64            `json:"t"`
	N        int64            `json:"n,omitempty"`
	OurID    string           `json:"our_id,omitempty"`
	Received map[string]int64 `json:"received,omitempty"`
	Logged   map[string]int64 `json:"logged,omitempty"`
	Sent     map[string]int64 `json:"sent,omitempty"`
	Dropped  map[string]int64 `json:"dropped,omitempty"`
	Nodes    int64            `json:"nodes"`
	Gauges   map[string]int64 `json:"gauges,omitempty"`
}

type wireResolve struct {
	Type        string `json:"type"`
	T           int64  `json:"t"`
	N           int64  `json:"n,omitempty"`
	Infohash    string `json:"infohash"`
	InfohashV2  string `json:"infohash_v2,omitempty"`
	Name        string `json:"name"`
	NameB64     string `json:"name_b64,omitempty"`
	PieceLength int64  `json:"piece_length,omitempty"`
	Private     *bool  `json:"private,omitempty"`
	Files       []File `json:"files,omitempty"`
	Size        int64  `json:"size,omitempty"`
	FileCount   int64  `json:"file_count,omitempty"`
	Peers       *int64 `json:"peers,omitempty"`
	Seeders     *int64 `json:"seeders,omitempty"`
	Leechers    *int64 `json:"leechers,omitempty"`
	FoundBy     string `json:"found_by,omitempty"`
}

type wireFailed struct {
	Type     string `json:"type"`
	T        int64  `json:"t"`
	N        int64  `json:"n,omitempty"`
	Infohash string `json:"infohash"`
	Reason   string `json:"reason"`
	Peers    int64  `json:"peers"`
}

func wireOf(ev *Event) (any, error) {
	name := ev.Kind.String()
	switch {
	case ev.Kind == Probe && ev.Probe != nil:
		w := wireProbe{Type: name, T: ev.T, N: ev.N, Target: ev.Probe.Target.String(), Family: ev.Probe.Family, Queried: []wireQueried{}}
		for _, q := range ev.Probe.Queried {
			w.Queried = append(w.Queried, wireQueried{ID: q.ID.String(), OK: q.OK})
		}
		return w, nil
	case ev.Kind == Stats && ev.Stats != nil:
		s := ev.Stats
		w := wireStats{Type: name, T: ev.T, N: ev.N, Received: s.Received, Logged: s.Logged, Sent: s.Sent, Dropped: s.Dropped, Nodes: s.Nodes, Gauges: s.Gauges}
		if s.OurID != (ID{}) {
			w.OurID = s.OurID.String()
		}
		return w, nil
	case ev.Kind == Resolve && ev.Resolve != nil:
		return wireOfResolve(ev), nil
	case ev.Kind == ResolveFailed && ev.Failed != nil:
		f := ev.Failed
		return wireFailed{Type: name, T: ev.T, N: ev.N, Infohash: f.Infohash.String(), Reason: f.Reason, Peers: f.Peers}, nil
	}
	return nil, fmt.Errorf("an event of kind %q without its content cannot be written", name)
}

func wireOfResolve(ev *Event) wireResolve {
	r := ev.Resolve
	w := wireResolve{
		Type: ev.Kind.String(), T: ev.T, N: ev.N, Infohash: r.Infohash.String(), InfohashV2: r.InfohashV2, Name: r.Name, NameB64: r.NameB64,
		PieceLength: r.PieceLength, Files: r.Files, Size: r.Size, FileCount: r.FileCount, FoundBy: r.FoundBy,
		Peers: known(r.Peers), Seeders: known(r.Seeders), Leechers: known(r.Leechers),
	}
	if r.Private != Unknown {
		private := r.Private == True
		w.Private = &private
	}
	return w
}

// known is nil for the -1 that stands for unknown.
func known(n int64) *int64 {
	if n < 0 {
		return nil
	}
	return &n
}

func orUnknown(p *int64) int64 {
	if p == nil || *p < 0 {
		return -1
	}
	return *p
}

func headerLine(h Header) ([]byte, error) {
	return jsonLine(wireHeader{
		Type: "segment", V: Version, Collector: h.Collector, Run: h.Run, Seq: h.Seq, Start: h.Start,
		Software: h.Software, Privacy: h.Privacy, KeyEpoch: h.KeyEpoch, KeyPrint: h.KeyPrint, Imported: h.Imported,
	})
}

func footerLine(f Footer) ([]byte, error) {
	return jsonLine(wireFooter{Type: "segment_end", Seq: f.Seq, Records: f.Records, Dropped: f.Dropped, End: f.End, Recovered: f.Recovered})
}

func jsonLine(v any) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return b.Bytes(), err
}
