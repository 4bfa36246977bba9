package imports

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"

	"github.com/boontorrent/boon/internal/lake"
	"github.com/boontorrent/boon/internal/rawlog"
	"github.com/boontorrent/boon/internal/rawlog/rawlogtest"
)

// Hashes and ids of the fixtures: forty digits of one letter, in the logs' upper case.
var (
	hashA = strings.Repeat("A", 40)
	hashB = strings.Repeat("B", 40)
	hashC = strings.Repeat("C", 40)
)

const fileName = "boonlog-firehose-1-2018-04-30-17-59-50-0c0ffee0-0000-4000-8000-000000000000"

// fileTime is what fileName says, in µs.
const fileTime = 1525111190_000000

func getPeersV3() string {
	return `{"type":"get_peers","v":3,"infohash":"` + hashA + `","our_id":"` + hashB + `","their_id":"` + hashC +
		`","their_ip":"198.51.100.7","version":"LT","version_hex":"4C540101","location":{"country_iso":"US","country":"United States","sub_iso":"PA","subdivision":"Pennsylvania","city":"Philadelphia","latitude":39.9597,"longitude":-75.1968,"accuracy":5}}`
}

func getPeersV4(ms int64) string {
	return fmt.Sprintf(`{"type":"get_peers","v":4,"timestamp":%d,"infohash":"%s","our_id":"%s","their_id":"%s","their_ip":"2001:db8::1","location":null}`, ms, hashA, hashB, hashC)
}

