// Package datasets is the contract between Boon and those who use its data:
// the columns of every table (the row structs below), what each of them means
// (dictionary.yaml) and the JSON schema of a row. It depends on nothing but the
// standard library, so that other programs can import it.
//
// Tables are folders of Parquet files in Hive partitions, day=YYYY-MM-DD in UTC.
// Hashes are FIXED_LEN_BYTE_ARRAY, times are microseconds in UTC, integers are
// signed, text is valid UTF-8, and a value that is not known is null (a pointer
// here). No table holds an address, a port or a node id.
package datasets

// Schema is the version of all tables' columns together.
const Schema = 3

// Query is a row of queries: one query heard from another node of the DHT.
type Query struct {
	Ts            int64    `parquet:"ts,timestamp(microsecond)"`
	Kind          string   `parquet:"kind"`
	Collector     string   `parquet:"collector"`
	OurID         [20]byte `parquet:"our_id"`
	Infohash      [20]byte `parquet:"infohash"`
	Requester     int64    `parquet:"requester"`
	Network       int64    `parquet:"network"`
	KeyEpoch      string   `parquet:"key_epoch"`
	Country       *string  `parquet:"country"`
	Region        *string  `parquet:"region"`
	City          *string  `parquet:"city"`
	Lat           *float64 `parquet:"lat"`
	Lon           *float64 `parquet:"lon"`
	ASN           *int64   `parquet:"asn"`
	ASName        *string  `parquet:"as_name"`
	ClientCode    *string  `parquet:"client_code"`
	Client        *string  `parquet:"client"`
	ClientVersion *string  `parquet:"client_version"`
	PortImplied   *bool    `parquet:"port_implied"`
	Seed          *bool    `parquet:"seed"`
	ReadOnly      *bool    `parquet:"read_only"`
	Name          *string  `parquet:"name"`
	Log2Distance  int32    `parquet:"log2_distance"`
	TheirCpl      *int32   `parquet:"their_cpl"`
	IDSecure      *bool    `parquet:"id_secure"`
	TokenValid    *bool    `parquet:"token_valid"`
}

// Torrent is a row of torrents: one info-hash resolved on the day.
type Torrent struct {
	Infohash     [20]byte  `parquet:"infohash"`
	InfohashV2   *[32]byte `parquet:"infohash_v2"`
	Name         string    `parquet:"name"`
	Size         int64     `parquet:"size"`
	FileCount    int64     `parquet:"file_count"`
	PieceLength  *int64    `parquet:"piece_length"`
	Private      *bool     `parquet:"private"`
	ResolvedAt   int64     `parquet:"resolved_at,timestamp(microsecond)"`
	Peers        *int64    `parquet:"peers"`
	Seeders      *int64    `parquet:"seeders"`
	Leechers     *int64    `parquet:"leechers"`
	FoundBy      *string   `parquet:"found_by"`
	ContentType  string    `parquet:"content_type"`
	Newznab      int32     `parquet:"newznab"`
	Adult        bool      `parquet:"adult"`
	Languages    []string  `parquet:"languages,list"`
	Script       *string   `parquet:"script"`
	Title        *string   `parquet:"title"`
	Year         *int32    `parquet:"year"`
	Seasons      []int32   `parquet:"seasons,list"`
	Episodes     []int32   `parquet:"episodes,list"`
	Resolution   *int32    `parquet:"resolution"`
	Source       *string   `parquet:"source"`
	VideoCodec   *string   `parquet:"video_codec"`
	AudioCodec   *string   `parquet:"audio_codec"`
	ReleaseGroup *string   `parquet:"release_group"`
	Edition      *string   `parquet:"edition"`
	WorkID       *string   `parquet:"work_id"`
}

// File is a row of files: one file of a torrent resolved on the day.
type File struct {
	Infohash  [20]byte `parquet:"infohash"`
	Idx       int32    `parquet:"idx"`
	Path      string   `parquet:"path"`
	Name      string   `parquet:"name"`
	Extension *string  `parquet:"extension"`
	Size      int64    `parquet:"size"`
	Media     string   `parquet:"media"`
	Pad       bool     `parquet:"pad"`
}

// Failure is a row of failures: one try to resolve an info-hash that failed.
type Failure struct {
	Ts       int64    `parquet:"ts,timestamp(microsecond)"`
	Infohash [20]byte `parquet:"infohash"`
	Reason   string   `parquet:"reason"`
	Peers    int64    `parquet:"peers"`
}

// Requester is a row of requesters: what one pseudonym did on the day.
type Requester struct {
	Requester    int64   `parquet:"requester"`
	Network      int64   `parquet:"network"`
	KeyEpoch     string  `parquet:"key_epoch"`
	First        int64   `parquet:"first,timestamp(microsecond)"`
	Last         int64   `parquet:"last,timestamp(microsecond)"`
	Queries      int64   `parquet:"queries"`
	Announces    int64   `parquet:"announces"`
	Infohashes   int64   `parquet:"infohashes"`
	NodeIDs      int64   `parquet:"node_ids"`
	MaxPerMinute int64   `parquet:"max_per_minute"`
	Country      *string `parquet:"country"`
	ASN          *int64  `parquet:"asn"`
	Client       *string `parquet:"client"`
	Crawler      *string `parquet:"crawler"`
}

// Demand is a row of demand: who asked for an info-hash from one country on the day.
type Demand struct {
	Infohash   [20]byte `parquet:"infohash"`
	Country    *string  `parquet:"country"`
	Requesters int64    `parquet:"requesters"`
	Networks   int64    `parquet:"networks"`
	Queries    int64    `parquet:"queries"`
	Announces  int64    `parquet:"announces"`
	Seeders    int64    `parquet:"seeders"`
}

// Uptime is a row of uptime: one minute of one run of a collector, one type of
// packet, event or loss.
type Uptime struct {
	Collector string    `parquet:"collector"`
	Run       string    `parquet:"run"`
	OurID     *[20]byte `parquet:"our_id"`
	Minute    int64     `parquet:"minute,timestamp(microsecond)"`
	Type      string    `parquet:"type"`
	Received  int64     `parquet:"received"`
	Logged    int64     `parquet:"logged"`
	Dropped   int64     `parquet:"dropped"`
	Sent      int64     `parquet:"sent"`
	Loaded    int64     `parquet:"loaded"`
	Nodes     *int64    `parquet:"nodes"`
	Value     *int64    `parquet:"value"`
}

// Probe is a row of probes: one node asked by one of our own lookups.
type Probe struct {
	Ts           int64    `parquet:"ts,timestamp(microsecond)"`
	Collector    string   `parquet:"collector"`
	Target       [20]byte `parquet:"target"`
	Family       string   `parquet:"family"`
	Step         int32    `parquet:"step"`
	Log2Distance int32    `parquet:"log2_distance"`
	Answered     bool     `parquet:"answered"`
}

// Table is a table by name, with a zero row of it.
type Table struct {
	Name string
	Row  any
}

// Tables lists every table, in the order in which they are documented.
func Tables() []Table {
	return []Table{
		{"queries", Query{}},
		{"torrents", Torrent{}},
		{"files", File{}},
		{"failures", Failure{}},
		{"requesters", Requester{}},
		{"demand", Demand{}},
		{"uptime", Uptime{}},
		{"probes", Probe{}},
	}
}
