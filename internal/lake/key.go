package lake

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// The folders of a lake.
const (
	RawPrefix        = "raw/v1/"
	TablesPrefix     = "tables/"
	QuarantinePrefix = "quarantine/"
	LivePrefix       = "live/"
	GeoPrefix        = "geo/"
	KeysPrefix       = "keys/"
	ShardsPrefix     = "shards/" // what several machines leave for each other while they make a day
	LeasePrefix      = "lease/"
)

const stampLayout = "20060102T150405.000000Z"

// SegmentKey names a sealed raw segment:
//
//	raw/v1/day=2026-11-22/hour=13/<collector>-<UTC start>-<seq>-<sha8>.ndjson.zst
//
// The start is the instant of the segment's header. Sha8 is the first four
// bytes of the SHA-256 of the file, in hex, so that a key never stands for two
// different contents.
type SegmentKey struct {
	Collector string // 1 to 64 of a-z 0-9 - _
	Start     int64  // µs since 1970 UTC
	Seq       uint64
	Sha8      string
}

// String is the object key.
func (k SegmentKey) String() string {
	t := time.UnixMicro(k.Start).UTC()
	return fmt.Sprintf("%s%s-%s-%06d-%s.ndjson.zst", HourPrefix(DayOf(k.Start), t.Hour()),
		k.Collector, t.Format(stampLayout), k.Seq, k.Sha8)
}

// RawDayPrefix is the folder of a day's segments, HourPrefix that of an hour's.
func RawDayPrefix(d Day) string { return RawPrefix + "day=" + d.String() + "/" }

// HourPrefix is the folder of one UTC hour's segments.
func HourPrefix(d Day, hour int) string { return fmt.Sprintf("%shour=%02d/", RawDayPrefix(d), hour) }

// CollectorName reports whether s may name a collector.
func CollectorName(s string) bool {
	if s == "" || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

// ParseSegmentKey reads what String writes; ErrBadKey (wrapped) for all else.
func ParseSegmentKey(key string) (SegmentKey, error) {
	bad := func(why string) (SegmentKey, error) {
		return SegmentKey{}, fmt.Errorf("%w: %q is not a segment's: %s", ErrBadKey, key, why)
	}
	_, name, ok := cutLast(key, "/")
	if !ok {
		return bad("no folder")
	}
	name, ok = strings.CutSuffix(name, ".ndjson.zst")
	if !ok {
		return bad("it does not end in .ndjson.zst")
	}
	rest, sha8, ok1 := cutLast(name, "-")
	rest, seqText, ok2 := cutLast(rest, "-")
	collector, stamp, ok3 := cutLast(rest, "-")
	if !ok1 || !ok2 || !ok3 || !CollectorName(collector) {
		return bad("its name is not collector-start-seq-sha8")
	}
	start, err := time.Parse(stampLayout, stamp)
	if err != nil {
		return bad("its start is not a time")
	}
	seq, err := strconv.ParseUint(seqText, 10, 63)
	if err != nil {
		return bad("its seq is not a number")
	}
	k := SegmentKey{Collector: collector, Start: start.UnixMicro(), Seq: seq, Sha8: sha8}
	if k.String() != key {
		return bad("it is not in the folder of its start")
	}
	return k, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// DayOfKey finds the day=YYYY-MM-DD part of a key.
func DayOfKey(key string) (Day, bool) {
	for part := range strings.SplitSeq(key, "/") {
		if v, ok := strings.CutPrefix(part, "day="); ok {
			d, err := ParseDay(v)
			return d, err == nil
		}
	}
	return 0, false
}

// ShardsDayPrefix is the folder of a day that several machines are making.
func ShardsDayPrefix(d Day) string { return ShardsPrefix + "day=" + d.String() + "/" }

// PartitionPrefix is the folder of a table's day.
func PartitionPrefix(table string, d Day) string {
	return TablesPrefix + table + "/day=" + d.String() + "/"
}

// PartKey names the i-th part of a table's day; digest tells one making of the day from another.
func PartKey(table string, d Day, digest string, i int) string {
	return fmt.Sprintf("%spart-%s-%05d.parquet", PartitionPrefix(table, d), digest, i)
}

// ManifestKey names a partition's manifest.
func ManifestKey(table string, d Day) string { return PartitionPrefix(table, d) + "manifest.json" }
