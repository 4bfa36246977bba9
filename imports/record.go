package imports

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/boontorrent/boon/internal/rawlog"
)

// Reasons of this package, beside rawlog's.
const (
	unknownVersion = "unknown_version" // neither 3 nor 4
	noTime         = "no_time"         // a record of version 3 without anything to date it by
	badPlace       = "bad_place"       // a country, region or point that cannot be one
)

// record is a record of a 2018 log, version 3 or 4. Other fields (accuracy, the
// places' names, the peers of a resolve) are left where they are.
type record struct {
	Type       *string         `json:"type"`
	V          *int64          `json:"v"`
	Timestamp  *int64          `json:"timestamp"` // ms, version 4
	Infohash   *string         `json:"infohash"`
	OurID      *string         `json:"our_id"`
	TheirID    *string         `json:"their_id"`
	TheirIP    *string         `json:"their_ip"`
	Name       json.RawMessage `json:"name"`
	IsSeed     *bool           `json:"is_seed"`
	Version    *string         `json:"version"`
	VersionHex *string         `json:"version_hex"`
	Location   *location       `json:"location"`
	Size       *int64          `json:"size"`
	Files      *int64          `json:"files"`
	NumPeers   *int64          `json:"num_peers"`
}

type location struct {
	Country   *string  `json:"country_iso"`
	Sub       *string  `json:"sub_iso"`
	City      *string  `json:"city"`
	Latitude  *float64 `json:"latitude"`
	Longitude *float64 `json:"longitude"`
}

// rejection is why a record is not imported.
type rejection struct{ reason, detail string }

func (r *rejection) Error() string { return r.reason + ": " + r.detail }

func rejected(reason, format string, args ...any) error {
	return &rejection{reason, fmt.Sprintf(format, args...)}
}

func missing(field string) error { return rejected(rawlog.MissingField, "no %s", field) }

// convert makes an event of a record's text; base dates records of version 3.
// An error is a *rejection.
func convert(text []byte, base time.Time, ev *rawlog.Event) error {
	var r record
	if err := json.Unmarshal(text, &r); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			return rejected(rawlog.WrongType, "%s is a %.60s", wrong.Field, wrong.Value)
		}
		return rejected(rawlog.NotJSON, "%v", err)
	}
	*ev = rawlog.Event{}
	if err := r.date(base, ev); err != nil {
		return err
	}
	if r.Type == nil {
		return missing("type")
	}
	var err error
	switch *r.Type {
	case "get_peers":
		ev.Kind = rawlog.GetPeers
		err = r.query(&ev.Query)
	case "announce":
		ev.Kind = rawlog.AnnouncePeer
		if err = r.query(&ev.Query); err == nil {
			err = r.announce(&ev.Query)
		}
	case "resolve":
		ev.Kind = rawlog.Resolve
		ev.Resolve, err = r.resolve()
	default:
		err = rejected(rawlog.UnknownType, "type is %.40q", *r.Type)
	}
	if err != nil {
		return err
	}
	return fits(ev, len(text))
}

// date sets the event's time.
func (r *record) date(base time.Time, ev *rawlog.Event) error {
	switch {
	case r.V == nil:
		return missing("v")
	case *r.V == 3 && base.IsZero():
		return rejected(noTime, "version 3 has no times")
	case *r.V == 3:
		ev.T = base.UnixMicro()
	case *r.V == 4 && r.Timestamp == nil:
		return missing("timestamp")
	case *r.V == 4:
		if *r.Timestamp < 0 || *r.Timestamp > math.MaxInt64/1000 || !believable(*r.Timestamp*1000) {
			return rejected(rawlog.BadTime, "timestamp %d ms is not within the years 2005 to 2099", *r.Timestamp)
		}
		ev.T = *r.Timestamp * 1000
	default:
		return rejected(unknownVersion, "v is %d; 3 and 4 are known", *r.V)
	}
	return nil
}

func (r *record) query(q *rawlog.Query) error {
	var err error
	if q.Infohash, err = id("infohash", r.Infohash); err != nil {
		return err
	}
	if q.OurID, err = id("our_id", r.OurID); err != nil {
		return err
	}
	if r.TheirID != nil {
		if q.TheirID, err = id("their_id", r.TheirID); err != nil {
			return err
		}
		q.HasTheirID = true
	}
	if r.TheirIP == nil {
		return missing("their_ip")
	}
	addr, err := netip.ParseAddr(*r.TheirIP)
	if err != nil || addr.Zone() != "" {
		return rejected(rawlog.BadAddress, "their_ip is %.60q", *r.TheirIP)
	}
	q.Addr = addr.Unmap()
	switch {
	case r.VersionHex != nil:
		if q.Version, err = hex.DecodeString(*r.VersionHex); err != nil {
			return rejected(rawlog.BadNumber, "version_hex is %.60q", *r.VersionHex)
		}
	case r.Version != nil:
		q.Version = []byte(*r.Version)
	}
	q.Geo, err = r.Location.place()
	return err
}