func write(t *testing.T, folder, name string, content []byte) string {
	t.Helper()
	path := filepath.Join(folder, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func gzipped(t *testing.T, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstded(t *testing.T, b []byte) []byte {
	t.Helper()
	enc, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	return enc.EncodeAll(b, nil)
}

// stored reads every segment of a lake and gives its events as lines.
func stored(t *testing.T, s lake.Store) []string {
	t.Helper()
	var lines []string
	each(t, s, func(ev *rawlog.Event) {
		line, err := rawlog.AppendEvent(nil, ev)
		if err != nil {
			t.Fatal(err)
		}
		lines = append(lines, strings.TrimSuffix(string(line), "\n"))
	})
	return lines
}

func each(t *testing.T, s lake.Store, f func(*rawlog.Event)) {
	t.Helper()
	for _, ev := range rawlogtest.Events(t, s) {
		f(&ev)
	}
}

func keys(t *testing.T, s lake.Store) []string {
	t.Helper()
	var all []string
	for info, err := range s.List(t.Context(), "") {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, info.Key)
	}
	return all
}

// quarantined gives the reasons of what lies in quarantine, with the texts.
func quarantined(t *testing.T, s lake.Store, key string) []refused {
	t.Helper()
	b, _, err := lake.ReadAll(t.Context(), s, key, 1<<30)
	if err != nil {
		t.Fatal(err)
	}
	dec, err := zstd.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	defer dec.Close()
	var all []refused
	for lines := json.NewDecoder(dec); lines.More(); {
		var r refused
		if err := lines.Decode(&r); err != nil {
			t.Fatal(err)
		}
		all = append(all, r)
	}
	return all
}

func boonlog(t *testing.T, s lake.Store, opt Options, paths ...string) Report {
	t.Helper()
	rep, err := Boonlog(t.Context(), s, paths, opt)
	if err != nil {
		t.Fatal(err)
	}
	if rep.Read != rep.Events()+rep.RejectedTotal() {
		t.Errorf("read %d, imported %d, rejected %d", rep.Read, rep.Events(), rep.RejectedTotal())
	}
	return rep
}

// Each sort of record becomes the event it stands for, field by field.
func TestBoonlogEvents(t *testing.T) {
	log := strings.Join([]string{
		getPeersV3(),
		getPeersV4(1525111200123),
		`{"type":"announce","v":3,"infohash":"` + hashA + `","our_id":"` + hashB + `","their_id":"` + hashC + `","their_ip":"::ffff:203.0.113.9","is_seed":false,"version":"-AZ","name":"Война и мир \ud83d\ude00 \"1\".fb2","location":{"country_iso":"HK","sub_iso":null,"city":null,"latitude":-0.00001,"longitude":114.15}}`,
		`{"type":"announce","v":3,"infohash":"` + hashA + `","our_id":"` + hashB + `","their_ip":"203.0.113.9","is_seed":true,"name":null}`,
		`{"type":"resolve","v":3,"our_id":"` + hashB + `","infohash":"` + hashA + `","name":"龙珠","size":9007199254740993,"files":3,"num_peers":1,"peers":[{"ip":"198.51.100.7","location":{"city":"}{"}}]}`,
	}, "\n")
	a, b, c := strings.ToLower(hashA), strings.ToLower(hashB), strings.ToLower(hashC)
	want := []string{
		`{"type":"get_peers","t":1525111190000000,"n":1,"our_id":"` + b + `","their_id":"` + c + `","their_ip":"198.51.100.7","infohash":"` + a + `","version_hex":"4c540101","geo":{"country":"US","region":"US-PA","city":"Philadelphia","lat":39.9597,"lon":-75.1968}}`,
		`{"type":"get_peers","t":1525111200123000,"n":2,"our_id":"` + b + `","their_id":"` + c + `","their_ip":"2001:db8::1","infohash":"` + a + `"}`,
		`{"type":"announce_peer","t":1525111190000000,"n":3,"our_id":"` + b + `","their_id":"` + c + `","their_ip":"203.0.113.9","infohash":"` + a + `","version_hex":"2d415a","seed":false,"name":"Война и мир 😀 \"1\".fb2","geo":{"country":"HK","lat":-0.00001,"lon":114.15}}`,
		`{"type":"announce_peer","t":1525111190000000,"n":4,"our_id":"` + b + `","their_ip":"203.0.113.9","infohash":"` + a + `","seed":true}`,
		`{"type":"resolve","t":1525111190000000,"n":5,"infohash":"` + a + `","name":"龙珠","size":9007199254740993,"file_count":3,"peers":1}`,
	}
	s := lake.NewMemory()
	rep := boonlog(t, s, Options{}, write(t, t.TempDir(), fileName, []byte(log)))
	if diff := cmp.Diff(want, stored(t, s)); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int64{"get_peers": 2, "announce_peer": 2, "resolve": 1}, rep.Imported); diff != "" || !rep.Whole() {
		t.Errorf("report %+v\n%s", rep, diff)
	}
}

// However a log is packed, named within its folder or laid out, it is the same
// log, and a second import adds nothing.
func TestBoonlogTwice(t *testing.T) {
	log := []byte(getPeersV3() + "\n" + getPeersV4(1525111200123) + "\n")
	s := lake.NewMemory()
	folder := t.TempDir()
	boonlog(t, s, Options{}, write(t, folder, fileName, log))
	before, events := keys(t, s), stored(t, s)
	for name, b := range map[string][]byte{
		fileName: log, fileName + ".gz": gzipped(t, log), fileName + ".zst": zstded(t, log), fileName + ".bin": zstded(t, log),
	} {
		rep := boonlog(t, s, Options{}, write(t, t.TempDir(), name, b))
		if rep.Present != 1 || rep.Segments != 0 || !rep.Whole() {
			t.Errorf("%s: %+v", name, rep)
		}
	}
	write(t, folder, "again/"+fileName+".gz", gzipped(t, log))
	if rep := boonlog(t, s, Options{}, folder); rep.Repeated != 1 || len(rep.Notes) != 1 || rep.Inputs != 2 {
		t.Errorf("a folder with the same log twice: %+v", rep)
	}
	if diff := cmp.Diff(before, keys(t, s)); diff != "" {
		t.Errorf("the lake's keys changed:\n%s", diff)
	}
	if diff := cmp.Diff(events, stored(t, s)); diff != "" {
		t.Errorf("the lake's events changed:\n%s", diff)
	}
}

// Version 3 gets its time from the file's name, or --time; version 4 has its own.
func TestBoonlogTimes(t *testing.T) {
	given := time.Date(2018, 3, 1, 12, 0, 0, 0, time.UTC)
	v3, v4 := getPeersV3(), getPeersV4(1525111200123)
	for name, c := range map[string]struct {
		file, log string
		time      time.Time
		want      []int64
	}{
		"the name":                 {fileName, v3, time.Time{}, []int64{fileTime}},
		"the name before --time":   {fileName, v3, given, []int64{fileTime}},
		"--time":                   {"log.json", v3, given, []int64{given.UnixMicro()}},
		"its own before --time":    {"log.json", v3 + v4, given, []int64{given.UnixMicro(), 1525111200123000}},
		"its own, and no other":    {"log.json", v4, time.Time{}, []int64{1525111200123000}},
		"no time at all":           {"log.json", v4 + v3, time.Time{}, nil},
		"a name that is no time":   {"boonlog-firehose-1-2018-14-30-17-59-50-x", v3, time.Time{}, nil},
		"spaces around the number": {"log.json", strings.Replace(v3, `"v":3`, `"v" : 3`, 1), time.Time{}, nil},
	} {
		s := lake.NewMemory()
		rep := boonlog(t, s, Options{Time: c.time}, write(t, t.TempDir(), c.file, []byte(c.log)))
		var got []int64
		each(t, s, func(ev *rawlog.Event) { got = append(got, ev.T) })
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
		if c.want == nil && (len(rep.Problems) != 1 || !strings.Contains(rep.Problems[0].What, "--time")) {
			t.Errorf("%s: problems %v", name, rep.Problems)
		}
	}
	if _, err := Boonlog(t.Context(), lake.NewMemory(), []string{t.TempDir()}, Options{Time: time.Unix(0, 0)}); err == nil {
		t.Error("the time 1970 was taken")
	}
}

// A log of version 4 is the same one under any name and with any --time.
func TestBoonlogV4HasOneRun(t *testing.T) {
	s := lake.NewMemory()
	log := []byte(getPeersV4(1525111200123))
	boonlog(t, s, Options{}, write(t, t.TempDir(), "a", log))
	boonlog(t, s, Options{Time: time.Date(2018, 3, 1, 0, 0, 0, 0, time.UTC)}, write(t, t.TempDir(), "b", log))
	boonlog(t, s, Options{}, write(t, t.TempDir(), fileName, log))
	if got := keys(t, s); len(got) != 1 {
		t.Errorf("segments %v", got)
	}
}

func TestBoonlogRejects(t *testing.T) {
	ok := getPeersV4(1525111200123)
	with := func(old, replacement string) string { return strings.Replace(ok, old, replacement, 1) }
	bad := []struct{ text, reason string }{
		{with(hashA, hashA[1:]), "bad_hash"},
		{with(hashB, hashB+"B"), "bad_hash"},
		{with(hashC, "G"+hashC[1:]), "bad_hash"},
		{with(`"`+hashA+`"`, "17"), "wrong_type"},
		{with(`"`+hashA+`"`, "null"), "missing_field"},
		{with(`"type":"get_peers"`, `"type":"ping"`), "unknown_type"},
		{with(`"type":"get_peers"`, `"type":["get_peers"]`), "wrong_type"},
		{with(`"type":"get_peers",`, ``), "missing_field"},
		{with(`"v":4`, `"v":5`), "unknown_version"},
		{with(`"v":4`, `"v":null`), "missing_field"},
		{with(`"timestamp":1525111200123,`, ``), "missing_field"},
		{with(`1525111200123`, `1000`), "bad_time"},
		{with(`1525111200123`, `4102444800000`), "bad_time"},
		{with(`1525111200123`, `9223372036854775807`), "bad_time"},
		{with(`1525111200123`, `99999999999999999999`), "wrong_type"},
		{with(`1525111200123`, `-1`), "bad_time"},
		{with(`2001:db8::1`, `300.1.2.3`), "bad_address"},
		{with(`2001:db8::1`, `fe80::1%eth0`), "bad_address"},
		{with(`,"their_ip":"2001:db8::1"`, ``), "missing_field"},
		{with(`"location":null`, `"location":{"country_iso":"USA"}`), "bad_place"},
		{with(`"location":null`, `"location":{"country_iso":"US","latitude":91,"longitude":0}`), "bad_place"},
		{with(`"location":null`, `"location":{"latitude":1}`), "bad_place"},
		{with(`"location":null`, `"location":[[[{"a":{}}]]]`), "wrong_type"},
		{with(`"location":null`, `"location":`+strings.Repeat("[", 50)+strings.Repeat("]", 50)), "too_deep"},
		{with(`"location":null`, `"version_hex":"5"`), "bad_number"},
		{with(`"location":null`, `"location":{"city":"`+strings.Repeat("\\u0001", 20_000)+`"}`), "too_long"},
		{with(`"location":null`, `"x":"`+strings.Repeat("x", 10<<20)+`"`), "too_long"},
		{with(`"location":null`, `"location":nul`), "not_json"},
		{with(`"get_peers"`, `"resolve"`), "missing_field"},
		{with(`"type":"get_peers"`, `"type":"resolve","name":"x","size":-1,"files":1`), "bad_number"},
		{`no json at all`, "not_json"},
		{ok[:100], "not_json"},
	}
	var log strings.Builder
	want := map[string]int64{}
	for _, b := range bad {
		log.WriteString(b.text + "\n" + ok + "\n")
		want[b.reason]++
	}
	s := lake.NewMemory()
	rep := boonlog(t, s, Options{}, write(t, t.TempDir(), "log", []byte(log.String())))
	if diff := cmp.Diff(want, rep.Rejected); diff != "" {
		t.Errorf("rejected (-want +got):\n%s", diff)
	}
	if got := len(stored(t, s)); got != len(bad) || rep.Imported["get_peers"] != int64(len(bad)) {
		t.Errorf("%d good records of %d were stored, %d reported", got, len(bad), rep.Imported["get_peers"])
	}
	if len(rep.Quarantine) != 1 || !strings.HasPrefix(rep.Quarantine[0], "quarantine/import/import-") {
		t.Fatalf("quarantine %v", rep.Quarantine)
	}
	for i, r := range quarantined(t, s, rep.Quarantine[0]) {
		if text := bad[i].text; r.Reason != bad[i].reason || r.N != int64(2*i+1) || r.Text != text[:min(len(text), 4096)] {
			t.Errorf("line %d: %s of record %d, %.100q; want %s of %.100q", i, r.Reason, r.N, r.Text, bad[i].reason, text)
		}
	}
}

// Bytes that are not UTF-8 are the name all the same.
func TestBoonlogNameBytes(t *testing.T) {
	log := `{"type":"announce","v":4,"timestamp":1525111200123,"infohash":"` + hashA + `","our_id":"` + hashB + `","their_ip":"203.0.113.9","name":"a\u0041\ud83d\ude00\n` + "\xcf\xee\xe4\\/" + `"}`
	s := lake.NewMemory()
	boonlog(t, s, Options{}, write(t, t.TempDir(), "log", []byte(log)))
	each(t, s, func(ev *rawlog.Event) {
		if want := "aA😀\n\xcf\xee\xe4/"; string(ev.Query.Name) != want {
			t.Errorf("name %q, want %q", ev.Query.Name, want)
		}
	})
}

func TestBoonlogInterrupted(t *testing.T) {
	folder := t.TempDir()
	write(t, folder, "a", []byte(getPeersV4(1525111200123)))
	write(t, folder, "b", []byte(getPeersV4(1525111200124)))
	ctx, cancel := context.WithCancel(t.Context())
	opt := Options{Progress: func(p Progress) {
		if p.Done == 1 {
			cancel()
		}
	}}
	rep, err := Boonlog(ctx, lake.NewMemory(), []string{folder}, opt)
	if !errors.Is(err, context.Canceled) || rep.Segments != 1 || rep.Events() != 1 {
		t.Errorf("%+v, %v", rep, err)
	}
}
