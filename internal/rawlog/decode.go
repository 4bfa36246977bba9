package rawlog

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
)

// decode reads any line through encoding/json. Field names must match to the
// letter, unknown fields are passed over, and where a field stands twice the
// last one counts.
func decode(line []byte, ev *Event) *Reject {
	if bytes.HasPrefix(line, resolvePrefix) {
		return decodeLarge(line, ev)
	}
	f, reject := fieldsOf(line)
	if reject != nil {
		return reject
	}
	var kind string
	if err := f.value("type", &kind); err != nil {
		return asReject(err)
	}
	*ev = Event{}
	switch kind {
	case "":
		return &Reject{Reason: MissingField, Detail: "type"}
	case "segment", "segment_end":
		return &Reject{Reason: notAnEvent}
	}
	for k, name := range kindNames {
		if name == kind {
			ev.Kind = Kind(k)
		}
	}
	if ev.Kind == NoKind {
		return &Reject{Reason: UnknownType, Detail: fmt.Sprintf("%.40q", kind)}
	}
	if ev.Kind != Resolve && len(line) > MaxQueryLine {
		return &Reject{Reason: TooLong}
	}
	if err := f.event(line, ev); err != nil {
		return asReject(err)
	}
	return nil
}

// decodeLarge reads a resolve event without taking it to pieces first: such
// lines may be long.
func decodeLarge(line []byte, ev *Event) *Reject {
	*ev = Event{Kind: Resolve}
	if err := decodeResolve(line, ev); err != nil {
		return asReject(err)
	}
	return nil
}

func asReject(err error) *Reject {
	var r *Reject
	if errors.As(err, &r) {
		return r
	}
	return &Reject{Reason: WrongType, Detail: err.Error()}
}

// fields are a JSON object's members.
type fields map[string]json.RawMessage

func fieldsOf(line []byte) (fields, *Reject) {
	var f fields
	if err := json.Unmarshal(line, &f); err != nil {
		return nil, &Reject{Reason: NotJSON, Detail: err.Error()}
	}
	if f == nil {
		return nil, &Reject{Reason: NotJSON, Detail: "null is not an event"}
	}
	return f, nil
}

// value reads a field into p, which keeps its value where the field is absent or null.
func (f fields) value(key string, p any) error {
	raw, ok := f[key]
	if !ok {
		return nil
	}
	if err := json.Unmarshal(raw, p); err != nil {
		return &Reject{Reason: WrongType, Detail: fmt.Sprintf("%s: %v", key, err)}
	}
	return nil
}

func (f fields) present(key string) bool {
	raw, ok := f[key]
	return ok && string(raw) != "null"
}

// event reads the rest of the line for the kind that ev has.
func (f fields) event(line []byte, ev *Event) error {
	if !f.present("t") {
		return &Reject{Reason: MissingField, Detail: "t"}
	}
	if err := f.value("t", &ev.T); err != nil {
		return &Reject{Reason: BadTime, Detail: err.Error()}
	}
	if ev.T < MinTime || ev.T >= MaxTime {
		return &Reject{Reason: BadTime}
	}
	if err := f.value("n", &ev.N); err != nil || ev.N < 0 {
		return &Reject{Reason: BadNumber, Detail: "n"}
	}
	switch ev.Kind {
	case Probe:
		return decodeProbe(line, ev)
	case Stats:
		return decodeStats(line, ev)
	case Resolve:
		return decodeResolve(line, ev) // its type stands elsewhere in the line
	case ResolveFailed:
		return decodeFailed(line, ev)
	}
	return f.query(ev)
}

func (f fields) query(ev *Event) error {
	q := &ev.Query
	target := "infohash"
	if ev.Kind == SampleInfohashes || ev.Kind == FindNode {
		target = "target"
	}
	if err := f.id("our_id", &q.OurID, true); err != nil {
		return err
	}
	if err := f.id(target, &q.Infohash, true); err != nil {
		return err
	}
	q.HasTheirID = f.present("their_id")
	if err := f.id("their_id", &q.TheirID, false); err != nil {
		return err
	}
	if err := f.asker(q); err != nil {
		return err
	}
	if err := f.flags(q); err != nil {
		return err
	}
	if ev.Kind == AnnouncePeer {
		return f.announce(q)
	}
	return nil
}

// id reads forty hex digits of either case.
func (f fields) id(key string, id *ID, must bool) error {
	if !f.present(key) {
		if must {
			return &Reject{Reason: MissingField, Detail: key}
		}
		return nil
	}
	var s string
	if err := f.value(key, &s); err != nil {
		return err
	}
	v, err := ParseID(s)
	if err != nil {
		return &Reject{Reason: BadHash, Detail: fmt.Sprintf("%s: %v; it has %d characters", key, err, len(s))}
	}
	*id = v
	return nil
}