func (r *record) announce(q *rawlog.Query) error {
	if r.IsSeed != nil {
		q.Seed = rawlog.TriOf(*r.IsSeed)
	}
	var err error
	q.Name, err = unquote(r.Name)
	return err
}

func (r *record) resolve() (*rawlog.ResolveEvent, error) {
	hash, err := id("infohash", r.Infohash)
	if err != nil {
		return nil, err
	}
	name, err := unquote(r.Name)
	switch {
	case err != nil:
		return nil, err
	case name == nil:
		return nil, missing("name")
	case r.Size == nil:
		return nil, missing("size")
	case r.Files == nil:
		return nil, missing("files")
	case *r.Size < 0 || *r.Files < 0 || r.NumPeers != nil && *r.NumPeers < 0:
		return nil, rejected(rawlog.BadNumber, "a size or count is negative")
	}
	res := &rawlog.ResolveEvent{
		Infohash: hash, Name: string(name), Size: *r.Size, FileCount: *r.Files, Peers: -1, Seeders: -1, Leechers: -1,
	}
	if !utf8.Valid(name) {
		res.Name, res.NameB64 = string([]rune(string(name))), base64.StdEncoding.EncodeToString(name)
	}
	if r.NumPeers != nil {
		res.Peers = *r.NumPeers
	}
	return res, nil
}

// place is a recorded place, nil where none was.
func (l *location) place() (*rawlog.Place, error) {
	if l == nil {
		return nil, nil
	}
	var p rawlog.Place
	if l.Country != nil {
		if p.Country = strings.ToUpper(*l.Country); !isCode(p.Country, 2, 2) {
			return nil, rejected(badPlace, "country_iso is %.20q", *l.Country)
		}
	}
	if l.Sub != nil && p.Country != "" {
		sub := strings.ToUpper(*l.Sub)
		if !isCode(sub, 1, 3) {
			return nil, rejected(badPlace, "sub_iso is %.20q", *l.Sub)
		}
		p.Region = p.Country + "-" + sub
	}
	if l.City != nil {
		p.City = *l.City
	}
	if (l.Latitude == nil) != (l.Longitude == nil) {
		return nil, rejected(badPlace, "a latitude or longitude without the other")
	}
	if l.Latitude != nil {
		p.Lat, p.Lon, p.HasPoint = *l.Latitude, *l.Longitude, true
		if math.Abs(p.Lat) > 90 || math.Abs(p.Lon) > 180 {
			return nil, rejected(badPlace, "the point %g, %g", p.Lat, p.Lon)
		}
	}
	if p == (rawlog.Place{}) {
		return nil, nil
	}
	return &p, nil
}

// isCode reports whether s is from least to most letters and digits, as ISO 3166 has them.
func isCode(s string, least, most int) bool {
	for i := range len(s) {
		if (s[i] < 'A' || s[i] > 'Z') && (s[i] < '0' || s[i] > '9') {
			return false
		}
	}
	return len(s) >= least && len(s) <= most
}

func id(field string, s *string) (rawlog.ID, error) {
	if s == nil {
		return rawlog.ID{}, missing(field)
	}
	id, err := rawlog.ParseID(*s)
	if err != nil {
		return id, rejected(rawlog.BadHash, "%s has %d digits: %v", field, len(*s), err)
	}
	return id, nil
}

// fits makes sure that a line can hold the event. Only a long record's might not.
func fits(ev *rawlog.Event, size int) error {
	if size < rawlog.MaxQueryLine/8 || ev.Kind == rawlog.Resolve {
		return nil
	}
	line, err := rawlog.AppendEvent(nil, ev)
	if err != nil {
		return rejected(rawlog.WrongType, "%v", err)
	}
	if spare := 32; len(line)+spare > rawlog.MaxQueryLine { // for the number
		return rejected(rawlog.TooLong, "%d bytes as an event; a line holds %d", len(line), rawlog.MaxQueryLine)
	}
	return nil
}
