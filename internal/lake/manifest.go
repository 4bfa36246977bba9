package lake

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
)

// maxManifest bounds what a manifest may weigh: a year of segments fits.
const maxManifest = 256 << 20

// Manifest commits a partition (one table, one day). Parts are written first,
// the manifest last; what no manifest names is not part of the table.
type Manifest struct {
	Table     string    `json:"table"`
	Day       string    `json:"day"`
	Schema    int       `json:"schema"`  // version of the table's columns
	Program   string    `json:"program"` // software and version that made it
	Digest    string    `json:"digest"`  // of inputs, schema, program, geo edition and key epoch
	Geo       string    `json:"geo"`     // edition of the geo databases, "" without
	KeyEpoch  string    `json:"key_epoch"`
	KeyPrint  string    `json:"key_print"` // tells keys of one epoch apart
	ETL       int       `json:"etl"`       // version of the program that made the tables
	Parts     []Part    `json:"parts"`
	Inputs    []Input   `json:"inputs"`
	Counts    Counts    `json:"counts"`
	Committed time.Time `json:"committed"`
}

// Part is one Parquet file of a partition.
type Part struct {
	Key    string `json:"key"`
	Rows   int64  `json:"rows"`
	Bytes  int64  `json:"bytes"`
	SHA256 string `json:"sha256"`
	First  int64  `json:"first"` // smallest ts, µs; 0 where the table has none
	Last   int64  `json:"last"`  // largest ts, µs
}

// Input is one raw segment that a partition was made from.
type Input struct {
	Key     string `json:"key"`
	ETag    string `json:"etag"`
	Bytes   int64  `json:"bytes"`
	Records int64  `json:"records"` // lines read, header and footer aside
	Run     string `json:"run,omitempty"`
	Seq     int64  `json:"seq"`
	Sealed  bool   `json:"sealed"` // had its footer
	// Notes say what was wrong with the file as a whole.
	Notes []string `json:"notes,omitempty"`
}

// Counts are a day's sums: Read = Loaded + Duplicate + Rejected, summed over reasons.
type Counts struct {
	Read      int64            `json:"read"`
	Loaded    int64            `json:"loaded"` // became rows or parts of rows of some table
	Duplicate int64            `json:"duplicate"`
	Rejected  map[string]int64 `json:"rejected"`
	// Lost counts what the segments themselves say was there and could not be
	// read (a cut or damaged file); it is no part of Read.
	Lost int64 `json:"lost"`
	// Rows of this table, and of what was left out of it on purpose, by reason.
	Rows    int64            `json:"rows"`
	LeftOut map[string]int64 `json:"left_out,omitempty"`
}

// RejectedTotal sums Rejected over its reasons.
func (c Counts) RejectedTotal() int64 {
	var n int64
	for _, v := range c.Rejected {
		n += v
	}
	return n
}

// Balance returns an error unless the sums close.
func (c Counts) Balance() error {
	if sum := c.Loaded + c.Duplicate + c.RejectedTotal(); sum != c.Read {
		return fmt.Errorf("read %d records, but loaded %d + duplicate %d + rejected %d = %d",
			c.Read, c.Loaded, c.Duplicate, c.RejectedTotal(), sum)
	}
	return nil
}

// ErrBadManifest is returned (wrapped) for a manifest that was read and is none.
var ErrBadManifest = errors.New("no manifest of this partition")

// ReadManifest returns a partition's manifest and its Info, or nil where the
// partition does not exist. ErrBadManifest (with the Info) where what is there is
// no manifest, or another partition's.
func ReadManifest(ctx context.Context, s Store, table string, d Day) (*Manifest, Info, error) {
	key := ManifestKey(table, d)
	b, info, err := ReadAll(ctx, s, key, maxManifest)
	if errors.Is(err, ErrNotFound) {
		return nil, Info{}, nil
	}
	if err != nil {
		return nil, Info{}, err
	}
	m := &Manifest{}
	err = json.Unmarshal(b, m)
	if err == nil {
		err = m.belongs(table, d)
	}
	if err != nil {
		return nil, info, fmt.Errorf("%s: %w (%w); run boon etl --day %s to make the partition anew", key, ErrBadManifest, err, d)
	}
	return m, info, nil
}

// belongs returns an error unless the manifest speaks of the partition, and of
// parts in its folder.
func (m *Manifest) belongs(table string, d Day) error {
	if m.Table != table || m.Day != d.String() {
		return fmt.Errorf("it speaks of table %.40q, day %.40q", m.Table, m.Day)
	}
	for _, p := range m.Parts {
		if !strings.HasPrefix(p.Key, PartitionPrefix(table, d)) || CheckKey(p.Key) != nil {
			return fmt.Errorf("it names %.200q as a part", p.Key)
		}
	}
	return nil
}

// WriteManifest commits m. old is the Info that ReadManifest gave, the zero
// Info where there was none; ErrConflict if the manifest is another one by now.
func WriteManifest(ctx context.Context, s Store, m *Manifest, old Info) (Info, error) {
	d, err := ParseDay(m.Day)
	if err != nil {
		return Info{}, fmt.Errorf("write manifest of %s: %w", m.Table, err)
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(m); err != nil {
		return Info{}, fmt.Errorf("write manifest of %s: %w", m.Table, err)
	}
	cond := Absent()
	if old.ETag != "" {
		cond = Unchanged(old.ETag)
	}
	return PutBytes(ctx, s, ManifestKey(m.Table, d), cond, b.Bytes())
}