// asker reads who sent the query: an address, or pseudonyms.
func (f fields) asker(q *Query) error {
	if f.present("their_ip") {
		var s string
		if err := f.value("their_ip", &s); err != nil {
			return err
		}
		a, err := netip.ParseAddr(s)
		if err != nil || a.Zone() != "" {
			return &Reject{Reason: BadAddress}
		}
		q.Addr = a.Unmap()
	}
	if err := f.port("their_port", &q.Port); err != nil {
		return err
	}
	q.HasPseudonym = f.present("requester")
	if q.HasPseudonym {
		if !f.present("network") {
			return &Reject{Reason: MissingField, Detail: "network"}
		}
		if err := errors.Join(f.value("requester", &q.Requester), f.value("network", &q.Network), f.node(q)); err != nil {
			return err
		}
	}
	if !q.Addr.IsValid() && !q.HasPseudonym {
		return &Reject{Reason: MissingField, Detail: "their_ip, or requester and network"}
	}
	return f.place(q)
}

// node reads what stands for the asker's node id.
func (f fields) node(q *Query) error {
	q.HasNode = f.present("node")
	if !q.HasNode {
		return nil
	}
	if err := f.value("their_cpl", &q.TheirCpl); err != nil || q.TheirCpl > 160 || !f.present("their_cpl") {
		return &Reject{Reason: BadNumber, Detail: "their_cpl: not 0 to 160"}
	}
	return errors.Join(f.value("node", &q.Node), f.tri("id_secure", &q.IDSecure))
}

func (f fields) place(q *Query) error {
	if !f.present("geo") {
		return nil
	}
	var g struct {
		Place
		Lat *float64 `json:"lat"`
		Lon *float64 `json:"lon"`
	}
	if err := f.value("geo", &g); err != nil {
		return err
	}
	q.Geo = &g.Place
	if g.Lat != nil && g.Lon != nil {
		if *g.Lat < -90 || *g.Lat > 90 || *g.Lon < -180 || *g.Lon > 180 {
			return &Reject{Reason: BadNumber, Detail: "geo: no such place on Earth"}
		}
		q.Geo.Lat, q.Geo.Lon, q.Geo.HasPoint = *g.Lat, *g.Lon, true
	}
	return nil
}

func (f fields) port(key string, p *uint16) error {
	var n int64
	if err := f.value(key, &n); err != nil {
		return err
	}
	if n < 0 || n > 65535 {
		return &Reject{Reason: BadNumber, Detail: fmt.Sprintf("%s: %d is not a port", key, n)}
	}
	*p = uint16(n)
	return nil
}

func (f fields) tri(key string, t *Tri) error {
	if !f.present(key) {
		return nil
	}
	var b bool
	err := f.value(key, &b)
	*t = TriOf(b)
	return err
}

func (f fields) flags(q *Query) error {
	if f.present("version_hex") {
		var s string
		if err := f.value("version_hex", &s); err != nil {
			return err
		}
		v, err := hex.DecodeString(s)
		if err != nil || len(v) > 64 {
			return &Reject{Reason: BadHash, Detail: "version_hex: not an even number of at most 128 hex digits"}
		}
		q.Version = append([]byte{}, v...)
	}
	return errors.Join(f.tri("ro", &q.ReadOnly), f.value("noseed", &q.NoSeed), f.value("scrape", &q.Scrape))
}

func (f fields) announce(q *Query) error {
	err := errors.Join(f.port("port", &q.AnnouncePort), f.tri("implied_port", &q.ImpliedPort),
		f.tri("token_valid", &q.TokenValid), f.tri("seed", &q.Seed))
	if err != nil {
		return err
	}
	if f.present("name") {
		var s string
		if err := f.value("name", &s); err != nil {
			return err
		}
		q.Name = append([]byte{}, s...)
	}
	if f.present("name_b64") {
		var s string
		if err := f.value("name_b64", &s); err != nil {
			return err
		}
		b, err := base64.StdEncoding.DecodeString(s)
		if err != nil {
			return &Reject{Reason: WrongType, Detail: "name_b64: not base64"}
		}
		q.Name = b
	}
	return nil
}

// DecodeEvent reads one line, without its newline. A line that is no event is a *Reject.
func DecodeEvent(line []byte, ev *Event) error {
	var s scanner
	if r := s.event(bytes.TrimSuffix(line, []byte("\n")), ev); r != nil {
		return r
	}
	return nil
}
