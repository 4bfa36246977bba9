package synth

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/boontorrent/boon/internal/lake"
)

// TruthKey is where the truth about a synthetic swarm lies in its lake.
const TruthKey = "synth/truth.json"

// truthFormat is the first field of the file.
const truthFormat = "boon synth truth 1"

// Truth is what is true of a synthetic swarm, and what of it our nodes heard.
//
// Requesters are counted as distinct addresses, day by day, in four ways (see
// Counts). What is to be found in the tables is Heard: for each info-hash,
// country and hour of a day, the distinct addresses of get_peers and
// announce_peer, without crawlers and without table upkeep. Counted is that for
// one who cannot know which refresh targets are made up and leaves out only
// crawlers and get_peers whose info-hash shares 32 bits or more with the
// asker's id. By info-hash the two are the same, because no made-up target is a
// torrent: every get_peers for an info-hash that is not among Torrents is
// upkeep.
//
// In the file the long lists come last: works, then torrents, one a line. Scan
// reads torrents without holding them all.
type Truth struct {
	Format     string      `json:"format"`
	Seed       uint64      `json:"seed"`
	Start      string      `json:"start"` // the first day
	Days       int         `json:"days"`
	Events     int         `json:"events"`     // queries in the raw logs
	Requesters int         `json:"requesters"` // people there are, crawlers aside
	Epochs     []string    `json:"epochs"`     // whose pseudonym keys were written
	Nodes      []TruthNode `json:"nodes"`
	PerDay     []TruthDay  `json:"per_day"`
	Crawlers   []Crawler   `json:"crawlers"`
	Works      []Work      `json:"works"`
	Torrents   []Torrent   `json:"torrents"`
}

// TruthNode is one of our node ids.
type TruthNode struct {
	Collector string `json:"collector"`
	ID        string `json:"id"`
}

// Counts are distinct requesters, by what they must have done.
type Counts struct {
	Swarm   uint32 `json:"swarm"`   // looked for something, heard or not; no crawlers
	Heard   uint32 `json:"heard"`   // of those, heard asking or announcing; no crawlers, no upkeep
	Counted uint32 `json:"counted"` // and those heard refreshing their routing tables (their_cpl 1 to 10)
	All     uint32 `json:"all"`     // and those heard bootstrapping (their_cpl >= 96), and crawlers
}

// TruthDay is a day.
type TruthDay struct {
	Day        string            `json:"day"`
	Queries    map[string]int64  `json:"queries"`    // by kind; all together are the day's share of Events
	Bootstraps int64             `json:"bootstraps"` // get_peers that are upkeep, with their_cpl >= 96
	Refreshes  int64             `json:"refreshes"`  // get_peers that are upkeep, with their_cpl 1 to 10
	Crawling   int64             `json:"crawling"`   // queries of crawlers, of any kind
	Requesters Counts            `json:"requesters"`
	Hours      [24]Counts        `json:"hours"` // by UTC hour
	Countries  map[string]Counts `json:"countries"`
}

// Crawler is a requester that asks for everything and announces nothing.
type Crawler struct {
	Address    string           `json:"address"`
	Country    string           `json:"country"`
	Queries    int64            `json:"queries"`    // heard, all days and kinds
	Pseudonyms map[string]int64 `json:"pseudonyms"` // by epoch
}

// Work is what several torrents are releases of. Lists have a number a day.
type Work struct {
	ID       int      `json:"id"`
	Type     string   `json:"type"`
	Language string   `json:"language"`
	Title    string   `json:"title"`
	Torrents int      `json:"torrents"`
	Swarm    []uint32 `json:"swarm"`
	Heard    []uint32 `json:"heard"`
}

// Torrent is an info-hash. Of torrents that were never heard only the first
// four fields are written. What the name says is empty or zero where it does
// not say it. Lists have a number a day.
type Torrent struct {
	Infohash string   `json:"infohash"`
	Work     int      `json:"work"`
	Type     string   `json:"type"`
	Swarm    []uint32 `json:"swarm"`

	Heard      []uint32 `json:"heard,omitempty"`
	All        []uint32 `json:"all,omitempty"` // Heard and crawlers
	Resolved   bool     `json:"resolved,omitempty"`
	InfohashV2 string   `json:"infohash_v2,omitempty"`
	Name       string   `json:"name,omitempty"`
	Title      string   `json:"title,omitempty"`
	Language   string   `json:"language,omitempty"`
	Year       int      `json:"year,omitempty"`
	Season     int      `json:"season,omitempty"`
	Episode    int      `json:"episode,omitempty"`
	Resolution int      `json:"resolution,omitempty"`
	Source     string   `json:"source,omitempty"` // bluray, web, tv, dvd, cam, telesync
	VideoCodec string   `json:"video_codec,omitempty"`
	AudioCodec string   `json:"audio_codec,omitempty"`
	Group      string   `json:"group,omitempty"`
}

// ReadTruth reads the truth of a lake whole.
func ReadTruth(ctx context.Context, store lake.Store) (*Truth, error) {
	o, err := store.Open(ctx, TruthKey)
	if err != nil {
		return nil, fmt.Errorf("read the truth: %w", err)
	}
	defer o.Close()
	var torrents []Torrent
	truth, err := Scan(bufio.NewReaderSize(o, 1<<20), func(t *Torrent) error {
		torrents = append(torrents, *t)
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", TruthKey, err)
	}
	truth.Torrents = torrents
	return truth, nil
}

// Scan reads a truth file and calls each for every torrent in it; the Truth
// that it returns has no Torrents.
func Scan(r io.Reader, each func(*Torrent) error) (*Truth, error) {
	dec := json.NewDecoder(r)
	if err := want(dec, json.Delim('{')); err != nil {
		return nil, err
	}
	truth := &Truth{}
	fields := map[string]any{
		"format": &truth.Format, "seed": &truth.Seed, "start": &truth.Start, "days": &truth.Days, "events": &truth.Events,
		"requesters": &truth.Requesters, "epochs": &truth.Epochs, "nodes": &truth.Nodes, "per_day": &truth.PerDay,
		"crawlers": &truth.Crawlers, "works": &truth.Works,
	}
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, err
		}
		field := fields[fmt.Sprint(name)]
		switch {
		case name == "torrents":
			err = scanTorrents(dec, each)
		case field == nil:
			var unknown json.RawMessage
			err = dec.Decode(&unknown)
		default:
			err = dec.Decode(field)
		}
		if err != nil {
			return nil, fmt.Errorf("%v: %w", name, err)
		}
	}
	if truth.Format != truthFormat {
		return nil, errors.New("not the truth of a synthetic swarm, or of another version of boon synth")
	}
	return truth, want(dec, json.Delim('}'))
}

func scanTorrents(dec *json.Decoder, each func(*Torrent) error) error {
	if err := want(dec, json.Delim('[')); err != nil {
		return err
	}
	for dec.More() {
		var t Torrent
		if err := dec.Decode(&t); err != nil {
			return err
		}
		if err := each(&t); err != nil {
			return err
		}
	}
	return want(dec, json.Delim(']'))
}

func want(dec *json.Decoder, what json.Delim) error {
	got, err := dec.Token()
	if err == nil && got != what {
		err = fmt.Errorf("%v where %v should be", got, what)
	}
	return err
}
